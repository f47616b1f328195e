// SPDX-License-Identifier: GPL-2.0-only
/* inflight.c - per-CPU counts of the requests of one era, hashed by region. */
#include <linux/cpumask.h>
#include <linux/hash.h>
#include "inflight.h"

#define NARROW_REGIONS 8

int cohort_inflight_init(struct cohort_inflight *inf)
{
	inf->cpu = alloc_percpu(struct cohort_inflight_cpu);
	return inf->cpu ? 0 : -ENOMEM;
}

void cohort_inflight_exit(struct cohort_inflight *inf)
{
	free_percpu(inf->cpu);
	inf->cpu = NULL;
}

static u64 first_region(sector_t sector)
{
	return sector >> COHORT_REGION_SHIFT;
}

static u64 last_region(sector_t sector, u32 sectors)
{
	return (sector + (sectors ? sectors - 1 : 0)) >> COHORT_REGION_SHIFT;
}

static bool is_wide(sector_t sector, u32 sectors)
{
	return last_region(sector, sectors) - first_region(sector) >= NARROW_REGIONS;
}

static unsigned int bucket_of(u64 region)
{
	return hash_64(region, 6);
}

static void inflight_change(struct cohort_inflight *inf, sector_t sector, u32 sectors, int by)
{
	u64 r, last = last_region(sector, sectors);

	if (is_wide(sector, sectors)) {
		this_cpu_add(inf->cpu->count[COHORT_REGION_WIDE], by);
		return;
	}
	for (r = first_region(sector); r <= last; r++)
		this_cpu_add(inf->cpu->count[bucket_of(r)], by);
}

void cohort_inflight_add(struct cohort_inflight *inf, sector_t sector, u32 sectors)
{
	inflight_change(inf, sector, sectors, 1);
}

void cohort_inflight_sub(struct cohort_inflight *inf, sector_t sector, u32 sectors)
{
	inflight_change(inf, sector, sectors, -1);
}

static u32 sum_bucket(const struct cohort_inflight *inf, unsigned int bucket)
{
	u32 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(inf->cpu, cpu)->count[bucket]);
	return sum;
}

u32 cohort_inflight_total(const struct cohort_inflight *inf)
{
	unsigned int b;
	u32 sum = 0;

	for (b = 0; b <= COHORT_REGION_WIDE; b++)
		sum += sum_bucket(inf, b);
	return sum;
}

u32 cohort_inflight_overlaps(const struct cohort_inflight *inf, sector_t sector, u32 sectors)
{
	u64 r, last = last_region(sector, sectors);
	u32 sum;

	if (is_wide(sector, sectors))
		return cohort_inflight_total(inf);
	sum = sum_bucket(inf, COHORT_REGION_WIDE);
	for (r = first_region(sector); r <= last; r++)
		sum += sum_bucket(inf, bucket_of(r));
	return sum;
}
