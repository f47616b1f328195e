/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poolhurt.h - a copy of a pool in memory that is about to be damaged. */
#ifndef SELFTESTS_POOLHURT_H
#define SELFTESTS_POOLHURT_H

#include "../../tools/store.h"

#define HURT_BATCHES 4096

struct hurt_batch {
	struct cohort_batch b;
	u32 segment;
};

struct hurt {
	const char *path;
	u8 *base;
	u64 size;
	u32 seed;
	struct store store;		/* as it was */
	struct cohort_super sb;
	struct hurt_batch batch[HURT_BATCHES];	/* in the order of the log */
	u32 nr_batches;
};

extern struct hurt hurt;

struct hurt_way {
	const char *name;
	void (*run)(void);
};

extern const struct hurt_way hurt_ways[];

u8 *hurt_segment(u32 segment);
/* Batch @i was changed in place: it and all behind it get their checksums anew. */
void hurt_rechain(u32 i);
/* Writes one entry of the segment table, checksum and all. */
void hurt_table(u32 segment, const struct cohort_segment_entry *entry);
/* The newest record of that name, in place, and the number of its batch. */
struct cohort_disk_record *hurt_record(u16 type, const char *name, u32 *batch);

#endif
