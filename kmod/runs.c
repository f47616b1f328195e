// SPDX-License-Identifier: GPL-2.0-only
/* runs.c - the index runs of a pool in use: the list, the cache, looks and cursors. */
#include <linux/dm-bufio.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "plant.h"
#include "runs.h"
#include "segment.h"

/* Roots and what is above the leaves stay even in the least cache. */
#define CACHE_LEAST	64u

/* Of a block in the cache. */
struct cache_aux {
	bool good;			/* it was checked; reset when the buffer is used anew */
};

static void cache_fresh(struct dm_buffer *b)
{
	struct cache_aux *aux = dm_bufio_get_aux_data(b);

	aux->good = false;
}

int cohort_runs_init(struct cohort_runs *runs, const struct cohort_super *sb, u64 memory)
{
	init_rwsem(&runs->lock);
	INIT_LIST_HEAD(&runs->list);
	spin_lock_init(&runs->ring_lock);
	runs->sb = sb;
	runs->seed = cohort_pool_seed(sb->uuid);
	runs->ring_size = clamp_t(u64, memory / COHORT_BLOCK, CACHE_LEAST, U32_MAX / 16);
	runs->ring = kvcalloc(runs->ring_size, sizeof(*runs->ring), GFP_KERNEL);
	return runs->ring ? 0 : -ENOMEM;
}

static void cache_close(struct cohort_runs *runs)
{
	if (runs->cache)
		dm_bufio_client_destroy(runs->cache);
	runs->cache = NULL;
	WRITE_ONCE(runs->ring_used, 0);
	if (runs->ring)
		memset(runs->ring, 0, runs->ring_size * sizeof(*runs->ring));
}

void cohort_runs_exit(struct cohort_runs *runs)
{
	struct cohort_runs_item *item, *next;

	/* of a pool that never got so far */
	if (!runs->ring)
		return;
	cache_close(runs);
	list_for_each_entry_safe(item, next, &runs->list, list)
		kvfree(item);
	kvfree(runs->ring);
	runs->ring = NULL;
}

int cohort_runs_set_bdev(struct cohort_runs *runs, struct block_device *bdev)
{
	struct dm_bufio_client *cache = NULL;
	unsigned int noio = memalloc_noio_save();
	int err = 0;

	down_write(&runs->lock);
	cache_close(runs);
	if (bdev)
		cache = dm_bufio_client_create(bdev, COHORT_BLOCK, 1, sizeof(struct cache_aux),
					       cache_fresh, NULL, 0);
	if (IS_ERR(cache))
		err = PTR_ERR(cache);
	else
		runs->cache = cache;
	up_write(&runs->lock);
	memalloc_noio_restore(noio);
	return err;
}

/* ---- the list ---- */

struct cohort_runs_item *cohort_runs_new(u32 count)
{
	struct cohort_runs_item *item =
		kvzalloc(struct_size(item, run.segment, count), GFP_NOIO);

	if (item)
		item->run.count = count;
	return item;
}

/* In the order of what they say of the log, behind those that begin at the same place. */
static void insert_item(struct cohort_runs *runs, struct cohort_runs_item *item)
{
	struct cohort_runs_item *other;
	struct list_head *behind = &runs->list;

	lockdep_assert_held_write(&runs->lock);
	list_for_each_entry_reverse(other, &runs->list, list) {
		if (other->run.from <= item->run.from) {
			behind = &other->list;
			break;
		}
	}
	item->needed = item->run.entries;
	list_add(&item->list, behind);
	WRITE_ONCE(runs->entries, runs->entries + item->run.entries);
	/* pairs with the barrier of a look: an entry leaves the index only behind this */
	smp_store_release(&runs->nr, runs->nr + 1);
}

void cohort_runs_add(struct cohort_runs *runs, struct cohort_runs_item *item)
{
	down_write(&runs->lock);
	insert_item(runs, item);
	up_write(&runs->lock);
}

/* What is cached of it would be taken for what its segments hold next. */
static void forget_blocks(struct cohort_runs *runs, const struct cohort_run *run)
{
	u32 per = runs->sb->segment_size / COHORT_BLOCK, block, n;

	for (block = 0; runs->cache && block < run->blocks; block += n) {
		n = min(per - (run->start + block) % per, run->blocks - block);
		dm_bufio_forget_buffers(runs->cache,
					cohort_run_address(run, runs->sb, block) / COHORT_BLOCK,
					n);
	}
}

static void remove_item(struct cohort_runs *runs, struct cohort_runs_item *item)
{
	lockdep_assert_held_write(&runs->lock);
	list_del(&item->list);
	forget_blocks(runs, &item->run);
	WRITE_ONCE(runs->nr, runs->nr - 1);
	WRITE_ONCE(runs->entries, runs->entries - item->run.entries);
}

void cohort_runs_del(struct cohort_runs *runs, struct cohort_runs_item *item)
{
	down_write(&runs->lock);
	remove_item(runs, item);
	up_write(&runs->lock);
}

void cohort_runs_replace(struct cohort_runs *runs, struct cohort_runs_item *first, u32 nr,
			 struct cohort_runs_item *with)
{
	struct cohort_runs_item *item;

	down_write(&runs->lock);
	/* counted first: who finds that there are none does not wait for the lock */
	if (with)
		insert_item(runs, with);
	while (nr--) {
		item = first;
		/* the new one stands among them */
		do
			first = list_next_entry(first, list);
		while (first == with);
		remove_item(runs, item);
		kvfree(item);
	}
	up_write(&runs->lock);
}

struct cohort_runs_item *cohort_runs_by_id(struct cohort_runs *runs, u32 id)
{
	struct cohort_runs_item *item;

	list_for_each_entry(item, &runs->list, list)
		if (item->run.id == id)
			return item;
	return NULL;
}

/* ---- a look ---- */

struct look {
	struct cohort_run_reader reader;
	struct cohort_runs *runs;
	enum cohort_look how;
	struct dm_buffer *buffer;	/* that of the block that was got */
};

/* A block came into the cache: the one that is there longest has to go. */
static void ring_push(struct cohort_runs *runs, u64 block)
{
	u64 old;

	spin_lock(&runs->ring_lock);
	old = runs->ring[runs->ring_at];
	runs->ring[runs->ring_at] = block;
	runs->ring_at = (runs->ring_at + 1) % runs->ring_size;
	WRITE_ONCE(runs->ring_used, min(runs->ring_used + 1, runs->ring_size));
	spin_unlock(&runs->ring_lock);
	if (old && old != block)
		dm_bufio_forget(runs->cache, old);
}

u64 cohort_runs_bytes(const struct cohort_runs *runs)
{
	return (u64)READ_ONCE(runs->ring_used) * COHORT_BLOCK +
		runs->ring_size * sizeof(*runs->ring);
}

static void *cached_block(struct look *l, u64 block)
{
	struct cohort_runs *runs = l->runs;
	void *data = dm_bufio_get(runs->cache, block, &l->buffer);

	if (!data && l->how == COHORT_LOOK_CACHED)
		return ERR_PTR(-EAGAIN);
	if (!data) {
		data = dm_bufio_read(runs->cache, block, &l->buffer);
		if (!IS_ERR(data))
			ring_push(runs, block);
	}
	return IS_ERR(data) ? ERR_PTR(cohort_disk_error(PTR_ERR(data))) : data;
}

static const void *look_get(struct cohort_run_reader *r, const struct cohort_run *run, u32 block,
			    int *err)
{
	struct look *l = container_of(r, struct look, reader);
	u64 addr = cohort_run_address(run, l->runs->sb, block);
	void *data = cached_block(l, addr / COHORT_BLOCK);
	struct cache_aux *aux;
	u32 level, count;

	*err = PTR_ERR_OR_ZERO(data);
	if (*err)
		return NULL;
	aux = dm_bufio_get_aux_data(l->buffer);
	if (!READ_ONCE(aux->good))
		*err = cohort_run_block_check(run, l->runs->seed, addr, data, &level, &count);
	if (!*err) {
		WRITE_ONCE(aux->good, true);
		return data;
	}
	dm_bufio_release(l->buffer);
	return NULL;
}

static void look_put(struct cohort_run_reader *r)
{
	dm_bufio_release(container_of(r, struct look, reader)->buffer);
}

static int look_into(struct look *l, struct cohort_runs_item *item,
		     const struct cohort_run_key *key, struct cohort_run_entry *entry,
		     bool *damaged)
{
	int ret;

	if (!cohort_is_overlay(key->source) && item->run.max_epoch < key->epoch)
		return 0;
	ret = cohort_run_search(&item->run, &l->reader, key, entry);
	if (ret == 1 && cohort_run_entry_check(entry, l->runs->sb))
		ret = -EUCLEAN;
	/* who does not read asks again */
	if (ret == -EUCLEAN && l->how == COHORT_LOOK_READ && !xchg(&item->damaged, true))
		*damaged = true;
	return ret;
}

static int look_all(struct look *l, const struct cohort_run_key *key,
		    struct cohort_run_entry *entry, bool *damaged)
{
	struct cohort_run_entry one;
	struct cohort_runs_item *item;
	bool found = false;

	lockdep_assert_held(&l->runs->lock);
	if (!l->runs->cache)
		return -EAGAIN;
	list_for_each_entry(item, &l->runs->list, list) {
		int ret = look_into(l, item, key, &one, damaged);

		if (ret < 0)
			return ret;
		/* the younger run knows where a chunk was moved to */
		if (ret && (!found || one.key.epoch < entry->key.epoch ||
			    (one.key.epoch == entry->key.epoch && !PLANTED("older-run")))) {
			*entry = one;
			found = true;
		}
	}
	return found;
}

int cohort_runs_lookup(struct cohort_runs *runs, const struct cohort_run_key *key,
		       enum cohort_look how, struct cohort_run_entry *entry, bool *damaged)
{
	struct look l = {
		.reader = { .get = look_get, .put = look_put }, .runs = runs, .how = how,
	};
	int ret;

	*damaged = false;
	if (how == COHORT_LOOK_READ)
		down_read(&runs->lock);
	else if (!down_read_trylock(&runs->lock))
		return -EAGAIN;
	ret = look_all(&l, key, entry, damaged);
	up_read(&runs->lock);
	return ret;
}

/* ---- cursors ---- */

int cohort_run_cursor_open(struct cohort_run_cursor *c, const struct cohort_run *run)
{
	memset(c, 0, sizeof(*c));
	c->run = run;
	c->buf = kvmalloc(COHORT_CURSOR_BLOCKS * COHORT_BLOCK, GFP_NOIO);
	return c->buf ? 0 : -ENOMEM;
}

void cohort_run_cursor_close(struct cohort_run_cursor *c)
{
	kvfree(c->buf);
	c->buf = NULL;
}

/* As many blocks as lie one behind the other. */
static int cursor_fill(struct cohort_run_cursor *c, const struct cohort_runs *runs,
		       struct block_device *bdev)
{
	u32 per = runs->sb->segment_size / COHORT_BLOCK;
	u32 n = min3(COHORT_CURSOR_BLOCKS, c->run->blocks - c->block,
		     per - (c->run->start + c->block) % per);

	c->have = n;
	c->at = 0;
	c->block += n;
	return cohort_bdev_rw(bdev, REQ_OP_READ,
			      cohort_run_address(c->run, runs->sb, c->block - n), c->buf,
			      n * COHORT_BLOCK);
}

/* The next leaf, if c->count entries of the present one are through: 1, 0 at the end. */
static int cursor_leaf(struct cohort_run_cursor *c, const struct cohort_runs *runs,
		       struct block_device *bdev)
{
	u32 level = 1;
	int err;

	c->index = 0;
	if (c->count)
		c->at++;
	for (c->count = 0; level; c->at += !!level) {
		if (c->at == c->have) {
			if (c->block == c->run->blocks)
				return 0;
			err = cursor_fill(c, runs, bdev);
			if (err)
				return err;
		}
		err = cohort_run_block_check(c->run, runs->seed,
					     cohort_run_address(c->run, runs->sb,
								c->block - c->have + c->at),
					     c->buf + c->at * COHORT_BLOCK, &level, &c->count);
		if (err)
			return err;
	}
	return 1;
}

int cohort_run_cursor_next(struct cohort_run_cursor *c, const struct cohort_runs *runs,
			   struct block_device *bdev, struct cohort_run_entry *entry)
{
	int ret = 1;

	if (c->index == c->count)
		ret = cursor_leaf(c, runs, bdev);
	if (ret <= 0)
		return ret;
	cohort_run_entry_decode(c->buf + c->at * COHORT_BLOCK, c->index++, entry);
	ret = cohort_run_entry_check(entry, runs->sb);
	return ret ? ret : 1;
}
