// SPDX-License-Identifier: GPL-2.0-only
/* segment.c - the segments of a pool: which are free, what is still needed of the others. */
#include <linux/bio.h>
#include <linux/bitmap.h>
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "segment.h"

/* Table sectors are written by the block: it is the unit of any disk below. */
#define SECTORS_PER_BLOCK (COHORT_BLOCK / COHORT_SECTOR)
#define ENTRIES_PER_BLOCK (SECTORS_PER_BLOCK * COHORT_TABLE_PER_SECTOR)

static struct bio *bdev_bio(struct block_device *bdev, blk_opf_t opf, u64 addr, void *buf, u32 len)
{
	u32 pages = DIV_ROUND_UP(offset_in_page(buf) + len, PAGE_SIZE);
	struct bio *bio = bio_alloc(bdev, pages, opf, GFP_NOIO);

	bio->bi_iter.bi_sector = addr >> SECTOR_SHIFT;
	while (len) {
		u32 n = min_t(u32, len, PAGE_SIZE - offset_in_page(buf));
		struct page *page = is_vmalloc_addr(buf) ? vmalloc_to_page(buf) : virt_to_page(buf);

		__bio_add_page(bio, page, n, offset_in_page(buf));
		buf += n;
		len -= n;
	}
	return bio;
}

int cohort_bdev_rw(struct block_device *bdev, blk_opf_t opf, u64 addr, void *buf, u32 len)
{
	const u32 most = BIO_MAX_VECS * PAGE_SIZE / 2;

	while (len) {
		u32 n = min(len, most);
		struct bio *bio = bdev_bio(bdev, opf, addr, buf, n);
		int err = submit_bio_wait(bio);

		bio_put(bio);
		if (err)
			return err;
		addr += n;
		buf += n;
		len -= n;
	}
	return 0;
}

/* Encodes table block @block as it is to be; the prepared segment if it is in there, else -1. */
static s64 table_block_encode(struct cohort_segments *segs, u32 block)
{
	struct cohort_segment_entry entry[COHORT_TABLE_PER_SECTOR];
	u32 first = block * ENTRIES_PER_BLOCK;
	unsigned long flags;
	unsigned int s, i;
	s64 next = -1;

	spin_lock_irqsave(&segs->lock, flags);
	for (s = 0; s < SECTORS_PER_BLOCK; s++) {
		u32 seg = first + s * COHORT_TABLE_PER_SECTOR;

		memset(entry, 0, sizeof(entry));
		for (i = 0; i < COHORT_TABLE_PER_SECTOR && seg + i < segs->nr; i++)
			entry[i] = segs->seg[seg + i].entry;
		cohort_table_encode(segs->seed, cohort_table_address(seg), entry,
				    segs->block + s * COHORT_SECTOR);
	}
	if (segs->next >= 0 && segs->next / ENTRIES_PER_BLOCK == block)
		next = segs->next;
	spin_unlock_irqrestore(&segs->lock, flags);
	return next;
}

/* @next may have been taken and another one prepared meanwhile. */
static void table_block_written(struct cohort_segments *segs, s64 next, int err)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	if (err)
		segs->write_failed = true;
	else if (next >= 0 && next == segs->next)
		segs->next_durable = true;
	spin_unlock_irqrestore(&segs->lock, flags);
	if (err || next >= 0)
		segs->ready(segs->ctx);
}

static void table_work(struct work_struct *work)
{
	struct cohort_segments *segs = container_of(work, struct cohort_segments, work);
	u32 blocks = DIV_ROUND_UP(segs->nr, ENTRIES_PER_BLOCK);
	unsigned long block;

	while (!READ_ONCE(segs->stopped) &&
	       (block = find_first_bit(segs->dirty, blocks)) < blocks) {
		s64 next;

		clear_bit(block, segs->dirty);
		/* the bit before the entries: a change after this sets it again */
		smp_mb__after_atomic();
		next = table_block_encode(segs, block);
		table_block_written(segs, next,
				    cohort_bdev_rw(segs->bdev, REQ_OP_WRITE | REQ_SYNC | REQ_FUA,
						   COHORT_TABLE_START + block * COHORT_BLOCK,
						   segs->block, COHORT_BLOCK));
	}
}

static void mark_dirty(struct cohort_segments *segs, u32 seg)
{
	lockdep_assert_held(&segs->lock);
	set_bit(seg / ENTRIES_PER_BLOCK, segs->dirty);
}

int cohort_segments_init(struct cohort_segments *segs, const struct cohort_super *sb,
			 void (*ready)(void *ctx), void *ctx)
{
	if (sb->nr_segments > U32_MAX)
		return -EFBIG;
	segs->nr = sb->nr_segments;
	segs->seed = cohort_pool_seed(sb->uuid);
	segs->size = sb->segment_size;
	segs->start = sb->segments_start;
	segs->free = segs->nr;
	segs->next = -1;
	segs->next_seq = sb->next_segment;
	segs->ready = ready;
	segs->ctx = ctx;
	spin_lock_init(&segs->lock);
	INIT_WORK(&segs->work, table_work);
	segs->seg = kvcalloc(segs->nr, sizeof(*segs->seg), GFP_KERNEL);
	segs->dirty = bitmap_zalloc(DIV_ROUND_UP(segs->nr, ENTRIES_PER_BLOCK), GFP_KERNEL);
	segs->block = (void *)__get_free_page(GFP_KERNEL);
	segs->wq = alloc_workqueue("cohort_table", WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	if (segs->seg && segs->dirty && segs->block && segs->wq)
		return 0;
	cohort_segments_exit(segs);
	return -ENOMEM;
}

void cohort_segments_exit(struct cohort_segments *segs)
{
	if (segs->wq)
		destroy_workqueue(segs->wq);
	segs->wq = NULL;
	free_page((unsigned long)segs->block);
	segs->block = NULL;
	bitmap_free(segs->dirty);
	segs->dirty = NULL;
	kvfree(segs->seg);
	segs->seg = NULL;
}

void cohort_segments_stop(struct cohort_segments *segs)
{
	flush_work(&segs->work);
	WRITE_ONCE(segs->stopped, true);
	/* one that did not see it */
	flush_work(&segs->work);
}

void cohort_segments_resume(struct cohort_segments *segs, struct block_device *bdev)
{
	segs->bdev = bdev;
	WRITE_ONCE(segs->stopped, false);
	queue_work(segs->wq, &segs->work);
}

int cohort_segments_write_all(struct cohort_segments *segs)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	bitmap_set(segs->dirty, 0, DIV_ROUND_UP(segs->nr, ENTRIES_PER_BLOCK));
	spin_unlock_irqrestore(&segs->lock, flags);
	queue_work(segs->wq, &segs->work);
	flush_work(&segs->work);
	return segs->write_failed ? -EIO : 0;
}

static s64 find_free(const struct cohort_segments *segs)
{
	u32 i;

	for (i = 0; i < segs->nr; i++) {
		u32 seg = (segs->hint + i) % segs->nr;

		if (!segs->seg[seg].entry.seq && !segs->seg[seg].open)
			return seg;
	}
	return -1;
}

static void prepare_entry(struct cohort_segments *segs, u32 seg, u64 nonce, u64 min_seq)
{
	struct cohort_segment *s = &segs->seg[seg];

	s->entry.seq = segs->next_seq++;
	s->entry.nonce = nonce;
	s->entry.min_seq = min_seq;
	s->entry.length = 0;
	s->entry.kind = COHORT_SEGMENT_LOG;
	s->open = true;
	s->last_record = 0;
	segs->hint = seg + 1;
	segs->free--;
	segs->next = seg;
	segs->next_durable = false;
	mark_dirty(segs, seg);
}

int cohort_segments_prepare(struct cohort_segments *segs, u64 nonce, u64 min_seq, bool reserved)
{
	unsigned long flags;
	bool fresh = false;
	int err = 0;

	spin_lock_irqsave(&segs->lock, flags);
	if (segs->next < 0) {
		s64 seg = -1;

		if (segs->free > (reserved ? 0 : COHORT_RESERVED_SEGMENTS))
			seg = find_free(segs);
		err = seg < 0 ? -ENOSPC : 0;
		fresh = !err;
		if (fresh)
			prepare_entry(segs, seg, nonce, min_seq);
	}
	spin_unlock_irqrestore(&segs->lock, flags);
	if (fresh)
		queue_work(segs->wq, &segs->work);
	return err;
}

s64 cohort_segments_take(struct cohort_segments *segs)
{
	unsigned long flags;
	s64 seg = -EAGAIN;

	spin_lock_irqsave(&segs->lock, flags);
	if (segs->write_failed) {
		seg = -EIO;
	} else if (segs->next >= 0 && segs->next_durable) {
		seg = segs->next;
		segs->next = -1;
	}
	spin_unlock_irqrestore(&segs->lock, flags);
	return seg;
}

void cohort_segments_close(struct cohort_segments *segs, u32 seg, u32 length)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	segs->seg[seg].open = false;
	segs->seg[seg].entry.length = length;
	mark_dirty(segs, seg);
	spin_unlock_irqrestore(&segs->lock, flags);
	queue_work(segs->wq, &segs->work);
}

u32 cohort_segment_of(const struct cohort_segments *segs, u64 addr)
{
	return (addr - segs->start) / segs->size;
}

void cohort_segments_live(struct cohort_segments *segs, u64 addr, int by)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	segs->seg[cohort_segment_of(segs, addr)].live += by;
	spin_unlock_irqrestore(&segs->lock, flags);
}

void cohort_segments_record(struct cohort_segments *segs, u32 seg, u64 seq)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	segs->seg[seg].last_record = max(segs->seg[seg].last_record, seq);
	spin_unlock_irqrestore(&segs->lock, flags);
}

static bool closed_and_dead(const struct cohort_segment *s)
{
	return s->entry.seq && !s->open && !s->live;
}

u32 cohort_segments_reclaim(struct cohort_segments *segs, u64 catalog_seq)
{
	unsigned long flags;
	u32 i, freed = 0;

	for (i = 0; i < segs->nr; i++) {
		struct cohort_segment *s = &segs->seg[i];

		spin_lock_irqsave(&segs->lock, flags);
		if (closed_and_dead(s) && s->last_record < catalog_seq) {
			memset(&s->entry, 0, sizeof(s->entry));
			mark_dirty(segs, i);
			segs->free++;
			freed++;
		}
		spin_unlock_irqrestore(&segs->lock, flags);
	}
	if (freed)
		queue_work(segs->wq, &segs->work);
	return freed;
}

u32 cohort_segments_blocked(struct cohort_segments *segs, u64 catalog_seq)
{
	u32 i, blocked = 0;

	for (i = 0; i < segs->nr; i++)
		if (closed_and_dead(&segs->seg[i]) && segs->seg[i].last_record >= catalog_seq)
			blocked++;
	return blocked;
}

u32 cohort_segments_free(struct cohort_segments *segs)
{
	return READ_ONCE(segs->free);
}
