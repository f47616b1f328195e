/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * space.h - how many preserved chunks the images of one source's cuts read.
 *
 * The image of cut s reads a chunk from the pool if the chunk's newest entry is
 * not older than s: only that entry's epoch counts, whatever others there are.
 * So one number for each epoch, of the chunks whose newest entry is of it, gives
 * the space of every cut, and a preserve changes two numbers however many
 * snapshots it serves. A chunk that serves several counts for each of them.
 */
#ifndef COHORT_SPACE_H
#define COHORT_SPACE_H

#include <linux/types.h>
#include <linux/xarray.h>

struct cohort_space {
	struct xarray chunks;		/* by epoch, of struct space_count; read under RCU */
	/*
	 * An entry was moved, and may be in the index when a newer one of its chunk is
	 * in a run already: until the next count the numbers may be off by such chunks,
	 * and one may be of an epoch that is not open. READ_ONCE
	 */
	bool loose;
};

void cohort_space_init(struct cohort_space *space);
/* Readers under RCU may be left. */
void cohort_space_exit(struct cohort_space *space);

/* Entries of @epoch are to be counted. Sleeps with GFP_NOIO; -ENOMEM. */
int cohort_space_open(struct cohort_space *space, u64 epoch);
/* The newest entry of a chunk is of @to now and was of @from; 0: there is none. Any context. */
void cohort_space_move(struct cohort_space *space, u64 from, u64 to);
/* Chunks that the image of cut @epoch reads from the pool. Any context. */
u64 cohort_space_chunks(const struct cohort_space *space, u64 epoch);
/* Counts anew: forgets what was counted, with no preserve under way. Any context. */
void cohort_space_clear(struct cohort_space *space);
/* @n chunks more whose newest entry is of @epoch, which is opened. Any context. */
void cohort_space_add(struct cohort_space *space, u64 epoch, s64 n);
/* Opens in @space what is open in @other. As cohort_space_open(). */
int cohort_space_open_all(struct cohort_space *space, const struct cohort_space *other);
/* Adds what @other counts; all of it is open. Any context. */
void cohort_space_add_all(struct cohort_space *space, const struct cohort_space *other);
/*
 * Forgets epochs below @epoch that count nothing: the caller knows that nothing
 * will be preserved for them any more. Process context, one at a time.
 */
void cohort_space_trim(struct cohort_space *space, u64 epoch);

#endif
