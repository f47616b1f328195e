#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Targets that LVM makes for a clone: all of them or none, found again, and volumes of their own in the end.
# guest: disks=4 size=256M timeout=900 sampled
# shellcheck disable=SC2317,SC2153 # cases are called by run_tests; disks come from the guest
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"
. "$(dirname "$0")/stage.sh"

# What the library's LVM reads, too: there is no udev in the guest.
use_lvm()
{
	mkdir lvm
	cat >lvm/lvm.conf <<-END
		backup { backup=0 archive=0 }
		activation { udev_sync=0 udev_rules=0 verify_udev_operations=1 }
		devices { use_devicesfile=0 obtain_device_list_from_udev=0 filter=[ "a|^$DISK4\$|", "r|.*|" ] }
		global { event_activation=0 }
	END
	export LVM_SYSTEM_DIR=$PWD/lvm
}

lvm() { command lvm "$1" -y "${@:2}" >/dev/null 2>>lvm.words; }

strike_group()
{
	lvm lvremove vg || true
	lvm vgremove vg
	lvm pvremove "$DISK4"
}

# make_group [SIZE]: volume group vg, of 4M extents, with so much room.
make_group()
{
	use_lvm
	lvm pvcreate ${1:+--setphysicalvolumesize "$1"} "$DISK4" || fail "$(cat lvm.words)"
	lvm vgcreate vg "$DISK4" || fail "$(cat lvm.words)"
	defer strike_group
}

# raise_with_group COUNT SIZE [ROOM]
raise_with_group()
{
	make_group "${3:-}"
	raise_stage "$1" "$2"
}

volumes() { command lvm lvs --noheadings -o lv_name vg 2>/dev/null | xargs; }

clone()
{
	cohortctl replicate --type clone --name c --target-pool vg:vg "$@" >said
	defer drop_clone
}

# refuse_clone WORDS ARG...: and it leaves nothing behind.
refuse_clone()
{
	local before known

	before=$(volumes)
	known=$(relationships)
	refuse -m "$1" cohortctl replicate --type clone "${@:2}"
	[[ $(wc -l <<<"$REFUSED_OUTPUT") -eq 1 ]] || fail "not one line: $REFUSED_OUTPUT"
	note "$REFUSED_OUTPUT"
	same "$(volumes)" "$before" "volumes"
	same "$(relationships)" "$known" "relationships"
}

t_volumes_are_made_filled_and_stay()
{
	raise_with_group 2 16M
	put 1 $M1 0 16M
	put 2 $M2 0 16M
	clone m1 m2
	grep -q '^c_1: target /dev/mapper/vg-c_t1$' said || fail "$(cat said)"
	grep -q '^c_2: target /dev/mapper/vg-c_t2$' said || fail "$(cat said)"
	same "$(volumes)" "c_t1 c_t2"
	holds 1 $C1 0 16M
	put 3 $C2 0 1M
	cohortctl detach c
	same "$(volumes)" "c_t1 c_t2"
	holds 1 /dev/vg/c_t1 0 16M
	holds 3 /dev/vg/c_t2 0 1M
	lvm lvremove vg/c_t1
	same "$(volumes)" "c_t2"
}

t_of_a_group_and_in_whole_extents()
{
	make_group
	make_slices 2 6M "$DISK2"
	make_pool
	attach m1 /dev/mapper/slice1
	attach m2 /dev/mapper/slice2
	cohortctl group create g m1 m2 >/dev/null
	put 2 $M2 0 6M
	clone --group g
	same "$(volumes)" "c_t1 c_t2"
	same "$(bytes_of /dev/vg/c_t2)" $((8 << 20)) "size of a volume"
	same "$(bytes_of $C2)" $((6 << 20)) "size of the clone"
	holds 2 /dev/vg/c_t2 0 6M
	cohortctl detach c
}

# An unnamed relationship gets its name later than its volumes get theirs.
t_without_a_name()
{
	local name

	raise_with_group 1 8M
	put 1 $M1 0 8M
	cohortctl replicate --type clone --target-pool vg:vg m1 >said
	[[ $(volumes) == clone-????????_t1 ]] || fail "volumes: $(volumes)"
	name=$(relationships)
	cohortctl detach "$name"
	holds 1 "/dev/vg/$(volumes)" 0 8M
}

t_name_that_is_taken()
{
	raise_with_group 2 8M
	lvm lvcreate -Wn -Zn -L 4M -n c_t2 vg
	put 7 /dev/vg/c_t2 0 4M
	refuse_clone 'volume /dev/vg/c_t2: .*already exists' --name c --target-pool vg:vg m1 m2
	holds 7 /dev/vg/c_t2 0 4M
	lvm lvremove vg/c_t2
	clone m1 m2
	cohortctl detach c
	# the volumes of the first one are somebody's disks now
	refuse_clone 'volume /dev/vg/c_t1: .*already exists' --name c --target-pool vg:vg m1 m2
}

t_no_room_for_the_second()
{
	# behind the metadata, which takes the first MiB, there are seven extents
	raise_with_group 2 16M 32M
	refuse_clone 'volume /dev/vg/c_t2: .*insufficient free space' --name c --target-pool vg:vg m1 m2
	same "$REFUSED_STATUS" 4 "exit code"
	clone m1
	same "$(volumes)" "c_t1"
}

t_no_such_group()
{
	raise_with_group 1 8M
	refuse_clone 'Volume group "nope" not found' --name c --target-pool vg:nope m1
	refuse_clone "not vg: and the name" --name c --target-pool vg: m1
	refuse_clone 'there is no source "m9"' --name c --target-pool vg:vg m9
	refuse -m 'for a clone only' cohortctl replicate --type snapshot --target-pool vg:vg m1
}

# What the module refuses is known when the volumes are there.
t_request_that_is_refused_leaves_no_volume()
{
	raise_with_group 2 8M
	cohortctl group create other m1 >/dev/null
	refuse_clone 'has other members' --name c --target-pool vg:vg --group other m1 m2
	cohortctl replicate --type snapshot --name c --wait Inactive m1 >/dev/null
	refuse_clone '"c"' --name c --target-pool vg:vg m1 m2
	cohortctl delete c
	clone m1 m2
	cohortctl detach c
}

# The cut has been taken when it is found that a clone can have no device.
t_replica_that_is_undone_leaves_no_volume()
{
	local name i

	raise_with_group 2 8M
	cohortctl replicate --type snapshot m1 m2 >/dev/null
	name=$(relationships)
	cohortctl delete "$name"
	# names are assigned in turn
	for ((i = ${name#rel} + 1; i < ${name#rel} + 9; i++)); do
		dmsetup create "rel${i}_2" --table "0 8 zero"
		defer remove_dm "rel${i}_2"
	done
	refuse_clone 'rel[0-9]*_2 is there already' --target-pool vg:vg m1 m2
	same "$(volumes)" "" "volumes"
	clone m1 m2
	cohortctl detach c
}

t_volumes_are_found_again()
{
	local i

	raise_with_group 2 16M
	put 1 $M1 0 16M
	put 2 $M2 0 16M
	copy_slowly
	clone --wait Unsynchronized m1 m2
	put 3 $C1 0 1M
	cohortctl suspend c
	for i in 1 2; do
		cohortctl detach m$i >/dev/null
	done
	cohortctl pool close p
	# other numbers, and one of them is away
	lvm lvchange -an vg
	dmsetup create other --table "0 8 zero"
	defer remove_dm other
	lvm lvchange -ay vg/c_t1
	cohortctl pool open "$DISK1" >/dev/null
	attach_again m1 /dev/mapper/slice1
	cohortctl attach --pool p m2 /dev/mapper/slice2 2>said
	grep -q 'c_2' said || fail "it is not told that a clone is down: $(cat said)"
	holds 3 $C1 0 1M
	[[ ! -e $C2 ]] || fail "a clone is there without its volume"
	lvm lvchange -ay vg/c_t2
	cohortctl detach m2 >/dev/null
	attach_again m2 /dev/mapper/slice2
	copy_quickly
	cohortctl resume c --wait Synchronized
	holds 1 $C1 1M 15M
	holds 2 $C2 0 16M
	cohortctl detach c
	holds 3 /dev/vg/c_t1 0 1M
	holds 2 /dev/vg/c_t2 0 16M
}

run_tests "$@"
