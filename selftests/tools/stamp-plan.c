// SPDX-License-Identifier: GPL-2.0-or-later
/* stamp: where write k of chain c goes, and what its sectors say. */
#include <string.h>

#include "../../tools/crc32c.h"
#include "stamp.h"

static struct rng plan_rng(const struct stamp_geometry *geo, __u32 chain, __u64 seq)
{
	__u64 half[2];

	memcpy(half, geo->run, sizeof(half));
	return (struct rng){ mix64(half[0] ^ mix64(half[1] ^ mix64((__u64)chain << 48 ^ seq))) };
}

static __u32 size_classes(const struct stamp_geometry *geo)
{
	__u32 n = 1;

	for (__u32 size = geo->min; size < geo->max; size *= 2)
		n++;
	return n;
}

static __u32 class_size(const struct stamp_geometry *geo, __u32 class)
{
	__u64 size = (__u64)geo->min << class;

	return size < geo->max ? size : geo->max;
}

/*
 * Half of the writes are aligned to their own length, as file systems and data
 * bases write; the other half have any length and begin at any block, so that
 * every way to cut a chunk in parts comes up.
 */
static __u32 plan_length(const struct stamp_geometry *geo, struct rng *rng, __u32 *offset)
{
	__u32 class = rng_below(rng, size_classes(geo));
	__u32 size = class_size(geo, class);
	__u32 less, blocks;

	if (rng_next(rng) & 1) {
		*offset = rng_below(rng, geo->max / size) * size;
		return size;
	}
	less = class ? class_size(geo, class - 1) : 0;
	blocks = (size - less) / geo->block;
	size = less + (1 + rng_below(rng, blocks ? blocks : 1)) * geo->block;
	*offset = rng_below(rng, (geo->max - size) / geo->block + 1) * geo->block;
	return size;
}

void stamp_plan(const struct stamp_geometry *geo, __u32 chain, __u64 seq,
		struct stamp_place *place)
{
	struct rng rng = plan_rng(geo, chain, seq);
	__u64 slot = seq % geo->slots;
	__u32 offset;

	place->member = rng_below(&rng, geo->members);
	place->count = plan_length(geo, &rng, &offset);
	/* The chains' slots alternate, so neighbours on disk are written by different chains. */
	place->lba = geo->base + (slot * geo->chains + chain) * geo->max + offset;
}

__u64 stamp_arena(const struct stamp_geometry *geo)
{
	return (__u64)geo->slots * geo->chains * geo->max;
}

__u32 stamp_owner(const struct stamp_geometry *geo, __u64 offset)
{
	return offset / geo->max % geo->chains;
}

static void fill_common(struct stamp_sector *s, const struct stamp_geometry *geo, __u32 chain,
			__u64 seq, const struct stamp_place *place, const __u64 *seen)
{
	s->magic = STAMP_MAGIC;
	memcpy(s->run, geo->run, sizeof(s->run));
	s->chain = chain;
	s->member = place->member;
	s->chains = geo->chains;
	s->members = geo->members;
	s->seq = seq;
	s->count = place->count;
	s->reserved = 0;
	for (__u32 c = 0; c < STAMP_MAX_CHAINS; c++)
		s->seen[c] = c < geo->chains ? seen[c] : seq;
}

/*
 * Not the CRC itself: one over data and its CRC is always the same, so the pool could
 * not tell a sector that a power cut tore out of a chunk from the stamp that was there.
 */
static __u32 sum_of(__u32 crc)
{
	return crc * 2654435761u;
}

void stamp_fill(struct stamp_sector *buf, const struct stamp_geometry *geo, __u32 chain,
		__u64 seq, const struct stamp_place *place, const __u64 *seen)
{
	__u32 state;

	fill_common(buf, geo, chain, seq, place, seen);
	state = crc32c(~0u, buf, STAMP_COMMON);
	for (__u32 i = 0; i < place->count; i++) {
		struct stamp_sector *s = &buf[i];

		if (i)
			memcpy(s, buf, STAMP_COMMON);
		s->lba = place->lba + i;
		s->index = i;
		s->crc = sum_of(crc32c(state, &s->lba, STAMP_SUMMED - STAMP_COMMON));
	}
}

bool stamp_crc_good(const struct stamp_sector *s)
{
	return s->crc == sum_of(crc32c(~0u, s, STAMP_SUMMED));
}
