// SPDX-License-Identifier: GPL-2.0-only
/* index.c - where the old content of a chunk lies: a hash of chains, read without a lock. */
#include "index.h"

#ifdef __KERNEL__
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#else
#include "user-index.h"
#endif

#define INDEX_LOCKS 64u
/* Chunks lie at multiples of a block. */
#define ADDR_DAMAGED 1ull

/*
 * A chain holds every epoch of the chunks that hash to it, in no order.
 * Writers take the chain's lock; readers only follow ->next under RCU, so a
 * node is complete before it is linked and freed a grace period after it left.
 */
struct cohort_index {
	struct cohort_index_node **bucket;
	unsigned int bits;
	/* protect the chains whose number modulo INDEX_LOCKS is theirs; irq-safe */
	spinlock_t lock[INDEX_LOCKS];
	atomic64_t count;
};

static unsigned int bucket_of(const struct cohort_index *idx, u32 source, u64 chunk)
{
	return hash_64(chunk ^ ((u64)source << 32), idx->bits);
}

struct cohort_index *cohort_index_new(u64 chunks)
{
	struct cohort_index *idx = kzalloc(sizeof(*idx), GFP_KERNEL);
	unsigned int i;

	if (!idx)
		return NULL;
	idx->bits = 10;
	while (idx->bits < 20 && (1ull << (idx->bits + 2)) < chunks)
		idx->bits++;
	idx->bucket = kvcalloc(1ul << idx->bits, sizeof(*idx->bucket), GFP_KERNEL);
	if (!idx->bucket) {
		kfree(idx);
		return NULL;
	}
	for (i = 0; i < INDEX_LOCKS; i++)
		spin_lock_init(&idx->lock[i]);
	atomic64_set(&idx->count, 0);
	return idx;
}

void cohort_index_free(struct cohort_index *idx)
{
	unsigned long b;

	if (!idx)
		return;
	for (b = 0; b < 1ul << idx->bits; b++) {
		struct cohort_index_node *node = idx->bucket[b], *next;

		for (; node; node = next) {
			next = node->next;
			kfree(node);
		}
		cond_resched();
	}
	kvfree(idx->bucket);
	kfree(idx);
}

struct cohort_index_node *cohort_index_node_new(bool urgent)
{
	return kmalloc(sizeof(struct cohort_index_node),
		       GFP_NOIO | __GFP_NOWARN | (urgent ? __GFP_MEMALLOC : 0));
}

void cohort_index_node_free(struct cohort_index_node *node)
{
	kfree(node);
}

static bool same_chunk(const struct cohort_index_node *node, u32 source, u64 chunk)
{
	return node->chunk == chunk && node->source == source;
}

/* Largest epoch of the chunk of @key, 0 = none; *@same: there is an entry of its own. */
static u64 chain_newest(const struct cohort_index_node *node, const struct cohort_index_node *key,
			bool *same)
{
	u64 newest = 0;

	*same = false;
	for (; node; node = node->next) {
		if (!same_chunk(node, key->source, key->chunk))
			continue;
		if (node->epoch > newest)
			newest = node->epoch;
		*same |= node->epoch == key->epoch;
	}
	return newest;
}

int cohort_index_insert(struct cohort_index *idx, struct cohort_index_node *node, u64 *newest)
{
	unsigned int b = bucket_of(idx, node->source, node->chunk);
	spinlock_t *lock = &idx->lock[b % INDEX_LOCKS];
	unsigned long flags;
	int err = -EEXIST;
	bool same;

	spin_lock_irqsave(lock, flags);
	*newest = chain_newest(idx->bucket[b], node, &same);
	if (!same) {
		node->next = idx->bucket[b];
		/* complete before it is seen; pairs with the acquire in the lookup */
		smp_store_release(&idx->bucket[b], node);
		atomic64_inc(&idx->count);
		err = 0;
	}
	spin_unlock_irqrestore(lock, flags);
	return err;
}

/* Of the chunk of @node: the newest, which has the smallest epoch. NULL: there is none. */
static struct cohort_index_node *chain_smallest(struct cohort_index_node *at,
						const struct cohort_index_node *node)
{
	struct cohort_index_node *best = NULL;

	for (; at; at = at->next)
		if (same_chunk(at, node->source, node->chunk) &&
		    (!best || at->epoch < best->epoch))
			best = at;
	return best;
}

/* All of the chunk of @node but itself. */
static void drop_others(struct cohort_index *idx, unsigned int b, struct cohort_index_node *node,
			void (*dropped)(void *ctx, const struct cohort_index_node *node), void *ctx)
{
	struct cohort_index_node **link = &idx->bucket[b], *old;

	while ((old = *link)) {
		if (old == node || !same_chunk(old, node->source, node->chunk)) {
			link = &old->next;
			continue;
		}
		/* after what leads from @old to @node */
		smp_store_release(link, old->next);
		atomic64_dec(&idx->count);
		dropped(ctx, old);
		kfree_rcu(old, rcu);
	}
}

/*
 * The new entry stands right behind the one that it supersedes, not at the head of
 * the chain: so a reader, wherever it is, meets at least one of the two. One that
 * had passed the head would miss both, the old one being gone when it comes there.
 */
int cohort_index_supersede(struct cohort_index *idx, struct cohort_index_node *node,
			   void (*dropped)(void *ctx, const struct cohort_index_node *node),
			   void *ctx)
{
	unsigned int b = bucket_of(idx, node->source, node->chunk);
	spinlock_t *lock = &idx->lock[b % INDEX_LOCKS];
	struct cohort_index_node *old, **link;
	unsigned long flags;
	int err = -EEXIST;

	spin_lock_irqsave(lock, flags);
	old = chain_smallest(idx->bucket[b], node);
	if (!old || old->epoch > node->epoch) {
		link = old ? &old->next : &idx->bucket[b];
		node->next = *link;
		/* complete before it is seen; pairs with the lookup's acquire, or dependency */
		smp_store_release(link, node);
		atomic64_inc(&idx->count);
		if (dropped)
			drop_others(idx, b, node, dropped, ctx);
		err = 0;
	}
	spin_unlock_irqrestore(lock, flags);
	return err;
}

bool cohort_index_move(struct cohort_index *idx, u32 source, u64 chunk, u64 epoch, u64 *from,
		       u64 to)
{
	unsigned int b = bucket_of(idx, source, chunk);
	spinlock_t *lock = &idx->lock[b % INDEX_LOCKS];
	struct cohort_index_node *node;
	unsigned long flags;
	bool moved = false;

	spin_lock_irqsave(lock, flags);
	for (node = idx->bucket[b]; node && !moved; node = node->next) {
		if (!same_chunk(node, source, chunk) || node->epoch != epoch ||
		    node->addr & ADDR_DAMAGED || (*from && node->addr != *from))
			continue;
		*from = node->addr;
		moved = true;
		WRITE_ONCE(node->addr, to);
	}
	spin_unlock_irqrestore(lock, flags);
	return moved;
}

u64 cohort_index_newest(struct cohort_index *idx, u32 source, u64 chunk)
{
	const struct cohort_index_node key = { .source = source, .chunk = chunk };
	unsigned int b = bucket_of(idx, source, chunk);
	unsigned long flags;
	u64 newest;
	bool same;

	spin_lock_irqsave(&idx->lock[b % INDEX_LOCKS], flags);
	newest = chain_newest(idx->bucket[b], &key, &same);
	spin_unlock_irqrestore(&idx->lock[b % INDEX_LOCKS], flags);
	return newest;
}

bool cohort_index_lookup(struct cohort_index *idx, u32 source, u64 chunk, u64 epoch,
			 struct cohort_mapping *map)
{
	const struct cohort_index_node *node, *best = NULL;

	rcu_read_lock();
	/* pairs with the release of an insert */
	node = smp_load_acquire(&idx->bucket[bucket_of(idx, source, chunk)]);
	for (; node; node = READ_ONCE(node->next))
		if (same_chunk(node, source, chunk) && node->epoch >= epoch &&
		    (!best || node->epoch < best->epoch))
			best = node;
	if (best && map) {
		u64 addr = READ_ONCE(best->addr);

		map->source = source;
		map->epoch = best->epoch;
		map->addr = addr & ~ADDR_DAMAGED;
		map->damaged = addr & ADDR_DAMAGED;
		map->unreadable = best->unreadable;
		map->crc = best->crc;
	}
	rcu_read_unlock();
	return best;
}

int cohort_index_damaged(struct cohort_index *idx, u32 source, u64 chunk, u64 epoch, u64 addr)
{
	unsigned int b = bucket_of(idx, source, chunk);
	spinlock_t *lock = &idx->lock[b % INDEX_LOCKS];
	struct cohort_index_node *node;
	unsigned long flags;
	int err = -ENOENT;

	spin_lock_irqsave(lock, flags);
	for (node = idx->bucket[b]; node; node = node->next) {
		if (!same_chunk(node, source, chunk) || node->epoch != epoch ||
		    (node->addr & ~ADDR_DAMAGED) != addr)
			continue;
		err = node->addr & ADDR_DAMAGED ? -EALREADY : 0;
		WRITE_ONCE(node->addr, addr | ADDR_DAMAGED);
	}
	spin_unlock_irqrestore(lock, flags);
	return err;
}

bool cohort_index_node_damaged(const struct cohort_index_node *node, u64 *addr)
{
	u64 at = READ_ONCE(node->addr);

	*addr = at & ~ADDR_DAMAGED;
	return at & ADDR_DAMAGED;
}

/* Next smaller epoch of the same chunk, 0 if there is none. */
static u64 previous_epoch(const struct cohort_index_node *head,
			  const struct cohort_index_node *of)
{
	u64 prev = 0;

	for (; head; head = head->next)
		if (same_chunk(head, of->source, of->chunk) && head->epoch < of->epoch &&
		    head->epoch > prev)
			prev = head->epoch;
	return prev;
}

/*
 * Dropping an entry widens the range of the next larger one of its chunk, but
 * only over cuts that just were denied: the order within a chain is free.
 */
static u64 prune_chain(struct cohort_index *idx, unsigned long b,
		       const struct cohort_index_filter *filter)
{
	struct cohort_index_node **link = &idx->bucket[b], *node;
	u64 dropped = 0;

	while ((node = *link)) {
		u64 prev = previous_epoch(idx->bucket[b], node);
		bool same, newest;

		if (filter->needed(filter->ctx, node->source, prev, node->epoch)) {
			link = &node->next;
			continue;
		}
		newest = chain_newest(idx->bucket[b], node, &same) == node->epoch;
		WRITE_ONCE(*link, node->next);
		atomic64_dec(&idx->count);
		filter->dropped(filter->ctx, node, newest, prev);
		kfree_rcu(node, rcu);
		dropped++;
	}
	return dropped;
}

u64 cohort_index_prune(struct cohort_index *idx, const struct cohort_index_filter *filter)
{
	u64 dropped = 0;
	unsigned long b;

	for (b = 0; b < 1ul << idx->bits; b++) {
		spinlock_t *lock = &idx->lock[b % INDEX_LOCKS];
		unsigned long flags;

		if (!READ_ONCE(idx->bucket[b]))
			continue;
		spin_lock_irqsave(lock, flags);
		dropped += prune_chain(idx, b, filter);
		spin_unlock_irqrestore(lock, flags);
		cond_resched();
	}
	return dropped;
}

u64 cohort_index_collect(struct cohort_index *idx,
			 bool (*wanted)(void *ctx, const struct cohort_index_node *node), void *ctx,
			 struct cohort_index_node **node, u64 most)
{
	unsigned long b;
	u64 n = 0;

	for (b = 0; b < 1ul << idx->bits && n < most; b++) {
		/* pairs with the release of an insert */
		struct cohort_index_node *at = smp_load_acquire(&idx->bucket[b]);

		for (; at && n < most; at = READ_ONCE(at->next))
			if (wanted(ctx, at))
				node[n++] = at;
		cond_resched();
	}
	return n;
}

bool cohort_index_remove(struct cohort_index *idx, struct cohort_index_node *node)
{
	unsigned int b = bucket_of(idx, node->source, node->chunk);
	struct cohort_index_node **link = &idx->bucket[b];
	unsigned long flags;
	bool there;

	spin_lock_irqsave(&idx->lock[b % INDEX_LOCKS], flags);
	while (*link && *link != node)
		link = &(*link)->next;
	there = *link;
	if (there)
		WRITE_ONCE(*link, node->next);
	spin_unlock_irqrestore(&idx->lock[b % INDEX_LOCKS], flags);
	if (!there)
		return false;
	atomic64_dec(&idx->count);
	kfree_rcu(node, rcu);
	return true;
}

u32 cohort_index_entry_size(void)
{
	return sizeof(struct cohort_index_node);
}

int cohort_index_each(struct cohort_index *idx,
		      int (*each)(void *ctx, u32 source, u64 epoch, bool newest), void *ctx)
{
	unsigned long b;
	int err = 0;

	for (b = 0; b < 1ul << idx->bits && !err; b++) {
		const struct cohort_index_node *node = idx->bucket[b];
		bool same;

		for (; node && !err; node = node->next)
			err = each(ctx, node->source, node->epoch,
				   chain_newest(idx->bucket[b], node, &same) == node->epoch);
		cond_resched();
	}
	return err;
}

u64 cohort_index_bytes(const struct cohort_index *idx)
{
	return cohort_index_count(idx) * sizeof(struct cohort_index_node) +
		(sizeof(*idx->bucket) << idx->bits);
}

u64 cohort_index_count(const struct cohort_index *idx)
{
	return atomic64_read(&idx->count);
}
