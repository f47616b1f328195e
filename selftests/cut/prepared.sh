#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prepare early, cut later: an Inactive relationship holds nothing until it is activated.
# guest: disks=4 size=1G timeout=300 parallel
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

t_cut_is_the_instant_of_activation()
{
	raise_stage 2 8M
	put 1 /dev/mapper/m1 0 1M
	snapshot r --wait Inactive m1 m2
	same "$(show r CopyState)" Inactive
	[[ ! -e /dev/mapper/r_1 ]]
	put 2 /dev/mapper/m1 0 1M
	same "$(status_field m1 6)" 0 "chunks preserved for nobody"
	cohortctl activate r
	same "$(show r CopyState)" Synchronized
	put 3 /dev/mapper/m1 0 1M
	holds 2 /dev/mapper/r_1 0 1M
}

t_activated_under_load_is_consistent()
{
	local i

	raise_stage 4 8M 60 90
	start_writers 16
	for ((i = 1; i <= 5; i++)); do
		snapshot "r$i" --wait Inactive "${SOURCES[@]}"
	done
	for ((i = 1; i <= 5; i++)); do
		before "r$i"
		cohortctl activate "r$i" >/dev/null
		after "r$i"
		is_consistent "r$i"
	done
	is_consistent r1
	stop_writers
}

t_prepared_one_is_kept_over_a_restart()
{
	raise_stage 2 8M
	snapshot r --wait Inactive m1 m2
	cohortctl detach m1
	cohortctl detach m2
	cohortctl pool close p
	cohortctl pool open "$DISK1"
	same "$(show r CopyState)" Inactive
	refuse -m 'm1.*not attached' cohortctl activate r
	same "$(show r CopyState)" Inactive
	attach_again m1 "$SLICE1"
	attach_again m2 "$SLICE2"
	put 1 /dev/mapper/m2 0 1M
	cohortctl activate r
	put 2 /dev/mapper/m2 0 1M
	holds 1 /dev/mapper/r_2 0 1M
}

t_prepared_one_can_be_deleted()
{
	raise_stage 1 8M
	snapshot r --wait Inactive m1
	drop r
	same "$(relationships)" ""
}

t_activated_twice_is_refused()
{
	raise_stage 1 8M
	snapshot r --wait Inactive m1
	cohortctl activate r
	refuse -m r cohortctl activate r
	same "$(show r CopyState)" Synchronized
}

run_tests "$@"
