/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * copying.h - copies the members of a clone as a job, and lets their cuts go when that is done.
 *
 * Each member is copied by its table's hydrator, and one job sees to them all. A cut
 * is let go in this order: all is on the target, durably, and in the map; nobody reads
 * from the image; then the record; then the space.
 */
#ifndef COHORT_COPYING_H
#define COHORT_COPYING_H

#include "clone.h"
#include "hydrate.h"
#include "replica.h"

/*
 * From a table's resume: @clone is copied from now on, unless it rests. Pairs with
 * cohort_copying_end(). Sleeps; caller holds none of our locks.
 */
void cohort_copying_begin(struct cohort_rel *rel, u32 member, struct cohort_clone *clone,
			  struct cohort_hydrator *hydrator);
/* From its suspend: nothing is copied by it when it returns. Also of one that was not begun. */
void cohort_copying_end(struct cohort_rel *rel, u32 member, struct cohort_clone *clone);

/*
 * All members that are being copied are Suspended, or Unsynchronized again, durably. Caller
 * holds no lock, and the relationship is busy or @rel->copying. Sleeps.
 */
int cohort_copying_suspend(struct cohort_rel *rel, struct cohort_words *words);
int cohort_copying_resume(struct cohort_rel *rel, struct cohort_words *words);

/*
 * Members are given up: their state is @state, their cuts and maps go, durably. None has
 * a table, and the relationship is busy. Caller holds no lock; sleeps.
 */
int cohort_copying_abort(struct cohort_rel *rel, struct cohort_words *words);

#endif
