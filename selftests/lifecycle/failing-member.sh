#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A member's disk that fails: the cut stops or goes on without it, the others never notice.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

break_slice()
{
	dmsetup load "$1" --table "0 $(sectors_of "/dev/mapper/$1") error"
	dmsetup resume "$1"
}

# A disk that takes no write and no flush. The error target would do nothing at
# all for a flush, and so let it succeed. fail_writes SLICE OFFSET-IN-SLICES
fail_writes()
{
	local n

	modprobe dm-flakey
	n=$(sectors_of "/dev/mapper/$1")
	dmsetup load "$1" --table "0 $n flakey $DISK2 $((n * $2)) 0 3600 1 error_writes"
	dmsetup resume "$1"
}

# repair SLICE OFFSET-IN-SLICES
repair()
{
	local n

	n=$(sectors_of "/dev/mapper/$1")
	dmsetup load "$1" --table "0 $n linear $DISK2 $((n * $2))"
	dmsetup resume "$1"
}

raise()
{
	local m

	raise_stage 3 8M
	for m in m1 m2 m3; do
		put 1 "/dev/mapper/$m" 0 1M
	done
}

t_cut_stops_and_leaves_nothing()
{
	raise
	defer repair slice2 1
	fail_writes slice2 1
	refuse -m 'm2' cohortctl replicate --type snapshot --name r m1 m2 m3
	note "$REFUSED_OUTPUT"
	same "$(relationships)" "" "relationships left"
	has_cut m1 && fail "m1 protects a cut that was undone"
	put 2 /dev/mapper/m1 0 1M
	repair slice2 1
	snapshot r m1 m2 m3
	put 3 /dev/mapper/m1 0 1M
	holds 2 /dev/mapper/r_1 0 1M
	holds 1 /dev/mapper/r_2 0 1M
}

t_cut_goes_on_without_the_member()
{
	raise
	defer repair slice2 1
	fail_writes slice2 1
	cohortctl replicate --type snapshot --name r --set OnGroupOrListError=Continue \
		m1 m2 m3 || note "exit status $?"
	same "$(cohortctl show r --json | sed -n '/"Members"/,$ s/^ *"CopyState": "\(.*\)".*/\1/p' |
		paste -s -d ' ')" "Synchronized Broken Synchronized" "states of members"
	put 2 /dev/mapper/m1 0 1M
	put 2 /dev/mapper/m3 0 1M
	holds 1 /dev/mapper/r_1 0 1M
	holds 1 /dev/mapper/r_3 0 1M
	repair slice2 1
	has_cut m2 && fail "m2 protects a cut it is not in"
	drop r
	same "$(relationships)" ""
}

# Its overwrites fail, as they would without us; the image keeps what it has.
t_failed_disk_spares_what_was_preserved()
{
	raise
	snapshot r m1 m2 m3
	put 2 /dev/mapper/m2 0 512K
	defer repair slice2 1
	break_slice slice2
	refuse put 3 /dev/mapper/m2 4M 64K
	holds 1 /dev/mapper/r_2 0 512K
	refuse holds 1 /dev/mapper/r_2 768K 64K
	put 2 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/r_1 0 1M
	repair slice2 1
	holds 1 /dev/mapper/r_2 0 1M
	put 4 /dev/mapper/m2 0 1M
	holds 1 /dev/mapper/r_2 0 1M
}

# Eight bad sectors: the write beside them goes on, the image misses no more than they hold.
t_old_chunk_that_can_not_be_read_whole()
{
	local n bad

	raise
	snapshot r m1 m2 m3
	n=$(sectors 8M)
	bad=$(sectors 256K)
	defer repair slice2 1
	dmsetup load slice2 --table "0 $bad linear $DISK2 $n
		$bad 1 error
		$((bad + 1)) $((n - bad - 1)) linear $DISK2 $((n + bad + 1))"
	dmsetup resume slice2
	dd if=/dev/zero of=/dev/mapper/m2 bs=512 seek=$((bad + 1)) count=1 oflag=direct status=none
	dd if=/dev/zero of=/dev/mapper/m2 bs=512 seek=$((bad + 5)) count=1 oflag=direct status=none
	holds 1 /dev/mapper/r_2 0 256K
	holds 1 /dev/mapper/r_2 $((256 * 1024 + 512)) $((768 * 1024 - 512))
	refuse dd if=/dev/mapper/r_2 of=/dev/null bs=512 skip="$bad" count=1 iflag=direct
	repair slice2 1
	refuse dd if=/dev/mapper/r_2 of=/dev/null bs=512 skip="$bad" count=1 iflag=direct
	holds 1 /dev/mapper/r_2 0 256K
}

run_tests "$@"
