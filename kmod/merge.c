// SPDX-License-Identifier: GPL-2.0-only
/* merge.c - goes through several runs as if they were one; makes one of them. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "log.h"
#include "lookup.h"
#include "merge.h"
#include "plant.h"
#include "registry.h"
#include "replica.h"
#include "run-out.h"
#include "source.h"

/* A merge leaves that part of the segments to the log. */
#define MERGE_SPARE 8

/* A run that is not in order, or longer than it says, would be written as it is not. */
static int fetch(struct cohort_merge *m, struct cohort_merge_input *in)
{
	struct cohort_run_key before = in->head.key;
	int ret = cohort_run_cursor_next(&in->cursor, &m->pool->runs, m->pool->bdev, &in->head);

	in->there = ret == 1;
	if (ret != 1)
		return ret;
	if (in->seen && cohort_run_key_cmp(&before, &in->head.key) >= 0)
		return -EUCLEAN;
	return ++in->seen > in->item->run.entries ? -EUCLEAN : 0;
}

int cohort_merge_open(struct cohort_merge *m, struct cohort_pool *pool,
		      struct cohort_runs_item *first, u32 nr)
{
	struct cohort_runs_item *item = first;
	int err = 0;

	lockdep_assert_held(&pool->tidy_mutex);
	memset(m, 0, sizeof(*m));
	m->pool = pool;
	m->input = kvcalloc(nr, sizeof(*m->input), GFP_NOIO);
	if (!m->input)
		return -ENOMEM;
	for (; m->nr < nr && !err; item = list_next_entry(item, list)) {
		struct cohort_merge_input *in = &m->input[m->nr++];

		in->item = item;
		err = cohort_run_cursor_open(&in->cursor, &item->run);
		if (!err)
			err = fetch(m, in);
	}
	return err;
}

void cohort_merge_close(struct cohort_merge *m)
{
	u32 i;

	for (i = 0; i < m->nr; i++)
		cohort_run_cursor_close(&m->input[i].cursor);
	kvfree(m->input);
}

/* Of two that say the same key the younger run knows where the chunk is; see count_entry(). */
static struct cohort_merge_input *smallest(struct cohort_merge *m)
{
	struct cohort_merge_input *least = NULL;
	u32 i;

	for (i = 0; i < m->nr; i++)
		if (m->input[i].there &&
		    (!least || cohort_run_key_cmp(&m->input[i].head.key, &least->head.key) <= 0))
			least = &m->input[i];
	return least;
}

int cohort_merge_next(struct cohort_merge *m, struct cohort_run_entry *entry,
		      struct cohort_runs_item **item)
{
	struct cohort_merge_input *in = smallest(m);
	bool same;
	int err;

	if (!in)
		return 0;
	if (READ_ONCE(m->pool->blocked))
		return -EAGAIN;
	*entry = in->head;
	*item = in->item;
	same = entry->key.source == m->last.source && entry->key.chunk == m->last.chunk;
	m->prev = same ? m->last.epoch : 0;
	m->last = entry->key;
	err = fetch(m, in);
	cond_resched();
	return err ? err : 1;
}

/* ---- many to one ---- */

static u64 entries_of(struct cohort_runs_item *first, u32 nr, u64 *from, u64 *to)
{
	u64 entries = 0;

	*from = U64_MAX;
	*to = 0;
	for (; nr; nr--, first = list_next_entry(first, list)) {
		entries += first->run.entries;
		*from = min(*from, first->run.from);
		*to = max(*to, first->run.to);
	}
	return entries;
}

/* What a merge that knows only of the catalog would think of an entry. */
static bool in_catalog(struct cohort_pool *pool, u32 source, u64 prev, u64 epoch)
{
	const struct cohort_rel *rel;
	bool found = false;
	u32 i;

	mutex_lock(&cohort_lock);
	list_for_each_entry(rel, &pool->rels, list)
		for (i = 0; i < rel->count && !rel->pending; i++)
			found |= rel->member[i].source->id == source &&
				rel->member[i].epoch > prev && rel->member[i].epoch <= epoch;
	mutex_unlock(&cohort_lock);
	return found;
}

static bool needed(struct cohort_pool *pool, const struct cohort_run_key *key, u64 prev)
{
	if (PLANTED("merge-unresolved"))
		return in_catalog(pool, key->source, prev, key->epoch);
	return cohort_pool_needs(pool, key->source, prev, key->epoch);
}

/* The index, or a younger run, knows where it is. */
static bool was_moved(struct cohort_pool *pool, const struct cohort_run_entry *entry)
{
	struct cohort_mapping map;

	return pool->sb.moves &&
		cohort_pool_lookup(pool, entry->key.source, entry->key.chunk, entry->key.epoch,
				   COHORT_LOOK_READ, &map) == 1 &&
		map.epoch == entry->key.epoch && map.addr != entry->addr;
}

/* An entry whose next smaller one is in another run may be kept without need. */
static int copy_needed(struct cohort_merge *m, struct cohort_run_out *out)
{
	struct cohort_run_entry entry;
	struct cohort_runs_item *item;
	int ret;

	while ((ret = cohort_merge_next(m, &entry, &item)) == 1) {
		if (!needed(m->pool, &entry.key, m->prev) || was_moved(m->pool, &entry))
			continue;
		ret = cohort_run_out_add(out, &entry);
		/* who makes room waits for tidy_mutex */
		if (!ret && READ_ONCE(m->pool->log->full_told))
			ret = -ENOSPC;
		if (ret)
			break;
	}
	return ret;
}

static int write_merged(struct cohort_run_out *out, struct cohort_pool *pool,
			struct cohort_runs_item *first, u32 nr)
{
	struct cohort_merge m;
	u64 from, to, entries = entries_of(first, nr, &from, &to);
	int err = cohort_run_out_begin(out, pool, entries, from, to, MERGE_SPARE);

	if (err)
		return err;
	err = cohort_merge_open(&m, pool, first, nr);
	if (!err)
		err = copy_needed(&m, out);
	cohort_merge_close(&m);
	if (!err && out->item->run.entries)
		err = cohort_run_out_end(out);
	return err;
}

/* One batch: the new one, and that the @nr ones from @first on are gone. */
static int append_change(struct cohort_pool *pool, const struct cohort_run *run,
			 struct cohort_runs_item *first, u32 nr)
{
	u32 head = run ? cohort_run_record_len(run->count) : 0;
	u32 one = sizeof(struct cohort_disk_record), len = head + nr * one, at;
	void *buf = kvmalloc(len, GFP_NOIO);
	int err;

	if (!buf)
		return -ENOMEM;
	if (run)
		cohort_run_record_encode(run, buf);
	for (at = head; at < len; at += one, first = list_next_entry(first, list))
		cohort_record_header(buf + at, COHORT_REC_RUN_DEL, first->run.id, one);
	err = cohort_pool_append(pool, buf, len);
	kvfree(buf);
	return err;
}

static void let_go(struct cohort_pool *pool, struct cohort_runs_item *first, u32 nr)
{
	u32 i;

	for (; nr; nr--, first = list_next_entry(first, list))
		for (i = 0; i < first->run.count; i++)
			cohort_segments_index_live(&pool->log->segs, first->run.segment[i], -1);
}

/* The catalog first: what it knows of keeps its segments. */
static int exchange(struct cohort_pool *pool, struct cohort_runs_item *first, u32 nr,
		    struct cohort_run_out *out)
{
	struct cohort_runs_item *item = out ? out->item : NULL;
	int err;

	mutex_lock(&pool->catalog_mutex);
	err = append_change(pool, item ? &item->run : NULL, first, nr);
	if (!err) {
		if (out)
			cohort_run_out_commit(out);
		let_go(pool, first, nr);
		cohort_runs_replace(&pool->runs, first, nr, item);
		cohort_segments_reclaim(&pool->log->segs, pool->sb.catalog_seq);
		cohort_log_kick(pool->log);
	}
	mutex_unlock(&pool->catalog_mutex);
	return err;
}

int cohort_merge_drop(struct cohort_pool *pool, struct cohort_runs_item *item)
{
	return exchange(pool, item, 1, NULL);
}

int cohort_merge_runs(struct cohort_pool *pool, struct cohort_runs_item *first, u32 nr)
{
	struct cohort_run_out out;
	int err = write_merged(&out, pool, first, nr);
	bool empty = !err && !out.item->run.entries;

	if (!err && !empty)
		err = exchange(pool, first, nr, &out);
	if (err || empty)
		cohort_run_out_abort(&out);
	return empty ? exchange(pool, first, nr, NULL) : err;
}
