#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Clones that are hurt: images that can not be read, targets that can not be written, pools that are full or fail.
# guest: disks=4 size=256M timeout=900
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"
. "$(dirname "$0")/stage.sh"

M=$((1 << 20))

# make_sick NAME DEVICE FROM COUNT: NAME is DEVICE but for COUNT sectors from FROM on, which give EIO.
make_sick()
{
	local size

	size=$(sectors_of "$2")
	dmsetup create "$1" ${5:+--uuid "$5"} <<-END
		0 $3 linear $2 0
		$3 $4 error
		$(($3 + $4)) $((size - $3 - $4)) linear $2 $(($3 + $4))
	END
	defer remove_dm "$1"
}

# heal NAME DEVICE: without the hole, live.
heal()
{
	dmsetup suspend --noflush --nolockfs "$1"
	dmsetup load "$1" --table "0 $(sectors_of "$2") linear $2 0"
	dmsetup resume "$1"
}

copy_job_failed() { cohortctl job list | grep -q 'Exception'; }

t_what_can_not_be_read_stays_the_images_and_is_told()
{
	make_slices 1 16M "$DISK2"
	make_targets 1 16M
	put 1 /dev/mapper/slice1 0 16M
	make_sick ill1 /dev/mapper/slice1 "$(sectors 5M)" 8
	make_pool
	attach m1 /dev/mapper/ill1
	clone_of Unsynchronized m1
	wait_for 60 copy_job_failed
	is_in_state c Unsynchronized || fail "it is $(state_of c)"
	[[ $(show c BytesUnreadable) -ge 4096 ]] || fail "nothing is said to be unreadable"
	same "$(show c BytesCopied)" $((16 * M - $(show c BytesUnreadable))) "copied"
	holds 1 $C1 0 5M
	refuse dd if=$C1 of=/dev/null bs=4K skip=$((5 * M / 4096)) count=1 iflag=direct
	put 7 $C1 5M 64K
	holds 7 $C1 5M 64K
	heal ill1 /dev/mapper/slice1
	cohortctl suspend c
	cohortctl resume c --wait Synchronized
	holds 7 $T1 5M 64K
	holds 1 $T1 $((5 * M + 65536)) $((11 * M - 65536))
}

t_target_that_can_not_be_written_fails_the_copy_and_not_the_source()
{
	make_slices 1 16M "$DISK2"
	make_targets 1 16M
	put 1 /dev/mapper/slice1 0 16M
	make_sick bad1 $T1 "$(sectors 5M)" 8 TARGET-bad
	make_pool
	attach m1 /dev/mapper/slice1
	cohortctl replicate --type clone --name c --force --wait Unsynchronized \
		--target /dev/mapper/bad1 m1
	defer drop_clone
	wait_for 60 copy_job_failed
	is_in_state c Unsynchronized || fail "it is $(state_of c)"
	holds 1 $C1 0 16M
	put 2 $M1 0 16M
	holds 1 $C1 0 16M
	heal bad1 $T1
	cohortctl suspend c
	cohortctl resume c --wait Synchronized
	holds 1 $T1 0 16M
}

t_full_pool_breaks_snapshots_first_and_a_clone_keeps_what_it_has()
{
	make_targets 1 32M
	make_slices 1 32M "$DISK2"
	copy_slowly
	make_small_pool 16M
	attach m1 /dev/mapper/slice1
	put 1 /dev/mapper/slice1 0 32M
	snapshot s m1
	clone_of Unsynchronized m1
	cohortctl suspend c
	put 5 $C1 20M 1M
	put 2 $M1 0 8M
	put 2 $M1 8M 24M
	is_in_state s Broken || fail "the snapshot is $(state_of s)"
	is_in_state c Broken || fail "the clone is $(state_of c)"
	holds 5 $C1 20M 1M
	refuse dd if=$C1 of=/dev/null bs=4K skip=7000 count=1 iflag=direct
	put 6 $C1 30M 64K
	holds 6 $C1 30M 64K
	sync $C1
	refuse cohortctl resume c
	restart /dev/mapper/store
	is_in_state c Broken || fail "the clone is $(state_of c)"
	holds 5 $C1 20M 1M
	holds 6 $C1 30M 64K
	refuse -m force cohortctl detach c
	cohortctl detach c --force
	holds 5 $T1 20M 1M
}

t_clone_that_is_whole_outlives_its_pools_failure()
{
	raise_quick 1 16M
	put 1 $M1 0 16M
	clone_of Synchronized m1
	put 2 $M1 0 16M
	holds 1 $C1 0 16M
	cohortctl detach m1
	holds 1 $C1 0 16M
	put 3 $C1 0 1M
	attach_again m1 /dev/mapper/slice1
	holds 3 $C1 0 1M
	holds 2 $M1 0 16M
}

copy_jobs() { cohortctl job list | grep -c CopyReplica || true; }

t_member_that_fails_leaves_a_clone_that_is_mixed_and_can_be_detached()
{
	local before

	before=$(copy_jobs)
	raise_slow 2 16M
	put 1 $M1 0 16M
	put 2 $M2 0 16M
	clone_of Unsynchronized m1 m2
	cohortctl suspend c
	cohortctl detach m2
	put 9 /dev/mapper/slice2 0 1M
	cohortctl attach --pool p --force m2 /dev/mapper/slice2 || true
	is_in_state c Mixed || fail "it is $(state_of c)"
	[[ $(copy_jobs) -lt $((before + 6)) ]] || fail "jobs follow each other"
	cohortctl detach c --force
	holds 1 $M1 0 16M
}

run_tests "$@"
