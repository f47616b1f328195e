// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crashlab-written.c - judges what was written to an image
 *
 * Write number N fills the first 64 KiB with the pattern of seed N, and then one
 * of eight sectors behind 128 KiB, in turns. All that somebody was told of must be
 * there, of what came next any chunk may be; behind a reset nothing is, and in the
 * middle of one all or nothing.
 */
#include <string.h>

#include "crashlab.h"
#include "iocheck.h"
#include "memstore.h"

#define WHOLE (64 << 10)
#define PARTS (128 << 10)
#define NR_PARTS 8

static const struct disk *first_source(struct store *store, const struct cohort_disk_rel *rel)
{
	const struct cohort_disk_source *source =
		store_source(store, le32_to_cpu(rel->member[0].source));

	for (__u32 i = 0; source && i < lab.nr_members; i++)
		if (!strcmp(lab.member[i]->name, (const char *)source->name))
			return lab.member[i];
	return NULL;
}

static bool is_written(struct store *store, const struct cohort_disk_rel *rel, __u64 at)
{
	struct cohort_mapping map;

	return store_image_chunk(store, rel, 0, at / store->sb.chunk_size, &map) &&
	       cohort_is_overlay(map.source);
}

/* Has the chunk at @at in lab.image the pattern of write @seed? */
static bool is_of(const struct store *store, __u64 at, __u64 seed)
{
	return pattern_check(lab.image + at, seed, at, store->sb.chunk_size) == ~0ull;
}

/* Behind the last write that was told of, or the next one. */
static void check_whole_chunk(struct store *store, const struct cohort_disk_rel *rel, __u64 at,
			      __u64 point)
{
	const __u64 n = lab.written;

	if (!is_written(store, rel, at)) {
		if (n > lab.reset)
			lab_violation(point, "write %llu of an image is not there", n);
		return;
	}
	if (!(n > lab.reset && is_of(store, at, n)) && !is_of(store, at, n + 1))
		lab_violation(point, "at %llu an image is not of write %llu, nor the next", at, n);
}

static void check_part(struct store *store, const struct cohort_disk_rel *rel, __u32 part,
		       __u64 point)
{
	const __u64 at = PARTS + part * SECTOR;
	__u64 n = lab.written;

	while (n > lab.reset && n % NR_PARTS != part)
		n--;
	if (n <= lab.reset)
		return;
	if (!is_written(store, rel, at))
		lab_violation(point, "write %llu of a part is not there", n);
	if (pattern_check(lab.image + at, n, at, SECTOR) == ~0ull)
		return;
	if ((lab.written + 1) % NR_PARTS != part ||
	    pattern_check(lab.image + at, lab.written + 1, at, SECTOR) != ~0ull)
		lab_violation(point, "sector %u of an image is not of write %llu", part, n);
}

void check_written(struct store *store, const struct cohort_disk_rel *rel, __u64 point)
{
	const struct disk *disk = first_source(store, rel);
	__u64 at;

	if (!disk || store_image(store, rel, 0, disk->look, disk->size, lab.image))
		lab_violation(point, "an image that is written can not be read");
	/* the reset is there, or nothing of it */
	if (lab.resetting && !is_written(store, rel, 0)) {
		for (at = 0; at < disk->size; at += store->sb.chunk_size)
			if (is_written(store, rel, at))
				lab_violation(point, "a reset of an image is there in part");
		return;
	}
	for (at = 0; at < WHOLE; at += store->sb.chunk_size)
		check_whole_chunk(store, rel, at, point);
	for (__u32 part = 0; part < NR_PARTS; part++)
		check_part(store, rel, part, point);
	lab.overlays += lab.written > lab.reset;
}
