#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A write stuck below a member holds up the answer to a cut, not the cut and not other writes.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

A=/dev/mapper/m1
B=/dev/mapper/m2

# Member A lies on two slices, so that its first half can be stopped alone.
raise()
{
	local n

	make_slices 3 16M "$DISK2"
	n=$(sectors 16M)
	dmsetup create low --table "0 $n linear $SLICE1 0
		$n $n linear $SLICE2 0"
	defer remove_dm low
	make_pool
	attach m1 /dev/mapper/low
	attach m2 "$SLICE3"
	put 1 $A 0 1M
	put 1 $A 16M 1M
	put 1 $B 0 1M
	defer release
}

release() { dmsetup resume slice1; }

# A write of 64 KiB to the start of A that does not end.
stick()
{
	dmsetup suspend --noflush --nolockfs slice1
	put 2 $A 0 64K &
	STUCK=$!
	wait_for 20 has_writes_inside m1
}

job_fields() { cohortctl job list --json | sed -n "s/^ *\"$1\": \"\(.*\)\".*/\1/p"; }

# quickly COMMAND...: it must end although A is stuck.
quickly() { timeout 30 "$@" || fail "held up: $*"; }

t_reply_comes_when_the_write_is_released_and_others_go_on()
{
	local cut

	raise
	stick
	snapshot r m1 m2 &
	cut=$!
	wait_for 20 has_cut m1
	has_cut m2
	quickly iocheck pattern-write --seed 3 --offset 0 --len 1M $B
	quickly dd if=/dev/zero of=$A bs=64K seek=256 count=8 oflag=direct status=none
	quickly dd if=/dev/zero of=$A bs=4K seek=5000 count=8 oflag=direct status=none
	kill -0 $cut || fail "the reply came while the write was stuck"
	refuse dmsetup info r_1
	same "$(job_fields JobState | tail -n 1)" Running "state of the job"
	release
	wait $cut
	wait "$STUCK"
	# it was issued before the cut, so it is in; what came later is not
	holds 2 /dev/mapper/r_1 0 64K
	holds 1 /dev/mapper/r_1 64K 960K
	holds 1 /dev/mapper/r_1 16M 1M
	holds 1 /dev/mapper/r_2 0 1M
	holds 3 $B 0 1M
	same "$(open_eras m1)" 1 "eras left"
}

# Old content may only be read when the older write of the region has ended.
t_later_write_to_the_stuck_region_waits_and_is_not_in_the_cut()
{
	local cut later

	raise
	stick
	snapshot r m1 m2 &
	cut=$!
	wait_for 20 has_cut m1
	put 4 $A 0 64K &
	later=$!
	sleep 1
	kill -0 $later || fail "it passed the older write of its region"
	release
	wait "$STUCK"
	wait $later
	wait $cut
	holds 2 /dev/mapper/r_1 0 64K
	holds 4 $A 0 64K
}

t_cut_that_waits_too_long_is_undone_and_the_next_one_works()
{
	local old

	raise
	old=$(<"$module_parameters/seal_timeout")
	defer eval "echo $old >$module_parameters/seal_timeout"
	echo 2 >"$module_parameters/seal_timeout"
	stick
	refuse -m 'm1.*write issued before the cut does not end' \
		cohortctl replicate --type snapshot --name r m1 m2
	same "$REFUSED_STATUS" 3 "exit status"
	refuse -m r cohortctl show r
	same "$(relationships)" "" "relationships left"
	same "$(dmsetup ls --target cohort-replica)" "$(dmsetup ls --target none)" "images left"
	has_cut m1 && fail "m1 still protects a cut that was undone"
	put 3 $B 0 1M
	release
	wait "$STUCK"
	snapshot r m1 m2
	holds 2 /dev/mapper/r_1 0 64K
	holds 3 /dev/mapper/r_2 0 1M
	put 5 $A 0 64K
	holds 2 /dev/mapper/r_1 0 64K
	same "$(open_eras m1)" 1 "eras left"
}

# Each open cut costs every count on its members, so their number is bounded.
t_too_many_open_cuts_are_refused()
{
	local i

	raise
	stick
	for ((i = 1; i <= 4; i++)); do
		quickly cohortctl replicate --no-wait --type snapshot --name "r$i" m1 m2
	done
	refuse -m 'm1.*4 cuts wait for earlier writes' \
		cohortctl replicate --type snapshot --name r5 m1 m2
	refuse cohortctl show r5
	release
	wait "$STUCK"
	for i in $(job_fields InstanceID); do
		# jobs of earlier cases are listed, too; the images below tell of these
		cohortctl job wait "$i" >/dev/null || note "job $i had failed"
	done
	for ((i = 1; i <= 4; i++)); do
		holds 2 "/dev/mapper/r${i}_1" 0 64K
	done
	snapshot r5 m1 m2
	same "$(open_eras m1)" 1 "eras left"
}

run_tests "$@"
