/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * preserve.h - saves a chunk's old content before its first overwrite in an era.
 */
#ifndef COHORT_PRESERVE_H
#define COHORT_PRESERVE_H

#include "volume.h"

/* Memory and worker of the slow path, once for a new volume; may sleep. */
int cohort_preserve_init(struct cohort_volume *vol);

/*
 * Counts a data changing request and decides: DM_MAPIO_REMAPPED, or
 * DM_MAPIO_SUBMITTED when it is held, answered, or refused as it must not
 * wait. From map(): never sleeps. @bio is already remapped to the disk below.
 */
int cohort_preserve_map(struct cohort_volume *vol, struct bio *bio, struct cohort_write *w);

/* noflush suspend: held writes, and those to come, go back to device-mapper. Sleeps. */
void cohort_preserve_requeue(struct cohort_volume *vol, bool requeue);
/*
 * Waits until nothing of ours is under way to the disk below, with no write held
 * or to come. What is read may still be on its way to a pool that is suspended.
 */
void cohort_preserve_leave_disk(struct cohort_volume *vol);
/* The same, and until all that was read is in the pool. Both sleep. */
void cohort_preserve_drain(struct cohort_volume *vol);

#endif
