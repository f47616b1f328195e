// SPDX-License-Identifier: GPL-2.0-only
/* log-head.c - one chain of batches: forms them, writes them, completes them in order. */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "log-head.h"
#include "plant.h"
#include "trace.h"

/* A rest of a segment too small for this many chunks is given up. */
#define WORTHWHILE	8

static unsigned int log_fill = 32;
module_param(log_fill, uint, 0644);
MODULE_PARM_DESC(log_fill, "old chunks that wait before a batch is begun while others are under way: many make few and large batches");

struct log_batch {
	struct list_head list;		/* head->inflight */
	struct cohort_log_head *head;
	struct page *header;
	struct list_head ops;
	struct cohort_log_rec *rec;
	void *copy;			/* records that did not fit into the header */
	u64 seq;
	u32 seg;
	u32 end;			/* offset in the segment behind it */
	u32 count;
	u32 len;
	bool last;			/* the segment ends with it */
	blk_status_t status;
	bool done;			/* set by its endio, read by who has the engine */
	struct bio bio;			/* last: bio_set front pad */
};

u32 cohort_head_fill(void)
{
	return max(READ_ONCE(log_fill), 1u);
}

size_t cohort_head_front_pad(void)
{
	return offsetof(struct log_batch, bio);
}

/* ---- completion ---- */

static void batch_endio(struct bio *bio)
{
	struct log_batch *batch = container_of(bio, struct log_batch, bio);
	struct cohort_log_head *head = batch->head;

	batch->status = bio->bi_status;
	/* pairs with the acquire in cohort_head_complete() */
	smp_store_release(&batch->done, true);
	queue_work(head->log->wq, &head->work);
}

static void batch_free(struct log_batch *batch)
{
	mempool_free(batch->header, &batch->head->log->headers);
	kvfree(batch->copy);
	bio_put(&batch->bio);
}

static void complete_batch(struct cohort_log_head *head, struct log_batch *batch)
{
	struct cohort_log *log = head->log;
	int err = READ_ONCE(log->failed) ? -EIO : blk_status_to_errno(batch->status);

	if (err)
		cohort_log_fail(log, err);
	else
		WRITE_ONCE(head->completed, batch->seq);
	trace_cohort_batch_completed(batch->seq, batch->count, batch->len, err);
	if (batch->rec) {
		if (!err)
			cohort_segments_record(&log->segs, batch->seg, batch->seq);
		cohort_log_end_rec(batch->rec, batch->seq, err);
	}
	cohort_log_end_ops(&batch->ops, err ? -EIO : 0);
	if (batch->last && !err)
		cohort_segments_close(&log->segs, batch->seg, batch->end);
}

/* In order: what is behind a batch that is not whole would be lost at a restart. */
void cohort_head_complete(struct cohort_log_head *head)
{
	struct log_batch *batch;

	lockdep_assert_held(&head->engine);
	while ((batch = list_first_entry_or_null(&head->inflight, struct log_batch, list))) {
		/* pairs with the release in batch_endio() */
		if (!smp_load_acquire(&batch->done))
			break;
		list_del(&batch->list);
		head->nr_inflight--;
		complete_batch(head, batch);
		batch_free(batch);
		/* full barrier: then what waits; pairs with may_begin() */
		atomic_dec_return(&head->log->inflight);
	}
}

/* ---- segments ---- */

static struct log_batch *newest_batch(struct cohort_log_head *head)
{
	return list_empty(&head->inflight) ? NULL :
		list_last_entry(&head->inflight, struct log_batch, list);
}

static void close_segment(struct cohort_log_head *head)
{
	struct log_batch *last = newest_batch(head);

	if (head->seg < 0)
		return;
	/* the last batch under way closes its segment, or nobody else will */
	if (last && last->seg == head->seg)
		last->last = true;
	else
		cohort_segments_close(&head->log->segs, head->seg, head->offset);
	head->seg = -1;
}

void cohort_head_give_up(struct cohort_log_head *head)
{
	lockdep_assert_held(&head->engine);
	/* it may end with a batch that is not whole */
	if (READ_ONCE(head->log->failed))
		return;
	close_segment(head);
	cohort_segments_unprepare(&head->log->segs, head->nr);
}

static int prepare(struct cohort_log_head *head, u32 leave)
{
	const struct cohort_segment_entry entry = {
		.nonce = head->nonce, .min_seq = head->next_seq,
		.kind = cohort_head_is_side(head) ? COHORT_SEGMENT_SIDE : COHORT_SEGMENT_LOG,
	};

	return cohort_segments_prepare(&head->log->segs, head->nr, &entry, leave);
}

/*
 * Makes room for a batch of @len bytes that leaves @leave segments to others.
 * -EAGAIN: a segment is being prepared; -ENOSPC: there is none.
 */
static int make_room(struct cohort_log_head *head, u32 len, u32 leave)
{
	struct cohort_log *log = head->log;
	struct cohort_segments *segs = &log->segs;
	s64 seg;
	int err;

	head->seg_left = max(head->seg_left, cohort_segments_free(segs));
	if (head->seg >= 0 && head->offset + len <= segs->size && head->seg_left >= leave) {
		/* take the next one before it is waited for */
		if (head->offset + len > segs->size / 2)
			prepare(head, cohort_log_leave(head, &log->chunks));
		return 0;
	}
	err = prepare(head, leave);
	if (err)
		return err;
	seg = cohort_segments_take(segs, head->nr);
	if (seg < 0)
		return seg;
	close_segment(head);
	head->seg = seg;
	head->offset = 0;
	log->took(log->ctx);
	/* it may have been prepared for somebody else */
	head->seg_left = cohort_segments_free(segs);
	return head->seg_left >= leave ? 0 : -ENOSPC;
}

u64 cohort_head_oldest_use(struct cohort_log_head *head)
{
	struct log_batch *oldest;
	struct cohort_segment_entry entry;
	s64 seg = head->seg;

	lockdep_assert_held(&head->engine);
	oldest = list_first_entry_or_null(&head->inflight, struct log_batch, list);
	if (oldest)
		seg = oldest->seg;
	if (seg < 0)
		return cohort_segments_next_use(&head->log->segs, head->nr);
	cohort_segments_entry(&head->log->segs, seg, &entry);
	return entry.seq;
}

/* ---- batches ---- */

static struct log_batch *batch_new(struct cohort_log_head *head, u32 vecs)
{
	struct cohort_log *log = head->log;
	blk_opf_t op = REQ_OP_WRITE | REQ_SYNC | (PLANTED("no-fua") ? 0 : REQ_FUA);
	struct bio *bio = bio_alloc_bioset(log->bdev, vecs, op, GFP_NOIO, &log->bios);
	struct log_batch *batch = container_of(bio, struct log_batch, bio);

	batch->head = head;
	batch->header = mempool_alloc(&log->headers, GFP_NOIO);
	memset(page_address(batch->header), 0, COHORT_BLOCK);
	INIT_LIST_HEAD(&batch->ops);
	batch->rec = NULL;
	batch->copy = NULL;
	batch->last = false;
	batch->done = false;
	batch->count = 0;
	batch->seg = head->seg;
	batch->seq = head->next_seq;
	bio->bi_iter.bi_sector =
		(cohort_segment_start(&log->segs, head->seg) + head->offset) >> SECTOR_SHIFT;
	bio->bi_end_io = batch_endio;
	__bio_add_page(bio, batch->header, COHORT_BLOCK, 0);
	return batch;
}

static void batch_submit(struct cohort_log_head *head, struct log_batch *batch, u32 kind,
			 u32 count, u32 data_len, u32 data_crc)
{
	struct cohort_log *log = head->log;
	struct cohort_batch b = {
		.address = cohort_segment_start(&log->segs, head->seg) + head->offset,
		.nonce = head->nonce,
		.seq = head->next_seq++,
		.completed = head->completed,
		.prev_crc = head->prev_crc,
		.kind = kind,
		.count = count,
		.data_len = data_len,
		.data_crc = data_crc,
	};

	head->prev_crc = cohort_batch_encode(log->seed, &b, page_address(batch->header));
	head->offset += COHORT_BLOCK + data_len;
	batch->end = head->offset;
	batch->len = COHORT_BLOCK + data_len;
	list_add_tail(&batch->list, &head->inflight);
	head->nr_inflight++;
	atomic_inc(&log->inflight);
	WRITE_ONCE(head->batches, head->batches + 1);
	WRITE_ONCE(head->bytes, head->bytes + COHORT_BLOCK + data_len);
	trace_cohort_batch_submitted(b.seq, count, COHORT_BLOCK + data_len);
	submit_bio(&batch->bio);
}

/* ---- chunks ---- */

/* Chunks the next batch may hold: nor more than is left of this segment. */
static u32 batch_most(const struct cohort_log_head *head)
{
	const struct cohort_log *log = head->log;
	u32 data = cohort_log_batch_data(log);
	u32 left = head->seg < 0 ? 0 : log->segs.size - head->offset;

	if (left >= COHORT_BLOCK + WORTHWHILE * log->chunk_size)
		data = min(data, left - COHORT_BLOCK);
	return min_t(u32, COHORT_BATCH_ENTRIES, data / log->chunk_size);
}

/* Chunks in @queue that @head may take. */
static u32 waiting_for(const struct cohort_log_head *head, const struct cohort_log_queue *queue)
{
	return cohort_head_is_side(head) ? READ_ONCE(queue->of_sources) : READ_ONCE(queue->nr);
}

/*
 * Small batches cost more than they win: not while others, of any head, are under
 * way, and then by the main head.
 */
static bool may_begin(const struct cohort_log_head *head, const struct cohort_log_queue *queue,
		      u32 most)
{
	u32 waiting = waiting_for(head, queue);

	if (!waiting || head->nr_inflight >= COHORT_HEAD_INFLIGHT)
		return false;
	if (waiting >= min(cohort_head_fill(), most))
		return true;
	/* what no other head takes does not wait for them */
	if (queue == &head->log->moves ||
	    (!cohort_head_is_side(head) && waiting > READ_ONCE(queue->of_sources)))
		return !head->nr_inflight;
	/* what waits before the count: who completes the last batch looks in turn */
	smp_mb();
	return !cohort_head_is_side(head) && !atomic_read(&head->log->inflight);
}

static u32 chunks_kind(const struct cohort_log_head *head, const struct cohort_log_queue *queue)
{
	return cohort_head_is_side(head) ? COHORT_BATCH_SIDE : queue->kind;
}

static void fill_chunks(struct cohort_log_head *head, struct log_batch *batch, u32 kind)
{
	struct cohort_log *log = head->log;
	u64 addr = cohort_segment_start(&log->segs, head->seg) + head->offset + COHORT_BLOCK;
	struct cohort_log_op *op;

	list_for_each_entry(op, &batch->ops, list) {
		if (cohort_is_overlay(op->entry.source) && kind == COHORT_BATCH_PRESERVE)
			op->entry.epoch = cohort_overlay_epoch(batch->seq);
		op->addr = addr;
		addr += log->chunk_size;
		cohort_preserve_encode(page_address(batch->header), batch->count++, &op->entry);
		__bio_add_page(&batch->bio, op->page, log->chunk_size, 0);
	}
}

int cohort_head_submit_chunks(struct cohort_log_head *head, struct cohort_log_queue *queue)
{
	const u32 kind = chunks_kind(head, queue), size = head->log->chunk_size;
	u32 most = batch_most(head), n;
	struct log_batch *batch;
	LIST_HEAD(ops);
	int err;

	lockdep_assert_held(&head->engine);
	if (!may_begin(head, queue, most))
		return -EAGAIN;
	/* what waits is in the queue for all to see until there is room */
	n = min(waiting_for(head, queue), most);
	err = n ? make_room(head, COHORT_BLOCK + n * size, cohort_log_leave(head, queue)) : -EAGAIN;
	if (err)
		return err;
	n = cohort_log_take_ops(head, queue, &ops, n);
	if (!n)
		return -EAGAIN;
	batch = batch_new(head, n + 1);
	list_splice_init(&ops, &batch->ops);
	fill_chunks(head, batch, kind);
	batch_submit(head, batch, kind, n, n * size, 0);
	return 0;
}

/* ---- records ---- */

static void fill_record(struct log_batch *batch, const struct cohort_log_rec *rec, u32 data_len)
{
	struct cohort_disk_batch *header = page_address(batch->header);
	u32 at;

	if (!data_len) {
		memcpy(header->payload, rec->data, rec->len);
		return;
	}
	for (at = 0; at < data_len; at += PAGE_SIZE)
		__bio_add_page(&batch->bio, vmalloc_to_page(batch->copy + at),
			       min_t(u32, PAGE_SIZE, data_len - at), 0);
}

int cohort_head_submit_record(struct cohort_log_head *head)
{
	struct cohort_log_rec *rec = cohort_log_first_rec(head->log);
	struct log_batch *batch;
	u32 data_len = 0;
	void *copy = NULL;
	int err;

	lockdep_assert_held(&head->engine);
	if (!rec || head->nr_inflight >= COHORT_HEAD_INFLIGHT)
		return -EAGAIN;
	if (rec->len > COHORT_BATCH_PAYLOAD)
		data_len = round_up(rec->len, COHORT_BLOCK);
	err = make_room(head, COHORT_BLOCK + data_len, 0);
	if (err && err != -ENOSPC)
		return err;
	cohort_log_unlink_rec(head->log, rec);
	if (err) {
		/* whoever makes space may need what this one's caller holds */
		cohort_log_end_rec(rec, 0, err);
		return err;
	}
	if (data_len) {
		copy = vzalloc(data_len);
		if (!copy) {
			cohort_log_end_rec(rec, 0, -ENOMEM);
			return 0;
		}
		memcpy(copy, rec->data, rec->len);
	}
	batch = batch_new(head, 1 + DIV_ROUND_UP(data_len, PAGE_SIZE));
	batch->rec = rec;
	batch->copy = copy;
	fill_record(batch, rec, data_len);
	batch_submit(head, batch, COHORT_BATCH_RECORD, rec->len, data_len,
		     cohort_crc32c(~0u, rec->data, rec->len));
	return 0;
}
