#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A cut of a group is one instant, however its members differ and whatever is in flight.
# guest: disks=4 size=1G timeout=1500 long parallel
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

# Slow disks, each in its own way: without a delay the guest's writes end before
# the next begins, and hardly a cut would fall between two of them.
DELAYS=(60 120 80 50 100 70)
KEPT=2

# cuts COUNT: takes and judges so many, a few of which are there at a time.
cuts()
{
	local count=$1 total mixed

	total=$(module_counter Cuts)
	mixed=$(module_counter CutsMixed)
	cutloop "$STATE" "$count" "$KEPT" c "${SOURCES[@]}" >verdicts || fail "$(tail -n 2 verdicts)"
	same "$(grep -c '^stamp: consistent' verdicts)" $((count + KEPT)) "consistent cuts"
	total=$(($(module_counter Cuts) - total))
	mixed=$(($(module_counter CutsMixed) - mixed))
	note "$count cuts, $mixed with writes of both eras in flight on two members or more"
	note "figure: cuts $count"
	same "$total" "$count" "the module's count of cuts"
	((mixed * 100 >= count * 80)) || fail "only $mixed of $count cuts fell into traffic"
	stop_writers
}

t_cuts_of_4_members()
{
	raise_stage 4 4M "${DELAYS[@]}"
	start_writers 16 --dsync 10
	cuts 250
}

t_cuts_of_6_members()
{
	raise_stage 6 4M "${DELAYS[@]}"
	start_writers 24 --dsync 10
	cuts 150
}

t_cuts_of_8_members()
{
	raise_stage 8 4M "${DELAYS[@]}"
	start_writers 32 --dsync 10
	cuts 100
}

run_tests "$@"
