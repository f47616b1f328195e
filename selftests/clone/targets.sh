#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Targets of clones: which are taken, which are not, and what each operation says in each state.
# guest: disks=4 size=256M timeout=900 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"
. "$(dirname "$0")/stage.sh"

clone() { cohortctl replicate --type clone --name c "$@"; }
nothing_changed() { relationships | grep -qx c && fail "there is a relationship"; [[ ! -e $C1 ]]; }

t_smaller_target_is_refused_and_a_larger_one_is_told_of()
{
	make_slices 2 16M "$DISK2"
	make_targets 2 8M
	make_pool
	attach m1 /dev/mapper/slice1
	refuse -m 't1.*(small|bytes)' clone --force --target $T1 m1
	nothing_changed
	dmsetup load t1 --table "0 $(sectors 24M) linear $DISK4 0"
	dmsetup resume t1
	clone --force --target $T1 m1 >said
	defer drop_clone
	grep -q '24M, 16M of it' said || fail "it is not told that the target is larger: $(cat said)"
	same "$(bytes_of $C1)" "$(bytes_of $M1)" "size of the clone"
}

t_as_many_targets_as_sources()
{
	raise_quick 2 8M
	refuse -m 'TargetElements' clone m1
	refuse -m 'TargetElements' clone --force --target $T1 m1 m2
	refuse -m 'TargetElements' clone --force --target $T1 --target $T2 m1
	refuse -m '(twice|one disk|same)' clone --force --target $T1 --target $T1 m1 m2
	nothing_changed
	refuse -m 'TargetElements' cohortctl replicate --type snapshot --name c --target $T1 m1
	nothing_changed
}

t_disk_that_is_in_use_is_refused_whatever_is_forced()
{
	raise_quick 1 32M
	mkfs.ext4 -q -F $T1
	mkdir -p mnt
	mount $T1 mnt
	defer umount mnt
	refuse -m 'in use.*mnt' clone --force --target $T1 m1
	nothing_changed
	refuse -m '(in use|held|pool)' clone --force --target "$DISK1" m1
	refuse -m '(in use|held|source)' clone --force --target /dev/mapper/slice1 m1
	nothing_changed
	refuse -m 'block device' clone --force --target /dev/zero m1
	refuse -m 'nothere' clone --force --target /dev/mapper/nothere m1
	nothing_changed
}

t_own_source_is_no_target()
{
	raise_quick 1 8M
	refuse -m 'source' clone --force --target $M1 m1
	nothing_changed
}

t_foreign_signature_is_refused_unless_forced()
{
	raise_quick 1 32M
	mkfs.ext4 -q -F $T1
	refuse -m 'ext4' clone --target $T1 m1
	nothing_changed
	put 1 $M1 0 32M
	clone --force --target $T1 m1
	defer drop_clone
	holds 1 $T1 0 32M
}

t_target_of_one_clone_is_none_of_another()
{
	raise_quick 1 8M
	clone --force --target $T1 m1
	defer drop_clone
	refuse -m 'in use' cohortctl replicate --type clone --name d --force --target $T1 m1
	relationships | grep -qx d && fail "there is a second clone"
	refuse -m 'in use|target' cohortctl attach --pool p --force m9 $T1
	return 0
}

t_clone_whose_target_is_away_stays_down_and_its_image_up()
{
	raise_slow 2 16M
	put 1 $M1 0 16M
	put 2 $M2 0 16M
	clone_of Unsynchronized m1 m2
	cohortctl suspend c
	cohortctl detach m1
	cohortctl detach m2
	cohortctl pool close p
	remove_dm t2
	cohortctl pool open "$DISK1" >/dev/null
	attach_again m1 /dev/mapper/slice1
	cohortctl attach --pool p m2 /dev/mapper/slice2 2>said
	grep -q 'c_2' said || fail "it is not told that a clone is down: $(cat said)"
	[[ -e $C1 ]] || fail "the first clone is not there"
	[[ ! -e $C2 ]] || fail "the second one is there"
	holds 1 $C1 0 16M
	dmsetup create t2 --uuid TARGET-2 --table "0 $(sectors 16M) linear $DISK3 $(sectors 16M)"
	cohortctl detach m2
	attach_again m2 /dev/mapper/slice2
	holds 2 $C2 0 16M
	cohortctl resume c --wait Synchronized
	holds 2 $T2 0 16M
}

# Every operation that the command has, where it is not legal: nothing changes.
refuses_all_but()
{
	local state=$1 verb

	shift
	for verb in activate suspend resume abort dissolve detach delete reset; do
		[[ " $* " == *" $verb "* ]] && continue
		refuse cohortctl $verb c
		is_in_state c "$state" || fail "$verb led from $state to $(state_of c)"
	done
}

t_every_operation_is_refused_where_it_is_not_legal()
{
	raise_slow 1 16M
	put 1 $M1 0 16M
	clone_of Inactive m1
	refuses_all_but Inactive activate detach dissolve
	cohortctl activate c --wait Unsynchronized
	cohortctl suspend c
	refuses_all_but Suspended resume abort
	[[ -e $C1 ]] || fail "the clone has no device"
	cohortctl resume c
	refuses_all_but Unsynchronized suspend abort
	[[ -e $C1 ]] || fail "the clone has no device"
	cohortctl abort c
	refuses_all_but Aborted detach
	cohortctl detach c
	clone_of Synchronized m1
	refuses_all_but Synchronized detach dissolve
	[[ -e $C1 ]] || fail "the clone has no device"
	mkdir -p mnt
	exec 7<$C1
	refuse -m 'in use|open' cohortctl detach c
	exec 7<&-
	cohortctl detach c
}

run_tests "$@"
