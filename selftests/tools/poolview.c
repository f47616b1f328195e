// SPDX-License-Identifier: GPL-2.0-or-later
/* poolview.c - a pool as the module would find it, read from memory by the module's own code. */
#include <stdio.h>
#include <stdlib.h>

#include <linux/cohort.h>

#include "../../kmod/replay.h"
#include "crc32c.h"
#include "poolview.h"

u32 cohort_crc32c(u32 seed, const void *data, size_t len)
{
	return crc32c(seed, data, len);
}

static int read_pool(void *ctx, u64 addr, void *buf, u32 len)
{
	const struct poolview *view = ctx;

	if (addr > view->size || len > view->size - addr)
		return -EIO;
	memcpy(buf, view->base + addr, len);
	return 0;
}

static int on_preserve(void *ctx, const struct cohort_preserve *p, u64 addr)
{
	struct poolview *view = ctx;
	struct cohort_index_node *node = cohort_index_node_new(false);
	u64 newest;

	if (!node)
		return -ENOMEM;
	node->source = p->source;
	node->chunk = p->chunk;
	node->epoch = p->epoch;
	node->addr = addr;
	node->crc = p->crc;
	node->unreadable = p->unreadable;
	/* the first one counts, as in the module */
	if (cohort_index_insert(view->index, node, &newest))
		cohort_index_node_free(node);
	return 0;
}

static void *grown(void *array, u32 count, size_t size)
{
	void *bigger = realloc(array, (count + 1) * size);

	if (!bigger)
		abort();
	memset((char *)bigger + count * size, 0, size);
	return bigger;
}

static void drop_rel(struct poolview *view, u32 id)
{
	u32 i;

	for (i = 0; i < view->nr_rels; i++) {
		if (view->rel[i].id != id)
			continue;
		free(view->rel[i].member);
		view->rel[i] = view->rel[--view->nr_rels];
		return;
	}
}

static int on_rel(struct poolview *view, const struct cohort_disk_rel *disk)
{
	struct poolview_rel *rel;
	u32 i;

	drop_rel(view, le32_to_cpu(disk->hdr.id));
	view->rel = grown(view->rel, view->nr_rels, sizeof(*rel));
	rel = &view->rel[view->nr_rels++];
	rel->id = le32_to_cpu(disk->hdr.id);
	rel->state = le32_to_cpu(disk->state);
	rel->count = le32_to_cpu(disk->count);
	rel->member = calloc(rel->count + 1, sizeof(*rel->member));
	if (!rel->member)
		return -ENOMEM;
	for (i = 0; i < rel->count; i++) {
		rel->member[i].source = le32_to_cpu(disk->member[i].source);
		rel->member[i].state = le32_to_cpu(disk->member[i].state);
		rel->member[i].epoch = le64_to_cpu(disk->member[i].epoch);
	}
	return cohort_name_decode(rel->name, disk->name, sizeof(rel->name));
}

static void drop_source(struct poolview *view, u32 id)
{
	u32 i;

	for (i = 0; i < view->nr_sources; i++) {
		if (view->source[i].id != id)
			continue;
		view->source[i] = view->source[--view->nr_sources];
		return;
	}
}

static int on_source(struct poolview *view, const struct cohort_disk_source *disk)
{
	struct poolview_source *source;

	drop_source(view, le32_to_cpu(disk->hdr.id));
	view->source = grown(view->source, view->nr_sources, sizeof(*source));
	source = &view->source[view->nr_sources++];
	source->id = le32_to_cpu(disk->hdr.id);
	source->size = le64_to_cpu(disk->size);
	return cohort_name_decode(source->name, disk->name, sizeof(source->name));
}

static int on_record(void *ctx, const void *record, u64 seq, u32 segment)
{
	const struct cohort_disk_record *hdr = record;
	struct poolview *view = ctx;

	(void)seq;
	(void)segment;
	switch (le16_to_cpu(hdr->type)) {
	case COHORT_REC_SOURCE:
		return on_source(view, record);
	case COHORT_REC_SOURCE_DEL:
		drop_source(view, le32_to_cpu(hdr->id));
		return 0;
	case COHORT_REC_REL:
		return on_rel(view, record);
	case COHORT_REC_REL_DEL:
		drop_rel(view, le32_to_cpu(hdr->id));
		return 0;
	default:
		return 0;
	}
}

int poolview_load(struct poolview *view, const void *base, u64 size)
{
	struct cohort_replay replay = {
		.sb = &view->sb, .ctx = view, .read = read_pool, .preserve = on_preserve,
		.record = on_record,
	};
	const char *why = "";
	int err;

	memset(view, 0, sizeof(*view));
	view->base = base;
	view->size = size;
	err = cohort_super_choose(&view->sb, view->base + COHORT_SUPER_A,
				  view->base + COHORT_SUPER_B, size, &why);
	if (err) {
		snprintf(view->why, sizeof(view->why), "%s", why);
		return err;
	}
	view->index = cohort_index_new(view->sb.size / view->sb.chunk_size);
	replay.table = calloc(view->sb.nr_segments, sizeof(*replay.table));
	if (!view->index || !replay.table)
		abort();
	err = cohort_replay_run(&replay);
	view->batches = replay.batches;
	snprintf(view->why, sizeof(view->why), "%s", replay.why);
	free(replay.table);
	return err;
}

void poolview_free(struct poolview *view)
{
	u32 i;

	for (i = 0; i < view->nr_rels; i++)
		free(view->rel[i].member);
	free(view->rel);
	free(view->source);
	if (view->index)
		cohort_index_free(view->index);
}

const struct poolview_rel *poolview_rel(const struct poolview *view, const char *name)
{
	u32 i;

	for (i = 0; i < view->nr_rels; i++)
		if (!strcmp(view->rel[i].name, name))
			return &view->rel[i];
	return NULL;
}

const struct poolview_source *poolview_source(const struct poolview *view, u32 id)
{
	u32 i;

	for (i = 0; i < view->nr_sources; i++)
		if (view->source[i].id == id)
			return &view->source[i];
	return NULL;
}

int poolview_image(const struct poolview *view, const struct poolview_member *member,
		   const u8 *disk, u64 size, u8 *out)
{
	u32 step = view->sb.chunk_size;
	struct cohort_mapping map;
	u64 chunk, at;

	memcpy(out, disk, size);
	for (chunk = 0, at = 0; at < size; chunk++, at += step) {
		u32 len = size - at < step ? size - at : step;

		if (!cohort_index_lookup(view->index, member->source, chunk, member->epoch, &map))
			continue;
		if (map.addr > view->size || step > view->size - map.addr ||
		    cohort_crc32c(~0u, view->base + map.addr, step) != map.crc)
			return -EIO;
		memcpy(out + at, view->base + map.addr, len);
	}
	return 0;
}
