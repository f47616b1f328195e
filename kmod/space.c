// SPDX-License-Identifier: GPL-2.0-only
/* space.c - how many preserved chunks the images of one source's cuts read. */
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "space.h"

struct space_count {
	atomic64_t n;
	struct rcu_head rcu;
};

void cohort_space_init(struct cohort_space *space)
{
	xa_init(&space->chunks);
}

void cohort_space_exit(struct cohort_space *space)
{
	struct space_count *count;
	unsigned long epoch;

	xa_for_each(&space->chunks, epoch, count)
		kfree_rcu(count, rcu);
	xa_destroy(&space->chunks);
}

int cohort_space_open(struct cohort_space *space, u64 epoch)
{
	struct space_count *count;
	int err;

	if (xa_load(&space->chunks, epoch))
		return 0;
	count = kzalloc(sizeof(*count), GFP_NOIO);
	if (!count)
		return -ENOMEM;
	err = xa_insert(&space->chunks, epoch, count, GFP_NOIO);
	if (err)
		kfree(count);
	/* somebody else was first */
	return err == -EBUSY ? 0 : err;
}

void cohort_space_add(struct cohort_space *space, u64 epoch, s64 by)
{
	struct space_count *count = epoch ? xa_load(&space->chunks, epoch) : NULL;

	if (count)
		atomic64_add(by, &count->n);
	else
		WARN_ON_ONCE(epoch && !READ_ONCE(space->loose));
}

void cohort_space_move(struct cohort_space *space, u64 from, u64 to)
{
	rcu_read_lock();
	cohort_space_add(space, from, -1);
	cohort_space_add(space, to, 1);
	rcu_read_unlock();
}

u64 cohort_space_chunks(const struct cohort_space *space, u64 epoch)
{
	struct xarray *chunks = (struct xarray *)&space->chunks;
	struct space_count *count;
	unsigned long at;
	s64 sum = 0;

	rcu_read_lock();
	xa_for_each_start(chunks, at, count, epoch)
		sum += atomic64_read(&count->n);
	rcu_read_unlock();
	/* a chunk that moves meanwhile may be missed */
	return max_t(s64, sum, 0);
}

void cohort_space_clear(struct cohort_space *space)
{
	struct space_count *count;
	unsigned long at;

	rcu_read_lock();
	xa_for_each(&space->chunks, at, count)
		atomic64_set(&count->n, 0);
	rcu_read_unlock();
}

int cohort_space_open_all(struct cohort_space *space, const struct cohort_space *other)
{
	struct xarray *chunks = (struct xarray *)&other->chunks;
	struct space_count *count;
	unsigned long epoch;
	int err;

	/* nobody else has the other one */
	xa_for_each(chunks, epoch, count) {
		err = cohort_space_open(space, epoch);
		if (err)
			return err;
	}
	return 0;
}

void cohort_space_add_all(struct cohort_space *space, const struct cohort_space *other)
{
	struct xarray *chunks = (struct xarray *)&other->chunks;
	struct space_count *count;
	unsigned long epoch;

	rcu_read_lock();
	xa_for_each(chunks, epoch, count)
		cohort_space_add(space, epoch, atomic64_read(&count->n));
	rcu_read_unlock();
}

void cohort_space_trim(struct cohort_space *space, u64 epoch)
{
	struct space_count *count;
	unsigned long at;

	xa_for_each(&space->chunks, at, count) {
		if (at >= epoch)
			break;
		if (atomic64_read(&count->n))
			continue;
		xa_erase(&space->chunks, at);
		kfree_rcu(count, rcu);
	}
}
