/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * volume.h - the part of a source that does I/O: its eras, live cuts and held writes.
 */
#ifndef COHORT_VOLUME_H
#define COHORT_VOLUME_H

#include <linux/bio.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "inflight.h"
#include "log.h"
#include "defs.h"

/*
 * An era is what a source was between two cuts: a write belongs to the newest
 * era whose first_epoch is not above the epoch word the write read at its
 * submission. In one step with that read, preemption off, it is counted in the
 * era, so that after a grace period behind the flip nobody can begin to count
 * in an old era any more, and a count of 0 seals it: the cut that ended the
 * era is complete on this source.
 *
 * What an era has to preserve: the content a chunk had at the cut that began
 * it (@key), before the era's first overwrite of the chunk, for every live cut
 * that has no later entry. One entry serves them all.
 *
 * A write of a new era that has to preserve first waits for the grace period
 * (until then an old write may be about to land behind the read of the old
 * content) and for the old writes of its own regions. It waits for nothing else.
 */
struct cohort_era {
	struct cohort_era __rcu *prev;	/* older one that is not sealed yet */
	u64 first_epoch;
	u64 key;			/* preserves are filed under this cut; 0: there was none */
	u64 protects;			/* newest live cut <= key, 0 = nothing; READ_ONCE */
	bool gp_done;			/* the grace period after its flip is over */
	bool closing;			/* a newer era was flipped: tell when requests end */
	bool mixed;			/* a write of it met writes of the era before */
	bool inexact;			/* a chunk preserved for @key may lack its bit; READ_ONCE */
	struct cohort_inflight inflight;
	/* per 32768 chunks a page of bits; only a cache of the index: missing means ask */
	unsigned long **preserved;
	u64 nr_preserved;
	struct rcu_head rcu;
};

struct cohort_volume {
	struct kref kref;		/* tables, cuts under way */
	struct cohort_source *source;	/* name and id for messages; outlives the volume */
	struct cohort_pool *pool;
	u32 id;				/* source id, first part of the index key */
	u32 chunk_shift;		/* sectors */
	u64 nr_chunks;
	struct block_device *bdev;	/* disk below, of the table that is live; NULL = none */
	void *owner;			/* the dm_target whose bdev it is */
	struct mapped_device *md;	/* every table must be of this device */

	struct cohort_era __rcu *era;	/* newest; changed under cohort_cut_mutex */
	u32 gate;			/* that holds its writes, 0 = none; gate.c, READ_ONCE */
	u64 gate_until;			/* end of that one's lease, monotonic ns; READ_ONCE */
	bool suspended;			/* or not resumed yet: no gate can be closed; gate.c */
	/* for the next cut: per-CPU memory is not to be had where reclaim must not wait for us */
	struct cohort_era *spare;	/* cohort_cut_mutex */

	/* protects incoming, gated, ops, retry, ready and collect; irq-safe */
	spinlock_t lock;
	struct list_head incoming;	/* of cohort_write, held by map() */
	struct list_head gated;	/* of cohort_write at a closed gate, not counted */
	struct list_head retry;		/* of cohort_op whose read failed */
	DECLARE_HASHTABLE(ops, 8);	/* the chunk table: over all eras, index query to insert */
	struct list_head ready;		/* of cohort_op that are read: the worker logs them */
	u32 nr_ready;
	bool collect;			/* it is on its way there, and need not be kicked */
	struct list_head held;		/* of cohort_write; worker only */
	struct task_struct *runner;	/* the worker while it runs; READ_ONCE */
	struct delayed_work work;
	bool requeue;			/* noflush suspend: held writes go back to dm */
	struct workqueue_struct *wq;
	u32 home;			/* head of the log for old chunks that are many */
	atomic_t budget;		/* bytes between read and log write */
	atomic_t reading;		/* chunks being read from bdev */
	atomic_t users;			/* cuts that use bdev */
	wait_queue_head_t wait;		/* era counts fell, reads ended, users left */

	mempool_t op_pool;
	mempool_t page_pool;
	struct bio_set bios;
	atomic64_t held_total;
	atomic64_t preserved_total;
	atomic_t nr_held;
};

/* Per-bio data of a source: one data changing request. */
struct cohort_write {
	struct list_head list;		/* incoming, held or gated */
	struct cohort_era *era;		/* counted in, NULL = not counted */
	sector_t sector;
	u32 sectors;
	u32 gate;			/* it came to while that was closed, 0 = none */
	union {
		u64 next;		/* chunks below it have been taken care of or begun */
		u64 until;		/* gated: end of the gate's lease */
	};
	u64 done;			/* chunks below it are preserved */
	bool ready;			/* grace period and overlaps are behind it */
};

/* Needs @source's pool, and cohort_preserve_init() next; may sleep. NULL without memory. */
struct cohort_volume *cohort_volume_new(struct cohort_source *source, struct mapped_device *md);
void cohort_volume_get(struct cohort_volume *vol);
void cohort_volume_put(struct cohort_volume *vol);
/* Something a held write waits for may have happened. Any context. */
void cohort_volume_kick(struct cohort_volume *vol);

/* A live cut of the source went: what its eras protect. Caller holds cohort_cut_mutex. */
void cohort_volume_lower(struct cohort_volume *vol);

/* NULL without memory; may sleep. */
struct cohort_era *cohort_era_new(const struct cohort_volume *vol);
/* Sees to a spare era. Sleeps; caller holds no lock. */
void cohort_volume_refill(struct cohort_volume *vol);
/* An era for a cut: the spare, or a new one. NULL without memory. */
struct cohort_era *cohort_volume_take_era(struct cohort_volume *vol);
/* Publishes @era as the newest. Caller holds cohort_cut_mutex. */
void cohort_era_publish(struct cohort_volume *vol, struct cohort_era *era, u64 first_epoch,
			u64 key);
void cohort_era_free(struct cohort_era *era);	/* one that was never published */
/* Eras not sealed, the newest included. */
u32 cohort_volume_eras(struct cohort_volume *vol);
/* Requests of eras older than @first_epoch that are still under way. */
u32 cohort_volume_old_inflight(struct cohort_volume *vol, u64 first_epoch);
/* Unlinks and frees the eras older than @first_epoch: they are sealed. cohort_cut_mutex. */
void cohort_volume_drop_eras(struct cohort_volume *vol, u64 first_epoch);

/*
 * The cut below which nothing will be preserved any more; 0 when that can not be
 * told, as something is under way. Caller holds cohort_cut_mutex.
 */
u64 cohort_volume_oldest_key(struct cohort_volume *vol);

/* Drops old eras that a cut that timed out left, if they are sealed by now. */
void cohort_volume_reap(struct cohort_volume *vol);

/*
 * Counts a request: reads the epoch, finds the era. Any context that may read RCU.
 * False when it came to a closed gate: it is not counted.
 */
bool cohort_write_enter(struct cohort_volume *vol, struct cohort_write *w, sector_t sector,
			u32 sectors);
/* Counts one that did so, as one that is submitted now. */
void cohort_write_pass(struct cohort_volume *vol, struct cohort_write *w);
/* Keeps one until its gate is open, and kicks. Any context. */
void cohort_volume_hold_gated(struct cohort_volume *vol, struct cohort_write *w);
/* Moves to @to those whose gate is open, or all. Any context. */
void cohort_volume_take_gated(struct cohort_volume *vol, bool all, struct list_head *to);
/* Uncounts it, if it was counted. Any context. */
void cohort_write_leave(struct cohort_volume *vol, struct cohort_write *w);

/* @chunk has an entry of @epoch now: its bit is set in the era that it was preserved for. */
void cohort_volume_preserved(struct cohort_volume *vol, u64 epoch, u64 chunk);

bool cohort_era_has(const struct cohort_era *era, u64 chunk);
/* False without memory. */
bool cohort_era_set(struct cohort_era *era, u64 chunk, gfp_t gfp);
/* First chunk in [@chunk, @end) whose bit is not set, or @end. Any context. */
u64 cohort_era_next_unset(const struct cohort_era *era, u64 chunk, u64 end);

#endif
