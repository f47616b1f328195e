#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# CreateGroupReplicaFromElements through the library: every parameter at work, every result code.
# guest: disks=4 size=64M timeout=300
. "$(dirname "$0")/../lib.sh"

# make_lab COUNT: pool "pool" on DISK1 with sources s1... of 8 MiB, each over a
# linear device of its own.
make_lab()
{
	local i slice

	make_slices "$1" 8M "$DISK2"
	cohortctl pool create pool "$DISK1"
	defer cohortctl pool remove pool
	for ((i = 1; i <= $1; i++)); do
		slice=SLICE$i
		cohortctl attach --pool pool "s$i" "${!slice}"
		defer cohortctl detach "s$i"
	done
	defer delete_all
}

delete_all()
{
	local name

	for name in $(relationships); do
		call modify Operation=19 Synchronization="$name" | grep '^code=0 ' || return
	done
}

relationships()
{
	cohortctl list --json | python3 -c '
import json, sys

def names(node):
    if isinstance(node, dict):
        if "RelationshipName" in node:
            yield node["RelationshipName"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from names(child)

print("\n".join(sorted(set(names(json.load(sys.stdin))))))'
}

# expect CODE ATTRIBUTE METHOD PARAMETER...: the line is left in $outcome.
expect()
{
	local code=$1 attribute=$2

	shift 2
	outcome=$(call "$@")
	[[ $outcome == "code=$code "* ]] || fail "wanted $code: $* gave $outcome"
	[[ $attribute == - || $outcome == *" attribute=$attribute "* ]] ||
		fail "wanted attribute $attribute: $* gave $outcome"
}

# value KEY: of the last outcome.
value() { sed -E "s/.* $1=([^ ]*).*/\1/" <<<"$outcome"; }

t_result_0_everything_is_assigned_and_returned()
{
	make_lab 2
	expect 0 - replicate SourceElements=s1,/dev/mapper/s2
	[[ -n $(value name) && -n $(value group) && -n $(value target) ]] || fail "$outcome"
	[[ $(value job) -gt 0 && $(value state) == Synchronized ]] || fail "$outcome"
	test -b "/dev/mapper/$(value name)_1"
	test -b "/dev/mapper/$(value name)_2"
	cmp "/dev/mapper/$(value name)_1" /dev/mapper/s1
}

t_result_0_given_names_are_used()
{
	make_lab 2
	expect 0 - replicate RelationshipName=rel SourceGroupName=grp SourceElements=s2,s1
	same "$(value name)" rel
	same "$(value group)" grp
	dmsetup table rel_1 | grep -q ' rel 1 '
	expect 0 - replicate RelationshipName=again SourceGroupName=grp SourceElements=s2,s1
	# the same group, other members or another order
	expect 5 SourceGroupName replicate SourceGroupName=grp SourceElements=s1,s2
	expect 5 SourceGroupName replicate SourceGroupName=grp SourceElements=s2
	expect 0 - group-replica RelationshipName=third SourceGroupName=grp
	delete_all
	cohortctl group delete grp 2>/dev/null || cohortctl group delete --force grp
}

t_result_1_not_supported()
{
	make_lab 1
	expect 1 SyncType replicate SyncType=6 SourceElements=s1
	expect 5 TargetElements replicate SyncType=8 SourceElements=s1
	expect 1 SyncType replicate SyncType=0x8000 SourceElements=s1
	expect 1 Mode replicate Mode=0x8000 SourceElements=s1
	expect 1 Consistency replicate Consistency=0x8000 SourceElements=s1
	expect 1 SourceAccessPoint replicate SourceAccessPoint=x SourceElements=s1
	expect 1 TargetAccessPoint replicate TargetAccessPoint=x SourceElements=s1
	expect 1 Pairing replicate ReplicationSettingData=Pairing:3 SourceElements=s1
	same "$(relationships)" ""
}

t_result_3_timeout_and_the_job_goes_on()
{
	local job

	make_lab 2
	# the cut has to flush: below s2 nothing completes
	dmsetup suspend --noflush slice2
	defer dmsetup resume slice2
	expect 3 - replicate RelationshipName=slow SourceElements=s1,s2 timeout=300
	job=$(value job)
	[[ $job -gt 0 ]] || fail "$outcome"
	test ! -e /dev/mapper/slow_1
	expect 3 - wait Job="$job" timeout=200
	dmsetup resume slice2
	expect 0 - wait Job="$job"
	test -b /dev/mapper/slow_1
	test -b /dev/mapper/slow_2
}

# set_below TABLE...: what lies below s2 from now on.
set_below()
{
	dmsetup load slice2 --table "0 16384 $*"
	dmsetup suspend --noflush slice2
	dmsetup resume slice2
}

t_result_4_failed_leaves_nothing()
{
	modprobe dm-flakey || skip "no dm-flakey"
	make_lab 2
	# reads go well, the flush of the cut fails
	set_below flakey "$DISK2" 16384 0 3600 1 error_writes
	expect 4 - replicate RelationshipName=bad SourceElements=s1,s2
	set_below linear "$DISK2" 16384
	test ! -e /dev/mapper/bad_1
	same "$(relationships)" ""
	expect 0 - replicate RelationshipName=bad SourceElements=s1,s2
}

t_result_5_invalid_parameter()
{
	make_lab 2
	expect 5 SourceElements replicate
	expect 5 SourceElements replicate SourceElements=s1,/dev/mapper/s1
	expect 5 'SourceElements[1]' replicate SourceElements=s1,nosuch
	expect 5 'SourceElements[1]' replicate SourceElements=s1,pool
	expect 5 'SourceElements[1]' replicate SourceElements=s1,"$DISK3"
	expect 5 TargetPool replicate SourceElements=s1 TargetPool=other
	expect 5 TargetGroup replicate SourceElements=s1 TargetGroup=nosuch
	expect 5 TargetPool replicate SourceElements=s1 TargetGroup=nosuch TargetPool=pool
	expect 5 WaitForCopyState replicate SourceElements=s1 WaitForCopyState=3
	expect 5 ConsistentPointInTime replicate SourceElements=s1 Consistency=2 \
		ReplicationSettingData=ConsistentPointInTime:true
	expect 0 - replicate RelationshipName=rel SourceElements=s1
	expect 5 RelationshipName replicate RelationshipName=rel SourceElements=s2
	# an image is no source: elements must be of one type
	expect 5 'SourceElements[1]' replicate SourceElements=s1,rel_1
}

t_result_6_in_use()
{
	make_lab 1
	expect 0 - replicate RelationshipName=rel SourceElements=s1
	exec 7</dev/mapper/rel_1
	expect 6 - modify Operation=19 Synchronization=rel
	exec 7<&-
	test -b /dev/mapper/rel_1
	expect 0 - modify Operation=19 Synchronization=rel
	test ! -e /dev/mapper/rel_1
}

t_result_4096_job_started()
{
	make_lab 2
	expect 4096 - replicate RelationshipName=rel SourceElements=s1,s2 timeout=0
	[[ $(value job) -gt 0 && $(value name) == rel && -n $(value group) ]] || fail "$outcome"
	expect 0 - wait Job="$(value job)"
	test -b /dev/mapper/rel_1
	test -b /dev/mapper/rel_2
	# again: the devices are there
	expect 5 - wait Job=4711000
}

t_wait_for_copy_state_inactive_then_activate()
{
	local state

	make_lab 1
	for state in 2 8; do
		expect 0 - replicate RelationshipName="r$state" SourceElements=s1 \
			WaitForCopyState=$state
		test ! -e "/dev/mapper/r${state}_1"
	done
	same "$(value state)" Inactive
	dd if=/dev/urandom of=/dev/mapper/s1 bs=64k count=4 oflag=direct conv=notrunc status=none
	for state in 2 8; do
		expect 5 WaitForCopyState modify Operation=4 Synchronization="r$state" \
			WaitForCopyState=8
		expect 0 - modify Operation=4 Synchronization="r$state" WaitForCopyState=4
		same "$(value state)" Synchronized
		# the cut is that of Activate
		cmp "/dev/mapper/r${state}_1" /dev/mapper/s1
		expect 5 Operation modify Operation=4 Synchronization="r$state"
	done
	expect 1 Operation modify Operation=7 Synchronization=r2
	expect 5 Operation modify Operation=1 Synchronization=r2
}

t_target_group_empty_or_of_equal_count()
{
	make_lab 2
	cohortctl group create --target --pool pool tgt
	defer cohortctl group delete tgt
	expect 0 - replicate RelationshipName=rel SourceElements=s1,s2 TargetGroup=tgt
	same "$(value target)" tgt
	expect 5 TargetSettingGoal replicate SourceElements=s1 TargetGroup=tgt \
		TargetSettingGoal=UdevVisible:yes
	delete_all
	expect 0 - replicate RelationshipName=rel2 SourceElements=s1 TargetGroup=tgt
	delete_all
}

t_consistency_none_is_recorded()
{
	make_lab 2
	expect 0 - replicate RelationshipName=one SourceElements=s1,s2
	expect 0 - replicate RelationshipName=each SourceElements=s1,s2 Consistency=2 Mode=3
	cohortctl show --json one >one.json
	cohortctl show --json each >each.json
	refuse diff <(grep -i '"consistency' one.json) <(grep -i '"consistency' each.json)
}

t_threads_share_a_context()
{
	make_lab 2
	same "$(call storm SourceElements=s1,s2 threads=4 rounds=5)" failures=0
	same "$(relationships)" ""
}

run_tests "$@"
