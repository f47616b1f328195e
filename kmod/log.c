// SPDX-License-Identifier: GPL-2.0-only
/* log.c - what waits to be appended to a pool, and which head takes it. */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "log-head.h"

#define BATCH_DATA_MAX	(512u << 10)
#define RECORDS_MAX	(512u << 10)
/* A pool of fewer segments has no use for another head. */
#define SEGMENTS_PER_HEAD	32u
/* Side heads leave one of so many segments to the main one, which makes space. */
#define SIDES_LEAVE	4
/* One for each CPU, but more than these would wait for the disk. */
#define HEADS_USUAL	4u

static unsigned int log_heads;
module_param(log_heads, uint, 0644);
MODULE_PARM_DESC(log_heads, "chains of batches that a pool of at least 32 segments for each writes side by side, 1 to 8, read when it is opened; 0: by the CPUs");

static struct cohort_log_head *main_head(const struct cohort_log *log)
{
	return &log->head[0];
}

static void head_queue(struct cohort_log_head *head)
{
	queue_work(head->log->wq, &head->work);
}

static void log_queue(struct cohort_log *log)
{
	head_queue(main_head(log));
}

static void queue_all(struct cohort_log *log)
{
	u32 i;

	for (i = 0; i < log->nr_heads; i++)
		head_queue(&log->head[i]);
}

void cohort_log_kick(struct cohort_log *log)
{
	WRITE_ONCE(log->full_record, false);
	WRITE_ONCE(log->full_told, false);
	log_queue(log);
}

void cohort_log_fail(struct cohort_log *log, int err)
{
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&log->lock, flags);
	first = !log->failed;
	if (first)
		log->error = err;
	WRITE_ONCE(log->failed, true);
	spin_unlock_irqrestore(&log->lock, flags);
	if (first)
		log->fail(log->ctx, err);
	/* what waits ends */
	log_queue(log);
}

void cohort_log_end_ops(struct list_head *ops, int err)
{
	struct cohort_log_op *op, *next;

	list_for_each_entry_safe(op, next, ops, list) {
		list_del_init(&op->list);
		op->done(op, err);
	}
}

void cohort_log_end_rec(struct cohort_log_rec *rec, u64 seq, int err)
{
	rec->seq = seq;
	rec->err = err;
	complete(&rec->done);
}

/* ---- what waits ---- */

/* Bytes of chunks that a batch may hold: no more than half a segment. */
u32 cohort_log_batch_data(const struct cohort_log *log)
{
	return min(BATCH_DATA_MAX, log->segs.size / 2 - COHORT_BLOCK);
}

u32 cohort_log_segment_room(const struct cohort_log *log, u32 most)
{
	most = min3(most, COHORT_BATCH_ENTRIES, cohort_log_batch_data(log) / log->chunk_size);
	return log->segs.size / (COHORT_BLOCK + most * log->chunk_size) * most;
}

u32 cohort_log_leave(const struct cohort_log_head *head, const struct cohort_log_queue *queue)
{
	if (!cohort_head_is_side(head))
		return queue->leave;
	return max(READ_ONCE(head->log->segs.nr) / SIDES_LEAVE, queue->leave);
}

static void queue_add(struct cohort_log_queue *queue, u32 nr, u32 of_sources)
{
	WRITE_ONCE(queue->nr, queue->nr + nr);
	WRITE_ONCE(queue->of_sources, queue->of_sources + of_sources);
}

/* Takes at most @most waiting ops to @ops, of those that @head may take. */
u32 cohort_log_take_ops(struct cohort_log_head *head, struct cohort_log_queue *queue,
			struct list_head *ops, u32 most)
{
	struct cohort_log *log = head->log;
	struct cohort_log_op *op, *next;
	unsigned long flags;
	u32 n = 0, of_sources = 0;

	spin_lock_irqsave(&log->lock, flags);
	list_for_each_entry_safe(op, next, &queue->ops, list) {
		bool of_source = !cohort_is_overlay(op->entry.source);

		if (n == most)
			break;
		if (cohort_head_is_side(head) && !of_source)
			continue;
		list_move_tail(&op->list, ops);
		of_sources += of_source;
		n++;
	}
	queue_add(queue, -n, -of_sources);
	spin_unlock_irqrestore(&log->lock, flags);
	return n;
}

static u32 count_of_sources(const struct list_head *ops)
{
	const struct cohort_log_op *op;
	u32 n = 0;

	list_for_each_entry(op, ops, list)
		n += !cohort_is_overlay(op->entry.source);
	return n;
}

static void put_back(struct cohort_log *log, struct cohort_log_queue *queue, struct list_head *ops,
		     u32 n)
{
	u32 of_sources = count_of_sources(ops);
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	list_splice(ops, &queue->ops);
	queue_add(queue, n, of_sources);
	spin_unlock_irqrestore(&log->lock, flags);
}

struct cohort_log_rec *cohort_log_first_rec(struct cohort_log *log)
{
	struct cohort_log_rec *rec;
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	rec = list_first_entry_or_null(&log->recs, struct cohort_log_rec, list);
	spin_unlock_irqrestore(&log->lock, flags);
	return rec;
}

void cohort_log_unlink_rec(struct cohort_log *log, struct cohort_log_rec *rec)
{
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	list_del(&rec->list);
	spin_unlock_irqrestore(&log->lock, flags);
}

static void end_waiting(struct cohort_log *log, struct cohort_log_queue *queue, int err)
{
	LIST_HEAD(ops);

	while (cohort_log_take_ops(main_head(log), queue, &ops, U32_MAX))
		cohort_log_end_ops(&ops, err);
}

/* After a failure nothing may wait for ever. */
static void fail_waiting(struct cohort_log *log)
{
	struct cohort_log_rec *rec;

	while ((rec = cohort_log_first_rec(log))) {
		cohort_log_unlink_rec(log, rec);
		cohort_log_end_rec(rec, 0, -EIO);
	}
	end_waiting(log, &log->chunks, -EIO);
	end_waiting(log, &log->moves, -EIO);
}

/* ---- heads at work ---- */

static void tell_full(struct cohort_log *log, bool full)
{
	if (!full || READ_ONCE(log->full_told))
		return;
	WRITE_ONCE(log->full_told, true);
	log->full(log->ctx);
}

/* Behind all others. Whoever moves chunks makes space, or does without. */
static int submit_moves(struct cohort_log_head *head)
{
	struct cohort_log *log = head->log;
	int err = cohort_head_submit_chunks(head, &log->moves);

	if (err != -ENOSPC)
		return err;
	end_waiting(log, &log->moves, err);
	return -EAGAIN;
}

/* True if it submitted a batch and there may be more. */
static bool submit_next(struct cohort_log_head *head)
{
	struct cohort_log *log = head->log;
	int rec = cohort_head_submit_record(head), ops = -EAGAIN, moves = -EAGAIN;

	if (rec && rec != -EIO)
		ops = cohort_head_submit_chunks(head, &log->chunks);
	if (rec && ops && rec != -EIO && ops != -EIO)
		moves = submit_moves(head);
	if (rec == -EIO || ops == -EIO || moves == -EIO)
		cohort_log_fail(log, -EIO);
	if (rec == -ENOSPC)
		WRITE_ONCE(log->full_record, true);
	tell_full(log, rec == -ENOSPC || ops == -ENOSPC);
	return !rec || !ops || !moves;
}

/* What has no segment for it is left to the main head. */
static bool submit_side(struct cohort_log_head *head)
{
	struct cohort_log *log = head->log;
	int err = cohort_head_submit_chunks(head, &log->chunks);

	if (err == -EIO)
		cohort_log_fail(log, err);
	return !err;
}

static bool submit(struct cohort_log_head *head)
{
	if (READ_ONCE(head->log->failed) || READ_ONCE(head->log->stopped))
		return false;
	return cohort_head_is_side(head) ? submit_side(head) : submit_next(head);
}

/* There may be something that only the main head can do, or was waiting for this one. */
static void leave_rest(struct cohort_log_head *head)
{
	struct cohort_log *log = head->log;

	if (READ_ONCE(log->chunks.nr))
		log_queue(log);
}

/* Forms at most @most batches: a guest at the engine leaves the rest to the worker. */
static void head_run(struct cohort_log_head *head, u32 most)
{
	struct cohort_log *log = head->log;
	/* reclaim may wait for a write that waits for this */
	unsigned int noio = memalloc_noio_save();

	lockdep_assert_held(&head->engine);
	cohort_head_complete(head);
	while (submit(head)) {
		cohort_head_complete(head);
		if (!--most) {
			head_queue(head);
			break;
		}
	}
	if (cohort_head_is_side(head))
		leave_rest(head);
	else if (READ_ONCE(log->failed))
		fail_waiting(log);
	wake_up_all(&log->wait);
	memalloc_noio_restore(noio);
}

static void head_work(struct work_struct *work)
{
	struct cohort_log_head *head = container_of(work, struct cohort_log_head, work);

	mutex_lock(&head->engine);
	head_run(head, U32_MAX);
	mutex_unlock(&head->engine);
}

static bool head_try(struct cohort_log_head *head)
{
	if (!mutex_trylock(&head->engine))
		return false;
	head_run(head, COHORT_HEAD_INFLIGHT);
	mutex_unlock(&head->engine);
	return true;
}

/* ---- coming and going ---- */

static void segment_ready(void *ctx)
{
	queue_all(ctx);
}

static void queue_init(struct cohort_log_queue *queue, u32 kind, u32 leave)
{
	INIT_LIST_HEAD(&queue->ops);
	queue->kind = kind;
	queue->leave = leave;
}

static u32 heads_wanted(const struct cohort_super *sb)
{
	u32 heads = READ_ONCE(log_heads);

	heads = heads ? min(heads, COHORT_LOG_HEADS) : min(num_online_cpus(), HEADS_USUAL);
	return clamp_t(u64, sb->nr_segments / SEGMENTS_PER_HEAD, 1, heads);
}

static int heads_init(struct cohort_log *log, u32 nr)
{
	u32 i, batches = nr * (COHORT_HEAD_INFLIGHT + 1);

	log->head = kcalloc(nr, sizeof(*log->head), GFP_KERNEL);
	if (!log->head)
		return -ENOMEM;
	log->nr_heads = nr;
	for (i = 0; i < nr; i++) {
		struct cohort_log_head *head = &log->head[i];

		head->log = log;
		head->nr = i;
		head->seg = -1;
		mutex_init(&head->engine);
		INIT_LIST_HEAD(&head->inflight);
		INIT_WORK(&head->work, head_work);
	}
	log->wq = alloc_workqueue("cohort_log", WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, nr);
	if (!log->wq || mempool_init_page_pool(&log->headers, batches, 0) ||
	    bioset_init(&log->bios, batches, cohort_head_front_pad(), BIOSET_NEED_BVECS))
		return -ENOMEM;
	return 0;
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
	log->stopped = true;
	atomic_set(&log->homes, -1);
	spin_lock_init(&log->lock);
	queue_init(&log->chunks, COHORT_BATCH_PRESERVE,
		   COHORT_RESERVED_SEGMENTS + COHORT_CLEAN_SEGMENTS);
	queue_init(&log->moves, COHORT_BATCH_MOVE, COHORT_RESERVED_SEGMENTS);
	INIT_LIST_HEAD(&log->recs);
	init_waitqueue_head(&log->wait);
	if (heads_init(log, heads_wanted(config->sb)) ||
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
	kfree(log->head);
	kfree(log);
}

void cohort_log_start(struct cohort_log *log, u64 nonce, u64 next_seq, u32 prev_crc)
{
	struct cohort_log_head *head = main_head(log);
	u32 i;

	log->nonce = nonce;
	for (i = 0; i < log->nr_heads; i++) {
		log->head[i].nonce = nonce + i;
		log->head[i].next_seq = 1;
	}
	head->next_seq = next_seq;
	head->completed = next_seq - 1;
	head->prev_crc = prev_crc;
	WRITE_ONCE(log->stopped, false);
	log_queue(log);
}

void cohort_log_close_sides(struct cohort_log *log, bool idle)
{
	u32 i;

	for (i = 1; i < log->nr_heads; i++) {
		struct cohort_log_head *head = &log->head[i];

		mutex_lock(&head->engine);
		if (!idle || !head->nr_inflight)
			cohort_head_give_up(head);
		mutex_unlock(&head->engine);
	}
}

u64 cohort_log_used(const struct cohort_log *log)
{
	u64 used = READ_ONCE(log->segs.next_seq);
	u32 i;

	for (i = 0; i < log->nr_heads; i++)
		used -= (i && READ_ONCE(log->head[i].seg) >= 0) +
			!!READ_ONCE(log->segs.next[i].use);
	return used;
}

void cohort_log_stop(struct cohort_log *log)
{
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&log->lock, flags);
	log->stopped = true;
	spin_unlock_irqrestore(&log->lock, flags);
	/* who did not see it has begun the last batches */
	cohort_log_hold(log);
	cohort_log_release(log);
	wait_event(log->wait, !atomic_read(&log->inflight));
	/* what is lost of their ends will be missed */
	cohort_log_close_sides(log, false);
	cohort_segments_stop(&log->segs);
	/* side heads queue the main one */
	for (i = log->nr_heads; i; i--)
		flush_work(&log->head[i - 1].work);
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

/* ---- for everybody ---- */

static void add_ops(struct cohort_log *log, struct cohort_log_queue *queue, struct list_head *ops,
		    u32 nr)
{
	u32 of_sources = count_of_sources(ops);
	unsigned long flags;

	spin_lock_irqsave(&log->lock, flags);
	list_splice_tail_init(ops, &queue->ops);
	queue_add(queue, nr, of_sources);
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

static bool are_many(const struct cohort_log *log)
{
	return READ_ONCE(log->chunks.of_sources) >= cohort_head_fill();
}

u32 cohort_log_home(struct cohort_log *log)
{
	return (u32)atomic_inc_return(&log->homes) % log->nr_heads;
}

void cohort_log_preserve_here(struct cohort_log *log, struct list_head *ops, u32 nr, u32 home)
{
	bool ran = false;
	u32 i;

	add_ops(log, &log->chunks, ops, nr);
	if (home && are_many(log))
		ran = head_try(&log->head[home]);
	if (!ran || READ_ONCE(log->chunks.nr))
		ran |= head_try(main_head(log));
	for (i = 1; i < log->nr_heads && are_many(log); i++)
		head_try(&log->head[i]);
	/* who is at the main head may have looked before they came */
	if (!ran)
		log_queue(log);
}

u32 cohort_log_append_max(const struct cohort_log *log)
{
	return min_t(u32, RECORDS_MAX, log->segs.size - 2 * COHORT_BLOCK);
}

int cohort_log_append(struct cohort_log *log, const void *records, u32 len, u64 *seq)
{
	struct cohort_log_rec rec = { .data = records, .len = len };
	unsigned long flags;

	might_sleep();
	if (!len || len > cohort_log_append_max(log))
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
	u32 n = cohort_log_take_ops(main_head(log), &log->chunks, &ops, U32_MAX), taken = n;

	list_for_each_entry_safe(op, next, &ops, list) {
		if (!unneeded(ctx, op))
			continue;
		list_move_tail(&op->list, &dropped);
		n--;
	}
	put_back(log, &log->chunks, &ops, n);
	cohort_log_end_ops(&dropped, -ENODATA);
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

/* Nothing may go by the main head for long: the log could never begin behind it then. */
static u64 pass_idle(struct cohort_log_head *head, u64 behind)
{
	u64 use = cohort_head_oldest_use(head);

	if (use > behind || head->nr_inflight ||
	    cohort_segments_free(&head->log->segs) <= head->log->chunks.leave)
		return use;
	cohort_head_give_up(head);
	return cohort_head_oldest_use(head);
}

u64 cohort_log_oldest_use(struct cohort_log *log, u64 behind)
{
	u64 oldest = U64_MAX;
	u32 i;

	cohort_log_close_sides(log, true);
	for (i = 0; i < log->nr_heads; i++) {
		struct cohort_log_head *head = &log->head[i];

		mutex_lock(&head->engine);
		oldest = min(oldest, pass_idle(head, behind));
		mutex_unlock(&head->engine);
	}
	return oldest;
}

void cohort_log_hold(struct cohort_log *log)
{
	u32 i;

	for (i = 0; i < log->nr_heads; i++)
		mutex_lock_nested(&log->head[i].engine, i);
}

void cohort_log_release(struct cohort_log *log)
{
	u32 i;

	for (i = log->nr_heads; i; i--)
		mutex_unlock(&log->head[i - 1].engine);
}

void cohort_log_assert_main(const struct cohort_log *log)
{
	lockdep_assert_held(&main_head(log)->engine);
}

u64 cohort_log_completed(const struct cohort_log *log)
{
	return READ_ONCE(main_head(log)->completed);
}

u64 cohort_log_next_seq(const struct cohort_log *log)
{
	return main_head(log)->next_seq;
}

u64 cohort_log_batches(const struct cohort_log *log)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < log->nr_heads; i++)
		n += READ_ONCE(log->head[i].batches);
	return n;
}

u64 cohort_log_bytes(const struct cohort_log *log)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < log->nr_heads; i++)
		n += READ_ONCE(log->head[i].bytes);
	return n;
}
