/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cut.h - the instant: flips the epoch for a set of members, then makes it durable.
 *
 * prepare allocates, flip is the cut, seal waits for what was under way and
 * flushes; resolve or abort ends it. Between flip and resolve the cut is live
 * but known to nobody after a crash.
 */
#ifndef COHORT_CUT_H
#define COHORT_CUT_H

#include <linux/ktime.h>
#include <linux/types.h>
#include "defs.h"

struct cohort_cut_member {
	struct cohort_source *source;
	struct cohort_volume *vol;	/* referenced */
	bool uses_disk;			/* keeps the volume from losing it, until it is flushed */
	struct cohort_era *era;		/* until it is published */
	u64 epoch;			/* the cut, 0 = not flipped */
	u64 when;			/* realtime, nanoseconds */
	bool mixed;
	int err;
	struct cohort_flush *flush;	/* the parallel FLUSH it is part of */
};

struct cohort_cut {
	struct cohort_pool *pool;
	bool sequential;		/* one flip for all */
	ktime_t flipped;
	u64 gp_ns;
	u64 seal_ns;
	u32 count;
	struct cohort_cut_member member[];
};

/*
 * Refuses members that are not attached or have too many cuts waiting for
 * their seal. Caller holds cohort_lock. ERR_PTR with words.
 */
struct cohort_cut *cohort_cut_prepare(struct cohort_pool *pool,
				      struct cohort_source *const *source, u32 stride, u32 count,
				      bool sequential, struct cohort_words *words);
/*
 * The cut, and the grace period behind it, which is all that writers wait for.
 * Sleeps for that, never for I/O. -EAGAIN (epochs are being reserved), -ENOMEM: there
 * is none.
 */
int cohort_cut_flip(struct cohort_cut *cut, struct cohort_words *words);
/*
 * Seal, FLUSH of every member. Sleeps; holds no lock. 0, or the
 * first member's error, every failed one having its own.
 */
int cohort_cut_seal(struct cohort_cut *cut, struct cohort_words *words);
/* Lets go of a member's cut as if it never was. Nothing of it may be in the catalog. */
void cohort_cut_drop_member(struct cohort_cut *cut, u32 i);
void cohort_cut_abort(struct cohort_cut *cut);
/* Ends it; the cuts that were not dropped stay live. */
void cohort_cut_free(struct cohort_cut *cut);

u64 cohort_cuts(void);			/* flips since the module was loaded */
/* Of them, with writes of both eras in flight on two members or more. */
u64 cohort_cuts_mixed(void);

#endif
