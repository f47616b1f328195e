/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inflight.h - how many data changing requests of one era are under way, and where.
 *
 * Counters are per CPU and hashed by 64 KiB region; requests over many regions
 * share one more. A request may be counted on one CPU and uncounted on
 * another: only sums mean something, and a sum of 0 is final only after a
 * grace period has ended in which nobody could begin to count any more.
 */
#ifndef COHORT_INFLIGHT_H
#define COHORT_INFLIGHT_H

#include <linux/percpu.h>
#include <linux/types.h>

#define COHORT_REGION_SHIFT	7	/* sectors: 64 KiB */
#define COHORT_REGION_BUCKETS	64
#define COHORT_REGION_WIDE	COHORT_REGION_BUCKETS	/* more than 8 regions */

struct cohort_inflight_cpu {
	u32 count[COHORT_REGION_BUCKETS + 1];
};

struct cohort_inflight {
	struct cohort_inflight_cpu __percpu *cpu;
};

int cohort_inflight_init(struct cohort_inflight *inf);	/* may sleep; -ENOMEM */
void cohort_inflight_exit(struct cohort_inflight *inf);

/* Any context. @sector and @sectors must be the same in both. */
void cohort_inflight_add(struct cohort_inflight *inf, sector_t sector, u32 sectors);
void cohort_inflight_sub(struct cohort_inflight *inf, sector_t sector, u32 sectors);

/* Requests under way that may touch the range; 0 is final only after the grace period. */
u32 cohort_inflight_overlaps(const struct cohort_inflight *inf, sector_t sector, u32 sectors);
u32 cohort_inflight_total(const struct cohort_inflight *inf);

#endif
