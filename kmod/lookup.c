// SPDX-License-Identifier: GPL-2.0-only
/* lookup.c - where the old content of a chunk lies: asks the index, and the runs behind it. */
#include <linux/slab.h>
#include "lookup.h"
#include "pool.h"

/*
 * An entry in a run can not be marked: the key of one whose chunk is damaged is
 * kept under the chunk's address in the pool.
 */
static bool is_bad(struct cohort_pool *pool, const struct cohort_run_key *key, u64 addr)
{
	const struct cohort_run_key *known;
	bool bad;

	rcu_read_lock();
	known = xa_load(&pool->bad_chunks, addr / COHORT_BLOCK);
	bad = known && !cohort_run_key_cmp(known, key);
	rcu_read_unlock();
	return bad;
}

static void tell_damage(struct cohort_pool *pool)
{
	atomic64_inc(&pool->damaged);
	queue_work(pool->wq, &pool->damage_work);
}

static int ask_runs(struct cohort_pool *pool, const struct cohort_run_key *key,
		    enum cohort_look how, struct cohort_run_entry *entry)
{
	bool damaged;
	int ret = cohort_runs_lookup(&pool->runs, key, how, entry, &damaged);

	if (damaged) {
		pr_err("%s: pool %s: an index run is damaged, \"pool check --repair\" mends it\n",
		       DM_MSG_PREFIX, pool->name);
		tell_damage(pool);
	}
	return ret;
}

static void fill_map(struct cohort_pool *pool, struct cohort_mapping *map,
		     const struct cohort_run_entry *entry)
{
	map->epoch = entry->key.epoch;
	map->addr = entry->addr;
	map->unreadable = entry->unreadable;
	map->crc = entry->crc;
	map->damaged = is_bad(pool, &entry->key, entry->addr);
}

int cohort_pool_lookup(struct cohort_pool *pool, u32 source, u64 chunk, u64 epoch,
		       enum cohort_look how, struct cohort_mapping *map)
{
	const struct cohort_run_key key = { .source = source, .chunk = chunk, .epoch = epoch };
	struct cohort_run_entry entry;
	struct cohort_mapping local;
	int ret, found;

	if (!map)
		map = &local;
	map->source = source;
	found = cohort_index_lookup(pool->index, source, chunk, epoch, map);
	/* first the index, then the runs: an entry leaves it when a run has it; see tidy.c */
	smp_rmb();
	if (!READ_ONCE(pool->runs.nr) || (found && map->epoch == epoch))
		return found;
	/*
	 * Of an overlay the newest counts, and what is in the index is newer, but for
	 * what a restart found moved: that may have been written anew meanwhile.
	 */
	if (found && cohort_is_overlay(source) && !pool->sb.moves)
		return found;
	ret = ask_runs(pool, &key, how, &entry);
	if (ret <= 0)
		return ret ? ret : found;
	if (!found || entry.key.epoch < map->epoch)
		fill_map(pool, map, &entry);
	return 1;
}

/* -EALREADY, -ENOMEM, 0. */
static int note_bad(struct cohort_pool *pool, const struct cohort_run_key *key, u64 addr)
{
	struct cohort_run_key *bad, *old;

	if (is_bad(pool, key, addr))
		return -EALREADY;
	bad = kmemdup(key, sizeof(*key), GFP_NOIO);
	if (!bad)
		return -ENOMEM;
	old = xa_store(&pool->bad_chunks, addr / COHORT_BLOCK, bad, GFP_NOIO);
	if (xa_is_err(old)) {
		kfree(bad);
		return -ENOMEM;
	}
	/* of a former life of the segment; a reader may be at it */
	if (old)
		kvfree_rcu_mightsleep(old);
	return 0;
}

int cohort_pool_note_damage(struct cohort_pool *pool, u32 source, u64 chunk, u64 epoch, u64 addr)
{
	const struct cohort_run_key key = { .source = source, .chunk = chunk, .epoch = epoch };
	int err = note_bad(pool, &key, addr);

	return err == -EALREADY ? 0 : err;
}

void cohort_pool_damaged(struct cohort_pool *pool, u32 source, u64 chunk, u64 epoch, u64 addr)
{
	const struct cohort_run_key key = { .source = source, .chunk = chunk, .epoch = epoch };
	struct cohort_mapping map;
	int err = cohort_index_damaged(pool->index, source, chunk, epoch, addr);

	if (err == -ENOENT &&
	    cohort_pool_lookup(pool, source, chunk, epoch, COHORT_LOOK_READ, &map) == 1 &&
	    map.epoch == epoch && map.addr == addr)
		err = note_bad(pool, &key, addr);
	if (err)
		return;
	pr_err_ratelimited("%s: pool %s: the chunk at byte %llu is damaged\n", DM_MSG_PREFIX,
			   pool->name, addr);
	tell_damage(pool);
}

void cohort_pool_forget_damage(struct cohort_pool *pool)
{
	struct cohort_run_key *bad;
	unsigned long at;

	xa_for_each(&pool->bad_chunks, at, bad)
		kfree(bad);
	xa_destroy(&pool->bad_chunks);
}
