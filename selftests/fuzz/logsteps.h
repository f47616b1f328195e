/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logsteps.h - a pool's log, written step by step as an input says. */
#ifndef SELFTESTS_LOGSTEPS_H
#define SELFTESTS_LOGSTEPS_H

#include "../unit/logpool.h"
#include "fuzz.h"

#define SEGMENTS 4
#define SOURCE_MAX (1u << 20)

/* Nothing of an earlier input is left but what lies in segments that are free now. */
static void begin(void)
{
	static bool made;

	if (!made)
		new_pool();
	made = true;
	memset(pool.table, 0, sizeof(pool.table));
	write_table(0);
	pool.nonce = NONCE;
	pool.seq = 1;
	pool.completed = 0;
	pool.crc = 0;
	cohort_super_encode(&pool.sb, pool.disk + COHORT_SUPER_A);
	use_segment(0, 1);
}

static bool fits(u32 len)
{
	return pool.offset + COHORT_BLOCK + len <= pool.sb.segment_size;
}

/*
 * Of half of the sources; the epoch is that of the batch, or of one before it if
 * it is moved, for all but a few.
 */
static void make_overlay(struct cohort_preserve *p, bool moved)
{
	if (!(p->source & 0x80))
		return;
	p->source = COHORT_OVERLAY_ID | (p->source & 0x7f);
	if (moved)
		p->epoch = cohort_overlay_epoch(pool.seq) + (p->epoch & 7);
	else
		p->epoch = cohort_overlay_epoch(pool.seq) + (p->epoch == 255);
}

static void add_preserves(struct input *in)
{
	const u64 how = take(in, 1);
	const bool moved = how & 0x80;
	u32 count = 1 + how % 3, i;

	if (!fits(count * CHUNK))
		return;
	for (i = 0; i < count; i++) {
		u8 *data = here() + COHORT_BLOCK + i * CHUNK;
		struct cohort_preserve p = {
			.source = take(in, 1), .chunk = take(in, 1), .epoch = take(in, 1),
			.unreadable = take(in, 1),
		};

		make_overlay(&p, moved);
		memset(data, p.chunk, CHUNK);
		p.crc = cohort_crc32c(~0u, data, CHUNK);
		cohort_preserve_encode(here(), i, &p);
	}
	put_batch(moved ? COHORT_BATCH_MOVE : COHORT_BATCH_PRESERVE, count, count * CHUNK, 0);
}

/* Records as the input has them, or of a source, an overlay, or a relationship. */
static u32 make_record(struct input *in, u8 *at)
{
	struct cohort_disk_source source = { .name = "m" };
	struct cohort_disk_rel rel = { .name = "r", .state = cpu_to_le32(4) };
	struct cohort_disk_overlay overlay = { .hdr.type = cpu_to_le16(COHORT_REC_OVERLAY) };
	u64 kind = take(in, 1);
	u32 len;

	switch (kind % 4) {
	case 0:
		len = 16 + take(in, 1) % 64 * 8;
		take_bytes(in, at, len);
		return len;
	case 1:
		source.hdr.type = cpu_to_le16(COHORT_REC_SOURCE);
		source.hdr.len = cpu_to_le32(sizeof(source));
		source.hdr.id = cpu_to_le32(take(in, 1));
		source.size = cpu_to_le64(take(in, 3));
		memcpy(at, &source, sizeof(source));
		return sizeof(source);
	case 2:
		overlay.hdr.len = cpu_to_le32(sizeof(overlay));
		overlay.hdr.id = cpu_to_le32(COHORT_OVERLAY_ID ^ take(in, 1));
		overlay.rel = cpu_to_le32(take(in, 1));
		overlay.member = cpu_to_le32(take(in, 1));
		overlay.floor = cpu_to_le64(take(in, 1));
		memcpy(at, &overlay, sizeof(overlay));
		return sizeof(overlay);
	default:
		len = sizeof(rel) + sizeof(rel.member[0]) * (kind / 4 % 4);
		rel.hdr.type = cpu_to_le16(COHORT_REC_REL);
		rel.hdr.len = cpu_to_le32(len);
		rel.hdr.id = cpu_to_le32(take(in, 1));
		rel.count = cpu_to_le32(kind / 4 % 4);
		memcpy(at, &rel, sizeof(rel));
		take_bytes(in, at + sizeof(rel), len - sizeof(rel));
		return len;
	}
}

static void add_record(struct input *in)
{
	bool large = take(in, 1) & 1;
	u8 *at = large ? here() + COHORT_BLOCK : ((struct cohort_disk_batch *)here())->payload;
	u32 len;

	if (!fits(COHORT_BLOCK))
		return;
	memset(here(), 0, 2 * COHORT_BLOCK);
	len = make_record(in, at);
	put_batch(COHORT_BATCH_RECORD, len, large ? COHORT_BLOCK : 0,
		  cohort_crc32c(~0u, at, len));
}

/* One field of the newest entry of the table, or a byte anywhere in what is used. */
static void damage(struct input *in)
{
	u32 at = take(in, 3);

	if (at & 1)
		segment_at(take(in, 1) % SEGMENTS, at % pool.sb.segment_size)[0] ^= take(in, 1);
	else
		pool.disk[at % pool.sb.segments_start] ^= take(in, 1);
}

static void step(struct input *in)
{
	switch (take(in, 1) % 8) {
	case 0:
	case 1:
		add_preserves(in);
		break;
	case 2:
	case 3:
		add_record(in);
		break;
	case 4:
		close_segment();
		break;
	case 5:
		use_segment(take(in, 1) % SEGMENTS, pool.table[pool.segment].seq + 1);
		break;
	case 6:
		damage(in);
		break;
	default:
		pool.completed = take(in, 1);
		pool.nonce = NONCE + take(in, 1) % 2;
	}
}

static void write_log(struct input *in)
{
	begin();
	while (in->left)
		step(in);
}

#endif
