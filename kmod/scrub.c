// SPDX-License-Identifier: GPL-2.0-only
/*
 * scrub.c - damage of a pool in use: told of and counted; the log read and verified.
 *
 * What it reads may be reclaimed and written anew meanwhile, or be under way.
 * So a chunk is damaged only if the index still has its entry behind a second
 * look at the disk, and a batch only if its segment is still what it was.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "job.h"
#include "log.h"
#include "lookup.h"
#include "merge.h"
#include "pool.h"
#include "registry.h"

void cohort_pool_tell_damage(struct work_struct *work)
{
	struct cohort_pool *pool = container_of(work, struct cohort_pool, damage_work);

	mutex_lock(&cohort_lock);
	cohort_notify(&(struct cohort_news) { .event = COHORT_EVENT_POOL_DAMAGED, .pool = pool });
	mutex_unlock(&cohort_lock);
}

#define SCRUB_PAUSE_MS	100

struct scrub {
	struct cohort_pool *pool;
	u8 *buf;			/* a segment */
	u64 done;			/* bytes of runs and of segments that have batches */
	u64 total;			/* as it was in the beginning, or more by now */
	u64 batches;			/* damaged ones */
	u64 runs;
};

static int read_at(struct scrub *s, u64 addr, void *buf, u32 len)
{
	return cohort_bdev_rw(s->pool->bdev, REQ_OP_READ, addr, buf, len);
}

static bool promised(struct scrub *s, const struct cohort_preserve *p, u64 addr)
{
	struct cohort_mapping map;

	return cohort_pool_lookup(s->pool, p->source, p->chunk, p->epoch, COHORT_LOOK_READ,
				  &map) == 1 && map.epoch == p->epoch && map.addr == addr;
}

/* Its data was not as promised, or not readable; @buf has room for it. */
static void suspect(struct scrub *s, const struct cohort_preserve *p, u64 addr, void *buf)
{
	u32 len = s->pool->sb.chunk_size;

	if (!promised(s, p, addr))
		return;
	if (!read_at(s, addr, buf, len) && cohort_crc32c(~0u, buf, len) == p->crc)
		return;
	/* the entry is looked for once more, under its lock */
	cohort_pool_damaged(s->pool, p->source, p->chunk, p->epoch, addr);
}

static void scrub_chunks(struct scrub *s, const struct cohort_batch *b, u8 *block, int err)
{
	u32 i, len = s->pool->sb.chunk_size;
	struct cohort_preserve p;

	for (i = 0; i < b->count; i++) {
		u8 *data = block + COHORT_BLOCK + i * len;

		cohort_preserve_decode(block, i, &p);
		if (err || cohort_crc32c(~0u, data, len) != p.crc)
			suspect(s, &p, b->address + COHORT_BLOCK + i * len, data);
	}
}

/* False: a record that is not whole. */
static bool scrub_batch(struct scrub *s, const struct cohort_batch *b, u8 *block)
{
	const u8 *records = ((struct cohort_disk_batch *)block)->payload;
	int err = 0;

	if (b->data_len) {
		err = read_at(s, b->address + COHORT_BLOCK, block + COHORT_BLOCK, b->data_len);
		records = block + COHORT_BLOCK;
	}
	if (cohort_batch_has_chunks(b->kind))
		scrub_chunks(s, b, block, err);
	else if (err || cohort_crc32c(~0u, records, b->count) != b->data_crc)
		return false;
	return true;
}

/* Where the batches of @seg end that are whole. */
static u32 scrub_batches(struct scrub *s, u32 seg, const struct cohort_segment_entry *entry)
{
	u32 size = s->pool->sb.segment_size, limit = entry->length ? entry->length : size, at = 0;
	u64 start = cohort_segment_start(&s->pool->log->segs, seg);
	struct cohort_batch b;

	while (at + COHORT_BLOCK <= limit) {
		if (read_at(s, start + at, s->buf, COHORT_BLOCK) ||
		    cohort_batch_decode(s->pool->seed, start + at, limit - at,
					s->pool->sb.chunk_size, s->buf, &b) ||
		    b.nonce != entry->nonce || b.seq < entry->min_seq ||
		    !scrub_batch(s, &b, s->buf))
			break;
		at += COHORT_BLOCK + b.data_len;
		cond_resched();
	}
	return at;
}

static bool has_batches(struct scrub *s, u32 seg, struct cohort_segment_entry *entry)
{
	return cohort_segments_entry(&s->pool->log->segs, seg, entry) &&
		cohort_segment_has_batches(entry->kind);
}

static void scrub_segment(struct scrub *s, u32 seg)
{
	struct cohort_segments *segs = &s->pool->log->segs;
	struct cohort_segment_entry entry, now;
	u32 end;

	if (!has_batches(s, seg, &entry))
		return;
	end = scrub_batches(s, seg, &entry);
	s->done += segs->size;
	/* an open one ends where it ends */
	if (!entry.length || end == entry.length)
		return;
	if (!cohort_segments_entry(segs, seg, &now) || now.seq != entry.seq)
		return;
	s->batches++;
	pr_err("%s: pool %s: the batch at byte %llu is damaged\n", DM_MSG_PREFIX, s->pool->name,
	       cohort_segment_start(segs, seg) + end);
}

static u64 run_bytes(const struct cohort_runs_item *item)
{
	return (u64)item->run.blocks * COHORT_BLOCK;
}

/* What there is to read now; by the time it is read it may be more, or less. */
static u64 count_bytes(struct scrub *s)
{
	struct cohort_pool *pool = s->pool;
	struct cohort_segment_entry entry;
	struct cohort_runs_item *item;
	u64 bytes = 0;
	u32 seg;

	mutex_lock(&pool->tidy_mutex);
	list_for_each_entry(item, &pool->runs.list, list)
		bytes += run_bytes(item);
	mutex_unlock(&pool->tidy_mutex);
	for (seg = 0; seg < READ_ONCE(pool->log->segs.nr); seg++)
		if (has_batches(s, seg, &entry))
			bytes += pool->log->segs.size;
	return bytes;
}

static void advance(struct scrub *s, struct cohort_job *job)
{
	s->total = max(s->total, s->done);
	cohort_job_advance(job, s->done, s->total);
}

/* The one with the smallest id above @id. */
static struct cohort_runs_item *next_run(struct cohort_pool *pool, u32 id)
{
	struct cohort_runs_item *item, *next = NULL;

	lockdep_assert_held(&pool->tidy_mutex);
	list_for_each_entry(item, &pool->runs.list, list)
		if (item->run.id > id && (!next || item->run.id < next->run.id))
			next = item;
	return next;
}

static int read_run(struct cohort_pool *pool, struct cohort_runs_item *item)
{
	struct cohort_run_entry entry;
	struct cohort_merge m;
	u64 n = 0;
	int ret = cohort_merge_open(&m, pool, item, 1);

	while (!ret && (ret = cohort_merge_next(&m, &entry, &item)) == 1) {
		n++;
		ret = READ_ONCE(pool->log->full_told) ? -ENOSPC : 0;
	}
	cohort_merge_close(&m);
	return ret || n == item->run.entries ? ret : -EUCLEAN;
}

/* 1, and *@id is that of the run that was read; 0: there is none. Else as cohort_merge_next(). */
static int scrub_run(struct scrub *s, u32 *id)
{
	struct cohort_pool *pool = s->pool;
	struct cohort_runs_item *item = next_run(pool, *id);
	int err;

	if (!item)
		return 0;
	err = read_run(pool, item);
	if (err == -EUCLEAN || err == -EIO) {
		s->runs++;
		pr_err("%s: pool %s: index run %u is damaged\n", DM_MSG_PREFIX, pool->name,
		       item->run.id);
		err = 0;
	}
	if (err)
		return err;
	*id = item->run.id;
	s->done += run_bytes(item);
	return 1;
}

/* As cohort_pool_read_begin_wait(), unless the job is suspended or has to end. */
static int try_piece(struct cohort_pool *pool, struct cohort_job *job)
{
	int err;

	if (READ_ONCE(pool->gone) || !cohort_pool_read_begin_wait(pool))
		return cohort_refuse(&job->words, -EIO, "pool \"%s\" has gone", pool->name);
	/* asked behind the wait, which may have been a long one */
	if (!READ_ONCE(job->request))
		return 0;
	cohort_pool_read_end(pool);
	err = cohort_job_go_on(job);
	return err ? err : -EAGAIN;
}

static int begin_piece(struct cohort_pool *pool, struct cohort_job *job)
{
	int err;

	do
		err = try_piece(pool, job);
	while (err == -EAGAIN);
	return err;
}

/* Nobody changes them meanwhile, and none is flushed: the index may grow by what comes. */
static int scrub_runs(struct scrub *s, struct cohort_job *job)
{
	struct cohort_pool *pool = s->pool;
	bool blocked;
	u32 id = 0;
	int ret = 1;

	while (ret) {
		ret = begin_piece(pool, job);
		if (ret)
			return ret;
		mutex_lock(&pool->tidy_mutex);
		blocked = cohort_pool_block_flush(pool, true);
		ret = scrub_run(s, &id);
		cohort_pool_block_flush(pool, blocked);
		mutex_unlock(&pool->tidy_mutex);
		cohort_pool_read_end(pool);
		advance(s, job);
		if (ret == -ENOMEM)
			return cohort_refuse(&job->words, ret, "no memory for a run");
		/* it is to be suspended, or somebody has to make room */
		if (ret < 0)
			msleep(SCRUB_PAUSE_MS);
	}
	return 0;
}

static int scrub(struct scrub *s, struct cohort_job *job)
{
	struct cohort_pool *pool = s->pool;
	int err;
	u32 seg;

	s->total = count_bytes(s);
	advance(s, job);
	err = scrub_runs(s, job);
	/* it grows at its end only */
	for (seg = 0; !err && seg < READ_ONCE(pool->log->segs.nr); seg++) {
		err = begin_piece(pool, job);
		if (err)
			break;
		scrub_segment(s, seg);
		cohort_pool_read_end(pool);
		advance(s, job);
	}
	if (err)
		return err;
	s->total = s->done;
	advance(s, job);
	if (!s->batches && !s->runs && !atomic64_read(&pool->damaged))
		return 0;
	return cohort_refuse(&job->words, -EUCLEAN,
			     "pool \"%s\" has %llu damaged chunks and %llu damaged batches, %llu damaged index runs",
			     pool->name, (u64)atomic64_read(&pool->damaged), s->batches, s->runs);
}

static int run_scrub(struct cohort_job *job)
{
	struct scrub s = { .pool = job->data };
	int err;

	s.buf = kvmalloc(s.pool->sb.segment_size, GFP_KERNEL);
	if (s.buf)
		err = scrub(&s, job);
	else
		err = cohort_refuse(&job->words, -ENOMEM, "no memory for a segment");
	kvfree(s.buf);
	cohort_pool_put(s.pool);
	return err;
}

struct cohort_job *cohort_pool_scrub(const char *name, struct cohort_words *words)
{
	struct cohort_job *job = cohort_job_of_pool(COHORT_METHOD_POOL_SCRUB, name);

	if (job)
		return ERR_PTR(cohort_refuse(words, -EBUSY,
					     "pool \"%s\" is being scrubbed by job %llu",
					     name, job->id));
	return cohort_pool_job(name, COHORT_METHOD_POOL_SCRUB, run_scrub, true, words);
}
