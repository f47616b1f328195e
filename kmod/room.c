// SPDX-License-Identifier: GPL-2.0-only
/* room.c - space in a pool: what nobody needs goes, and in a full one the oldest breaks. */
#include <linux/sched/mm.h>
#include "catalog.h"
#include "clean.h"
#include "epoch.h"
#include "index.h"
#include "log.h"
#include "overlay.h"
#include "plant.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

#define FULL_RETRY	(HZ / 10)
#define COUNT_LATER	(5 * HZ)

bool cohort_pool_needs(struct cohort_pool *pool, u32 source_id, u64 prev, u64 epoch)
{
	struct cohort_source *source;
	bool needed;

	if (cohort_is_overlay(source_id))
		return cohort_overlay_needs(pool, source_id, prev, epoch);
	rcu_read_lock();
	source = cohort_source_by_id(pool, source_id);
	if (PLANTED("own-cut-only"))
		prev = epoch - 1;
	needed = source && cohort_live_between(&source->live, prev, epoch);
	rcu_read_unlock();
	return needed;
}

static bool prune_needed(void *ctx, u32 source_id, u64 prev, u64 epoch)
{
	return cohort_pool_needs(ctx, source_id, prev, epoch);
}

static void prune_dropped(void *ctx, const struct cohort_index_node *node, bool newest, u64 prev)
{
	struct cohort_pool *pool = ctx;
	struct cohort_source *source;

	rcu_read_lock();
	source = newest ? cohort_source_by_id(pool, node->source) : NULL;
	if (source)
		cohort_space_move(&source->space, node->epoch, prev);
	rcu_read_unlock();

	cohort_segments_live(&pool->log->segs, node->addr, -1);
}

static void superseded(void *ctx, const struct cohort_index_node *node)
{
	struct cohort_pool *pool = ctx;
	u64 addr;

	cohort_index_node_damaged(node, &addr);
	cohort_segments_live(&pool->log->segs, addr, -1);
}

void (*cohort_pool_superseded(struct cohort_pool *pool))(void *, const struct cohort_index_node *)
{
	return pool->collected ? NULL : superseded;
}

static void trim_space(struct cohort_pool *pool)
{
	struct cohort_source *source;

	mutex_lock(&cohort_lock);
	mutex_lock(&cohort_cut_mutex);
	list_for_each_entry(source, &pool->sources, list)
		cohort_source_trim(source);
	mutex_unlock(&cohort_cut_mutex);
	mutex_unlock(&cohort_lock);
}

void cohort_pool_prune_index(struct cohort_pool *pool)
{
	const struct cohort_index_filter filter = {
		.needed = prune_needed, .dropped = prune_dropped, .ctx = pool,
	};

	cohort_index_prune(pool->index, &filter);
	trim_space(pool);
}

/* More than those that old chunks may not take. */
static bool has_space(struct cohort_pool *pool)
{
	return cohort_segments_free(&pool->log->segs) > pool->log->chunks.leave;
}

/* Runs keep what they say until somebody counts what of it is needed. */
static void runs_are_stale(struct cohort_pool *pool)
{
	lockdep_assert_held(&pool->catalog_mutex);
	if (!READ_ONCE(pool->runs.nr) || !pool->wq)
		return;
	WRITE_ONCE(pool->count_stale, true);
	/* a pool that comes up: who waited for it reads first */
	mod_delayed_work(pool->wq, &pool->tidy_work,
			 list_empty_careful(&pool->list) ? COUNT_LATER : 0);
}

void cohort_pool_prune(struct cohort_pool *pool)
{
	struct cohort_segments *segs = &pool->log->segs;

	lockdep_assert_held(&pool->catalog_mutex);
	cohort_pool_prune_index(pool);
	runs_are_stale(pool);
	/* worth a checkpoint only when records alone keep much, or little is left */
	if (cohort_segments_blocked(segs, pool->sb.catalog_seq) > segs->nr / 16 ||
	    !has_space(pool))
		cohort_catalog_checkpoint(pool);
	cohort_segments_reclaim(segs, pool->sb.catalog_seq);
	cohort_log_kick(pool->log);
}

static bool op_unneeded(void *ctx, struct cohort_log_op *op)
{
	return !cohort_pool_needs(ctx, op->entry.source, 0, op->entry.epoch);
}

/* Of what runs say; 0, or that it has to be tried again. */
static int recount(struct cohort_pool *pool)
{
	int err = 0;

	if (READ_ONCE(pool->count_stale) || READ_ONCE(pool->overwritten))
		err = cohort_pool_recount(pool);
	cohort_segments_reclaim(&pool->log->segs, pool->sb.catalog_seq);
	return err == -EAGAIN ? -ENOMEM : err;
}

/*
 * Segment after segment, until there is space; 0, or that it has to be tried again:
 * not for want of memory, of which the writes that wait may be what would bring some.
 */
static int clean(struct cohort_pool *pool)
{
	int ret = 1;

	if (!cohort_pool_read_begin(pool))
		return -ENOMEM;
	while (ret == 1 && !has_space(pool))
		ret = cohort_clean_segment(pool, pool->sb.catalog_seq);
	cohort_pool_read_end(pool);
	return ret == -EAGAIN ? -ENOMEM : 0;
}

/* Of records, that keep segments of which nothing else is needed, or could be moved. */
static int void_records(struct cohort_pool *pool)
{
	struct cohort_segments *segs = &pool->log->segs;
	int err;

	if (!cohort_segments_blocked(segs, pool->sb.catalog_seq) && !cohort_clean_possible(pool))
		return -ENOSPC;
	err = cohort_catalog_checkpoint(pool);
	if (err == -ENOMEM)
		return err;
	cohort_segments_reclaim(segs, pool->sb.catalog_seq);
	return has_space(pool) ? 0 : clean(pool);
}

/* -ENOSPC: nothing is there that nobody needs; -ENOMEM: there may be. */
static int make_space(struct cohort_pool *pool)
{
	int err;

	cohort_pool_prune_index(pool);
	cohort_log_close_sides(pool->log, false);
	cohort_segments_reclaim(&pool->log->segs, pool->sb.catalog_seq);
	if (has_space(pool))
		return 0;
	err = recount(pool);
	if (!err && !has_space(pool))
		err = clean(pool);
	if (!err && !has_space(pool))
		err = void_records(pool);
	if (err || has_space(pool))
		return err;
	return -ENOSPC;
}

static bool op_of_overlay(void *ctx, struct cohort_log_op *op)
{
	return cohort_is_overlay(op->entry.source);
}

static bool op_of_source(const struct cohort_log_op *op)
{
	return !cohort_is_overlay(op->entry.source);
}

/*
 * What is written to an image must not break a snapshot: it gets ENOSPC. True if
 * nothing else waits for space; whatever comes next is told of anew.
 */
static bool refuse_overlays(struct cohort_pool *pool)
{
	cohort_log_drop(pool->log, op_of_overlay, NULL);
	return !READ_ONCE(pool->log->full_record) && !cohort_log_waits(pool->log, op_of_source);
}

/* Breaks one relationship after another until there is space. */
static int break_for_space(struct cohort_pool *pool)
{
	/* while writes are held, whoever lets something go makes space of it */
	int err = pool->holding && !has_space(pool) ? -ENOSPC : make_space(pool);

	if (err == -ENOSPC && refuse_overlays(pool))
		return 0;
	if (err && !pool->full) {
		pool->full = true;
		pool->full_since = jiffies;
	}
	while (err == -ENOSPC && !READ_ONCE(pool->log->failed)) {
		err = cohort_catalog_break_oldest(pool, pool->full_since, "the pool was full");
		if (err)
			return err == -ENOSPC ? -EIO : err;
		runs_are_stale(pool);
		err = make_space(pool);
	}
	return err;
}

/* Tells once that writes wait. */
static void note_full(struct cohort_pool *pool, int err)
{
	bool told = pool->holding;

	pool->full = err;
	pool->holding = err == -EBUSY;
	if (!pool->holding || told)
		return;
	mutex_lock(&cohort_lock);
	cohort_notify(&(struct cohort_news) { .event = COHORT_EVENT_POOL_FULL, .pool = pool });
	mutex_unlock(&cohort_lock);
}

/*
 * Nothing to break until a cut that is under way is resolved; no memory for the
 * record; those that are left would rather have writes wait; or the pool is suspended.
 */
static bool look_again(int err)
{
	return err == -ENOENT || err == -ENOMEM || err == -EBUSY || err == -EAGAIN;
}

/* -EAGAIN: the pool is suspended, and its log takes no record, or it is on its way there. */
static int make_room(struct cohort_pool *pool)
{
	int err;

	if (!cohort_pool_read_begin(pool))
		return -EAGAIN;
	mutex_lock(&pool->tidy_mutex);
	mutex_lock(&pool->catalog_mutex);
	err = break_for_space(pool);
	note_full(pool, err);
	mutex_unlock(&pool->catalog_mutex);
	mutex_unlock(&pool->tidy_mutex);
	cohort_pool_read_end(pool);
	return err;
}

/*
 * No segment is left for old chunks. What nobody needs any more goes first;
 * then the oldest relationship breaks, as a whole, durably, and so on. The
 * sources never see an error.
 */
void cohort_pool_full(struct work_struct *work)
{
	struct cohort_pool *pool = container_of(work, struct cohort_pool, full_work.work);
	unsigned int noio = memalloc_noio_save();
	int err = make_room(pool);

	/* not even a record could be written: the mark in the superblock is what is left */
	if (err && !look_again(err))
		cohort_log_fail(pool->log, err);
	if (!cohort_log_drop(pool->log, op_unneeded, pool) && look_again(err))
		queue_delayed_work(pool->wq, &pool->full_work, FULL_RETRY);
	else
		cohort_log_kick(pool->log);
	memalloc_noio_restore(noio);
}

void cohort_pool_has_grown(struct cohort_pool *pool)
{
	lockdep_assert_held(&pool->catalog_mutex);
	cohort_pool_tidy_limits(pool);
	if (pool->full)
		mod_delayed_work(pool->wq, &pool->full_work, 0);
	cohort_log_kick(pool->log);
}
