/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - a pool that nobody uses, read by the module's own code.
 *
 * What is to be changed is laid over it, block by block, and read back through
 * the same calls: whoever repairs can look at the result before a byte of it
 * is written.
 */
#ifndef COHORTCTL_STORE_H
#define COHORTCTL_STORE_H

#include "../kmod/index.h"
#include "../kmod/replay.h"

/* The newest record of an object; the catalog is the list of them, in order of their batches. */
struct store_record {
	u16 type;
	u32 id;
	u32 len;
	u64 seq;			/* of its batch */
	void *data;			/* struct cohort_disk_source, _group or _rel */
};

struct store_block {
	struct store_block *next;
	u64 addr;
	u8 data[COHORT_BLOCK];
};

struct store {
	/* 0 or -errno; @addr and @len are multiples of COHORT_BLOCK, but for @size's own end */
	int (*read)(void *ctx, u64 addr, void *buf, u32 len);
	void *ctx;
	u64 size;
	/* NULL: the first damage ends store_load(). Else see struct cohort_replay. */
	int (*damage)(struct store *store, const struct cohort_damage *d);
	/* told of each preserved chunk; may be NULL */
	int (*chunk)(struct store *store, const struct cohort_preserve *p, u64 addr);
	/* told of each batch, before what is in it; may be NULL */
	int (*batch)(struct store *store, const struct cohort_batch *b, u32 segment);
	void *user;			/* for the three */

	/* what was found */
	struct cohort_super sb;
	struct cohort_segment_entry *table;
	struct cohort_index *index;
	struct store_record *record;
	u32 nr_records;
	u64 last_seq;
	u32 last_crc;
	u64 max_epoch;
	u64 batches;
	char why[160];

	struct store_block *over;	/* what is laid over it, newest first */
};

/*
 * -ENOENT: no pool; others: what the module would say, @why having the words.
 * To be freed in any case; may be called again after store_forget().
 */
int store_load(struct store *store);
/* What was found; what is laid over it stays. */
void store_forget(struct store *store);
void store_free(struct store *store);

/* Through what is laid over it. As @read. */
int store_read(struct store *store, u64 addr, void *buf, u32 len);
/* @data is a block; not written anywhere. Aborts without memory. */
void store_lay(struct store *store, u64 addr, const void *data);

/* NULL: the catalog has none. */
struct store_record *store_find(const struct store *store, u16 type, u32 id);
struct store_record *store_find_rel(const struct store *store, const char *name);
const struct cohort_disk_source *store_source(const struct store *store, u32 id);
void store_drop(struct store *store, u16 type, u32 id);

/* Its name as it is on the disk: terminated, if store_load() was content. */
const char *store_name(const struct store_record *record);

/*
 * What the image of @member shows, @disk being its source's disk, into @out of
 * the same size. -EIO: a chunk is damaged.
 */
int store_image(struct store *store, const struct cohort_disk_rel_member *member, const u8 *disk,
		u64 size, u8 *out);

/* Memory that must be there. */
void *store_alloc(size_t size);

#endif
