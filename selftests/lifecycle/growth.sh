#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks that grow below a source or a pool: nothing changes, snapshots stay right.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

grow()
{
	dmsetup load "$1" --table "0 $(sectors "$3") linear $2 0"
	dmsetup resume "$1"
	same "$(sectors_of "/dev/mapper/$1")" "$(sectors "$3")" "size of $1"
}

t_disk_of_a_source_grows()
{
	local n

	raise_stage 1 8M
	n=$(sectors 8M)
	put 1 /dev/mapper/m1 0 8M
	snapshot r m1
	grow slice1 "$DISK2" 16M
	same "$(sectors_of /dev/mapper/m1)" "$n" "size of the source"
	refuse dmsetup load m1 --table "$(dmsetup table m1 | sed "s/^0 $n/0 $((2 * n))/")"
	put 2 /dev/mapper/m1 0 8M
	holds 1 /dev/mapper/r_1 0 8M
	snapshot s m1
	put 3 /dev/mapper/m1 4M 4M
	holds 2 /dev/mapper/s_1 0 8M
	grow slice1 "$DISK2" 8M
}

t_disk_of_a_pool_grows()
{
	make_slices 1 16M "$DISK2"
	dmsetup create low --table "0 $(sectors 64M) linear $DISK1 0"
	defer remove_dm low
	make_pool /dev/mapper/low
	attach m1 "$SLICE1"
	put 1 /dev/mapper/m1 0 16M
	snapshot r m1
	grow low "$DISK1" 128M
	put 2 /dev/mapper/m1 0 8M
	dmsetup suspend p
	dmsetup resume p
	put 2 /dev/mapper/m1 8M 8M
	holds 1 /dev/mapper/r_1 0 16M
	cohortctl detach m1
	cohortctl pool close p
	cohortctl pool open /dev/mapper/low
	attach_again m1 "$SLICE1"
	holds 1 /dev/mapper/r_1 0 16M
}

t_source_whose_disk_grew_while_detached()
{
	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 8M
	snapshot r m1
	cohortctl detach m1
	grow slice1 "$DISK2" 16M
	if cohortctl attach --pool p m1 "$SLICE1" 2>words; then
		same "$(sectors_of /dev/mapper/m1)" "$(sectors 8M)" "size of the source"
	else
		grep -E 'm1|size' words
		grow slice1 "$DISK2" 8M
		cohortctl attach --pool p m1 "$SLICE1"
	fi
	put 2 /dev/mapper/m1 0 8M
	holds 1 /dev/mapper/r_1 0 8M
}

run_tests "$@"
