// SPDX-License-Identifier: GPL-2.0-only
/* diff.c - what differs of a source between two cuts, or a cut and now. */
#include <linux/math64.h>
#include <linux/sched.h>
#include "diff.h"
#include "lookup.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

/* Chunks looked at before others may run. */
#define BREATH 1024

static const struct cohort_rel_member *member_of(const struct cohort_rel *rel,
						 const struct cohort_source *source)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (rel->member[i].source == source)
			return &rel->member[i];
	return NULL;
}

/* The one of @epoch, which another one may have taken the place of. */
static bool has_cut(const struct cohort_rel *rel, const struct cohort_source *source, u64 epoch)
{
	const struct cohort_rel_member *m = member_of(rel, source);

	return !READ_ONCE(rel->dead) && cohort_copy_has_cut(READ_ONCE(m->state)) && epoch &&
		READ_ONCE(m->epoch) == epoch;
}

/* The relationship and the epoch of its cut of @source. */
static int find_cut(const char *name, u32 attr, const struct cohort_source *source,
		    struct cohort_rel **ret, u64 *epoch, struct cohort_words *words)
{
	struct cohort_rel *rel = cohort_find_rel(name);

	lockdep_assert_held(&cohort_lock);
	if (!rel || rel->pending)
		return cohort_refuse_attr(words, -ENOENT, attr, "there is no relationship \"%s\"",
					  name);
	if (!member_of(rel, source))
		return cohort_refuse_attr(words, -ENOENT, attr,
					  "relationship \"%s\" has no member \"%s\"", name,
					  source->name);
	if (rel->busy)
		return cohort_refuse_attr(words, -EBUSY, attr,
					  "relationship \"%s\" is being changed", name);
	if (!has_cut(rel, source, member_of(rel, source)->epoch))
		return cohort_refuse_attr(words, -EINVAL, attr,
					  "relationship \"%s\" has no cut of \"%s\"", name,
					  source->name);
	*ret = rel;
	*epoch = member_of(rel, source)->epoch;
	return 0;
}

static int find_cuts(struct cohort_diff *d, const char *rel, const char *other,
		     const char *name, struct cohort_words *words)
{
	int err;

	d->source = cohort_find_source(name);
	if (!d->source || d->source->pending)
		return cohort_refuse_attr(words, -ENOENT, COHORT_A_EXTENT_SOURCE,
					  "there is no source \"%s\"", name);
	err = find_cut(rel, COHORT_A_EXTENT_RELATIONSHIP, d->source, &d->rel, &d->epoch, words);
	if (!err && other)
		err = find_cut(other, COHORT_A_EXTENT_OTHER, d->source, &d->other,
			       &d->other_epoch, words);
	return err;
}

static void hold_cuts(struct cohort_diff *d)
{
	d->pool = d->source->pool;
	cohort_pool_get(d->pool);
	cohort_source_get(d->source);
	cohort_rel_get(d->rel);
	if (d->other)
		cohort_rel_get(d->other);
}

int cohort_diff_begin(struct cohort_diff *d, const char *rel, const char *other,
		      const char *source, struct cohort_words *words)
{
	u64 until;
	int err;

	memset(d, 0, sizeof(*d));
	mutex_lock(&cohort_lock);
	err = find_cuts(d, rel, other, source, words);
	if (!err)
		hold_cuts(d);
	mutex_unlock(&cohort_lock);
	if (err)
		return err;
	until = d->other ? d->other_epoch : U64_MAX;
	d->from = min(d->epoch, until);
	d->until = max(d->epoch, until);
	d->nr_chunks = DIV_ROUND_UP_ULL(d->source->size, d->pool->sb.chunk_size);
	return 0;
}

void cohort_diff_end(struct cohort_diff *d)
{
	if (d->other)
		cohort_rel_put(d->other);
	cohort_rel_put(d->rel);
	cohort_source_put(d->source);
	cohort_pool_put(d->pool);
}

/* 1, 0, or as cohort_pool_lookup(). */
static int chunk_differs(const struct cohort_diff *d, u64 chunk)
{
	struct cohort_mapping map;
	int found = cohort_pool_lookup(d->pool, d->source->id, chunk, d->from, COHORT_LOOK_READ,
				       &map);

	return found == 1 ? map.epoch < d->until : found;
}

int cohort_diff_next(const struct cohort_diff *d, u64 *chunk, u64 end, bool differs)
{
	int ret = !differs;

	/* some at a time: a suspend waits for no more */
	while (*chunk < end && ret == !differs) {
		u64 stop = min(end, *chunk + BREATH);

		if (!cohort_pool_read_begin(d->pool))
			return -EAGAIN;
		while (*chunk < stop && (ret = chunk_differs(d, *chunk)) == !differs)
			++*chunk;
		cohort_pool_read_end(d->pool);
		cond_resched();
	}
	return min(ret, 0);
}

bool cohort_diff_holds(const struct cohort_diff *d)
{
	/* what was found, then state; pairs with the barriers where a cut is let go */
	smp_rmb();
	return has_cut(d->rel, d->source, d->epoch) &&
		(!d->other || has_cut(d->other, d->source, d->other_epoch));
}
