// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * poolhurt.c - damages a copy of a pool in one of many named ways, and shows its images.
 *
 * Rot is a byte that is flipped. A lie is a block whose checksums are right,
 * so that only a rule can find it: the batches behind one that is changed are
 * chained to it anew.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/cohort.h>

#include "memstore.h"
#include "poolhurt.h"

struct hurt hurt;

u8 *hurt_segment(u32 segment)
{
	return hurt.base + hurt.sb.segments_start + (u64)segment * hurt.sb.segment_size;
}

static int note_batch(struct store *store, const struct cohort_batch *b, u32 segment)
{
	(void)store;
	if (hurt.nr_batches == HURT_BATCHES)
		errx(2, "the pool has too many batches");
	hurt.batch[hurt.nr_batches++] = (struct hurt_batch){ *b, segment };
	return 0;
}

static void open_pool(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR);

	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", path);
	hurt.path = path;
	hurt.size = (u64)st.st_size;
	hurt.base = mmap(NULL, hurt.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (hurt.base == MAP_FAILED)
		err(2, "%s", path);
	close(fd);
	hurt.store = (struct store){
		.read = memstore_read, .ctx = hurt.base, .size = hurt.size, .batch = note_batch,
		.chunk = hurt_note_chunk,
	};
	if (store_load(&hurt.store))
		errx(2, "%s: %s", path, hurt.store.why);
	hurt.sb = hurt.store.sb;
	hurt.seed = cohort_pool_seed(hurt.sb.uuid);
}

/* Those of a log come one behind the other. */
static bool of_one_log(const struct cohort_batch *a, const struct cohort_batch *b)
{
	if (a->kind == COHORT_BATCH_SIDE || b->kind == COHORT_BATCH_SIDE)
		return a->kind == b->kind && a->nonce == b->nonce;
	return true;
}

/* Batch @i is changed in place; it and all behind it get their checksums anew. */
void hurt_rechain(u32 i)
{
	for (; i < hurt.nr_batches; i++) {
		struct cohort_batch *b = &hurt.batch[i].b;
		u8 *block = hurt.base + b->address;

		if (i && of_one_log(&hurt.batch[i - 1].b, b))
			b->prev_crc = hurt.batch[i - 1].b.crc;
		if (b->kind == COHORT_BATCH_RECORD)
			b->data_crc = cohort_crc32c(~0u, b->data_len ? block + COHORT_BLOCK :
				((struct cohort_disk_batch *)block)->payload, b->count);
		cohort_batch_encode(hurt.seed, b, block);
	}
}

void hurt_table(u32 segment, const struct cohort_segment_entry *entry)
{
	u32 first = segment / COHORT_TABLE_PER_SECTOR * COHORT_TABLE_PER_SECTOR;
	struct cohort_segment_entry all[COHORT_TABLE_PER_SECTOR];
	u8 *sector = hurt.base + cohort_table_address(first);

	if (cohort_table_decode(hurt.seed, cohort_table_address(first), sector, all))
		errx(2, "the table is damaged already");
	all[segment - first] = *entry;
	cohort_table_encode(hurt.seed, cohort_table_address(first), all, sector);
}

void hurt_lay_supers(void)
{
	for (int i = 0; i < 2; i++) {
		hurt.sb.generation++;
		cohort_super_encode(&hurt.sb, hurt.base +
				    cohort_super_address(hurt.sb.generation));
	}
}

u32 hurt_free_segment(u64 *order)
{
	u32 found = U32_MAX;

	*order = 0;
	for (u32 i = 0; i < hurt.sb.nr_segments; i++) {
		if (hurt.store.table[i].seq > *order)
			*order = hurt.store.table[i].seq;
		if (!hurt.store.table[i].seq && found == U32_MAX)
			found = i;
	}
	if (found == U32_MAX)
		errx(2, "no segment is free");
	return found;
}

/* @name: NULL for that of @id. */
static bool is_it(const struct cohort_disk_record *r, u16 type, const char *name, u32 id)
{
	const struct store_record record = { .type = type, .data = (void *)(uintptr_t)r };

	if (le16_to_cpu(r->type) != type)
		return false;
	return name ? !strcmp(store_name(&record), name) : le32_to_cpu(r->id) == id;
}

static struct cohort_disk_record *find_record(u16 type, const char *name, u32 id, u32 *batch)
{
	for (u32 i = hurt.nr_batches; i-- > 0;) {
		const struct cohort_batch *b = &hurt.batch[i].b;
		u8 *block = hurt.base + b->address;
		u8 *at = b->data_len ? block + COHORT_BLOCK :
			((struct cohort_disk_batch *)block)->payload;
		u32 left = b->kind == COHORT_BATCH_RECORD ? b->count : 0;

		while (left) {
			struct cohort_disk_record *r = (void *)at;

			if (is_it(r, type, name, id)) {
				*batch = i;
				return r;
			}
			at += le32_to_cpu(r->len);
			left -= le32_to_cpu(r->len);
		}
	}
	return NULL;
}

struct cohort_disk_record *hurt_record(u16 type, const char *name, u32 *batch)
{
	struct cohort_disk_record *r = find_record(type, name, 0, batch);

	if (!r)
		errx(2, "no record of %s", name);
	return r;
}

struct cohort_disk_record *hurt_record_of(u16 type, u32 id, u32 *batch)
{
	struct cohort_disk_record *r = find_record(type, NULL, id, batch);

	if (!r)
		errx(2, "no record of type %u and id %u", type, id);
	return r;
}

static int show_image(const char *rel, const char *member, const char *disk)
{
	const struct store_record *record = store_find_rel(&hurt.store, rel);
	const struct cohort_disk_rel *d = record ? record->data : NULL;
	u32 i = (u32)atoi(member);
	struct stat st;
	u8 *in, *out;
	int fd = open(disk, O_RDONLY);

	if (!d || i >= le32_to_cpu(d->count))
		errx(2, "there is no image %s of %s", member, rel);
	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", disk);
	in = store_alloc((size_t)st.st_size);
	out = store_alloc((size_t)st.st_size);
	if (read(fd, in, (size_t)st.st_size) != st.st_size)
		err(2, "%s", disk);
	close(fd);
	if (store_image(&hurt.store, d, i, in, (u64)st.st_size, out))
		errx(1, "image %s of %s can not be read", member, rel);
	return fwrite(out, (size_t)st.st_size, 1, stdout) == 1 ? 0 : 2;
}

/* What makes golden images of golden images. */
static const struct hurt_way makers[] = {
	{ "flush", hurt_flush },
	{ "write", hurt_write },
	{ "rewrite", hurt_rewrite },
	{ NULL, NULL },
};

/* -1: there is no such way. */
static int run_way(const struct hurt_way *w, const char *name)
{
	for (; w->name; w++) {
		if (strcmp(w->name, name))
			continue;
		w->run();
		return msync(hurt.base, hurt.size, MS_SYNC) ? 2 : 0;
	}
	return -1;
}

int main(int argc, char **argv)
{
	int ret;

	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (const struct hurt_way *w = hurt_ways; w->name; w++)
			puts(w->name);
		return 0;
	}
	if (argc < 3)
		errx(2,
		     "usage: poolhurt list | WAY POOL | flush|write|rewrite POOL | image POOL REL MEMBER DISK");
	open_pool(argv[2]);
	if (argc == 6 && !strcmp(argv[1], "image"))
		return show_image(argv[3], argv[4], argv[5]);
	ret = run_way(hurt_ways, argv[1]);
	if (ret < 0)
		ret = run_way(makers, argv[1]);
	if (ret < 0)
		errx(2, "there is no way %s", argv[1]);
	return ret;
}
