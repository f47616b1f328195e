#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A cut that goes, or that never was recorded, takes nothing from the others.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

M1=/dev/mapper/m1

# What is overwritten behind the newer cut is kept once, under its number.
t_newer_one_leaves_the_older_one_whole()
{
	raise_stage 1 8M
	put 1 $M1 0 8M
	snapshot a m1
	snapshot b m1
	put 2 $M1 0 4M
	drop b
	holds 1 /dev/mapper/a_1 0 8M
	put 3 $M1 0 8M
	holds 1 /dev/mapper/a_1 0 8M
}

t_one_between_leaves_both_sides_whole()
{
	raise_stage 1 8M
	put 1 $M1 0 8M
	snapshot a m1
	put 2 $M1 0 2M
	snapshot b m1
	put 3 $M1 0 4M
	snapshot c m1
	put 4 $M1 0 6M
	drop b
	holds 1 /dev/mapper/a_1 0 8M
	holds 3 /dev/mapper/c_1 0 4M
	drop a
	holds 3 /dev/mapper/c_1 0 4M
	holds 1 /dev/mapper/c_1 4M 4M
}

# The power goes when a cut has flipped and waits, and writes behind it have been kept for it.
t_one_that_was_never_recorded_leaves_the_older_one_whole()
{
	local cut

	make_slices 2 8M "$DISK2"
	make_small_pool 48M
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	put 1 $M1 0 8M
	snapshot a m1 m2
	dmsetup suspend --noflush --nolockfs slice2
	defer dmsetup resume slice2
	put 2 /dev/mapper/m2 0 64K &
	wait_for 20 has_writes_inside m2
	snapshot b m1 m2 &
	cut=$!
	wait_for 20 has_newer_cut
	put 2 $M1 0 4M
	freeze /dev/mapper/store "$SLICE1"
	dmsetup resume slice2
	wait $cut
	holds 1 /dev/mapper/b_1 0 8M
	restart_from_the_frozen
	refuse cohortctl show b
	holds 1 /dev/mapper/a_1 0 8M
	holds 2 $M1 0 4M
}

has_newer_cut() { (($(newest_cut m1) > $(show a Epoch))); }

restart_from_the_frozen()
{
	drop b
	drop a
	cohortctl detach m1
	cohortctl detach m2
	cohortctl pool close p
	thaw /dev/mapper/store "$SLICE1"
	cohortctl pool open /dev/mapper/store
	attach_again m1 "$SLICE1"
	attach_again m2 "$SLICE2"
}

run_tests "$@"
