// SPDX-License-Identifier: GPL-2.0-only
/* watch.c - what a pool does by itself: warns of little space, keeps limits, ends retention. */
#include <linux/device-mapper.h>
#include <linux/moduleparam.h>
#include <linux/sched/mm.h>
#include <linux/timekeeping.h>
#include "catalog.h"
#include "log.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"

/* How far a relationship can get past its limit is what is written in this time. */
#define LIMIT_EVERY	(HZ / 4)
/* An image in use keeps its relationship: asked for again so often. */
#define EXPIRED_EVERY	(60 * HZ)
#define NEVER		MAX_JIFFY_OFFSET
/* Percent above the mark at which the warning may come again. */
#define LOW_HYSTERESIS	5

#define LOW_MARKS	8
static unsigned int low_water[LOW_MARKS] = { 20, 10, 5 };
static unsigned int nr_low_water = 3;
module_param_array(low_water, uint, &nr_low_water, 0644);
MODULE_PARM_DESC(low_water, "Percents of free space below each of which a pool tells that it is low");

/* The lowest mark that, with @extra percent on top, is above what is free; 0: none. */
static u32 mark_above(u64 free, u64 nr, u32 extra)
{
	u32 mark, lowest = 0;
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, READ_ONCE(nr_low_water), LOW_MARKS); i++) {
		mark = min(READ_ONCE(low_water[i]), 100u);
		if (free * 100 < nr * (mark + extra) && (!lowest || mark < lowest))
			lowest = mark;
	}
	return lowest;
}

static void watch_space(struct cohort_pool *pool)
{
	u64 nr = pool->log->segs.nr, free = cohort_segments_free(&pool->log->segs);
	u32 mark = mark_above(free, nr, 0), keep = mark_above(free, nr, LOW_HYSTERESIS);

	lockdep_assert_held(&cohort_lock);
	/* forgotten when there is clearly more again */
	if (pool->low_told && (!keep || keep > pool->low_told))
		pool->low_told = keep;
	if (!mark || (pool->low_told && mark >= pool->low_told))
		return;
	pool->low_told = mark;
	cohort_notify(&(struct cohort_news) { .event = COHORT_EVENT_POOL_LOW, .pool = pool });
}

static bool over_limit(const struct cohort_rel *rel)
{
	return rel->space_limit && cohort_rel_space(rel) > rel->space_limit;
}

/* Referenced; *@limited: some relationship has a limit. */
static struct cohort_rel *find_over_limit(struct cohort_pool *pool, bool *limited)
{
	struct cohort_rel *rel, *over = NULL;

	mutex_lock(&cohort_lock);
	list_for_each_entry(rel, &pool->rels, list) {
		/* what a job is at is looked at when it has ended */
		if (rel->pending || rel->busy || !cohort_rel_holds_cut(rel))
			continue;
		*limited |= rel->space_limit;
		if (!over && over_limit(rel))
			over = rel;
	}
	if (over)
		cohort_rel_get(over);
	mutex_unlock(&cohort_lock);
	return over;
}

/* Breaks what is over its limit; true when some relationship has one. Holds catalog_mutex. */
static bool watch_limits(struct cohort_pool *pool)
{
	struct cohort_rel *over;
	bool limited = false;
	int err = 0;

	lockdep_assert_held(&pool->catalog_mutex);
	while (!err && (over = find_over_limit(pool, &limited))) {
		err = cohort_catalog_break(pool, over, "its space limit was reached");
		cohort_rel_put(over);
		if (!err)
			cohort_pool_prune(pool);
	}
	return limited;
}

/*
 * Of what runs say there is an upper bound of the space alone: nothing breaks by
 * that. As cohort_pool_recount().
 */
static int count_space(struct cohort_pool *pool)
{
	struct cohort_rel *over;
	bool limited = false;
	int err;

	over = READ_ONCE(pool->runs.nr) ? find_over_limit(pool, &limited) : NULL;
	if (!over)
		return 0;
	cohort_rel_put(over);
	mutex_lock(&pool->tidy_mutex);
	mutex_lock(&pool->catalog_mutex);
	err = cohort_pool_recount(pool);
	mutex_unlock(&pool->catalog_mutex);
	mutex_unlock(&pool->tidy_mutex);
	return err;
}

/* Jiffies until @rel's time is over, 0: it is. */
static unsigned long time_left(const struct cohort_rel *rel)
{
	u64 now = ktime_get_real_ns(), end;

	if (!rel->remove_after || !rel->when || rel->remove_after > U64_MAX / NSEC_PER_SEC / 2)
		return NEVER;
	end = rel->when + rel->remove_after * NSEC_PER_SEC;
	return end <= now ? 0 : min_t(u64, nsecs_to_jiffies64(end - now) + 1, NEVER);
}

/*
 * Deletes it as the tool would. While an image is there, which somebody may be
 * reading, it stays, and user space is told so that it can take the image away.
 */
static unsigned long expire(struct cohort_rel *rel)
{
	struct cohort_words words = { };

	if (!IS_ERR(cohort_rel_modify(rel->name, COHORT_OPERATION_RETURN_TO_POOL, false, &words)))
		return NEVER;
	cohort_notify(&(struct cohort_news) {
		.event = COHORT_EVENT_REL_EXPIRED, .pool = rel->pool, .rel = rel,
		.group = rel->source_group,
	});
	return EXPIRED_EVERY;
}

/* Ends what has been kept long enough; jiffies until there may be more to do. */
static unsigned long watch_time(struct cohort_pool *pool)
{
	struct cohort_rel *rel;
	unsigned long next = NEVER;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(rel, &pool->rels, list) {
		unsigned long left = rel->pending || rel->busy ? NEVER : time_left(rel);

		next = min(next, left ? left : expire(rel));
	}
	return next;
}

void cohort_pool_watch(struct work_struct *work)
{
	struct cohort_pool *pool = container_of(work, struct cohort_pool, watch_work.work);
	unsigned int noio = memalloc_noio_save();
	unsigned long next = NEVER;
	bool limited = true;

	/* its log stops behind this, or has been: the resume comes back to it */
	if (!cohort_pool_read_begin(pool))
		goto out;
	if (!READ_ONCE(pool->log->failed) && !count_space(pool)) {
		mutex_lock(&pool->catalog_mutex);
		limited = watch_limits(pool);
		mutex_unlock(&pool->catalog_mutex);
	}
	cohort_pool_read_end(pool);
	if (READ_ONCE(pool->log->failed))
		goto out;
	mutex_lock(&cohort_lock);
	/* one that was closed starts nothing any more */
	if (!list_empty(&pool->list)) {
		watch_space(pool);
		next = watch_time(pool);
		if (limited)
			next = min_t(unsigned long, next, LIMIT_EVERY);
		if (next != NEVER)
			queue_delayed_work(pool->wq, &pool->watch_work, next);
	}
	mutex_unlock(&cohort_lock);
out:
	memalloc_noio_restore(noio);
}
