#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the queues of sources and images say: block sizes, stable writes, flushes.
# guest: disks=2 size=128M disk=64M,logical_block_size=4096,physical_block_size=4096 disk=128M,logical_block_size=4096,physical_block_size=4096 timeout=500
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

queue() { cat "/sys/dev/block/$(lsblk -dno MAJ:MIN "$1" | tr -d " ")/queue/$2"; }

t_writers_must_not_change_pages_under_way()
{
	raise_stage 1 8M
	same "$(queue /dev/mapper/m1 stable_writes)" 1 "stable writes"
}

t_flushes_reach_the_disk_also_before_the_first_snapshot()
{
	local before

	raise_stage 1 8M
	same "$(queue /dev/mapper/m1 write_cache)" "write back" "the source's cache"
	before=$(awk '{ print $16 }' "/sys/block/$(basename "$DISK2")/stat")
	dd if=/dev/zero of=/dev/mapper/m1 bs=4096 count=1 oflag=direct conv=fsync status=none
	[[ $(awk '{ print $16 }' "/sys/block/$(basename "$DISK2")/stat") -gt $before ]] ||
		fail "no flush reached the disk"
}

t_secure_erase_is_not_offered()
{
	raise_stage 1 8M
	refuse blkdiscard --secure /dev/mapper/m1
}

# Disks of 4096-byte sectors under sources, image and pool, with others of 512.
snapshot_on()
{
	cohortctl pool create --force p "$1" >/dev/null
	defer strike_stage
	attach m1 "$2"
	attach m2 "$3"
	put 1 /dev/mapper/m1 0 8M
	put 1 /dev/mapper/m2 0 8M
	snapshot r m1 m2
	put 2 /dev/mapper/m1 0 8M
	put 2 /dev/mapper/m2 4096 4M
	holds 1 /dev/mapper/r_1 0 8M
	holds 1 /dev/mapper/r_2 0 8M
	holds 2 /dev/mapper/m2 4096 4M
}

t_sources_of_4096_byte_sectors_and_a_pool_of_512()
{
	snapshot_on "$DISK1" "$DISK3" "$DISK2"
	same "$(queue /dev/mapper/m1 logical_block_size)" 4096 "sectors of the source"
	same "$(queue /dev/mapper/r_1 logical_block_size)" 4096 "sectors of its image"
	same "$(queue /dev/mapper/m2 logical_block_size)" 512 "sectors of the other source"
}

t_pool_of_4096_byte_sectors_and_a_source_of_512()
{
	snapshot_on "$DISK4" "$DISK2" "$DISK3"
	same "$(queue /dev/mapper/m1 logical_block_size)" 512 "sectors of the source"
}

run_tests
