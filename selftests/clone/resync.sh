#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Resync: another cut in place of the one that a snapshot or a clone has; of a clone only what differs is written.
# guest: disks=4 size=256M timeout=600
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"
. "$(dirname "$0")/stage.sh"

S1=/dev/mapper/s_1
S2=/dev/mapper/s_2
M=$((1 << 20))

# Bytes that were written to a device-mapper device.
written_to()
{
	awk '{ print $7 * 512 }' \
		"/sys/class/block/$(dmsetup info -c --noheadings -o blkdevname "$1")/stat"
}

t_snapshot_has_another_cut_and_its_old_one_is_gone()
{
	local before

	raise_stage 2 16M
	put 1 $M1 0 16M
	put 1 $M2 0 16M
	snapshot s m1 m2
	before=$(show s Epoch)
	put 2 $M1 0 4M
	holds 1 $S1 0 16M
	exec 7<$S2
	refuse -m 'in use|open' cohortctl resync s
	exec 7<&-
	holds 1 $S1 0 16M
	cohortctl resync s
	[[ $(show s Epoch) -gt $before ]] || fail "it has the cut that it had"
	same "$(show s SpaceConsumed)" 0 "space"
	put 3 $M1 2M 4M
	put 3 $M2 0 1M
	for i in 1 2; do
		holds 2 $S1 0 4M
		holds 1 $S1 4M 12M
		holds 1 $S2 0 16M
		restart
	done
	drop s
}

t_what_was_written_to_an_image_is_gone_behind_a_resync()
{
	raise_stage 1 8M
	put 1 $M1 0 8M
	snapshot s --writable m1
	put 5 $S1 0 1M
	is_state_of s Skewed
	put 2 $M1 4M 1M
	cohortctl resync s
	is_state_of s Synchronized
	holds 1 $S1 0 4M
	holds 2 $S1 4M 1M
	restart
	is_state_of s Synchronized
	holds 1 $S1 0 4M
	drop s
}

is_state_of() { [[ $(state_of "$1") == "$2" ]] || fail "$1 is $(state_of "$1")"; }

t_broken_snapshot_is_whole_behind_a_resync()
{
	make_slices 1 32M "$DISK2"
	make_small_pool 16M
	attach m1 /dev/mapper/slice1
	put 1 $M1 0 32M
	snapshot s m1
	put 2 $M1 0 32M
	is_state_of s Broken
	cohortctl resync s
	is_state_of s Synchronized
	put 3 $M1 0 1M
	holds 2 $S1 0 32M
	drop s
}

t_old_cut_stays_when_there_can_be_no_new_one()
{
	raise_stage 2 8M
	put 1 $M1 0 8M
	snapshot s m1 m2
	put 2 $M1 0 1M
	cohortctl detach m2
	refuse -m 'm2' cohortctl resync s
	is_state_of s Synchronized
	holds 1 $S1 0 8M
	attach_again m2 /dev/mapper/slice2
	drop s
}

t_clone_is_copied_again_where_it_differs()
{
	local before

	raise_quick 1 32M
	put 1 $M1 0 32M
	clone_of Synchronized m1
	put 2 $M1 3M 1M
	put 9 $C1 $((20 * M + 512)) 60K
	before=$(written_to $T1)
	cohortctl resync c --wait Synchronized
	cmp $M1 $C1
	note "$(($(written_to $T1) - before)) bytes were written"
	(($(written_to $T1) - before <= M + 65536)) || fail "more was written than what differs"
	(($(written_to $T1) - before >= M + 61440)) || fail "less was written than what differs"
	cohortctl detach c
	cmp $M1 $T1
}

t_clone_that_is_being_copied_again_is_used_and_restarted()
{
	raise_quick 1 16M
	put 1 $M1 0 16M
	clone_of Synchronized m1
	copy_slowly
	put 2 $M1 0 16M
	cohortctl resync c
	put 7 $C1 9M 64K
	put 3 $M1 0 4M
	holds 2 $C1 0 9M
	holds 7 $C1 9M 64K
	sync $C1
	restart
	holds 2 $C1 0 9M
	holds 7 $C1 9M 64K
	whole
	holds 2 $T1 0 9M
	holds 7 $T1 9M 64K
	holds 2 $T1 $((9 * M + 65536)) $((7 * M - 65536))
}

t_copy_that_was_given_up_begins_anew()
{
	raise_slow 1 16M
	put 1 $M1 0 16M
	clone_of Unsynchronized m1
	put 7 $C1 9M 64K
	cohortctl abort c
	copy_quickly
	cohortctl resync c --wait Synchronized
	holds 1 $T1 0 16M
}

run_tests "$@"
