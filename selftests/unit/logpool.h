/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logpool.h - a pool in memory whose log is written piece by piece, as a test wants it.
 *
 * The blocks are those of the module's own encoders; what they say is for the
 * caller to make up. For one program file each.
 */
#ifndef SELFTESTS_LOGPOOL_H
#define SELFTESTS_LOGPOOL_H

#include <stdlib.h>
#include <string.h>

#include "../../kmod/codec.h"

#define MIB (1ull << 20)
#define SIZE (16 * MIB)
#define CHUNK 4096u
#define NONCE 5

/* A pool in memory, and the place where its log goes on. */
static struct {
	u8 disk[SIZE];
	struct cohort_super sb;
	struct cohort_segment_entry table[256];
	u32 seed;
	u32 segment;
	u32 offset;
	u64 nonce;
	u64 seq;
	u64 completed;
	u32 crc;
} pool;

static u8 *segment_at(u32 segment, u32 offset)
{
	return pool.disk + pool.sb.segments_start + (u64)segment * pool.sb.segment_size + offset;
}

static u8 *here(void)
{
	return segment_at(pool.segment, pool.offset);
}

static void write_table(u32 segment)
{
	u32 first = segment - segment % COHORT_TABLE_PER_SECTOR;
	u64 addr = cohort_table_address(first);

	cohort_table_encode(pool.seed, addr, &pool.table[first], pool.disk + addr);
}

static void use_segment_as(u32 segment, u64 seq, u32 kind)
{
	pool.segment = segment;
	pool.offset = 0;
	pool.table[segment] = (struct cohort_segment_entry){
		.seq = seq, .nonce = pool.nonce, .kind = kind, .min_seq = pool.seq,
	};
	write_table(segment);
}

static void use_segment(u32 segment, u64 seq)
{
	use_segment_as(segment, seq, COHORT_SEGMENT_LOG);
}

static void close_segment(void)
{
	pool.table[pool.segment].length = pool.offset;
	write_table(pool.segment);
}

static void new_pool(void)
{
	const char *why;

	memset(&pool, 0, sizeof(pool));
	memcpy(pool.sb.uuid, "0123456789abcde", 16);
	if (cohort_super_layout(&pool.sb, SIZE, CHUNK, &why) || pool.sb.nr_segments > 255)
		abort();
	pool.seed = cohort_pool_seed(pool.sb.uuid);
	for (u32 i = 0; i < pool.sb.nr_segments; i += COHORT_TABLE_PER_SECTOR)
		write_table(i);
	pool.nonce = NONCE;
	pool.seq = 1;
	use_segment(0, 1);
}

/* The batch's payload and data are in place. */
static void put_batch(u32 kind, u32 count, u32 data_len, u32 data_crc)
{
	struct cohort_batch b = {
		.address = here() - pool.disk, .nonce = pool.nonce, .seq = pool.seq++,
		.completed = pool.completed, .prev_crc = pool.crc, .kind = kind, .count = count,
		.data_len = data_len, .data_crc = data_crc,
	};

	pool.crc = cohort_batch_encode(pool.seed, &b, here());
	pool.offset += COHORT_BLOCK + data_len;
}

static void put_chunks(u32 kind, u32 count, u64 epoch)
{
	for (u32 i = 0; i < count; i++) {
		u8 *data = here() + COHORT_BLOCK + i * CHUNK;
		struct cohort_preserve p = { .source = 1, .chunk = i, .epoch = epoch };

		memset(data, epoch + i, CHUNK);
		p.crc = cohort_crc32c(~0u, data, CHUNK);
		cohort_preserve_encode(here(), i, &p);
	}
	put_batch(kind, count, count * CHUNK, 0);
}

static void put_preserves(u32 count, u64 epoch)
{
	put_chunks(COHORT_BATCH_PRESERVE, count, epoch);
}

static void put_deletions(u32 first_id, u32 count)
{
	u32 len = count * sizeof(struct cohort_disk_record);
	u32 blocks = (len + COHORT_BLOCK - 1) / COHORT_BLOCK;
	u32 data_len = len <= COHORT_BATCH_PAYLOAD ? 0 : blocks * COHORT_BLOCK;
	u8 *at = data_len ? here() + COHORT_BLOCK : ((struct cohort_disk_batch *)here())->payload;

	for (u32 i = 0; i < count; i++) {
		struct cohort_disk_record r = {
			.type = cpu_to_le16(COHORT_REC_REL_DEL), .len = cpu_to_le32(sizeof(r)),
			.id = cpu_to_le32(first_id + i),
		};

		memcpy(at + i * sizeof(r), &r, sizeof(r));
	}
	put_batch(COHORT_BATCH_RECORD, len, data_len, cohort_crc32c(~0u, at, len));
}

#endif
