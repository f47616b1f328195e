/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * poolview.h - a pool as the module would find it, read from memory by the module's own code.
 *
 * It writes nothing: it is the pool at one instant, for whoever wants to know
 * which relationships it holds and what their images show.
 */
#ifndef SELFTESTS_POOLVIEW_H
#define SELFTESTS_POOLVIEW_H

#include "../../kmod/index.h"

struct poolview_member {
	u32 source;
	u32 state;
	u64 epoch;
};

struct poolview_rel {
	u32 id;
	u32 state;
	u32 count;
	char name[COHORT_DISK_NAME];
	struct poolview_member *member;
};

struct poolview_source {
	u32 id;
	u64 size;
	char name[COHORT_DISK_NAME];
};

struct poolview {
	const u8 *base;
	u64 size;
	struct cohort_super sb;
	struct cohort_index *index;
	struct poolview_source *source;
	u32 nr_sources;
	struct poolview_rel *rel;
	u32 nr_rels;
	u64 batches;
	char why[160];
};

/* -ENOENT: no pool; others: one that the module would refuse, @why says it. Free it in any case. */
int poolview_load(struct poolview *view, const void *base, u64 size);
void poolview_free(struct poolview *view);

/* NULL: it has none of that name. */
const struct poolview_rel *poolview_rel(const struct poolview *view, const char *name);
const struct poolview_source *poolview_source(const struct poolview *view, u32 id);

/*
 * What the image of @member shows, @disk being its source's disk, into @out of
 * the same size. -EIO: a chunk is damaged.
 */
int poolview_image(const struct poolview *view, const struct poolview_member *member,
		   const u8 *disk, u64 size, u8 *out);

#endif
