#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The shipped udev rules: links stay on the live device, disks below sources and pools stay out of sight.
# guest: disks=3 size=64M timeout=450 udev
#
# The rules know devices by their DM UUIDs, so dm-linear devices with such UUIDs
# stand for sources, images and pools: what is tested is the rules.
# shellcheck disable=SC2317 # cases are called by run_tests

. "$(dirname "$0")/../lib.sh"

FS_UUID=0c0407d5-6b1a-4c53-9f0e-6a8f3f7f9c11
FS_LABEL=cohortlive
BY_UUID=/dev/disk/by-uuid/$FS_UUID
BY_LABEL=/dev/disk/by-label/$FS_LABEL

settle() { udevadm settle --timeout=30; }

# The rules name the installed tool; here it is the one of the tree.
use_tool() { ln -sfn "$(command -v cohortctl)" /usr/sbin/cohortctl; }

make_fs()
{
	mkfs.ext4 -q -F -U "$FS_UUID" -L "$FS_LABEL" "$1"
	defer settle
	defer wipefs -qa "$1"
	udevadm trigger --settle --action=change "/sys/class/block/${1##*/}"
}

# make_linear NAME UUID DISK [OPTION]
make_linear()
{
	dmsetup create "$1" --uuid "$2" "${@:4}" --table "0 $(sectors_of "$3") linear $3 0"
	defer drop_linear "$1"
	settle
}

drop_linear()
{
	[[ ! -e /dev/mapper/$1 ]] || dmsetup remove --retry "$1"
	settle
}

node_of() { basename "$(readlink -f "$1")"; }

# link_is LINK DEVICE
link_is() { same "$(node_of "$1")" "$(node_of "$2")" "$1"; }

links_are()
{
	link_is "$BY_UUID" "$1"
	link_is "$BY_LABEL" "$1"
}

property() { udevadm info -q property "$1" | sed -n "s/^$2=//p"; }

# has_no_link DEVICE: it claims no by-uuid and no by-label link.
has_no_link()
{
	local links

	links=$(udevadm info -q symlink "$1")
	[[ $links != *by-uuid* && $links != *by-label* ]] || fail "$1 claims $links"
}

# retrigger DEVICE...: a coldplug and a spurious change, as a boot or a close make.
retrigger()
{
	local device action

	for device in "$@"; do
		for action in add change; do
			udevadm trigger --settle --action=$action \
				"/sys/class/block/$(node_of "$device")"
		done
	done
}

t_image_leaves_the_links_on_the_live_device()
{
	use_tool
	make_fs "$DISK1"
	make_linear app COHORT-SRC-11111111-0000 "$DISK1"
	links_are /dev/mapper/app
	make_linear r_1 COHORT-IMG-22222222-0000-1 "$DISK1" --readonly
	links_are /dev/mapper/app
	retrigger /dev/mapper/r_1
	links_are /dev/mapper/app
	retrigger /dev/mapper/app /dev/mapper/r_1
	links_are /dev/mapper/app
	dmsetup remove --retry r_1
	settle
	links_are /dev/mapper/app
}

# Without this, the case above could pass because nothing was probed at all.
t_visible_image_has_the_links_when_the_live_device_is_gone()
{
	use_tool
	make_fs "$DISK1"
	make_linear app COHORT-SRC-11111111-0000 "$DISK1"
	make_linear r_1 COHORT-IMG-22222222-0000-1 "$DISK1" --readonly
	same "$(property /dev/mapper/r_1 ID_FS_UUID)" "$FS_UUID" "the image's UUID"
	links_are /dev/mapper/app
	wipefs -qa "$DISK2"
	dmsetup suspend --noflush app
	dmsetup load app --table "0 $(sectors_of "$DISK2") linear $DISK2 0"
	dmsetup resume app
	settle
	links_are /dev/mapper/r_1
}

t_disk_below_a_source_is_hidden_and_comes_back()
{
	use_tool
	make_fs "$DISK1"
	links_are "$DISK1"
	make_linear app COHORT-SRC-11111111-0000 "$DISK1"
	links_are /dev/mapper/app
	has_no_link "$DISK1"
	same "$(property "$DISK1" SYSTEMD_READY)" 0 SYSTEMD_READY
	same "$(property "$DISK1" COHORT_SOURCE)" app COHORT_SOURCE
	retrigger "$DISK1"
	has_no_link "$DISK1"
	links_are /dev/mapper/app
	dmsetup remove --retry app
	settle
	links_are "$DISK1"
	same "$(property "$DISK1" SYSTEMD_READY)" "" SYSTEMD_READY
}

t_logical_volume_below_a_source_is_hidden_and_comes_back()
{
	use_tool
	make_fs "$DISK1"
	make_linear vg-lv LVM-0123456789abcdef0123456789abcdef "$DISK1"
	make_linear app COHORT-SRC-11111111-0000 /dev/mapper/vg-lv
	has_no_link /dev/mapper/vg-lv
	links_are /dev/mapper/app
	retrigger /dev/mapper/vg-lv
	has_no_link /dev/mapper/vg-lv
	links_are /dev/mapper/app
	dmsetup remove --retry app
	settle
	[[ $(udevadm info -q symlink /dev/mapper/vg-lv) == *by-uuid* ]] ||
		fail "the volume's links did not come back"
}

t_other_dm_device_hides_nothing()
{
	use_tool
	make_fs "$DISK1"
	make_linear plain OTHER-11111111-0000 "$DISK1"
	same "$(property "$DISK1" SYSTEMD_READY)" "" SYSTEMD_READY
	[[ $(udevadm info -q symlink "$DISK1") == *by-uuid* ]] || fail "the disk lost its links"
}

t_pool_is_not_probed()
{
	use_tool
	make_fs "$DISK1"
	make_linear pool COHORT-POOL-33333333-0000 "$DISK1"
	retrigger /dev/mapper/pool
	same "$(property /dev/mapper/pool ID_FS_TYPE)" "" ID_FS_TYPE
	has_no_link /dev/mapper/pool
	links_are "$DISK1"
}

run_tests "$@"
