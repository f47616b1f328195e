#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A full pool with --on-full hold: writes wait for space, for so long and no longer, and nothing else waits for them.
# guest: disks=2 size=256M timeout=300 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

M1=/dev/mapper/m1
M2=/dev/mapper/m2

# A pool of 64 MiB below two members of 60 MiB.
raise()
{
	make_slices 2 60M "$DISK2"
	make_small_pool 64M
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	put 1 $M1 0 60M
	put 1 $M2 0 60M
}

hold() { snapshot "$1" --on-full "hold:$2" "${@:3}"; }
state_of() { show "$1" CopyState; }
is_broken() { [[ $(state_of "$1") == Broken ]]; }

# fill SEED: writes both members, in the background, and comes back when they wait.
fill()
{
	put "$1" $M1 0 60M && put "$1" $M2 0 60M &
	WRITER=$!
	wait_for 200 waits
}

# Not one chunk more is preserved, and there is no room for one.
waits()
{
	local before

	before=$(show p PreservedChunks)
	sleep 1
	(($(show p RemainingManagedSpace) < 4 << 20)) && [[ $(show p PreservedChunks) == "$before" ]] && kill -0 "$WRITER"
}

t_writes_go_on_when_space_comes_back()
{
	raise
	snapshot old m1
	hold r 3600 m1 m2
	fill 2
	is_broken old || fail "one that does not ask for it stopped the writers"
	same "$(state_of r)" Synchronized "state of the one that does"
	holds 1 /dev/mapper/r_1 0 60M
	drop r
	wait "$WRITER" || fail "the writer saw an error"
	holds 2 $M1 0 60M
	holds 2 $M2 0 60M
}

t_breaks_when_the_time_is_over()
{
	raise
	watch_uevents
	hold r 4 m1 m2
	put 2 $M1 0 60M
	put 2 $M2 0 60M
	is_broken r
	same "$(grep -oxE 'COHORT_EVENT=(pool-full|relationship-broken)' uevents | paste -sd ' ')" \
		"COHORT_EVENT=pool-full COHORT_EVENT=relationship-broken" "events"
	holds 2 $M1 0 60M
	holds 2 $M2 0 60M
	# a full pool again, and the time begins anew
	drop r
	hold s 3600 m1 m2
	fill 3
	same "$(state_of s)" Synchronized
	wait_for 10 were_told pool-full 2
	drop s
	wait "$WRITER" || fail "the writer saw an error"
}

# Those who read images or another member, cut, suspend or look.
t_nobody_else_waits()
{
	raise
	make_null 1 16
	attach m3 "$NULL1"
	hold r 3600 m1 m2
	fill 2
	put 5 /dev/mapper/m3 0 1M
	holds 1 /dev/mapper/r_1 0 60M
	# one that would rather break than wait is broken at once
	hold s 3600 m3
	drop s
	dmsetup suspend --noflush m1
	dmsetup resume m1
	dmsetup suspend p
	dmsetup resume p
	cohortctl list >/dev/null
	same "$(state_of r)" Synchronized
	drop r
	wait "$WRITER" || fail "the writer saw an error"
	holds 2 $M2 0 60M
}

t_setting_is_kept_and_shown()
{
	raise
	hold r 7 m1
	snapshot b --on-full break m1
	snapshot h --on-full hold m1
	refuse -m 'break' snapshot x --on-full maybe m1
	refuse -m 'HoldTime' snapshot x --on-full hold:0 m1
	refuse -m 'HoldTime' snapshot x --on-full hold:9h m1
	refuse -m 'FailedCopyStopsHostIO' snapshot x --target-setting HoldTime=7 m1
	cohortctl detach m1
	cohortctl detach m2
	cohortctl pool close p
	cohortctl pool open /dev/mapper/store
	attach_again m1 "$SLICE1"
	attach_again m2 "$SLICE2"
	same "$(show r HoldTime) $(show r FailedCopyStopsHostIO)" "7 true"
	same "$(show b HoldTime) $(show b FailedCopyStopsHostIO)" "0 false"
	same "$(show h HoldTime) $(show h FailedCopyStopsHostIO)" "60 true"
}

run_tests "$@"
