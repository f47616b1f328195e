/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logsteps.h - a pool's log, written step by step as an input says. */
#ifndef SELFTESTS_LOGSTEPS_H
#define SELFTESTS_LOGSTEPS_H

#include <linux/cohort.h>

#include "../../kmod/map.h"
#include "../unit/logpool.h"
#include "fuzz.h"

#define SEGMENTS 4
#define SOURCE_MAX (1u << 20)
/* Segments that copy maps may have, behind those of the log. */
#define MAPS 8
#define MAPS_END 12
/* Objects of clones. */
#define CLONE_SOURCE 201
#define CLONE_GROUP 202
#define CLONE_REL 203

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

/* ---- clones ---- */

static void *clone_record(u8 **at, u16 type, u32 id, u32 len)
{
	struct cohort_disk_record *r = memset(*at, 0, len);

	r->type = cpu_to_le16(type);
	r->id = cpu_to_le32(id);
	r->len = cpu_to_le32(len);
	*at += len;
	return r;
}

/* Of one block, in one segment; @how says what is missing of it. */
static void make_map(struct input *in, const struct cohort_disk_clone *d, u64 chunks, u64 how)
{
	u32 segment = le32_to_cpu(d->segment[0]);
	struct cohort_map map = { .chunks = chunks, .count = 1, .segment = &segment };
	struct cohort_disk_map_block block = { 0 };

	if (segment < MAPS || segment >= MAPS_END)
		return;
	memcpy(map.uuid, d->map, sizeof(map.uuid));
	block.bits[0] = take(in, 1);
	for (u32 i = 0; i < COHORT_MAP_COPIES; i++) {
		const u64 addr = cohort_map_address(&map, &pool.sb, 0, i);

		cohort_map_block_encode(&map, pool.seed, addr, 0, 1 + take(in, 1) % 4, &block);
		if (!(how >> i & 1))
			memcpy(pool.disk + addr, &block, sizeof(block));
	}
	pool.table[segment] = (struct cohort_segment_entry){
		.seq = how & 4 ? 0 : 1000 + segment, .nonce = pool.nonce,
		.length = pool.sb.segment_size,
		.kind = how & 8 ? COHORT_SEGMENT_INDEX : COHORT_SEGMENT_MAP,
	};
	write_table(segment);
}

/* The target of member @member, 0 for most. */
static void add_target(struct input *in, u8 **at, u32 rel, u64 chunks)
{
	const u64 how = take(in, 1);
	const u32 count = how >> 4 & 3;
	struct cohort_disk_clone *d = clone_record(at, COHORT_REC_CLONE, rel,
						   (sizeof(*d) + 4 * count + 7) & ~7u);

	d->member = cpu_to_le32(how == 255);
	d->count = cpu_to_le32(count);
	d->size = cpu_to_le64((chunks - (how >> 6 == 3)) * CHUNK);
	if (count)
		take_bytes(in, d->map, 1);
	for (u32 i = 0; i < count; i++)
		d->segment[i] = cpu_to_le32(MAPS + take(in, 1) % 5);
	if (count)
		make_map(in, d, chunks, how & 15);
}

/* A clone of one member and all that it needs, as one batch. */
static void add_clone(struct input *in)
{
	const u64 chunks = 1 + take(in, 1) % 16;
	u8 *start = here() + COHORT_BLOCK, *at = start;
	struct cohort_disk_source *source;
	struct cohort_disk_group *group;
	struct cohort_disk_rel *rel;
	u32 id = CLONE_REL + take(in, 1) % 3, len;

	if (!fits(COHORT_BLOCK))
		return;
	memset(here(), 0, 2 * COHORT_BLOCK);
	source = clone_record(&at, COHORT_REC_SOURCE, CLONE_SOURCE, sizeof(*source));
	source->name[0] = 's';
	source->size = cpu_to_le64(chunks * CHUNK);
	group = clone_record(&at, COHORT_REC_GROUP, CLONE_GROUP, sizeof(*group));
	group->name[0] = 'g';
	group->kind = cpu_to_le32(COHORT_GROUP_KIND_TARGET);
	rel = clone_record(&at, COHORT_REC_REL, id, sizeof(*rel) + sizeof(rel->member[0]));
	rel->name[0] = 'a' + id % 26;
	rel->sync_type = cpu_to_le32(COHORT_SYNC_TYPE_CLONE - (take(in, 1) == 255));
	rel->source_group = cpu_to_le32(CLONE_GROUP);
	rel->target_group = rel->source_group;
	rel->count = cpu_to_le32(1);
	rel->member[0].source = cpu_to_le32(CLONE_SOURCE);
	rel->member[0].state = cpu_to_le32(2 + take(in, 1) % 11);
	rel->member[0].epoch = cpu_to_le64(take(in, 1) % 3);
	rel->state = rel->member[0].state;
	add_target(in, &at, id, chunks);
	len = at - start;
	put_batch(COHORT_BATCH_RECORD, len, COHORT_BLOCK, cohort_crc32c(~0u, start, len));
}

/* ---- steps ---- */

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
	const u64 what = take(in, 1);

	if (what & 0x80 && what % 8 < 4) {
		add_clone(in);
		return;
	}
	switch (what % 8) {
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
