/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memstore.h - a pool that lies in memory, read by the code that reads one on a device. */
#ifndef SELFTESTS_MEMSTORE_H
#define SELFTESTS_MEMSTORE_H

#include "../../tools/store.h"

static inline int memstore_read(void *ctx, u64 addr, void *buf, u32 len)
{
	memcpy(buf, (const u8 *)ctx + addr, len);
	return 0;
}

/* Writes nothing to @base. Pairs with store_free(). */
static inline int memstore_load(struct store *store, const void *base, u64 size)
{
	memset(store, 0, sizeof(*store));
	store->read = memstore_read;
	store->ctx = (void *)(uintptr_t)base;
	store->size = size;
	return store_load(store);
}

#endif
