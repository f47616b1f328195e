#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a pool sees to by itself: space of each relationship, its limit, its time, and a warning before the end.
# guest: disks=4 size=1G timeout=600 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

M1=/dev/mapper/m1
M2=/dev/mapper/m2

consumed() { show "$1" SpaceConsumed; }
consumes() { same "$(consumed "$1")" "$2" "space of $1"; }
state_of() { show "$1" CopyState; }
is_in_state() { [[ $(state_of "$1") == "$2" ]]; }
is_gone() { ! relationships | grep -qx "$1"; }

# The pool goes and comes back with all it knows; members are slices of DISK2.
restart_pool()
{
	local i

	for i in "${!SOURCES[@]}"; do
		cohortctl detach "${SOURCES[i]}" >/dev/null
	done
	cohortctl pool close p
	[[ -z ${1-} ]] || sleep "$1"
	cohortctl pool open "$DISK1" >/dev/null
	for i in "${!SOURCES[@]}"; do
		attach_again "${SOURCES[i]}" "/dev/mapper/slice$((i + 1))"
	done
}

M=$((1 << 20))

t_each_relationship_counts_what_its_images_read()
{
	raise_stage 2 32M
	put 1 $M1 0 8M
	snapshot a m1 m2
	consumes a 0
	put 2 $M1 0 1M
	put 2 $M2 0 2M
	consumes a $((3 * M))
	put 3 $M1 0 1M
	consumes a $((3 * M))
	snapshot b m1
	consumes b 0
	put 4 $M1 512K 1M
	consumes a $((3 * M + M / 2))
	consumes b $M
	snapshot c m1
	put 5 $M1 0 512K
	consumes a $((3 * M + M / 2))
	consumes b $((3 * M / 2))
	consumes c $((M / 2))
	drop b
	consumes a $((3 * M + M / 2))
	consumes c $((M / 2))
	restart_pool
	consumes a $((3 * M + M / 2))
	consumes c $((M / 2))
	put 6 $M1 0 1M
	consumes a $((3 * M + M / 2))
	consumes c $M
	drop a
	consumes c $M
	drop c
	snapshot d m1 m2
	consumes d 0
	put 7 $M1 0 1M
	consumes d $M
}

t_limit_breaks_its_own_relationship_alone()
{
	raise_stage 2 32M
	watch_uevents
	put 1 $M1 0 16M
	put 1 $M2 0 1M
	snapshot a --target-setting SpaceLimit=2M m1 m2
	snapshot b m1 m2
	put 2 $M1 0 1M
	put 2 $M2 0 1M
	sleep 1
	same "$(state_of a)" Synchronized
	put 2 $M1 1M 7M
	wait_for 20 is_in_state a Broken
	same "$(show a Reason)" "its space limit was reached"
	refuse holds 1 /dev/mapper/a_1 0 64K
	refuse holds 1 /dev/mapper/a_2 0 64K
	consumes a 0
	wait_for 10 were_told relationship-broken 1
	same "$(state_of b)" Synchronized
	consumes b $((9 * M))
	holds 1 /dev/mapper/b_1 0 16M
	holds 2 $M1 0 8M
	restart_pool
	same "$(state_of a)" Broken
	same "$(state_of b)" Synchronized
}

t_relationship_goes_when_its_time_is_over()
{
	raise_stage 2 16M
	put 1 $M1 0 8M
	snapshot a --set TimeBeforeRemoval=4 m1 m2
	snapshot b m1 m2
	dmsetup remove a_1
	dmsetup remove a_2
	put 2 $M1 0 8M
	wait_for 30 is_gone a
	same "$(relationships)" b "relationships"
	holds 1 /dev/mapper/b_1 0 8M
}

t_time_goes_on_while_the_pool_is_closed()
{
	raise_stage 1 16M
	snapshot a --set TimeBeforeRemoval=8 m1
	dmsetup remove a_1
	restart_pool 9
	dmsetup remove a_1 2>/dev/null || true
	# who finds the image in use looks again in a minute
	wait_for 90 is_gone a
}

# Somebody may be reading it: whoever made the image is told to take it away.
t_image_in_use_keeps_its_relationship()
{
	raise_stage 1 16M
	watch_uevents
	put 1 $M1 0 1M
	# time for the image to be made
	snapshot a --set TimeBeforeRemoval=10 m1
	put 2 $M1 0 1M
	wait_for 60 were_told relationship-expired 1
	same "$(state_of a)" Synchronized
	holds 1 /dev/mapper/a_1 0 1M
	drop a
}

# low_water MARKS: the module's parameter, for the case.
low_water()
{
	defer cp low_water.before $module_parameters/low_water
	cp $module_parameters/low_water low_water.before
	echo "$1" >$module_parameters/low_water
}

t_pool_warns_at_each_mark()
{
	make_slices 1 60M "$DISK2"
	make_small_pool 64M
	low_water 60,40,20
	attach m1 "$SLICE1"
	put 1 $M1 0 60M
	watch_uevents
	snapshot a m1
	put 2 $M1 0 16M
	sleep 1
	same "$(uevents pool-low)" 0 "warnings with three quarters free"
	put 2 $M1 16M 16M
	wait_for 10 were_told pool-low 1
	put 2 $M1 32M 10M
	wait_for 10 were_told pool-low 2
	put 2 $M1 42M 10M
	wait_for 10 were_told pool-low 3
	put 2 $M1 52M 2M
	sleep 1
	same "$(uevents pool-low)" 3 "warnings"
	drop a
	snapshot b m1
	put 3 $M1 0 32M
	wait_for 10 were_told pool-low 4
}

t_pool_warns_once_before_it_is_full()
{
	make_slices 1 56M "$DISK2"
	low_water 20
	dmsetup create small --table "0 $(sectors 64M) linear $DISK1 0"
	defer remove_dm small
	make_pool /dev/mapper/small
	attach m1 "$SLICE1"
	watch_uevents
	snapshot a m1
	put 1 $M1 0 16M
	sleep 1
	same "$(uevents pool-low)" 0 "warnings"
	put 1 $M1 16M 36M
	wait_for 10 were_told pool-low 1
	same "$(state_of a)" Synchronized
	put 2 $M1 0 52M
	sleep 1
	same "$(uevents pool-low)" 1 "warnings"
	drop a
	snapshot b m1
	put 3 $M1 0 52M
	wait_for 10 were_told pool-low 2
}

run_tests "$@"
