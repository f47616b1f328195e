#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk fails in each phase of a cut, a member's or the pool's: the cut is there or not, and I/O goes on.
# guest: disks=4 size=1G timeout=1200 kernel=debug,6.12
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# Members' disks and the pool's; the kernel that looks at everything takes its time for each.
TRIALS=(140 30)
[[ $COHORT_KERNEL != debug ]] || TRIALS=(20 10)

# From 50 ms on, as in make_slow().
DELAY=50

# What the disks below do at once takes its time above them, so that a fault meets what is under way.
raise()
{
	modprobe dm-delay
	dmsetup create store --table "0 $(sectors 64M) linear $DISK1 0"
	defer remove_dm store
	dmsetup create slowstore --table "0 $(sectors 64M) delay /dev/mapper/store 0 0 \
		/dev/mapper/store 0 $DELAY"
	defer remove_dm slowstore
	make_slices 3 2M "$DISK2"
	make_slow 3 "$DELAY"
	make_pool /dev/mapper/slowstore
	for i in 1 2 3; do
		attach "m$i" "/dev/mapper/slow$i"
	done
}

# fails WHAT TRIALS: and what is left is a stage on which all works.
fails()
{
	raise
	faultcut "$1" "$2" "${COHORT_SEED:-$RANDOM}" 3 >out || fail "$(grep -v consistent out)"
	grep -v consistent out
	has_cut m1 && fail "m1 protects a cut that is gone"
	put 1 /dev/mapper/m1 0 1M
	snapshot after m1 m2 m3
	put 2 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/after_1 0 1M
	same "$(open_eras m1)" 1 "open eras"
}

t_members_fail()
{
	fails members "${TRIALS[0]}"
	grep -q ': refused' out || fail "no cut has met a fault"
}

t_the_pool_fails()
{
	fails pool "${TRIALS[1]}"
	grep -q ': refused' out || fail "no cut has met a fault"
	grep -q ': taken' out || fail "no pool has failed behind a cut"
}

run_tests "$@"
