// SPDX-License-Identifier: GPL-2.0-only
/* extend.c - takes the space into use by which the device of a pool has grown. */
#include <linux/blkdev.h>
#include <linux/err.h>
#include "job.h"
#include "log.h"
#include "pool.h"
#include "registry.h"

/* The segments are in use when the superblock has them: after a crash they are there or not. */
static int grow(struct cohort_pool *pool, u64 size, u32 nr)
{
	struct cohort_segments *segs = &pool->log->segs;
	struct cohort_segments_growth *growth = cohort_segments_grow_begin(segs, nr);
	int err;

	if (IS_ERR(growth))
		return PTR_ERR(growth);
	err = cohort_pool_set_size(pool, size, nr);
	if (err)
		cohort_segments_grow_abort(segs, growth);
	else
		cohort_segments_grow_end(segs, growth);
	return err;
}

/* No suspend meanwhile, so that the device is the one that was measured. */
static int extend(struct cohort_pool *pool, struct cohort_words *words)
{
	u64 size = round_down(bdev_nr_bytes(pool->bdev), COHORT_BLOCK);
	u64 nr = cohort_super_capacity(&pool->sb, size);
	int err;

	lockdep_assert_held(&pool->catalog_mutex);
	if (nr <= pool->log->segs.nr)
		return cohort_refuse(words, -EINVAL,
				     "the device of pool \"%s\" has %llu bytes, no room for another segment of %u",
				     pool->name, size, pool->sb.segment_size);
	err = grow(pool, size, nr);
	if (err)
		cohort_refuse(words, err, "the table of pool \"%s\" could not be extended",
			      pool->name);
	else
		cohort_pool_has_grown(pool);
	return err;
}

static int run_extend(struct cohort_job *job)
{
	struct cohort_pool *pool = job->data;
	int err;

	/* first: who reads may wait for the mutex, and a suspend waits for who reads */
	if (!cohort_pool_read_begin_wait(pool)) {
		err = cohort_refuse(&job->words, -EIO, "pool \"%s\" has gone", pool->name);
	} else {
		mutex_lock(&pool->catalog_mutex);
		err = extend(pool, &job->words);
		mutex_unlock(&pool->catalog_mutex);
		cohort_pool_read_end(pool);
	}
	if (!err) {
		mutex_lock(&cohort_lock);
		cohort_notify(&(struct cohort_news) {
			.event = COHORT_EVENT_POOL_GROWN, .pool = pool,
		});
		cohort_pool_look(pool);
		mutex_unlock(&cohort_lock);
	}
	cohort_pool_put(pool);
	return err;
}

struct cohort_job *cohort_pool_job(const char *name, u32 method,
				   int (*run)(struct cohort_job *job), bool controllable,
				   struct cohort_words *words)
{
	struct cohort_pool *pool = cohort_find_pool(name);
	struct cohort_job *job;

	lockdep_assert_held(&cohort_lock);
	if (!pool)
		return ERR_PTR(cohort_refuse(words, -ENOENT, "there is no pool \"%s\"", name));
	if (READ_ONCE(pool->state) == COHORT_POOL_STATE_FAILED)
		return ERR_PTR(cohort_refuse(words, -EIO, "pool \"%s\" has failed: %s", name,
					     pool->reason));
	job = cohort_job_new(method, 0, run, pool);
	if (!job)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the job"));
	strscpy(job->pool, pool->name, sizeof(job->pool));
	job->controllable = controllable;
	cohort_pool_get(pool);
	cohort_job_start(job);
	return job;
}

struct cohort_job *cohort_pool_extend(const char *name, struct cohort_words *words)
{
	return cohort_pool_job(name, COHORT_METHOD_POOL_EXTEND, run_extend, false, words);
}
