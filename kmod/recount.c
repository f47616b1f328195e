// SPDX-License-Identifier: GPL-2.0-only
/*
 * recount.c - counts what somebody needs of what runs say.
 *
 * A run does not change when a cut goes, so nobody knows at once what it keeps
 * for nothing. Until it is counted anew, everything that it keeps counts: of the
 * segments and of the space of a source there is an upper bound, never too little.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "index.h"
#include "log.h"
#include "merge.h"
#include "overlay.h"
#include "recount.h"
#include "registry.h"
#include "source.h"

/* Space of one source, as far as runs say it. */
struct tally {
	struct list_head list;
	u32 source;
	struct cohort_space space;
};

/* The chunk that is looked at. */
struct at_chunk {
	struct cohort_run_key key;	/* of its newest entry that is needed */
	bool needed;
};

static struct tally *tally_of(struct cohort_recount *rc, u32 source)
{
	struct tally *t = list_first_entry_or_null(&rc->tallies, struct tally, list);

	/* the sources come one behind the other */
	if (t && t->source == source)
		return t;
	t = kzalloc(sizeof(*t), GFP_NOIO);
	if (!t)
		return NULL;
	t->source = source;
	cohort_space_init(&t->space);
	list_add(&t->list, &rc->tallies);
	return t;
}

/*
 * The index knows better: a newer version of an overlay's chunk, or where the
 * chunk of this very entry was moved to.
 */
static bool is_in_index(const struct cohort_recount *rc, const struct cohort_run_key *key)
{
	const bool overlay = cohort_is_overlay(key->source);
	struct cohort_mapping map;

	if (!overlay && !rc->pool->sb.moves)
		return false;
	/* newer versions have smaller epochs */
	return cohort_index_lookup(rc->pool->index, key->source, key->chunk,
				   overlay ? 0 : key->epoch, &map) &&
		(overlay ? map.epoch <= key->epoch : map.epoch == key->epoch);
}

static int tally_add(struct tally *t, u64 epoch, s64 n)
{
	int err = cohort_space_open(&t->space, epoch);

	if (!err)
		cohort_space_add(&t->space, epoch, n);
	return err;
}

/*
 * A chunk that has a newer entry in the index is counted there. One that has an
 * older one there, which was moved, is not, but will be.
 */
static int count_chunk(struct cohort_recount *rc, const struct at_chunk *at)
{
	/* an overlay's entries are counted together: each would have an epoch of its own */
	bool overlay = cohort_is_overlay(at->key.source);
	struct tally *t;
	u64 indexed;
	int err;

	if (!at->needed)
		return 0;
	indexed = cohort_index_newest(rc->pool->index, at->key.source, at->key.chunk);
	if (indexed && (overlay || indexed >= at->key.epoch))
		return 0;
	t = tally_of(rc, at->key.source);
	err = t ? tally_add(t, overlay ? 1 : at->key.epoch, 1) : -ENOMEM;
	if (err || !indexed)
		return err;
	t->space.loose = true;
	return tally_add(t, indexed, -1);
}

/* What the index has of it is counted with the others there, for which its epoch has to be open. */
static int open_moved(struct cohort_recount *rc, const struct cohort_run_key *key)
{
	struct tally *t;

	if (cohort_is_overlay(key->source))
		return 0;
	t = tally_of(rc, key->source);
	return t ? tally_add(t, key->epoch, 0) : -ENOMEM;
}

static bool other_chunk(const struct cohort_run_key *a, const struct cohort_run_key *b)
{
	return a->source != b->source || a->chunk != b->chunk;
}

static int count_entry(struct cohort_recount *rc, struct cohort_merge *m, struct at_chunk *at,
		       const struct cohort_run_entry *entry, struct cohort_runs_item *item)
{
	int err = 0;
	u32 seg;

	if (other_chunk(&at->key, &entry->key)) {
		err = count_chunk(rc, at);
		at->needed = false;
		at->key = entry->key;
	}
	if (err || !cohort_pool_needs(rc->pool, entry->key.source, m->prev, entry->key.epoch))
		return err;
	if (is_in_index(rc, &entry->key))
		return open_moved(rc, &entry->key);
	seg = cohort_segment_of(&rc->pool->log->segs, entry->addr);
	if (seg >= rc->nr)
		return -EUCLEAN;
	at->key = entry->key;
	at->needed = true;
	item->needed++;
	rc->in_runs[seg]++;
	return err;
}

static int count_entries(struct cohort_recount *rc, struct cohort_merge *m)
{
	struct at_chunk at = { };
	struct cohort_run_entry entry;
	struct cohort_runs_item *item;
	int ret, err = 0;

	while (!err && (ret = cohort_merge_next(m, &entry, &item)) == 1)
		err = count_entry(rc, m, &at, &entry, item);
	if (!err && !ret)
		err = count_chunk(rc, &at);
	return err ? err : ret;
}

static void reset_needed(struct cohort_runs *runs)
{
	struct cohort_runs_item *item;

	list_for_each_entry(item, &runs->list, list)
		item->needed = 0;
}

int cohort_recount_scan(struct cohort_recount *rc, struct cohort_pool *pool)
{
	struct cohort_runs *runs = &pool->runs;
	struct cohort_merge m;
	int err = 0;

	lockdep_assert_held(&pool->tidy_mutex);
	rc->pool = pool;
	INIT_LIST_HEAD(&rc->tallies);
	/* it may grow meanwhile: no run says anything of what comes new */
	rc->nr = pool->log->segs.nr;
	rc->in_runs = kvcalloc(rc->nr, sizeof(*rc->in_runs), GFP_NOIO);
	if (!rc->in_runs)
		return -ENOMEM;
	/* what goes from here on has to be counted once more */
	WRITE_ONCE(pool->count_stale, false);
	WRITE_ONCE(pool->overwritten, false);
	reset_needed(runs);
	if (list_empty(&runs->list))
		return 0;
	err = cohort_merge_open(&m, pool, list_first_entry(&runs->list, struct cohort_runs_item,
							   list), runs->nr);
	if (!err)
		err = count_entries(rc, &m);
	cohort_merge_close(&m);
	if (err)
		WRITE_ONCE(pool->count_stale, true);
	return err;
}

/* Memory for all that is to be counted; what is not needed is trimmed later. */
static int open_space(struct cohort_recount *rc)
{
	struct tally *t;
	int err = 0;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(t, &rc->tallies, list) {
		struct cohort_source *source = cohort_source_by_id(rc->pool, t->source);

		if (source)
			err = cohort_space_open_all(&source->space, &t->space);
		if (err)
			break;
	}
	return err;
}

static int count_node(void *ctx, u32 source_id, u64 epoch, bool newest)
{
	struct cohort_source *source = newest ? cohort_source_by_id(ctx, source_id) : NULL;

	if (source)
		cohort_space_add(&source->space, epoch, 1);
	if (newest && cohort_is_overlay(source_id) &&
	    cohort_overlay_needs(ctx, source_id, 0, epoch))
		cohort_overlay_count(ctx, source_id, 1);
	return 0;
}

/* No preserve ends meanwhile. */
static void set_space(struct cohort_recount *rc)
{
	struct cohort_source *source;
	struct tally *t;

	cohort_log_assert_main(rc->pool->log);
	list_for_each_entry(source, &rc->pool->sources, list)
		cohort_space_clear(&source->space);
	cohort_overlay_clear_counts(rc->pool);
	cohort_index_each(rc->pool->index, count_node, rc->pool);
	list_for_each_entry(t, &rc->tallies, list) {
		source = cohort_source_by_id(rc->pool, t->source);
		if (source) {
			if (t->space.loose)
				WRITE_ONCE(source->space.loose, true);
			cohort_space_add_all(&source->space, &t->space);
		}
		if (cohort_is_overlay(t->source))
			cohort_overlay_count(rc->pool, t->source,
					     cohort_space_chunks(&t->space, 1));
	}
}

int cohort_recount_apply(struct cohort_recount *rc)
{
	struct cohort_pool *pool = rc->pool;
	int err;

	lockdep_assert_held(&pool->catalog_mutex);
	mutex_lock(&cohort_lock);
	err = open_space(rc);
	if (!err) {
		cohort_log_hold(pool->log);
		set_space(rc);
		cohort_log_release(pool->log);
	}
	mutex_unlock(&cohort_lock);
	if (err) {
		WRITE_ONCE(pool->count_stale, true);
		return err;
	}
	cohort_segments_counted(&pool->log->segs, rc->in_runs, rc->nr);
	cohort_segments_reclaim(&pool->log->segs, pool->sb.catalog_seq);
	cohort_log_kick(pool->log);
	return 0;
}

void cohort_recount_free(struct cohort_recount *rc)
{
	struct tally *t, *next;

	list_for_each_entry_safe(t, next, &rc->tallies, list) {
		cohort_space_exit(&t->space);
		kfree(t);
	}
	kvfree(rc->in_runs);
}

int cohort_pool_recount(struct cohort_pool *pool)
{
	struct cohort_recount rc;
	int err;

	if (!cohort_pool_read_begin(pool))
		return -EAGAIN;
	err = cohort_recount_scan(&rc, pool);
	if (!err)
		err = cohort_recount_apply(&rc);
	cohort_recount_free(&rc);
	cohort_pool_read_end(pool);
	return err;
}
