#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A pool that runs full: the oldest snapshot breaks as a whole, sources see nothing, space comes back.
# guest: disks=4 size=1G timeout=300 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

M1=/dev/mapper/m1
M2=/dev/mapper/m2

# A pool of 64 MiB, two members of 48 MiB.
raise()
{
	make_slices 2 48M "$DISK2"
	dmsetup create small --table "0 $(sectors 64M) linear $DISK1 0"
	defer remove_dm small
	make_pool /dev/mapper/small
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	put 1 $M1 0 48M
	put 1 $M2 0 48M
}

segments_used() { status_field p 1 | cut -d / -f 1; }
segments() { status_field p 1 | cut -d / -f 2; }

# What records alone keep may wait for the next checkpoint, up to a 16th of the pool.
few_segments_used() { (($(segments_used) <= $1 + $(segments) / 16 + 2)); }
state_of() { show "$1" CopyState; }

member_states()
{
	cohortctl show "$1" --json | sed -n '/"Members"/,$ s/^ *"CopyState": "\(.*\)".*/\1/p' |
		sort -u
}

# All of its members, even one of which nothing was overwritten.
is_broken()
{
	local i

	same "$(state_of "$1")" Broken "state of $1"
	same "$(member_states "$1")" Broken "members of $1"
	for i in 1 2; do
		refuse dd if="/dev/mapper/$1_$i" of=/dev/null bs=4K count=1 iflag=direct
	done
}

t_oldest_breaks_as_a_whole_and_the_newest_is_right()
{
	raise
	snapshot a m1 m2
	put 2 $M1 0 24M
	snapshot b m1 m2
	put 3 $M1 24M 20M
	same "$(state_of a)" Synchronized
	snapshot c m1 m2
	put 4 $M1 0 24M
	put 5 $M1 24M 20M
	is_broken a
	holds 2 /dev/mapper/c_1 0 24M
	holds 3 /dev/mapper/c_1 24M 20M
	holds 1 /dev/mapper/c_2 0 48M
	holds 4 $M1 0 24M
	holds 5 $M1 24M 20M
}

t_one_snapshot_larger_than_the_pool()
{
	raise
	snapshot a m1 m2
	put 2 $M1 0 48M
	put 2 $M2 0 48M
	is_broken a
	holds 2 $M1 0 48M
	holds 2 $M2 0 48M
	snapshot b m1 m2
	put 3 $M1 0 16M
	holds 2 /dev/mapper/b_1 0 16M
	drop a
}

t_writers_never_see_an_error()
{
	local i

	raise
	timeout 200 iocheck rand-verify --seed 3 --seconds 25 --size 256K --shadow one $M1 &
	LOAD=$!
	for ((i = 1; i <= 8; i++)); do
		snapshot "s$i" m1 m2
		put "$((i + 10))" $M2 0 48M
		((i < 2)) || holds "$((i + 9))" "/dev/mapper/s${i}_2" 0 1M ||
			note "s$i is $(state_of "s$i")"
	done
	wait "$LOAD" || fail "the writer saw an error"
	is_broken s1
	iocheck compare --shadow one $M1
}

t_broken_one_stays_broken_over_a_restart()
{
	raise
	snapshot a m1 m2
	put 2 $M1 0 48M
	put 2 $M2 0 32M
	is_broken a
	cohortctl detach m1
	cohortctl detach m2
	cohortctl pool close p
	cohortctl pool open /dev/mapper/small
	attach_again m1 "$SLICE1"
	attach_again m2 "$SLICE2"
	same "$(state_of a)" Broken
	same "$(member_states a)" Broken
	drop a
}

t_space_comes_back()
{
	local used i

	raise
	used=$(segments_used)
	for ((i = 1; i <= 4; i++)); do
		snapshot "s$i" m1 m2
		put $((i + 1)) $M1 0 24M
		(($(segments_used) > used)) || fail "nothing was used"
		drop "s$i"
		note "$(segments_used) of $(segments) segments used, $used at first"
		wait_for 20 few_segments_used "$used"
	done
}

run_tests "$@"
