#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Discards and write-zeroes under a snapshot: the image stays whole, and nothing is copied for a discard.
# guest: disks=4 size=1G timeout=500
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# Chunks the source has preserved so far.
preserved() { status_field "$1" 6; }
discards_below() { awk '{ print $12 }' "/sys/block/$(basename "$DISK2")/stat"; }

t_discard_leaves_the_image_whole_and_copies_nothing()
{
	raise_stage 1 16M
	put 1 /dev/mapper/m1 0 16M
	snapshot r m1
	blkdiscard /dev/mapper/m1
	same "$(preserved m1)" 0 "chunks copied for a discard"
	holds 1 /dev/mapper/r_1 0 16M
	put 2 /dev/mapper/m1 0 16M
	holds 1 /dev/mapper/r_1 0 16M
	holds 2 /dev/mapper/m1 0 16M
}

t_discard_of_preserved_chunks_reaches_the_disk()
{
	local before

	raise_stage 1 16M
	put 1 /dev/mapper/m1 0 16M
	snapshot r m1
	put 2 /dev/mapper/m1 0 1M
	before=$(discards_below)
	blkdiscard --offset 0 --length 1M /dev/mapper/m1
	[[ $(discards_below) -gt $before ]] || fail "no discard reached the disk"
	holds 1 /dev/mapper/r_1 0 16M
	holds 1 /dev/mapper/m1 1M 15M
}

t_discard_over_both_kinds_of_chunks()
{
	local i

	raise_stage 1 16M
	put 1 /dev/mapper/m1 0 16M
	snapshot r m1
	for ((i = 0; i < 16; i++)); do
		put 2 /dev/mapper/m1 $((i * 65536)) 4K
	done
	blkdiscard --offset 512 --length $((1048576 - 1024)) /dev/mapper/m1
	holds 1 /dev/mapper/r_1 0 16M
	put 3 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/r_1 0 16M
	holds 3 /dev/mapper/m1 0 1M
}

t_discards_pass_when_nothing_is_protected()
{
	local before

	raise_stage 1 16M
	put 1 /dev/mapper/m1 0 16M
	snapshot r m1
	drop r
	before=$(discards_below)
	blkdiscard /dev/mapper/m1
	[[ $(discards_below) -gt $before ]] || fail "no discard reached the disk"
}

t_write_zeroes_is_preserved_like_a_write()
{
	raise_stage 1 16M
	put 1 /dev/mapper/m1 0 16M
	snapshot r m1
	blkdiscard --zeroout --offset 4096 --length 8M /dev/mapper/m1
	cmp -n 8M <(dd if=/dev/mapper/m1 iflag=direct,skip_bytes skip=4096 bs=64K status=none) /dev/zero ||
		fail "the source is not zero"
	holds 1 /dev/mapper/r_1 0 16M
}

run_tests
