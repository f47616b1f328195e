/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * map.h - a copy map: which chunks of an image are on its target already.
 *
 * A bit of a chunk is set when the chunk is durable on the target, and never goes back.
 * So blocks of the map need no order among each other, and an older copy of one
 * is true, too: it only says less. Each has two copies; the one with the larger
 * sequence number counts. A torn write leaves the other one.
 *
 * Pure: no allocation, no sleeping, no locks; any context, kernel and user space.
 */
#ifndef COHORT_MAP_H
#define COHORT_MAP_H

#include "codec.h"

#define COHORT_MAP_COPIES	2u
/* Whose bits a kernel keeps in one piece of memory. */
#define COHORT_MAP_CHUNKS_MAX	(1ull << 33)

struct cohort_map {
	u8	uuid[16];
	u64	chunks;
	u32	count;			/* segments */
	u32	*segment;
};

/* Blocks that a map of @chunks has, of each copy. */
u64 cohort_map_blocks(u64 chunks);
/* Segments that both copies take. */
u64 cohort_map_segments(u64 chunks, u32 segment_size);
/* Where @copy of @block lies in the pool. */
u64 cohort_map_address(const struct cohort_map *map, const struct cohort_super *sb, u64 block,
		       u32 copy);

/* Makes the 4 KiB at @disk, of which the bits are in place, that block as of @seq. */
void cohort_map_block_encode(const struct cohort_map *map, u32 seed, u64 address, u64 block,
			     u64 seq, void *disk);
/* Is it this map's? 0 and @seq, or -EUCLEAN. */
int cohort_map_block_check(const struct cohort_map *map, u32 seed, u64 address, u64 block,
			   const void *disk, u64 *seq);
/*
 * Which of the copies of @block counts, 0 or 1; -EUCLEAN: neither is whole. @whole: both
 * are, and as new, so that the loss of one more is none.
 */
int cohort_map_choose(const struct cohort_map *map, const struct cohort_super *sb, u32 seed,
		      u64 block, const void *const disk[COHORT_MAP_COPIES], bool *whole);

#endif
