/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * index.h - where the old content of a chunk lies: (source, chunk, epoch) -> pool address.
 *
 * The one question is: smallest epoch >= e for this chunk. An entry (c, e)
 * serves every cut s with prev(c, e) < s <= e, prev being the next smaller
 * epoch of the same chunk. Pure: builds in user space too.
 */
#ifndef COHORT_INDEX_H
#define COHORT_INDEX_H

#include "codec.h"

struct cohort_index;

struct cohort_index_node {
	struct cohort_index_node *next;	/* RCU */
	u64 chunk;
	u64 epoch;
	u64 addr;			/* byte offset of the chunk in the pool; bit 0: damaged */
	u64 unreadable;
	u32 source;
	u32 crc;
#ifdef __KERNEL__
	struct rcu_head rcu;
#endif
};

struct cohort_mapping {
	bool damaged;			/* see cohort_index_damaged() */
	u32 source;			/* that was asked for */
	u64 epoch;
	u64 addr;
	u64 unreadable;
	u32 crc;
};

/* For @chunks preserved chunks to be expected; NULL without memory. May sleep. */
struct cohort_index *cohort_index_new(u64 chunks);
/* Frees it with all entries. No reader may be left. */
void cohort_index_free(struct cohort_index *idx);

/*
 * A node from the allocator the index frees with. NULL without memory; GFP_NOIO,
 * may sleep. @urgent: a page is being freed that is many times its size, so take
 * it from what the kernel keeps for such as that.
 */
struct cohort_index_node *cohort_index_node_new(bool urgent);
void cohort_index_node_free(struct cohort_index_node *node);
/* What the log says of a chunk, which lies at @addr. Not of a node that was inserted. */
static inline void cohort_index_node_set(struct cohort_index_node *node,
					 const struct cohort_preserve *p, u64 addr)
{
	node->source = p->source;
	node->chunk = p->chunk;
	node->epoch = p->epoch;
	node->addr = addr;
	node->unreadable = p->unreadable;
	node->crc = p->crc;
}

/*
 * Makes @node visible to lookups. Any context. An entry of the same key is
 * refused with -EEXIST: a preserved chunk is never replaced. *@newest is the
 * largest epoch the chunk had an entry of before, 0 = none.
 */
int cohort_index_insert(struct cohort_index *idx, struct cohort_index_node *node, u64 *newest);

/*
 * The same for an entry of an overlay, of which only the newest of a chunk, the one
 * with the smallest epoch, is needed: the others go, and @dropped is told of each.
 * NULL: they stay, because somebody has collected entries. -EEXIST: @node is not the
 * newest.
 */
int cohort_index_supersede(struct cohort_index *idx, struct cohort_index_node *node,
			   void (*dropped)(void *ctx, const struct cohort_index_node *node),
			   void *ctx);

/*
 * The chunk of this very entry lies at @to from now on, and lay at *@from; 0 there
 * takes any place, and is set to what it was. False: there is no such entry, or it
 * is damaged. Any context.
 */
bool cohort_index_move(struct cohort_index *idx, u32 source, u64 chunk, u64 epoch, u64 *from,
		       u64 to);
/* Largest epoch that the chunk has an entry of, 0 = none. Any context. */
u64 cohort_index_newest(struct cohort_index *idx, u32 source, u64 chunk);

/* Any context, no lock. False: no entry at or above @epoch. */
bool cohort_index_lookup(struct cohort_index *idx, u32 source, u64 chunk, u64 epoch,
			 struct cohort_mapping *map);

/* Is it marked so, see cohort_index_damaged()? Its address without the mark. */
bool cohort_index_node_damaged(const struct cohort_index_node *node, u64 *addr);

/*
 * The data at @addr is not what this very entry promises: lookups say so from now
 * on. Any context. 0; -EALREADY: it was known; -ENOENT: the entry is not there any more.
 */
int cohort_index_damaged(struct cohort_index *idx, u32 source, u64 chunk, u64 epoch, u64 addr);

/*
 * Drops entries that @needed denies: it is asked with the entry's epoch and the
 * next smaller one of the same chunk (0: none). @dropped is told of each before
 * it is freed, and @newest whether it was the newest of its chunk, @prev being
 * the next one then. Process context; readers may go on.
 */
struct cohort_index_filter {
	bool (*needed)(void *ctx, u32 source, u64 prev, u64 epoch);
	void (*dropped)(void *ctx, const struct cohort_index_node *node, bool newest, u64 prev);
	void *ctx;
};

u64 cohort_index_prune(struct cohort_index *idx, const struct cohort_index_filter *filter);

/*
 * Collects entries that @wanted says yes to, at most @most; how many. Nobody takes
 * entries away meanwhile; inserts go on, and what comes in may be missed.
 */
u64 cohort_index_collect(struct cohort_index *idx,
			 bool (*wanted)(void *ctx, const struct cohort_index_node *node), void *ctx,
			 struct cohort_index_node **node, u64 most);
/* Takes one that was collected out again; readers may go on. False: it is not there. */
bool cohort_index_remove(struct cohort_index *idx, struct cohort_index_node *node);

/*
 * Tells @each of every entry, and whether it is the newest of its chunk; nonzero
 * ends it. Nobody else changes the index.
 */
int cohort_index_each(struct cohort_index *idx,
		      int (*each)(void *ctx, u32 source, u64 epoch, bool newest), void *ctx);

/* Bytes of memory that an entry takes. */
u32 cohort_index_entry_size(void);
/* Of all entries, and of the table that they hang on. */
u64 cohort_index_bytes(const struct cohort_index *idx);
u64 cohort_index_count(const struct cohort_index *idx);

#endif
