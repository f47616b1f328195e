#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks that grow below a source or a pool: nothing changes, snapshots stay right.
# guest: disks=4 size=1G timeout=400 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

grow()
{
	dmsetup load "$1" --table "0 $(sectors "$3") linear $2 0"
	dmsetup resume "$1"
	same "$(sectors_of "/dev/mapper/$1")" "$(sectors "$3")" "size of $1"
}

t_disk_of_a_source_grows()
{
	local n

	raise_stage 1 8M
	n=$(sectors 8M)
	put 1 /dev/mapper/m1 0 8M
	snapshot r m1
	grow slice1 "$DISK2" 16M
	same "$(sectors_of /dev/mapper/m1)" "$n" "size of the source"
	refuse dmsetup load m1 --table "$(dmsetup table m1 | sed "s/^0 $n/0 $((2 * n))/")"
	put 2 /dev/mapper/m1 0 8M
	holds 1 /dev/mapper/r_1 0 8M
	snapshot s m1
	put 3 /dev/mapper/m1 4M 4M
	holds 2 /dev/mapper/s_1 0 8M
	grow slice1 "$DISK2" 8M
}

t_disk_of_a_pool_grows()
{
	make_slices 1 16M "$DISK2"
	dmsetup create low --table "0 $(sectors 64M) linear $DISK1 0"
	defer remove_dm low
	make_pool /dev/mapper/low
	attach m1 "$SLICE1"
	put 1 /dev/mapper/m1 0 16M
	snapshot r m1
	grow low "$DISK1" 128M
	put 2 /dev/mapper/m1 0 8M
	dmsetup suspend p
	dmsetup resume p
	put 2 /dev/mapper/m1 8M 8M
	holds 1 /dev/mapper/r_1 0 16M
	cohortctl detach m1
	cohortctl pool close p
	cohortctl pool open /dev/mapper/low
	attach_again m1 "$SLICE1"
	holds 1 /dev/mapper/r_1 0 16M
}

segments() { status_field p 1 | cut -d / -f 2; }

# A pool of 64 MiB on low, m1 and m2 of 60 MiB; all of it overwritten needs 130 MiB.
raise_low()
{
	make_slices 2 60M "$DISK2"
	dmsetup create low --table "0 $(sectors 64M) linear $DISK1 0"
	defer remove_dm low
	make_pool /dev/mapper/low
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	put 1 /dev/mapper/m1 0 60M
	put 1 /dev/mapper/m2 0 60M
}

restart_low()
{
	cohortctl detach m1 >/dev/null
	cohortctl detach m2 >/dev/null
	cohortctl pool close p
	cohortctl pool open /dev/mapper/low
	attach_again m1 "$SLICE1"
	attach_again m2 "$SLICE2"
}

pool_stands_still()
{
	local before

	before=$(show p PreservedChunks)
	sleep 1
	((before > 1000)) && [[ $(show p PreservedChunks) == "$before" ]]
}

t_full_pool_is_extended_and_held_writes_go_on()
{
	local before

	raise_low
	before=$(segments)
	snapshot r --on-full hold:3600 m1 m2
	put 2 /dev/mapper/m1 0 60M && put 2 /dev/mapper/m2 0 60M &
	WRITER=$!
	wait_for 300 pool_stands_still
	kill -0 "$WRITER" || fail "the pool was large enough"
	refuse -m 'no room for another segment' cohortctl pool extend p
	grow low "$DISK1" 256M
	cohortctl pool extend p
	wait "$WRITER" || fail "the writer saw an error"
	(($(segments) > 3 * before)) || fail "$(segments) segments, $before before"
	same "$(sectors_of /dev/mapper/p)" "$(sectors 256M)" "size of the pool's device"
	same "$(show r CopyState)" Synchronized
	holds 1 /dev/mapper/r_1 0 60M
	holds 1 /dev/mapper/r_2 0 60M
	restart_low
	same "$(show p TotalManagedSpace)" $((256 << 20)) "size after a restart"
	holds 1 /dev/mapper/r_1 0 60M
	holds 1 /dev/mapper/r_2 0 60M
	holds 2 /dev/mapper/m2 0 60M
}

# Ten times in small steps, with writes, cuts and deletions all the time.
t_pool_grows_under_load()
{
	local i

	raise_low
	start_writers 8
	for ((i = 1; i <= 10; i++)); do
		grow low "$DISK1" $((64 + i * 16 + i % 3))M
		cut_all "r$i" &
		cohortctl pool extend p
		wait $!
		after "r$i"
		is_consistent "r$i"
		((i < 3)) || drop "r$((i - 2))"
	done
	stop_writers
	restart_low
	is_consistent r9
	is_consistent r10
}

t_extensions_that_are_refused()
{
	raise_low
	refuse -m 'no pool' cohortctl pool extend nobody
	refuse -m 'no room for another segment' cohortctl pool extend p
	grow low "$DISK1" 65536K
	refuse -m 'no room for another segment' cohortctl pool extend p
	# a byte less than a segment more
	grow low "$DISK1" $((65536 + 255))K
	refuse -m 'no room for another segment' cohortctl pool extend p
	grow low "$DISK1" $((65536 + 256))K
	cohortctl pool extend p
	refuse -m 'no room for another segment' cohortctl pool extend p
	snapshot r m1
	put 2 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/r_1 0 1M
}

# What the table has no room for stays unused.
t_pool_grows_no_further_than_its_table()
{
	dmsetup create low --table "0 $(sectors 8M) linear $DISK1 0"
	defer remove_dm low
	make_pool /dev/mapper/low
	grow low "$DISK1" 900M
	cohortctl pool extend p
	note "$(segments) segments"
	(($(segments) > 200 && $(segments) <= 8 * 4 * 16 + 1024 + 120)) || fail "$(segments) segments"
	cohortctl pool close p
	cohortctl pool open /dev/mapper/low
	attach m1 "$DISK2"
	snapshot r m1
	put 2 /dev/mapper/m1 0 64M
	holds 2 /dev/mapper/m1 0 64M
	same "$(show r CopyState)" Synchronized
}

t_source_whose_disk_grew_while_detached()
{
	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 8M
	snapshot r m1
	cohortctl detach m1
	grow slice1 "$DISK2" 16M
	if cohortctl attach --pool p m1 "$SLICE1" 2>words; then
		same "$(sectors_of /dev/mapper/m1)" "$(sectors 8M)" "size of the source"
	else
		grep -E 'm1|size' words
		grow slice1 "$DISK2" 8M
		cohortctl attach --pool p m1 "$SLICE1"
	fi
	put 2 /dev/mapper/m1 0 8M
	holds 1 /dev/mapper/r_1 0 8M
}

run_tests "$@"
