/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * run.h - a run: the index of a part of the log, sorted, written once and never changed.
 *
 * A tree that is written from its leaves up while the entries come in order: a
 * block is written when it is full, its first key goes to the block above, and
 * the last block written is the root. So a run needs no memory for its size to
 * be built, is written from front to end, and read from front to end gives its
 * entries in order. Pure: what blocks are read and written with is the caller's.
 */
#ifndef COHORT_RUN_H
#define COHORT_RUN_H

#include "codec.h"

struct cohort_run_key {
	u32	source;
	u64	chunk;
	u64	epoch;
};

struct cohort_run_entry {
	struct cohort_run_key key;
	u32	crc;
	u64	addr;
	u64	unreadable;
};

struct cohort_run {
	u32	id;
	u64	from;			/* log segments with from <= seq < to */
	u64	to;
	u64	entries;
	u64	max_epoch;
	u32	start;			/* blocks of the first segment that are not its own */
	u32	blocks;
	u32	root;
	u32	levels;
	u32	count;
	u32	segment[];
};

/* By source, chunk, epoch: < 0, 0, > 0. */
int cohort_run_key_cmp(const struct cohort_run_key *a, const struct cohort_run_key *b);

/* Blocks that a run of @entries has. */
u64 cohort_run_blocks(u64 entries);
/* Byte offset of @block of @run, which must be one of it. */
u64 cohort_run_address(const struct cohort_run *run, const struct cohort_super *sb, u32 block);

/* Bytes of the record of a run in @count segments. */
u32 cohort_run_record_len(u32 count);
void cohort_run_record_encode(const struct cohort_run *run, void *record);
/* Segments of a record that cohort_record_check() took: @run must have room for them. */
u32 cohort_run_record_count(const void *record);
/* -EUCLEAN: fields that can not be. */
int cohort_run_record_decode(struct cohort_run *run, const void *record,
			     const struct cohort_super *sb);

/* Level and entries of what was read from @address: 0, or -EUCLEAN. */
int cohort_run_block_check(const struct cohort_run *run, u32 seed, u64 address,
			   const void *block, u32 *level, u32 *count);
/* -EUCLEAN: an entry that can not be, such as one of a chunk that lies outside the segments. */
int cohort_run_entry_check(const struct cohort_run_entry *entry, const struct cohort_super *sb);
/* Entry @i of a leaf that was checked. */
void cohort_run_entry_decode(const void *block, u32 i, struct cohort_run_entry *entry);

/*
 * How the search reads: get() returns a block that was checked, or NULL with *@err
 * set, and put() lets it go before the next get().
 */
struct cohort_run_reader {
	const void *(*get)(struct cohort_run_reader *r, const struct cohort_run *run,
			   u32 block, int *err);
	void (*put)(struct cohort_run_reader *r);
};

/*
 * The entry of the source and chunk of @key with the smallest epoch that is not
 * below that of @key: 1, 0 if there is none, or what get() said. -EUCLEAN: the
 * blocks do not lead to where they should.
 */
int cohort_run_search(const struct cohort_run *run, struct cohort_run_reader *reader,
		      const struct cohort_run_key *key, struct cohort_run_entry *entry);

/*
 * Builds @run, whose id, segments and start are set, in segments enough for its
 * blocks. @buf is COHORT_RUN_LEVELS blocks of memory.
 */
struct cohort_run_builder {
	struct cohort_run *run;
	const struct cohort_super *sb;
	u32 seed;
	/* 0 or a negative errno, which ends it; blocks come in order */
	int (*emit)(void *ctx, u32 block, const void *data);
	void *ctx;
	u8 *buf;
	struct {
		u32 count;		/* in the block that is filled */
		u32 written;		/* blocks of the level */
		struct cohort_run_key first;	/* of the block that is filled */
	} level[COHORT_RUN_LEVELS];
};

/* In ascending order of keys, none twice. */
int cohort_run_add(struct cohort_run_builder *b, const struct cohort_run_entry *entry);
/* After the last one, of at least one. */
int cohort_run_finish(struct cohort_run_builder *b);

#endif
