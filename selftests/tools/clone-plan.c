// SPDX-License-Identifier: GPL-2.0-or-later
/* clone-plan.c - where each write to a clone goes */
#include "clone-plan.h"

/*
 * A unit is 16 chunks of 4 KiB. Of each of the first eight every thread has two sectors; of the
 * others every thread has two chunks in a row.
 */
#define UNIT	128
#define CHUNK	8
#define SHARED	8
#define PARTS	(CHUNK / PLAN_THREADS)
#define RUN	(2 * CHUNK)

static struct plan_place in_shared(struct rng *rng, __u32 thread)
{
	const __u32 at = rng_below(rng, PARTS);

	return (struct plan_place){
		.sector = rng_below(rng, SHARED) * CHUNK + thread * PARTS + at,
		.count = 1 + rng_below(rng, PARTS - at),
	};
}

static struct plan_place in_own(struct rng *rng, __u32 thread)
{
	const __u32 begin = SHARED * CHUNK + thread * RUN;
	__u32 at = rng_below(rng, RUN);

	/* whole chunks, or what may be none */
	if (rng_below(rng, 2)) {
		at = at / CHUNK * CHUNK;
		return (struct plan_place){ .sector = begin + at, .count = RUN - at };
	}
	return (struct plan_place){
		.sector = begin + at, .count = 1 + rng_below(rng, RUN - at),
	};
}

struct plan_place plan_place(__u64 seed, __u64 sectors)
{
	struct rng rng = { .state = mix64(seed) };
	const __u64 units = sectors / UNIT + !!(sectors % UNIT);
	const __u64 unit = rng_below(&rng, units);
	struct plan_place place = rng_below(&rng, 2) ? in_shared(&rng, plan_thread(seed)) :
						       in_own(&rng, plan_thread(seed));

	/* the last unit is not whole */
	if (unit * UNIT + place.sector < sectors)
		place.sector += unit * UNIT;
	if (place.count > sectors - place.sector)
		place.count = sectors - place.sector;
	return place;
}
