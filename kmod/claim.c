// SPDX-License-Identifier: GPL-2.0-only
/* claim.c - which disks are somebody's: a pool's, a source's, or the target of a clone. */
#include <linux/blkdev.h>
#include "claim.h"
#include "copy.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

static int check_sources(const struct cohort_pool *pool, dev_t dev, const char *but, u16 attr,
			 struct cohort_words *words)
{
	const struct cohort_source *s;

	list_for_each_entry(s, &pool->sources, list)
		if (s->state != COHORT_SOURCE_STATE_DETACHED && s->dev == dev &&
		    (!but || strcmp(s->name, but)))
			return cohort_refuse_attr(words, -EBUSY, attr,
						  "the disk is source \"%s\" already", s->name);
	return 0;
}

static int check_targets(const struct cohort_rel *rel, dev_t dev, const struct cohort_copy *but,
			 u16 attr, struct cohort_words *words)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (rel->member[i].copy && rel->member[i].copy != but &&
		    rel->member[i].copy->dev == dev)
			return cohort_refuse_attr(words, -EBUSY, attr,
						  "the disk is the target of \"%s\"", rel->name);
	return 0;
}

static int check_pool(const struct cohort_pool *pool, dev_t dev, u16 attr,
		      struct cohort_words *words)
{
	if (dev == pool->dm_dev || (pool->bdev && dev == pool->bdev->bd_dev))
		return cohort_refuse_attr(words, -EINVAL, attr,
					  "the disk is the one of pool \"%s\"", pool->name);
	return 0;
}

int cohort_claim_check(dev_t dev, const char *source, const struct cohort_copy *copy, u16 attr,
		       struct cohort_words *words)
{
	const struct cohort_pool *pool;
	const struct cohort_rel *rel;
	int err = 0;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(pool, &cohort_pools, list) {
		err = check_pool(pool, dev, attr, words);
		if (!err)
			err = check_sources(pool, dev, source, attr, words);
		list_for_each_entry(rel, &pool->rels, list)
			if (!err)
				err = check_targets(rel, dev, copy, attr, words);
		if (err)
			return err;
	}
	return 0;
}
