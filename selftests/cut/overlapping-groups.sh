#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Cuts of groups that share members, at the same time, are each consistent.
# guest: disks=4 size=1G timeout=300 parallel
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

ROUNDS=5

# Each party has its own writers, on its own part of the members both share.
party()
{
	local i

	STATE=$1.state
	SOURCES=("${@:3}")
	start_writers 8 --base "$2"
	for ((i = 1; i <= ROUNDS; i++)); do
		cut_all "$1$i"
		is_consistent "$1$i"
		((i == 1)) || drop "$1$((i - 1))"
	done
	stop_writers
}

t_two_parties_share_two_members()
{
	local left right

	raise_stage 6 8M 60 90
	(party left 0 m1 m2 m3 m4) &
	left=$!
	(party right 4M m3 m4 m5 m6) &
	right=$!
	wait "$left"
	wait "$right"
	is_consistent "left$ROUNDS" "/dev/mapper/left${ROUNDS}"_{1..4}
	is_consistent "right$ROUNDS" "/dev/mapper/right${ROUNDS}"_{1..4}
}

t_two_parties_cut_the_same_group()
{
	local left right

	raise_stage 3 8M 60 90
	cohortctl group create g m1 m2 m3 >/dev/null
	defer cohortctl group delete g
	(party left 0 m1 m2 m3) &
	left=$!
	(party right 4M m1 m2 m3) &
	right=$!
	wait "$left"
	wait "$right"
}

cut_until_quiet()
{
	local i=0

	until [[ -e quiet ]]; do
		snapshot "x$((++i))" m1
		drop "x$i"
	done
}

# Cuts of one member come in at any point of a cut of them all.
t_one_party_among_cuts_without_pause()
{
	local others

	raise_stage 6 8M 60 90
	cut_until_quiet &
	others=$!
	party left 0 m1 m2 m3 m4 m5 m6
	touch quiet
	wait "$others"
}

run_tests "$@"
