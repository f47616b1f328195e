/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * diff.h - what differs of a source between two cuts, or a cut and now.
 *
 * A chunk's first overwrite behind a cut has an entry in the index, and the cut
 * reads the smallest one at or above its own epoch. So a chunk was overwritten
 * between the cuts a < b just when that entry's epoch e is below b: a <= e < b.
 * Both cuts being live, no entry that answers this can go.
 */
#ifndef COHORT_DIFF_H
#define COHORT_DIFF_H

#include "defs.h"

struct cohort_diff {
	struct cohort_pool *pool;	/* referenced, as all below */
	struct cohort_source *source;
	struct cohort_rel *rel;
	struct cohort_rel *other;	/* NULL: now */
	u64 epoch;			/* of the cut of @rel */
	u64 other_epoch;		/* 0: now */
	u64 from;			/* the older one of both */
	u64 until;			/* the younger one, U64_MAX: now */
	u64 nr_chunks;
};

/*
 * Finds the cuts of @source in relationships @rel and @other, NULL: as it is, and
 * takes what it needs. 0, or a negative errno with words and the attribute they
 * are about. Takes cohort_lock. Pairs with cohort_diff_end().
 */
int cohort_diff_begin(struct cohort_diff *d, const char *rel, const char *other,
		      const char *source, struct cohort_words *words);
/* Caller holds no lock: the last reference to a pool may be among them. */
void cohort_diff_end(struct cohort_diff *d);

/*
 * First chunk in [*@chunk, @end) that differs, or does not, as @differs says; else
 * @end. Sleeps; -EAGAIN: the pool is suspended; other errors: its index can not be read.
 */
int cohort_diff_next(const struct cohort_diff *d, u64 *chunk, u64 end, bool differs);

/* Asked last: false if a cut went meanwhile, and what was found says nothing. Any context. */
bool cohort_diff_holds(const struct cohort_diff *d);

#endif
