// SPDX-License-Identifier: GPL-2.0-only
/* image.c - reads a source as it was at a cut. */
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/device-mapper.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include "image.h"
#include "image-write.h"
#include "lookup.h"
#include "log.h"
#include "overlay.h"
#include "plant.h"
#include "pool.h"
#include "source.h"
#include "trace.h"

#define SEQ_RUN		(1u << COHORT_SEQ_SHIFT)

enum image_where {
	IMAGE_POOL,		/* whole chunks, verified at the end */
	IMAGE_SOURCE,		/* unchanged at the end, or once more */
	IMAGE_SLOW,		/* chunk by chunk in a worker */
	IMAGE_DONE,		/* the worker has ended it */
};

static struct workqueue_struct *image_wq;

int cohort_image_init(void)
{
	image_wq = alloc_workqueue("cohort_image", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return image_wq ? 0 : -ENOMEM;
}

void cohort_image_exit(void)
{
	destroy_workqueue(image_wq);
}

static u32 chunk_sectors(const struct cohort_image *image)
{
	return 1u << image->chunk_shift;
}

static u32 chunk_bytes(const struct cohort_image *image)
{
	return chunk_sectors(image) << SECTOR_SHIFT;
}

bool cohort_image_reserve(struct cohort_image *image)
{
	return !mempool_init_page_pool(&image->buffers, 1, get_order(chunk_bytes(image))) &&
		(!image->writable || cohort_image_write_reserve(image));
}

void cohort_image_unreserve(struct cohort_image *image)
{
	cohort_image_write_unreserve(image);
	mempool_exit(&image->buffers);
}

/* Broken or deleted: what was read may be of somebody else by now. */
bool cohort_image_lost(const struct cohort_image *image)
{
	/* data, then state; pairs with the barrier in break_member() */
	smp_rmb();
	return READ_ONCE(image->rel->dead) ||
		!cohort_member_has_cut(image->member);
}

int cohort_image_overwritten(const struct cohort_image *image, const struct cohort_overlay *overlay,
			     u64 chunk, enum cohort_look how, struct cohort_mapping *map)
{
	int found = cohort_pool_lookup(image->pool, overlay->id, chunk, 0, how, map);

	return found == 1 && cohort_overlay_seq(map->epoch) <= overlay->floor ? 0 : found;
}

/* 0: there is none. */
static u32 overlay_id(const struct cohort_image *image)
{
	const struct cohort_overlay *overlay;
	u32 id;

	rcu_read_lock();
	overlay = rcu_dereference(image->member->overlay);
	id = overlay ? overlay->id : 0;
	rcu_read_unlock();
	return id;
}

/*
 * After a reset what was found of the overlay @id may be anything that ever was
 * written: nobody keeps the newest any longer.
 */
static bool was_reset(const struct cohort_image *image, u32 id)
{
	/* the data, then the overlay, which goes before what it has does */
	smp_rmb();
	return id && overlay_id(image) != id;
}

/* Of the image's overlay; as cohort_pool_lookup(). */
static int in_overlay(const struct cohort_image *image, u64 chunk, enum cohort_look how,
		      struct cohort_mapping *map)
{
	struct cohort_overlay *overlay;
	int found;

	if (!rcu_access_pointer(image->member->overlay))
		return 0;
	overlay = cohort_overlay_get(image->rel, image->index);
	if (!overlay)
		return 0;
	found = cohort_image_overwritten(image, overlay, chunk, how, map);
	cohort_overlay_put(overlay);
	return found;
}

/* What was written to the image, else what was preserved for it. As cohort_pool_lookup(). */
static int in_pool(const struct cohort_image *image, u64 chunk, enum cohort_look how,
		   struct cohort_mapping *map)
{
	int found = in_overlay(image, chunk, how, map);

	return found ? found : cohort_pool_lookup(image->pool, image->source->id, chunk,
						  image->member->epoch, how, map);
}

/*
 * Before a look, and behind the read: where they differ a segment may have been
 * freed and written anew meanwhile.
 */
static u64 moves(const struct cohort_image *image)
{
	u64 n;

	/* behind what was read; pairs with op_move() in clean.c */
	smp_rmb();
	n = atomic64_read(&image->pool->moved);
	/* before what will be */
	smp_rmb();
	return n;
}

static u32 seq_of(const struct cohort_image *image, u64 chunk)
{
	return atomic_read(cohort_source_seq(image->source, chunk));
}

/* ---- map: the longest run of one kind ---- */

/* Whole chunks that lie one behind the other in the pool, all readable. */
static u32 pool_run(const struct cohort_image *image, struct cohort_image_read *r, u64 chunk,
		    u32 most, const struct cohort_mapping *first)
{
	struct cohort_mapping map = *first;
	u32 n = 0;

	do
		r->crc[n++] = map.crc;
	while (n < most && in_pool(image, chunk + n, COHORT_LOOK_CACHED, &map) == 1 &&
	       !map.unreadable && !map.damaged &&
	       map.addr == first->addr + n * chunk_bytes(image));
	return n;
}

/* Chunks not in the pool that share one insert counter. */
static u32 source_run(const struct cohort_image *image, u64 chunk, u32 most)
{
	struct cohort_mapping map;
	u32 n = 1;

	while (n < most && (chunk + n) % SEQ_RUN &&
	       !in_pool(image, chunk + n, COHORT_LOOK_CACHED, &map))
		n++;
	return n;
}

static void accept(struct bio *bio, struct cohort_image_read *r, u32 sectors)
{
	if (sectors < bio_sectors(bio))
		dm_accept_partial_bio(bio, sectors);
	r->iter = bio->bi_iter;
}

static int map_source(struct cohort_image *image, struct bio *bio, struct cohort_image_read *r,
		      u64 chunk, u32 offset)
{
	u32 most = ((offset + bio_sectors(bio) - 1) >> image->chunk_shift) + 1;
	u32 n = source_run(image, chunk, most);

	PLANT_SLEEP("no-second-look", 100);
	r->where = IMAGE_SOURCE;
	accept(bio, r, min_t(u32, bio_sectors(bio), n * chunk_sectors(image) - offset));
	bio_set_dev(bio, image->bdev);
	atomic64_add(n, &image->from_source);
	trace_cohort_image_read(image->source->id, image->member->epoch, chunk,
				COHORT_TRACE_SOURCE);
	return DM_MAPIO_REMAPPED;
}

static void image_work(struct work_struct *work);

static int go_slow(struct cohort_image_read *r)
{
	r->where = IMAGE_SLOW;
	INIT_WORK(&r->work, image_work);
	queue_work(image_wq, &r->work);
	return DM_MAPIO_SUBMITTED;
}

static int map_pool(struct cohort_image *image, struct bio *bio, struct cohort_image_read *r,
		    u64 chunk, const struct cohort_mapping *map)
{
	u32 whole = bio_sectors(bio) >> image->chunk_shift, n;

	n = pool_run(image, r, chunk, min_t(u32, whole, COHORT_IMAGE_CHUNKS), map);
	accept(bio, r, n * chunk_sectors(image));
	if (!cohort_pool_read_begin(image->pool))
		return go_slow(r);
	r->where = IMAGE_POOL;
	bio->bi_iter.bi_sector = map->addr >> SECTOR_SHIFT;
	bio_set_dev(bio, image->pool->bdev);
	atomic64_add(n, &image->from_pool);
	trace_cohort_image_read(image->source->id, image->member->epoch, chunk,
				COHORT_TRACE_POOL);
	return DM_MAPIO_REMAPPED;
}

int cohort_image_map(struct cohort_image *image, struct bio *bio, struct cohort_image_read *r)
{
	u64 chunk = bio->bi_iter.bi_sector >> image->chunk_shift;
	u32 offset = bio->bi_iter.bi_sector & (chunk_sectors(image) - 1);
	struct cohort_mapping map;
	int found;

	r->image = image;
	if (cohort_image_lost(image))
		return DM_MAPIO_KILL;
	r->overlay = overlay_id(image);
	r->moved = moves(image);
	r->seq = seq_of(image, chunk);
	/* the counter, then the index; pairs with the barriers in op_insert() */
	smp_rmb();
	found = in_pool(image, chunk, COHORT_LOOK_CACHED, &map);
	if (!found)
		return map_source(image, bio, r, chunk, offset);
	if (found == 1 && !offset && !map.unreadable && !map.damaged &&
	    bio_sectors(bio) >= chunk_sectors(image))
		return map_pool(image, bio, r, chunk, &map);
	accept(bio, r, min_t(u32, bio_sectors(bio), chunk_sectors(image) - offset));
	return go_slow(r);
}

/* ---- end ---- */

/* CRC32C of the next chunk of @bio from @iter on, which is advanced. */
static u32 bio_chunk_crc(struct bio *bio, struct bvec_iter *iter, u32 len)
{
	u32 crc = ~0u;

	while (len) {
		struct bio_vec bv = bio_iter_iovec(bio, *iter);
		u32 n = min(len, bv.bv_len);
		void *data = kmap_local_page(bv.bv_page);

		crc = cohort_crc32c(crc, data + bv.bv_offset, n);
		kunmap_local(data);
		bio_advance_iter(bio, iter, n);
		len -= n;
	}
	return crc;
}

static bool pool_data_good(struct cohort_image *image, struct bio *bio,
			   const struct cohort_image_read *r)
{
	struct bvec_iter iter = r->iter;
	u32 i;

	for (i = 0; iter.bi_size; i++)
		if (bio_chunk_crc(bio, &iter, chunk_bytes(image)) != r->crc[i])
			return false;
	return true;
}

static bool image_unchanged(const struct cohort_image *image, const struct cohort_image_read *r)
{
	/* the data, then the counter; pairs with the barriers in op_insert() */
	smp_rmb();
	if (PLANTED("no-second-look"))
		return true;
	return seq_of(image, r->iter.bi_sector >> image->chunk_shift) == r->seq;
}

/* Of any chunk, since @before: @image's may be among them. */
static bool was_moved(const struct cohort_image *image, u64 before)
{
	return moves(image) != before;
}

int cohort_image_end_io(struct cohort_image *image, struct bio *bio,
			struct cohort_image_read *r, blk_status_t *error)
{
	switch (r->where) {
	case IMAGE_POOL:
		cohort_pool_read_end(image->pool);
		if (*error || cohort_image_lost(image) ||
		    (pool_data_good(image, bio, r) && !was_reset(image, r->overlay) &&
		     !was_moved(image, r->moved)))
			break;
		/* the reader may have changed its buffer: judged again in one of ours */
		go_slow(r);
		return DM_ENDIO_INCOMPLETE;
	case IMAGE_SOURCE:
		if (image_unchanged(image, r))
			break;
		/* good or not: what was read there is no longer asked for */
		go_slow(r);
		return DM_ENDIO_INCOMPLETE;
	default:
		return DM_ENDIO_DONE;
	}
	if (cohort_image_lost(image))
		*error = BLK_STS_IOERR;
	return DM_ENDIO_DONE;
}

/* ---- slow: chunk by chunk, in a worker ---- */

/* Written anew, moved or reset: then the space of what was found may be used anew, too. */
static bool is_elsewhere(const struct cohort_image *image, u64 chunk,
			 const struct cohort_mapping *map)
{
	struct cohort_mapping now;

	return in_pool(image, chunk, COHORT_LOOK_READ, &now) != 1 || now.source != map->source ||
		now.epoch != map->epoch || now.addr != map->addr;
}

/*
 * What is not as promised is damage, unless nobody promises it any more; 0, -EIO.
 * -EAGAIN: something else is promised.
 */
static int judge_chunk(struct cohort_image *image, u64 chunk, const struct cohort_mapping *map,
		       u64 moved, const void *buf)
{
	bool good = cohort_crc32c(~0u, buf, chunk_bytes(image)) == map->crc;

	if (cohort_image_lost(image))
		return -EIO;
	if (good && !was_moved(image, moved))
		return 0;
	if (is_elsewhere(image, chunk, map))
		return -EAGAIN;
	if (good)
		return 0;
	cohort_pool_damaged(image->pool, map->source, chunk, map->epoch, map->addr);
	return -EIO;
}

static blk_status_t slow_from_pool(struct cohort_image *image, u64 chunk,
				   const struct cohort_mapping *map, u64 moved, u32 at, u32 len,
				   void *buf)
{
	u32 unit = chunk_bytes(image) / 64, i;
	int err;

	for (i = at / unit; map->unreadable && i <= (at + len - 1) / unit; i++)
		if (map->unreadable & BIT_ULL(i))
			return BLK_STS_MEDIUM;
	if (map->damaged)
		return BLK_STS_IOERR;
	err = cohort_bdev_rw(image->pool->bdev, REQ_OP_READ, map->addr, buf, chunk_bytes(image));
	if (!err)
		err = judge_chunk(image, chunk, map, moved, buf);
	atomic64_add(!err, &image->from_pool);
	return errno_to_blk_status(err);
}

/* False: the pool has no entry that the image would read. */
static bool try_pool(struct cohort_image *image, u64 chunk, u32 at, u32 len, void *buf,
		     blk_status_t *status)
{
	u64 moved = moves(image);
	struct cohort_mapping map;
	int found = in_pool(image, chunk, COHORT_LOOK_CACHED, &map);

	if (!found)
		return false;
	*status = BLK_STS_IOERR;
	if (!cohort_pool_read_begin_wait(image->pool))
		return true;
	if (found < 0)
		found = in_pool(image, chunk, COHORT_LOOK_READ, &map);
	if (found == 1)
		*status = slow_from_pool(image, chunk, &map, moved, at, len, buf);
	cohort_pool_read_end(image->pool);
	return found;
}

/* @len bytes at @at of @chunk, into @buf + @at. */
static blk_status_t read_once(struct cohort_image *image, u64 chunk, u32 at, u32 len, void *buf)
{
	u64 start = chunk << (image->chunk_shift + SECTOR_SHIFT);
	blk_status_t status;
	int err;

	trace_cohort_image_read(image->source->id, image->member->epoch, chunk,
				COHORT_TRACE_RETRY);
	if (try_pool(image, chunk, at, len, buf, &status))
		return status;
	err = cohort_bdev_rw(image->bdev, REQ_OP_READ, start + at, buf + at, len);
	/* the data, then the index; pairs with the barriers in op_insert() */
	smp_rmb();
	if (try_pool(image, chunk, at, len, buf, &status))
		return status;
	atomic64_inc(&image->from_source);
	return errno_to_blk_status(err);
}

/* Ends: a chunk is preserved only once, and not written or moved for ever. */
blk_status_t cohort_image_read_chunk(struct cohort_image *image, u64 chunk, u32 at, u32 len,
				     void *buf)
{
	blk_status_t status;
	u32 overlay;

	do {
		overlay = overlay_id(image);
		status = read_once(image, chunk, at, len, buf);
	} while (status == BLK_STS_AGAIN || was_reset(image, overlay));
	if (!status && cohort_image_lost(image))
		status = BLK_STS_IOERR;
	return status;
}

static void copy_to_bio(struct bio *bio, struct bvec_iter *iter, const void *data, u32 len)
{
	while (len) {
		struct bio_vec bv = bio_iter_iovec(bio, *iter);
		u32 n = min(len, bv.bv_len);

		memcpy_to_page(bv.bv_page, bv.bv_offset, data, n);
		bio_advance_iter(bio, iter, n);
		data += n;
		len -= n;
	}
}

static blk_status_t slow_read(struct cohort_image *image, struct bio *bio,
			      struct cohort_image_read *r, void *buf)
{
	struct bvec_iter iter = r->iter;
	blk_status_t status = BLK_STS_OK;

	while (iter.bi_size && !status) {
		u64 chunk = iter.bi_sector >> image->chunk_shift;
		u32 at = (iter.bi_sector & (chunk_sectors(image) - 1)) << SECTOR_SHIFT;
		u32 len = min(iter.bi_size, chunk_bytes(image) - at);

		status = cohort_image_read_chunk(image, chunk, at, len, buf);
		copy_to_bio(bio, &iter, buf + at, len);
	}
	return status;
}

static void image_work(struct work_struct *work)
{
	struct cohort_image_read *r = container_of(work, struct cohort_image_read, work);
	struct bio *bio = dm_bio_from_per_bio_data(r, sizeof(*r));
	struct page *buf = mempool_alloc(&r->image->buffers, GFP_NOIO);

	bio->bi_status = slow_read(r->image, bio, r, page_address(buf));
	mempool_free(buf, &r->image->buffers);
	r->where = IMAGE_DONE;
	bio_endio(bio);
}
