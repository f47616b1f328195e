// SPDX-License-Identifier: GPL-2.0-only
/*
 * tidy.c - keeps the index small: flushes it to runs, merges them, has them counted.
 *
 * A flush takes what the log in front of its oldest batch under way says out of
 * the index. First the run is durable, then the index segments of it are in the
 * catalog that lies behind the new log_start, then both superblocks have that;
 * and only then an entry leaves the index, for the list of runs had the run
 * before. So a look that asks the index first and the runs then finds it, and a
 * restart finds either the log or the run, and the catalog in any case.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/mm.h>
#include <linux/sort.h>
#include "catalog.h"
#include "clean.h"
#include "index.h"
#include "live.h"
#include "log.h"
#include "lookup.h"
#include "merge.h"
#include "recount.h"
#include "run-out.h"
#include "source.h"

/* As many runs of about one size are worth a merge. */
#define MERGE_LEAST	8
#define RETRY		HZ

static unsigned int index_memory = 64;
module_param(index_memory, uint, 0644);
MODULE_PARM_DESC(index_memory, "MiB of memory for the index of a pool, read when it is opened");

static unsigned int flush_log = 32;
module_param(flush_log, uint, 0644);
MODULE_PARM_DESC(flush_log, "MiB of log behind which a pool of more than twice of that flushes its index, read when it is opened");

void cohort_pool_tidy_limits(struct cohort_pool *pool)
{
	u64 most = pool->index_limit / 4 / cohort_index_entry_size();

	/* the log of a small pool is read soon, and its index is small */
	if (pool->sb.size <= 2 * pool->flush_log)
		return;
	WRITE_ONCE(pool->flush_uses, max(pool->flush_log / pool->sb.segment_size, 1ull));
	WRITE_ONCE(pool->flush_entries, most / 2);
	WRITE_ONCE(pool->index_most, most);
}

int cohort_pool_tidy_init(struct cohort_pool *pool)
{
	pool->index_limit = (u64)max(READ_ONCE(index_memory), 1u) << 20;
	pool->flush_log = (u64)max(READ_ONCE(flush_log), 1u) << 20;
	pool->index_most = U64_MAX;
	pool->flush_entries = U64_MAX;
	pool->flush_uses = U64_MAX;
	cohort_pool_tidy_limits(pool);
	return cohort_runs_init(&pool->runs, &pool->sb, pool->index_limit / 4 * 3);
}

static bool flush_due(struct cohort_pool *pool)
{
	u64 next = cohort_log_used(pool->log);
	u64 start = max(READ_ONCE(pool->sb.log_start), 1ull);

	return (next > start && next - start > READ_ONCE(pool->flush_uses)) ||
		cohort_index_count(pool->index) > READ_ONCE(pool->flush_entries);
}

/* Not of a pool that goes. */
static void queue_tidy(struct cohort_pool *pool, unsigned long delay)
{
	struct workqueue_struct *wq = READ_ONCE(pool->wq);

	if (wq && !READ_ONCE(pool->gone))
		mod_delayed_work(wq, &pool->tidy_work, delay);
}

void cohort_pool_tidy_look(struct cohort_pool *pool)
{
	if (flush_due(pool) || cohort_clean_due(pool))
		queue_tidy(pool, 0);
}

bool cohort_pool_index_has_room(struct cohort_pool *pool)
{
	if (cohort_index_count(pool->index) < READ_ONCE(pool->index_most) ||
	    READ_ONCE(pool->flush_blocked))
		return true;
	cohort_pool_tidy_look(pool);
	return false;
}

void cohort_pool_tidy_wait(struct cohort_pool *pool)
{
	flush_delayed_work(&pool->tidy_work);
}

bool cohort_pool_block_flush(struct cohort_pool *pool, bool block)
{
	bool was = pool->flush_blocked;

	lockdep_assert_held(&pool->tidy_mutex);
	WRITE_ONCE(pool->flush_blocked, block);
	return was;
}

/* ---- flush ---- */

struct flush {
	struct cohort_pool *pool;
	u64 start;			/* the log begins there */
	struct cohort_index_node **node;
	u64 nr;
	struct cohort_run_out out;
};

static bool is_older(void *ctx, const struct cohort_index_node *node)
{
	struct flush *f = ctx;
	struct cohort_segments *segs = &f->pool->log->segs;
	struct cohort_segment_entry entry;
	u64 addr;

	cohort_index_node_damaged(node, &addr);
	cohort_segments_entry(segs, cohort_segment_of(segs, addr), &entry);
	return entry.seq < f->start;
}

static int node_cmp(const void *a, const void *b)
{
	const struct cohort_index_node *x = *(void *const *)a, *y = *(void *const *)b;
	const struct cohort_run_key k = { x->source, x->chunk, x->epoch };
	const struct cohort_run_key l = { y->source, y->chunk, y->epoch };

	return cohort_run_key_cmp(&k, &l);
}

/* What was written to images is not taken from the index when it is written anew. */
static void set_collected(struct cohort_pool *pool, bool collected)
{
	cohort_log_hold(pool->log);
	pool->collected = collected;
	cohort_log_release(pool->log);
}

/* What comes in meanwhile is of younger segments. */
static int collect(struct flush *f)
{
	u64 most = cohort_index_count(f->pool->index);

	f->node = kvmalloc_array(most + 1, sizeof(*f->node), GFP_NOIO);
	if (!f->node)
		return -ENOMEM;
	f->nr = cohort_index_collect(f->pool->index, is_older, f, f->node, most);
	sort(f->node, f->nr, sizeof(*f->node), node_cmp, NULL);
	return 0;
}

static int write_run(struct flush *f)
{
	int err = cohort_run_out_begin(&f->out, f->pool, f->nr, f->pool->sb.log_start, f->start,
				       0);
	u64 i;

	for (i = 0; i < f->nr && !err; i++) {
		const struct cohort_index_node *n = f->node[i];
		struct cohort_run_entry entry = {
			.key = { n->source, n->chunk, n->epoch },
			.crc = n->crc, .unreadable = n->unreadable,
		};

		cohort_index_node_damaged(n, &entry.addr);
		err = cohort_run_out_add(&f->out, &entry);
		cond_resched();
	}
	return err ? err : cohort_run_out_end(&f->out);
}

/* Lookups find them in the run from now on. */
static void take_out(struct flush *f)
{
	u64 i, addr;

	for (i = 0; i < f->nr; i++) {
		struct cohort_index_node *n = f->node[i];

		if (cohort_index_node_damaged(n, &addr))
			cohort_pool_note_damage(f->pool, n->source, n->chunk, n->epoch, addr);
		/* nobody else takes entries out meanwhile: whoever did has counted it, too */
		if (!WARN_ON_ONCE(!cohort_index_remove(f->pool->index, n)))
			cohort_segments_to_runs(&f->pool->log->segs, addr);
		cond_resched();
	}
}

/*
 * The catalog goes where the log begins now, and the superblocks with it. If
 * they could not be written, nobody knows which of the two a restart will find.
 */
static int publish(struct flush *f)
{
	struct cohort_pool *pool = f->pool;
	struct cohort_runs_item *item = f->nr ? f->out.item : NULL;
	int err;

	if (item)
		cohort_runs_add(&pool->runs, item);
	err = cohort_catalog_checkpoint_from(pool, f->start);
	if (!err)
		return 0;
	if (err != -ENOMEM && err != -ENOSPC) {
		cohort_log_fail(pool->log, err);
		return 0;
	}
	if (item)
		cohort_runs_del(&pool->runs, item);
	return err;
}

static int flush_older(struct flush *f)
{
	int err = collect(f);

	/* the segments that are older have their lengths in the table, for nobody looks for them */
	if (!err)
		err = cohort_segments_sync(&f->pool->log->segs);
	if (err)
		return err;
	if (!f->nr)
		return publish(f);
	err = write_run(f);
	if (!err)
		err = publish(f);
	if (err) {
		cohort_run_out_abort(&f->out);
		return err;
	}
	cohort_run_out_commit(&f->out);
	take_out(f);
	return 0;
}

static int flush(struct cohort_pool *pool)
{
	struct flush f = {
		.pool = pool, .start = cohort_log_oldest_use(pool->log, pool->sb.log_start),
	};
	int err;

	lockdep_assert_held(&pool->catalog_mutex);
	if (f.start <= pool->sb.log_start)
		return 0;
	cohort_pool_prune_index(pool);
	set_collected(pool, true);
	err = flush_older(&f);
	set_collected(pool, false);
	kvfree(f.node);
	cohort_segments_reclaim(&pool->log->segs, pool->sb.catalog_seq);
	cohort_log_kick(pool->log);
	return err;
}

/*
 * Where no segment is left for a run, little is left for old chunks either: so
 * the index may grow over its limit by what still fits, until the pool is full.
 */
static void tidy_index(struct cohort_pool *pool)
{
	int err = -EAGAIN;

	if (!flush_due(pool))
		return;
	mutex_lock(&pool->catalog_mutex);
	if (cohort_pool_read_begin(pool)) {
		err = flush(pool);
		cohort_pool_read_end(pool);
	}
	cohort_pool_block_flush(pool, err == -ENOSPC);
	mutex_unlock(&pool->catalog_mutex);
	/* what can not be written to a run can not be written to the log either */
	if (err && err != -EAGAIN && err != -ENOMEM && err != -ENOSPC)
		cohort_log_fail(pool->log, err);
}

/* ---- runs ---- */

static int tidy_count(struct cohort_pool *pool)
{
	struct cohort_recount rc;
	int err = cohort_recount_scan(&rc, pool);

	if (!err) {
		mutex_lock(&pool->catalog_mutex);
		err = cohort_recount_apply(&rc);
		mutex_unlock(&pool->catalog_mutex);
	}
	cohort_recount_free(&rc);
	return err;
}

/* One of which nothing is needed, or less than half; NULL: there is none. */
static struct cohort_runs_item *hollow_run(struct cohort_pool *pool)
{
	struct cohort_runs_item *item;

	list_for_each_entry(item, &pool->runs.list, list)
		if (item->needed < item->run.entries / 2 || !item->needed)
			return item;
	return NULL;
}

/* How many of the newest, from *@first on, are of about one size. */
static u32 alike_runs(struct cohort_pool *pool, struct cohort_runs_item **first)
{
	struct cohort_runs_item *item;
	u64 sum = 0;
	u32 n = 0;

	list_for_each_entry_reverse(item, &pool->runs.list, list) {
		if (n && item->run.entries > 2 * sum)
			break;
		sum += item->run.entries;
		*first = item;
		n++;
	}
	return n;
}

static int tidy_hollow(struct cohort_pool *pool)
{
	struct cohort_runs_item *item;
	int err = 0;

	while (!err && (item = hollow_run(pool)))
		err = item->needed ? cohort_merge_runs(pool, item, 1) :
			cohort_merge_drop(pool, item);
	return err;
}

static int tidy_runs(struct cohort_pool *pool)
{
	struct cohort_runs_item *first;
	int err = 0;
	u32 nr;

	if (READ_ONCE(pool->count_stale))
		err = tidy_count(pool);
	if (!err)
		err = tidy_hollow(pool);
	nr = err ? 0 : alike_runs(pool, &first);
	return nr >= MERGE_LEAST ? cohort_merge_runs(pool, first, nr) : err;
}

/* What lacks memory is tried again; a pool that was suspended comes back to it by itself. */
static void after_failure(struct cohort_pool *pool, int err)
{
	if (err == -ENOMEM)
		queue_tidy(pool, RETRY);
	else if (err && err != -EAGAIN && err != -ENOSPC && !READ_ONCE(pool->log->failed))
		pr_warn_ratelimited("%s: pool %s could not be tidied: %d\n",
				    DM_MSG_PREFIX, pool->name, err);
}

/* ---- space ---- */

/* One segment at a time: what it moves is in the index, which may have to be flushed then. */
static void tidy_space(struct cohort_pool *pool)
{
	int ret;

	if (!cohort_clean_due(pool) || READ_ONCE(pool->log->failed) ||
	    !cohort_pool_read_begin(pool))
		return;
	ret = cohort_clean_segment(pool, READ_ONCE(pool->sb.catalog_seq));
	cohort_pool_read_end(pool);
	cohort_log_kick(pool->log);
	if (ret > 0)
		queue_tidy(pool, 0);
	else if (ret)
		after_failure(pool, ret);
}

void cohort_pool_tidy(struct work_struct *work)
{
	struct cohort_pool *pool = container_of(work, struct cohort_pool, tidy_work.work);
	unsigned int noio = memalloc_noio_save();

	mutex_lock(&pool->tidy_mutex);
	if (!READ_ONCE(pool->log->failed))
		tidy_index(pool);
	/* what the last run kept is free when it is counted that nothing does */
	if ((READ_ONCE(pool->runs.nr) || READ_ONCE(pool->count_stale)) &&
	    !READ_ONCE(pool->log->failed) && cohort_pool_read_begin(pool)) {
		bool blocked = cohort_pool_block_flush(pool, true);

		after_failure(pool, tidy_runs(pool));
		cohort_pool_block_flush(pool, blocked);
		cohort_pool_read_end(pool);
	}
	tidy_space(pool);
	mutex_unlock(&pool->tidy_mutex);
	memalloc_noio_restore(noio);
}
