// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crashlab-clone.c - judges a clone: what its record and its map say, and what is on its targets
 *
 * One clone at a time, c1, c2, ..., of all members. A chunk whose bit is set is on the target:
 * of the cut, or of writes that are not older than what had been flushed by then. Of any other
 * none had been, and its image is the cut. "cloning:NAME" stands where the members are as the
 * cut will be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/cohort.h>

#include "crashlab.h"
#include "crashlab-clone.h"
#include "memstore.h"

struct clone clone_now;

static const __u64 *floor_of(const struct clone_member *m)
{
	return lab.lossy ? m->flushed : m->acked;
}

/* ---- what is on a target ---- */

/* Is that, at @sector of member @i, of a write that may be seen there? */
static bool is_written(__u32 i, __u64 sector, const __u8 *data)
{
	const __u64 seed = clone_seed_of(data, sector);

	return seed && plan_run(seed) / PLAN_RUNS == clone_now.number && plan_member(seed) == i &&
	       plan_order(seed) >= floor_of(&clone_now.member[i])[sector];
}

static void check_own(__u32 i, __u64 at, __u64 len, const char *why, __u64 point)
{
	const struct clone_member *m = &clone_now.member[i];

	for (__u64 end = at + len; at < end; at += SECTOR) {
		const __u8 *data = lab.target[i]->look + at;
		const __u64 order = floor_of(m)[at / SECTOR];

		if (!is_written(i, at / SECTOR, data) &&
		    (order || memcmp(data, m->cut + at, SECTOR)))
			lab_violation(point, "%s: %s, but sector %llu of %s is not of write %llx",
				      clone_now.name, why, at / SECTOR, lab.target[i]->name, order);
		memcpy(m->expect + at, data, SECTOR);
	}
}

/* lab.image has what the image shows. */
static void check_image(__u32 i, __u64 at, __u64 len, __u64 point)
{
	const struct clone_member *m = &clone_now.member[i];

	if (memcmp(lab.image + at, m->cut + at, len))
		lab_violation(point, "%s: the image has lost what is at %llu of %s",
			      clone_now.name, at, lab.member[i]->name);
	for (__u64 end = at + len; at < end; at += SECTOR) {
		if (m->flushed[at / SECTOR])
			lab_violation(point, "%s: write %llx to sector %llu of %s was flushed, %s",
				      clone_now.name, m->flushed[at / SECTOR], at / SECTOR,
				      lab.target[i]->name, "but is not its target's");
		memcpy(m->expect + at, m->cut + at, SECTOR);
	}
}

static void check_target(__u32 i, const char *why, __u64 point)
{
	check_own(i, 0, lab.member[i]->size, why, point);
	lab.clones_whole++;
}

/* ---- what the record and the map say ---- */

static __u8 *read_bits(struct store *store, const struct cohort_disk_clone *d, __u64 point)
{
	struct cohort_map *map = store_map(store, d);
	struct store_map_block b;
	__u64 blocks;
	__u8 *bits;

	if (!map)
		lab_violation(point, "%s: its map is none", clone_now.name);
	blocks = cohort_map_blocks(map->chunks);
	bits = alloc_array(blocks, COHORT_MAP_BYTES);
	for (__u64 block = 0; block < blocks; block++) {
		store_map_read(store, map, block, &b);
		if (b.which < 0)
			lab_violation(point, "%s: no copy of block %llu of its map is whole",
				      clone_now.name, block);
		memcpy(bits + block * COHORT_MAP_BYTES,
		       ((struct cohort_disk_map_block *)b.copy[b.which])->bits,
		       COHORT_MAP_BYTES);
	}
	free(map);
	return bits;
}

/* While it is being copied. */
static void check_chunks(struct store *store, const struct cohort_disk_rel *rel, __u32 i,
			 const struct cohort_disk_clone *d, __u64 point)
{
	const __u64 size = lab.member[i]->size, step = store->sb.chunk_size;
	__u8 *bits = read_bits(store, d, point);

	if (store_image(store, rel, i, lab.member[i]->look, size, lab.image))
		lab_violation(point, "%s: a chunk of image %u is damaged", clone_now.name, i);
	for (__u64 at = 0, chunk = 0; at < size; at += step, chunk++) {
		const __u64 len = size - at < step ? size - at : step;
		const bool own = bits[chunk / 8] & 1u << chunk % 8;

		if (own)
			check_own(i, at, len, "its bit is set", point);
		else
			check_image(i, at, len, point);
		lab.clones_own += own;
		lab.clones_image += !own;
	}
	free(bits);
}

static void check_source(const struct store *store, const struct cohort_disk_rel *rel, __u32 i,
			 __u64 point)
{
	const struct cohort_disk_source *source =
		store_source(store, le32_to_cpu(rel->member[i].source));

	if (!source || strcmp((const char *)source->name, lab.member[i]->name))
		lab_violation(point, "%s: member %u is another one", clone_now.name, i);
}

static void check_state(__u32 i, __u32 state, __u64 point)
{
	const char *name = clone_now.name;

	if (clone_now.told != NOTHING &&
	    (state == COHORT_COPY_STATE_INITIALIZED || state == COHORT_COPY_STATE_INACTIVE))
		lab_violation(point, "%s was acknowledged, and has no cut", name);
	if (clone_now.suspended && state == COHORT_COPY_STATE_UNSYNCHRONIZED)
		lab_violation(point, "%s was suspended, and member %u is not", name, i);
	if (clone_now.resumed && state == COHORT_COPY_STATE_SUSPENDED)
		lab_violation(point, "%s was resumed, and member %u is not", name, i);
	if (clone_now.synchronized && state != COHORT_COPY_STATE_SYNCHRONIZED)
		lab_violation(point, "%s was synchronized, and member %u is not", name, i);
}

static void check_member(struct store *store, const struct cohort_disk_rel *rel, __u32 i,
			 __u64 point)
{
	const struct store_record *record = store_find_clone(store, le32_to_cpu(rel->hdr.id), i);
	const struct cohort_disk_clone *d = record ? record->data : NULL;
	const __u32 state = le32_to_cpu(rel->member[i].state);

	check_source(store, rel, i, point);
	check_state(i, state, point);
	if (!d)
		lab_violation(point, "%s: member %u has no target", clone_now.name, i);
	switch (state) {
	case COHORT_COPY_STATE_INITIALIZED:
	case COHORT_COPY_STATE_INACTIVE:
		return;
	case COHORT_COPY_STATE_UNSYNCHRONIZED:
	case COHORT_COPY_STATE_SUSPENDED:
		if (!rel->member[i].epoch)
			lab_violation(point, "%s: member %u has no cut", clone_now.name, i);
		check_chunks(store, rel, i, d, point);
		return;
	case COHORT_COPY_STATE_SYNCHRONIZED:
		if (rel->member[i].epoch || d->count)
			lab_violation(point, "%s: member %u keeps its cut", clone_now.name, i);
		check_target(i, "its image is gone", point);
		return;
	default:
		lab_violation(point, "%s: member %u is in state %u", clone_now.name, i, state);
	}
}

/* ---- one point ---- */

/* It is not in the catalog: not yet, or not any more. */
static void check_none(__u64 point)
{
	if (clone_now.told == TAKEN)
		lab_violation(point, "%s was acknowledged and is not there", clone_now.name);
	for (__u32 i = 0; i < lab.nr_targets && !clone_now.over; i++) {
		if (clone_now.told == NOTHING &&
		    memcmp(lab.target[i]->look, clone_now.member[i].was, lab.target[i]->size))
			lab_violation(point, "%s is not there, but %s was written to",
				      clone_now.name, lab.target[i]->name);
		if (clone_now.told != NOTHING && !clone_now.forced)
			check_target(i, "it was ended", point);
	}
}

/* Of any other clone nothing is left. */
static const struct cohort_disk_rel *find_rel(const struct store *store, __u64 point)
{
	const struct cohort_disk_rel *rel = NULL;

	for (__u32 i = 0; i < store->nr_records; i++) {
		const struct store_record *record = &store->record[i];

		if (record->type == COHORT_REC_CLONE && !store_clone_rel(store, record->data))
			lab_violation(point, "a record of a clone that is gone is there");
		if (record->type != COHORT_REC_REL || !store_is_clone(record->data))
			continue;
		rel = record->data;
		if (strcmp((const char *)rel->name, clone_now.name))
			lab_violation(point, "%s was ended and is there", rel->name);
	}
	return rel;
}

void check_clone(struct store *store, __u64 point)
{
	const struct cohort_disk_rel *rel = find_rel(store, point);

	clone_now.there = rel;
	if (!clone_now.number)
		return;
	if (!rel) {
		check_none(point);
		return;
	}
	if (clone_now.told == DROPPED)
		lab_violation(point, "%s was ended and is there", clone_now.name);
	if (le32_to_cpu(rel->count) != lab.nr_targets)
		lab_violation(point, "%s has %u members", clone_now.name, le32_to_cpu(rel->count));
	for (__u32 i = 0; i < lab.nr_targets; i++)
		check_member(store, rel, i, point);
	clone_now.state = le32_to_cpu(rel->state);
	lab.clones++;
}
