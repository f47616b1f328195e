#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Index runs: what was flushed is found by images, writes and diff, over restarts, merges, deletion and damage.
# guest: disks=4 size=1G timeout=1200 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"
. "$(dirname "$0")/sums.sh"

# raise SIZE: m1 and m2 of SIZE, and a pool that flushes its index behind each MiB of log.
raise()
{
	flush_often
	make_slices 2 "$1" "$DISK2"
	make_small_pool 192M
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
}

runs() { dump_pool; grep -c '^run ' said || true; }
has_runs() { [[ $(runs) -ge 1 ]]; }
# The worker flushes when it is its turn, which may be behind the write that made it due.
await_runs() { wait_for 120 has_runs; }
used() { show p RemainingManagedSpace; }

t_images_read_what_was_flushed()
{
	raise 8M
	put 1 $M1 0 8M
	take a
	overwrite 1
	take b
	await_runs
	overwrite 2 --io_size=3m
	take c
	put 5 $M1 0 8M
	# fewer than were flushed, if they have been merged
	await_runs
	images_are_right a b c
	holds 1 /dev/mapper/a_1 0 8M
	# whole and in pieces
	dd if=/dev/mapper/b_1 of=whole bs=1M status=none iflag=direct
	dd if=/dev/mapper/b_1 of=pieces bs=1536 status=none
	cmp whole pieces
}

t_what_was_preserved_is_not_preserved_again()
{
	local before

	raise 8M
	take a
	put 5 $M1 0 8M
	await_runs
	before=$(show p PreservedChunks)
	put 6 $M1 0 8M
	same "$(show p PreservedChunks)" "$before" "chunks"
	restart
	put 7 $M1 0 8M
	same "$(show p PreservedChunks)" "$before" "chunks behind a restart"
	crash
	put 8 $M1 0 8M
	same "$(show p PreservedChunks)" "$before" "chunks behind a crash"
	image_is_right a
}

t_restarts_and_crashes_lose_nothing()
{
	local i

	raise 8M
	put 1 $M1 0 8M
	for i in 1 2 3 4; do
		take "r$i"
		overwrite "$i" --io_size=3m
		crash
		overwrite "9$i" --io_size=2m
		restart
	done
	await_runs
	images_are_right r1 r2 r3 r4
	cohortctl diff --source m1 r2 r3 | awk '{ n += $3 } END { exit(n < 2097152) }'
}

nothing_is_used() { (($(used) >= $1)); }

t_space_comes_back_in_any_order()
{
	local i free

	raise 8M
	put 1 $M1 0 8M
	free=$(used)
	for i in 1 2 3 4 5 6; do
		take "r$i"
		overwrite "$i" --io_size=6m
	done
	await_runs
	for i in 3 1 6; do
		drop "r$i"
		images_are_right r2 r4 r5
	done
	restart
	images_are_right r2 r4 r5
	for i in 4 5 2; do
		drop "r$i"
	done
	# the segment that is written to, and that of the index
	wait_for 120 nothing_is_used $((free - (8 << 20)))
	wait_for 120 no_runs_left
	same "$(show p PreservedChunks)" 0 "chunks"
}

no_runs_left() { [[ $(show p PreservedChunks) == 0 ]]; }

t_many_runs_become_few()
{
	local i

	raise 8M
	put 1 $M1 0 8M
	take a
	for i in $(seq 12); do
		take "r$i"
		overwrite "$i" --io_size=2m
	done
	wait_for 120 few_runs
	images_are_right a r1 r7 r12
	crash
	images_are_right a r1 r7 r12
	# what is hollow now is written anew, and comes up in its place
	for i in $(seq 2 6) $(seq 8 11); do
		drop "r$i"
	done
	for i in 1 2 3; do
		restart
		overwrite "3$i" --io_size=3m
		images_are_right a r1 r7 r12
	done
}

few_runs() { [[ $(runs) -le 9 ]]; }

t_group_under_load()
{
	local i

	raise 8M
	start_writers 16 --dsync 10
	for i in 1 2 3 4; do
		cut_all "g$i"
		sleep 2
	done
	await_runs
	for i in 1 2 3 4; do
		is_consistent "g$i"
	done
	drop g2
	cut_all g5
	sleep 2
	stop_writers
	for i in 1 3 4 5; do
		is_consistent "g$i"
	done
}

# Each run has a number of its own: at least eight are gone, and of those only a merge can be the end.
has_merged()
{
	dump_pool
	awk -F '[ :]' '/^run / { n++; if ($2 > last) last = $2 } END { exit(!n || last < n + 7) }' said
}

other_runs_than() { [[ $(show p IndexRuns) != "$1" ]]; }

# m2 has a write under way that the cut waits for: until it has ended no record says that there is one.
t_merge_keeps_what_an_unresolved_cut_needs()
{
	local i cut before

	raise 24M
	defer cp seal_timeout.before $module_parameters/seal_timeout
	cp $module_parameters/seal_timeout seal_timeout.before
	echo 600 >$module_parameters/seal_timeout
	put 1 $M1 0 24M
	note_sum u
	dmsetup suspend --noflush --nolockfs slice2
	defer dmsetup resume slice2
	put 2 /dev/mapper/m2 0 64K &
	wait_for 120 has_writes_inside m2
	snapshot u m1 m2 &
	cut=$!
	wait_for 120 has_cut m1
	# each piece is a flush, and of eight runs becomes one
	for ((i = 0; i < 12; i++)); do
		before=$(show p IndexRuns)
		put 5 $M1 $((i << 21)) 2M
		wait_for 120 other_runs_than "$before"
	done
	wait_for 120 has_merged
	kill -0 $cut || fail "the cut did not wait"
	dmsetup resume slice2
	wait
	image_is_right u
}

# The cache is empty behind a restart: who needs a run has to read it.
t_suspended_pool_keeps_who_has_to_read_a_run()
{
	local reader writer

	raise 8M
	put 1 $M1 0 8M
	take a
	put 5 $M1 0 8M
	await_runs
	restart
	dmsetup suspend p
	dd if=/dev/mapper/a_1 of=read bs=64K count=4 iflag=direct status=none &
	reader=$!
	put 6 $M1 4M 64K &
	writer=$!
	sleep 1
	{ kill -0 $reader && kill -0 $writer; } 2>/dev/null || fail "somebody did not wait"
	refuse -m 'the pool is suspended' cohortctl diff a
	dmsetup resume p
	wait $reader
	wait $writer
	cmp -n 262144 read /dev/mapper/a_1
	image_is_right a
	holds 6 $M1 4M 64K
}

# A pool too small for runs flushes when it has become large enough.
t_pool_that_has_grown_gets_runs()
{
	flush_often 24
	make_slices 1 32M "$DISK2"
	make_small_pool 44M
	attach m1 "$SLICE1"
	put 1 $M1 0 32M
	take a
	dmsetup load store --table "0 $(sectors 160M) linear $DISK1 0"
	dmsetup resume store
	cohortctl pool extend p >/dev/null
	put 5 $M1 0 32M
	await_runs
	image_is_right a
}

# block_of RUN: byte offset in the pool of its first block.
block_of()
{
	dump_pool
	awk -v start="$(sed -n 's/.*segments of \([0-9]*\) from \([0-9]*\) on.*/\1 \2/p' said | head -n 1)" '
		/^run / && ++n == '"$1"' {
			split(start, s, " ")
			print s[2] + s[1] * $27 + 4096 * $24
		}' said
}

# With image a of m1, and the first block of the first run damaged behind a restart.
raise_damaged()
{
	local at

	raise 8M
	put 1 $M1 0 8M
	take a
	# too few runs to be merged meanwhile
	put 5 $M1 0 4M
	await_runs
	restart
	at=$(block_of 1)
	dd if=/dev/zero of=/dev/mapper/store bs=1 seek=$((at + 40)) count=64 conv=notrunc status=none
	blockdev --flushbufs /dev/mapper/store
}

is_failed() { [[ $(show p State) == Failed ]]; }

# To preserve once more what was preserved would keep what is new: better no snapshot.
t_write_that_can_not_know_breaks_the_snapshots()
{
	raise_damaged
	put 6 $M1 0 8M
	wait_for 120 is_failed
	same "$(show a CopyState)" Broken
	holds 6 $M1 0 8M
	refuse dd if=/dev/mapper/a_1 of=/dev/null bs=4K count=1 iflag=direct
	refuse cohortctl delete a
	strike_by_force
	cohortctl pool check --repair /dev/mapper/store >words || [[ $? -eq 4 ]]
	cohortctl pool open /dev/mapper/store >/dev/null
	same "$(show a CopyState)" Broken "behind a restart"
}

t_damaged_run_is_told_and_mended()
{
	raise_damaged
	refuse dd if=/dev/mapper/a_1 of=/dev/null bs=1M iflag=direct
	refuse -m '1 damaged index runs' cohortctl pool scrub p
	cohortctl detach m1 >/dev/null
	cohortctl detach m2 >/dev/null
	cohortctl pool close p >/dev/null
	cohortctl pool check --repair /dev/mapper/store >words
	grep -q 'is taken from the log again' words
	cohortctl pool open /dev/mapper/store >/dev/null
	attach_again m1 "$SLICE1"
	attach_again m2 "$SLICE2"
	image_is_right a
	cohortctl pool scrub p >/dev/null
}

run_tests "$@"
