/* SPDX-License-Identifier: GPL-2.0-only */
/* recount.h - counts what somebody needs of what runs say. */
#ifndef COHORT_RECOUNT_H
#define COHORT_RECOUNT_H

#include "pool.h"

struct cohort_recount {
	struct cohort_pool *pool;
	u32 *in_runs;			/* by segment */
	u32 nr;
	struct list_head tallies;
};

/*
 * Goes through all runs: 0, -EAGAIN if the pool is about to be suspended, other
 * errors. Holds tidy_mutex, between cohort_pool_read_begin() and _end(); sleeps
 * long. Pairs with _free(), also if it fails.
 */
int cohort_recount_scan(struct cohort_recount *rc, struct cohort_pool *pool);
/* What was found holds from now on. Holds catalog_mutex, too. -ENOMEM: nothing has changed. */
int cohort_recount_apply(struct cohort_recount *rc);
void cohort_recount_free(struct cohort_recount *rc);

#endif
