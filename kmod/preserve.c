// SPDX-License-Identifier: GPL-2.0-only
/*
 * preserve.c - saves a chunk's old content before its first overwrite in an era.
 *
 * map() only classifies. A write that has to wait is put on vol->incoming; the
 * volume's one worker takes it through: grace period and overlaps, chunk
 * table, read of the old chunks, log, release. An operation on a chunk, once
 * begun, needs the worker once, which waits for none, and waits for no other:
 * held writes wait for operations, never the other way round.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "gate.h"
#include "index.h"
#include "lookup.h"
#include "plant.h"
#include "pool.h"
#include "preserve.h"
#include "source.h"
#include "trace.h"

#define OP_RESERVE	64
#define READ_CHUNKS_MAX	64
#define RETRY_MS	10

/* A chunk on its way from the source's disk to the index; in vol->ops until it is there. */
struct cohort_op {
	struct cohort_log_op log;
	struct hlist_node hash;
	struct cohort_volume *vol;
	struct cohort_index_node *node;
};

/* One read of neighbouring chunks. */
struct cohort_read {
	struct cohort_volume *vol;
	struct list_head ops;
	u32 count;
	struct bio bio;			/* last: bio_set front pad */
};

static u32 chunk_bytes(const struct cohort_volume *vol)
{
	return 1u << (vol->chunk_shift + SECTOR_SHIFT);
}

static void preserve_work(struct work_struct *work);

int cohort_preserve_init(struct cohort_volume *vol)
{
	int order = get_order(chunk_bytes(vol)), err;

	INIT_DELAYED_WORK(&vol->work, preserve_work);
	err = mempool_init_kmalloc_pool(&vol->op_pool, OP_RESERVE, sizeof(struct cohort_op));
	if (err)
		return err;
	err = mempool_init_page_pool(&vol->page_pool, OP_RESERVE, order);
	if (err)
		return err;
	return bioset_init(&vol->bios, 4, offsetof(struct cohort_read, bio), BIOSET_NEED_BVECS);
}

static u64 first_chunk(const struct cohort_volume *vol, const struct cohort_write *w)
{
	return w->sector >> vol->chunk_shift;
}

static u64 end_chunk(const struct cohort_volume *vol, const struct cohort_write *w)
{
	return ((w->sector + w->sectors - 1) >> vol->chunk_shift) + 1;
}

/* ---- the chunk table ---- */

static struct cohort_op *op_find(struct cohort_volume *vol, u64 chunk)
{
	struct cohort_op *op;

	lockdep_assert_held(&vol->lock);
	hash_for_each_possible(vol->ops, op, hash, chunk)
		if (op->log.entry.chunk == chunk)
			return op;
	return NULL;
}

static bool op_pending(struct cohort_volume *vol, u64 chunk)
{
	unsigned long flags;
	bool pending;

	spin_lock_irqsave(&vol->lock, flags);
	pending = op_find(vol, chunk);
	spin_unlock_irqrestore(&vol->lock, flags);
	return pending;
}

static void op_free(struct cohort_volume *vol, struct cohort_op *op)
{
	if (op->log.page)
		mempool_free(op->log.page, &vol->page_pool);
	cohort_index_node_free(op->node);
	mempool_free(op, &vol->op_pool);
}

/* Takes it out of the chunk table: whoever waits asks the index now. */
static void op_end(struct cohort_op *op)
{
	struct cohort_volume *vol = op->vol;
	unsigned long flags;

	spin_lock_irqsave(&vol->lock, flags);
	hash_del(&op->hash);
	spin_unlock_irqrestore(&vol->lock, flags);
	op_free(vol, op);
	if (atomic_sub_return(chunk_bytes(vol), &vol->budget) == 0)
		wake_up_all(&vol->wait);
	/* the worker itself, doing the log's work, looks again anyway */
	if (READ_ONCE(vol->runner) != current)
		cohort_volume_kick(vol);
	cohort_volume_put(vol);
}

static void op_insert(struct cohort_op *op)
{
	struct cohort_index_node *node = op->node;
	struct cohort_volume *vol = op->vol;
	u64 newest;

	cohort_index_node_set(node, &op->log.entry, op->log.addr);
	if (cohort_index_insert(vol->pool->index, node, &newest))
		return;
	op->node = NULL;
	cohort_volume_preserved(vol, op->log.entry.epoch, op->log.entry.chunk);
	if (op->log.entry.epoch > newest)
		cohort_space_move(&vol->source->space, newest, op->log.entry.epoch);
	cohort_segments_live(&vol->pool->log->segs, op->log.addr, 1);
	/* the insert before the counter; pairs with image_unchanged() */
	smp_mb__before_atomic();
	atomic_inc(cohort_source_seq(vol->source, op->log.entry.chunk));
	/* the counter before the overwrite that this lets go */
	smp_mb__after_atomic();
	atomic64_inc(&vol->preserved_total);
}

static void op_logged(struct cohort_log_op *log_op, int err)
{
	struct cohort_op *op = container_of(log_op, struct cohort_op, log);

	if (!err)
		op_insert(op);
	op_end(op);
}

/*
 * Never waits: what would come back may be among that which is collected. The
 * reserves see to it that there is memory when nothing is under way.
 */
static struct cohort_op *op_alloc(struct cohort_volume *vol, bool urgent)
{
	struct cohort_op *op = mempool_alloc(&vol->op_pool, GFP_NOWAIT | __GFP_NOWARN);

	if (!op)
		return NULL;
	memset(op, 0, sizeof(*op));
	op->vol = vol;
	op->log.page = mempool_alloc(&vol->page_pool, GFP_NOWAIT | __GFP_NOWARN);
	op->node = op->log.page ? cohort_index_node_new(urgent) : NULL;
	if (op->node)
		return op;
	op_free(vol, op);
	return NULL;
}

static struct cohort_op *op_begin(struct cohort_volume *vol, u64 chunk, u64 epoch, bool urgent)
{
	struct cohort_op *op = op_alloc(vol, urgent);
	unsigned long flags;

	if (!op)
		return NULL;
	/* until op_end(), which touches it after the drain may have ended */
	cohort_volume_get(vol);
	op->log.entry.source = vol->id;
	op->log.entry.chunk = chunk;
	op->log.entry.epoch = epoch;
	op->log.done = op_logged;
	atomic_add(chunk_bytes(vol), &vol->budget);
	atomic_inc(&vol->reading);
	spin_lock_irqsave(&vol->lock, flags);
	hash_add(vol->ops, &op->hash, chunk);
	spin_unlock_irqrestore(&vol->lock, flags);
	return op;
}

/* ---- reading the old chunks ---- */

/* @count chunks are read, and the disk is let go of; their operations still keep the volume. */
static void reading_sub(struct cohort_volume *vol, u32 count)
{
	if (atomic_sub_and_test(count, &vol->reading))
		wake_up_all(&vol->wait);
}

static void read_endio(struct bio *bio)
{
	struct cohort_read *read = container_of(bio, struct cohort_read, bio);
	struct cohort_volume *vol = read->vol;
	bool good = !bio->bi_status;
	u32 count = read->count;
	unsigned long flags;
	LIST_HEAD(ops);

	list_splice_init(&read->ops, &ops);
	/* first, for it is the volume's memory: only the operations keep that */
	bio_put(bio);
	if (good)
		reading_sub(vol, count);
	spin_lock_irqsave(&vol->lock, flags);
	list_splice_tail(&ops, good ? &vol->ready : &vol->retry);
	if (good)
		vol->nr_ready += count;
	/* nor is the volume there any more when somebody has taken them */
	if (!good || !vol->collect || PLANTED("release-early"))
		cohort_volume_kick(vol);
	spin_unlock_irqrestore(&vol->lock, flags);
}

static void collect_begin(struct cohort_volume *vol)
{
	unsigned long flags;

	spin_lock_irqsave(&vol->lock, flags);
	vol->collect = true;
	spin_unlock_irqrestore(&vol->lock, flags);
}

/* Takes what has been read to the log; false if there was nothing. */
static bool collect_end(struct cohort_volume *vol)
{
	struct cohort_log_op *op;
	unsigned long flags;
	LIST_HEAD(ops);
	u32 n;

	spin_lock_irqsave(&vol->lock, flags);
	vol->collect = false;
	list_splice_init(&vol->ready, &ops);
	n = vol->nr_ready;
	vol->nr_ready = 0;
	spin_unlock_irqrestore(&vol->lock, flags);
	list_for_each_entry(op, &ops, list)
		cohort_log_sum(vol->pool->log, op);
	if (n)
		cohort_log_preserve_here(vol->pool->log, &ops, n, vol->home);
	return n;
}

static struct cohort_read *read_new(struct cohort_volume *vol, u64 chunk, u64 end)
{
	u32 most = min_t(u64, READ_CHUNKS_MAX, end - chunk);
	struct bio *bio = bio_alloc_bioset(vol->bdev, most, REQ_OP_READ, GFP_NOIO, &vol->bios);
	struct cohort_read *read = container_of(bio, struct cohort_read, bio);

	bio->bi_iter.bi_sector = chunk << vol->chunk_shift;
	bio->bi_end_io = read_endio;
	INIT_LIST_HEAD(&read->ops);
	read->vol = vol;
	read->count = 0;
	return read;
}

/* Bytes of @chunk on the disk: the last one may end early. */
static u32 chunk_len(const struct cohort_volume *vol, u64 chunk)
{
	u64 size = vol->source->size >> SECTOR_SHIFT;
	u64 sectors = min_t(u64, 1u << vol->chunk_shift, size - (chunk << vol->chunk_shift));

	return sectors << SECTOR_SHIFT;
}

static void read_add(struct cohort_read *read, struct cohort_op *op)
{
	u32 len = chunk_len(read->vol, op->log.entry.chunk);

	if (len < chunk_bytes(read->vol))
		memset(page_address(op->log.page) + len, 0, chunk_bytes(read->vol) - len);
	__bio_add_page(&read->bio, op->log.page, len, 0);
	list_add_tail(&op->log.list, &read->ops);
	read->count++;
}

/* An old chunk with bad sectors is read piece by piece; what stays unreadable is noted. */
static void read_pieces(struct cohort_op *op)
{
	struct cohort_volume *vol = op->vol;
	void *data = page_address(op->log.page);
	u32 piece = max_t(u32, chunk_bytes(vol) / 64, bdev_logical_block_size(vol->bdev));
	u32 len = chunk_len(vol, op->log.entry.chunk), at;
	u64 start = op->log.entry.chunk << (vol->chunk_shift + SECTOR_SHIFT);

	memset(data, 0, chunk_bytes(vol));
	for (at = 0; at < len; at += piece) {
		u32 bit = at / (chunk_bytes(vol) / 64), bits = piece / (chunk_bytes(vol) / 64);

		if (!cohort_bdev_rw(vol->bdev, REQ_OP_READ, start + at, data + at,
				    min(piece, len - at)))
			continue;
		memset(data + at, 0, min(piece, len - at));
		op->log.entry.unreadable |= GENMASK_ULL(bit + bits - 1, bit);
	}
}

static void retry_reads(struct cohort_volume *vol)
{
	struct cohort_op *op, *next;
	unsigned long flags;
	LIST_HEAD(ops);
	LIST_HEAD(one);

	spin_lock_irqsave(&vol->lock, flags);
	list_splice_init(&vol->retry, &ops);
	spin_unlock_irqrestore(&vol->lock, flags);
	list_for_each_entry_safe(op, next, &ops, log.list) {
		read_pieces(op);
		reading_sub(vol, 1);
		cohort_log_sum(vol->pool->log, &op->log);
		list_move_tail(&op->log.list, &one);
		cohort_log_preserve(vol->pool->log, &one, 1);
	}
}

/* ---- a held write ---- */

/*
 * May a write of this era read old content? Only when nobody can still count
 * in an older era, and no older write of its own regions is under way.
 */
static bool write_ready(struct cohort_write *w)
{
	struct cohort_era *prev;
	bool ready = true;

	if (!READ_ONCE(w->era->gp_done))
		return false;
	/* the grace period before the counts */
	smp_rmb();
	rcu_read_lock();
	for (prev = rcu_dereference(w->era->prev); prev && ready;
	     prev = rcu_dereference(prev->prev))
		ready = PLANTED("no-overlap-wait") ||
			!cohort_inflight_overlaps(&prev->inflight, w->sector, w->sectors);
	rcu_read_unlock();
	return ready;
}

/*
 * 1: there is an entry at or above cut @protects, or 0. -EAGAIN: it can not be told
 * now. What can not be told at all must not be taken for a no: the pool fails.
 */
static int has_entry(struct cohort_volume *vol, u64 chunk, u64 protects)
{
	struct cohort_pool *pool = vol->pool;
	int ret;

	if (!cohort_pool_read_begin(pool))
		return -EAGAIN;
	ret = cohort_pool_lookup(pool, vol->id, chunk, protects, COHORT_LOOK_READ, NULL);
	cohort_pool_read_end(pool);
	if (ret < 0 && ret != -EAGAIN && ret != -ENOMEM)
		cohort_log_fail(pool->log, ret);
	return ret < 0 ? -EAGAIN : ret;
}

/*
 * All that was preserved for @protects has its bit: then no bit is an answer, too.
 * Not so for an era that goes on behind a restart, or protects an older cut than its own.
 */
static bool bits_tell(const struct cohort_era *era, u64 protects)
{
	return era->key == protects && !READ_ONCE(era->inexact);
}

/*
 * An entry at or above the newest live cut counts: it was taken before any later
 * overwrite. -EAGAIN as has_entry().
 */
static int chunk_covered(struct cohort_volume *vol, struct cohort_era *era, u64 chunk)
{
	u64 protects = READ_ONCE(era->protects);
	int ret;

	if (!protects || cohort_era_has(era, chunk))
		return 1;
	if (bits_tell(era, protects))
		ret = cohort_index_lookup(vol->pool->index, vol->id, chunk, protects, NULL);
	else
		ret = has_entry(vol, chunk, protects);
	if (ret == 1)
		cohort_era_set(era, chunk, GFP_NOIO);
	return ret;
}

static struct bio *write_bio(struct cohort_write *w)
{
	return dm_bio_from_per_bio_data(w, sizeof(*w));
}

/* Swapping out: what waits for memory may wait for this write. */
static bool frees_memory(struct cohort_write *w)
{
	return write_bio(w)->bi_opf & REQ_SWAP;
}

/* Begins operations from w->next on; false: out of budget or memory, come again. */
static bool write_begin_ops(struct cohort_volume *vol, struct cohort_write *w)
{
	u64 end = end_chunk(vol, w);
	struct cohort_read *read = NULL;
	struct cohort_op *op;
	bool all = true;

	for (; w->next < end; w->next++) {
		/* the table first: an operation that ends in between is in the index by then */
		int skip = op_pending(vol, w->next) ? 1 : chunk_covered(vol, w->era, w->next);

		if (read && (skip || read->count == READ_CHUNKS_MAX)) {
			submit_bio_noacct(&read->bio);
			read = NULL;
		}
		if (skip == 1)
			continue;
		/* a failed log answers at once: wait until nothing is protected any more */
		all = !skip && atomic_read(&vol->budget) < COHORT_PRESERVE_BUDGET &&
		      !READ_ONCE(vol->pool->log->failed) &&
		      (frees_memory(w) || cohort_pool_index_has_room(vol->pool));
		op = all ? op_begin(vol, w->next, w->era->key, frees_memory(w)) : NULL;
		if (!op) {
			all = false;
			break;
		}
		if (!read)
			read = read_new(vol, w->next, end);
		read_add(read, op);
	}
	if (read)
		submit_bio_noacct(&read->bio);
	return all;
}

/* Is every chunk safe? Looks on where it stopped. */
static bool write_done(struct cohort_volume *vol, struct cohort_write *w)
{
	u64 end = end_chunk(vol, w);

	if (PLANTED("release-early") && w->next == end && !atomic_read(&vol->reading))
		return true;
	while (w->done < end) {
		if (op_pending(vol, w->done))
			return false;
		if (chunk_covered(vol, w->era, w->done) != 1) {
			/* its operation ended without an entry: begin again */
			w->next = min(w->next, w->done);
			return false;
		}
		w->done++;
	}
	return true;
}

/* True when the write may go. */
static bool write_advance(struct cohort_volume *vol, struct cohort_write *w, bool *starved)
{
	if (!READ_ONCE(w->era->protects))
		return true;
	if (!w->ready && !write_ready(w))
		return false;
	w->ready = true;
	if (write_done(vol, w))
		return true;
	if (*starved)
		return false;
	if (!write_begin_ops(vol, w))
		*starved = true;
	else if (!atomic_read(&vol->budget))
		/* told now what it was not a moment ago, with nothing under way that would kick */
		cohort_volume_kick(vol);
	return false;
}

static void release_write(struct cohort_volume *vol, struct cohort_write *w)
{
	list_del_init(&w->list);
	atomic_dec(&vol->nr_held);
	trace_cohort_bio_released(vol->id, w->sector, w->sectors, w->era->first_epoch);
	submit_bio_noacct(write_bio(w));
}

static void note_held(struct cohort_volume *vol, struct cohort_write *w)
{
	w->next = first_chunk(vol, w);
	w->done = w->next;
	atomic_inc(&vol->nr_held);
	atomic64_inc(&vol->held_total);
	trace_cohort_bio_held(vol->id, w->sector, w->sectors, w->era->first_epoch);
}

/* Those whose gate is open are as if they had been submitted now. */
static void take_gated(struct cohort_volume *vol, bool all)
{
	struct cohort_write *w;
	LIST_HEAD(open);

	cohort_volume_take_gated(vol, all, &open);
	list_for_each_entry(w, &open, list) {
		cohort_gate_passed(w->until);
		cohort_write_pass(vol, w);
		note_held(vol, w);
	}
	list_splice_tail(&open, &vol->held);
}

static void take_incoming(struct cohort_volume *vol)
{
	unsigned long flags;

	spin_lock_irqsave(&vol->lock, flags);
	list_splice_tail_init(&vol->incoming, &vol->held);
	spin_unlock_irqrestore(&vol->lock, flags);
}

/* device-mapper keeps them until the device is resumed; they are counted anew then. */
static void requeue_held(struct cohort_volume *vol)
{
	struct cohort_write *w, *next;

	list_for_each_entry_safe(w, next, &vol->held, list) {
		struct bio *bio = write_bio(w);

		list_del_init(&w->list);
		atomic_dec(&vol->nr_held);
		bio->bi_status = BLK_STS_DM_REQUEUE;
		bio_endio(bio);
	}
}

/* One look at all held writes; true when there may be more to do at once. */
static bool preserve_pass(struct cohort_volume *vol, bool *starved)
{
	bool requeue = READ_ONCE(vol->requeue);
	struct cohort_write *w, *next;
	struct blk_plug plug;

	take_incoming(vol);
	take_gated(vol, requeue);
	if (requeue)
		requeue_held(vol);
	collect_begin(vol);
	blk_start_plug(&plug);
	list_for_each_entry_safe(w, next, &vol->held, list)
		if (write_advance(vol, w, starved))
			release_write(vol, w);
	blk_finish_plug(&plug);
	return collect_end(vol);
}

static void preserve_work(struct work_struct *work)
{
	struct cohort_volume *vol = container_of(work, struct cohort_volume, work.work);
	bool starved;

	WRITE_ONCE(vol->runner, current);
	do {
		starved = false;
		cond_resched();
	} while (preserve_pass(vol, &starved));
	WRITE_ONCE(vol->runner, NULL);
	retry_reads(vol);
	/* memory was short and nothing is under way that would come back */
	if (starved && !atomic_read(&vol->budget))
		queue_delayed_work(vol->wq, &vol->work, msecs_to_jiffies(RETRY_MS));
}

/* ---- map ---- */

static bool passes(struct cohort_volume *vol, struct cohort_write *w)
{
	u64 end;

	if (!READ_ONCE(w->era->protects))
		return true;
	end = end_chunk(vol, w);
	return cohort_era_next_unset(w->era, first_chunk(vol, w), end) == end;
}

static void hold(struct cohort_volume *vol, struct cohort_write *w)
{
	unsigned long flags;

	note_held(vol, w);
	spin_lock_irqsave(&vol->lock, flags);
	list_add_tail(&w->list, &vol->incoming);
	spin_unlock_irqrestore(&vol->lock, flags);
	cohort_volume_kick(vol);
}

/*
 * Like chunk_covered(), from where nothing may be allocated or read: an entry in a
 * run may be missed, and the hint with it.
 */
static bool chunk_passes(struct cohort_volume *vol, struct cohort_era *era, u64 chunk)
{
	u64 protects = READ_ONCE(era->protects);

	return !protects || PLANTED("discard-passes") || cohort_era_has(era, chunk) ||
		(READ_ONCE(era->gp_done) && !rcu_access_pointer(era->prev) &&
		 cohort_index_lookup(vol->pool->index, vol->id, chunk, protects, NULL));
}

/* Sectors from the start of @w whose chunks all pass, or all do not; *@pass says which. */
static u32 discard_run(struct cohort_volume *vol, const struct cohort_write *w, bool *pass)
{
	u64 chunk = first_chunk(vol, w), end = end_chunk(vol, w), stop;

	*pass = chunk_passes(vol, w->era, chunk);
	while (++chunk < end && chunk_passes(vol, w->era, chunk) == *pass)
		;
	stop = chunk << vol->chunk_shift;
	return min_t(u64, stop - w->sector, w->sectors);
}

/* Came to a closed gate. A discard is a hint: what is looked at must not change by it. */
static int map_gated(struct cohort_volume *vol, struct bio *bio, struct cohort_write *w)
{
	if (bio_op(bio) == REQ_OP_DISCARD)
		bio_endio(bio);
	else if (bio->bi_opf & REQ_NOWAIT)
		bio_wouldblock_error(bio);
	else
		cohort_volume_hold_gated(vol, w);
	return DM_MAPIO_SUBMITTED;
}

/*
 * A discard is a hint: over chunks that hold what an image needs it is
 * answered and dropped, so that the image stays whole and nothing is copied.
 * Taken piece by piece, each with its own count.
 */
static int map_discard(struct cohort_volume *vol, struct bio *bio, struct cohort_write *w)
{
	bool pass;
	u32 run;

	while ((run = discard_run(vol, w, &pass)) < w->sectors) {
		cohort_write_leave(vol, w);
		dm_accept_partial_bio(bio, run);
		if (!cohort_write_enter(vol, w, bio->bi_iter.bi_sector, run))
			return map_gated(vol, bio, w);
	}
	if (pass)
		return DM_MAPIO_REMAPPED;
	cohort_write_leave(vol, w);
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

int cohort_preserve_map(struct cohort_volume *vol, struct bio *bio, struct cohort_write *w)
{
	if (!cohort_write_enter(vol, w, bio->bi_iter.bi_sector, bio_sectors(bio)))
		return map_gated(vol, bio, w);
	if (bio_op(bio) == REQ_OP_DISCARD)
		return map_discard(vol, bio, w);
	if (passes(vol, w))
		return DM_MAPIO_REMAPPED;
	if (bio->bi_opf & REQ_NOWAIT) {
		cohort_write_leave(vol, w);
		bio_wouldblock_error(bio);
		return DM_MAPIO_SUBMITTED;
	}
	hold(vol, w);
	return DM_MAPIO_SUBMITTED;
}

void cohort_preserve_requeue(struct cohort_volume *vol, bool requeue)
{
	WRITE_ONCE(vol->requeue, requeue);
	cohort_volume_kick(vol);
	if (requeue)
		flush_delayed_work(&vol->work);
}

void cohort_preserve_leave_disk(struct cohort_volume *vol)
{
	wait_event(vol->wait, !atomic_read(&vol->reading) && !atomic_read(&vol->users));
	/* a look at writes that are given back meanwhile */
	flush_delayed_work(&vol->work);
}

void cohort_preserve_drain(struct cohort_volume *vol)
{
	wait_event(vol->wait, !atomic_read(&vol->budget) && !atomic_read(&vol->users));
	flush_delayed_work(&vol->work);
}
