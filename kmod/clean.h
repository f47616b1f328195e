/* SPDX-License-Identifier: GPL-2.0-only */
/* clean.h - frees segments that are mostly dead, by moving what is needed out of them. */
#ifndef COHORT_CLEAN_H
#define COHORT_CLEAN_H

#include "pool.h"

/* Is so little free that cleaning may be worth it? Any context. */
bool cohort_clean_due(struct cohort_pool *pool);
/* Is there a segment that could be freed, but for records in it? Sleeps. */
bool cohort_clean_possible(struct cohort_pool *pool);
/*
 * Frees one segment: 1; 0: none is worth it; -EAGAIN: the pool is about to be
 * suspended; others: it could not be done now. Segments that keep records from
 * @catalog_seq on are left alone. Holds tidy_mutex, between
 * cohort_pool_read_begin() and _end(); sleeps for I/O of one segment.
 */
int cohort_clean_segment(struct cohort_pool *pool, u64 catalog_seq);

#endif
