// SPDX-License-Identifier: GPL-2.0-or-later
/* store-overlays.c - what images of a pool that nobody uses show, and what was written to them. */
#include <stdlib.h>
#include <string.h>

#include "store.h"

const struct cohort_disk_rel_member *store_overlay_member(const struct store *store,
							  const struct cohort_disk_overlay *d)
{
	const struct store_record *record = store_find(store, COHORT_REC_REL, le32_to_cpu(d->rel));
	const struct cohort_disk_rel *rel = record ? record->data : NULL;
	const u32 member = le32_to_cpu(d->member);

	return rel && member < le32_to_cpu(rel->count) ? &rel->member[member] : NULL;
}

bool store_overlay_live(const struct store *store, const struct cohort_disk_overlay *d)
{
	const struct store_record *record = store_find(store, COHORT_REC_REL, le32_to_cpu(d->rel));

	/* what is written to a clone is on its target */
	return store_overlay_member(store, d) && cohort_is_overlay(le32_to_cpu(d->hdr.id)) &&
	       !store_is_clone(record->data) &&
	       store_cut_live(record->data, le32_to_cpu(d->member));
}

/* NULL: nothing was written to this image. */
static const struct cohort_disk_overlay *find_overlay(const struct store *store,
						      const struct cohort_disk_rel *rel, u32 member)
{
	u32 i;

	for (i = 0; i < store->nr_records; i++) {
		const struct cohort_disk_overlay *d = store->record[i].data;

		if (store->record[i].type == COHORT_REC_OVERLAY && d->rel == rel->hdr.id &&
		    le32_to_cpu(d->member) == member && store_overlay_live(store, d))
			return d;
	}
	return NULL;
}

/* The newest is the smallest, and it is of this life of the overlay or none is. */
static bool overlay_lookup(const struct store *store, const struct cohort_disk_overlay *d,
			   u64 chunk, struct cohort_mapping *map)
{
	return d && cohort_index_lookup(store->index, le32_to_cpu(d->hdr.id), chunk, 1, map) &&
	       cohort_overlay_seq(map->epoch) > le64_to_cpu(d->floor);
}

static bool image_chunk(const struct store *store, const struct cohort_disk_overlay *d,
			const struct cohort_disk_rel_member *m, u64 chunk,
			struct cohort_mapping *map)
{
	return overlay_lookup(store, d, chunk, map) ||
	       cohort_index_lookup(store->index, le32_to_cpu(m->source), chunk,
				   le64_to_cpu(m->epoch), map);
}

bool store_image_chunk(const struct store *store, const struct cohort_disk_rel *rel, u32 member,
		       u64 chunk, struct cohort_mapping *map)
{
	return image_chunk(store, find_overlay(store, rel, member), &rel->member[member], chunk,
			   map);
}

int store_image(struct store *store, const struct cohort_disk_rel *rel, u32 member,
		const u8 *disk, u64 size, u8 *out)
{
	const struct cohort_disk_overlay *d = find_overlay(store, rel, member);
	u32 step = store->sb.chunk_size;
	struct cohort_mapping map;
	u64 chunk, at;
	u8 *data = store_alloc(step);
	int err = 0;

	memcpy(out, disk, size);
	for (chunk = 0, at = 0; at < size && !err; chunk++, at += step) {
		u32 len = size - at < step ? size - at : step;

		if (!image_chunk(store, d, &rel->member[member], chunk, &map))
			continue;
		err = store_read(store, map.addr, data, step);
		if (!err && cohort_crc32c(~0u, data, step) != map.crc)
			err = -EIO;
		memcpy(out + at, data, len);
	}
	free(data);
	return err;
}
