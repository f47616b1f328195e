/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hydrate.h - copies what is the image's to the target, piece by piece, until nothing is.
 *
 * Several pieces are under way at a time. While the host reads or writes, each rests
 * behind a piece for twice as long as the piece took: a third of the idle rate is left to
 * it whatever the host does, and it stands in the host's way for a third of the time.
 */
#ifndef COHORT_HYDRATE_H
#define COHORT_HYDRATE_H

#include "clone.h"

struct cohort_hydrator;

/* NULL without memory. May sleep. */
struct cohort_hydrator *cohort_hydrator_new(struct cohort_clone *clone);
/* It has been stopped, or never started; may be NULL. */
void cohort_hydrator_free(struct cohort_hydrator *h);
/*
 * Begins. @done is called by a worker when nothing is the image's any more, 0, or when
 * what is left could not be copied, -EIO; not when it was stopped. Sleeps.
 */
void cohort_hydrator_start(struct cohort_hydrator *h, void (*done)(void *data, int err),
			   void *data);
/* Returns when no piece is under way and none will begin. May be started again. Sleeps. */
void cohort_hydrator_stop(struct cohort_hydrator *h);
/* A reader wants what lies at @chunk: the next piece is that one. Any context. */
void cohort_hydrator_hint(struct cohort_hydrator *h, u64 chunk);
/* Bytes that could not be copied since it was started, in pieces of a chunk. Any context. */
u64 cohort_hydrator_failed(const struct cohort_hydrator *h);

#endif
