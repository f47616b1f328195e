/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image.h - reads a source as it was at a cut.
 *
 * A chunk comes from the pool if the index has an entry at or above the cut,
 * else from the source's disk. The disk may be overwritten meanwhile, but
 * never before the index says so: an insert counter that did not change behind
 * the read proves the data old, one that did sends the read round again. What was
 * written to the image itself comes before both; see image-write.h.
 */
#ifndef COHORT_IMAGE_H
#define COHORT_IMAGE_H

#include <linux/bio.h>
#include <linux/mempool.h>
#include <linux/workqueue.h>
#include "lookup.h"
#include "overlay.h"
#include "replica.h"

struct cohort_image {
	struct cohort_rel *rel;
	struct cohort_rel_member *member;
	u32 index;			/* of the member, from 0 */
	bool writable;
	struct cohort_source *source;
	struct cohort_pool *pool;
	struct block_device *bdev;	/* the source's disk, through the image's own table */
	u32 chunk_shift;		/* sectors */
	mempool_t buffers;		/* of a chunk, for reads that are done over */
	atomic64_t from_pool;		/* chunks */
	atomic64_t from_source;
	/* of one that is writable, see image-write.c */
	struct workqueue_struct *write_wq;
	mempool_t write_ops;
	mempool_t write_pages;
};

/* Chunks one bio to the pool may verify at its end, maybe in an interrupt. */
#define COHORT_IMAGE_CHUNKS 16

/* Per-bio data. */
struct cohort_image_read {
	struct work_struct work;
	struct cohort_image *image;
	struct bvec_iter iter;		/* as it was mapped */
	u32 seq;			/* insert counter before the index was asked */
	u32 overlay;			/* id of the one that was asked, 0: there was none */
	u64 moved;			/* pool->moved then */
	u32 crc[COHORT_IMAGE_CHUNKS];	/* of the chunks, if they come from the pool */
	u8 where;			/* enum image_where in image.c */
};

int cohort_image_init(void);
void cohort_image_exit(void);

/* Memory for @image, of which the pool is known; false without. May sleep. */
bool cohort_image_reserve(struct cohort_image *image);
/* Also of an image that has none. */
void cohort_image_unreserve(struct cohort_image *image);

/* Broken or gone: whatever was read is worth nothing. Any context. */
bool cohort_image_lost(const struct cohort_image *image);
/* Of what was written to it as @overlay; as cohort_pool_lookup(). */
int cohort_image_overwritten(const struct cohort_image *image, const struct cohort_overlay *overlay,
			     u64 chunk, enum cohort_look how, struct cohort_mapping *map);
/* @len bytes at @at of @chunk as the image shows it, to @buf + @at, a whole chunk. Sleeps. */
blk_status_t cohort_image_read_chunk(struct cohort_image *image, u64 chunk, u32 at, u32 len,
				     void *buf);

/* From map() and end_io(); return what those return. @bio is a read. */
int cohort_image_map(struct cohort_image *image, struct bio *bio, struct cohort_image_read *r);
int cohort_image_end_io(struct cohort_image *image, struct bio *bio,
			struct cohort_image_read *r, blk_status_t *error);

#endif
