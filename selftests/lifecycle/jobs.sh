#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A job that works for long rests, goes on and ends before its time when it is asked; and no other.
# guest: disks=2 size=256M timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# A pool whose reads take their time, so that a scrub of it is there to be asked.
READ_MS=200

# pool_table MS: of the device below the pool.
pool_table() { echo "0 $(sectors 64M) delay $DISK1 0 $1 $DISK1 0 0"; }

raise()
{
	modprobe dm-delay
	make_slices 1 8M "$DISK2"
	dmsetup create store --table "$(pool_table 0)"
	defer remove_dm store
	make_pool /dev/mapper/store
	attach m1 "$SLICE1"
	put 1 /dev/mapper/m1 0 8M
	snapshot r m1
	put 2 /dev/mapper/m1 0 8M
	exchange "$READ_MS"
}

# exchange MS: from now on each read takes so long.
exchange()
{
	dmsetup load store --table "$(pool_table "$1")"
	dmsetup resume store
}

# scrub: begins one, and leaves its number in JOB.
scrub()
{
	JOB=$(cohortctl pool scrub p --no-wait --json | number Job)
	[[ $JOB ]] || fail "no job"
}

of_job() { cohortctl job show "$JOB" --json | number "$1"; }
job_is() { [[ $(of_job JobState) == "$1" ]]; }

# pause: and it does rest.
pause()
{
	cohortctl job pause "$JOB" >/dev/null
	wait_for 30 job_is Suspended
}

t_paused_one_rests_and_goes_on()
{
	local done_before

	raise
	scrub
	pause
	done_before=$(of_job BytesDone)
	sleep 2
	job_is Suspended || fail "it is $(of_job JobState)"
	same "$(of_job BytesDone)" "$done_before" "bytes"
	(($(of_job BytesDone) < $(of_job BytesTotal))) || fail "nothing is left to do"
	# nobody waits for it
	put 3 /dev/mapper/m1 0 1M
	snapshot s m1
	exchange 0
	cohortctl job resume "$JOB" >/dev/null
	cohortctl job wait "$JOB" >/dev/null
	same "$(of_job JobState)" Completed
	same "$(of_job PercentComplete)" 100
	same "$(of_job BytesDone)" "$(of_job BytesTotal)" "bytes"
	[[ $(of_job SuspendedTime) == [2-9].* || $(of_job SuspendedTime) == [1-9][0-9]*.* ]] ||
		fail "suspended for $(of_job SuspendedTime) s"
	[[ $(of_job SecondsLeft) == '' && $(of_job BytesPerSecond) -gt 0 ]] || fail "no rate"
}

# ended_early: JOB was terminated, and whoever waits for it is told.
ended_early()
{
	refuse -m "job $JOB was terminated" cohortctl job wait "$JOB"
	same "$(of_job JobState)" Terminated
	same "$(of_job ErrorCode)" 125
}

t_cancelled_one_ends()
{
	raise
	scrub
	cohortctl job cancel "$JOB" >/dev/null
	ended_early
	scrub
	pause
	cohortctl job cancel "$JOB" >/dev/null
	ended_early
	# it leaves nothing behind
	exchange 0
	cohortctl pool scrub p >/dev/null
	holds 1 /dev/mapper/r_1 0 8M
}

t_pool_that_closes_ends_it()
{
	raise
	scrub
	pause
	cohortctl detach m1 >/dev/null
	timeout 60 cohortctl pool close p >/dev/null
	refuse -m 'pool "p" has gone' cohortctl job wait "$JOB"
	same "$(of_job JobState)" Exception
	refuse -m "job $JOB has ended" cohortctl job pause "$JOB"
	exchange 0
	cohortctl pool open /dev/mapper/store >/dev/null
	attach_again m1 "$SLICE1"
	holds 1 /dev/mapper/r_1 0 8M
}

t_what_cannot_be_asked()
{
	raise
	scrub
	refuse -m "job $JOB is not suspended" cohortctl job resume "$JOB"
	refuse -m "pool \"p\" is being scrubbed by job $JOB" cohortctl pool scrub p
	pause
	refuse -m "job $JOB is suspended already" cohortctl job pause "$JOB"
	exchange 0
	cohortctl job resume "$JOB" >/dev/null
	cohortctl job wait "$JOB" >/dev/null
	for word in pause resume cancel; do
		refuse -m "job $JOB has ended" cohortctl job "$word" "$JOB"
	done
	refuse -m 'there is no job 4000000000' cohortctl job pause 4000000000
	same "$(of_job JobState)" Completed
}

# A cut does not wait, and must not: it is there or it is not.
t_cut_can_not_be_paused()
{
	raise
	dmsetup suspend --noflush slice1
	defer dmsetup resume slice1
	put 3 /dev/mapper/m1 0 4K &
	wait_for 10 has_writes_inside m1
	JOB=$(cohortctl replicate --type snapshot --name s m1 --no-wait --json | number Job)
	refuse -m "job $JOB can be neither suspended nor terminated" cohortctl job pause "$JOB"
	refuse -m "job $JOB can be neither suspended nor terminated" cohortctl job cancel "$JOB"
	dmsetup resume slice1
	wait
	exchange 0
	cohortctl job wait "$JOB" >/dev/null
	# but for what was under way
	holds 2 /dev/mapper/s_1 1M 7M
}

# tells STATE...: events told of JOB in these states, in that order.
tells()
{
	local states="s/.*job $JOB.* \(Suspended\|Running\|Terminated\)\b.*/\1/p"

	[[ $(sed -n "$states" told | uniq | xargs) == *"$*"* ]]
}

t_events_tell_of_it()
{
	raise
	cohortctl events >told &
	defer kill $!
	wait_for 10 grep -q following told
	scrub
	pause
	cohortctl job resume "$JOB" >/dev/null
	wait_for 30 tells Suspended Running
	cohortctl job cancel "$JOB" >/dev/null
	wait_for 30 tells Suspended Running Terminated
}

t_terminal_shows_a_bar_and_a_pipe_does_not()
{
	raise
	exchange 20
	script -qec 'cohortctl pool scrub p' screen >/dev/null
	grep -q '\[#* *\] *[0-9]* %' screen || fail "no bar"
	exchange 0
	cohortctl pool scrub p >words 2>&1
	same "$(wc -l <words)" 1 "lines"
	! grep -q '%' words || fail "a bar in a pipe"
}

run_tests "$@"
