/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image-write.h - writes to an image.
 *
 * A chunk that is written is appended to the log as a whole: what of it the host
 * does not write is read first, as the image shows it. Two writes that share a
 * chunk take turns, in order of arrival, or one would append what the other has
 * changed meanwhile. Nobody sleeps for a turn: who ends one queues whose turn it is
 * then, so that those that wait keep no worker from those they wait for. A write
 * ends when the log has it and the index says so; it is durable then, and a flush
 * has nothing left to do.
 */
#ifndef COHORT_IMAGE_WRITE_H
#define COHORT_IMAGE_WRITE_H

#include <linux/completion.h>
#include "image.h"

/* Per-bio data. */
struct cohort_image_write {
	struct work_struct work;
	struct list_head list;		/* its turn, see struct cohort_turns */
	bool queued;			/* it has come */
	struct cohort_image *image;
	struct bio *bio;
	struct bvec_iter iter;		/* what is left of it */
	u64 first;			/* chunks */
	u64 end;
	struct cohort_overlay *overlay;
	atomic_t pending;		/* chunks with the log */
	int err;			/* of one of them */
	struct completion done;
};

/* What a writable image needs; false without memory. May sleep. */
bool cohort_image_write_reserve(struct cohort_image *image);
/* Also of an image that has none. No write is under way. */
void cohort_image_write_unreserve(struct cohort_image *image);

/* From map(), and returns what that does. @bio is a write with data. */
int cohort_image_write_map(struct cohort_image *image, struct bio *bio,
			   struct cohort_image_write *w);

#endif
