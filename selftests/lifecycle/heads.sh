#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Side heads of the log: what they wrote is found by images and restarts, and they hold nothing back.
# guest: disks=4 size=1G timeout=900 long sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"
. "$(dirname "$0")/sums.sh"

M2=/dev/mapper/m2

# raise [POOL [HEADS [MIB]]]: m1 and m2 of 4 MiB, and a pool whose heads are all at work when there is anything to do.
# Its index is flushed behind each MIB of log.
raise()
{
	flush_often "${3:-4}"
	many_heads "${2:-4}"
	make_slices 2 4M "$DISK2"
	make_small_pool "${1:-192M}"
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	put 1 $M1 0 4M
	put 1 $M2 0 4M
}

# Of both, which bring what they have to preserve to heads of their own.
take() { note_sum "$1"; snapshot "$@" m1 m2; }

# load SEED: both, with much under way.
load()
{
	overwrite "$1" --iodepth=64 &
	fio --name=v --filename=$M2 --direct=1 --rw=randwrite --bs=4k --iodepth=64 \
		--ioengine=libaio --output=/dev/null --randseed="$1"
	wait $!
}

# Segments that side heads have, or had and somebody needs.
sides()
{
	dump_pool
	grep -c '^segment .* side log' said || true
}

has_sides() { (($(sides) >= 1)); }

t_side_heads_write_what_is_much()
{
	raise
	take a
	load 1
	has_sides || fail "no side head has written"
	take b
	load 2
	images_are_right a b
	holds 1 /dev/mapper/a_1 0 4M
}

t_restarts_and_crashes_lose_nothing()
{
	local i seen=0

	raise
	for i in 1 2 3; do
		take "r$i"
		load "$i"
		crash
		has_sides && seen=1
		load "1$i"
		restart
		images_are_right r1 "r$i"
	done
	((seen)) || fail "no side head has written"
	images_are_right r1 r2 r3
	close_pool
	cohortctl pool check /dev/mapper/store
	open_pool
	images_are_right r1 r2 r3
}

t_group_under_load()
{
	local i

	raise
	start_writers 16 --dsync 10
	for i in 1 2 3 4; do
		cut_all "g$i"
		sleep 1
		is_consistent "g$i"
	done
	stop_writers
	has_sides || fail "no side head has written"
	crash
	for i in 1 2 3 4; do
		is_consistent "g$i"
	done
}

log_start() { dump_pool; sed -n 's/.*log from segment of use \([0-9]*\) on.*/\1/p' said | sort -n | tail -n 1; }
newest_side() { sed -n 's/^segment [0-9]*: use \([0-9]*\),.* side log.*/\1/p' said | sort -n | tail -n 1; }
sides_are_behind() { (($(log_start) > $(newest_side))); }

# It has a segment begun and another one prepared, and nothing to do: the log can not begin behind those.
t_idle_side_head_holds_no_flush_back()
{
	raise 192M 2 1
	take a
	load 1
	has_sides || fail "no side head has written"
	take b
	# a write at a time: the main head's
	overwrite 3 --rw=write --bs=16k --iodepth=1
	wait_for 120 sides_are_behind
	images_are_right a b
	crash
	images_are_right a b
}

starts_behind_most() { (($(log_start) + 4 > $(newest_side))); }

# All goes by the head of one source, and the main one has a segment begun.
t_idle_main_head_holds_no_flush_back()
{
	local i

	raise 192M 2 1
	take a
	for i in 1 2 3; do
		fio --name=v --filename=$M2 --direct=1 --rw=randwrite --bs=4k --iodepth=64 \
			--ioengine=libaio --output=/dev/null --randseed="$i"
		snapshot "b$i" m2
	done
	has_sides || fail "no side head has written"
	wait_for 120 starts_behind_most
	crash
	image_is_right a
	holds 1 /dev/mapper/a_2 0 4M
}

nothing_is_used() { (($(show p RemainingManagedSpace) >= $1)); }
nothing_is_kept() { [[ $(show p PreservedChunks) == 0 ]]; }

t_space_of_side_heads_comes_back()
{
	local free i

	raise
	free=$(show p RemainingManagedSpace)
	for i in 1 2 3; do
		take "r$i"
		load "$i"
	done
	has_sides || fail "no side head has written"
	for i in 2 1 3; do
		drop "r$i"
	done
	# what is written to, and the index
	wait_for 120 nothing_is_used $((free - (8 << 20)))
	wait_for 120 nothing_is_kept
}

t_one_head_is_one_log()
{
	raise 192M 1
	take a
	load 1
	same "$(sides)" 0 "side segments"
	grep -q 'may have side logs' said && fail "the superblock tells of side logs"
	image_is_right a
}

# Numbers of the main log order what is written to an image.
t_images_are_written_beside_it()
{
	local i

	raise
	take a --writable
	for i in 1 2 3; do
		load "$i" &
		put "4$i" /dev/mapper/a_1 0 2M
		wait $!
	done
	has_sides || fail "no side head has written"
	holds 43 /dev/mapper/a_1 0 2M
	crash
	holds 43 /dev/mapper/a_1 0 2M
	restart
	holds 43 /dev/mapper/a_1 0 2M
	holds 1 /dev/mapper/a_1 2M 2M
}

have_moved() { (($(show p MovedChunks) > 0)); }

# The place of what was moved is said by the main log, and the first one by a side log.
t_chunks_of_side_segments_move()
{
	raise
	clean_always
	take a
	load 1
	has_sides || fail "no side head has written"
	take b
	put 3 $M1 0 1M
	drop a
	take c
	put 4 $M1 0 4M
	wait_for 120 have_moved
	images_are_right b c
	crash
	images_are_right b c
	restart
	images_are_right b c
}

is_broken() { [[ $(show "$1" CopyState) == Broken ]]; }

t_full_pool_breaks_the_oldest_alone()
{
	local name i=0

	raise 32M
	for name in a b c d; do
		take $name
		load $((++i))
	done
	is_broken a || fail "the pool was not full"
	same "$(show c CopyState)" Synchronized "one of the newest"
	images_are_right c d
	restart
	load 5
	images_are_right d
}

# A pool that was closed has no end of a log that nobody would miss.
t_ends_of_side_logs_are_missed()
{
	local at

	raise
	# so that no run says it, too
	echo 900 >$module_parameters/flush_log
	restart
	take a
	load 1
	close_pool
	has_sides || fail "no side head has written"
	same "$(grep -c '^segment .*, 0 bytes, side log' said || true)" 0 "open side segments"
	at=$(sed -n 's/.* byte \([0-9]*\), .* by a side log,.*/\1/p' said | tail -n 1)
	printf '\377' | dd of=/dev/mapper/store bs=1 seek=$((at + 90)) conv=notrunc status=none
	blockdev --flushbufs /dev/mapper/store
	refuse -m damaged open_pool
	refuse -m repairable cohortctl pool check /dev/mapper/store
	cohortctl pool check --repair /dev/mapper/store
	open_pool
	# what it kept is lost: better no snapshot than a wrong one
	is_broken a
}

run_tests "$@"
