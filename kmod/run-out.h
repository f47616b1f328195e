/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run-out.h - writes a new run behind the last one, into index segments.
 *
 * Caller holds tidy_mutex, and is between cohort_pool_read_begin() and _end():
 * the device is not exchanged meanwhile. All of it sleeps, in a NOIO section.
 */
#ifndef COHORT_RUN_OUT_H
#define COHORT_RUN_OUT_H

#include "pool.h"

struct cohort_run_out {
	struct cohort_pool *pool;
	struct cohort_runs_item *item;	/* the run; the caller's after _end() */
	struct cohort_run_builder builder;
	u32 kept;			/* segments of it that had blocks already: 0 or 1 */
	u32 taken;			/* segments in all, before those it does not need went */
	u8 *gather;			/* blocks that are to be written as one */
	u64 addr;			/* of the first of them */
	u32 len;
};

/*
 * For at most @entries of the log segments from @from on, up to @to. -ENOSPC: too few
 * segments are left, or less than one of @spare would be, 0: it may be the last ones;
 * -ENOMEM, -EIO, -EAGAIN.
 */
int cohort_run_out_begin(struct cohort_run_out *out, struct cohort_pool *pool, u64 entries,
			 u64 from, u64 to, u32 spare);
int cohort_run_out_add(struct cohort_run_out *out, const struct cohort_run_entry *entry);
/* Durable when it returns 0. */
int cohort_run_out_end(struct cohort_run_out *out);
/* Then, when the catalog knows of it: its segments are in use, the next one begins behind. */
void cohort_run_out_commit(struct cohort_run_out *out);
/* Or instead: its segments are free again, and the item is gone. Also after a failure. */
void cohort_run_out_abort(struct cohort_run_out *out);

#endif
