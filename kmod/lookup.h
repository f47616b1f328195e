/* SPDX-License-Identifier: GPL-2.0-only */
/* lookup.h - where the old content of a chunk lies: asks the index, and the runs behind it. */
#ifndef COHORT_LOOKUP_H
#define COHORT_LOOKUP_H

#include "index.h"
#include "runs.h"

struct cohort_pool;

/*
 * The entry of the chunk with the smallest epoch that is not below @epoch: 1; 0:
 * there is none. -EAGAIN: @how does not let it be told; other errors: nor
 * otherwise, for a run can not be read. @map may be NULL.
 */
int cohort_pool_lookup(struct cohort_pool *pool, u32 source, u64 chunk, u64 epoch,
		       enum cohort_look how, struct cohort_mapping *map);

/*
 * The chunk that an entry promises at @addr is not there: counted and told of
 * once. Between cohort_pool_read_begin() and _end(). May sleep.
 */
void cohort_pool_damaged(struct cohort_pool *pool, u32 source, u64 chunk, u64 epoch, u64 addr);

/* The same of an entry that a run says, without a word. -ENOMEM: a look does not know. */
int cohort_pool_note_damage(struct cohort_pool *pool, u32 source, u64 chunk, u64 epoch, u64 addr);
/* Of a pool that nobody uses any more. */
void cohort_pool_forget_damage(struct cohort_pool *pool);

#endif
