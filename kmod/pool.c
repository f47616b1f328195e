// SPDX-License-Identifier: GPL-2.0-only
/* pool.c - a pool's life: taken into use, suspended, short of space, failed, closed. */
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/device-mapper.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "catalog.h"
#include "copy.h"
#include "epoch.h"
#include "index.h"
#include "job.h"
#include "log.h"
#include "lookup.h"
#include "plant.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"
#include "unmarked.h"
#include "volume.h"

#define FAIL_TRIES	3
#define JOB_WAIT_MS	10
#define FAIL_PAUSE_MS	500

static void pool_free(struct cohort_pool *pool)
{
	mutex_lock(&cohort_lock);
	cohort_catalog_unload(pool);
	mutex_unlock(&cohort_lock);
	cohort_log_free(pool->log);
	rcu_barrier();
	cohort_index_free(pool->index);
	cohort_runs_exit(&pool->runs);
	cohort_pool_forget_damage(pool);
	free_page((unsigned long)pool->super_block);
	xa_destroy(&pool->source_ids);
	xa_destroy(&pool->overlays);
	put_device(disk_to_dev(pool->disk));
	kfree(pool);
}

static void pool_release(struct kref *kref)
{
	pool_free(container_of(kref, struct cohort_pool, kref));
}

void cohort_pool_get(struct cohort_pool *pool)
{
	kref_get(&pool->kref);
}

void cohort_pool_put(struct cohort_pool *pool)
{
	kref_put(&pool->kref, pool_release);
}

u64 cohort_pool_used(const struct cohort_pool *pool)
{
	return (u64)(pool->log->segs.nr - cohort_segments_free(&pool->log->segs)) *
		pool->sb.segment_size;
}

u64 cohort_pool_preserved(const struct cohort_pool *pool)
{
	return cohort_index_count(pool->index) + READ_ONCE(pool->runs.entries);
}

u64 cohort_pool_index_bytes(const struct cohort_pool *pool)
{
	return cohort_index_bytes(pool->index) + cohort_runs_bytes(&pool->runs);
}

u64 cohort_pool_batches(const struct cohort_pool *pool)
{
	return cohort_log_batches(pool->log);
}

u64 cohort_pool_log_bytes(const struct cohort_pool *pool)
{
	return cohort_log_bytes(pool->log);
}

int cohort_pool_append(struct cohort_pool *pool, const void *records, size_t len)
{
	lockdep_assert_held(&pool->catalog_mutex);
	return cohort_log_append(pool->log, records, len, NULL);
}

void cohort_refuse_append(struct cohort_words *words, int err, const char *pool)
{
	if (err == -ENOMEM)
		cohort_refuse(words, err, "no memory for a record of pool \"%s\"", pool);
	else
		cohort_refuse(words, err, "the log of pool \"%s\" could not be written", pool);
}

/* ---- superblock ---- */

/* The older copy is overwritten, so that a torn write leaves the newer one. */
static int write_super(struct cohort_pool *pool)
{
	int err;

	lockdep_assert_held(&pool->super_mutex);
	if (!pool->bdev)
		return -ENODEV;
	pool->sb.generation++;
	cohort_super_encode(&pool->sb, pool->super_block);
	err = cohort_bdev_rw(pool->bdev, REQ_OP_WRITE | REQ_SYNC | REQ_FUA,
			     cohort_super_address(pool->sb.generation), pool->super_block,
			     COHORT_BLOCK);
	/* the next try takes the same place: the other copy is the only good one */
	if (err)
		pool->sb.generation--;
	return err;
}

/*
 * Both copies, for what the older one says is about to be overwritten, or would
 * hide something. On failure either may be what a restart finds.
 */
static int write_supers(struct cohort_pool *pool)
{
	int err = write_super(pool);

	return err ? err : write_super(pool);
}

int cohort_pool_set_catalog_seq(struct cohort_pool *pool, u64 seq, u64 log_start)
{
	u64 old, old_start;
	int err;

	mutex_lock(&pool->super_mutex);
	old = pool->sb.catalog_seq;
	old_start = pool->sb.log_start;
	pool->sb.catalog_seq = seq;
	WRITE_ONCE(pool->sb.log_start, log_start);
	err = write_supers(pool);
	if (err) {
		pool->sb.catalog_seq = old;
		WRITE_ONCE(pool->sb.log_start, old_start);
	}
	mutex_unlock(&pool->super_mutex);
	return err;
}

int cohort_pool_set_feature(struct cohort_pool *pool, bool *feature)
{
	int err;

	mutex_lock(&pool->super_mutex);
	*feature = true;
	err = write_supers(pool);
	/* one of them may say so: harmless, but the next one asks again */
	if (err)
		*feature = false;
	mutex_unlock(&pool->super_mutex);
	return err;
}

int cohort_pool_set_size(struct cohort_pool *pool, u64 size, u64 nr_segments)
{
	u64 old_size, old_nr;
	int err;

	mutex_lock(&pool->super_mutex);
	old_size = pool->sb.size;
	old_nr = pool->sb.nr_segments;
	pool->sb.size = size;
	pool->sb.nr_segments = nr_segments;
	err = write_supers(pool);
	if (err) {
		pool->sb.size = old_size;
		pool->sb.nr_segments = old_nr;
	}
	mutex_unlock(&pool->super_mutex);
	return err;
}

static void super_work(struct work_struct *work)
{
	struct cohort_pool *pool = container_of(work, struct cohort_pool, super_work);
	u64 high = max(READ_ONCE(cohort_epoch), READ_ONCE(pool->epoch_wanted)) +
		COHORT_EPOCH_RESERVE, old;
	int err;

	/* while suspended the device may be exchanged: the resume asks again */
	if (READ_ONCE(pool->blocked))
		return;
	mutex_lock(&pool->super_mutex);
	old = pool->sb.epoch_high;
	pool->sb.epoch_high = max(old, high);
	err = write_super(pool);
	if (err)
		pool->sb.epoch_high = old;
	else
		WRITE_ONCE(pool->epoch_reserved, pool->sb.epoch_high);
	mutex_unlock(&pool->super_mutex);
	if (err)
		cohort_log_fail(pool->log, err);
}

int cohort_pool_reserve_epoch(struct cohort_pool *pool, u64 epoch)
{
	u64 reserved = READ_ONCE(pool->epoch_reserved);

	if (epoch + COHORT_EPOCH_RESERVE / 2 >= reserved)
		queue_work(pool->wq, &pool->super_work);
	return epoch < reserved ? 0 : -EAGAIN;
}

/* ---- news of the log ---- */

static void log_full(void *ctx)
{
	struct cohort_pool *pool = ctx;

	queue_delayed_work(pool->wq, &pool->full_work, 0);
}

/* ---- failure ---- */

/*
 * The outcome of a log write is unknown: what it held may or may not be there.
 * No cut of the pool can be trusted any more, and a restart must know that
 * before a source is written unprotected. Where not even the mark can be
 * written, the module remembers; over a restart only who heard the event can.
 */
static void fail_work(struct work_struct *work)
{
	struct cohort_pool *pool = container_of(work, struct cohort_pool, fail_work);
	unsigned int noio = memalloc_noio_save();
	int tries, err = -EIO;

	mutex_lock(&pool->super_mutex);
	pool->sb.flags |= COHORT_SB_BREAK_ALL;
	for (tries = 0; tries < FAIL_TRIES && err && pool->bdev; tries++) {
		if (tries)
			msleep(FAIL_PAUSE_MS);
		err = write_super(pool);
	}
	/* one copy tells, as long as it is not lost */
	if (!err && write_super(pool))
		pr_warn("%s: pool %s: only one superblock says that it failed\n", DM_MSG_PREFIX,
			pool->name);
	mutex_unlock(&pool->super_mutex);
	if (err)
		cohort_unmarked_add(&pool->uuid);
	mutex_lock(&cohort_lock);
	pool->reason = err ? "its device can not be written" : "its log could not be written";
	WRITE_ONCE(pool->state, COHORT_POOL_STATE_FAILED);
	cohort_catalog_break_all(pool, "the pool failed");
	cohort_notify(&(struct cohort_news) { .event = COHORT_EVENT_POOL_FAILED, .pool = pool });
	mutex_unlock(&cohort_lock);
	wake_up_all(&pool->wait);
	pr_err("%s: pool %s failed: %s\n", DM_MSG_PREFIX, pool->name, pool->reason);
	memalloc_noio_restore(noio);
}

void cohort_pool_look(struct cohort_pool *pool)
{
	lockdep_assert_held(&cohort_lock);
	if (!list_empty(&pool->list))
		mod_delayed_work(pool->wq, &pool->watch_work, 0);
}

static void log_took(void *ctx)
{
	struct cohort_pool *pool = ctx;

	mod_delayed_work(pool->wq, &pool->watch_work, 0);
	cohort_pool_tidy_look(pool);
}

static void log_failed(void *ctx, int err)
{
	struct cohort_pool *pool = ctx;

	queue_work(pool->wq, &pool->fail_work);
}

/* ---- activation ---- */

static int read_super(struct block_device *bdev, struct cohort_super *sb,
		      struct cohort_words *words)
{
	u64 size = bdev_nr_bytes(bdev);
	const char *why = "";
	void *a = (void *)__get_free_page(GFP_NOIO), *b = (void *)__get_free_page(GFP_NOIO);
	int err = -ENOMEM;

	if (a && b && size < COHORT_SUPER_B + COHORT_BLOCK)
		err = cohort_refuse(words, -ENOENT, "the device is too small for a pool");
	else if (a && b)
		err = cohort_bdev_rw(bdev, REQ_OP_READ, COHORT_SUPER_A, a, COHORT_BLOCK);
	if (!err)
		err = cohort_bdev_rw(bdev, REQ_OP_READ, COHORT_SUPER_B, b, COHORT_BLOCK);
	if (!err) {
		err = cohort_super_choose(sb, a, b, size, &why);
		if (err)
			cohort_refuse(words, err, "%s", why);
	}
	free_page((unsigned long)a);
	free_page((unsigned long)b);
	return err;
}

static struct cohort_pool *pool_alloc(struct dm_table *table, struct block_device *bdev)
{
	struct cohort_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);

	if (!pool)
		return NULL;
	kref_init(&pool->kref);
	INIT_LIST_HEAD(&pool->list);
	INIT_LIST_HEAD(&pool->sources);
	INIT_LIST_HEAD(&pool->groups);
	INIT_LIST_HEAD(&pool->rels);
	INIT_LIST_HEAD(&pool->copies);
	mutex_init(&pool->catalog_mutex);
	mutex_init(&pool->super_mutex);
	mutex_init(&pool->tidy_mutex);
	INIT_DELAYED_WORK(&pool->tidy_work, cohort_pool_tidy);
	xa_init(&pool->bad_chunks);
	INIT_WORK(&pool->super_work, super_work);
	INIT_DELAYED_WORK(&pool->full_work, cohort_pool_full);
	INIT_DELAYED_WORK(&pool->watch_work, cohort_pool_watch);
	INIT_WORK(&pool->fail_work, fail_work);
	INIT_WORK(&pool->damage_work, cohort_pool_tell_damage);
	init_waitqueue_head(&pool->wait);
	xa_init(&pool->source_ids);
	xa_init(&pool->overlays);
	pool->next_id = 1;
	pool->bdev = bdev;
	pool->table = table;
	pool->disk = dm_disk(dm_table_get_md(table));
	get_device(disk_to_dev(pool->disk));
	pool->dm_dev = disk_devt(pool->disk);
	dm_copy_name_and_uuid(dm_table_get_md(table), pool->name, NULL);
	pool->state = COHORT_POOL_STATE_ACTIVE;
	return pool;
}

static int pool_build(struct cohort_pool *pool, struct cohort_words *words)
{
	const struct cohort_log_config config = {
		.bdev = pool->bdev, .sb = &pool->sb, .full = log_full, .fail = log_failed,
		.took = log_took, .ctx = pool,
	};
	int err;

	pool->seed = cohort_pool_seed(pool->sb.uuid);
	pool->chunk_shift = ilog2(pool->sb.chunk_size) - SECTOR_SHIFT;
	import_uuid(&pool->uuid, pool->sb.uuid);
	pool->super_block = (void *)__get_free_page(GFP_KERNEL);
	pool->log = cohort_log_new(&config);
	pool->wq = alloc_workqueue("cohort_pool", WQ_MEM_RECLAIM | WQ_UNBOUND, 5);
	err = cohort_pool_tidy_init(pool);
	/* all of the log may have to go into it once, as long as no run says any */
	pool->index = cohort_index_new(pool->sb.log_start ?
				       min(pool->sb.size / pool->sb.chunk_size, pool->index_most) :
				       pool->sb.size / pool->sb.chunk_size);
	if (err || !pool->index || !pool->super_block || !pool->log || !pool->wq)
		return cohort_refuse(words, -ENOMEM, "no memory for the pool");
	return 0;
}

/* The catalog says it now. */
static int clear_break_all(struct cohort_pool *pool)
{
	int err;

	mutex_lock(&pool->super_mutex);
	pool->sb.flags &= ~COHORT_SB_BREAK_ALL;
	err = write_supers(pool);
	if (err)
		pool->sb.flags |= COHORT_SB_BREAK_ALL;
	mutex_unlock(&pool->super_mutex);
	if (!err)
		cohort_unmarked_del(&pool->uuid);
	return err;
}

/* Sets the next pool reserving for @epoch that was not asked before; NULL: there is none. */
static struct cohort_pool *reserve_next(u64 epoch)
{
	struct cohort_pool *pool;

	mutex_lock(&cohort_lock);
	list_for_each_entry(pool, &cohort_pools, list)
		if (pool->epoch_wanted < epoch &&
		    READ_ONCE(pool->epoch_reserved) <= epoch + COHORT_EPOCH_RESERVE / 2) {
			WRITE_ONCE(pool->epoch_wanted, epoch);
			queue_work(pool->wq, &pool->super_work);
			cohort_pool_get(pool);
			mutex_unlock(&cohort_lock);
			return pool;
		}
	mutex_unlock(&cohort_lock);
	return NULL;
}

/*
 * The past of the pool that comes up may use up what its neighbours reserved:
 * they reserve anew first, so that no cut of theirs meets an epoch that is not
 * theirs to use. One that is suspended does so when it is resumed.
 */
static void raise_epoch(u64 epoch)
{
	struct cohort_pool *pool;

	while ((pool = reserve_next(epoch))) {
		flush_work(&pool->super_work);
		cohort_pool_put(pool);
	}
	mutex_lock(&cohort_lock);
	cohort_epoch_raise(epoch);
	mutex_unlock(&cohort_lock);
}

/* Who does not know of side logs must not open the pool any more. */
static int allow_sides(struct cohort_pool *pool)
{
	if (pool->sb.sides || pool->log->nr_heads == 1)
		return 0;
	return cohort_pool_set_feature(pool, &pool->sb.sides);
}

/*
 * From here on nothing of an earlier activation can be taken for ours: the
 * nonce is durable before the first append, tails that were cut off have their
 * length in the table, epochs go on above every one that was used.
 */
static int pool_start(struct cohort_pool *pool, u64 last_seq, u32 last_crc,
		      struct cohort_words *words)
{
	bool broken = (pool->sb.flags & COHORT_SB_BREAK_ALL) || cohort_unmarked_has(&pool->uuid);
	int err;

	err = cohort_segments_write_all(&pool->log->segs);
	if (err)
		return cohort_refuse(words, err, "the segment table could not be written");
	err = allow_sides(pool);
	if (err)
		return cohort_refuse(words, err, "the superblocks could not be written");
	if (!PLANTED("epoch-reuse"))
		raise_epoch(pool->sb.epoch_high);
	mutex_lock(&pool->super_mutex);
	pool->sb.nonce += COHORT_LOG_HEADS;
	pool->sb.next_seq = last_seq + 1;
	pool->sb.next_segment = pool->log->segs.next_seq;
	pool->sb.flags &= ~COHORT_SB_CLEAN;
	pool->sb.epoch_high = READ_ONCE(cohort_epoch) + COHORT_EPOCH_RESERVE;
	err = write_super(pool);
	mutex_unlock(&pool->super_mutex);
	if (err)
		return cohort_refuse(words, err, "the superblock could not be written");
	err = cohort_runs_set_bdev(&pool->runs, pool->bdev);
	if (err)
		return cohort_refuse(words, err, "no cache for the index of the pool");
	pool->epoch_reserved = pool->sb.epoch_high;
	cohort_log_start(pool->log, pool->sb.nonce, last_seq + 1, last_crc);
	mutex_lock(&pool->catalog_mutex);
	if (broken) {
		mutex_lock(&cohort_lock);
		cohort_catalog_break_all(pool, "the pool had failed");
		mutex_unlock(&cohort_lock);
		err = cohort_catalog_checkpoint(pool);
		if (!err)
			err = clear_break_all(pool);
	}
	cohort_pool_prune(pool);
	mutex_unlock(&pool->catalog_mutex);
	return err ? cohort_refuse(words, err, "the catalog could not be written") : 0;
}

static int pool_publish(struct cohort_pool *pool, struct cohort_words *words)
{
	int err = 0;

	mutex_lock(&cohort_lock);
	if (cohort_find_pool(pool->name)) {
		err = cohort_refuse(words, -EEXIST, "there is a pool \"%s\"", pool->name);
	} else {
		list_add_tail(&pool->list, &cohort_pools);
		cohort_pool_look(pool);
		cohort_notify(&(struct cohort_news) {
			.event = COHORT_EVENT_POOL_ACTIVE, .pool = pool,
		});
	}
	mutex_unlock(&cohort_lock);
	return err;
}

/* Before anything is written: the same pool must not be there through another device. */
static int check_alone(struct cohort_pool *pool, struct cohort_words *words)
{
	struct cohort_pool *other;
	int err = 0;

	mutex_lock(&cohort_lock);
	list_for_each_entry(other, &cohort_pools, list)
		if (!memcmp(other->sb.uuid, pool->sb.uuid, sizeof(pool->sb.uuid)))
			err = cohort_refuse(words, -EBUSY, "it is active as pool \"%s\"",
					    other->name);
	if (!err && cohort_find_pool(pool->name))
		err = cohort_refuse(words, -EEXIST, "there is a pool \"%s\"", pool->name);
	mutex_unlock(&cohort_lock);
	return err;
}

static void pool_stop(struct cohort_pool *pool)
{
	struct workqueue_struct *wq = NULL;

	if (pool->log)
		cohort_log_stop(pool->log);
	cancel_delayed_work_sync(&pool->full_work);
	cancel_delayed_work_sync(&pool->watch_work);
	/* a job may still delete something */
	mutex_lock(&pool->catalog_mutex);
	swap(wq, pool->wq);
	mutex_unlock(&pool->catalog_mutex);
	cancel_delayed_work_sync(&pool->tidy_work);
	if (wq)
		destroy_workqueue(wq);
}

static int pool_open(struct cohort_pool *pool, struct cohort_words *words)
{
	u64 last_seq;
	u32 last_crc;
	int err = read_super(pool->bdev, &pool->sb, words);

	if (!err)
		err = check_alone(pool, words);
	if (!err)
		err = pool_build(pool, words);
	if (!err)
		err = cohort_catalog_load(pool, &last_seq, &last_crc, words);
	if (!err)
		err = pool_start(pool, last_seq, last_crc, words);
	if (!err)
		err = pool_publish(pool, words);
	return err;
}

/* Does @bdev hold this very pool? */
static int check_same(struct cohort_pool *pool, struct block_device *bdev,
		      struct cohort_words *words)
{
	struct cohort_super sb;
	int err;

	if (bdev == pool->bdev)
		return 0;
	err = read_super(bdev, &sb, words);
	if (!err && memcmp(sb.uuid, pool->sb.uuid, sizeof(sb.uuid)))
		err = cohort_refuse(words, -EINVAL, "the device holds another pool");
	return err;
}

static struct cohort_pool *pool_of_table(struct dm_table *table)
{
	struct cohort_pool *pool;

	mutex_lock(&cohort_lock);
	pool = cohort_find_pool_dev(disk_devt(dm_disk(dm_table_get_md(table))));
	if (pool)
		cohort_pool_get(pool);
	mutex_unlock(&cohort_lock);
	return pool;
}

int cohort_pool_check_table(struct dm_table *table, struct block_device *bdev,
			    struct cohort_words *words)
{
	struct cohort_pool *pool = pool_of_table(table);
	int err;

	if (!pool)
		return 0;
	err = check_same(pool, bdev, words);
	cohort_pool_put(pool);
	return err;
}

/* A table of the same device again: after a suspend, or another table with the pool on it. */
static int pool_resume(struct cohort_pool *pool, struct dm_table *table,
		       struct block_device *bdev, struct cohort_words *words)
{
	int err = check_same(pool, bdev, words);

	if (err)
		return err;
	/* nobody looks: who reads is kept away, and what is cached is of the device before */
	if (bdev != pool->bdev || !pool->runs.cache) {
		err = cohort_runs_set_bdev(&pool->runs, bdev);
		if (err)
			return cohort_refuse(words, err, "no cache for the index of the pool");
	}
	pool->bdev = bdev;
	pool->table = table;
	if (READ_ONCE(pool->state) == COHORT_POOL_STATE_SUSPENDED)
		WRITE_ONCE(pool->state, COHORT_POOL_STATE_ACTIVE);
	/* who reads may write to the segment table */
	cohort_log_resume(pool->log, bdev);
	WRITE_ONCE(pool->blocked, false);
	wake_up_all(&pool->wait);
	/* before the first cut: the epoch may have gone far meanwhile */
	queue_work(pool->wq, &pool->super_work);
	flush_work(&pool->super_work);
	mod_delayed_work(pool->wq, &pool->watch_work, 0);
	mod_delayed_work(pool->wq, &pool->tidy_work, 0);
	return 0;
}

/* Returns when nobody reads any more, nor begins to. */
static void block_reads(struct cohort_pool *pool)
{
	WRITE_ONCE(pool->blocked, true);
	/* pairs with cohort_pool_read_begin() */
	smp_mb();
	wait_event(pool->wait, !atomic_read(&pool->reads));
}

int cohort_pool_activate(struct dm_table *table, struct block_device *bdev,
			 struct cohort_pool **ret, struct cohort_words *words)
{
	struct cohort_pool *pool = pool_of_table(table);
	int err;

	if (pool) {
		err = pool_resume(pool, table, bdev, words);
		cohort_pool_put(pool);
		*ret = err ? NULL : pool;
		return err;
	}
	pool = pool_alloc(table, bdev);
	if (!pool)
		return cohort_refuse(words, -ENOMEM, "no memory for the pool");
	err = pool_open(pool, words);
	if (err) {
		block_reads(pool);
		pool_stop(pool);
		cohort_pool_put(pool);
		return err;
	}
	*ret = pool;
	return 0;
}

void cohort_pool_suspend(struct cohort_pool *pool)
{
	if (READ_ONCE(pool->state) == COHORT_POOL_STATE_ACTIVE)
		WRITE_ONCE(pool->state, COHORT_POOL_STATE_SUSPENDED);
	block_reads(pool);
	cohort_log_stop(pool->log);
	flush_work(&pool->super_work);
}

/* Does a table of a source or an image still need it? Caller holds cohort_lock. */
static bool has_tables(const struct cohort_pool *pool)
{
	struct cohort_source *source;
	struct cohort_rel *rel;
	u32 i;

	list_for_each_entry(source, &pool->sources, list)
		if (source->opens)
			return true;
	list_for_each_entry(rel, &pool->rels, list)
		for (i = 0; i < rel->count; i++)
			if (rel->member[i].opens ||
			    (rel->member[i].copy && rel->member[i].copy->users))
				return true;
	return false;
}

/* Jobs that were accepted end first; no new one finds the pool. */
static void wait_for_jobs(struct cohort_pool *pool)
{
	cohort_log_resume(pool->log, pool->bdev);
	while (kref_read(&pool->kref) > 1)
		msleep(JOB_WAIT_MS);
}

/*
 * Clean only when nobody was left who could still need it: a table that is
 * torn from under its sources is a failed pool.
 */
void cohort_pool_deactivate(struct cohort_pool *pool)
{
	bool idle;

	WRITE_ONCE(pool->gone, true);
	wake_up_all(&pool->wait);
	mutex_lock(&cohort_lock);
	list_del_init(&pool->list);
	cohort_job_release(pool->name);
	idle = !has_tables(pool);
	cohort_notify(&(struct cohort_news) { .event = COHORT_EVENT_POOL_GONE, .pool = pool });
	mutex_unlock(&cohort_lock);
	if (idle)
		wait_for_jobs(pool);
	else
		cohort_log_fail(pool->log, -ENODEV);
	cohort_log_stop(pool->log);
	flush_work(&pool->fail_work);
	mutex_lock(&pool->super_mutex);
	if (idle && !READ_ONCE(pool->log->failed)) {
		pool->sb.flags |= COHORT_SB_CLEAN;
		/* where the log ends: a restart misses what is lost of it */
		pool->sb.next_seq = cohort_log_next_seq(pool->log);
		if (write_super(pool))
			pr_warn("%s: pool %s: could not be marked clean\n", DM_MSG_PREFIX,
				pool->name);
	}
	pool->bdev = NULL;
	mutex_unlock(&pool->super_mutex);
	cohort_runs_set_bdev(&pool->runs, NULL);
	pool_stop(pool);
	cohort_pool_put(pool);
}

/* The work may stand in line behind one that waits for the mutex. */
void cohort_pool_settle(struct cohort_pool *pool)
{
	lockdep_assert_held(&pool->catalog_mutex);
	if (!READ_ONCE(pool->log->failed))
		return;
	mutex_unlock(&pool->catalog_mutex);
	flush_work(&pool->fail_work);
	mutex_lock(&pool->catalog_mutex);
}

/* ---- image reads ---- */

bool cohort_pool_read_begin(struct cohort_pool *pool)
{
	atomic_inc(&pool->reads);
	/* pairs with cohort_pool_suspend() */
	smp_mb__after_atomic();
	if (!READ_ONCE(pool->blocked))
		return true;
	cohort_pool_read_end(pool);
	return false;
}

/* Nobody will resume it. */
static bool pool_lost(const struct cohort_pool *pool)
{
	return READ_ONCE(pool->gone) || READ_ONCE(pool->state) == COHORT_POOL_STATE_FAILED;
}

bool cohort_pool_read_begin_wait(struct cohort_pool *pool)
{
	while (!cohort_pool_read_begin(pool)) {
		wait_event(pool->wait, !READ_ONCE(pool->blocked) || pool_lost(pool));
		if (pool_lost(pool))
			return false;
	}
	return true;
}

void cohort_pool_read_end(struct cohort_pool *pool)
{
	if (atomic_dec_and_test(&pool->reads) && READ_ONCE(pool->blocked))
		wake_up_all(&pool->wait);
}
