// SPDX-License-Identifier: GPL-2.0-or-later
/* A copy map on its disk: places, blocks of others, torn and rotten ones, and which copy counts. */
#include <stdlib.h>

#include "../../kmod/map.h"
#include "unit.h"

#define CHUNKS (5ull * COHORT_MAP_BITS + 7)
#define BLOCKS 6
#define SEED 0x1234u

static struct cohort_super sb = { .segment_size = 16 << 10, .segments_start = 1 << 20 };
static u32 segment[3] = { 9, 2, 5 };
static struct cohort_map map = {
	.uuid = "a map of its own", .chunks = CHUNKS, .count = 3, .segment = segment,
};

static u8 copy[COHORT_MAP_COPIES][COHORT_BLOCK];

static struct cohort_disk_map_block *block_of(int i)
{
	return (struct cohort_disk_map_block *)copy[i];
}

static void encode(int i, u64 block, u64 seq)
{
	cohort_map_block_encode(&map, SEED, cohort_map_address(&map, &sb, block, i), block, seq,
				copy[i]);
}

static int choose(u64 block, bool *whole)
{
	const void *const disk[COHORT_MAP_COPIES] = { copy[0], copy[1] };

	return cohort_map_choose(&map, &sb, SEED, block, disk, whole);
}

static int check(u64 block)
{
	u64 seq;

	return cohort_map_block_check(&map, SEED, cohort_map_address(&map, &sb, block, 0), block,
				      copy[0], &seq);
}

static void sizes(void)
{
	CHECK_INT(cohort_map_blocks(1), 1, "blocks of a chunk");
	CHECK_INT(cohort_map_blocks(COHORT_MAP_BITS), 1, "blocks of a full one");
	CHECK_INT(cohort_map_blocks(COHORT_MAP_BITS + 1), 2, "blocks of one more");
	CHECK_INT(cohort_map_blocks(CHUNKS), BLOCKS, "blocks");
	CHECK_INT(cohort_map_segments(CHUNKS, 16 << 10), 3, "segments");
	CHECK_INT(cohort_map_segments(1, 256 << 10), 1, "segments of a chunk");
	CHECK(cohort_map_blocks(U64_MAX) == U64_MAX / COHORT_MAP_BITS + 1, "blocks of all");
}

static void places(void)
{
	u64 seen[BLOCKS * COHORT_MAP_COPIES];
	int n = 0;

	for (u32 c = 0; c < COHORT_MAP_COPIES; c++)
		for (u64 b = 0; b < BLOCKS; b++)
			seen[n++] = cohort_map_address(&map, &sb, b, c);
	for (int i = 0; i < n; i++) {
		const u64 seg = (seen[i] - sb.segments_start) / sb.segment_size;

		CHECK(seg == segment[0] || seg == segment[1] || seg == segment[2], "others' place");
		for (int k = 0; k < i; k++)
			CHECK(seen[i] != seen[k], "one place twice");
	}
	CHECK_INT(cohort_map_address(&map, &sb, 0, 0), (1 << 20) + 9 * (16 << 10), "the first one");
}

static void newer_copy_counts(void)
{
	bool whole;

	memset(copy, 0, sizeof(copy));
	encode(0, 3, 7);
	encode(1, 3, 6);
	CHECK_INT(choose(3, &whole), 0, "newer");
	CHECK(!whole, "the older one says less");
	encode(1, 3, 7);
	CHECK_INT(choose(3, &whole), 0, "either");
	CHECK(whole, "both are as new");
	encode(1, 3, U64_MAX);
	CHECK_INT(choose(3, &whole), 0, "there is none behind it");
	encode(1, 3, 8);
	CHECK_INT(choose(3, &whole), 1, "newer");
	/* each sector of it may be torn off */
	for (int sector = 0; sector < 8; sector++) {
		block_of(1)->bits[0] = 1;
		encode(1, 3, 9 + sector);
		copy[1][512 * sector + 100] ^= 4;
		CHECK_INT(choose(3, &whole), 0, "the other one");
		CHECK(!whole, "one is left");
		copy[1][512 * sector + 100] ^= 4;
	}
	copy[0][99] ^= 1;
	CHECK_INT(choose(3, &whole), 1, "the other one");
	copy[1][99] ^= 1;
	CHECK_INT(choose(3, &whole), -EUCLEAN, "neither");
}

static void blocks_of_others(void)
{
	memset(copy, 0, sizeof(copy));
	encode(0, 2, 1);
	CHECK_INT(check(2), 0, "its own");
	CHECK_INT(check(1), -EUCLEAN, "another block's");
	map.uuid[3] ^= 1;
	CHECK_INT(check(2), -EUCLEAN, "another map's");
	map.uuid[3] ^= 1;
	encode(0, 2, 0);
	CHECK_INT(check(2), -EUCLEAN, "never written");
	memset(copy, 0, sizeof(copy));
	CHECK_INT(check(2), -EUCLEAN, "zeroes");
}

static void bits_behind_the_end(void)
{
	memset(copy, 0, sizeof(copy));
	block_of(0)->bits[0] = 0x7f;
	encode(0, BLOCKS - 1, 1);
	CHECK_INT(check(BLOCKS - 1), 0, "the last chunk");
	block_of(0)->bits[0] = 0xff;
	encode(0, BLOCKS - 1, 1);
	CHECK_INT(check(BLOCKS - 1), -EUCLEAN, "one behind it");
	block_of(0)->bits[0] = 0;
	block_of(0)->bits[COHORT_MAP_BYTES - 1] = 0x80;
	encode(0, BLOCKS - 1, 1);
	CHECK_INT(check(BLOCKS - 1), -EUCLEAN, "the very last bit");
	encode(0, 0, 1);
	CHECK_INT(check(0), 0, "which is one of a full block");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "sizes", sizes },
		{ "places", places },
		{ "newer_copy_counts", newer_copy_counts },
		{ "blocks_of_others", blocks_of_others },
		{ "bits_behind_the_end", bits_behind_the_end },
	};

	return unit_main(cases, ARRAY_SIZE(cases));
}
