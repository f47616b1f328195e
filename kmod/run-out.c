// SPDX-License-Identifier: GPL-2.0-only
/* run-out.c - writes a new run behind the last one, into index segments. */
#include <linux/blkdev.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include "log.h"
#include "registry.h"
#include "run-out.h"

#define GATHER_SIZE (64u << 10)

static u32 blocks_per_segment(const struct cohort_pool *pool)
{
	return pool->sb.segment_size / COHORT_BLOCK;
}

static int write_gathered(struct cohort_run_out *out)
{
	int err = 0;

	if (out->len)
		err = cohort_bdev_rw(out->pool->bdev, REQ_OP_WRITE, out->addr, out->gather,
				     out->len);
	out->len = 0;
	return err;
}

static int emit(void *ctx, u32 block, const void *data)
{
	struct cohort_run_out *out = ctx;
	u64 addr = cohort_run_address(&out->item->run, &out->pool->sb, block);
	int err = 0;

	if (out->len == GATHER_SIZE || addr != out->addr + out->len)
		err = write_gathered(out);
	if (!out->len)
		out->addr = addr;
	memcpy(out->gather + out->len, data, COHORT_BLOCK);
	out->len += COHORT_BLOCK;
	return err;
}

static u32 new_id(struct cohort_pool *pool)
{
	u32 id;

	mutex_lock(&cohort_lock);
	id = pool->next_id++;
	mutex_unlock(&cohort_lock);
	return id;
}

/*
 * Their entries are durable before a block is written: until then a restart
 * might take what is in them for a part of the log.
 */
static int take_segments(struct cohort_run_out *out, u64 entries, u32 spare)
{
	struct cohort_pool *pool = out->pool;
	u32 start = pool->place.there ? pool->place.block : 0, keep;
	u64 count = div_u64(start + cohort_run_blocks(entries) + blocks_per_segment(pool) - 1,
			    blocks_per_segment(pool));
	int err;

	if (count > pool->log->segs.nr)
		return -ENOSPC;
	keep = 2 * COHORT_RESERVED_SEGMENTS + (spare ? pool->log->segs.nr / spare : 0);
	out->item = cohort_runs_new(count);
	if (!out->item)
		return -ENOMEM;
	out->kept = pool->place.there;
	if (out->kept)
		out->item->run.segment[0] = pool->place.segment;
	out->item->run.start = start;
	err = cohort_segments_take_index(&pool->log->segs, count - out->kept, keep,
					 COHORT_SEGMENT_INDEX, pool->log->nonce,
					 out->item->run.segment + out->kept);
	if (err)
		return err;
	out->taken = count;
	return cohort_segments_sync(&pool->log->segs);
}

int cohort_run_out_begin(struct cohort_run_out *out, struct cohort_pool *pool, u64 entries,
			 u64 from, u64 to, u32 spare)
{
	int err;

	lockdep_assert_held(&pool->tidy_mutex);
	memset(out, 0, sizeof(*out));
	out->pool = pool;
	out->gather = kvmalloc(GATHER_SIZE, GFP_NOIO);
	out->builder.buf = kvmalloc(COHORT_RUN_LEVELS * COHORT_BLOCK, GFP_NOIO);
	if (!out->gather || !out->builder.buf)
		return -ENOMEM;
	err = take_segments(out, entries, spare);
	if (err)
		return err;
	out->item->run.id = new_id(pool);
	out->item->run.from = from;
	out->item->run.to = to;
	out->builder.run = &out->item->run;
	out->builder.sb = &pool->sb;
	out->builder.seed = pool->seed;
	out->builder.emit = emit;
	out->builder.ctx = out;
	return 0;
}

int cohort_run_out_add(struct cohort_run_out *out, const struct cohort_run_entry *entry)
{
	return cohort_run_add(&out->builder, entry);
}

int cohort_run_out_end(struct cohort_run_out *out)
{
	struct cohort_run *run = &out->item->run;
	int err = cohort_run_finish(&out->builder);

	if (!err)
		err = write_gathered(out);
	if (!err)
		err = cohort_disk_error(blkdev_issue_flush(out->pool->bdev));
	if (!err)
		run->count = DIV_ROUND_UP(run->start + run->blocks, blocks_per_segment(out->pool));
	return err;
}

static void free_buffers(struct cohort_run_out *out)
{
	kvfree(out->gather);
	kvfree(out->builder.buf);
}

void cohort_run_out_commit(struct cohort_run_out *out)
{
	struct cohort_segments *segs = &out->pool->log->segs;
	struct cohort_run_place *place = &out->pool->place;
	struct cohort_run *run = &out->item->run;
	u32 i;

	place->segment = run->segment[run->count - 1];
	place->block = (run->start + run->blocks) % blocks_per_segment(out->pool);
	place->there = place->block;
	for (i = 0; i < run->count; i++)
		cohort_segments_index_live(segs, run->segment[i], 1);
	for (i = 0; i < out->taken; i++)
		if (!place->there || i != run->count - 1)
			cohort_segments_index_close(segs, run->segment[i]);
	free_buffers(out);
}

void cohort_run_out_abort(struct cohort_run_out *out)
{
	u32 i;

	for (i = out->kept; i < out->taken; i++)
		cohort_segments_index_close(&out->pool->log->segs, out->item->run.segment[i]);
	kvfree(out->item);
	out->item = NULL;
	free_buffers(out);
}
