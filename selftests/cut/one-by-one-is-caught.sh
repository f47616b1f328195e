#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Members cut one after another are not one instant, and the checker says so.
# guest: disks=4 size=1G timeout=300 parallel
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

t_consistency_none_is_caught()
{
	local i caught=0

	raise_stage 6 8M 60 90 70
	start_writers 24
	for ((i = 1; i <= 5; i++)); do
		cut_all "n$i" --consistency none
		same "$(show "n$i" ConsistencyState)" Inconsistent "state of n$i"
		is_caught "n$i" && caught=$((caught + 1))
		drop "n$i"
	done
	stop_writers
	note "$caught of 5 caught"
	((caught >= 3))
}

t_one_relationship_per_member_is_caught()
{
	local i m caught=0 all

	raise_stage 4 8M 60 90 70
	start_writers 24
	for ((i = 1; i <= 3; i++)); do
		all=()
		before "r$i"
		for m in "${SOURCES[@]}"; do
			snapshot "r$i$m" "$m"
			all+=("/dev/mapper/r$i${m}_1")
		done
		after "r$i"
		is_caught "r$i" "${all[@]}" && caught=$((caught + 1))
	done
	stop_writers
	same "$caught" 3 "caught of 3"
}

# The control of the control: the same load and members, cut together.
t_the_same_members_cut_together_are_consistent()
{
	local i

	raise_stage 4 8M 60 90 70
	start_writers 24
	for ((i = 1; i <= 3; i++)); do
		cut_all "t$i"
		is_consistent "t$i"
	done
	stop_writers
}

run_tests "$@"
