#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks that can be no member or pool are refused in one line that names them, and nothing changes.
# guest: disks=4 size=64M timeout=600
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# unchanged WORDS COMMAND...: refused, and everything is as it was.
unchanged()
{
	local before

	before=$(cohortctl list --json 2>&1; dmsetup table)
	refuse -m "$@"
	same "$(grep -c . <<<"$REFUSED_OUTPUT")" 1 "lines of the refusal"
	same "$(cohortctl list --json 2>&1; dmsetup table)" "$before" "state"
}

t_mounted_device()
{
	mkfs.ext4 -q "$DISK2"
	mkdir mnt
	mount "$DISK2" mnt
	defer umount mnt
	unchanged "$DISK2.*(mounted|in use)" cohortctl pool create --force p "$DISK2"
	make_pool
	unchanged "$DISK2.*(mounted|in use)" cohortctl attach --pool p m1 "$DISK2"
}

t_device_of_another_dm_device()
{
	make_slices 1 16M "$DISK2"
	make_pool
	unchanged "$DISK2.*in use" cohortctl attach --pool p m1 "$DISK2"
}

t_foreign_signature_on_the_pool_device()
{
	mkfs.ext4 -q "$DISK1"
	unchanged "$DISK1.*ext4" cohortctl pool create p "$DISK1"
	blkid -p "$DISK1" | grep -q ext4 || fail "the refused create has touched the device"
	make_pool
}

# A pool that is not open.
make_closed_pool()
{
	cohortctl pool create --force p "$DISK1" >/dev/null
	cohortctl pool close p >/dev/null
	defer dd if=/dev/zero of="$DISK1" bs=1M count=2 conv=fsync status=none
}

scratch() { printf 'X' | dd of="$DISK1" bs=1 seek="$1" conv=notrunc status=none; }

t_no_pool_and_a_damaged_one()
{
	unchanged "$DISK2.*no cohort pool" cohortctl pool open "$DISK2"
	make_closed_pool
	scratch 4200
	scratch $((1024 * 1024 + 104))
	unchanged "$DISK1.*damaged" cohortctl pool open "$DISK1"
}

t_one_superblock_is_enough()
{
	make_closed_pool
	scratch 4200
	cohortctl pool open "$DISK1" >/dev/null
	cohortctl pool close p >/dev/null
	scratch $((1024 * 1024 + 104))
	cohortctl pool open "$DISK1" >/dev/null
	cohortctl pool close p >/dev/null
}

# A bit of the incompat word, with the right checksum: a pool of the future.
t_pool_with_a_feature_of_the_future()
{
	make_closed_pool
	poolbit compat "$DISK1"
	cohortctl pool open "$DISK1" >/dev/null
	cohortctl pool close p >/dev/null
	poolbit incompat "$DISK1"
	unchanged "$DISK1.*features" cohortctl pool open "$DISK1"
}

t_disk_of_the_pool_as_member()
{
	make_pool
	unchanged "$DISK1" cohortctl attach --pool p m1 "$DISK1"
	unchanged 'p' cohortctl attach --pool p m1 /dev/mapper/p
}

t_disk_smaller_than_a_chunk()
{
	make_slices 1 16M "$DISK2"
	cohortctl pool create --force --chunk 64K p "$DISK1" >/dev/null
	defer strike_stage
	dmsetup create tiny --table "0 64 linear /dev/mapper/slice1 0"
	defer remove_dm tiny
	unchanged 'smaller than a chunk' cohortctl attach --pool p m1 /dev/mapper/tiny
}

t_read_only_disk()
{
	make_pool
	blockdev --setro "$DISK2"
	defer blockdev --setrw "$DISK2"
	unchanged 'read-only' cohortctl attach --pool p m1 "$DISK2"
}

t_zoned_disk()
{
	modprobe null_blk nr_devices=0
	make_null 1 64 zoned=1 zone_size=4 || skip "null_blk has no zones here"
	make_pool
	unchanged 'zoned' cohortctl attach --pool p m1 /dev/cnull1
}

t_disk_with_integrity()
{
	local disk

	modprobe sd_mod
	modprobe scsi_debug dev_size_mb=64 dif=1 dix=1 || skip "no scsi_debug"
	defer wait_for 20 rmmod scsi_debug
	wait_for 20 compgen -G '/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*'
	disk=$(compgen -G '/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*')
	disk=/dev/${disk##*/}
	wait_for 20 test -b "$disk"
	make_pool
	unchanged 'integrity' cohortctl attach --pool p m1 "$disk"
}

t_members_of_different_pools()
{
	make_pool
	cohortctl pool create --force q "$DISK4" >/dev/null
	defer cohortctl pool remove q
	attach m1 "$DISK2"
	cohortctl attach --pool q n1 "$DISK3" >/dev/null
	defer cohortctl detach --forget n1
	unchanged 'n1|pool' cohortctl replicate --type snapshot --name r m1 n1
}

t_two_members_the_same()
{
	make_pool
	attach m1 "$DISK2"
	unchanged 'm1' cohortctl replicate --type snapshot --name r m1 m1
	unchanged 'm1' cohortctl group create g m1 m1
}

t_names_that_are_taken_or_wrong()
{
	make_pool
	attach m1 "$DISK2"
	snapshot r m1
	unchanged 'r' cohortctl replicate --type snapshot --name r m1
	unchanged 'p' cohortctl pool create --force p "$DISK3"
	unchanged 'nobody' cohortctl replicate --type snapshot --name s nobody
	unchanged 'nothing' cohortctl group delete nothing
	unchanged 'name' cohortctl attach --pool p 'a b' "$DISK3"
}

t_module_that_is_not_there()
{
	rmmod dm_cohort
	defer modprobe dm_cohort
	# else the family's alias brings it back
	defer sh -c "echo $(</proc/sys/kernel/modprobe) >/proc/sys/kernel/modprobe"
	echo /bin/false >/proc/sys/kernel/modprobe
	refuse -m 'module' cohortctl list
	same "$(grep -c . <<<"$REFUSED_OUTPUT")" 1 "lines of the refusal"
}

run_tests
