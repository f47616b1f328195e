// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* map.c - a copy map on its disk: where its blocks lie, and whether they are what they say. */
#include "map.h"

u64 cohort_map_blocks(u64 chunks)
{
	return chunks / COHORT_MAP_BITS + !!(chunks % COHORT_MAP_BITS);
}

u64 cohort_map_segments(u64 chunks, u32 segment_size)
{
	const u32 per = segment_size / COHORT_BLOCK;
	const u64 blocks = COHORT_MAP_COPIES * cohort_map_blocks(chunks);

	return blocks / per + !!(blocks % per);
}

u64 cohort_map_address(const struct cohort_map *map, const struct cohort_super *sb, u64 block,
		       u32 copy)
{
	const u32 per = sb->segment_size / COHORT_BLOCK;
	const u64 at = copy * cohort_map_blocks(map->chunks) + block;

	return sb->segments_start + (u64)map->segment[at / per] * sb->segment_size +
		at % per * COHORT_BLOCK;
}

static u32 block_crc(u32 seed, u64 address, const struct cohort_disk_map_block *d)
{
	return cohort_block_crc(seed, address, d, sizeof(*d),
				offsetof(struct cohort_disk_map_block, crc));
}

void cohort_map_block_encode(const struct cohort_map *map, u32 seed, u64 address, u64 block,
			     u64 seq, void *disk)
{
	struct cohort_disk_map_block *d = disk;

	memset(d, 0, offsetof(struct cohort_disk_map_block, bits));
	d->magic = cpu_to_le32(COHORT_MAP_MAGIC);
	d->address = cpu_to_le64(address);
	memcpy(d->map, map->uuid, sizeof(d->map));
	d->seq = cpu_to_le64(seq);
	d->block = cpu_to_le32(block);
	d->crc = cpu_to_le32(block_crc(seed, address, d));
}

/* A chunk that the image does not have is on no target. */
static bool tail_is_clear(const struct cohort_map *map, u64 block,
			  const struct cohort_disk_map_block *d)
{
	const u64 left = map->chunks - block * COHORT_MAP_BITS;
	u32 bit;

	for (bit = left < COHORT_MAP_BITS ? left : COHORT_MAP_BITS; bit < COHORT_MAP_BITS; bit++)
		if (d->bits[bit / 8] & (1u << bit % 8))
			return false;
	return true;
}

int cohort_map_block_check(const struct cohort_map *map, u32 seed, u64 address, u64 block,
			   const void *disk, u64 *seq)
{
	const struct cohort_disk_map_block *d = disk;

	if (le32_to_cpu(d->magic) != COHORT_MAP_MAGIC || le64_to_cpu(d->address) != address ||
	    memcmp(d->map, map->uuid, sizeof(d->map)) || le32_to_cpu(d->block) != block ||
	    le32_to_cpu(d->crc) != block_crc(seed, address, d) || !tail_is_clear(map, block, d))
		return -EUCLEAN;
	*seq = le64_to_cpu(d->seq);
	/* there is a next one */
	return *seq && *seq != U64_MAX ? 0 : -EUCLEAN;
}

int cohort_map_choose(const struct cohort_map *map, const struct cohort_super *sb, u32 seed,
		      u64 block, const void *const disk[COHORT_MAP_COPIES], bool *whole)
{
	u64 seq[COHORT_MAP_COPIES];
	bool good[COHORT_MAP_COPIES];
	u32 i;

	for (i = 0; i < COHORT_MAP_COPIES; i++)
		good[i] = !cohort_map_block_check(map, seed,
						  cohort_map_address(map, sb, block, i),
						  block, disk[i], &seq[i]);
	*whole = good[0] && good[1] && seq[0] == seq[1];
	if (good[0] && good[1])
		return seq[1] > seq[0];
	return good[0] ? 0 : good[1] ? 1 : -EUCLEAN;
}
