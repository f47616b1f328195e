/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * copymap.h - which chunks of a clone are its target's own, in memory and on the pool.
 *
 * A bit is set when the chunk's data has been written to the target, and the one who
 * wrote is told after that; so who sees a bit reads the target. It is durable behind
 * a commit: the bits are noted, the target is flushed, and what was noted goes into the
 * map, twice. What a bit stood for when it was noted is on the disk by then; one
 * that comes during the flush is left to the next commit. A flush of the clone is a commit,
 * also when it has nothing new, for the one before it may be under way.
 */
#ifndef COHORT_COPYMAP_H
#define COHORT_COPYMAP_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include "map.h"
#include "pool.h"

struct cohort_copymap {
	struct cohort_pool *pool;
	struct cohort_map map;
	void *bits;			/* little-endian, as they are on disk */
	unsigned long *dirty;		/* blocks with a bit that is not durable */
	unsigned long *second_first;	/* blocks whose second copy is written first; @mutex */
	atomic64_t left;		/* chunks that are the image's */
	/*
	 * Held by a commit, which sleeps for the target and for the pool; protects what
	 * follows. Nothing is taken inside; who takes it has none of the pool's mutexes, nor
	 * keeps it from being suspended.
	 */
	struct mutex mutex;
	u64 seq;			/* of the newest block on disk */
	bool failed;			/* a flush was: the target may have lost what was noted */
	bool over;			/* its segments may be of others; READ_ONCE */
	u8 *noted;			/* blocks on their way; no memory may be needed then */
	u64 *which;			/* their numbers */
};

/* Memory for a map of @chunks, none of them set; NULL without. May sleep. */
struct cohort_copymap *cohort_copymap_new(struct cohort_pool *pool, u64 chunks);
void cohort_copymap_free(struct cohort_copymap *cm);

/*
 * A new map on the pool, durable. -ENOSPC, -EIO, -EAGAIN. Caller is between
 * cohort_pool_read_begin() and _end(); sleeps.
 */
int cohort_copymap_make(struct cohort_copymap *cm);
/* Reads one; what it says counts as durable. -EUCLEAN: neither copy of a block is whole. Sleeps. */
int cohort_copymap_load(struct cohort_copymap *cm);

/* How many chunks from @first on, up to @end, are whose @first is; *@own: the target's. */
u64 cohort_copymap_alike(const struct cohort_copymap *cm, u64 first, u64 end, bool *own);
/* They are the target's: their data has been written to it. Any context. */
void cohort_copymap_set(struct cohort_copymap *cm, u64 first, u64 end);
/* All of it is the target's, if not durably. Any context. */
static inline bool cohort_copymap_full(const struct cohort_copymap *cm)
{
	return !atomic64_read(&cm->left);
}

/*
 * What was set before is durable on @target and in the map when it returns 0. -EIO: a
 * disk failed, the target's for good. Sleeps; caller holds no chunk.
 */
int cohort_copymap_commit(struct cohort_copymap *cm, struct block_device *target);
/*
 * All of it is the target's, durably: what comes behind this flushes the target and is no
 * commit, so that the segments may go. Waits for the commit under way.
 */
void cohort_copymap_end(struct cohort_copymap *cm);
/* Then nothing but the target is left. Any context. */
static inline bool cohort_copymap_over(const struct cohort_copymap *cm)
{
	return READ_ONCE(cm->over);
}

#endif
