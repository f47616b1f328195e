#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An image answers the same for ever, from its first read on, whatever was in flight at its cut.
# guest: disks=4 size=1G timeout=300 parallel
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

CUTS=5

sums()
{
	local image

	for image in $(images "$1"); do
		dd if="$image" bs=1M iflag=direct status=none | md5sum
	done
}

# Writes take longer than a cut: each cut finds some that began before it.
t_from_the_first_read_on()
{
	local i

	raise_stage 4 4M 1000:0 1500:0
	start_writers 48
	for ((i = 1; i <= CUTS; i++)); do
		cut_all "s$i"
		sums "s$i" >"s$i.sums"
	done
	stamp wait "$STATE" 100 60
	stop_writers
	for ((i = 1; i <= CUTS; i++)); do
		same "$(sums "s$i")" "$(<"s$i.sums")" "what s$i holds"
		is_consistent "s$i"
	done
}

run_tests "$@"
