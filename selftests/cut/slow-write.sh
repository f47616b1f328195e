#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A write that takes seconds on a disk that answers reads and flushes at once: it is in the cut that came behind it.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

M1=/dev/mapper/m1
WRITE_SECONDS=4

raise()
{
	raise_stage 2 8M $((WRITE_SECONDS * 1000)):0
	# below the delay, so that it is there at once
	put 1 "$SLICE1" 0 1M
	put 2 $M1 0 64K &
	WRITE=$!
	wait_for 20 has_writes_inside m1
}

t_reply_comes_when_it_has_ended()
{
	raise
	snapshot r m1 m2
	same "$(writes_inside m1)" 0 "writes under way"
	holds 2 /dev/mapper/r_1 0 64K
	wait $WRITE
}

# Kept for the cut when the slow one has ended: before, the old content is not there yet.
t_later_write_to_its_region_is_not_in_the_cut()
{
	local cut later

	raise
	snapshot r m1 m2 &
	cut=$!
	wait_for 20 has_cut m1
	put 4 $M1 0 64K &
	later=$!
	wait $WRITE
	wait $cut
	holds 2 /dev/mapper/r_1 0 64K
	wait $later
	holds 2 /dev/mapper/r_1 0 64K
	holds 4 $M1 0 64K
}

run_tests "$@"
