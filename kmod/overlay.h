/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * overlay.h - what was written to the images of a pool's relationships.
 *
 * A chunk of an image, once written, is appended to the log like an old chunk,
 * under the overlay's id, each time as a whole; of several the newest counts.
 * That there is an overlay makes the member Skewed. Its record is durable before
 * anything is appended for it, so what a restart finds of an id without one, or
 * up to the floor of one, is of nobody.
 */
#ifndef COHORT_OVERLAY_H
#define COHORT_OVERLAY_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/rcupdate.h>
#include "codec.h"
#include "defs.h"

struct cohort_overlay {
	struct rcu_head rcu;
	struct kref kref;		/* its member, or pool->overlays; writes under way */
	u32 id;				/* not used again before the pool is closed */
	u32 rel;			/* id */
	u32 member;			/* from 0 */
	u64 floor;			/* what older batches say of the id is void */
	atomic64_t chunks;		/* in the pool; an upper bound */
};

/* Is the entry @epoch of one needed, the next smaller of its chunk being @prev? Any context. */
bool cohort_overlay_needs(struct cohort_pool *pool, u32 id, u64 prev, u64 epoch);
/* @n more chunks of it are in the pool, if it is still there. Any context. */
void cohort_overlay_count(struct cohort_pool *pool, u32 id, s64 n);
/* Counts anew. Caller holds cohort_lock. */
void cohort_overlay_clear_counts(struct cohort_pool *pool);

/*
 * The overlay of a member, of which the caller gets a reference; NULL: it has none.
 * Any context.
 */
struct cohort_overlay *cohort_overlay_get(const struct cohort_rel *rel, u32 member);
void cohort_overlay_put(struct cohort_overlay *overlay);
/*
 * The same, but if it has none it gets one, durably: the member is Skewed. ERR_PTR:
 * -EIO if it is broken or gone, or what the log said. Sleeps; caller holds no lock.
 */
struct cohort_overlay *cohort_overlay_open(struct cohort_rel *rel, u32 member);
/*
 * What was written to its images goes, durably: they show the cut again. Writes under
 * way go with it. Caller holds catalog_mutex, not cohort_lock. Sleeps.
 */
int cohort_overlay_reset(struct cohort_rel *rel);
/* Records that they go, one for each member at most; their length. Caller holds cohort_lock. */
size_t cohort_overlay_put_dels(const struct cohort_rel *rel, void *buf);
/* In memory only, when the member breaks or its relationship goes. Caller holds cohort_lock. */
void cohort_overlay_drop(struct cohort_rel *rel, u32 member);
/* Chunks written to the member's image. Caller holds cohort_lock. */
u64 cohort_overlay_chunks(const struct cohort_rel *rel, u32 member);

/* Records; caller holds cohort_lock. */
void cohort_overlay_encode(const struct cohort_overlay *overlay, void *record);
int cohort_overlay_decode(struct cohort_pool *pool, const void *record);
/* While a log is replayed: the record is void, or those of a relationship are. */
void cohort_overlay_unload(struct cohort_pool *pool, u32 id);
void cohort_overlay_unload_rel(struct cohort_pool *pool, u32 rel);
/* Behind the replay: each goes to its member, or goes. */
int cohort_overlay_bind(struct cohort_pool *pool);
/* Those that no relationship has. */
void cohort_overlay_unload_all(struct cohort_pool *pool);

#endif
