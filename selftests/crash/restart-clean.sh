#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Restarts without a power cut: clean, and after everything was torn down by hand.
# guest: disks=4 size=1G timeout=600
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

take_down()
{
	local m

	for m in "${SOURCES[@]}"; do
		cohortctl detach "$m" >/dev/null
	done
	cohortctl pool close p >/dev/null
	rmmod dm_cohort
	modprobe dm_cohort
}

take_up()
{
	local m

	cohortctl pool open "$DISK1" >/dev/null
	for m in "${SOURCES[@]}"; do
		attach_again "$m" "/dev/mapper/slice${m#m}"
	done
}

# Two restarts, so that what the first one wrote is read too.
t_cuts_are_there_after_a_clean_restart()
{
	local round last=0

	raise_stage 4 8M
	for round in 1 2 3; do
		STATE=state$round
		start_writers 8
		cut_all "a$round"
		stamp wait "$STATE" 500
		cut_all "b$round"
		stamp wait "$STATE" 500
		stop_writers
		is_consistent "a$round"
		(($(show "b$round" Epoch) > $(show "a$round" Epoch)))
		(($(show "a$round" Epoch) > last))
		last=$(show "b$round" Epoch)
		take_down
		take_up
		for ((i = 1; i <= round; i++)); do
			is_consistent "a$i"
			is_consistent "b$i"
		done
	done
	drop a2
	take_down
	take_up
	refuse cohortctl show a2
	is_consistent a1
	is_consistent b3
}

# dmsetup instead of cohortctl: nobody took fingerprints, nothing was marked clean.
t_cuts_are_there_after_removal_by_hand()
{
	local name

	raise_stage 2 8M
	start_writers 8
	cut_all a
	stamp wait "$STATE" 500
	stop_writers
	for name in a_1 m2 a_2 m1 p; do
		dmsetup remove --retry "$name"
	done
	rmmod dm_cohort
	modprobe dm_cohort
	take_up
	is_consistent a
	snapshot b m1 m2
	put 1 /dev/mapper/m1 6M 64K
	is_consistent a
}

t_prepared_and_broken_ones_come_back_as_they_were()
{
	raise_stage 2 8M
	snapshot whole m1 m2
	snapshot later --wait Inactive m1 m2
	cohortctl group create kept m2 m1 >/dev/null
	take_down
	take_up
	same "$(show whole CopyState)" Synchronized
	same "$(show later CopyState)" Inactive
	same "$(show kept ReservedAs)" Source
	cohortctl activate later
	same "$(show later CopyState)" Synchronized
	cohortctl group delete kept
}

run_tests "$@"
