#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Segments that are dead for the most part are freed when space is short: what is needed moves, and nobody notices.
# guest: disks=4 size=1G timeout=1200 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

M1=/dev/mapper/m1
M2=/dev/mapper/m2

# raise SIZE POOL: m1 and m2.
raise()
{
	local i

	make_slices 2 "$1" "$DISK2"
	make_small_pool "$2"
	for i in 1 2; do
		attach "m$i" "/dev/mapper/slice$i"
		put 1 "/dev/mapper/m$i" 0 "$1"
	done
}

moved() { show p MovedChunks; }
have_moved() { [[ $(moved) -gt $1 ]]; }
state() { show "$1" CopyState; }
free_space() { show p RemainingManagedSpace; }

# mix DEVICE SEED MIB: that, and m2, in turns, so that each segment holds chunks of both.
mix()
{
	local at

	for ((at = 0; at < $3 << 20; at += 128 << 10)); do
		put "$2" "$1" $at 128K
		put "$2" $M2 $at 128K
	done
}

# The log takes a segment, which makes the pool look after itself.
stir()
{
	snapshot stir m2
	put $RANDOM $M2 0 1M
	cohortctl delete stir >/dev/null
}

# stir_until COMMAND...
stir_until()
{
	local i

	for ((i = 0; i < 20; i++)); do
		stir
		"$@" && return
	done
	fail "$* does not come true"
}

check_offline()
{
	close_pool
	cohortctl pool check /dev/mapper/store
	open_pool
}

# Half of each segment goes: without cleaning all of them would be in use, and a had to break.
t_space_between_what_is_needed_comes_back()
{
	echo 6 >$module_parameters/clean_free
	defer eval "echo 0 >$module_parameters/clean_free"
	raise 7M 20M
	snapshot a m1
	snapshot b m2
	mix $M1 2 7
	cohortctl delete b >/dev/null
	snapshot c m2
	put 3 $M2 0 7M
	cohortctl delete c >/dev/null
	snapshot d m2
	put 4 $M2 0 7M
	same "$(state a)" Synchronized
	same "$(state d)" Synchronized
	have_moved 0
	holds 1 /dev/mapper/a_1 0 7M
	holds 3 /dev/mapper/d_1 0 7M
	check_offline
	holds 1 /dev/mapper/a_1 0 7M
	holds 3 /dev/mapper/d_1 0 7M
	same "$(damaged)" 0 "damaged chunks"
}

# What has nothing to be moved for breaks as before.
t_full_pool_breaks_the_oldest()
{
	clean_always
	raise 12M 20M
	snapshot a m1
	put 2 $M1 0 10M
	snapshot b m2
	put 2 $M2 0 12M
	same "$(state a)" Broken
	same "$(state b)" Synchronized
	holds 1 /dev/mapper/b_1 0 12M
}

# A segment holds three of them, so that to move three gains nothing.
t_chunks_as_large_as_can_be()
{
	clean_always
	make_slices 2 12M "$DISK2"
	dmsetup create store --table "0 $(sectors 23M) linear $DISK1 0"
	defer remove_dm store
	cohortctl pool create --force --chunk 64K p /dev/mapper/store >/dev/null
	defer strike_stage
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	put 1 $M2 0 12M
	snapshot a m1
	put 2 $M1 0 10M
	snapshot b m2
	put 2 $M2 0 12M
	same "$(state a)" Broken
	same "$(state b)" Synchronized
	holds 1 /dev/mapper/b_1 0 12M
	stir
	holds 1 /dev/mapper/b_1 0 12M
}

# An entry that moved is in the index again, in a younger run then, and in one that is merged.
t_runs_say_old_places()
{
	flush_often
	clean_always
	raise 3M 16M
	snapshot a m1
	snapshot b m2
	mix $M1 2 3
	stir
	cohortctl delete b >/dev/null
	stir_until have_moved 300
	holds 1 /dev/mapper/a_1 0 3M
	restart
	holds 1 /dev/mapper/a_1 0 3M
	# segments that were freed are written anew
	for i in 1 2 3 4 5 6; do
		stir
	done
	holds 1 /dev/mapper/a_1 0 3M
	crash
	holds 1 /dev/mapper/a_1 0 3M
	check_offline
	stir
	holds 1 /dev/mapper/a_1 0 3M
	same "$(damaged)" 0 "damaged chunks"
	cohortctl delete a >/dev/null
	wait_for 20 nothing_is_used
}

nothing_is_used() { [[ $(free_space) -ge $((11 << 20)) ]]; }

# two_versions COMMAND: of each chunk; the older ones are moved, and leave the index behind the newer ones.
two_versions()
{
	flush_often
	clean_always
	raise 3M 24M
	snapshot a m1
	snapshot b m2
	mix $M1 2 3
	snapshot c m1
	put 3 $M1 0 3M
	cohortctl delete b >/dev/null
	stir_until have_moved 300
	"$1"
	holds 1 /dev/mapper/a_1 0 3M
	holds 2 /dev/mapper/c_1 0 3M
	stir
	stir
	cohortctl delete a >/dev/null
	stir
	holds 2 /dev/mapper/c_1 0 3M
	same "$(space_of c)" $((3 << 20)) "space of c"
	cohortctl delete c >/dev/null
	wait_for 20 nothing_is_used
}

space_of() { show "$1" SpaceConsumed; }

t_two_versions_of_each_chunk() { two_versions stir; }
t_two_versions_over_a_restart() { two_versions restart; }
t_two_versions_over_a_crash() { two_versions crash; }

read_again_and_again()
{
	while [[ ! -e enough ]]; do
		holds 1 /dev/mapper/a_1 0 2M || return
	done
}

t_images_are_read_meanwhile()
{
	local reader i

	clean_always
	raise 2M 16M
	snapshot a m1
	snapshot b m2
	mix $M1 2 2
	read_again_and_again &
	reader=$!
	cohortctl delete b >/dev/null
	for i in 1 2 3 4 5 6; do
		snapshot "b$i" m2
		put "$i" $M2 0 2M
		cohortctl delete "b$i" >/dev/null
	done
	touch enough
	wait $reader
	have_moved 0
	same "$(damaged)" 0 "damaged chunks"
}

# What was written last counts, wherever in the log it lies.
t_written_images()
{
	clean_always
	raise 4M 16M
	snapshot a m1 --writable
	snapshot b m2
	mix /dev/mapper/a_1 2 2
	cohortctl delete b >/dev/null
	put 3 /dev/mapper/a_1 0 512K
	stir_until have_moved 100
	put 4 /dev/mapper/a_1 512K 512K
	holds 3 /dev/mapper/a_1 0 512K
	holds 4 /dev/mapper/a_1 512K 512K
	holds 2 /dev/mapper/a_1 1M 1M
	holds 1 /dev/mapper/a_1 2M 2M
	crash
	holds 3 /dev/mapper/a_1 0 512K
	holds 4 /dev/mapper/a_1 512K 512K
	holds 2 /dev/mapper/a_1 1M 1M
	holds 1 /dev/mapper/a_1 2M 2M
	check_offline
	cohortctl reset a >/dev/null
	holds 1 /dev/mapper/a_1 0 4M
}

# rewrite: chunks of the image that are moved at the same time.
rewrite()
{
	local i

	for i in 5 6 7 8 9; do
		put "$i" /dev/mapper/a_1 0 1M || return
	done
}

t_images_are_written_meanwhile()
{
	local writer i

	flush_often
	clean_always
	raise 4M 16M
	snapshot a m1 --writable
	put 4 /dev/mapper/a_1 0 2M
	rewrite &
	writer=$!
	for i in 1 2 3 4; do
		stir
	done
	wait $writer
	stir
	have_moved 0
	holds 9 /dev/mapper/a_1 0 1M
	holds 4 /dev/mapper/a_1 1M 1M
	crash
	holds 9 /dev/mapper/a_1 0 1M
	holds 4 /dev/mapper/a_1 1M 1M
	holds 1 /dev/mapper/a_1 2M 2M
}

# One chunk that is not what it should be stays where it is, and is told of; the others move.
t_damaged_chunk_stays()
{
	raise 2M 16M
	snapshot a m1
	snapshot b m2
	mix $M1 2 2
	flip $(($(address_of 77) + 100))
	clean_always
	cohortctl delete b >/dev/null
	stir_until have_moved 150
	refuse chunk /dev/mapper/a_1 77
	holds 1 /dev/mapper/a_1 0 $((77 * 4096))
	holds 1 /dev/mapper/a_1 $((78 * 4096)) $((2 * 1024 * 1024 - 78 * 4096))
	same "$(damaged)" 1 "damaged chunks"
	stir
	stir
	same "$(damaged)" 1 "damaged chunks"
}

run_tests "$@"
