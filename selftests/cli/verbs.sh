#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cohortctl against the module: every verb in text and JSON, waiting, events, exit codes.
# guest: disks=4 size=64M timeout=450
# shellcheck disable=SC2317 # cases are called by run_tests

. "$(dirname "$0")/../lib.sh"

# json FILTER VERB...: the verb succeeds and FILTER is true of its one object.
json()
{
	local filter=$1

	shift
	cohortctl "$@" --json >out.json || fail "exit $?: cohortctl $*"
	jq -es "length == 1 and (.[0] | .schema == 1 and ($filter))" out.json >/dev/null ||
		fail "cohortctl $*: not so: $filter: $(<out.json)"
}

# exits CODE WORDS VERB...: refused with this code, in words and in JSON.
exits()
{
	local code=$1 words=$2

	shift 2
	refuse -m "$words" cohortctl "$@"
	same "$REFUSED_STATUS" "$code" "exit code of cohortctl $*"
	same "$(wc -l <<<"$REFUSED_OUTPUT")" 1 "lines of the refusal of cohortctl $*"
	cohortctl "$@" --json >out.json 2>/dev/null && fail "not refused: cohortctl $*"
	jq -e ".error.code == $code and (.error.message | test(\"$words\"))" out.json >/dev/null ||
		fail "cohortctl $*: $(<out.json)"
}

make_pool()
{
	cohortctl pool create p "$DISK1"
	defer cohortctl pool remove p
}

make_group()
{
	make_pool
	cohortctl attach --pool p a "$DISK2"
	defer cohortctl detach --forget a
	cohortctl attach --pool p b "$DISK3"
	defer cohortctl detach --forget b
	cohortctl group create g a b
	defer cohortctl group delete g
}

snapshot()
{
	cohortctl replicate --type snapshot --name "$1" "${@:2}"
	defer cohortctl delete "$1"
}

t_every_verb_has_json()
{
	json '.pool.ElementName == "p" and .pool.State == "Active"' pool create --chunk 8K p "$DISK1"
	json '.pools[0].ChunkSize == 8192' pool list
	json '.ReturnValue == 0 and .Job' attach --pool p a "$DISK2"
	json '.ElementName == "b"' attach --pool p b "$DISK3"
	json '.ReturnValue == 0' group create g a
	json '.ReturnValue == 0' group add g b
	json '.groups[0].Members == ["a", "b"]' group list
	json '.Synchronization.CopyState == "Synchronized" and .ElementName == "r"' \
		replicate --type snapshot --name r --group g
	json '[.Synchronization.Members[].DevicePath] == ["/dev/mapper/q_1", "/dev/mapper/q_2"]' \
		replicate --type snapshot --name q /dev/mapper/b a
	json '(.pools | length == 1) and (.sources | length == 2)
		and ([.relationships[].RelationshipName] | sort == ["q", "r"])' list
	json '.relationship.ConsistencyState == "Consistent" and .relationship.WhenSynced' show r
	json '.image.SystemElement == "a"' show /dev/mapper/q_2
	json '.jobs | length > 5' job list
	json '.job.InstanceID == "1" and .job.JobState == "Completed"' job show 1
	json '.job.ReturnValue == 0' job wait 1
	json '.module.ABI == .ABI' version
	json '.ReturnValue == 0' delete q
	json '.ReturnValue == 0' delete r
	json '.ReturnValue == 0' group remove g b
	json '.ReturnValue == 0' group delete g
	json '.ReturnValue == 0' detach a
	json '.ReturnValue == 0' detach --forget a
	json '.ReturnValue == 0' detach --forget b
	json '.ElementName == "p"' pool close p
	json '.pool.ElementName == "p"' pool open "$DISK1"
	json '.ElementName == "p"' pool remove p
}

t_tree_shows_images_and_cut()
{
	make_group
	snapshot r --group g
	cohortctl list >tree
	grep -qE 'r_2 +image of b +Synchronized +64M .*[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$' tree ||
		fail "$(<tree)"
	grep -qE '^p +pool +Active' tree || fail "$(<tree)"
}

t_cut_one_by_one_is_shown_as_not_consistent()
{
	make_group
	snapshot r --group g --consistency none
	cohortctl list | grep -q 'Synchronized, not consistent' || fail "$(cohortctl list)"
	json '.relationship.ConsistencyState == "Inconsistent"
		and .relationship.ConsistencyEnabled == false' show r
}

t_prepared_is_cut_by_activate()
{
	make_group
	snapshot r --group g --wait inactive
	json '.relationship.CopyState == "Inactive" and (.relationship | has("WhenSynced") | not)' show r
	[[ ! -e /dev/mapper/r_1 ]] || fail "an image before the cut"
	json '.Synchronization.CopyState == "Synchronized"' activate r
	[[ -b /dev/mapper/r_1 && -b /dev/mapper/r_2 ]] || fail "no images after the cut"
}

t_job_wait_ends_what_no_wait_began()
{
	local job

	make_group
	job=$(cohortctl replicate --type snapshot --name r --group g --no-wait --json |
		jq -r 'select(.ReturnValue == 4096).Job')
	defer cohortctl delete r
	cohortctl job wait "$job" --timeout 30
	[[ -b /dev/mapper/r_1 && -b /dev/mapper/r_2 ]] || fail "no images after job wait"
}

newest_job_of_r_is()
{
	same "$(cohortctl job list --json |
		jq -r '[.jobs[] | select(.RelationshipName == "r")] | last.JobState')" "$1"
}

# A suspended disk keeps the seal from ending, so that there is time to be over.
t_timeout_is_code_3_and_the_job_goes_on()
{
	make_pool
	dmsetup create below --table "0 $(sectors_of "$DISK2") linear $DISK2 0"
	defer remove_dm below
	cohortctl attach --pool p a /dev/mapper/below
	defer cohortctl detach --forget a
	dmsetup suspend --nolockfs below
	defer dmsetup resume below
	dd if=/dev/zero of=/dev/mapper/a bs=4k count=1 oflag=direct status=none &
	wait_for 10 grep -q '[1-9]' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor a)/inflight"
	cohortctl replicate --type snapshot --name r --timeout 1 --json a >out.json 2>err || status=$?
	dmsetup resume below
	wait
	defer cohortctl delete r
	same "${status-0}" 3 "exit code"
	jq -e '.error.code == 3 and .error.ReturnValue == 3' out.json >/dev/null || fail "$(<out.json)"
	wait_for 20 newest_job_of_r_is Completed
}

t_exit_codes_of_refusals()
{
	exits 4 'no cohort pool' pool open "$DISK2"
	exits 4 'not a block device' pool open /dev/null
	make_group
	exits 1 'there is no group' replicate --type snapshot --group nope
	exits 1 'not supported' replicate --type mirror --group g
	exits 1 'a clone needs TargetElements' replicate --type clone --group g
	exits 5 'is in use' replicate --type clone --group g --target "$DISK1" --target "$DISK2"
	exits 1 'no job 4711' job show 4711
	exits 1 "nothing is called 'nope'" show nope
	exits 5 'in use' pool close p
	exits 5 'in use' attach --pool p c "$DISK2"
	snapshot r --group g
	exits 5 'r' replicate --type snapshot --name r --group g
	exits 5 'relationship' group delete g
	exits 5 'relationship' detach --forget a
	[[ -b /dev/mapper/a ]] || fail "the refused detach --forget has detached"
}

t_caller_without_privilege_is_code_2()
{
	local status=0

	setpriv --reuid nobody --clear-groups --inh-caps=-all cohortctl list --json >out.json 2>err ||
		status=$?
	same "$status" 2 "exit code"
	jq -e '.error.code == 2 and .error.errno == "EPERM"' out.json >/dev/null || fail "$(<out.json)"
}

t_events_tell_what_is_and_what_changes()
{
	make_group
	cohortctl events --json --timeout 60 --count 200 >events.log 2>err &
	wait_for 20 grep -q '"following"' events.log
	cohortctl replicate --type snapshot --name r --group g
	cohortctl delete r
	wait_for 20 grep -q '"gone","relationship":{"RelationshipName":"r"}' events.log
	kill $!
	jq -es 'map(.schema) | all(. == 1)' events.log >/dev/null || fail "not one object a line"
	jq -es 'map(.event) | index("following") as $i
		| (.[:$i] | all(. == "exists")) and (.[$i + 1:] | all(. != "exists"))' events.log >/dev/null ||
		fail "$(cut -c1-120 events.log)"
	jq -es 'any(.event == "exists" and .source.ElementName == "a")' events.log >/dev/null ||
		fail "no source: $(cut -c1-120 events.log)"
	jq -es 'any(.event == "changed" and .relationship.CopyState == "Synchronized")' events.log >/dev/null ||
		fail "no change: $(cut -c1-120 events.log)"
	jq -es 'any(.event == "changed" and .job.JobState == "Completed")' events.log >/dev/null ||
		fail "no job: $(cut -c1-120 events.log)"
}

t_events_count_and_timeout()
{
	make_pool
	cohortctl events --count 0 >events.log
	same "$(tail -n 1 events.log | cut -d' ' -f2)" following "last line"
	cohortctl events --count 1 --timeout 0.2 >events.log 2>err || status=$?
	same "${status-0}" 3 "exit code"
	grep -q 'the time is over, 1 events are missing' err || fail "$(<err)"
	cohortctl events --timeout 0.2 >events.log
}

run_tests "$@"
