// SPDX-License-Identifier: GPL-2.0-only
/* clone.c - reads and writes of a clone while its target becomes a copy of the image. */
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/device-mapper.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include "clone.h"
#include "plant.h"
#include "segment.h"

#define WRITES_MAX 64

static u32 chunk_bytes(const struct cohort_clone *clone)
{
	return 1u << (clone->chunk_shift + SECTOR_SHIFT);
}

static u64 first_chunk(const struct cohort_clone *clone, const struct bio *bio)
{
	return bio->bi_iter.bi_sector >> clone->chunk_shift;
}

static u64 end_chunk(const struct cohort_clone *clone, const struct bio *bio)
{
	return ((bio_end_sector(bio) - 1) >> clone->chunk_shift) + 1;
}

/* ---- ranges ---- */

static bool overlap(const struct cohort_clone_range *a, const struct cohort_clone_range *b)
{
	return a->first < b->end && b->first < a->end;
}

/* Starts @range if none before it shares a chunk with it. */
static void look_at_turn(struct cohort_clone *clone, struct cohort_clone_range *range)
{
	struct cohort_clone_range *other;

	lockdep_assert_held(&clone->lock);
	list_for_each_entry(other, &clone->ranges, list) {
		if (other == range)
			break;
		if (overlap(other, range))
			return;
	}
	range->queued = true;
	queue_work(clone->wq, &range->work);
}

void cohort_clone_take(struct cohort_clone *clone, struct cohort_clone_range *range)
{
	unsigned long flags;

	range->queued = false;
	spin_lock_irqsave(&clone->lock, flags);
	list_add_tail(&range->list, &clone->ranges);
	look_at_turn(clone, range);
	spin_unlock_irqrestore(&clone->lock, flags);
}

void cohort_clone_give(struct cohort_clone *clone, struct cohort_clone_range *range)
{
	struct cohort_clone_range *other;
	unsigned long flags;

	spin_lock_irqsave(&clone->lock, flags);
	list_del(&range->list);
	list_for_each_entry(other, &clone->ranges, list)
		if (!other->queued && overlap(other, range))
			look_at_turn(clone, other);
	spin_unlock_irqrestore(&clone->lock, flags);
}

/* ---- reading ---- */

static int to(struct bio *bio, struct block_device *bdev)
{
	bio_set_dev(bio, bdev);
	return DM_MAPIO_REMAPPED;
}

/* As much of it as is of one kind. */
static bool accept_alike(struct cohort_clone *clone, struct bio *bio)
{
	u64 first = first_chunk(clone, bio), sectors;
	bool own;

	sectors = cohort_copymap_alike(clone->map, first, end_chunk(clone, bio), &own) <<
		clone->chunk_shift;
	sectors -= bio->bi_iter.bi_sector - (first << clone->chunk_shift);
	if (sectors < bio_sectors(bio))
		dm_accept_partial_bio(bio, sectors);
	return own;
}

static void uncount(struct cohort_clone *clone, struct cohort_clone_io *io)
{
	if (io->counted)
		percpu_ref_put(&clone->image_reads);
	io->counted = false;
}

static int map_read(struct cohort_clone *clone, struct bio *bio, struct cohort_clone_io *io)
{
	/* counted, then looked: who lets the image go waits for those that may have seen it */
	io->counted = percpu_ref_tryget_live(&clone->image_reads);
	/* that nobody reads from it any more, then whose the chunk is */
	smp_rmb();
	if (accept_alike(clone, bio)) {
		uncount(clone, io);
		return to(bio, clone->target);
	}
	if (io->counted && clone->image) {
		io->iter = bio->bi_iter;
		return to(bio, clone->image);
	}
	uncount(clone, io);
	return DM_MAPIO_KILL;
}

/* ---- writing ---- */

/* @len bytes of @bio from @iter on, which is advanced. */
static void copy_from_bio(struct bio *bio, struct bvec_iter *iter, void *data, u32 len)
{
	while (len) {
		struct bio_vec bv = bio_iter_iovec(bio, *iter);
		u32 n = min(len, bv.bv_len);

		memcpy_from_page(data, bv.bv_page, bv.bv_offset, n);
		bio_advance_iter(bio, iter, n);
		data += n;
		len -= n;
	}
}

/* Bytes of @chunk that there are: the last one may end early. */
static u32 chunk_len(const struct cohort_clone *clone, u64 chunk)
{
	u64 left = (clone->size - (chunk << clone->chunk_shift)) << SECTOR_SHIFT;

	return min_t(u64, chunk_bytes(clone), left);
}

/* A part of a chunk that is the image's: the rest of it comes along. */
static int write_part(struct cohort_clone_io *io, u64 chunk, u32 at, u32 len)
{
	struct cohort_clone *clone = io->clone;
	struct page *page;
	u64 start = chunk << (clone->chunk_shift + SECTOR_SHIFT);
	u32 whole = chunk_len(clone, chunk);
	void *data;
	int err;

	if (!clone->image)
		return -EIO;
	page = mempool_alloc(&clone->pages, GFP_NOIO);
	data = page_address(page);
	err = cohort_bdev_rw(clone->image, REQ_OP_READ, start, data, whole);
	if (!err) {
		copy_from_bio(io->bio, &io->iter, data + at, len);
		err = cohort_bdev_rw(clone->target, REQ_OP_WRITE, start, data, whole);
	}
	mempool_free(page, &clone->pages);
	return err;
}

/* @len bytes of whole chunks, or of such that are the target's: as they come. */
static int write_straight(struct cohort_clone_io *io, u32 len)
{
	struct cohort_clone *clone = io->clone;
	struct bio *bio = bio_alloc_clone(clone->target, io->bio, GFP_NOIO, &clone->bios);
	int err;

	if (PLANTED("bit-before-data"))
		cohort_copymap_set(clone->map, io->iter.bi_sector >> clone->chunk_shift,
				   ((io->iter.bi_sector + (len >> SECTOR_SHIFT) - 1) >>
				    clone->chunk_shift) + 1);
	PLANT_SLEEP("bit-before-data", 50);

	bio->bi_iter = io->iter;
	bio->bi_iter.bi_size = len;
	/* nobody polls for it */
	bio->bi_opf &= ~(REQ_FUA | REQ_PREFLUSH | REQ_POLLED);
	err = submit_bio_wait(bio);
	bio_put(bio);
	bio_advance_iter(io->bio, &io->iter, len);
	return err;
}

/* How much from here on can be written straight: up to a part of a chunk that is the image's. */
static u32 straight(const struct cohort_clone_io *io)
{
	const struct cohort_clone *clone = io->clone;
	u32 len = 0;
	bool own;

	while (len < io->iter.bi_size) {
		u64 sector = io->iter.bi_sector + (len >> SECTOR_SHIFT);
		u64 chunk = sector >> clone->chunk_shift;
		u32 at = (sector << SECTOR_SHIFT) & (chunk_bytes(clone) - 1);
		u32 n = min(io->iter.bi_size - len, chunk_len(clone, chunk) - at);

		cohort_copymap_alike(clone->map, chunk, chunk + 1, &own);
		if (!own && n < chunk_len(clone, chunk))
			break;
		len += n;
	}
	return len;
}

static int write_next(struct cohort_clone_io *io)
{
	const struct cohort_clone *clone = io->clone;
	u64 chunk = io->iter.bi_sector >> clone->chunk_shift;
	u32 at = (io->iter.bi_sector << SECTOR_SHIFT) & (chunk_bytes(clone) - 1);
	u32 len = straight(io);

	if (len)
		return write_straight(io, len);
	return write_part(io, chunk, at, min(io->iter.bi_size, chunk_len(clone, chunk) - at));
}

/* The range is its own: nobody else makes one of its chunks the target's meanwhile. */
static void write_work(struct work_struct *work)
{
	struct cohort_clone_io *io = container_of(work, struct cohort_clone_io, range.work);
	struct cohort_clone *clone = io->clone;
	struct bio *bio = io->bio;
	unsigned int noio = memalloc_noio_save();
	bool fua = bio->bi_opf & REQ_FUA;
	int err = 0;

	while (io->iter.bi_size && !err)
		err = write_next(io);
	if (!err)
		cohort_copymap_set(clone->map, io->range.first, io->range.end);
	cohort_clone_give(clone, &io->range);
	if (!err && fua)
		err = cohort_copymap_commit(clone->map, clone->target);
	memalloc_noio_restore(noio);
	bio->bi_status = errno_to_blk_status(err);
	bio_endio(bio);
}

static int go_to_work(struct cohort_clone_io *io, void (*work)(struct work_struct *work))
{
	INIT_WORK(&io->range.work, work);
	return DM_MAPIO_SUBMITTED;
}

static int map_write(struct cohort_clone *clone, struct bio *bio, struct cohort_clone_io *io)
{
	bool own;

	io->range.first = first_chunk(clone, bio);
	io->range.end = end_chunk(clone, bio);
	if (!(bio->bi_opf & REQ_FUA) &&
	    cohort_copymap_alike(clone->map, io->range.first, io->range.end, &own) ==
	    io->range.end - io->range.first && own)
		return to(bio, clone->target);
	io->iter = bio->bi_iter;
	go_to_work(io, write_work);
	cohort_clone_take(clone, &io->range);
	return DM_MAPIO_SUBMITTED;
}

/* ---- flushing ---- */

static void flush_work_fn(struct work_struct *work)
{
	struct cohort_clone_io *io = container_of(work, struct cohort_clone_io, range.work);
	struct bio *bio = io->bio;

	bio->bi_status = errno_to_blk_status(cohort_copymap_commit(io->clone->map,
								   io->clone->target));
	bio_endio(bio);
}

static int map_flush(struct cohort_clone *clone, struct cohort_clone_io *io)
{
	int ret = go_to_work(io, flush_work_fn);

	queue_work(clone->wq, &io->range.work);
	return ret;
}

/* ---- discarding ---- */

/* Zeroes, for a discard may show what the target held before; of the image's it is dropped. */
static void discard_work(struct work_struct *work)
{
	struct cohort_clone_io *io = container_of(work, struct cohort_clone_io, range.work);
	struct cohort_clone *clone = io->clone;
	struct bio *bio = io->bio;
	unsigned int noio = memalloc_noio_save();
	bool own;
	int err = 0;

	if (cohort_copymap_alike(clone->map, io->range.first, io->range.end, &own) ==
	    io->range.end - io->range.first && own)
		err = blkdev_issue_zeroout(clone->target, bio->bi_iter.bi_sector,
					   bio_sectors(bio), GFP_NOIO, 0);
	memalloc_noio_restore(noio);
	cohort_clone_give(clone, &io->range);
	bio->bi_status = errno_to_blk_status(err);
	bio_endio(bio);
}

static int map_discard(struct cohort_clone *clone, struct bio *bio, struct cohort_clone_io *io)
{
	io->range.first = first_chunk(clone, bio);
	io->range.end = end_chunk(clone, bio);
	go_to_work(io, discard_work);
	cohort_clone_take(clone, &io->range);
	return DM_MAPIO_SUBMITTED;
}

/* ---- from the target ---- */

int cohort_clone_map(struct cohort_clone *clone, struct bio *bio, struct cohort_clone_io *io)
{
	memset(io, 0, sizeof(*io));
	io->clone = clone;
	io->bio = bio;
	if (!clone->map || cohort_copymap_over(clone->map))
		return to(bio, clone->target);
	if (bio->bi_opf & REQ_PREFLUSH || bio_op(bio) == REQ_OP_FLUSH)
		return map_flush(clone, io);
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		return map_read(clone, bio, io);
	case REQ_OP_WRITE:
		return map_write(clone, bio, io);
	case REQ_OP_DISCARD:
		return map_discard(clone, bio, io);
	default:
		return DM_MAPIO_KILL;
	}
}

/* Of a read that the image failed: its chunks may be the target's by now. */
static bool look_again(struct cohort_clone *clone, struct cohort_clone_io *io)
{
	u64 first = io->iter.bi_sector >> clone->chunk_shift;
	u64 last = (io->iter.bi_sector + (io->iter.bi_size >> SECTOR_SHIFT) - 1) >>
		clone->chunk_shift;
	bool own;

	return cohort_copymap_alike(clone->map, first, last + 1, &own) == last + 1 - first && own;
}

static void read_again(struct work_struct *work)
{
	struct cohort_clone_io *io = container_of(work, struct cohort_clone_io, range.work);

	io->bio->bi_iter = io->iter;
	io->bio->bi_status = BLK_STS_OK;
	/* none is left of one that was split on its first way */
	atomic_set(&io->bio->__bi_remaining, 1);
	bio_set_dev(io->bio, io->clone->target);
	submit_bio_noacct(io->bio);
}

int cohort_clone_end_io(struct cohort_clone *clone, struct bio *bio, struct cohort_clone_io *io,
			blk_status_t *error)
{
	atomic64_inc(&clone->foreground);
	if (!io->counted)
		return DM_ENDIO_DONE;
	uncount(clone, io);
	if (!*error || !look_again(clone, io))
		return DM_ENDIO_DONE;
	INIT_WORK(&io->range.work, read_again);
	queue_work(clone->wq, &io->range.work);
	return DM_ENDIO_INCOMPLETE;
}

static void image_reads_gone(struct percpu_ref *ref)
{
	struct cohort_clone *clone = container_of(ref, struct cohort_clone, image_reads);

	wake_up_all(&clone->wait);
}

void cohort_clone_leave_image(struct cohort_clone *clone)
{
	if (!percpu_ref_is_dying(&clone->image_reads))
		percpu_ref_kill(&clone->image_reads);
	wait_event(clone->wait, percpu_ref_is_zero(&clone->image_reads));
}

int cohort_clone_init(struct cohort_clone *clone)
{
	int err;

	spin_lock_init(&clone->lock);
	INIT_LIST_HEAD(&clone->ranges);
	init_waitqueue_head(&clone->wait);
	clone->wq = alloc_workqueue("cohort_clone", WQ_MEM_RECLAIM | WQ_UNBOUND, WRITES_MAX);
	if (!clone->wq)
		return -ENOMEM;
	err = mempool_init_page_pool(&clone->pages, 1, get_order(chunk_bytes(clone)));
	if (!err)
		err = bioset_init(&clone->bios, BIO_POOL_SIZE, 0, BIOSET_NEED_BVECS);
	return err ? err : percpu_ref_init(&clone->image_reads, image_reads_gone, 0, GFP_KERNEL);
}

void cohort_clone_exit(struct cohort_clone *clone)
{
	if (clone->wq)
		destroy_workqueue(clone->wq);
	mempool_exit(&clone->pages);
	bioset_exit(&clone->bios);
	if (clone->image_reads.percpu_count_ptr)
		percpu_ref_exit(&clone->image_reads);
}
