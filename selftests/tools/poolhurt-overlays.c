// SPDX-License-Identifier: GPL-2.0-or-later
/* poolhurt-overlays.c - writes to the images of a pool, as the module would, and damages that. */
#include <err.h>
#include <stdio.h>

#include <linux/cohort.h>

#include "poolhurt.h"

/* ---- writing to images ---- */

/* Where the log goes on: in a segment of its own, which stays open. */
static struct {
	u32 segment;
	u32 offset;
	u64 seq;
	u64 nonce;
	u32 crc;		/* of the header before */
} end;

static void go_on(void)
{
	const struct cohort_batch *last = &hurt.batch[hurt.nr_batches - 1].b;
	u64 order;

	end.segment = hurt_free_segment(&order);
	end.offset = 0;
	end.seq = last->seq + 1;
	end.nonce = last->nonce;
	end.crc = last->crc;
	hurt_table(end.segment, &(struct cohort_segment_entry){
		.seq = order + 1, .nonce = end.nonce, .kind = COHORT_SEGMENT_LOG,
		.min_seq = end.seq,
	});
}

static u8 *here(void)
{
	return hurt_segment(end.segment) + end.offset;
}

static void put_batch(u32 kind, u32 count, u32 data_len, u32 data_crc)
{
	struct cohort_batch b = {
		.address = (u64)(here() - hurt.base), .nonce = end.nonce, .seq = end.seq,
		.completed = end.seq - 1, .prev_crc = end.crc, .kind = kind, .count = count,
		.data_len = data_len, .data_crc = data_crc,
	};

	end.crc = cohort_batch_encode(hurt.seed, &b, here());
	end.seq++;
	end.offset += COHORT_BLOCK + data_len;
}

/* The batch that comes next; its payload is for the caller. */
static void *next_payload(void)
{
	memset(here(), 0, COHORT_BLOCK);
	return ((struct cohort_disk_batch *)here())->payload;
}

static void put_record(const void *record, u32 len)
{
	void *payload = next_payload();

	memcpy(payload, record, len);
	put_batch(COHORT_BATCH_RECORD, len, 0, cohort_crc32c(~0u, payload, len));
}

static void add_overlay_of(u32 id, u32 rel, u32 member)
{
	const struct cohort_disk_overlay d = {
		.hdr.type = cpu_to_le16(COHORT_REC_OVERLAY), .hdr.len = cpu_to_le32(sizeof(d)),
		.hdr.id = cpu_to_le32(COHORT_OVERLAY_ID | id), .rel = cpu_to_le32(rel),
		.member = cpu_to_le32(member), .floor = cpu_to_le64(end.seq - 1),
	};

	put_record(&d, sizeof(d));
}

/* Overlay @id is of @member of @rel from now on. */
static void add_overlay(u32 id, const char *rel, u32 member)
{
	const struct store_record *record = store_find_rel(&hurt.store, rel);

	if (!record)
		errx(2, "no relationship %s", rel);
	add_overlay_of(id, record->id, member);
}

static void del_overlay(u32 id)
{
	const struct cohort_disk_record d = {
		.type = cpu_to_le16(COHORT_REC_OVERLAY_DEL), .len = cpu_to_le32(sizeof(d)),
		.id = cpu_to_le32(COHORT_OVERLAY_ID | id),
	};

	put_record(&d, sizeof(d));
}

/* @word, line by line, over the chunks @first to @last: one batch. */
static void write_chunks(u32 id, u32 first, u32 last, const char *word)
{
	const u32 size = hurt.sb.chunk_size, len = (u32)strlen(word);
	u8 *data = here() + COHORT_BLOCK;

	next_payload();
	for (u32 i = 0; i <= last - first; i++, data += size) {
		struct cohort_preserve p = {
			.source = COHORT_OVERLAY_ID | id, .chunk = first + i,
			.epoch = cohort_overlay_epoch(end.seq),
		};

		for (u32 at = 0; at < size; at++)
			data[at] = at % (len + 1) == len ? '\n' : (u8)word[at % (len + 1)];
		p.crc = cohort_crc32c(~0u, data, size);
		cohort_preserve_encode(here(), i, &p);
	}
	put_batch(COHORT_BATCH_PRESERVE, last - first + 1, (last - first + 1) * size, 0);
}

static void set_features(bool overlays, bool moves)
{
	hurt.sb.overlays = overlays;
	hurt.sb.moves = moves;
	hurt_lay_supers();
}

/* Images that are written, one of them forgotten again. */
void hurt_write(void)
{
	set_features(true, false);
	go_on();
	add_overlay(20, "both", 0);
	write_chunks(20, 1, 4, "early");
	add_overlay(21, "both", 1);
	write_chunks(21, 0, 2, "forgotten");
	add_overlay(22, "one", 0);
	write_chunks(22, 5, 5, "early");
	del_overlay(21);
	write_chunks(20, 2, 2, "middle");
	write_chunks(22, 60, 63, "middle");
}

/* Again, so that runs and log say it both; the id of the one that was forgotten has a new life. */
void hurt_rewrite(void)
{
	go_on();
	write_chunks(20, 3, 3, "late");
	write_chunks(20, 10, 11, "late");
	add_overlay(21, "both", 1);
	write_chunks(21, 1, 1, "again");
	write_chunks(22, 5, 5, "late");
	write_chunks(22, 5, 5, "later");
}

/* ---- damaging that ---- */

static u32 changed;

static struct cohort_disk_overlay *overlay(u32 id)
{
	return (void *)hurt_record_of(COHORT_REC_OVERLAY, COHORT_OVERLAY_ID | id, &changed);
}

static struct cohort_disk_rel *rel(const char *name)
{
	return (void *)hurt_record(COHORT_REC_REL, name, &changed);
}

static struct cohort_disk_source *source(const char *name)
{
	return (void *)hurt_record(COHORT_REC_SOURCE, name, &changed);
}

#define LIE(way, what) void way(void) { what; hurt_rechain(changed); }

LIE(overlay_member, overlay(20)->member = cpu_to_le32(7))
LIE(overlay_id, overlay(22)->hdr.id = cpu_to_le32(22))
LIE(overlay_floor, overlay(22)->floor = cpu_to_le64(U64_MAX))
LIE(overlay_rel_id, rel("one")->hdr.id |= cpu_to_le32(COHORT_OVERLAY_ID))
LIE(overlay_source_id, source("b")->hdr.id |= cpu_to_le32(COHORT_OVERLAY_ID))
LIE(overlay_skewed, rel("both")->member[0].state = cpu_to_le32(COHORT_COPY_STATE_SKEWED))

/* This may be: it was written before it broke. */
void overlay_broken(void)
{
	struct cohort_disk_rel *both = rel("both");

	both->member[0].state = cpu_to_le32(COHORT_COPY_STATE_BROKEN);
	both->state = cpu_to_le32(COHORT_COPY_STATE_MIXED);
	hurt_rechain(changed);
}

void overlay_no_rel(void)
{
	go_on();
	add_overlay_of(30, 4711, 0);
}

void overlay_twice(void)
{
	go_on();
	add_overlay(30, "both", 0);
}

void overlay_no_feature(void) { set_features(false, false); }

/* The record came first, and was lost with its relationship. */
void overlay_no_record(void)
{
	go_on();
	write_chunks(40, 1, 3, "nobody's");
}

/* Batch @nth of those that were written last. */
static u32 newest(u32 nth)
{
	u32 i;

	for (i = 0; i < hurt.nr_batches; i++)
		if (hurt.batch[i].b.kind == COHORT_BATCH_PRESERVE && !nth--)
			return i;
	errx(2, "not so many batches");
}

void overlay_epoch(void)
{
	const u32 i = newest(1);
	u8 *block = hurt.base + hurt.batch[i].b.address;
	struct cohort_preserve p;

	cohort_preserve_decode(block, 1, &p);
	p.epoch--;
	cohort_preserve_encode(block, 1, &p);
	hurt_rechain(i);
}

/* The chunk that the smallest epoch from @epoch on is of. */
static void flip(u32 source, u64 chunk, u64 epoch)
{
	struct cohort_mapping map;

	if (!cohort_index_lookup(hurt.store.index, source, chunk, epoch, &map))
		errx(2, "no such chunk");
	hurt.base[map.addr + 99] ^= 4;
}

static u64 second_newest(u32 source, u64 chunk)
{
	struct cohort_mapping map;

	if (!cohort_index_lookup(hurt.store.index, source, chunk, 1, &map))
		errx(2, "no such chunk");
	return map.epoch + 1;
}

void overlay_chunk_flip(void) { flip(COHORT_OVERLAY_ID | 20, 1, 1); }
void overlay_chunk_newer_flip(void) { flip(COHORT_OVERLAY_ID | 20, 3, 1); }

void overlay_chunk_older_flip(void)
{
	flip(COHORT_OVERLAY_ID | 20, 3, second_newest(COHORT_OVERLAY_ID | 20, 3));
}

void overlay_chunk_former_flip(void) { flip(COHORT_OVERLAY_ID | 21, 0, 1); }

/* What was preserved is not read where something else was written. */
void overlay_chunk_below_flip(void)
{
	const struct cohort_disk_rel *both = store_find_rel(&hurt.store, "both")->data;

	flip(le32_to_cpu(both->member[0].source), 1, le64_to_cpu(both->member[0].epoch));
}

/* ---- chunks that were moved ---- */

/* The entry with the smallest epoch from @epoch on; @reused: where it was is of others now. */
static u64 move_chunk(u32 source, u64 chunk, u64 epoch, bool reused)
{
	const u32 size = hurt.sb.chunk_size;
	struct cohort_preserve p = { .source = source, .chunk = chunk };
	struct cohort_mapping map;

	if (!cohort_index_lookup(hurt.store.index, source, chunk, epoch, &map))
		errx(2, "no such chunk");
	p.epoch = map.epoch;
	p.crc = map.crc;
	p.unreadable = map.unreadable;
	next_payload();
	cohort_preserve_encode(here(), 0, &p);
	memcpy(here() + COHORT_BLOCK, hurt.base + map.addr, size);
	if (reused)
		memset(hurt.base + map.addr, 0xee, size);
	put_batch(COHORT_BATCH_MOVE, 1, size, 0);
	return (u64)(here() - hurt.base) - size;
}

/* One that a run says, one that the log says, and one of a source; where the last one is. */
static u64 move_some(bool feature)
{
	const struct cohort_disk_rel *both = store_find_rel(&hurt.store, "both")->data;

	set_features(true, feature);
	go_on();
	move_chunk(COHORT_OVERLAY_ID | 20, 1, 1, true);
	move_chunk(COHORT_OVERLAY_ID | 22, 5, 1, false);
	return move_chunk(le32_to_cpu(both->member[0].source), 20,
			  le64_to_cpu(both->member[0].epoch), true);
}

void overlay_moved(void) { move_some(true); }
void overlay_moved_no_feature(void) { move_some(false); }
void overlay_moved_flip(void) { hurt.base[move_some(true) + 99] ^= 4; }

/* A copy that was on its way when the chunk was written anew, which only a run says. */
void overlay_moved_old(void)
{
	const u32 id = COHORT_OVERLAY_ID | 20;

	set_features(true, true);
	go_on();
	move_chunk(id, 2, second_newest(id, 2), false);
}

/* What was moved before it was written. */
void overlay_moved_early(void)
{
	struct cohort_preserve p = {
		.source = COHORT_OVERLAY_ID | 20, .chunk = 1,
	};

	set_features(true, true);
	go_on();
	p.epoch = cohort_overlay_epoch(end.seq);
	next_payload();
	memset(here() + COHORT_BLOCK, 0, hurt.sb.chunk_size);
	p.crc = cohort_crc32c(~0u, here() + COHORT_BLOCK, hurt.sb.chunk_size);
	cohort_preserve_encode(here(), 0, &p);
	put_batch(COHORT_BATCH_MOVE, 1, hurt.sb.chunk_size, 0);
}
