#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Groups of one member and of 64 are cut as others are.
# guest: disks=4 size=1G timeout=300 long
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

t_one_member()
{
	local i

	raise_stage 1 8M 60
	start_writers 8
	for ((i = 1; i <= 5; i++)); do
		cut_all "one$i"
		is_consistent "one$i"
	done
	stop_writers
}

t_64_members()
{
	local i

	raise_stage 64 8M
	start_writers 16
	for ((i = 1; i <= 2; i++)); do
		cut_all "many$i"
		is_consistent "many$i"
	done
	stop_writers
	same "$(dmsetup ls --target cohort-replica | wc -l)" 128 "images"
	is_consistent many1
}

run_tests "$@"
