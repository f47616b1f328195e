/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image.h - reads a source as it was at a cut.
 *
 * A chunk comes from the pool if the index has an entry at or above the cut,
 * else from the source's disk. The disk may be overwritten meanwhile, but
 * never before the index says so: an insert counter that did not change behind
 * the read proves the data old, one that did sends the read round again.
 */
#ifndef COHORT_IMAGE_H
#define COHORT_IMAGE_H

#include <linux/bio.h>
#include <linux/mempool.h>
#include <linux/workqueue.h>
#include "replica.h"

struct cohort_image {
	struct cohort_rel *rel;
	struct cohort_rel_member *member;
	struct cohort_source *source;
	struct cohort_pool *pool;
	struct block_device *bdev;	/* the source's disk, through the image's own table */
	u32 chunk_shift;		/* sectors */
	mempool_t buffers;		/* of a chunk, for reads that are done over */
	atomic64_t from_pool;		/* chunks */
	atomic64_t from_source;
};

/* Per-bio data. */
struct cohort_image_read {
	struct work_struct work;
	struct cohort_image *image;
	struct bvec_iter iter;		/* as it was mapped */
	u32 seq;			/* insert counter before the index was asked */
	u8 where;			/* enum image_where in image.c */
};

int cohort_image_init(void);
void cohort_image_exit(void);

/* Memory for @image, of which the pool is known; false without. May sleep. */
bool cohort_image_reserve(struct cohort_image *image);
/* Also of an image that has none. */
void cohort_image_unreserve(struct cohort_image *image);

/* From map() and end_io(); return what those return. @bio is a read. */
int cohort_image_map(struct cohort_image *image, struct bio *bio, struct cohort_image_read *r);
int cohort_image_end_io(struct cohort_image *image, struct bio *bio,
			struct cohort_image_read *r, blk_status_t *error);

#endif
