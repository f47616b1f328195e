// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: two copies of a block of a copy map, changed anywhere: which one counts? */
#include "../../kmod/map.h"
#include "fuzz.h"

#define SEGMENTS 64
#define SEED 0x5eedu

static u8 copy[COHORT_MAP_COPIES][COHORT_BLOCK];
static u32 segment[SEGMENTS];
static struct cohort_map map = { .uuid = "a map of its own", .segment = segment };
static const struct cohort_super sb = {
	.segment_size = 16 << 10, .segments_start = 1 << 20, .nr_segments = SEGMENTS,
};

static void make_map(struct input *in)
{
	map.chunks = 1 + take(in, 3) % (4 * SEGMENTS / 2 * COHORT_MAP_BITS);
	map.count = cohort_map_segments(map.chunks, sb.segment_size);
	PROMISED(map.count && map.count <= SEGMENTS);
	for (u32 i = 0; i < map.count; i++)
		segment[i] = i * 13 % SEGMENTS;
}

static void make_copy(struct input *in, u64 block, u32 i)
{
	struct cohort_disk_map_block *d = (void *)copy[i];

	memset(d, 0, sizeof(*d));
	take_bytes(in, d->bits, take(in, 1) % 16);
	cohort_map_block_encode(&map, SEED, cohort_map_address(&map, &sb, block, i), block,
				take(in, 1) % 8, d);
}

/* @sealed: a lie, else rot. */
static void change(struct input *in, u64 block, bool sealed)
{
	const u32 i = take(in, 1) & 1;
	const u32 at = take(in, 2) % (COHORT_BLOCK - 8);
	const u64 addr = cohort_map_address(&map, &sb, block, i);
	struct cohort_disk_map_block *d = (void *)copy[i];

	take_bytes(in, copy[i] + (at & 1 ? at : at % 80), 1 + take(in, 1) % 8);
	if (sealed)
		d->crc = cpu_to_le32(cohort_block_crc(SEED, addr, d, sizeof(*d),
						      offsetof(struct cohort_disk_map_block, crc)));
}

static bool is_clear(const struct cohort_disk_map_block *d, u64 from)
{
	if (from % 8 && d->bits[from / 8] >> from % 8)
		return false;
	for (u64 i = (from + 7) / 8; i < COHORT_MAP_BYTES; i++)
		if (d->bits[i])
			return false;
	return true;
}

/* What counts is whole, of this place, no older than the other, and of chunks that there are. */
static void judge(u64 block, int which, bool whole)
{
	const struct cohort_disk_map_block *d = (void *)copy[which];
	const u64 left = map.chunks - block * COHORT_MAP_BITS;
	u64 seq, other;
	bool good = !cohort_map_block_check(&map, SEED,
					    cohort_map_address(&map, &sb, block, !which), block,
					    copy[!which], &other);

	PROMISED(!cohort_map_block_check(&map, SEED, cohort_map_address(&map, &sb, block, which),
					 block, d, &seq));
	PROMISED(seq && whole == (good && seq == other) && (!good || seq >= other));
	PROMISED(!memcmp(d->map, map.uuid, sizeof(d->map)) && le32_to_cpu(d->block) == block);
	PROMISED(left >= COHORT_MAP_BITS || is_clear(d, left));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const void *const disk[COHORT_MAP_COPIES] = { copy[0], copy[1] };
	struct input in = { data, size };
	bool whole, sealed = take(&in, 1) & 1;
	u64 block;
	int which;

	make_map(&in);
	block = take(&in, 1) % cohort_map_blocks(map.chunks);
	for (u32 i = 0; i < COHORT_MAP_COPIES; i++)
		make_copy(&in, block, i);
	while (in.left)
		change(&in, block, sealed);
	which = cohort_map_choose(&map, &sb, SEED, block, disk, &whole);
	PROMISED(which == -EUCLEAN || which == 0 || which == 1);
	if (which >= 0)
		judge(block, which, whole);
	else
		PROMISED(!whole);
	return 0;
}
