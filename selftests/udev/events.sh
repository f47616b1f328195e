#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pools, sources and images as udev sees them, and an event of the module that starts a unit.
# guest: disks=3 size=64M timeout=450 udev
# shellcheck disable=SC2317 # cases are called by run_tests

. "$(dirname "$0")/../lib.sh"

FS_UUID=0c0407d5-6b1a-4c53-9f0e-6a8f3f7f9c12
BY_UUID=/dev/disk/by-uuid/$FS_UUID

settle() { udevadm settle --timeout=30; }

property() { udevadm info -q property "$1" | sed -n "s/^$2=//p"; }

node_of() { basename "$(readlink -f "$1")"; }

# The rules name the installed tool; here it is the one of the tree.
use_tool() { ln -sfn "$(command -v cohortctl)" /usr/sbin/cohortctl; }

change() { udevadm trigger --settle --action=change "/sys/class/block/$(node_of "$1")"; }

make_pool()
{
	use_tool
	cohortctl pool create p "$DISK1"
	defer cohortctl pool remove p
	settle
}

make_source()
{
	mkfs.ext4 -q -F -U "$FS_UUID" "$DISK2"
	defer wipefs -qa "$DISK2"
	cohortctl attach --pool p app "$DISK2"
	defer cohortctl detach --forget app
	settle
}

make_snapshot()
{
	cohortctl replicate --type snapshot --name r "$@" app
	defer cohortctl delete r
	settle
}

# The unit is not started, there is no systemd: what would be started is kept.
catch_units()
{
	cat >/run/systemctl <<-'END'
		#!/bin/sh
		echo "$*" >>/run/systemctl.log
	END
	chmod +x /run/systemctl
	: >/run/systemctl.log
	mount --bind /run/systemctl /usr/bin/systemctl
	defer umount /usr/bin/systemctl
}

t_disk_of_a_pool_is_known()
{
	local uuid

	make_pool
	change "$DISK1"
	uuid=$(cohortctl pool list --json | jq -r '.pools[0].PoolID')
	same "$(property "$DISK1" ID_FS_TYPE)" cohort_pool ID_FS_TYPE
	same "$(property "$DISK1" ID_FS_USAGE)" raid ID_FS_USAGE
	same "$(property "$DISK1" ID_FS_UUID)" "$uuid" ID_FS_UUID
	same "$(property "$DISK1" ID_FS_LABEL)" p ID_FS_LABEL
	same "$(node_of "/dev/disk/by-id/cohort-pool-$uuid")" "$(node_of "$DISK1")" "by-id link"
}

t_disk_of_a_removed_pool_is_blank()
{
	use_tool
	cohortctl pool create p "$DISK1"
	change "$DISK1"
	same "$(property "$DISK1" ID_FS_TYPE)" cohort_pool "ID_FS_TYPE before"
	cohortctl pool remove p
	settle
	change "$DISK1"
	same "$(property "$DISK1" ID_FS_TYPE)" "" ID_FS_TYPE
}

t_source_takes_the_links_of_its_disk()
{
	make_pool
	make_source
	same "$(node_of "$BY_UUID")" "$(node_of /dev/mapper/app)" "$BY_UUID"
	same "$(property "$DISK2" SYSTEMD_READY)" 0 SYSTEMD_READY
}

t_image_is_hidden_unless_wanted()
{
	make_pool
	make_source
	make_snapshot
	same "$(property /dev/mapper/r_1 DM_NAME)" r_1 "DM_NAME of a hidden image"
	same "$(property /dev/mapper/r_1 ID_FS_UUID)" "" "ID_FS_UUID of a hidden image"
	same "$(node_of "$BY_UUID")" "$(node_of /dev/mapper/app)" "$BY_UUID"
}

t_visible_image_leaves_the_links_on_the_source()
{
	make_pool
	make_source
	make_snapshot --target-setting UdevVisible=true
	same "$(property /dev/mapper/r_1 ID_FS_UUID)" "$FS_UUID" "ID_FS_UUID of a visible image"
	same "$(node_of "$BY_UUID")" "$(node_of /dev/mapper/app)" "$BY_UUID"
	change /dev/mapper/r_1
	same "$(node_of "$BY_UUID")" "$(node_of /dev/mapper/app)" "$BY_UUID"
}

t_event_starts_the_policy_unit()
{
	make_pool
	make_source
	catch_units
	make_snapshot
	wait_for 20 grep -qx -- \
		'--no-block start cohort-policy@relationship\\x2dsynchronized:r.service' \
		/run/systemctl.log
}

# extends_by_itself: a hook of the policy that grows the pool's device and extends the pool.
extends_by_itself()
{
	mkdir hooks
	cat >hooks/extend <<-END
		#!/bin/bash
		[[ \$1 == pool-low ]] || exit 0
		dmsetup load low --table "0 $(sectors 60M) linear $DISK1 0" && dmsetup resume low &&
			cohortctl pool extend "\$2"
	END
	chmod +x hooks/extend
}

t_event_extends_a_pool()
{
	local unit='--no-block start cohort-policy@\(pool.*low:p\)\.service'

	use_tool
	dmsetup create low --table "0 $(sectors 32M) linear $DISK1 0"
	defer remove_dm low
	cohortctl pool create p /dev/mapper/low
	defer cohortctl pool remove p
	make_source
	extends_by_itself
	catch_units
	make_snapshot
	dd if=/dev/zero of=/dev/mapper/app bs=1M count=25 oflag=direct status=none
	wait_for 30 grep -q -- "$unit" /run/systemctl.log
	# what the unit starts, with what it is given
	COHORT_POLICY_DIR=hooks "$COHORT_TREE/systemd/cohort-policy" \
		"$(systemd-escape --unescape "$(sed -n "s/$unit/\1/p" /run/systemctl.log | head -n 1)")"
	cohortctl show p --json | grep -q "\"TotalManagedSpace\": \"*$((60 << 20))" ||
		fail "$(cohortctl show p)"
}

run_tests "$@"
