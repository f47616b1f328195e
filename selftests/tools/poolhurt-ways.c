// SPDX-License-Identifier: GPL-2.0-or-later
/* poolhurt-ways.c - the ways to damage a pool, by name. */
#include <err.h>
#include <unistd.h>

#include <linux/cohort.h>

#include "poolhurt.h"

/* ---- superblocks ---- */

static u64 newer(void)
{
	return cohort_super_address(hurt.sb.generation);
}

static u64 older(void)
{
	return cohort_super_address(hurt.sb.generation + 1);
}

static void zero(u64 addr, u64 len)
{
	memset(hurt.base + addr, 0, len);
}

static void flip(u64 addr)
{
	hurt.base[addr] ^= 0x10;
}

static void super_newer_zero(void) { zero(newer(), COHORT_BLOCK); }
static void super_older_zero(void) { zero(older(), COHORT_BLOCK); }
static void super_newer_flip(void) { flip(newer() + 200); }
static void super_older_flip(void) { flip(older() + 81); }

static void supers_flip(void)
{
	super_newer_flip();
	super_older_flip();
}

static void supers_zero(void)
{
	super_newer_zero();
	super_older_zero();
}

static void super_misplaced(void)
{
	memcpy(hurt.base + older(), hurt.base + newer(), COHORT_BLOCK);
}

/* A superblock that says @sb, where @sb's generation belongs. */
static void put_super(const struct cohort_super *sb)
{
	cohort_super_encode(sb, hurt.base + cohort_super_address(sb->generation));
}

static void super_foreign(void)
{
	struct cohort_super sb = hurt.sb;

	sb.generation++;
	sb.uuid[3] ^= 1;
	put_super(&sb);
}

static void super_impossible(void)
{
	struct cohort_super sb = hurt.sb;

	sb.segment_size = 3u << 16;
	put_super(&sb);
}

static void supers_impossible(void)
{
	struct cohort_super sb = hurt.sb;

	sb.nr_segments = 1ull << 40;
	put_super(&sb);
	sb.generation++;
	put_super(&sb);
}

static void super_nameless(void)
{
	struct cohort_super sb = hurt.sb;

	sb.generation++;
	memset(sb.name, 'n', sizeof(sb.name));
	put_super(&sb);
}

static void device_short(void)
{
	if (truncate(hurt.path, (off_t)(hurt.size - hurt.sb.segment_size)))
		err(2, "%s", hurt.path);
}

/* ---- segment table ---- */

static void table_flip(void) { flip(cohort_table_address(0) + 33); }
static void table_zero(void) { zero(cohort_table_address(0), COHORT_SECTOR); }
static void table_unused_flip(void) { flip(cohort_table_address(16) + 100); }
static void table_block_zero(void) { zero(COHORT_TABLE_START, COHORT_BLOCK); }

static void table_misplaced(void)
{
	memcpy(hurt.base + cohort_table_address(0), hurt.base + cohort_table_address(16),
	       COHORT_SECTOR);
}

static struct cohort_segment_entry entry_of(u32 segment)
{
	struct cohort_segment_entry all[COHORT_TABLE_PER_SECTOR];
	u64 addr = cohort_table_address(segment);

	cohort_table_decode(hurt.seed, addr, hurt.base + addr, all);
	return all[segment % COHORT_TABLE_PER_SECTOR];
}

static void table_length(u32 length)
{
	struct cohort_segment_entry e = entry_of(0);

	e.length = length;
	hurt_table(0, &e);
}

static void table_length_odd(void) { table_length(entry_of(0).length - 512); }
static void table_length_long(void) { table_length(2 * hurt.sb.segment_size); }
static void table_length_short(void) { table_length(3 * COHORT_BLOCK); }
static void table_length_more(void) { table_length(entry_of(0).length - COHORT_BLOCK); }

static void table_kind(void)
{
	struct cohort_segment_entry e = entry_of(1);

	e.kind = 77;
	hurt_table(1, &e);
}

static void table_nonce(void)
{
	struct cohort_segment_entry e = entry_of(1);

	e.nonce += 5;
	hurt_table(1, &e);
}

static void table_twice(void)
{
	struct cohort_segment_entry e = entry_of(1);

	e.seq = entry_of(0).seq;
	hurt_table(1, &e);
}

static void table_order(void)
{
	struct cohort_segment_entry a = entry_of(0), b = entry_of(1);
	u64 seq = a.seq;

	a.seq = b.seq;
	b.seq = seq;
	hurt_table(0, &a);
	hurt_table(1, &b);
}

/* A batch of one chunk in each segment that is free. */
static void fill_segment(u32 segment, u64 nth)
{
	const struct cohort_batch *last = &hurt.batch[hurt.nr_batches - 1].b;
	static u32 crc;
	struct cohort_batch b = {
		.address = (u64)(hurt_segment(segment) - hurt.base), .nonce = last->nonce,
		.seq = last->seq + 1 + nth, .completed = last->seq + nth,
		.prev_crc = nth ? crc : last->crc, .kind = COHORT_BATCH_PRESERVE, .count = 1,
		.data_len = hurt.sb.chunk_size,
	};
	struct cohort_preserve p = { .source = 1, .chunk = 3, .epoch = 1 };

	memset(hurt_segment(segment), 0, COHORT_BLOCK + b.data_len);
	p.crc = cohort_crc32c(~0u, hurt_segment(segment) + COHORT_BLOCK, b.data_len);
	cohort_preserve_encode(hurt_segment(segment), 0, &p);
	crc = cohort_batch_encode(hurt.seed, &b, hurt_segment(segment));
	hurt_table(segment, &(struct cohort_segment_entry){
		.seq = 1000 + nth, .nonce = b.nonce, .kind = COHORT_SEGMENT_LOG,
		.min_seq = b.seq, .length = COHORT_BLOCK + b.data_len,
	});
}

static void table_full(void)
{
	u64 nth = 0;
	u32 i;

	flip(hurt.batch[0].b.address + 90);
	for (i = 0; i < hurt.sb.nr_segments; i++)
		if (hurt.store.table[i].seq == 0)
			fill_segment(i, nth++);
}

/* ---- batches ---- */

static u32 nth_of_kind(u32 kind, u32 nth)
{
	u32 i;

	for (i = 0; i < hurt.nr_batches; i++)
		if (hurt.batch[i].b.kind == kind && !nth--)
			return i;
	errx(2, "not so many batches");
}

static u64 address_of(u32 kind, u32 nth) { return hurt.batch[nth_of_kind(kind, nth)].b.address; }
static u64 preserve(u32 nth) { return address_of(COHORT_BATCH_PRESERVE, nth); }
static u64 record(u32 nth) { return address_of(COHORT_BATCH_RECORD, nth); }
static u64 last_batch(void) { return hurt.batch[hurt.nr_batches - 1].b.address; }

static void batch_preserve_flip(void) { flip(preserve(3) + 100); }
static void batch_record_flip(void) { flip(record(1) + 300); }
static void batch_first_flip(void) { flip(hurt.batch[0].b.address + 8); }
static void batch_open_flip(void) { flip(hurt.batch[hurt.nr_batches - 3].b.address + 700); }
static void batch_last_torn(void) { zero(last_batch(), COHORT_SECTOR); }
static void batch_zero(void) { zero(preserve(5), COHORT_BLOCK); }
static void segment_zero(void) { zero((u64)(hurt_segment(1) - hurt.base), hurt.sb.segment_size); }

static void batches_flip(void)
{
	flip(preserve(2) + 1000);
	flip(preserve(20) + 1001);
	flip(preserve(40) + 1002);
}

static void batch_swapped(void)
{
	u8 keep[COHORT_BLOCK];

	memcpy(keep, hurt.base + preserve(4), COHORT_BLOCK);
	memcpy(hurt.base + preserve(4), hurt.base + preserve(6), COHORT_BLOCK);
	memcpy(hurt.base + preserve(6), keep, COHORT_BLOCK);
}

/* One batch changed, the rest not chained to it. */
static void batch_unchained(void)
{
	struct cohort_batch b = hurt.batch[nth_of_kind(COHORT_BATCH_PRESERVE, 7)].b;

	b.completed--;
	cohort_batch_encode(hurt.seed, &b, hurt.base + b.address);
}

static void batch_seq(void)
{
	struct cohort_batch *b = &hurt.batch[nth_of_kind(COHORT_BATCH_PRESERVE, 7)].b;

	b->seq += 100;
	hurt_rechain(nth_of_kind(COHORT_BATCH_PRESERVE, 7));
}

static void batch_count(void)
{
	struct cohort_batch *b = &hurt.batch[nth_of_kind(COHORT_BATCH_PRESERVE, 7)].b;

	b->count = 9;
	hurt_rechain(nth_of_kind(COHORT_BATCH_PRESERVE, 7));
}

static void chunk_flip(void) { flip(preserve(1) + COHORT_BLOCK + 17); }

/* The chunks of a relationship that is deleted. */
static u64 newest_chunk(void)
{
	u32 i = hurt.nr_batches;

	while (hurt.batch[--i].b.kind != COHORT_BATCH_PRESERVE)
		;
	return hurt.batch[i].b.address + COHORT_BLOCK;
}

static void chunk_unneeded_flip(void) { flip(newest_chunk() + 4000); }

static void entry_epoch(void)
{
	u32 i = nth_of_kind(COHORT_BATCH_PRESERVE, 9);
	struct cohort_preserve p;

	cohort_preserve_decode(hurt.base + hurt.batch[i].b.address, 0, &p);
	p.epoch = 1ull << 63;
	cohort_preserve_encode(hurt.base + hurt.batch[i].b.address, 0, &p);
	hurt_rechain(i);
}

/* ---- catalog ---- */

static u32 changed;

static struct cohort_disk_rel *rel(const char *name)
{
	return (void *)hurt_record(COHORT_REC_REL, name, &changed);
}

static struct cohort_disk_source *source(const char *name)
{
	return (void *)hurt_record(COHORT_REC_SOURCE, name, &changed);
}

static struct cohort_disk_group *group(const char *name)
{
	return (void *)hurt_record(COHORT_REC_GROUP, name, &changed);
}

#define LIE(way, what) static void way(void) { what; hurt_rechain(changed); }

LIE(rel_source, rel("one")->member[0].source = cpu_to_le32(99))
LIE(rel_state, rel("one")->member[0].state = cpu_to_le32(250))
LIE(rel_no_cut, rel("one")->member[0].epoch = 0)
LIE(rel_cut, rel("one")->member[0].epoch = cpu_to_le64(1ull << 63))
LIE(rel_type, rel("one")->sync_type = cpu_to_le32(4711))
LIE(rel_group, rel("one")->source_group = cpu_to_le32(4711))
LIE(rel_count, rel("one")->count = cpu_to_le32(3))
LIE(rel_nameless, memset(rel("one")->name, 'x', COHORT_DISK_NAME))
LIE(rel_id, rel("one")->hdr.id = 0)
LIE(rel_name_taken, memcpy(rel("one")->name, "both", sizeof("both")))
LIE(rel_record_type, rel("one")->hdr.type = cpu_to_le16(99))
LIE(group_kind, group("empty")->kind = cpu_to_le32(9))
LIE(group_stranger, group("group5")->member[1] = cpu_to_le32(99))
LIE(group_twice, group("group5")->member[1] = group("group5")->member[0])
LIE(group_lost, group("group5")->hdr.id = cpu_to_le32(~0u))
LIE(source_size, source("a")->size = cpu_to_le64(513))
LIE(source_identity, memset(source("b")->wwn, 7, COHORT_DISK_ID))
LIE(source_id, source("b")->hdr.id = 0)

#define WAY(way) { #way, way }

const struct hurt_way hurt_ways[] = {
	WAY(super_newer_zero), WAY(super_older_zero), WAY(super_newer_flip),
	WAY(super_older_flip), WAY(supers_flip), WAY(supers_zero), WAY(super_misplaced),
	WAY(super_foreign), WAY(super_impossible), WAY(supers_impossible), WAY(super_nameless),
	WAY(device_short),
	WAY(table_flip), WAY(table_zero), WAY(table_unused_flip), WAY(table_block_zero),
	WAY(table_misplaced), WAY(table_length_odd), WAY(table_length_long),
	WAY(table_length_short), WAY(table_length_more), WAY(table_kind), WAY(table_nonce),
	WAY(table_twice), WAY(table_order), WAY(table_full),
	WAY(batch_preserve_flip), WAY(batch_record_flip), WAY(batch_first_flip),
	WAY(batch_open_flip), WAY(batch_last_torn), WAY(batch_zero), WAY(segment_zero),
	WAY(batches_flip), WAY(batch_swapped), WAY(batch_unchained), WAY(batch_seq),
	WAY(batch_count), WAY(chunk_flip), WAY(chunk_unneeded_flip), WAY(entry_epoch),
	WAY(rel_source), WAY(rel_state), WAY(rel_no_cut), WAY(rel_cut), WAY(rel_type),
	WAY(rel_group), WAY(rel_count), WAY(rel_nameless), WAY(rel_id), WAY(rel_name_taken),
	WAY(rel_record_type), WAY(group_kind), WAY(group_stranger), WAY(group_twice),
	WAY(group_lost), WAY(source_size), WAY(source_identity), WAY(source_id),
	WAY(run_leaf_flip), WAY(run_root_flip), WAY(run_block_zero), WAY(run_block_foreign),
	WAY(run_entry_outside), WAY(run_entries_few), WAY(run_segment_free),
	WAY(run_segment_log), WAY(run_chunk_flip), WAY(run_not_counted),
	WAY(overlay_no_rel), WAY(overlay_member), WAY(overlay_broken), WAY(overlay_twice),
	WAY(overlay_id), WAY(overlay_source_id), WAY(overlay_rel_id), WAY(overlay_floor),
	WAY(overlay_skewed), WAY(overlay_no_feature), WAY(overlay_no_record), WAY(overlay_epoch),
	WAY(overlay_chunk_flip), WAY(overlay_chunk_newer_flip), WAY(overlay_chunk_older_flip),
	WAY(overlay_chunk_former_flip), WAY(overlay_chunk_below_flip),
	WAY(overlay_moved), WAY(overlay_moved_no_feature), WAY(overlay_moved_flip),
	WAY(overlay_moved_early), WAY(overlay_moved_old),
	WAY(side_log), WAY(side_no_feature), WAY(side_first_flip), WAY(side_torn),
	WAY(side_closed_flip), WAY(side_table_zero), WAY(side_overlay),
	WAY(clone_log_flip),
	WAY(clone_no_rel), WAY(clone_of_snapshot), WAY(clone_member), WAY(clone_small),
	WAY(clone_size), WAY(clone_identity), WAY(clone_count), WAY(clone_no_uuid),
	WAY(clone_uuid), WAY(clone_segment_outside), WAY(clone_segment_twice),
	WAY(clone_segment_later), WAY(clone_segment_earlier), WAY(clone_state),
	WAY(clone_no_cut), WAY(clone_cut), WAY(clone_no_map), WAY(clone_map), WAY(clone_broken),
	WAY(clone_broken_no_map), WAY(clone_no_feature), WAY(clone_segment_index),
	WAY(clone_segment_free), WAY(clone_segment_unnamed), WAY(clone_segment_written),
	WAY(clone_copy_flip), WAY(clone_copy_zero), WAY(clone_copies_flip),
	WAY(clone_copy_older), WAY(clone_copies_foreign), WAY(clone_copies_tail),
	WAY(clone_chunk_flip), WAY(clone_chunk_copied_flip),
	{ NULL, NULL },
};
