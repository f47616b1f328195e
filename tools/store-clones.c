// SPDX-License-Identifier: GPL-2.0-or-later
/* store-clones.c - clones of a pool that nobody uses: what they are copied to, and how far. */
#include <stdlib.h>
#include <string.h>

#include <linux/cohort.h>

#include "store.h"

bool store_is_clone(const struct cohort_disk_rel *rel)
{
	return le32_to_cpu(rel->sync_type) == COHORT_SYNC_TYPE_CLONE;
}

bool store_cut_live(const struct cohort_disk_rel *rel, u32 member)
{
	const u32 state = le32_to_cpu(rel->member[member].state);

	if (!store_is_clone(rel))
		return state == COHORT_COPY_STATE_SYNCHRONIZED;
	return state == COHORT_COPY_STATE_UNSYNCHRONIZED || state == COHORT_COPY_STATE_SUSPENDED;
}

struct store_record *store_find_clone(const struct store *store, u32 rel, u32 member)
{
	u32 i;

	for (i = 0; i < store->nr_records; i++) {
		struct store_record *record = &store->record[i];
		const struct cohort_disk_clone *d = record->data;

		if (record->type == COHORT_REC_CLONE && record->id == rel &&
		    le32_to_cpu(d->member) == member)
			return record;
	}
	return NULL;
}

struct cohort_disk_rel *store_clone_rel(const struct store *store,
					const struct cohort_disk_clone *d)
{
	struct store_record *record = store_find(store, COHORT_REC_REL, le32_to_cpu(d->hdr.id));
	struct cohort_disk_rel *rel = record ? record->data : NULL;

	if (!rel || !store_is_clone(rel) || le32_to_cpu(d->member) >= le32_to_cpu(rel->count))
		return NULL;
	return rel;
}

u64 store_clone_chunks(const struct store *store, const struct cohort_disk_clone *d)
{
	const struct cohort_disk_rel *rel = store_clone_rel(store, d);
	const struct cohort_disk_source *source = NULL;
	const u64 step = store->sb.chunk_size;

	if (rel)
		source = store_source(store,
				      le32_to_cpu(rel->member[le32_to_cpu(d->member)].source));
	return source ? le64_to_cpu(source->size) / step + !!(le64_to_cpu(source->size) % step) :
		0;
}

/* ---- copy maps ---- */

struct cohort_map *store_map(const struct store *store, const struct cohort_disk_clone *d)
{
	const u32 count = le32_to_cpu(d->count);
	const u64 chunks = store_clone_chunks(store, d);
	struct cohort_map *map;
	bool good = true;
	u32 i;

	if (!count || !chunks || count != cohort_map_segments(chunks, store->sb.segment_size))
		return NULL;
	map = store_alloc(sizeof(*map) + count * sizeof(*map->segment));
	memcpy(map->uuid, d->map, sizeof(map->uuid));
	map->chunks = chunks;
	map->count = count;
	map->segment = (u32 *)(map + 1);
	for (i = 0; i < count; i++) {
		map->segment[i] = le32_to_cpu(d->segment[i]);
		good &= map->segment[i] < store->sb.nr_segments;
	}
	if (good)
		return map;
	free(map);
	return NULL;
}

static u64 count_bits(const u8 *block)
{
	const struct cohort_disk_map_block *d = (const void *)block;
	u64 n = 0;
	u32 i;

	for (i = 0; i < COHORT_MAP_BYTES; i++)
		n += (u64)__builtin_popcount(d->bits[i]);
	return n;
}

void store_map_read(struct store *store, const struct cohort_map *map, u64 block,
		    struct store_map_block *b)
{
	const void *const copy[COHORT_MAP_COPIES] = { b->copy[0], b->copy[1] };
	const u32 seed = cohort_pool_seed(store->sb.uuid);
	bool whole;
	u32 i;

	for (i = 0; i < COHORT_MAP_COPIES; i++) {
		const u64 addr = cohort_map_address(map, &store->sb, block, i);

		if (store_read(store, addr, b->copy[i], COHORT_BLOCK))
			memset(b->copy[i], 0, COHORT_BLOCK);
		if (cohort_map_block_check(map, seed, addr, block, b->copy[i], &b->seq[i]))
			b->seq[i] = 0;
	}
	b->which = cohort_map_choose(map, &store->sb, seed, block, copy, &whole);
	b->copied = b->which < 0 ? 0 : count_bits(b->copy[b->which]);
}

bool store_clone_copied(struct store *store, const struct cohort_disk_rel *rel, u32 member,
			u64 chunk)
{
	const struct store_record *record = store_find_clone(store, le32_to_cpu(rel->hdr.id),
							     member);
	struct cohort_map *map = record ? store_map(store, record->data) : NULL;
	const u32 bit = chunk % COHORT_MAP_BITS;
	struct store_map_block b;
	bool copied = false;

	if (map && chunk < map->chunks) {
		store_map_read(store, map, chunk / COHORT_MAP_BITS, &b);
		if (b.which >= 0) {
			const struct cohort_disk_map_block *d = (void *)b.copy[b.which];

			copied = d->bits[bit / 8] & (1u << bit % 8);
		}
	}
	free(map);
	return copied;
}
