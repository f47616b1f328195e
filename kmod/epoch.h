/* SPDX-License-Identifier: GPL-2.0-only */
/* epoch.h - the one word every write reads, and the lock of those who change it. */
#ifndef COHORT_EPOCH_H
#define COHORT_EPOCH_H

#include <linux/mutex.h>
#include <linux/types.h>

/* The epoch: raised by one for every cut, read by every write. Own cache line. */
extern u64 cohort_epoch;

/*
 * Serialises flips, and protects every volume's eras and every source's live
 * cuts. From reading the epoch to storing the next one nobody else may flip.
 * Taken inside cohort_lock.
 */
extern struct mutex cohort_cut_mutex;

/* Raises the epoch to at least @epoch: what a pool used before is never used again. May sleep. */
void cohort_epoch_raise(u64 epoch);

#endif
