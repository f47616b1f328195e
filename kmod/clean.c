// SPDX-License-Identifier: GPL-2.0-only
/*
 * clean.c - frees segments that are mostly dead, by moving what is needed out of them.
 *
 * Snapshots that go in another order than they came leave segments of which a
 * few chunks are needed still. These go to the end of the log once more, under
 * their keys, in batches of their own kind: after a crash either place is good,
 * and what is cleaned is cleaned. Nothing is to be resumed.
 *
 * When the new place is durable the index has it, then pool->moved counts, and
 * only then the old place is let go. So whoever reads the old place, and finds
 * pool->moved as it was before the look, has read what was promised.
 *
 * A run goes on saying the old place. It is not asked: what the index or a younger
 * run says of a key counts, and either has the new place as long as the key is needed.
 */
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "clean.h"
#include "index.h"
#include "log.h"
#include "lookup.h"
#include "overlay.h"
#include "registry.h"
#include "source.h"

/* Moved at a time. */
#define MOVES_MOST	32

static unsigned int clean_free = 6;
module_param(clean_free, uint, 0644);
MODULE_PARM_DESC(clean_free, "percent of a pool: with less free, dead segments are cleaned; 0: never");

struct clean {
	struct cohort_pool *pool;
	u8 *buf;			/* a batch */
	struct list_head ops;
	u32 nr;
	atomic_t pending;
	struct completion done;
	int err;
};

struct clean_op {
	struct cohort_log_op log;
	struct clean *clean;
	struct cohort_index_node *node;	/* for one that a run says; NULL: the index does */
	u64 from;
};

bool cohort_clean_due(struct cohort_pool *pool)
{
	struct cohort_segments *segs = &pool->log->segs;
	u32 percent = min(READ_ONCE(clean_free), 100u);

	if (!percent)
		return false;
	return cohort_segments_free(segs) <= COHORT_RESERVED_SEGMENTS + COHORT_CLEAN_SEGMENTS +
		div_u64((u64)READ_ONCE(segs->nr) * percent, 100);
}

/* ---- one chunk ---- */

static void op_free(struct clean_op *op)
{
	if (op->log.page)
		__free_pages(op->log.page, get_order(op->clean->pool->sb.chunk_size));
	cohort_index_node_free(op->node);
	kfree(op);
}

static struct clean_op *op_new(struct clean *c, bool in_run)
{
	struct clean_op *op = kzalloc(sizeof(*op), GFP_NOIO);

	if (!op)
		return NULL;
	op->clean = c;
	op->log.page = alloc_pages(GFP_NOIO | __GFP_NOWARN, get_order(c->pool->sb.chunk_size));
	op->node = in_run ? cohort_index_node_new(false) : NULL;
	if (op->log.page && (op->node || !in_run))
		return op;
	op_free(op);
	return NULL;
}

/* Entries leave the index for runs in another order than they came from now on. */
static void loosen_space(struct cohort_pool *pool, u32 id)
{
	struct cohort_source *source;

	rcu_read_lock();
	source = cohort_source_by_id(pool, id);
	if (source)
		WRITE_ONCE(source->space.loose, true);
	rcu_read_unlock();
}

/* False: it went meanwhile, or was written anew. */
static bool insert_node(struct clean_op *op)
{
	struct cohort_pool *pool = op->clean->pool;
	struct cohort_index_node *node = op->node;
	u64 newest;
	int err;

	cohort_index_node_set(node, &op->log.entry, op->log.addr);
	if (cohort_is_overlay(node->source))
		err = cohort_index_supersede(pool->index, node, cohort_pool_superseded(pool), pool);
	else
		err = cohort_index_insert(pool->index, node, &newest);
	if (err)
		return false;
	op->node = NULL;
	return true;
}

static void op_move(struct clean_op *op)
{
	const struct cohort_preserve *e = &op->log.entry;
	struct cohort_pool *pool = op->clean->pool;
	const bool in_run = op->node;
	bool moved;

	cohort_log_assert_main(pool->log);
	loosen_space(pool, e->source);
	if (in_run)
		moved = insert_node(op);
	else
		moved = cohort_index_move(pool->index, e->source, e->chunk, e->epoch, &op->from,
					  op->log.addr);
	if (!moved)
		return;
	/* the new place, then the count; pairs with moves() */
	smp_mb__before_atomic();
	atomic64_inc(&pool->moved);
	/* the count, and then the old place may go */
	smp_mb__after_atomic();
	cohort_segments_live(&pool->log->segs, op->log.addr, 1);
	if (in_run)
		cohort_segments_from_runs(&pool->log->segs, op->from);
	else
		cohort_segments_live(&pool->log->segs, op->from, -1);
}

static void op_logged(struct cohort_log_op *log_op, int err)
{
	struct clean_op *op = container_of(log_op, struct clean_op, log);
	struct clean *c = op->clean;

	if (err)
		WRITE_ONCE(c->err, err);
	else
		op_move(op);
	op_free(op);
	if (atomic_dec_and_test(&c->pending))
		complete(&c->done);
}

/* What has been added is durable, and the old places are let go, when it returns 0. */
static int move_all(struct clean *c)
{
	if (!c->nr)
		return 0;
	atomic_set(&c->pending, c->nr);
	reinit_completion(&c->done);
	cohort_log_move(c->pool->log, &c->ops, c->nr);
	c->nr = 0;
	wait_for_completion(&c->done);
	return c->err;
}

static void drop_all(struct clean *c)
{
	struct clean_op *op, *next;

	list_for_each_entry_safe(op, next, &c->ops, log.list)
		op_free(op);
}

/*
 * The newest cut that may read the entry asks for it: if it finds another one, so
 * do all that are older. 0: no cut may, or it is an overlay's.
 */
static bool may_be_read(struct cohort_pool *pool, const struct cohort_preserve *p, u64 *cut)
{
	struct cohort_source *source;

	*cut = 0;
	if (cohort_is_overlay(p->source))
		return cohort_overlay_needs(pool, p->source, 0, p->epoch);
	rcu_read_lock();
	source = cohort_source_by_id(pool, p->source);
	if (source)
		*cut = cohort_live_newest(&source->live, p->epoch);
	rcu_read_unlock();
	return *cut;
}

/* 1: what lies at @addr is needed there; 0; errors as cohort_pool_lookup(). */
static int is_needed(struct cohort_pool *pool, const struct cohort_preserve *p, u64 addr)
{
	struct cohort_mapping map;
	int found;
	u64 cut;

	if (!may_be_read(pool, p, &cut))
		return 0;
	found = cohort_pool_lookup(pool, p->source, p->chunk, cut, COHORT_LOOK_READ, &map);
	if (found != 1)
		return found;
	return map.epoch == p->epoch && map.addr == addr && !map.damaged;
}

static bool in_index(struct cohort_pool *pool, const struct cohort_preserve *p, u64 addr)
{
	struct cohort_mapping map;

	return cohort_index_lookup(pool->index, p->source, p->chunk, p->epoch, &map) &&
		map.epoch == p->epoch && map.addr == addr;
}

/* One that is not what it should be stays where it is: whoever reads it is told. */
static int add_chunk(struct clean *c, const struct cohort_preserve *p, u64 addr, const u8 *data)
{
	struct cohort_pool *pool = c->pool;
	struct clean_op *op;
	int err = is_needed(pool, p, addr);

	if (err <= 0)
		return err;
	if (cohort_crc32c(~0u, data, pool->sb.chunk_size) != p->crc) {
		cohort_pool_damaged(pool, p->source, p->chunk, p->epoch, addr);
		return 0;
	}
	op = op_new(c, !in_index(pool, p, addr));
	if (!op)
		return -ENOMEM;
	memcpy(page_address(op->log.page), data, pool->sb.chunk_size);
	op->log.entry = *p;
	op->log.done = op_logged;
	op->from = addr;
	list_add_tail(&op->log.list, &c->ops);
	return ++c->nr == MOVES_MOST ? move_all(c) : 0;
}

/* ---- one segment ---- */

static int read_at(struct clean *c, u64 addr, void *buf, u32 len)
{
	return cohort_bdev_rw(c->pool->bdev, REQ_OP_READ, addr, buf, len);
}

static int clean_batch(struct clean *c, const struct cohort_batch *b)
{
	const u32 size = c->pool->sb.chunk_size;
	struct cohort_preserve p;
	u32 i;
	int err;

	if (!cohort_batch_has_chunks(b->kind))
		return 0;
	if (READ_ONCE(c->pool->blocked))
		return -EAGAIN;
	err = read_at(c, b->address + COHORT_BLOCK, c->buf + COHORT_BLOCK, b->data_len);
	for (i = 0; i < b->count && !err; i++) {
		cohort_preserve_decode(c->buf, i, &p);
		err = add_chunk(c, &p, b->address + COHORT_BLOCK + i * size,
				c->buf + COHORT_BLOCK + i * size);
	}
	cond_resched();
	return err;
}

static int clean_batches(struct clean *c, u32 seg, const struct cohort_segment_entry *entry)
{
	u64 start = cohort_segment_start(&c->pool->log->segs, seg);
	struct cohort_batch b;
	u32 at = 0;
	int err;

	while (at + COHORT_BLOCK <= entry->length) {
		err = read_at(c, start + at, c->buf, COHORT_BLOCK);
		if (err)
			return err;
		/* what is behind damage stays, too */
		if (cohort_batch_decode(c->pool->seed, start + at, entry->length - at,
					c->pool->sb.chunk_size, c->buf, &b))
			break;
		err = clean_batch(c, &b);
		if (err)
			return err;
		at += COHORT_BLOCK + b.data_len;
	}
	return move_all(c);
}

static int clean(struct cohort_pool *pool, u32 seg)
{
	struct cohort_segment_entry entry;
	struct clean c = { .pool = pool };
	int err = -ENOMEM;

	INIT_LIST_HEAD(&c.ops);
	init_completion(&c.done);
	c.buf = kvmalloc(pool->sb.segment_size, GFP_NOIO);
	if (c.buf && cohort_segments_entry(&pool->log->segs, seg, &entry))
		err = clean_batches(&c, seg, &entry);
	drop_all(&c);
	kvfree(c.buf);
	return err;
}

/* Chunks of a segment that are few enough to be moved: three quarters of what one has room for. */
static u32 few(const struct cohort_pool *pool)
{
	return cohort_log_segment_room(pool->log, MOVES_MOST) * 3 / 4;
}

bool cohort_clean_possible(struct cohort_pool *pool)
{
	return READ_ONCE(clean_free) &&
		cohort_segments_victim(&pool->log->segs, few(pool), U64_MAX) >= 0;
}

/* One that can not be read is left, and the next one tried. */
static int clean_one(struct cohort_pool *pool, u32 seg)
{
	int err = pool->sb.moves ? 0 : cohort_pool_set_feature(pool, &pool->sb.moves);
	bool tried;

	if (!err)
		err = clean(pool, seg);
	tried = pool->sb.moves && !READ_ONCE(pool->log->failed) &&
		(!err || err == -EIO || err == -EUCLEAN);
	cohort_segments_unpin(&pool->log->segs, seg, tried);
	return tried ? 1 : err;
}

/* Records that may be void are, when a superblock has said so. */
static void reclaim(struct cohort_pool *pool)
{
	mutex_lock(&pool->super_mutex);
	cohort_segments_reclaim(&pool->log->segs, pool->sb.catalog_seq);
	mutex_unlock(&pool->super_mutex);
}

int cohort_clean_segment(struct cohort_pool *pool, u64 catalog_seq)
{
	struct cohort_segments *segs = &pool->log->segs;
	s64 seg = cohort_segments_victim(segs, few(pool), catalog_seq);
	int ret;

	lockdep_assert_held(&pool->tidy_mutex);
	if (seg < 0 || !READ_ONCE(clean_free))
		return 0;
	/* what nobody needs any more has been freed meanwhile, or will be */
	if (!cohort_segments_pin(segs, seg, catalog_seq))
		return 1;
	ret = clean_one(pool, seg);
	reclaim(pool);
	return ret;
}
