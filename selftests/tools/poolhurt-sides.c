// SPDX-License-Identifier: GPL-2.0-or-later
/* poolhurt-sides.c - gives a pool side logs that say chunks of its main log, and damages those. */
#include <err.h>
#include <string.h>

#include "poolhurt.h"

#define BATCHES	3
#define CHUNKS	4		/* in each */

/* A side log in a segment of its own, which stays open. */
static struct {
	struct cohort_segment_entry entry;
	u32 segment;
	u32 offset;
	u64 seq;
	u32 crc;		/* of the header before */
	u64 batch[BATCHES];	/* where they begin */
	u64 crumbs;		/* the chunk of the main log that comes next */
} side;

static void begin(void)
{
	u64 order;

	side.segment = hurt_free_segment(&order);
	side.seq = 1;
	side.entry = (struct cohort_segment_entry){
		.seq = order + 1, .nonce = hurt.sb.nonce + 1, .kind = COHORT_SEGMENT_SIDE,
		.min_seq = 1,
	};
	hurt_table(side.segment, &side.entry);
}

/* The @nth preserved chunk of the main log. */
static u64 nth_chunk(u64 nth, struct cohort_preserve *p)
{
	for (u32 i = 0; i < hurt.nr_batches; i++) {
		const struct cohort_batch *b = &hurt.batch[i].b;

		if (b->kind != COHORT_BATCH_PRESERVE)
			continue;
		if (nth < b->count) {
			cohort_preserve_decode(hurt.base + b->address, (u32)nth, p);
			return b->address + COHORT_BLOCK + nth * hurt.sb.chunk_size;
		}
		nth -= b->count;
	}
	errx(2, "not so many chunks");
}

/* The next chunks again; @only: they are not to be had where they were. */
static void put(bool only)
{
	const u32 size = hurt.sb.chunk_size, data_len = CHUNKS * size;
	u8 *block = hurt_segment(side.segment) + side.offset;
	struct cohort_batch b = {
		.address = (u64)(block - hurt.base), .nonce = side.entry.nonce, .seq = side.seq,
		.completed = side.seq - 1, .prev_crc = side.crc, .kind = COHORT_BATCH_SIDE,
		.count = CHUNKS, .data_len = data_len,
	};

	memset(block, 0, COHORT_BLOCK);
	for (u32 i = 0; i < CHUNKS; i++) {
		struct cohort_preserve p;
		u8 *from = hurt.base + nth_chunk(side.crumbs++, &p);

		cohort_preserve_encode(block, i, &p);
		memcpy(block + COHORT_BLOCK + i * size, from, size);
		if (only)
			memset(from, 0xee, size);
	}
	side.crc = cohort_batch_encode(hurt.seed, &b, block);
	side.batch[side.seq++ - 1] = b.address;
	side.offset += COHORT_BLOCK + data_len;
}

static void add_log(bool feature, bool only)
{
	hurt.sb.sides = feature;
	hurt_lay_supers();
	begin();
	for (int i = 0; i < BATCHES; i++)
		put(only);
}

static void close_log(void)
{
	side.entry.length = side.offset;
	hurt_table(side.segment, &side.entry);
}

void side_log(void) { add_log(true, true); }
void side_no_feature(void) { add_log(false, true); }
/* A later batch of the same log says that it was complete. */
void side_first_flip(void) { add_log(true, true); hurt.base[side.batch[0] + 90] ^= 1; }
/* It may have been under way: nobody was told that it is there. */
void side_torn(void)
{
	add_log(true, false);
	memset(hurt.base + side.batch[BATCHES - 1] + COHORT_BLOCK, 0, COHORT_BLOCK);
}

void side_closed_flip(void)
{
	add_log(true, true);
	close_log();
	hurt.base[side.batch[BATCHES - 1] + 90] ^= 1;
}

/* The sector of the table that tells of it, and of the main log. */
void side_table_zero(void)
{
	add_log(true, false);
	memset(hurt.base + cohort_table_address(side.segment), 0, COHORT_SECTOR);
}

/* What was written to an image has no place there. */
void side_overlay(void)
{
	struct cohort_preserve p;
	struct cohort_batch b;
	u8 *block;

	add_log(true, true);
	block = hurt.base + side.batch[BATCHES - 1];
	cohort_batch_decode(hurt.seed, side.batch[BATCHES - 1], hurt.sb.segment_size,
			    hurt.sb.chunk_size, block, &b);
	cohort_preserve_decode(block, 0, &p);
	p.source = COHORT_OVERLAY_ID | 1;
	cohort_preserve_encode(block, 0, &p);
	cohort_batch_encode(hurt.seed, &b, block);
}
