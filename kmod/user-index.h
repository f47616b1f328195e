/* SPDX-License-Identifier: GPL-2.0-only */
/* user-index.h - user space words for the kernel calls of index.c; one thread only. */
#ifndef COHORT_USER_INDEX_H
#define COHORT_USER_INDEX_H

#include <stdlib.h>

typedef struct { int unused; } spinlock_t;
typedef struct { s64 v; } atomic64_t;

#define GFP_KERNEL 0
#define GFP_NOIO 0
#define __GFP_NOWARN 0
#define __GFP_MEMALLOC 0
#define spin_lock_init(l) ((void)(l))
#define spin_lock_irqsave(l, f) ((void)(l), (f) = 0)
#define spin_unlock_irqrestore(l, f) ((void)(l), (void)(f))
#define rcu_read_lock() ((void)0)
#define rcu_read_unlock() ((void)0)
#define cond_resched() ((void)0)
#define READ_ONCE(x) (x)
#define WRITE_ONCE(x, v) ((x) = (v))
/* one thread: nothing to order */
#define smp_load_acquire(p) (*(p))
/* nor here */
#define smp_store_release(p, v) (*(p) = (v))
#define atomic64_set(a, n) ((a)->v = (n))
#define atomic64_inc(a) ((a)->v++)
#define atomic64_dec(a) ((a)->v--)
#define atomic64_read(a) ((u64)(a)->v)
#define kzalloc(n, g) calloc(1, (n))
#define kmalloc(n, g) ((void)(g), malloc(n))
#define kvcalloc(n, s, g) calloc((n), (s))
#define kfree(p) free(p)
#define kvfree(p) free(p)
#define kfree_rcu(p, f) free(p)

static inline u32 hash_64(u64 val, unsigned int bits)
{
	return (u32)((val * 0x61C8864680B583EBull) >> (64 - bits));
}

#endif
