/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * codec.h - disk blocks to host structures and back, every field checked.
 *
 * Pure: no allocation, no sleeping, no locks; callable from any context, in
 * the kernel and in user space. A CRC says that a block is whole, not that it
 * is honest: decoders check every bound after it.
 */
#ifndef COHORT_CODEC_H
#define COHORT_CODEC_H

#include "format.h"

struct cohort_super {
	u8	uuid[16];
	u64	generation;
	u64	size;
	u32	chunk_size;
	u32	segment_size;
	u64	table_size;
	u64	segments_start;
	u64	nr_segments;
	u64	epoch_high;
	u64	nonce;
	u64	next_seq;
	u64	next_segment;
	u64	catalog_seq;
	u64	log_start;		/* 0: all of the log is to be replayed, no run counts */
	u32	flags;
	bool	overlays;		/* there may be some */
	bool	moves;			/* and of these */
	bool	sides;			/* and segments of side logs */
	bool	clones;			/* and records of clones, and copy maps */
	char	name[COHORT_DISK_NAME];
};

struct cohort_segment_entry {
	u64	seq;
	u64	nonce;
	u32	length;
	u32	kind;
	u64	min_seq;
};

struct cohort_batch {
	u64	address;
	u64	nonce;
	u64	seq;
	u64	completed;
	u32	prev_crc;
	u32	crc;
	u32	kind;
	u32	count;
	u32	data_len;
	u32	data_crc;
};

struct cohort_preserve {
	u32	source;
	u32	crc;
	u64	chunk;
	u64	epoch;
	u64	unreadable;
	bool	moved;			/* of a COHORT_BATCH_MOVE; set by a replay alone */
};

/* Is it the id of an overlay, not of a source? */
static inline bool cohort_is_overlay(u32 id)
{
	return id & COHORT_OVERLAY_ID;
}

/* What stands for the epoch in an overlay's entry of batch @seq; and back. */
static inline u64 cohort_overlay_epoch(u64 seq)
{
	return COHORT_EPOCH_MAX - seq;
}

static inline u64 cohort_overlay_seq(u64 epoch)
{
	return COHORT_EPOCH_MAX - epoch;
}

/* Are there chunks behind a header of @kind? */
static inline bool cohort_batch_has_chunks(u32 kind)
{
	return kind == COHORT_BATCH_PRESERVE || kind == COHORT_BATCH_MOVE ||
	       kind == COHORT_BATCH_SIDE;
}

/* Do segments of @kind hold a log? */
static inline bool cohort_segment_has_batches(u32 kind)
{
	return kind == COHORT_SEGMENT_LOG || kind == COHORT_SEGMENT_SIDE;
}

/* Seed of every CRC of the pool with this UUID. */
u32 cohort_pool_seed(const u8 uuid[16]);

/* CRC of a block whose 4-byte crc field lies at @at, bound to its address. */
u32 cohort_block_crc(u32 seed, u64 address, const void *block, size_t len, size_t at);

/*
 * Lays out a new pool: fills every field but uuid and name from @size bytes of
 * device and @chunk_size. Returns 0, -EINVAL (chunk size) or -ENOSPC (device
 * too small) with words in @why.
 */
int cohort_super_layout(struct cohort_super *sb, u64 size, u32 chunk_size,
			const char **why);

/* Byte offset at which generation @generation is written. */
u64 cohort_super_address(u64 generation);

/* Encodes @sb into the 4 KiB at @block as it stands at its address. */
void cohort_super_encode(const struct cohort_super *sb, void *block);

/*
 * Decodes the 4 KiB read from @address of a device of @dev_size bytes.
 * -ENOENT: no superblock at all; -EUCLEAN: damaged; -EOPNOTSUPP: a feature or
 * version this code does not know; -ERANGE: the device is smaller than the
 * pool. @why has the words.
 */
int cohort_super_decode(struct cohort_super *sb, const void *block, u64 address,
			u64 dev_size, const char **why);

/*
 * Picks the newer of the two copies, either of which may be damaged.
 * Returns as cohort_super_decode() when none is good.
 */
int cohort_super_choose(struct cohort_super *sb, const void *a, const void *b,
			u64 dev_size, const char **why);

/* Segments that a device of @size bytes, and the table of the pool on it, have room for. */
u64 cohort_super_capacity(const struct cohort_super *sb, u64 size);

/* Segment table: sector that holds entry @segment, and encode/decode of one. */
u64 cohort_table_address(u64 segment);
void cohort_table_encode(u32 seed, u64 address, const struct cohort_segment_entry *seg,
			 void *sector);
/* Never written: only before the first activation. */
bool cohort_table_blank(const void *sector);
int cohort_table_decode(u32 seed, u64 address, const void *sector,
			struct cohort_segment_entry *seg);

/* Batch header: payload must be in place; fills and returns the crc. */
u32 cohort_batch_encode(u32 seed, struct cohort_batch *b, void *block);
/* 0; -ENOENT: not a batch of this place; -EUCLEAN: one with impossible fields. */
int cohort_batch_decode(u32 seed, u64 address, u64 room, u32 chunk_size,
			const void *block, struct cohort_batch *b);

void cohort_preserve_encode(void *block, u32 index, const struct cohort_preserve *p);
void cohort_preserve_decode(const void *block, u32 index, struct cohort_preserve *p);

/*
 * Steps through records: checks the record at @buf, whose type-specific
 * length and counts fit into @len. Returns its length or -EUCLEAN.
 */
int cohort_record_check(const void *buf, size_t len);

/* Copies a fixed-size name field that must be terminated and printable. */
int cohort_name_decode(char *name, const u8 *disk, size_t size);

#endif
