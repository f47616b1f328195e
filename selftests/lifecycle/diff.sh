#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What differs between two cuts, or a cut and now: exactly what was written, whatever goes on or happens meanwhile.
# guest: disks=3 size=1G timeout=900 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

BACKUP=$(realpath "$(dirname "$0")/../../docs/examples/incremental-backup")

# expect "EXTENTS" ARG...: what diff says, "SOURCE OFFSET LENGTH" each, in one line.
expect()
{
	local wanted=$1

	shift
	same "$(cohortctl diff "$@" | paste -s -d ,)" "$wanted" "diff $*"
}

# write SOURCE OFFSET LENGTH: new bytes there, none as before.
write()
{
	head -c "$3" /dev/urandom >bytes
	dd if=bytes of="/dev/mapper/$1" bs="$3" count=1 seek="$2" oflag=seek_bytes,direct \
		conv=notrunc status=none
}

# differs_by A B EXTENTS: A with those of B put in is B.
differs_by()
{
	local offset length

	cat "$1" >patched
	while read -r offset length; do
		dd if="$2" of=patched bs=1M iflag=skip_bytes,count_bytes oflag=seek_bytes \
			skip="$offset" seek="$offset" count="$length" conv=notrunc status=none
	done
	cmp patched "$2" || fail "$1 and $2 differ elsewhere too"
}

# judge A B MEMBERS: of the images of relationships A and B.
judge()
{
	local i

	for ((i = 1; i <= $3; i++)); do
		cohortctl diff --source "m$i" "$1" "$2" | cut -d ' ' -f 2- |
			differs_by "/dev/mapper/$1_$i" "/dev/mapper/$2_$i"
	done
}

t_extents_are_those_that_were_written()
{
	# the last chunk ends early
	make_slices 2 16M "$DISK2"
	dmsetup create odd --table "0 $((8192 + 3)) linear $DISK3 0"
	defer remove_dm odd
	make_pool
	attach m1 "$SLICE1"
	attach m2 /dev/mapper/odd
	snapshot a m1 m2
	expect "" a
	write m1 0 512
	write m1 8192 4096
	write m1 12288 8192
	write m1 $((16777216 - 4096)) 4096
	write m2 $((8192 * 512)) 1536
	expect "m1 0 4096,m1 8192 12288,m1 16773120 4096,m2 4194304 1536" a
	snapshot b m1 m2
	expect "" b
	expect "m1 0 4096,m1 8192 12288,m1 16773120 4096,m2 4194304 1536" a b
	# once more the same, something new, and a chunk between two of old
	write m1 8192 4096
	write m1 4096 4096
	snapshot c m1
	expect "m1 4096 8192" b c
	expect "m1 4096 8192" c b
	expect "m1 0 20480,m1 16773120 4096" a c
	expect "" a a
	write m1 1048576 4096
	expect "m1 1048576 4096" c
	expect "m1 0 20480,m1 1048576 4096,m1 16773120 4096" --source m1 a
	# the cut between them goes
	drop b
	expect "m1 0 20480,m1 16773120 4096" a c
	expect "m1 0 20480,m1 1048576 4096,m1 16773120 4096" --source m1 a
}

t_more_than_one_answer_holds()
{
	local i

	make_slices 1 32M "$DISK2"
	make_pool
	attach m1 "$SLICE1"
	snapshot a m1
	fio --name=w --filename=/dev/mapper/m1 --direct=1 --rw=write:4k --bs=4k --size=32m \
		--iodepth=16 --ioengine=libaio --output=/dev/null
	for ((i = 0; i < 4096; i++)); do
		echo "m1 $((i * 8192)) 4096"
	done >wanted
	cohortctl diff a >found
	cmp wanted found
	cohortctl diff --json a | jq -r '.extents[] | "\(.Source) \(.Offset) \(.Length)"' >found
	cmp wanted found
	# the seams of answers are not seen: one extent, whatever it takes
	write m1 0 33554432
	expect "m1 0 33554432" a
	snapshot b m1
	expect "m1 0 33554432" a b
}

t_cuts_under_load_differ_by_their_extents()
{
	local i

	raise_stage 3 4M
	start_writers 16 --dsync 10
	for i in 1 2 3 4 5; do
		snapshot "r$i" "${SOURCES[@]}"
		sleep 1
	done
	judge r1 r2 3
	judge r2 r5 3
	stop_writers
	judge r1 r5 3
	judge r4 r3 3
	for i in 1 2 3; do
		cohortctl diff --source "m$i" r3 | cut -d ' ' -f 2- |
			differs_by "/dev/mapper/r3_$i" "/dev/mapper/m$i"
	done
	drop r3
	judge r2 r4 3
	drop r1
	judge r2 r5 3
}

t_stays_over_a_restart_and_a_crash()
{
	make_slices 1 16M "$DISK2"
	make_small_pool 64M
	attach m1 "$SLICE1"
	snapshot a m1
	write m1 40960 4096
	snapshot b m1
	write m1 81920 8192
	cohortctl detach m1
	cohortctl pool close p
	cohortctl pool open /dev/mapper/store
	expect "m1 40960 4096" a b
	expect "m1 81920 8192" b
	attach_again m1 "$SLICE1"
	expect "m1 40960 4096,m1 81920 8192" a
	# the pool as it is in this moment, without a word to it
	dd if=/dev/mapper/store of=crashed bs=1M iflag=direct status=none
	cohortctl detach m1
	cohortctl pool close p
	dd if=crashed of=/dev/mapper/store bs=1M oflag=direct status=none
	cohortctl pool open /dev/mapper/store
	expect "m1 40960 4096" a b
	expect "m1 40960 4096,m1 81920 8192" a
}

t_refuses_what_can_not_be_compared()
{
	raise_stage 2 4M
	snapshot a m1
	snapshot b m2
	refuse -m 'no relationship "x"|there is no relationship' cohortctl diff x
	refuse -m 'there is no relationship "x"' cohortctl diff a x
	refuse -m 'a and b have no source in common' cohortctl diff a b
	refuse -m 'relationship "b" has no member "m1"' cohortctl diff --source m1 a b
	refuse -m 'there is no source "x"' cohortctl diff --source x a
	cohortctl replicate --type snapshot --name c --wait Inactive m1 >/dev/null
	refuse -m 'relationship "c" has no cut of "m1"' cohortctl diff a c
	refuse -m 'relationship "c" has no cut of "m1"' cohortctl diff c
	expect "" a
}

# A cut that goes under a comparison makes an error of it, or comes too late; never a wrong answer.
t_cut_goes_meanwhile()
{
	local i

	make_slices 1 16M "$DISK2"
	make_pool
	attach m1 "$SLICE1"
	for ((i = 0; i < 5; i++)); do
		snapshot a m1
		fio --name=w --filename=/dev/mapper/m1 --direct=1 --rw=write:4k --bs=4k \
			--size=16m --iodepth=16 --ioengine=libaio --output=/dev/null
		cohortctl diff a >found 2>words &
		drop a
		if wait $!; then
			same "$(wc -l <found)" 2048 "extents"
		else
			grep -qE 'a cut went|there is no relationship' words || fail "$(<words)"
		fi
	done
}

t_backup_and_restore()
{
	local i number

	raise_stage 2 4M
	make_slices_of_target
	start_writers 8 --dsync 10
	for i in 1 2 3 4; do
		number=$("$BACKUP" take backups m1 m2)
		same "$number" "$i" "number"
		keep_images "$i"
		sleep 1
	done
	stop_writers
	# what has not changed was not saved again
	(($(stat -c %s backups/4/m1.data) < $(stat -c %s backups/1/m1.data))) ||
		fail "the fourth backup is as large as the first"
	for i in 4 1 3 2; do
		"$BACKUP" restore backups $i m1 /dev/mapper/target1
		"$BACKUP" restore backups $i m2 /dev/mapper/target2
		cmp /dev/mapper/target1 "kept$i.1"
		cmp /dev/mapper/target2 "kept$i.2"
	done
	# a snapshot that is lost makes the next backup a whole one
	drop "$(cut -d ' ' -f 2 backups/last)"
	"$BACKUP" take backups m1 m2
	"$BACKUP" restore backups 5 m1 /dev/mapper/target1
	cmp /dev/mapper/target1 /dev/mapper/m1
	refuse -m 'no backup 9 of m1' "$BACKUP" restore backups 9 m1 /dev/mapper/target1
	drop "$(cut -d ' ' -f 2 backups/last)"
}

make_slices_of_target()
{
	local i

	for i in 1 2; do
		dmsetup create "target$i" --table "0 $(sectors 4M) linear $DISK3 $((i * 8192))"
		defer remove_dm "target$i"
	done
}

# keep_images NUMBER: of the backup that was just taken.
keep_images()
{
	local rel

	rel=$(cut -d ' ' -f 2 backups/last)
	cat "/dev/mapper/${rel}_1" >"kept$1.1"
	cat "/dev/mapper/${rel}_2" >"kept$1.2"
}

run_tests "$@"
