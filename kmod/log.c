// SPDX-License-Identifier: GPL-2.0-only
/* log.c - appends old chunks and catalog records to a pool, batch by batch. */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "log.h"
#include "plant.h"
#include "trace.h"

/* More batches at a time only make them smaller. */
#define MAX_INFLIGHT	4
/* With batches under way, wait for this many before the next one. */
#define FILL_GOAL	32u
#define BATCH_DATA_MAX	(512u << 10)
/* A rest of a segment too small for this many chunks is given up. */
#define WORTHWHILE	8
#define RECORDS_MAX	(512u << 10)

struct log_rec {
	struct list_head list;
	const void *data;
	u32 len;
	u64 seq;
	int err;
	struct completion done;
};

struct log_batch {
	struct list_head list;		/* log->inflight */
	struct cohort_log *log;
	struct page *header;
	struct list_head ops;
	struct log_rec *rec;
	void *copy;			/* records that did not fit into the header */
	u64 seq;
	u32 seg;
	u32 end;			/* offset in the segment behind it */
	u32 count;
	u32 len;
	bool last;			/* the segment ends with it */
	blk_status_t status;
	bool done;			/* set by its endio, read by the worker */
	struct bio bio;			/* last: bio_set front pad */
};

static void log_queue(struct cohort_log *log)
{
	queue_work(log->wq, &log->work);
}

void cohort_log_kick(struct cohort_log *log)
{
	WRITE_ONCE(log->full_record, false);
	WRITE_ONCE(log->full_told, false);
	log_queue(log);
}

static void batch_endio(struct bio *bio)
{
	struct log_batch *batch = container_of(bio, struct log_batch, bio);

	batch->status = bio->bi_status;
	/* pairs with the acquire in complete_batches() */
	smp_store_release(&batch->done, true);
	log_queue(batch->log);
}

static void end_ops(struct list_head *ops, int err)
{
	struct cohort_log_op *op, *next;

	list_for_each_entry_safe(op, next, ops, list) {
		list_del_init(&op->list);
		op->done(op, err);
	}
}

static void end_rec(struct log_rec *rec, u64 seq, int err)
{
	rec->seq = seq;
	rec->err = err;
	complete(&rec->done);
}

static void batch_free(struct log_batch *batch)
{
	struct cohort_log *log = batch->log;

	mempool_free(batch->header, &log->headers);
	kvfree(batch->copy);
	bio_put(&batch->bio);
}

static void log_set_failed(struct cohort_log *log, int err)
{
	if (READ_ONCE(log->failed))
		return;
	log->error = err;
	WRITE_ONCE(log->failed, true);
	log->fail(log->ctx, err);
}

static void complete_batch(struct cohort_log *log, struct log_batch *batch)
{
	int err = READ_ONCE(log->failed) ? -EIO : blk_status_to_errno(batch->status);

	if (err)
		log_set_failed(log, err);
	else
		WRITE_ONCE(log->completed, batch->seq);
	trace_cohort_batch_completed(batch->seq, batch->count, batch->len, err);
	if (batch->rec) {
		if (!err)
			cohort_segments_record(&log->segs, batch->seg, batch->seq);
		end_rec(batch->rec, batch->seq, err);
	}
	end_ops(&batch->ops, err ? -EIO : 0);
	if (batch->last && !err)
		cohort_segments_close(&log->segs, batch->seg, batch->end);
}

/* In order: what is behind a batch that is not whole would be lost at a restart. */
static void complete_batches(struct cohort_log *log)
{
	struct log_batch *batch;

	while ((batch = list_first_entry_or_null(&log->inflight, struct log_batch, list))) {
		/* pairs with the release in batch_endio() */
		if (!smp_load_acquire(&batch->done))
			break;
		list_del(&batch->list);
		log->nr_inflight--;
		complete_batch(log, batch);
		batch_free(batch);
	}
}

/*
 * Makes room for a batch of @len bytes that leaves @leave segments to others.
 * -EAGAIN: a segment is being prepared; -ENOSPC: there is none.
 */
static int make_room(struct cohort_log *log, u32 len, u32 leave)
{
	struct cohort_segments *segs = &log->segs;
	s64 seg;
	int err;

	log->seg_left = max(log->seg_left, cohort_segments_free(segs));
	if (log->seg >= 0 && log->offset + len <= segs->size && log->seg_left >= leave) {
		/* take the next one before it is waited for */
		if (log->offset + len > segs->size / 2)
			cohort_segments_prepare(segs, log->nonce, log->next_seq,
						log->chunks.leave);
		return 0;
	}
	err = cohort_segments_prepare(segs, log->nonce, log->next_seq, leave);
	if (err)
		return err;
	seg = cohort_segments_take(segs);
	if (seg < 0)
		return seg;
	if (log->seg >= 0) {
		struct log_batch *last = list_empty(&log->inflight) ? NULL :
			list_last_entry(&log->inflight, struct log_batch, list);

		/* the last batch under way closes its segment, or nobody else will */
		if (last && last->seg == log->seg)
			last->last = true;
		else
			cohort_segments_close(segs, log->seg, log->offset);
	}
	log->seg = seg;
	log->offset = 0;
	log->took(log->ctx);
	/* it may have been prepared for somebody else */
	log->seg_left = cohort_segments_free(segs);
	return log->seg_left >= leave ? 0 : -ENOSPC;
}

static struct log_batch *batch_new(struct cohort_log *log, u32 vecs)
{
	blk_opf_t op = REQ_OP_WRITE | REQ_SYNC | (PLANTED("no-fua") ? 0 : REQ_FUA);
	struct bio *bio = bio_alloc_bioset(log->bdev, vecs, op, GFP_NOIO, &log->bios);
	struct log_batch *batch = container_of(bio, struct log_batch, bio);

	batch->log = log;
	batch->header = mempool_alloc(&log->headers, GFP_NOIO);
	memset(page_address(batch->header), 0, COHORT_BLOCK);
	INIT_LIST_HEAD(&batch->ops);
	batch->rec = NULL;
	batch->copy = NULL;
	batch->last = false;
	batch->done = false;
	batch->count = 0;
	batch->seg = log->seg;
	batch->seq = log->next_seq;
	bio->bi_iter.bi_sector =
		(cohort_segment_start(&log->segs, log->seg) + log->offset) >> SECTOR_SHIFT;
	bio->bi_end_io = batch_endio;
	__bio_add_page(bio, batch->header, COHORT_BLOCK, 0);
	return batch;
}

static void batch_submit(struct cohort_log *log, struct log_batch *batch, u32 kind, u32 count,
			 u32 data_len, u32 data_crc)
{
	struct cohort_batch b = {
		.address = cohort_segment_start(&log->segs, log->seg) + log->offset,
		.nonce = log->nonce,
		.seq = log->next_seq++,
		.completed = log->completed,
		.prev_crc = log->prev_crc,
		.kind = kind,
		.count = count,
		.data_len = data_len,
		.data_crc = data_crc,
	};

	log->prev_crc = cohort_batch_encode(log->seed, &b, page_address(batch->header));
	log->offset += COHORT_BLOCK + data_len;
	batch->end = log->offset;
	batch->len = COHORT_BLOCK + data_len;
	list_add_tail(&batch->list, &log->inflight);
	log->nr_inflight++;
	log->batches++;
	log->bytes += COHORT_BLOCK + data_len;
	trace_cohort_batch_submitted(b.seq, count, COHORT_BLOCK + data_len);
	submit_bio(&batch->bio);
}

/* Bytes of chunks that a batch may hold: no more than half a segment. */
static u32 batch_data(const struct cohort_log *log)
{
	return min(BATCH_DATA_MAX, log->segs.size / 2 - COHORT_BLOCK);
}

u32 cohort_log_segment_room(const struct cohort_log *log, u32 most)
{
	most = min3(most, COHORT_BATCH_ENTRIES, batch_data(log) / log->chunk_size);
	return log->segs.size / (COHORT_BLOCK + most * log->chunk_size) * most;
}

/* Chunks the next batch may hold: nor more than is left of this segment. */
static u32 batch_most(const struct cohort_log *log)
{
	u32 data = batch_data(log);
	u32 left = log->seg < 0 ? 0 : log->segs.size - log->offset;

	if (left >= COHORT_BLOCK + WORTHWHILE * log->chunk_size)
		data = min(data, left - COHORT_BLOCK);
	return min_t(u32, COHORT_BATCH_ENTRIES, data / log->chunk_size);
}

/* Takes at most @most waiting ops to @ops. */
static u32 take_ops(struct cohort_log *log, struct cohort_log_queue *queue, struct list_head *ops,
		    u32 most)
{
	struct cohort_log_op *op, *next;
	unsigned long flags;
	u32 n = 0;

	spin_lock_irqsave(&log->lock, flags);
	list_for_each_entry_safe(op, next, &queue->ops, list) {
		if (n == most)
			break;
		list_move_tail(&op->list, ops);
		n++;
	}
	WRITE_ONCE(queue->nr, queue->nr - n);
	spin_unlock_irqrestore(&log->lock, flags);
	return n;
}

static void put_back(struct cohort_log *log, struct cohort_log_queue *queue, struct list_head *ops,
		     u32 n)
{
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	list_splice(ops, &queue->ops);
	WRITE_ONCE(queue->nr, queue->nr + n);
	spin_unlock_irqrestore(&log->lock, flags);
}

static void fill_chunks(struct cohort_log *log, struct log_batch *batch, u32 kind)
{
	u64 addr = cohort_segment_start(&log->segs, log->seg) + log->offset + COHORT_BLOCK;
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

static int submit_chunks(struct cohort_log *log, struct cohort_log_queue *queue)
{
	u32 waiting = READ_ONCE(queue->nr), most = batch_most(log), n;
	struct log_batch *batch;
	LIST_HEAD(ops);
	int err;

	if (!waiting || log->nr_inflight >= MAX_INFLIGHT)
		return -EAGAIN;
	if (log->nr_inflight && waiting < min(FILL_GOAL, most))
		return -EAGAIN;
	n = take_ops(log, queue, &ops, most);
	if (!n)
		return -EAGAIN;
	err = make_room(log, COHORT_BLOCK + n * log->chunk_size, queue->leave);
	if (err) {
		put_back(log, queue, &ops, n);
		return err;
	}
	batch = batch_new(log, n + 1);
	list_splice_init(&ops, &batch->ops);
	fill_chunks(log, batch, queue->kind);
	batch_submit(log, batch, queue->kind, n, n * log->chunk_size, 0);
	return 0;
}

static struct log_rec *first_rec(struct cohort_log *log)
{
	struct log_rec *rec;
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	rec = list_first_entry_or_null(&log->recs, struct log_rec, list);
	spin_unlock_irqrestore(&log->lock, flags);
	return rec;
}

static void unlink_rec(struct cohort_log *log, struct log_rec *rec)
{
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	list_del(&rec->list);
	spin_unlock_irqrestore(&log->lock, flags);
}

static void fill_record(struct log_batch *batch, const struct log_rec *rec, u32 data_len)
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

static int submit_record(struct cohort_log *log)
{
	struct log_rec *rec = first_rec(log);
	struct log_batch *batch;
	u32 data_len = 0;
	void *copy = NULL;
	int err;

	if (!rec || log->nr_inflight >= MAX_INFLIGHT)
		return -EAGAIN;
	if (rec->len > COHORT_BATCH_PAYLOAD)
		data_len = round_up(rec->len, COHORT_BLOCK);
	err = make_room(log, COHORT_BLOCK + data_len, 0);
	if (err && err != -ENOSPC)
		return err;
	unlink_rec(log, rec);
	if (err) {
		/* whoever makes space may need what this one's caller holds */
		end_rec(rec, 0, err);
		return err;
	}
	if (data_len) {
		copy = vzalloc(data_len);
		if (!copy) {
			end_rec(rec, 0, -ENOMEM);
			return 0;
		}
		memcpy(copy, rec->data, rec->len);
	}
	batch = batch_new(log, 1 + DIV_ROUND_UP(data_len, PAGE_SIZE));
	batch->rec = rec;
	batch->copy = copy;
	fill_record(batch, rec, data_len);
	batch_submit(log, batch, COHORT_BATCH_RECORD, rec->len, data_len,
		     cohort_crc32c(~0u, rec->data, rec->len));
	return 0;
}

static void end_waiting(struct cohort_log *log, struct cohort_log_queue *queue, int err)
{
	LIST_HEAD(ops);

	while (take_ops(log, queue, &ops, U32_MAX))
		end_ops(&ops, err);
}

/* After a failure nothing may wait for ever. */
static void fail_waiting(struct cohort_log *log)
{
	struct log_rec *rec;

	while ((rec = first_rec(log))) {
		unlink_rec(log, rec);
		end_rec(rec, 0, -EIO);
	}
	end_waiting(log, &log->chunks, -EIO);
	end_waiting(log, &log->moves, -EIO);
}

static void tell_full(struct cohort_log *log, bool full)
{
	if (full && !READ_ONCE(log->full_told)) {
		WRITE_ONCE(log->full_told, true);
		log->full(log->ctx);
	}
}

/* Behind all others. Whoever moves chunks makes space, or does without. */
static int submit_moves(struct cohort_log *log)
{
	int err = submit_chunks(log, &log->moves);

	if (err != -ENOSPC)
		return err;
	end_waiting(log, &log->moves, err);
	return -EAGAIN;
}

/* True if it submitted a batch and there may be more. */
static bool submit_next(struct cohort_log *log)
{
	int rec = submit_record(log), ops = -EAGAIN, moves = -EAGAIN;

	if (rec && rec != -EIO)
		ops = submit_chunks(log, &log->chunks);
	if (rec && ops && rec != -EIO && ops != -EIO)
		moves = submit_moves(log);
	if (rec == -EIO || ops == -EIO || moves == -EIO)
		log_set_failed(log, -EIO);
	if (rec == -ENOSPC)
		WRITE_ONCE(log->full_record, true);
	tell_full(log, rec == -ENOSPC || ops == -ENOSPC);
	return !rec || !ops || !moves;
}

/* Forms at most @most batches: a guest at the engine leaves the rest to the worker. */
static void log_run(struct cohort_log *log, u32 most)
{
	/* reclaim may wait for a write that waits for this */
	unsigned int noio = memalloc_noio_save();

	lockdep_assert_held(&log->engine);
	complete_batches(log);
	while (!READ_ONCE(log->failed) && !READ_ONCE(log->stopped) && submit_next(log)) {
		complete_batches(log);
		if (!--most) {
			log_queue(log);
			break;
		}
	}
	if (READ_ONCE(log->failed))
		fail_waiting(log);
	wake_up_all(&log->wait);
	memalloc_noio_restore(noio);
}

static void log_work(struct work_struct *work)
{
	struct cohort_log *log = container_of(work, struct cohort_log, work);

	mutex_lock(&log->engine);
	log_run(log, U32_MAX);
	mutex_unlock(&log->engine);
}

static void segment_ready(void *ctx)
{
	log_queue(ctx);
}

static void queue_init(struct cohort_log_queue *queue, u32 kind, u32 leave)
{
	INIT_LIST_HEAD(&queue->ops);
	queue->kind = kind;
	queue->leave = leave;
}

struct cohort_log *cohort_log_new(const struct cohort_log_config *config)
{
	struct cohort_log *log = kzalloc(sizeof(*log), GFP_KERNEL);

	if (!log)
		return NULL;
	log->bdev = config->bdev;
	log->segs.bdev = config->bdev;
	log->seed = cohort_pool_seed(config->sb->uuid);
	log->chunk_size = config->sb->chunk_size;
	log->full = config->full;
	log->took = config->took;
	log->fail = config->fail;
	log->ctx = config->ctx;
	log->seg = -1;
	log->stopped = true;
	mutex_init(&log->engine);
	spin_lock_init(&log->lock);
	queue_init(&log->chunks, COHORT_BATCH_PRESERVE,
		   COHORT_RESERVED_SEGMENTS + COHORT_CLEAN_SEGMENTS);
	queue_init(&log->moves, COHORT_BATCH_MOVE, COHORT_RESERVED_SEGMENTS);
	INIT_LIST_HEAD(&log->recs);
	INIT_LIST_HEAD(&log->inflight);
	INIT_WORK(&log->work, log_work);
	init_waitqueue_head(&log->wait);
	log->wq = alloc_workqueue("cohort_log", WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, 1);
	if (!log->wq || mempool_init_page_pool(&log->headers, MAX_INFLIGHT + 1, 0) ||
	    bioset_init(&log->bios, MAX_INFLIGHT + 1, offsetof(struct log_batch, bio),
			BIOSET_NEED_BVECS) ||
	    cohort_segments_init(&log->segs, config->sb, segment_ready, log)) {
		cohort_log_free(log);
		return NULL;
	}
	return log;
}

void cohort_log_free(struct cohort_log *log)
{
	if (!log)
		return;
	cohort_segments_exit(&log->segs);
	if (log->wq)
		destroy_workqueue(log->wq);
	bioset_exit(&log->bios);
	mempool_exit(&log->headers);
	kfree(log);
}

void cohort_log_start(struct cohort_log *log, u64 nonce, u64 next_seq, u32 prev_crc)
{
	log->nonce = nonce;
	log->next_seq = next_seq;
	log->completed = next_seq - 1;
	log->prev_crc = prev_crc;
	WRITE_ONCE(log->stopped, false);
	log_queue(log);
}

void cohort_log_stop(struct cohort_log *log)
{
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	log->stopped = true;
	spin_unlock_irqrestore(&log->lock, flags);
	/* who did not see it has begun the last batches */
	mutex_lock(&log->engine);
	mutex_unlock(&log->engine);
	wait_event(log->wait, !READ_ONCE(log->nr_inflight));
	cohort_segments_stop(&log->segs);
	flush_work(&log->work);
}

void cohort_log_resume(struct cohort_log *log, struct block_device *bdev)
{
	unsigned long flags;

	log->bdev = bdev;
	cohort_segments_resume(&log->segs, bdev);
	spin_lock_irqsave(&log->lock, flags);
	log->stopped = false;
	spin_unlock_irqrestore(&log->lock, flags);
	log_queue(log);
}

static void add_ops(struct cohort_log *log, struct cohort_log_queue *queue, struct list_head *ops,
		    u32 nr)
{
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	list_splice_tail_init(ops, &queue->ops);
	WRITE_ONCE(queue->nr, queue->nr + nr);
	spin_unlock_irqrestore(&log->lock, flags);
}

void cohort_log_sum(const struct cohort_log *log, struct cohort_log_op *op)
{
	op->entry.crc = cohort_crc32c(~0u, page_address(op->page), log->chunk_size);
}

void cohort_log_preserve(struct cohort_log *log, struct list_head *ops, u32 nr)
{
	add_ops(log, &log->chunks, ops, nr);
	log_queue(log);
}

void cohort_log_move(struct cohort_log *log, struct list_head *ops, u32 nr)
{
	add_ops(log, &log->moves, ops, nr);
	log_queue(log);
}

void cohort_log_preserve_here(struct cohort_log *log, struct list_head *ops, u32 nr)
{
	add_ops(log, &log->chunks, ops, nr);
	if (!mutex_trylock(&log->engine)) {
		log_queue(log);
		return;
	}
	log_run(log, MAX_INFLIGHT);
	mutex_unlock(&log->engine);
}

int cohort_log_append(struct cohort_log *log, const void *records, u32 len, u64 *seq)
{
	struct log_rec rec = { .data = records, .len = len };
	unsigned long flags;

	might_sleep();
	if (!len || len > RECORDS_MAX || len + 2 * COHORT_BLOCK > log->segs.size)
		return -E2BIG;
	init_completion(&rec.done);
	spin_lock_irqsave(&log->lock, flags);
	list_add_tail(&rec.list, &log->recs);
	spin_unlock_irqrestore(&log->lock, flags);
	log_queue(log);
	wait_for_completion(&rec.done);
	if (seq)
		*seq = rec.seq;
	return rec.err;
}

u32 cohort_log_drop(struct cohort_log *log, bool (*unneeded)(void *ctx, struct cohort_log_op *op),
		    void *ctx)
{
	struct cohort_log_op *op, *next;
	LIST_HEAD(ops);
	LIST_HEAD(dropped);
	u32 n = take_ops(log, &log->chunks, &ops, U32_MAX), taken = n;

	list_for_each_entry_safe(op, next, &ops, list) {
		if (!unneeded(ctx, op))
			continue;
		list_move_tail(&op->list, &dropped);
		n--;
	}
	put_back(log, &log->chunks, &ops, n);
	end_ops(&dropped, -ENODATA);
	log_queue(log);
	return taken - n;
}

bool cohort_log_waits(struct cohort_log *log, bool (*is)(const struct cohort_log_op *op))
{
	struct cohort_log_op *op;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&log->lock, flags);
	list_for_each_entry(op, &log->chunks.ops, list) {
		found = is(op);
		if (found)
			break;
	}
	spin_unlock_irqrestore(&log->lock, flags);
	return found;
}

u64 cohort_log_oldest_use(struct cohort_log *log)
{
	struct cohort_segment_entry entry;
	struct log_batch *oldest;
	s64 seg;

	mutex_lock(&log->engine);
	oldest = list_first_entry_or_null(&log->inflight, struct log_batch, list);
	seg = oldest ? oldest->seg : log->seg;
	if (seg >= 0)
		cohort_segments_entry(&log->segs, seg, &entry);
	else
		entry.seq = cohort_segments_next_use(&log->segs);
	mutex_unlock(&log->engine);
	return entry.seq;
}

void cohort_log_fail(struct cohort_log *log, int err)
{
	log_set_failed(log, err);
	log_queue(log);
}
