/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memrun.h - a run in memory, built and searched by the module's own code. */
#ifndef SELFTESTS_MEMRUN_H
#define SELFTESTS_MEMRUN_H

#include <stdlib.h>

#include "../../kmod/run.h"

#define MEMRUN_SEGMENTS 32

/* Segments of the least size, in an order that is not that of the run. */
struct memrun {
	struct cohort_super sb;
	u32 seed;
	struct cohort_run *run;
	u8 *disk;
	struct cohort_run_builder builder;
	struct cohort_run_reader reader;
	u32 held;			/* blocks that were got and not put back */
};

static inline int memrun_emit(void *ctx, u32 block, const void *data)
{
	struct memrun *m = ctx;

	memcpy(m->disk + cohort_run_address(m->run, &m->sb, block), data, COHORT_BLOCK);
	return 0;
}

static inline const void *memrun_get(struct cohort_run_reader *r, const struct cohort_run *run,
				     u32 block, int *err)
{
	struct memrun *m = (void *)((char *)r - offsetof(struct memrun, reader));
	u64 addr = cohort_run_address(run, &m->sb, block);
	u32 level, count;

	*err = cohort_run_block_check(run, m->seed, addr, m->disk + addr, &level, &count);
	if (*err)
		return NULL;
	m->held++;
	return m->disk + addr;
}

static inline void memrun_put(struct cohort_run_reader *r)
{
	struct memrun *m = (void *)((char *)r - offsetof(struct memrun, reader));

	m->held--;
}

/* Entries are to be added to m->builder, at most as many as fit. Pairs with memrun_free(). */
static inline void memrun_begin(struct memrun *m, u32 start)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->sb.uuid, "0123456789abcde", 16);
	m->seed = cohort_pool_seed(m->sb.uuid);
	m->sb.segment_size = COHORT_SEGMENT_MIN;
	m->sb.segments_start = 2ull << 20;
	m->sb.nr_segments = MEMRUN_SEGMENTS;
	m->disk = calloc(1, m->sb.segments_start + MEMRUN_SEGMENTS * COHORT_SEGMENT_MIN);
	m->run = calloc(1, sizeof(*m->run) + MEMRUN_SEGMENTS * sizeof(u32));
	m->builder.buf = calloc(COHORT_RUN_LEVELS, COHORT_BLOCK);
	if (!m->disk || !m->run || !m->builder.buf)
		abort();
	m->run->id = 7;
	m->run->from = 1;
	m->run->to = 2;
	m->run->start = start;
	for (u32 i = 0; i < MEMRUN_SEGMENTS; i++)
		m->run->segment[i] = i * 13 % MEMRUN_SEGMENTS;
	m->builder.run = m->run;
	m->builder.sb = &m->sb;
	m->builder.seed = m->seed;
	m->builder.emit = memrun_emit;
	m->builder.ctx = m;
	m->reader.get = memrun_get;
	m->reader.put = memrun_put;
}

static inline int memrun_end(struct memrun *m)
{
	u32 per = COHORT_SEGMENT_MIN / COHORT_BLOCK;
	int err = cohort_run_finish(&m->builder);

	m->run->count = (m->run->start + m->run->blocks + per - 1) / per;
	return err;
}

static inline void memrun_free(struct memrun *m)
{
	free(m->disk);
	free(m->run);
	free(m->builder.buf);
}

#endif
