/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clone.h - a device that is read and written while its target becomes a copy of an image.
 *
 * It lies on two devices: the image's, and the target. A chunk is the image's until it
 * is on the target; the copy map says which. Who makes chunks the target's, a write or
 * the hydrator, takes their range first, in order of arrival, and looks again whose
 * they are when it has it: copying and writing of a chunk exclude each other.
 * Nobody sleeps for a range: who gives one back queues whose turn it is then. Nobody
 * waits for a commit with a range taken.
 */
#ifndef COHORT_CLONE_H
#define COHORT_CLONE_H

#include <linux/bio.h>
#include <linux/mempool.h>
#include <linux/percpu-refcount.h>
#include <linux/workqueue.h>
#include "copymap.h"

struct cohort_clone {
	struct cohort_copymap *map;	/* NULL: all is the target's */
	struct block_device *image;	/* NULL: it is lost, or not needed */
	struct block_device *target;
	bool compare;			/* the target may hold the same: it is read first */
	u32 chunk_shift;		/* sectors */
	u64 size;			/* sectors */
	spinlock_t lock;		/* of @ranges; irq-safe, nothing inside */
	struct list_head ranges;	/* of struct cohort_clone_range, in order of arrival */
	struct percpu_ref image_reads;	/* from before the look at the map to the end */
	wait_queue_head_t wait;		/* for the last of them */
	struct workqueue_struct *wq;
	mempool_t pages;		/* of a chunk */
	struct bio_set bios;
	atomic64_t foreground;		/* requests of the host that have ended */
};

/* Chunks that somebody wants to have for itself. */
struct cohort_clone_range {
	struct list_head list;
	u64 first;
	u64 end;
	bool queued;			/* it is its turn */
	struct work_struct work;	/* queued then */
};

/* Per-bio data. */
struct cohort_clone_io {
	struct cohort_clone_range range;
	struct cohort_clone *clone;
	struct bio *bio;
	struct bvec_iter iter;		/* as it was mapped */
	bool counted;			/* in image_reads */
};

/* What it needs; -ENOMEM. Devices, map and sizes are set. May sleep. */
int cohort_clone_init(struct cohort_clone *clone);
/* Nothing is under way. Also of one that could not be made. */
void cohort_clone_exit(struct cohort_clone *clone);

/* From map() and end_io(); return what those return. */
int cohort_clone_map(struct cohort_clone *clone, struct bio *bio, struct cohort_clone_io *io);
int cohort_clone_end_io(struct cohort_clone *clone, struct bio *bio, struct cohort_clone_io *io,
			blk_status_t *error);

/*
 * Nobody reads from the image any more when it returns, nor will: all of it is the
 * target's. Sleeps.
 */
void cohort_clone_leave_image(struct cohort_clone *clone);

/* Has @range->work run when the range is its own; its work gives it back. Any context. */
void cohort_clone_take(struct cohort_clone *clone, struct cohort_clone_range *range);
void cohort_clone_give(struct cohort_clone *clone, struct cohort_clone_range *range);

#endif
