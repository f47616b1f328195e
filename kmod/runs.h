/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * runs.h - the index runs of a pool in use, looked into through dm-bufio.
 *
 * A run never changes. The list of them does, under its lock alone, which is
 * held over a look: so nobody reads blocks of a run that has gone, and what is
 * cached of one is forgotten before its segments can be written anew.
 */
#ifndef COHORT_RUNS_H
#define COHORT_RUNS_H

#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "run.h"

struct block_device;
struct dm_bufio_client;

struct cohort_runs_item {
	struct list_head list;
	bool damaged;			/* told; READ_ONCE */
	u64 needed;			/* entries that an image needed when it was counted */
	struct cohort_run run;		/* last: it ends with its segments */
};

struct cohort_runs {
	/*
	 * Protects list and cache. Who changes the list holds tidy_mutex and
	 * catalog_mutex, too: who holds either may read it without this lock.
	 */
	struct rw_semaphore lock;
	struct list_head list;		/* of struct cohort_runs_item, by run.from */
	u32 nr;				/* READ_ONCE */
	u64 entries;			/* of all; READ_ONCE */
	const struct cohort_super *sb;	/* of the pool: for its geometry */
	u32 seed;
	struct dm_bufio_client *cache;
	/* blocks in the cache in the order in which they came; the oldest one goes first */
	spinlock_t ring_lock;		/* protects the ring, innermost */
	u64 *ring;
	u32 ring_size;
	u32 ring_at;
	u32 ring_used;			/* READ_ONCE */
};

/* How a look may read. */
enum cohort_look {
	COHORT_LOOK_CACHED,	/* not at all: -EAGAIN where it would; from any process context */
	COHORT_LOOK_READ,	/* sleeps; between cohort_pool_read_begin() and _end() */
};

/* @memory is what the cache may take, in bytes. Sleeps. -ENOMEM. Pairs with _exit(). */
int cohort_runs_init(struct cohort_runs *runs, const struct cohort_super *sb, u64 memory);
void cohort_runs_exit(struct cohort_runs *runs);
/* The device they are on: nothing of another one stays. Sleeps. 0 or what dm-bufio says. */
int cohort_runs_set_bdev(struct cohort_runs *runs, struct block_device *bdev);

/* Room for a run in @count segments; NULL without memory. GFP_NOIO. */
struct cohort_runs_item *cohort_runs_new(u32 count);
/* Takes over @item. */
void cohort_runs_add(struct cohort_runs *runs, struct cohort_runs_item *item);
/* Takes @item out: nobody looks into it any more. It and its segments are the caller's. */
void cohort_runs_del(struct cohort_runs *runs, struct cohort_runs_item *item);
/* @with, one or NULL, takes the place of the @nr ones from @first on, which are freed. */
void cohort_runs_replace(struct cohort_runs *runs, struct cohort_runs_item *first, u32 nr,
			 struct cohort_runs_item *with);
struct cohort_runs_item *cohort_runs_by_id(struct cohort_runs *runs, u32 id);

/*
 * The entry of the chunk of @key with the smallest epoch that is not below that
 * of @key: 1, or 0 if there is none. -EAGAIN, -EIO: it can not be read;
 * -EUCLEAN: a run is damaged, *@damaged being set if that was not known to who reads.
 */
int cohort_runs_lookup(struct cohort_runs *runs, const struct cohort_run_key *key,
		       enum cohort_look how, struct cohort_run_entry *entry, bool *damaged);

/* Memory that the cache takes, in bytes; dm-bufio may have let some of it go. Any context. */
u64 cohort_runs_bytes(const struct cohort_runs *runs);

/* Reads the blocks of one run in their order; entries come out in theirs. */
struct cohort_run_cursor {
	const struct cohort_run *run;
	u8 *buf;			/* COHORT_CURSOR_BLOCKS of them */
	u32 block;			/* next one to be read */
	u32 have;			/* blocks in buf */
	u32 at;				/* block in buf */
	u32 index;			/* entry of that block that comes next */
	u32 count;			/* of its entries */
};

#define COHORT_CURSOR_BLOCKS 16u

/* -ENOMEM. Pairs with _close(). */
int cohort_run_cursor_open(struct cohort_run_cursor *c, const struct cohort_run *run);
void cohort_run_cursor_close(struct cohort_run_cursor *c);
/* 1 and the next entry, 0 behind the last one, or -errno. As COHORT_LOOK_READ. */
int cohort_run_cursor_next(struct cohort_run_cursor *c, const struct cohort_runs *runs,
			   struct block_device *bdev, struct cohort_run_entry *entry);

#endif
