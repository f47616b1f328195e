/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * merge.h - goes through several runs as if they were one; makes one of them.
 *
 * Runs change only under tidy_mutex, which the caller holds; and it is between
 * cohort_pool_read_begin() and _end(). Sleeps, in a NOIO section.
 */
#ifndef COHORT_MERGE_H
#define COHORT_MERGE_H

#include "pool.h"

struct cohort_merge_input {
	struct cohort_runs_item *item;
	struct cohort_run_cursor cursor;
	struct cohort_run_entry head;	/* the next one of it */
	u64 seen;			/* entries of it */
	bool there;
};

struct cohort_merge {
	struct cohort_pool *pool;
	u32 nr;
	u64 prev;			/* epoch of the entry before, if it is of the same chunk */
	struct cohort_run_key last;
	struct cohort_merge_input *input;
};

/* @nr runs from @first on. -ENOMEM, -EIO, -EUCLEAN. Pairs with _close(), also then. */
int cohort_merge_open(struct cohort_merge *m, struct cohort_pool *pool,
		      struct cohort_runs_item *first, u32 nr);
void cohort_merge_close(struct cohort_merge *m);
/*
 * 1 and the next entry in order, and the run that it is of; m->prev is the next
 * smaller epoch of its chunk in these runs, 0: none. 0 behind the last one;
 * -EAGAIN: the pool is about to be suspended.
 */
int cohort_merge_next(struct cohort_merge *m, struct cohort_run_entry *entry,
		      struct cohort_runs_item **item);

/*
 * Makes one of the @nr runs from @first on, of what is needed of them; or takes
 * them out, if that is nothing. Takes catalog_mutex. 0, -ENOSPC, also because the
 * pool became full, or what the above or the log said.
 */
int cohort_merge_runs(struct cohort_pool *pool, struct cohort_runs_item *first, u32 nr);
/* Takes out @item, of which nothing is needed. The same, without a look into it. */
int cohort_merge_drop(struct cohort_pool *pool, struct cohort_runs_item *item);

#endif
