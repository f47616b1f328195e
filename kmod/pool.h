/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pool.h - a pool: its device, its log, its index and the objects of its catalog.
 */
#ifndef COHORT_POOL_H
#define COHORT_POOL_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/kref.h>
#include <linux/uuid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "codec.h"
#include "defs.h"
#include "runs.h"

struct block_device;
struct cohort_index_node;

/* The rest of the index segment that was written to last. */
struct cohort_run_place {
	bool there;
	u32 segment;
	u32 block;			/* next one that is free in it */
};

struct cohort_pool {
	struct list_head list;		/* cohort_pools; cohort_lock */
	struct kref kref;		/* its table, sources' and replicas' tables, jobs */
	char name[COHORT_NAME_MAX + 1];	/* of its dm device */
	uuid_t uuid;
	dev_t dm_dev;
	struct block_device *bdev;	/* the device below; changes under suspend only */
	struct gendisk *disk;		/* of the dm device, for uevents; referenced */
	struct dm_table *table;		/* the one that is live, owner of bdev */
	u32 state;			/* enum cohort_pool_state; READ_ONCE */
	const char *reason;
	u32 seed;
	u32 chunk_shift;		/* in sectors */
	/*
	 * Serialises [append a record, apply it in memory] against each other
	 * and against a checkpoint. Held across log writes. Taken before cohort_lock.
	 */
	struct mutex catalog_mutex;
	/* Serialises superblock writes; protects sb. Taken after catalog_mutex, before nothing. */
	struct mutex super_mutex;
	struct cohort_super sb;
	void *super_block;		/* as it is written; no memory may be needed then */
	struct workqueue_struct *wq;	/* of those below */
	u64 epoch_reserved;		/* durable; READ_ONCE */
	u64 epoch_wanted;		/* to be reserved for; cohort_lock, READ_ONCE */
	struct work_struct super_work;	/* reserves epochs ahead */
	struct delayed_work full_work;	/* makes room: reclaims, or breaks the oldest */
	struct work_struct fail_work;	/* the log failed: breaks everything */
	struct work_struct damage_work;	/* tells of damage */
	atomic64_t damaged;		/* chunks found so since activation */
	atomic64_t moved;		/* chunks that lie elsewhere; see clean.c */
	struct delayed_work watch_work;	/* warns of little space, keeps limits, ends retention */
	struct xarray source_ids;	/* of struct cohort_source; read under RCU */
	struct xarray overlays;		/* of struct cohort_overlay; read under RCU */
	u32 next_overlay;		/* number of the next one; cohort_lock */
	/* image reads from bdev; @blocked keeps new ones away while the pool is suspended */
	atomic_t reads;
	bool blocked;
	bool gone;			/* its table was taken away; READ_ONCE */
	wait_queue_head_t wait;
	struct cohort_log *log;
	struct cohort_index *index;
	/*
	 * Who moves entries from the index to a run, merges or counts runs holds it.
	 * Taken before catalog_mutex.
	 */
	struct mutex tidy_mutex;
	struct delayed_work tidy_work;	/* see tidy.c */
	struct cohort_runs runs;
	struct cohort_run_place place;	/* where the next run begins; tidy_mutex */
	bool count_stale;		/* something went that runs say; READ_ONCE */
	bool overwritten;		/* what runs say of an overlay may be old; READ_ONCE */
	bool collected;			/* a flush has entries of @index; the log held */
	bool flush_blocked;		/* none to be had: no @index_most; READ_ONCE */
	u64 index_limit;		/* bytes, of entries and cached blocks */
	u64 flush_log;			/* bytes of log behind which the index is flushed */
	/* of a pool that is large enough for runs; READ_ONCE, for it may become that */
	u64 index_most;			/* entries in @index; more have to wait for a flush */
	u64 flush_entries;		/* so many are worth a flush */
	u64 flush_uses;			/* or so many segments */
	struct xarray bad_chunks;	/* see lookup.c */
	/* cohort_lock: */
	struct list_head sources;
	struct list_head groups;
	struct list_head rels;
	struct list_head copies;	/* of struct cohort_copy; while its catalog is loaded */
	u32 next_id;			/* one number range for all objects */
	u32 low_told;			/* lowest mark that was told, 0: none */
	bool full;			/* since when; all three under catalog_mutex */
	bool holding;			/* writes wait rather than that something breaks */
	unsigned long full_since;	/* jiffies */
	u32 nr_sources;
	u32 nr_rels;
};

void cohort_pool_get(struct cohort_pool *pool);
void cohort_pool_put(struct cohort_pool *pool);

/*
 * Appends @len bytes of encoded records as one batch: all of them or none
 * after a crash. Durable when it returns 0; sleeps for that. Caller holds
 * pool->catalog_mutex and not cohort_lock.
 */
int cohort_pool_append(struct cohort_pool *pool, const void *records, size_t len);

/* Words for what cohort_pool_append() returned. Any context. */
void cohort_refuse_append(struct cohort_words *words, int err, const char *pool);

/*
 * Breaks every relationship member of @source, durably in one batch with
 * @record. Caller holds catalog_mutex and not cohort_lock.
 */
int cohort_pool_break_source(struct cohort_pool *pool, struct cohort_source *source,
			     const void *record, size_t len);

/*
 * Records before batch @seq are void from now on, and the log begins at the segment
 * of use @log_start. Sleeps.
 */
int cohort_pool_set_catalog_seq(struct cohort_pool *pool, u64 seq, u64 log_start);

/*
 * The superblocks say of @feature, which is one of pool->sb, that it is in use.
 * Durable when it returns 0. Sleeps.
 */
int cohort_pool_set_feature(struct cohort_pool *pool, bool *feature);
/* Durable when it returns 0; nothing has changed else. Sleeps. */
int cohort_pool_set_size(struct cohort_pool *pool, u64 size, u64 nr_segments);
/* There are new segments: what waits for one goes on. Caller holds catalog_mutex. */
void cohort_pool_has_grown(struct cohort_pool *pool);

/* The work of telling of damage; in scrub.c. */
void cohort_pool_tell_damage(struct work_struct *work);

/*
 * In extend.c. A job on the active pool @name, which it holds a reference of as its data;
 * ERR_PTR with words. Caller holds cohort_lock.
 */
struct cohort_job *cohort_pool_job(const char *name, u32 method,
				   int (*run)(struct cohort_job *job), bool controllable,
				   struct cohort_words *words);

/* A job that reads all of the log and verifies it. As cohort_pool_extend(). */
struct cohort_job *cohort_pool_scrub(const char *name, struct cohort_words *words);

/*
 * A job that takes the space into use by which the device has grown; ERR_PTR
 * with words. Caller holds cohort_lock. Writes go on meanwhile.
 */
struct cohort_job *cohort_pool_extend(const char *name, struct cohort_words *words);

/*
 * After an append that failed: returns when a failed log has been marked in the
 * superblock, for its outcome is unknown and protection must not fall before.
 * Caller holds catalog_mutex, which is let go meanwhile if the log has failed:
 * such a log takes no checkpoint and no record any more. Sleeps.
 */
void cohort_pool_settle(struct cohort_pool *pool);

/* Fills in the header of a record of @len bytes at @buf. */
void cohort_record_header(void *buf, u16 type, u32 id, u32 len);

/*
 * From a target's preresume: takes the pool on @bdev into use, or goes on with
 * the one of this @table's device. Reads and replays; sleeps long.
 */
int cohort_pool_activate(struct dm_table *table, struct block_device *bdev,
			 struct cohort_pool **ret, struct cohort_words *words);
/*
 * For the constructor: refuses a table whose device holds another pool than the
 * one its device is in use for. device-mapper gives up the old table before it
 * asks preresume, so that there it is too late. Reads; sleeps.
 */
int cohort_pool_check_table(struct dm_table *table, struct block_device *bdev,
			    struct cohort_words *words);
/* Nothing of ours is under way to the device when it returns. */
void cohort_pool_suspend(struct cohort_pool *pool);
/* The table goes: closes the pool cleanly, or fails it if it is in use. */
void cohort_pool_deactivate(struct cohort_pool *pool);

/*
 * Entries of the index that nobody needs go; runs keep theirs. Caller holds
 * catalog_mutex; sleeps.
 */
void cohort_pool_prune_index(struct cohort_pool *pool);
/* For cohort_index_supersede(), with the pool as @ctx; NULL during a flush. By the main head. */
void (*cohort_pool_superseded(struct cohort_pool *pool))(void *, const struct cohort_index_node *);
/* Does a cut s of @source with @prev < s <= @epoch need an entry? Any context. */
bool cohort_pool_needs(struct cohort_pool *pool, u32 source, u64 prev, u64 epoch);
/* Makes room; room.c. */
void cohort_pool_full(struct work_struct *work);
/* Limits of the index, and what runs need; of a pool whose superblock is read. -ENOMEM. */
int cohort_pool_tidy_init(struct cohort_pool *pool);
/* The pool has grown: it may need runs now. Any context. */
void cohort_pool_tidy_limits(struct cohort_pool *pool);
/*
 * While somebody is at the runs no flush comes: the index grows rather than that
 * writes wait. Returns what was before, to be set again. Caller holds tidy_mutex.
 */
bool cohort_pool_block_flush(struct cohort_pool *pool, bool block);
/* May one more entry go into the index? If not a flush is on its way. Any context. */
bool cohort_pool_index_has_room(struct cohort_pool *pool);
/* Any context: sees whether the index is worth a flush, or runs a count. */
void cohort_pool_tidy_look(struct cohort_pool *pool);
/* Returns when what was queued of it is done. Sleeps long; caller holds none of its mutexes. */
void cohort_pool_tidy_wait(struct cohort_pool *pool);
/* The work of it; implemented in tidy.c. */
void cohort_pool_tidy(struct work_struct *work);
/*
 * Counts what somebody needs of what runs say; -EAGAIN while the pool is suspended.
 * Holds tidy_mutex and catalog_mutex; reads all of the runs; implemented in recount.c.
 */
int cohort_pool_recount(struct cohort_pool *pool);

/* Drops what nobody needs from the index and frees segments. Holds catalog_mutex; sleeps. */
void cohort_pool_prune(struct cohort_pool *pool);
/* See to space, limits and retention now. Caller holds cohort_lock. */
void cohort_pool_look(struct cohort_pool *pool);
/* The work of it; implemented in watch.c, which may delete relationships. */
void cohort_pool_watch(struct work_struct *work);
/* 0 if epochs up to @epoch may be used; -EAGAIN: a superblock write for them is under way. */
int cohort_pool_reserve_epoch(struct cohort_pool *pool, u64 epoch);
/*
 * For image reads: false while the pool is suspended. The other one sleeps until
 * it is not, and is false when the pool failed or is gone. Pair with cohort_pool_read_end().
 */
bool cohort_pool_read_begin(struct cohort_pool *pool);
bool cohort_pool_read_begin_wait(struct cohort_pool *pool);
void cohort_pool_read_end(struct cohort_pool *pool);

u64 cohort_pool_used(const struct cohort_pool *pool);		/* bytes in used segments */
u64 cohort_pool_preserved(const struct cohort_pool *pool);	/* chunks in the index */
u64 cohort_pool_index_bytes(const struct cohort_pool *pool);	/* of memory */
u64 cohort_pool_batches(const struct cohort_pool *pool);
u64 cohort_pool_log_bytes(const struct cohort_pool *pool);

#endif
