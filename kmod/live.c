// SPDX-License-Identifier: GPL-2.0-only
/* live.c - the cuts of one source that somebody needs. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "live.h"

/* Number of live cuts <= @epoch. */
static u32 live_upto(const struct cohort_live *live, u64 epoch)
{
	u32 low = 0, high = live->count;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (live->epoch[mid] <= epoch)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

u64 cohort_live_newest(const struct cohort_live_set *set, u64 epoch)
{
	const struct cohort_live *live;
	u64 newest = 0;
	u32 n;

	rcu_read_lock();
	live = rcu_dereference(set->live);
	n = live ? live_upto(live, epoch) : 0;
	if (n)
		newest = live->epoch[n - 1];
	rcu_read_unlock();
	return newest;
}

u64 cohort_live_oldest(const struct cohort_live_set *set)
{
	const struct cohort_live *live;
	u64 oldest;

	rcu_read_lock();
	live = rcu_dereference(set->live);
	oldest = live && live->count ? live->epoch[0] : U64_MAX;
	rcu_read_unlock();
	return oldest;
}

int cohort_live_add(struct cohort_live_set *set, u64 epoch)
{
	struct cohort_live *old = rcu_dereference_protected(set->live, 1), *live;
	u32 n = old ? old->count : 0, at = old ? live_upto(old, epoch) : 0;

	live = kvmalloc(struct_size(live, epoch, n + 1), GFP_NOIO);
	if (!live)
		return -ENOMEM;
	live->count = n + 1;
	live->epoch[at] = epoch;
	if (old) {
		memcpy(live->epoch, old->epoch, at * sizeof(u64));
		memcpy(live->epoch + at + 1, old->epoch + at, (n - at) * sizeof(u64));
	}
	rcu_assign_pointer(set->live, live);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/*
 * Needs no memory: the set shrinks in place. A reader in between may find the
 * cut that goes, or its neighbour twice; both are answers of before or after.
 */
void cohort_live_del(struct cohort_live_set *set, u64 epoch)
{
	struct cohort_live *live = rcu_dereference_protected(set->live, 1);
	u32 at = live ? live_upto(live, epoch) : 0;

	if (!at || live->epoch[at - 1] != epoch)
		return;
	if (live->count == 1) {
		cohort_live_clear(set);
		return;
	}
	for (; at < live->count; at++)
		WRITE_ONCE(live->epoch[at - 1], live->epoch[at]);
	WRITE_ONCE(live->count, live->count - 1);
}

void cohort_live_clear(struct cohort_live_set *set)
{
	struct cohort_live *old = rcu_dereference_protected(set->live, 1);

	RCU_INIT_POINTER(set->live, NULL);
	if (old)
		kvfree_rcu(old, rcu);
}
