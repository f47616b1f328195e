/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * segment.h - the segments of a pool: which are free, what is still needed of the others.
 *
 * A segment is taken, filled by the log, closed and freed. It is taken only
 * when its table entry is durable, so that a restart finds it; freeing needs no
 * write at all, for what a freed segment holds is of no use to anybody.
 */
#ifndef COHORT_SEGMENT_H
#define COHORT_SEGMENT_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "codec.h"

struct block_device;

struct cohort_segment {
	struct cohort_segment_entry entry;	/* as it is, or is to be, on disk */
	u64 last_record;			/* newest RECORD batch in it, 0 = none */
	u32 live;				/* chunks in the index, or runs in it */
	u32 in_runs;				/* chunks that runs say and somebody needs */
	bool uncounted;				/* @in_runs is not known since a restart */
	bool stuck;				/* not all that is live in it can be moved */
	bool pinned;				/* somebody moves what is live in it */
	bool open;				/* taken for the log or a run, or about to be */
};

struct cohort_segments {
	struct block_device *bdev;		/* of the pool, set by its owner */
	u32 seed;
	u32 size;				/* bytes of one */
	u64 start;				/* byte offset of the first */
	u32 nr;					/* grows; changed with @mutex and @lock held */
	/*
	 * Held by the worker while it writes a block, and while the table grows:
	 * it looks at @dirty without the lock. Taken under catalog_mutex.
	 */
	struct mutex mutex;
	/* protects everything below, irq-safe, innermost */
	spinlock_t lock;
	struct cohort_segment **part;		/* a table block's segments each; see @mutex */
	unsigned long *dirty;			/* table blocks to write */
	u32 free;
	u32 hint;				/* where the search for a free one begins */
	u64 next_seq;				/* of segments */
	/* taken ahead for the log, one for each head */
	struct cohort_segments_next {
		u64 use;			/* 0 = none */
		u32 seg;
		bool durable;
	} next[COHORT_LOG_HEADS];
	bool write_failed;
	bool stopped;				/* the pool is suspended; READ_ONCE */
	/* writes dirty blocks, one at a time; kicks @ready when one of @next is durable */
	struct work_struct work;
	struct workqueue_struct *wq;
	void (*ready)(void *ctx);
	void *ctx;
	void *block;				/* the worker's own */
};

/* May sleep. @sb gives the geometry. */
int cohort_segments_init(struct cohort_segments *segs, const struct cohort_super *sb,
			 void (*ready)(void *ctx), void *ctx);
void cohort_segments_exit(struct cohort_segments *segs);	/* waits for its writes */

/*
 * Asks for a segment for @head of the log, durable soon; nonce, min_seq and kind of
 * @entry go into its own. 0: one is there or on its way; -ENOSPC: no more than @leave
 * would be left. Any context.
 */
int cohort_segments_prepare(struct cohort_segments *segs, u32 head,
			    const struct cohort_segment_entry *entry, u32 leave);
/* Takes the prepared one once it is durable: its number, or -EAGAIN, or -EIO. */
s64 cohort_segments_take(struct cohort_segments *segs, u32 head);
/* It is not needed, if there is one. Any context. */
void cohort_segments_unprepare(struct cohort_segments *segs, u32 head);
/* The log wrote its last batch to @seg; @length bytes are complete, 0: it is free. Any context. */
void cohort_segments_close(struct cohort_segments *segs, u32 seg, u32 length);

/* Writes what is dirty, and then nothing until it is resumed; sleeps. */
void cohort_segments_stop(struct cohort_segments *segs);
void cohort_segments_resume(struct cohort_segments *segs, struct block_device *bdev);

/* Writes the whole table as it is, after a replay; sleeps. */
int cohort_segments_write_all(struct cohort_segments *segs);

/* What replay found; before anybody else has the segments. */
void cohort_segments_load(struct cohort_segments *segs, const struct cohort_segment_entry *table,
			  u64 log_start);

/*
 * Growth to @nr segments in two steps, under catalog_mutex. The first allocates
 * and writes the new part of the table, which nothing reads; ERR_PTR on failure.
 * When the superblock knows of it, the second takes the segments into use and
 * can not fail. Both may sleep; @segs->bdev must not be exchanged between them.
 */
struct cohort_segments_growth *cohort_segments_grow_begin(struct cohort_segments *segs, u32 nr);
void cohort_segments_grow_end(struct cohort_segments *segs, struct cohort_segments_growth *g);
void cohort_segments_grow_abort(struct cohort_segments *segs, struct cohort_segments_growth *g);

/* What the table says of @seg now; false: it is free. Any context. */
bool cohort_segments_entry(struct cohort_segments *segs, u32 seg,
			   struct cohort_segment_entry *entry);

/* Accounting; any context. */
void cohort_segments_live(struct cohort_segments *segs, u64 addr, int by);
void cohort_segments_record(struct cohort_segments *segs, u32 seg, u64 seq);

/* A chunk that was in the index is said by a run from now on. Any context. */
void cohort_segments_to_runs(struct cohort_segments *segs, u64 addr);
/* A chunk that a run says is in the index again, at another place. Any context. */
void cohort_segments_from_runs(struct cohort_segments *segs, u64 addr);
/* What runs say of each of @nr segments was counted. Sleeps. */
void cohort_segments_counted(struct cohort_segments *segs, const u32 *in_runs, u32 nr);

/*
 * Takes @nr segments of @kind, for blocks of runs or of a copy map; their entries are not
 * durable before cohort_segments_sync(). -ENOSPC: not as many as @keep would be left. Any context.
 */
int cohort_segments_take_index(struct cohort_segments *segs, u32 nr, u32 keep, u32 kind, u64 nonce,
			       u32 *seg);
/* @by more runs or maps have blocks in @seg. Any context. */
void cohort_segments_index_live(struct cohort_segments *segs, u32 seg, int by);
/* Nothing more is written to @seg: it is free when no run has blocks in it. Any context. */
void cohort_segments_index_close(struct cohort_segments *segs, u32 seg);
/* What the table says now is durable: 0, -EIO, or -EAGAIN while it is stopped. Sleeps. */
int cohort_segments_sync(struct cohort_segments *segs);
/* The use, as the table has it, of the next segment that @head takes. Any context. */
u64 cohort_segments_next_use(struct cohort_segments *segs, u32 head);

/*
 * The closed segment of the log that is worth most to be freed by moving its chunks,
 * which are more than none and at most @most; with records at or above
 * @catalog_seq it would not be free then. -1: there is none. Sleeps.
 */
s64 cohort_segments_victim(struct cohort_segments *segs, u32 most, u64 catalog_seq);
/* A victim is not freed until _unpin(). False: it is none any more. Any context. */
bool cohort_segments_pin(struct cohort_segments *segs, u32 seg, u64 catalog_seq);
/* @moved: all that could be, was: if something is left it is no victim again. Any context. */
void cohort_segments_unpin(struct cohort_segments *segs, u32 seg, bool moved);

/* Frees every closed segment nobody needs; records below @catalog_seq count as void. */
u32 cohort_segments_reclaim(struct cohort_segments *segs, u64 catalog_seq);
/* Closed segments that only records at or above @catalog_seq keep. */
u32 cohort_segments_blocked(struct cohort_segments *segs, u64 catalog_seq);

u32 cohort_segments_free(struct cohort_segments *segs);
u32 cohort_segment_of(const struct cohort_segments *segs, u64 addr);
static inline u64 cohort_segment_start(const struct cohort_segments *segs, u32 seg)
{
	return segs->start + (u64)seg * segs->size;
}

/* A disk has many words for what went wrong; -ENOSPC, -ENODATA and the like are ours. */
static inline int cohort_disk_error(int err)
{
	return !err || err == -ENOMEM ? err : -EIO;
}

/* Reads or writes @len bytes (a multiple of the logical block) at @addr; sleeps. -ENOMEM, -EIO. */
int cohort_bdev_rw(struct block_device *bdev, blk_opf_t opf, u64 addr, void *buf, u32 len);

#endif
