#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bits that flip in a pool: an error of the image that reads them, an event, a count; scrub finds them, and nothing else.
# guest: disks=2 size=256M timeout=300 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

M1=/dev/mapper/m1

raise()
{
	make_slices 2 8M "$DISK2"
	make_small_pool 64M
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	put 1 $M1 0 8M
}

t_flipped_bit_is_an_error_an_event_and_a_count()
{
	raise
	watch_uevents
	snapshot r m1
	put 2 $M1 0 8M
	cohortctl pool scrub p
	same "$(damaged)" 0
	flip $(($(address_of 7) + 1000))
	chunk /dev/mapper/r_1 6
	refuse chunk /dev/mapper/r_1 7
	chunk /dev/mapper/r_1 8
	refuse dd if=/dev/mapper/r_1 of=/dev/null bs=64K count=1 iflag=direct
	same "$(damaged)" 1
	wait_for 10 were_told pool-damaged 1
	same "$(state_of_rel r)" Synchronized
	holds 2 $M1 0 8M
	# one more, that nobody has read
	flip "$(address_of 1000)"
	refuse -m '2 damaged chunks and 0 damaged batches' cohortctl pool scrub p
	same "$REFUSED_STATUS" 4
	wait_for 10 were_told pool-damaged 2
	refuse chunk /dev/mapper/r_1 1000
	same "$(damaged)" 2
	# what nobody needs any more is no damage
	drop r
	snapshot s m1
	put 3 $M1 0 8M
	holds 2 /dev/mapper/s_1 0 8M
}

state_of_rel() { show "$1" CopyState; }

t_damaged_batches_are_told()
{
	local at

	raise
	snapshot r m1
	put 2 $M1 0 8M
	at=$(dump_pool | sed -n 's/^\tbatch [0-9]*: segment 0, byte \([0-9]*\), .* chunks.*/\1/p' | head -n 1)
	flip $((at + 90))
	refuse -m '0 damaged chunks and 1 damaged batches' cohortctl pool scrub p
	# the index is in memory: the image goes on
	holds 1 /dev/mapper/r_1 0 8M
}

t_nothing_is_found_while_segments_come_and_go()
{
	local i end=$((SECONDS + 15))

	raise
	while ((SECONDS < end)); do
		for i in 1 2 3; do
			snapshot "r$i" m1 m2
			put $((RANDOM % 100 + 3)) $M1 0 4M
		done
		for i in 2 1 3; do drop "r$i"; done
	done &
	for i in {1..12}; do
		cohortctl pool scrub p >/dev/null
	done
	same "$(damaged)" 0
	wait
}

t_pool_is_suspended_and_closed_meanwhile()
{
	local job

	raise
	snapshot r m1
	put 2 $M1 0 8M
	dmsetup suspend p
	job=$(cohortctl pool scrub --no-wait --json p | number Job)
	sleep 1
	dmsetup resume p
	[[ -z $job ]] || cohortctl job wait "$job"
	cohortctl pool scrub --no-wait p
	cohortctl detach m1
	cohortctl detach m2
	cohortctl pool close p
	SOURCES=()
	cohortctl pool open /dev/mapper/store
}

t_refusals()
{
	raise
	refuse -m 'there is no pool "q"' cohortctl pool scrub q
	cohortctl pool scrub --timeout 60 p
}

run_tests "$@"
