/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * copy.h - what members of clones are copied to: the target's identity, its copy map, records.
 *
 * A member of a clone has one of these from its beginning to its end. It has a map
 * on the pool from the cut until the copy is complete or given up, and one in memory
 * while a cohort-clone table is there.
 */
#ifndef COHORT_COPY_H
#define COHORT_COPY_H

#include <linux/list.h>
#include <linux/mutex.h>
#include "format.h"
#include "map.h"
#include "defs.h"

struct cohort_clone;
struct cohort_copymap;
struct cohort_hydrator;
struct mapped_device;

struct cohort_copy {
	struct list_head list;		/* pool->copies, while a catalog is loaded */
	u32 rel;			/* id */
	u32 member;			/* from 0 */
	struct cohort_rel *owner;	/* from when it is a member's on */
	u64 size;			/* of the target, bytes */
	char dm_uuid[COHORT_DISK_ID];
	char wwn[COHORT_DISK_ID];
	char partuuid[COHORT_DISK_PARTUUID];
	bool compare;			/* what the target holds may be the same */
	/* on the pool, of no segments: there is none; catalog_mutex and cohort_lock */
	struct cohort_map map;
	/*
	 * Who begins or ends the use of a map in memory, or of the table that copies, holds
	 * it; before all locks of the pool. Protects the next seven; @live is set under
	 * cohort_lock, too.
	 */
	struct mutex mutex;
	struct cohort_copymap *live;	/* while there are tables */
	struct mapped_device *md;	/* whose they are */
	struct cohort_clone *clone;	/* of the table that is in use */
	struct cohort_hydrator *hydrator;	/* that table's */
	bool running;			/* it was started, and may have come to its end */
	int outcome;			/* 0: not yet, 1: nothing is left, -EIO; READ_ONCE */
	u32 opens;			/* tables that share @live */
	u32 users;			/* cohort-clone tables; cohort_lock, as the next three */
	dev_t dev;			/* the target, 0: none was seen since the pool came up */
	u64 copied;			/* chunks, when there were tables; U64_MAX: not known */
	u64 failed;			/* bytes that could not be copied; of the last hydrator */
};

/* A target, as it was asked for; strings may be NULL. */
struct cohort_target_args {
	dev_t dev;
	u64 size;			/* bytes */
	const char *dm_uuid;
	const char *wwn;
	const char *partuuid;
};

/* NULL without memory. */
struct cohort_copy *cohort_copy_new(const struct cohort_target_args *args);
/* It is the member's now, and goes with the relationship. */
void cohort_copy_give(struct cohort_copy *copy, struct cohort_rel *rel, u32 member);
/* Nobody uses it; may be NULL. */
void cohort_copy_free(struct cohort_copy *copy);

/* Chunks on the target; U64_MAX: not known. Caller holds cohort_lock. */
u64 cohort_copy_copied(const struct cohort_rel *rel, u32 member);

/*
 * Makes empty maps, durably, in @maps, for the members that @wants is true of. -ENOSPC, or
 * what the pool said; some may be there then. Caller drops what it has no use for.
 * Sleeps; caller holds no lock, and the relationship is busy.
 */
int cohort_copy_make_maps(struct cohort_rel *rel, bool (*wants)(void *ctx, u32 member), void *ctx,
			  struct cohort_map *maps);
/* No record says of the map any more, or none did yet: its segments are free. Any context. */
void cohort_copy_drop_map(struct cohort_pool *pool, struct cohort_map *map);

/*
 * From a table's constructor: the map of a member, read if no other table has it, in
 * copy->live; none if all is on the target. -EBUSY with words: it is another device's. Pairs
 * with cohort_copy_close(). Sleeps for the pool.
 */
int cohort_copy_open(struct cohort_rel *rel, u32 member, struct mapped_device *md,
		     struct cohort_words *words);
void cohort_copy_close(struct cohort_rel *rel, u32 member);

/* Records. Caller holds cohort_lock. */
size_t cohort_copy_record_len(const struct cohort_rel *rel, u32 member);
/* Of all members together that have a copy. */
size_t cohort_copy_records_len(const struct cohort_rel *rel);
/* Of one whose map has @count segments. Any context. */
size_t cohort_copy_len_with(u32 count);
/* With the map it has, or as one that has none. */
size_t cohort_copy_encode(const struct cohort_rel *rel, u32 member, bool map, void *buf);
int cohort_copy_decode(struct cohort_pool *pool, const void *record);
/* While a log is replayed: a relationship went. */
void cohort_copy_unload_rel(struct cohort_pool *pool, u32 rel);
void cohort_copy_unload_all(struct cohort_pool *pool);
/* Behind the replay: each goes to its member, whose state it fits, or goes. -EUCLEAN. */
int cohort_copy_bind(struct cohort_pool *pool, const struct cohort_segment_entry *table);

#endif
