#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A pool that stays full under load for a minute (an hour with --long) neither stops a writer nor loses memory.
# guest: disks=4 size=1G timeout=700 soak sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

SOAK=${COHORT_SOAK:-60}
MORE=300
# An index entry lost with each chunk that is preserved would come to more in a minute.
LEAST_LEAK_KB=16384
M1=/dev/mapper/m1
M2=/dev/mapper/m2

raise()
{
	flush_often
	make_slices 2 48M "$DISK2"
	make_small_pool 64M
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	put 1 $M1 0 48M
	put 1 $M2 0 48M
}

unreclaimable_kb() { awk '/^SUnreclaim:/ { print $2 }' /proc/meminfo; }
writes_done() { awk '{ print $5 }' "/sys/block/$(dmsetup info -c --noheadings -o blkdevname "$1")/stat"; }

# went_on DEVICE COUNT: writes have ended since there were COUNT.
went_on() { (($(writes_done "$1") > $2)); }

# The size of the pool is preserved again and again: each snapshot lives until it breaks.
overwrite()
{
	local seed=2

	while :; do
		put $((seed++ % 100)) $M2 0 48M
	done
}

# Of what has broken nobody has a use; adds to BROKEN.
drop_broken()
{
	local name

	for name in $(relationships); do
		if [[ $(show "$name" CopyState) == Broken ]]; then
			drop "$name"
			BROKEN=$((BROKEN + 1))
		fi
	done
}

# soak SECONDS: snapshots all the time, until some have broken; each finds both writers going on.
soak()
{
	local end=$((SECONDS + $1)) n=0 writes1 writes2

	while ((SECONDS < end || (BROKEN < 3 && SECONDS < end + MORE))); do
		writes1=$(writes_done $M1)
		writes2=$(writes_done $M2)
		n=$((n + 1))
		snapshot "s$n" m1 m2
		wait_for 60 went_on $M1 "$writes1"
		wait_for 60 went_on $M2 "$writes2"
		((n % 4)) || drop_broken
	done
	note "$n snapshots in $1 s, $BROKEN have broken"
}

drop_all()
{
	local name

	for name in $(relationships); do
		drop "$name"
	done
}

nothing_preserved() { [[ $(show p PreservedChunks) == 0 ]]; }

t_no_writer_stops_and_no_memory_goes()
{
	local writer over before kb

	raise
	BROKEN=0
	timeout $((SOAK + MORE + 400)) iocheck rand-verify --seed "$RANDOM" \
		--seconds $((SOAK + MORE + 60)) --size 64K --shadow one $M1 &
	writer=$!
	overwrite &
	over=$!
	before=$(unreclaimable_kb)
	soak "$SOAK"
	((BROKEN >= 3)) || fail "the pool was not full for long"
	kill $over
	wait $over || true
	# it ends between two of its requests
	kill $writer
	wait $writer || fail "a writer saw an error"
	iocheck compare --shadow one $M1
	drop_all
	wait_for 30 nothing_preserved
	kb=$(($(unreclaimable_kb) - before))
	note "$kb KiB more of unreclaimable memory"
	((kb < LEAST_LEAK_KB)) || fail "memory has gone"
}

run_tests "$@"
