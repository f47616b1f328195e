/* SPDX-License-Identifier: GPL-2.0-only */
/* catalog.h - the catalog of a pool in its log: load, checkpoint, break. */
#ifndef COHORT_CATALOG_H
#define COHORT_CATALOG_H

#include "pool.h"

/*
 * Reads the log into @pool, whose log and index are new and stopped. Sleeps
 * long. The pool is not visible yet; cohort_lock is taken for its lists all the same.
 */
int cohort_catalog_load(struct cohort_pool *pool, u64 *last_seq, u32 *last_crc,
			struct cohort_words *words);
/* Takes every object out again. Caller holds cohort_lock. */
void cohort_catalog_unload(struct cohort_pool *pool);

/*
 * Writes every object anew, so that older records are void and their segments
 * can go. Caller holds catalog_mutex, not cohort_lock.
 */
int cohort_catalog_checkpoint(struct cohort_pool *pool);
/* The same, and in one step with it the log begins at the segment of use @log_start. */
int cohort_catalog_checkpoint_from(struct cohort_pool *pool, u64 log_start);

/*
 * The oldest relationship that holds a cut breaks as a whole. One that would
 * rather have writes wait (FailedCopyStopsHostIO) comes last, and only when the
 * pool has been full, since @since in jiffies, for as long as it asks for.
 * -EBUSY: there are only such; -ENOENT: there is none; else what the log said.
 * Locks as above.
 */
int cohort_catalog_break_oldest(struct cohort_pool *pool, unsigned long since, const char *reason);
/* One of its relationships breaks as a whole, durably first. Locks as above. */
int cohort_catalog_break(struct cohort_pool *pool, struct cohort_rel *rel, const char *reason);
/* In memory only: every cut of the pool, after its log failed. Caller holds cohort_lock. */
void cohort_catalog_break_all(struct cohort_pool *pool, const char *reason);

#endif
