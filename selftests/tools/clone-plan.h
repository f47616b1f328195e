/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clone-plan.h - where each write to a clone goes, which the writer and its judge both know.
 *
 * Writes are numbered by run of the writer, member, thread and place in line, and have the
 * pattern of that number (iocheck.h). Threads write to sectors of their own, but to
 * chunks of each other: of each sector the order of its values is known.
 */
#ifndef SELFTESTS_CLONE_PLAN_H
#define SELFTESTS_CLONE_PLAN_H

#include "util.h"

#define PLAN_THREADS 4
/* Runs of writers to a clone "cN" are N * PLAN_RUNS on; the first ones are those to sources. */
#define PLAN_RUNS 16

struct plan_place {
	__u64 sector;
	__u32 count;
};

static inline __u64 plan_seed(__u32 run, __u32 member, __u32 thread, __u32 n)
{
	return (__u64)run << 48 | (__u64)member << 40 | (__u64)thread << 32 | n;
}

static inline __u32 plan_run(__u64 seed)
{
	return seed >> 48;
}

static inline __u32 plan_member(__u64 seed)
{
	return seed >> 40 & 0xff;
}

static inline __u32 plan_thread(__u64 seed)
{
	return seed >> 32 & 0xff;
}

static inline __u32 plan_n(__u64 seed)
{
	return seed;
}

/* Of two writes to a sector the later one is larger. */
static inline __u64 plan_order(__u64 seed)
{
	return (__u64)plan_run(seed) << 32 | plan_n(seed);
}

/* On a device of so many sectors. */
struct plan_place plan_place(__u64 seed, __u64 sectors);

#endif
