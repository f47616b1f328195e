// SPDX-License-Identifier: GPL-2.0-only
/* image-write.c - writes to an image. */
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/device-mapper.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include "image-write.h"
#include "index.h"
#include "log.h"
#include "plant.h"
#include "pool.h"
#include "source.h"

/* Writes of one image under way, and chunks that one of them has with the log at a time. */
#define WRITES_MAX	64
#define CHUNKS_MAX	64
#define RETRY_MS	10

/* A chunk on its way to the log. */
struct image_op {
	struct cohort_log_op log;
	struct cohort_image_write *w;
	struct cohort_index_node *node;
	int found;			/* the overlay has the chunk already: 1; < 0: maybe */
};

static u32 chunk_bytes(const struct cohort_image *image)
{
	return 1u << (image->chunk_shift + SECTOR_SHIFT);
}

bool cohort_image_write_reserve(struct cohort_image *image)
{
	image->write_wq = alloc_workqueue("cohort_image_write", WQ_MEM_RECLAIM | WQ_UNBOUND,
					  WRITES_MAX);
	return image->write_wq &&
		!mempool_init_kmalloc_pool(&image->write_ops, 1, sizeof(struct image_op)) &&
		!mempool_init_page_pool(&image->write_pages, 1, get_order(chunk_bytes(image)));
}

void cohort_image_write_unreserve(struct cohort_image *image)
{
	if (image->write_wq)
		destroy_workqueue(image->write_wq);
	mempool_exit(&image->write_ops);
	mempool_exit(&image->write_pages);
}

/* ---- turns ---- */

static bool overlap(const struct cohort_image_write *a, const struct cohort_image_write *b)
{
	return a->first < b->end && b->first < a->end;
}

/* Starts @w if none before it shares a chunk with it. */
static void look_at_turn(struct cohort_turns *turns, struct cohort_image_write *w)
{
	struct cohort_image_write *other;

	lockdep_assert_held(&turns->lock);
	list_for_each_entry(other, &turns->writes, list) {
		if (other == w)
			break;
		if (overlap(other, w) && !PLANTED("no-turns"))
			return;
	}
	w->queued = true;
	queue_work(w->image->write_wq, &w->work);
}

static void take_turn(struct cohort_image_write *w)
{
	struct cohort_turns *turns = &w->image->member->turns;
	unsigned long flags;

	spin_lock_irqsave(&turns->lock, flags);
	list_add_tail(&w->list, &turns->writes);
	look_at_turn(turns, w);
	spin_unlock_irqrestore(&turns->lock, flags);
}

/* Those that wait may be of another table: their bios keep it. */
static void end_turn(struct cohort_image_write *w)
{
	struct cohort_turns *turns = &w->image->member->turns;
	struct cohort_image_write *other;
	unsigned long flags;

	spin_lock_irqsave(&turns->lock, flags);
	list_del(&w->list);
	list_for_each_entry(other, &turns->writes, list)
		if (!other->queued && overlap(other, w))
			look_at_turn(turns, other);
	spin_unlock_irqrestore(&turns->lock, flags);
}

/* ---- one chunk ---- */

static void op_free(struct image_op *op)
{
	struct cohort_image *image = op->w->image;

	if (op->log.page)
		mempool_free(op->log.page, &image->write_pages);
	cohort_index_node_free(op->node);
	mempool_free(op, &image->write_ops);
}

/* Only the first of a round waits for memory: it holds nothing that would come back. */
static struct image_op *op_alloc(struct cohort_image_write *w, bool wait)
{
	gfp_t gfp = wait ? GFP_NOIO : GFP_NOWAIT | __GFP_NOWARN;
	struct image_op *op = mempool_alloc(&w->image->write_ops, gfp);

	if (!op)
		return NULL;
	memset(op, 0, sizeof(*op));
	op->w = w;
	op->log.page = mempool_alloc(&w->image->write_pages, gfp);
	op->node = op->log.page ? cohort_index_node_new(false) : NULL;
	if (op->node)
		return op;
	op_free(op);
	return NULL;
}

/* What it was in the pool is free, but for runs: those are counted when space is short. */
static void account(struct cohort_pool *pool, const struct image_op *op)
{
	cohort_segments_live(&pool->log->segs, op->log.addr, 1);
	if (op->found)
		WRITE_ONCE(pool->overwritten, true);
	if (op->found != 1)
		cohort_overlay_count(pool, op->log.entry.source, 1);
}

/* What the index has not is not there: -EIO, and the write must not be told that it is. */
static int op_insert(struct image_op *op)
{
	struct cohort_index_node *node = op->node;
	struct cohort_pool *pool = op->w->image->pool;

	cohort_log_assert_main(pool->log);
	cohort_index_node_set(node, &op->log.entry, op->log.addr);
	if (WARN_ON_ONCE(cohort_index_supersede(pool->index, node, cohort_pool_superseded(pool),
						pool)))
		return -EIO;
	op->node = NULL;
	account(pool, op);
	return 0;
}

static void op_logged(struct cohort_log_op *log_op, int err)
{
	struct image_op *op = container_of(log_op, struct image_op, log);
	struct cohort_image_write *w = op->w;

	if (!err)
		err = op_insert(op);
	if (err)
		WRITE_ONCE(w->err, err);
	op_free(op);
	if (atomic_dec_and_test(&w->pending))
		complete(&w->done);
}

/* Bytes of @chunk that the image has: the last one may end early. */
static u32 chunk_len(const struct cohort_image *image, u64 chunk)
{
	u64 start = chunk << (image->chunk_shift + SECTOR_SHIFT);

	return min_t(u64, chunk_bytes(image), image->source->size - start);
}

/* @len bytes from where the write has come to. */
static void copy_from_bio(struct cohort_image_write *w, void *data, u32 len)
{
	while (len) {
		struct bio_vec bv = bio_iter_iovec(w->bio, w->iter);
		u32 n = min(len, bv.bv_len);

		memcpy_from_page(data, bv.bv_page, bv.bv_offset, n);
		bio_advance_iter(w->bio, &w->iter, n);
		data += n;
		len -= n;
	}
}

/* The next chunk of @w as it will be. */
static blk_status_t op_fill(struct image_op *op)
{
	struct cohort_image_write *w = op->w;
	struct cohort_image *image = w->image;
	u64 chunk = w->iter.bi_sector >> image->chunk_shift;
	u32 at = (w->iter.bi_sector << SECTOR_SHIFT) & (chunk_bytes(image) - 1);
	u32 whole = chunk_len(image, chunk), len = min(w->iter.bi_size, whole - at);
	void *data = page_address(op->log.page);
	struct cohort_mapping map;
	blk_status_t status = BLK_STS_OK;

	memset(data + whole, 0, chunk_bytes(image) - whole);
	if (len < whole)
		status = cohort_image_read_chunk(image, chunk, 0, whole, data);
	if (status)
		return status;
	op->found = cohort_image_overwritten(image, w->overlay, chunk, COHORT_LOOK_CACHED, &map);
	copy_from_bio(w, data + at, len);
	op->log.entry.source = w->overlay->id;
	op->log.entry.chunk = chunk;
	op->log.done = op_logged;
	return BLK_STS_OK;
}

/* ---- one write ---- */

/* What the log gave back: it failed, or in a full pool nobody makes room for it. */
static blk_status_t log_status(const struct cohort_image_write *w)
{
	struct cohort_overlay *overlay = cohort_overlay_get(w->image->rel, w->image->index);
	bool is_lost = overlay != w->overlay;

	if (overlay)
		cohort_overlay_put(overlay);
	return w->err == -ENODATA && !is_lost ? BLK_STS_NOSPC : BLK_STS_IOERR;
}

/* As many chunks as there is memory for, but one at least, are in the log when it returns. */
static blk_status_t write_round(struct cohort_image_write *w)
{
	blk_status_t status = BLK_STS_OK;
	LIST_HEAD(ops);
	u32 n;

	for (n = 0; n < CHUNKS_MAX && w->iter.bi_size && !status; n++) {
		struct image_op *op = op_alloc(w, !n);

		status = op ? op_fill(op) : BLK_STS_RESOURCE;
		if (status) {
			if (op)
				op_free(op);
			break;
		}
		cohort_log_sum(w->image->pool->log, &op->log);
		list_add_tail(&op->log.list, &ops);
	}
	if (!n)
		return status;
	atomic_set(&w->pending, n);
	reinit_completion(&w->done);
	cohort_log_preserve(w->image->pool->log, &ops, n);
	wait_for_completion(&w->done);
	return w->err ? log_status(w) : status;
}

/* What lacks memory is tried again; the chunk that it lacked for has not been taken yet. */
static bool try_again(struct cohort_image *image, bool no_memory)
{
	if (!no_memory || cohort_image_lost(image))
		return false;
	msleep(RETRY_MS);
	return true;
}

static struct cohort_overlay *open_overlay(struct cohort_image *image)
{
	struct cohort_overlay *overlay;

	do
		overlay = cohort_overlay_open(image->rel, image->index);
	while (try_again(image, overlay == ERR_PTR(-ENOMEM)));
	return overlay;
}

/* The index may have to be flushed first: sources that wait for the same come before images. */
static void wait_for_room(struct cohort_image *image)
{
	while (!cohort_pool_index_has_room(image->pool) && !cohort_image_lost(image) &&
	       !READ_ONCE(image->pool->log->failed))
		msleep(RETRY_MS);
}

static blk_status_t write_all(struct cohort_image_write *w)
{
	struct cohort_image *image = w->image;
	blk_status_t status = BLK_STS_OK;

	w->overlay = open_overlay(image);
	if (IS_ERR(w->overlay))
		return errno_to_blk_status(PTR_ERR(w->overlay));
	while (w->iter.bi_size && !status) {
		wait_for_room(image);
		status = write_round(w);
		if (try_again(image, status == BLK_STS_RESOURCE))
			status = BLK_STS_OK;
	}
	cohort_overlay_put(w->overlay);
	return cohort_image_lost(image) ? BLK_STS_IOERR : status;
}

static void write_work(struct work_struct *work)
{
	struct cohort_image_write *w = container_of(work, struct cohort_image_write, work);
	struct bio *bio = w->bio;

	bio->bi_status = cohort_image_lost(w->image) ? BLK_STS_IOERR : write_all(w);
	end_turn(w);
	bio_endio(bio);
}

int cohort_image_write_map(struct cohort_image *image, struct bio *bio,
			   struct cohort_image_write *w)
{
	if (cohort_image_lost(image))
		return DM_MAPIO_KILL;
	w->image = image;
	w->bio = bio;
	w->iter = bio->bi_iter;
	w->first = bio->bi_iter.bi_sector >> image->chunk_shift;
	w->end = ((bio_end_sector(bio) - 1) >> image->chunk_shift) + 1;
	w->err = 0;
	w->queued = false;
	init_completion(&w->done);
	INIT_WORK(&w->work, write_work);
	take_turn(w);
	return DM_MAPIO_SUBMITTED;
}
