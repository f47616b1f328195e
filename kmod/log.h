/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.h - appends old chunks and catalog records to a pool, batch by batch.
 *
 * A batch is one sequential write with FUA. While batches are under way the
 * next one fills. It is several heads that write them, see log-head.h: which of
 * them an old chunk goes by is nobody's business.
 */
#ifndef COHORT_LOG_H
#define COHORT_LOG_H

#include <linux/bio.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "segment.h"

/* An old chunk to be logged. Embedded in the caller's own; not touched after @done. */
struct cohort_log_op {
	struct list_head list;
	/* with cohort_log_sum(); of an overlay the epoch is filled in here, unless it is moved */
	struct cohort_preserve entry;
	struct page *page;		/* chunk_size bytes */
	u64 addr;			/* out: byte offset of the chunk in the pool */
	/* 0 and @addr: durable. -ENODATA: not needed any more, not written. Process context. */
	void (*done)(struct cohort_log_op *op, int err);
};

/* Ops that wait for a batch. */
struct cohort_log_queue {
	struct list_head ops;
	u32 nr;				/* READ_ONCE */
	u32 of_sources;			/* of them; READ_ONCE */
	u32 kind;			/* of the batch */
	u32 leave;			/* so many segments are not for them */
};

struct cohort_log_head;

struct cohort_log {
	struct block_device *bdev;	/* changes only while suspended */
	u32 seed;
	u32 chunk_size;
	u64 nonce;			/* of the main head */
	struct cohort_segments segs;
	struct workqueue_struct *wq;
	struct cohort_log_head *head;	/* see log-head.h */
	u32 nr_heads;
	atomic_t homes;			/* heads given to sources, the first one is the main */
	atomic_t inflight;		/* batches of all heads */

	/* protects the lists below and @stopped; irq-safe */
	spinlock_t lock;
	struct cohort_log_queue chunks;
	struct cohort_log_queue moves;	/* when no chunk goes */
	struct list_head recs;		/* of struct cohort_log_rec */
	bool stopped;			/* suspended: no batch is begun */

	bool full_told;			/* until the next kick; READ_ONCE */
	bool full_record;		/* not even a record had space then; READ_ONCE */

	bool failed;			/* absorbing; READ_ONCE */
	int error;
	wait_queue_head_t wait;		/* something completed, or stopped */
	mempool_t headers;
	struct bio_set bios;
	/* news for the owner, any context: no space is left; a segment was taken; it failed */
	void (*full)(void *ctx);
	void (*took)(void *ctx);
	void (*fail)(void *ctx, int err);
	void *ctx;
};

struct cohort_log_config {
	struct block_device *bdev;
	const struct cohort_super *sb;
	void (*full)(void *ctx);
	void (*took)(void *ctx);
	void (*fail)(void *ctx, int err);
	void *ctx;
};

/* May sleep. A log that is stopped: cohort_log_start() sets it going after replay. */
struct cohort_log *cohort_log_new(const struct cohort_log_config *config);
void cohort_log_free(struct cohort_log *log);	/* nothing may be under way */

/*
 * The main head goes on from @next_seq, in a fresh segment; side heads begin with
 * the nonces behind @nonce.
 */
void cohort_log_start(struct cohort_log *log, u64 nonce, u64 next_seq, u32 prev_crc);
/*
 * Stops between batches and waits for those under way; what waits is kept. Side heads
 * have said where they end. Sleeps.
 */
void cohort_log_stop(struct cohort_log *log);
void cohort_log_resume(struct cohort_log *log, struct block_device *bdev);

/*
 * The checksum of the chunk of @op, which every operation has before it comes to the log:
 * there is one log, but there are many who preserve. Any context, but takes its time.
 */
void cohort_log_sum(const struct cohort_log *log, struct cohort_log_op *op);
/* Any context. All of @ops are moved; the log's worker takes them on. */
void cohort_log_preserve(struct cohort_log *log, struct list_head *ops, u32 nr);
/* The head that one more source brings its old chunks to, when they are many. Any context. */
u32 cohort_log_home(struct cohort_log *log);
/*
 * The same as cohort_log_preserve() from a worker of WQ_MEM_RECLAIM, which does the
 * log's work itself, at @home or at another head that nobody else is at: @done of
 * these or of others may be called in here.
 */
void cohort_log_preserve_here(struct cohort_log *log, struct list_head *ops, u32 nr, u32 home);
/*
 * @ops are of entries that the log has already: their epochs stay, and they come
 * behind what is preserved. -ENOSPC ends them where only records have space. Any context.
 */
void cohort_log_move(struct cohort_log *log, struct list_head *ops, u32 nr);
/* Bytes that fit into one batch. Any context. */
u32 cohort_log_append_max(const struct cohort_log *log);

/* Sleeps until the records are durable, or the log failed. *@seq gets the batch's number. */
int cohort_log_append(struct cohort_log *log, const void *records, u32 len, u64 *seq);
/*
 * The use, as the segment table has it, of the oldest segment that a batch is or
 * will be written to: what is in older ones is complete, and its ops have ended.
 * Heads that have nothing to do close their segments for this, the main one if its
 * is not younger than @behind. Sleeps.
 */
u64 cohort_log_oldest_use(struct cohort_log *log, u64 behind);
/* Side heads, or those with no batch under way, let go of the segments they have. Sleeps. */
void cohort_log_close_sides(struct cohort_log *log, bool idle);
/* The next use of a segment, less those that are begun by side heads or prepared. Any context. */
u64 cohort_log_used(const struct cohort_log *log);
/* Chunks that a segment has room for, in batches of at most @most. Any context. */
u32 cohort_log_segment_room(const struct cohort_log *log, u32 most);
/* Space came back, or waiting ops may be unneeded: look again. Any context. */
void cohort_log_kick(struct cohort_log *log);
/*
 * Ends waiting ops @unneeded says so of, but no moves, with -ENODATA; how many.
 * Process context.
 */
u32 cohort_log_drop(struct cohort_log *log, bool (*unneeded)(void *ctx, struct cohort_log_op *op),
		    void *ctx);
/* Does an op wait of which @is says yes? Any context. */
bool cohort_log_waits(struct cohort_log *log, bool (*is)(const struct cohort_log_op *op));
/* No further write; everything that waits or comes ends with an error. Any context. */
void cohort_log_fail(struct cohort_log *log, int err);

/* No op ends between the two. Sleep; inside catalog_mutex and cohort_lock. */
void cohort_log_hold(struct cohort_log *log);
void cohort_log_release(struct cohort_log *log);
/* Caller holds the log, or is the @done of an op that only the main head takes. */
void cohort_log_assert_main(const struct cohort_log *log);

/* Of the main head: the newest batch that all before are complete, and the next one. */
u64 cohort_log_completed(const struct cohort_log *log);
u64 cohort_log_next_seq(const struct cohort_log *log);
/* Written since it was started, by all heads. */
u64 cohort_log_batches(const struct cohort_log *log);
u64 cohort_log_bytes(const struct cohort_log *log);

#endif
