#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory groups that are short of memory, or killed for want of it: a cut is whole or absent, and I/O goes on.
# guest: disks=2 size=1G timeout=400 kernel=6.12
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

TRIALS=12
# As many have to be killed, however many trials that takes of these at most.
KILLED=3
MOST=80
CGROUP=/sys/fs/cgroup/small

# make_cgroup SIZE: $CGROUP, where nobody gets more; who asks for more ends all that is in it.
make_cgroup()
{
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir "$CGROUP"
	defer leave_cgroup
	echo "$1" >"$CGROUP/memory.max"
	echo 1 >"$CGROUP/memory.oom.group"
}

leave_cgroup()
{
	echo 1 >"$CGROUP/cgroup.kill"
	wait_for 30 grep -qx 'populated 0' "$CGROUP/cgroup.events"
	rmdir "$CGROUP"
}

kills() { sed -n 's/^oom_kill //p' "$CGROUP/memory.events"; }

# confined COMMAND...: in there, whatever becomes of it.
# shellcheck disable=SC2016 # expanded by the inner shell
confined() { bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$CGROUP" "$@"; }

# Takes memory until there is none.
eat() { confined tail /dev/zero; }

no_job_runs()
{
	[[ -z $(cohortctl job list --json |
		jq '.jobs[] | select(.JobState == "New" or .JobState == "Running")') ]]
}

devices_of() { dmsetup ls | grep "^$1_"; }

# whole_or_absent NAME COUNT: and it goes as if nothing had been. False: absent.
whole_or_absent()
{
	local found=1

	wait_for 60 no_job_runs
	if relationships | grep -qx "$1"; then
		found=0
		cohortctl show "$1" --json >shown
		jq -e '[.. | objects | .CopyState // empty] | length == '$(($2 + 1))'
			and all(. == "Synchronized")' shown >/dev/null || fail "$(<shown)"
		drop "$1"
	fi
	! devices_of "$1" || fail "images of a cut that is not there"
	return $found
}

# after TENTHS COMMAND...: in the background; $! is its process.
after_tenths() { (sleep "$(($1 / 10)).$(($1 % 10))" && "${@:2}"); }

t_callers_are_killed_in_a_cut()
{
	local i caller status there=0 killed=0

	raise_stage 3 4M 50
	make_cgroup 8M
	start_writers 12 --dsync 10
	for ((i = 0; i < MOST && (i < TRIALS || killed < KILLED); i++)); do
		after_tenths $((RANDOM % 8)) confined cohortctl replicate --type snapshot \
			--name r "${SOURCES[@]}" >said 2>&1 &
		caller=$!
		after_tenths $((RANDOM % 8)) eat >eaten 2>&1 || :
		status=0
		wait $caller || status=$?
		((status != 137)) || killed=$((killed + 1))
		((status != 0 && status != 137)) && fail "$(<said)"
		whole_or_absent r 3 && there=$((there + 1))
	done
	note "$killed of $i callers were killed; $there cuts were there"
	((killed >= KILLED)) || fail "too few were killed to show anything"
	stop_writers
	cut_all after
	has_cut m1 || fail "m1 is not protected"
	is_consistent after
}

# Through the page cache, of which there is next to none.
# shellcheck disable=SC2016 # expanded by the inner shell
overwrite()
{
	confined bash -c 'while dd if=/dev/urandom bs=256K status=none of="$0" || :; do :; done' "$1"
}

t_writers_short_of_memory()
{
	local i before writer

	raise_stage 3 16M
	make_cgroup 16M
	put 1 /dev/mapper/m3 0 16M
	snapshot base m3
	SOURCES=(m1 m2)
	start_writers 8 --dsync 10
	before=$(kills)
	for ((i = 1; i <= 3; i++)); do
		overwrite /dev/mapper/m3 >said 2>&1 &
		writer=$!
		cutloop "$STATE" 2 1 "c$i." "${SOURCES[@]}" >verdicts || fail "$(tail -n 2 verdicts)"
		eat >>said 2>&1 || :
		wait "$writer" || :
	done
	note "$(($(kills) - before)) killed"
	(($(kills) - before >= 3)) || fail "too few were killed to show anything"
	stop_writers
	holds 1 /dev/mapper/base_1 0 16M
}

run_tests "$@"
