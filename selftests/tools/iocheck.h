/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iocheck: the commands and what they share. */
#ifndef SELFTESTS_IOCHECK_H
#define SELFTESTS_IOCHECK_H

#include <linux/types.h>
#include <stdbool.h>

#include "util.h"

/* Options that every command takes; each gives its own meaning to the rest. */
struct job {
	__u64 seed;
	__u64 offset;		/* bytes */
	__u64 len;		/* bytes; 0: to the end */
	__u64 count;
	__u64 size;		/* bytes per I/O, or the largest */
	__u64 after;
	__u32 jobs;
	__u32 depth;
	double seconds;
	const char *shadow;
	const char *state;
	bool no_discard;
	bool retry;
	const char *path;
};

/* Opens job->path and fits offset and len to it. */
void job_open(struct device *dev, struct job *job, int flags);

int pattern_write(struct job *job);
int pattern_verify(struct job *job);
int hash_main(struct job *job);
int rand_verify(struct job *job);
int compare_main(struct job *job);
int nowait_main(struct job *job);
int mmap_write(struct job *job);
int mmap_check(struct job *job);
int bounds_main(struct job *job);

/* ---- the block pattern ---- */

/* Fills @len bytes as they must stand at byte @off under this seed. */
void pattern_fill(void *buf, __u64 seed, __u64 off, __u64 len);
/* Byte address of the first sector that differs, or ~0. */
__u64 pattern_check(const void *buf, __u64 seed, __u64 off, __u64 len);
/* Says what stands at byte @off of the device instead. */
void pattern_explain(const char *path, const void *sector, __u64 seed, __u64 off);

/* ---- random lengths and places ---- */

struct extent {
	__u64 off;
	__u64 len;
};

/*
 * A length between @block and @max and a place for it in [0, room): half of them
 * whole powers of two at their own alignment, half of any length anywhere.
 */
struct extent extent_pick(struct rng *rng, __u64 block, __u64 max, __u64 room);

#endif
