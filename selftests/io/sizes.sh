#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes of every size and alignment, for each chunk size: every image equals the source as it was.
# guest: disks=4 size=1G timeout=900
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# Writes of 512 B to 4 MiB, FUA, flushes, discards and write-zeroes, with cuts
# in between whose images are compared with copies of the shadow.
mixed_writes()
{
	local chunk=$1 size=$2 i

	make_slices 1 "$size" "$DISK2"
	cohortctl pool create --force --chunk "$chunk" p "$DISK1" >/dev/null
	defer strike_stage
	attach m1 /dev/mapper/slice1
	for i in 1 2 3 4; do
		iocheck rand-verify --seed "$i" --count 40 --size 4M --shadow shadow /dev/mapper/m1 >/dev/null
		cp --sparse=always shadow "shadow.$i"
		cp shadow.known "shadow.$i.known"
		snapshot "r$i" m1
	done
	iocheck rand-verify --seed 5 --count 40 --size 4M --shadow shadow /dev/mapper/m1
	for i in 1 2 3 4; do
		iocheck compare --shadow "shadow.$i" "/dev/mapper/r${i}_1" ||
			fail "image $i is not the source at its cut"
	done
	drop r2
	iocheck compare --shadow shadow.1 /dev/mapper/r1_1
	iocheck compare --shadow shadow.3 /dev/mapper/r3_1
}

t_chunks_of_4K() { mixed_writes 4K 8M; }
t_chunks_of_16K() { mixed_writes 16K 8M; }
t_chunks_of_64K() { mixed_writes 64K 8M; }

# The last chunk ends where the disk does.
t_source_is_no_multiple_of_the_chunk()
{
	local end=$((8 * 1024 * 1024 + 5 * 512))

	make_slices 1 16M "$DISK2"
	dmsetup create odd --table "0 $((end / 512)) linear /dev/mapper/slice1 0"
	defer remove_dm odd
	cohortctl pool create --force --chunk 64K p "$DISK1" >/dev/null
	defer strike_stage
	attach m1 /dev/mapper/odd
	put 1 /dev/mapper/m1 0 $end
	snapshot r m1
	put 2 /dev/mapper/m1 $((end - 512)) 512
	holds 1 /dev/mapper/r_1 0 $end
	put 2 /dev/mapper/m1 0 $end
	holds 1 /dev/mapper/r_1 0 $end
	holds 1 /dev/mapper/r_1 $((end - 1536)) 1536
	holds 2 /dev/mapper/m1 0 $end
}

t_snapshots_of_one_source_64()
{
	local i

	raise_stage 1 1M
	put 1 /dev/mapper/m1 0 1M
	for ((i = 1; i <= 64; i++)); do
		snapshot "s$i" m1
		put $((i + 1)) /dev/mapper/m1 $(((i - 1) * 16384)) 16K
	done
	for ((i = 1; i <= 64; i += 7)); do
		[[ $i -eq 1 ]] || holds 2 "/dev/mapper/s${i}_1" 0 16K
		holds 1 "/dev/mapper/s${i}_1" $(((i - 1) * 16384)) $((1024 * 1024 - (i - 1) * 16384))
	done
	same "$(status_field m1 6)" 256 "chunks preserved for 64 snapshots"
}

run_tests
