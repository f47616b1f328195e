// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * poolgen.c - writes a closed pool with as many preserved chunks as wanted, all zeroes.
 *
 * By the module's own codec, and sparse: of a batch only its header is written,
 * for chunks of zeroes are what a new disk holds. The log is said by one run, so
 * all of it that has to be read at a restart is the catalog: source m1, its
 * snapshot "old" of cut 1, which reads every chunk from the pool.
 *
 * With WRITTEN the first so many chunks of that image were written twice, in front
 * of what the run says and behind it, with zeroes as well: an overlay.
 *
 * With SIZE the source has so many chunks, and is cloned three times: "copy" is being
 * copied and has the first COPIED chunks, "rest" is suspended and has none, "done" has all.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/cohort.h>

#include "../../kmod/map.h"
#include "../../kmod/run.h"

#define CHUNK	4096u
#define EPOCH	1
#define OVERLAY	(COHORT_OVERLAY_ID | 6)

static struct {
	int fd;
	struct cohort_super sb;
	u32 seed;
	struct cohort_segment_entry *table;
	u64 chunks;
	u64 written;
	u64 size;		/* of the source, chunks */
	u64 copied;
	u32 zero_crc;		/* of a chunk of zeroes */
	u32 segment;		/* next one that is free */
	u64 seq;		/* of the next batch */
	u32 crc;		/* of the header before */
} gen;

static void put(u64 addr, const void *data, size_t len)
{
	if (pwrite(gen.fd, data, len, (off_t)addr) != (ssize_t)len)
		err(2, "write at %llu", (unsigned long long)addr);
}

static u64 segment_start(u32 segment)
{
	return gen.sb.segments_start + (u64)segment * gen.sb.segment_size;
}

static u32 take_segment(u32 kind, u32 length)
{
	if (gen.segment == gen.sb.nr_segments)
		errx(2, "the device is too small");
	gen.table[gen.segment] = (struct cohort_segment_entry){
		.seq = gen.segment + 1, .nonce = 1, .length = length, .kind = kind,
		.min_seq = gen.seq,
	};
	return gen.segment++;
}

static void put_batch(u64 addr, u8 *block, u32 kind, u32 count, u32 data_len, u32 data_crc)
{
	struct cohort_batch b = {
		.address = addr, .nonce = 1, .seq = gen.seq, .completed = gen.seq - 1,
		.prev_crc = gen.crc, .kind = kind, .count = count, .data_len = data_len,
		.data_crc = data_crc,
	};

	gen.seq++;
	gen.crc = cohort_batch_encode(gen.seed, &b, block);
	put(addr, block, COHORT_BLOCK);
}

/* ---- the log, and the run that says it ---- */

static struct cohort_run *run;

static int emit(void *ctx, u32 block, const void *data)
{
	(void)ctx;
	put(cohort_run_address(run, &gen.sb, block), data, COHORT_BLOCK);
	return 0;
}

/* Chunks of @source from @first up to @end, so many as a segment holds; how many. @b or NULL. */
static u64 fill_segment(struct cohort_run_builder *b, u32 source, u64 first, u64 end, u32 segment)
{
	const u32 most = gen.sb.segment_size / CHUNK - 1;
	const u32 count = most < COHORT_BATCH_ENTRIES ? most : COHORT_BATCH_ENTRIES;
	const u32 batch = COHORT_BLOCK + count * CHUNK;
	u8 block[COHORT_BLOCK];
	u64 at = first;
	u32 offset, i;

	for (offset = 0; offset + batch <= gen.sb.segment_size && at < end; offset += batch) {
		const u64 addr = segment_start(segment) + offset;
		const u64 epoch = cohort_is_overlay(source) ? cohort_overlay_epoch(gen.seq) : EPOCH;

		memset(block, 0, sizeof(block));
		for (i = 0; i < count && at < end; i++, at++) {
			const struct cohort_preserve p = {
				.source = source, .crc = gen.zero_crc, .chunk = at, .epoch = epoch,
			};
			const struct cohort_run_entry e = {
				.key = { source, at, epoch }, .crc = gen.zero_crc,
				.addr = addr + COHORT_BLOCK + i * CHUNK,
			};

			cohort_preserve_encode(block, i, &p);
			if (b)
				cohort_run_add(b, &e);
		}
		put_batch(addr, block, COHORT_BATCH_PRESERVE, i, i * CHUNK, 0);
		gen.table[segment].length = offset + COHORT_BLOCK + i * CHUNK;
	}
	return at - first;
}

static void fill_log(struct cohort_run_builder *b, u32 source, u64 end)
{
	u64 at = 0;

	while (at < end)
		at += fill_segment(b, source, at, end, take_segment(COHORT_SEGMENT_LOG, 1));
}

/* Sources come before overlays there, and so they do in the log. */
static void fill_run(struct cohort_run_builder *b)
{
	fill_log(b, 1, gen.chunks);
	fill_log(b, OVERLAY, gen.written);
	if (cohort_run_finish(b))
		errx(2, "the run is too large");
	run->to = gen.segment + 1;
}

static void make_run(void)
{
	const u32 per = gen.sb.segment_size / COHORT_BLOCK;
	const u32 count = (u32)((cohort_run_blocks(gen.chunks + gen.written) + per - 1) / per);
	struct cohort_run_builder b = { .sb = &gen.sb, .seed = gen.seed, .emit = emit };

	run = calloc(1, sizeof(*run) + count * sizeof(run->segment[0]));
	b.buf = calloc(COHORT_RUN_LEVELS, COHORT_BLOCK);
	if (!run || !b.buf)
		err(2, "run");
	b.run = run;
	run->id = 5;
	run->from = 1;
	run->count = count;
	for (u32 i = 0; i < count; i++)
		run->segment[i] = take_segment(COHORT_SEGMENT_INDEX, gen.sb.segment_size);
	fill_run(&b);
	free(b.buf);
}

/* ---- the catalog ---- */

static void *record(u8 *at, u16 type, u32 id, size_t len)
{
	struct cohort_disk_record *r = memset(at, 0, len);

	r->type = cpu_to_le16(type);
	r->id = cpu_to_le32(id);
	r->len = cpu_to_le32((u32)len);
	return r;
}

static u8 *put_source(u8 *at)
{
	struct cohort_disk_source *d = record(at, COHORT_REC_SOURCE, 1, sizeof(*d));

	d->uuid[0] = 1;
	d->size = cpu_to_le64(gen.size * CHUNK);
	memcpy(d->name, "m1", 2);
	return at + sizeof(*d);
}

static u8 *put_group(u8 *at, u32 id, const char *name, u32 kind, u32 count)
{
	struct cohort_disk_group *d = (void *)at;
	const size_t len = sizeof(*d) + count * 8ul;

	record(at, COHORT_REC_GROUP, id, len);
	d->kind = cpu_to_le32(kind);
	d->flags = cpu_to_le32(COHORT_GROUP_FLAGS_GENERATED);
	d->count = cpu_to_le32(count);
	memcpy(d->name, name, strlen(name));
	if (count)
		d->member[0] = cpu_to_le32(1);
	return at + len;
}

/* The target group has the next smaller id. */
static u8 *put_rel(u8 *at, u32 id, const char *name, u32 type, u32 state)
{
	struct cohort_disk_rel *d = (void *)at;
	const size_t len = sizeof(*d) + sizeof(d->member[0]);
	const bool copied = type == COHORT_SYNC_TYPE_CLONE &&
		state == COHORT_COPY_STATE_SYNCHRONIZED;

	record(at, COHORT_REC_REL, id, len);
	d->uuid[0] = (u8)id;
	d->sync_type = cpu_to_le32(type);
	d->state = cpu_to_le32(state);
	d->source_group = cpu_to_le32(2);
	d->target_group = cpu_to_le32(id - 1);
	d->count = cpu_to_le32(1);
	memcpy(d->name, name, strlen(name));
	d->member[0].source = cpu_to_le32(1);
	d->member[0].state = cpu_to_le32(state);
	d->member[0].epoch = cpu_to_le64(copied ? 0 : EPOCH);
	return at + len;
}

static u8 *put_overlay(u8 *at)
{
	struct cohort_disk_overlay *d = record(at, COHORT_REC_OVERLAY, OVERLAY, sizeof(*d));

	d->rel = cpu_to_le32(4);
	return at + sizeof(*d);
}

/* ---- clones ---- */

static void put_map_block(const struct cohort_map *map, u64 block, u64 copied)
{
	struct cohort_disk_map_block d = { 0 };

	for (u64 i = 0; i < COHORT_MAP_BITS && block * COHORT_MAP_BITS + i < copied; i++)
		d.bits[i / 8] |= (u8)(1u << i % 8);
	for (u32 copy = 0; copy < COHORT_MAP_COPIES; copy++) {
		const u64 addr = cohort_map_address(map, &gen.sb, block, copy);

		cohort_map_block_encode(map, gen.seed, addr, block, 1, &d);
		put(addr, &d, sizeof(d));
	}
}

/* Of the clone with this id, the first @copied chunks being on its target. */
static void make_map(struct cohort_disk_clone *d, u32 id, u64 copied)
{
	struct cohort_map map = { .uuid = "map of a clone", .chunks = gen.size };

	map.uuid[15] = (u8)id;
	map.count = (u32)cohort_map_segments(gen.size, gen.sb.segment_size);
	map.segment = calloc(map.count, sizeof(*map.segment));
	if (!map.segment)
		err(2, "map");
	memcpy(d->map, map.uuid, sizeof(d->map));
	d->count = cpu_to_le32(map.count);
	for (u32 i = 0; i < map.count; i++) {
		map.segment[i] = take_segment(COHORT_SEGMENT_MAP, gen.sb.segment_size);
		d->segment[i] = cpu_to_le32(map.segment[i]);
	}
	for (u64 block = 0; block < cohort_map_blocks(gen.size); block++)
		put_map_block(&map, block, copied);
	free(map.segment);
}

/* With its target group, and that in front of the relationship. */
static u8 *put_clone(u8 *at, u32 id, const char *name, u32 state, u64 copied)
{
	const bool has_map = state != COHORT_COPY_STATE_SYNCHRONIZED;
	const u64 count = has_map ? cohort_map_segments(gen.size, gen.sb.segment_size) : 0;
	struct cohort_disk_clone *d;
	char group[32];

	snprintf(group, sizeof(group), "targets%u", id - 1);
	at = put_group(at, id - 1, group, COHORT_GROUP_KIND_TARGET, 0);
	at = put_rel(at, id, name, COHORT_SYNC_TYPE_CLONE, state);
	d = record(at, COHORT_REC_CLONE, id, (sizeof(*d) + 4 * count + 7) & ~7ul);
	d->size = cpu_to_le64(gen.size * CHUNK);
	memcpy(d->wwn, name, strlen(name));
	if (has_map)
		make_map(d, id, copied);
	return at + le32_to_cpu(d->hdr.len);
}

static u8 *put_clones(u8 *at)
{
	at = put_clone(at, 8, "copy", COHORT_COPY_STATE_UNSYNCHRONIZED, gen.copied);
	at = put_clone(at, 10, "rest", COHORT_COPY_STATE_SUSPENDED, 0);
	return put_clone(at, 12, "done", COHORT_COPY_STATE_SYNCHRONIZED, 0);
}

/* ---- the batch of all records ---- */

static void make_catalog(void)
{
	u8 *buf = calloc(1, 1 << 20), *at = buf + COHORT_BLOCK;
	u32 segment = take_segment(COHORT_SEGMENT_LOG, 0), len, data_len;

	if (!buf)
		err(2, "catalog");
	gen.sb.catalog_seq = gen.seq;
	gen.sb.log_start = gen.table[segment].seq;
	at = put_source(at);
	at = put_group(at, 2, "group2", COHORT_GROUP_KIND_SOURCE, 1);
	at = put_group(at, 3, "targets3", COHORT_GROUP_KIND_TARGET, 0);
	at = put_rel(at, 4, "old", COHORT_SYNC_TYPE_SNAPSHOT, COHORT_COPY_STATE_SYNCHRONIZED);
	if (gen.written)
		at = put_overlay(at);
	if (gen.sb.clones)
		at = put_clones(at);
	cohort_run_record_encode(run, at);
	at += cohort_run_record_len(run->count);
	len = (u32)(at - buf - COHORT_BLOCK);
	data_len = (len + COHORT_BLOCK - 1) / COHORT_BLOCK * COHORT_BLOCK;
	put(segment_start(segment) + COHORT_BLOCK, buf + COHORT_BLOCK, data_len);
	put_batch(segment_start(segment), buf, COHORT_BATCH_RECORD, len, data_len,
		  cohort_crc32c(~0u, buf + COHORT_BLOCK, len));
	gen.table[segment].length = COHORT_BLOCK + data_len;
	free(buf);
}

/* ---- what tells of all that ---- */

static void put_table(void)
{
	u8 sector[COHORT_SECTOR];

	for (u32 i = 0; i < gen.sb.nr_segments; i += COHORT_TABLE_PER_SECTOR) {
		cohort_table_encode(gen.seed, cohort_table_address(i), &gen.table[i], sector);
		put(cohort_table_address(i), sector, sizeof(sector));
	}
}

static void put_supers(void)
{
	u8 block[COHORT_BLOCK];

	gen.sb.epoch_high = EPOCH + 1;
	gen.sb.nonce = 1;
	gen.sb.next_seq = gen.seq;
	gen.sb.next_segment = gen.segment + 1;
	gen.sb.flags = COHORT_SB_CLEAN;
	gen.sb.overlays = gen.written;
	for (gen.sb.generation = 2; gen.sb.generation < 4; gen.sb.generation++) {
		cohort_super_encode(&gen.sb, block);
		put(cohort_super_address(gen.sb.generation), block, sizeof(block));
	}
}

/* How much there is to be of what. */
static void set_numbers(int argc, char **argv)
{
	gen.chunks = strtoull(argv[2], NULL, 10);
	gen.written = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	gen.size = argc > 5 ? strtoull(argv[4], NULL, 10) : gen.chunks;
	gen.copied = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;
	if (!gen.chunks || gen.written > gen.chunks || gen.chunks > gen.size ||
	    gen.copied > gen.size)
		errx(2, "CHUNKS are at least one, WRITTEN at most CHUNKS, all others at most SIZE");
}

int main(int argc, char **argv)
{
	static const u8 zero[CHUNK];
	const char *why;
	off_t size;

	if (argc != 3 && argc != 4 && argc != 6)
		errx(2, "usage: poolgen DEVICE CHUNKS [WRITTEN [SIZE COPIED]]");
	gen.fd = open(argv[1], O_RDWR);
	size = gen.fd < 0 ? -1 : lseek(gen.fd, 0, SEEK_END);
	if (size < 0)
		err(2, "%s", argv[1]);
	set_numbers(argc, argv);
	memcpy(gen.sb.uuid, "generated pool!", 16);
	memcpy(gen.sb.name, "p", 1);
	if (cohort_super_layout(&gen.sb, (u64)size, CHUNK, &why))
		errx(2, "%s", why);
	gen.sb.clones = argc == 6;
	gen.seed = cohort_pool_seed(gen.sb.uuid);
	gen.seq = 1;
	gen.zero_crc = cohort_crc32c(~0u, zero, sizeof(zero));
	gen.table = calloc(gen.sb.nr_segments + COHORT_TABLE_PER_SECTOR, sizeof(*gen.table));
	if (!gen.table)
		err(2, "table");
	make_run();
	make_catalog();
	fill_log(NULL, OVERLAY, gen.written);
	put_table();
	put_supers();
	return fsync(gen.fd) || close(gen.fd) ? 2 : 0;
}
