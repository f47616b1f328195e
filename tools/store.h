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
#include "../kmod/map.h"
#include "../kmod/replay.h"
#include "../kmod/run.h"

/* The newest record of an object; the catalog is the list of them, in order of their batches. */
struct store_record {
	u16 type;
	u32 id;
	u32 len;
	u64 seq;			/* of its batch */
	void *data;			/* struct cohort_disk_source, _group and so on */
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
	/*
	 * Told of each index run that counts, before the chunks of it, and of one
	 * that is damaged, @why having the words: it ends store_load() with what
	 * is returned. May be NULL.
	 */
	int (*run)(struct store *store, const struct cohort_run *run);
	int (*bad_run)(struct store *store, u32 id, int err);
	/*
	 * Told of each preserved chunk, the log's first; may be NULL. @index has where
	 * it is: an entry of a run that it was moved from afterwards is told of, too.
	 */
	int (*chunk)(struct store *store, const struct cohort_preserve *p, u64 addr);
	/* told of each batch, before what is in it; may be NULL */
	int (*batch)(struct store *store, const struct cohort_batch *b, u32 segment);
	void *user;			/* for those */

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
	bool overlays;			/* a record or an entry of one, whatever @sb says */
	bool moves;			/* the same of batches of chunks that were moved */
	bool sides;			/* the same of segments of side logs */
	bool clones;			/* a record of one, or a segment of a copy map */
	char why[160];

	struct store_block *over;	/* what is laid over it, newest first */
	/* the batch that is replayed */
	struct cohort_batch at;
	u32 at_segment;
};

/*
 * -ENOENT: no pool; others: what the module would say, @why having the words.
 * To be freed in any case; may be called again after store_forget().
 */
int store_load(struct store *store);
/* The newer superblock that is whole alone, into @sb. As store_load(). */
int store_super(struct store *store);
/* What was found; what is laid over it stays. */
void store_forget(struct store *store);
void store_free(struct store *store);

/* Through what is laid over it. As @read. */
int store_read(struct store *store, u64 addr, void *buf, u32 len);
/* @data is a block; not written anywhere. Aborts without memory. */
void store_lay(struct store *store, u64 addr, const void *data);

/* Both superblocks as @sb, newer than what is there, so that no older one says anything else. */
void store_lay_supers(struct store *store);

/* NULL: the catalog has none. Of clones, whose id is their relationship's, the first one. */
struct store_record *store_find(const struct store *store, u16 type, u32 id);
struct store_record *store_find_rel(const struct store *store, const char *name);
const struct cohort_disk_source *store_source(const struct store *store, u32 id);
/* A relationship goes with its overlays, and with what its members are copied to. */
void store_drop(struct store *store, u16 type, u32 id);
void store_drop_record(struct store *store, struct store_record *record);

/* Of what has one, as it is on the disk: terminated, if store_load() was content. */
const char *store_name(const struct store_record *record);

/* The one of its relationship that an overlay was written to; NULL: there is none such. */
const struct cohort_disk_rel_member *store_overlay_member(const struct store *store,
							  const struct cohort_disk_overlay *d);
/* Does anybody read what was written? */
bool store_overlay_live(const struct store *store, const struct cohort_disk_overlay *d);
/*
 * Where the image of @member, from 0, has @chunk: what was written to it, or what
 * was preserved. False: in its source.
 */
bool store_image_chunk(const struct store *store, const struct cohort_disk_rel *rel, u32 member,
		       u64 chunk, struct cohort_mapping *map);
/*
 * What that image shows, @disk being its source's disk, into @out of the same
 * size. -EIO: a chunk is damaged.
 */
int store_image(struct store *store, const struct cohort_disk_rel *rel, u32 member,
		const u8 *disk, u64 size, u8 *out);

/* One chunk that was preserved, by the log or by a run. As the callbacks of store_load(). */
int store_preserve(struct store *store, const struct cohort_preserve *p, u64 addr);
/* What the runs of the catalog say, the youngest first; those that do not count are dropped. */
int store_load_runs(struct store *store);

/* ---- store-clones.c ---- */

bool store_is_clone(const struct cohort_disk_rel *rel);
/* Is the cut of @member, from 0, read by anybody? */
bool store_cut_live(const struct cohort_disk_rel *rel, u32 member);
/* What that member of a clone is copied to; NULL: there is none such. */
struct store_record *store_find_clone(const struct store *store, u32 rel, u32 member);
/* The clone that @d is of; NULL: it is of no member of any. */
struct cohort_disk_rel *store_clone_rel(const struct store *store,
					const struct cohort_disk_clone *d);
/* Those of the image that is copied; 0: nobody knows. */
u64 store_clone_chunks(const struct store *store, const struct cohort_disk_clone *d);
/* To be freed. NULL: there is none, or it can not be. */
struct cohort_map *store_map(const struct store *store, const struct cohort_disk_clone *d);

struct store_map_block {
	int which;			/* copy that counts; -EUCLEAN: neither is whole */
	u64 seq[COHORT_MAP_COPIES];	/* 0: this one is not */
	u64 copied;			/* chunks that are on the target */
	u8 copy[COHORT_MAP_COPIES][COHORT_BLOCK];
};

/* Both copies of a block, one that can not be read being one that is not whole. */
void store_map_read(struct store *store, const struct cohort_map *map, u64 block,
		    struct store_map_block *b);
/* Is @chunk of a member of @rel on its target already, so that the image of it is not needed? */
bool store_clone_copied(struct store *store, const struct cohort_disk_rel *rel, u32 member,
			u64 chunk);

/* Memory that must be there. */
void *store_alloc(size_t size);

#endif
