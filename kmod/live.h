/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * live.h - the cuts of one source that somebody needs.
 *
 * Live are the cuts of the catalog and every cut that is flipped and not yet
 * resolved. Read without a lock from any context; changed by one at a time.
 */
#ifndef COHORT_LIVE_H
#define COHORT_LIVE_H

#include <linux/rcupdate.h>
#include <linux/types.h>

/* Replaced as a whole. */
struct cohort_live {
	struct rcu_head rcu;
	u32 count;
	u64 epoch[];			/* ascending */
};

struct cohort_live_set {
	struct cohort_live __rcu *live;	/* changed under cohort_cut_mutex; NULL = none */
};

/* Adding may fail with -ENOMEM, removing can not. Both may sleep. */
int cohort_live_add(struct cohort_live_set *set, u64 epoch);
void cohort_live_del(struct cohort_live_set *set, u64 epoch);
void cohort_live_clear(struct cohort_live_set *set);

/* The newest live cut <= @epoch, 0 = none. Any context. */
u64 cohort_live_newest(const struct cohort_live_set *set, u64 epoch);

/* The oldest live cut, U64_MAX = none. Any context. */
u64 cohort_live_oldest(const struct cohort_live_set *set);

/* Is there a live cut s with @prev < s <= @epoch? Any context. */
static inline bool cohort_live_between(const struct cohort_live_set *set, u64 prev, u64 epoch)
{
	return cohort_live_newest(set, epoch) > prev;
}

#endif
