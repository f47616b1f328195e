#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Cuts while members are suspended, resumed and given new tables.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

t_suspended_members_are_cut()
{
	raise_stage 2 8M
	put 1 /dev/mapper/m1 0 1M
	put 1 /dev/mapper/m2 0 1M
	dmsetup suspend m1
	defer dmsetup resume m1
	snapshot r m1 m2
	dmsetup resume m1
	put 2 /dev/mapper/m1 0 1M
	put 2 /dev/mapper/m2 0 1M
	holds 1 /dev/mapper/r_1 0 1M
	holds 1 /dev/mapper/r_2 0 1M
}

# What waits in device-mapper was never issued to the member: it comes after the cut.
t_write_that_waits_for_a_resume_comes_after_the_cut()
{
	local writer

	raise_stage 2 8M
	put 1 /dev/mapper/m1 0 1M
	dmsetup suspend --noflush m1
	defer dmsetup resume m1
	put 2 /dev/mapper/m1 0 1M &
	writer=$!
	sleep 0.5
	snapshot r m1 m2
	dmsetup resume m1
	wait $writer
	holds 1 /dev/mapper/r_1 0 1M
	holds 2 /dev/mapper/m1 0 1M
}

restless()
{
	local m

	while [[ ! -e quiet ]]; do
		for m in "${SOURCES[@]}"; do
			dmsetup suspend "$@" "$m"
			dmsetup load "$m" --table "$(dmsetup table "$m")"
			dmsetup resume "$m"
		done
	done
}

cuts_among_reloads()
{
	local i writers

	raise_stage 4 8M 60 90
	start_writers 16
	restless "$@" &
	writers=$!
	for ((i = 1; i <= 6; i++)); do
		cut_all "s$i"
		is_consistent "s$i"
	done
	touch quiet
	wait $writers
	is_consistent s1
	stop_writers
}

t_members_reloaded_during_cuts() { cuts_among_reloads; }
t_members_reloaded_without_flush_during_cuts() { cuts_among_reloads --noflush; }

t_member_suspended_while_its_cut_waits()
{
	local cut suspend

	raise_stage 2 8M
	put 1 /dev/mapper/m1 0 1M
	dmsetup suspend --noflush --nolockfs slice1
	defer dmsetup resume slice1
	put 2 /dev/mapper/m1 0 64K &
	wait_for 20 has_writes_inside m1
	snapshot r m1 m2 &
	cut=$!
	wait_for 20 has_cut m1
	dmsetup suspend m1 &
	suspend=$!
	sleep 0.5
	dmsetup resume slice1
	wait $suspend
	dmsetup resume m1
	wait $cut
	holds 2 /dev/mapper/r_1 0 64K
}

run_tests "$@"
