#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A reload to a table that is wrong is refused, and what was there goes on.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

raise()
{
	raise_stage 2 8M
	put 1 /dev/mapper/m1 0 1M
	put 1 /dev/mapper/m2 0 1M
	snapshot r m1 m2
}

# As it was: both sources and images work, the next cut too.
goes_on()
{
	put 2 /dev/mapper/m1 0 1M
	put 3 /dev/mapper/m2 0 1M
	holds 1 /dev/mapper/r_1 0 1M
	holds 1 /dev/mapper/r_2 0 1M
	snapshot s m1 m2
	put 4 /dev/mapper/m1 0 1M
	holds 2 /dev/mapper/s_1 0 1M
}

# refused WORDS DEVICE TABLE: not taken, neither at load nor at resume.
refused()
{
	local words=$1 device=$2 table=$3 live status=0

	live=$(dmsetup table "$device")
	kernel_log_mark "wrong table for $device"
	dmsetup load "$device" --table "$table" 2>load.err || status=$?
	if [[ $status -eq 0 ]]; then
		dmsetup resume "$device" 2>load.err && fail "taken: $table"
		dmsetup load "$device" --table "$live"
		dmsetup resume "$device"
	fi
	same "$(dmsetup table "$device")" "$live" "table of $device"
	dmesg | awk '/cohort-test: wrong table/ { seen = "" } { seen = seen $0 "\n" }
		END { printf "%s", seen }' >said
	grep -qE "$words" said || fail "refused without '$words': $(cat said load.err)"
}

t_source_tables()
{
	local pool n

	raise
	n=$(sectors 8M)
	pool=$(stat -c '%Hr:%Lr' "$(readlink -f /dev/mapper/p)")
	refused 'attached as another device' m1 "0 $n cohort-source $pool m2 $SLICE1"
	refused 'no source "nobody"' m1 "0 $n cohort-source $pool nobody $SLICE1"
	refused "has $n sectors" m1 "0 $((n / 2)) cohort-source $pool m1 $SLICE1"
	refused 'is no active pool' m1 "0 $n cohort-source $DISK3 m1 $SLICE1"
	refused 'three arguments' m1 "0 $n cohort-source $pool m1"
	refused 'can not be opened' m1 "0 $n cohort-source $pool m1 /dev/nothing"
	goes_on
}

t_image_tables()
{
	local pool n

	raise
	n=$(sectors 8M)
	pool=$(stat -c '%Hr:%Lr' "$(readlink -f /dev/mapper/p)")
	refused 'is not the disk of source' r_1 "0 $n cohort-replica $pool r 1 $SLICE2"
	refused 'has 2 members' r_1 "0 $n cohort-replica $pool r 3 $SLICE1"
	refused 'not a number from 1' r_1 "0 $n cohort-replica $pool r 0 $SLICE1"
	refused 'no relationship "nothing"' r_1 "0 $n cohort-replica $pool nothing 1 $SLICE1"
	refused "has $n sectors" r_1 "0 $((n * 2)) cohort-replica $pool r 1 $SLICE1"
	goes_on
}

t_pool_tables()
{
	local n

	raise
	n=$(sectors_of "$DISK1")
	head -c 1M /dev/urandom | dd of="$DISK3" conv=fsync status=none
	refused 'p:' p "0 $n cohort-pool $DISK3"
	refused 'one argument' p "0 $n cohort-pool $DISK1 $DISK3"
	cohortctl pool create other "$DISK4"
	cohortctl pool close other
	refused 'holds another pool' p "0 $n cohort-pool $DISK4"
	goes_on
}

# The tool's own refusals, next to the targets'.
t_target_of_a_pool_that_is_damaged()
{
	cohortctl pool create q "$DISK3"
	cohortctl pool close q
	dd if=/dev/zero of="$DISK3" bs=4K count=512 conv=fsync status=none
	refuse dmsetup create q --table "0 $(sectors_of "$DISK3") cohort-pool $DISK3"
	dmsetup remove q 2>/dev/null || true
	refuse cohortctl pool open "$DISK3"
}

run_tests "$@"
