// SPDX-License-Identifier: GPL-2.0-or-later
/* store.c - a pool that nobody uses, read by the module's own code. */
#include <stdio.h>
#include <stdlib.h>

#include "crc32c.h"
#include "store.h"

u32 cohort_crc32c(u32 seed, const void *data, size_t len)
{
	return crc32c(seed, data, len);
}

void *store_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

/* ---- blocks ---- */

static struct store_block *laid(const struct store *store, u64 addr)
{
	struct store_block *b;

	for (b = store->over; b; b = b->next)
		if (b->addr == addr)
			return b;
	return NULL;
}

int store_read(struct store *store, u64 addr, void *buf, u32 len)
{
	struct store_block *b;
	int err;

	if (addr > store->size || len > store->size - addr)
		return -EIO;
	err = store->read(store->ctx, addr, buf, len);
	/* an unreadable block may be one that is to be written anew */
	if (err && !(len == COHORT_BLOCK && laid(store, addr)))
		return err;
	for (b = store->over; b; b = b->next)
		if (b->addr >= addr && b->addr < addr + len)
			memcpy((u8 *)buf + (b->addr - addr), b->data, COHORT_BLOCK);
	return 0;
}

void store_lay_supers(struct store *store)
{
	u8 block[COHORT_BLOCK];
	int i;

	/* the one in between is that of the repair itself, see poolfile_write() */
	store->sb.generation++;
	for (i = 0; i < 2; i++) {
		store->sb.generation++;
		cohort_super_encode(&store->sb, block);
		store_lay(store, cohort_super_address(store->sb.generation), block);
	}
}

void store_lay(struct store *store, u64 addr, const void *data)
{
	struct store_block *b = laid(store, addr);

	if (!b) {
		b = store_alloc(sizeof(*b));
		b->addr = addr;
		b->next = store->over;
		store->over = b;
	}
	memcpy(b->data, data, COHORT_BLOCK);
}

/* ---- the catalog ---- */

struct store_record *store_find(const struct store *store, u16 type, u32 id)
{
	u32 i;

	for (i = 0; i < store->nr_records; i++)
		if (store->record[i].type == type && store->record[i].id == id)
			return &store->record[i];
	return NULL;
}

const char *store_name(const struct store_record *record)
{
	switch (record->type) {
	case COHORT_REC_SOURCE:
		return (const char *)((struct cohort_disk_source *)record->data)->name;
	case COHORT_REC_GROUP:
		return (const char *)((struct cohort_disk_group *)record->data)->name;
	default:
		return (const char *)((struct cohort_disk_rel *)record->data)->name;
	}
}

struct store_record *store_find_rel(const struct store *store, const char *name)
{
	u32 i;

	for (i = 0; i < store->nr_records; i++)
		if (store->record[i].type == COHORT_REC_REL &&
		    !strcmp(store_name(&store->record[i]), name))
			return &store->record[i];
	return NULL;
}

const struct cohort_disk_source *store_source(const struct store *store, u32 id)
{
	const struct store_record *record = store_find(store, COHORT_REC_SOURCE, id);

	return record ? record->data : NULL;
}

void store_drop_record(struct store *store, struct store_record *record)
{
	free(record->data);
	store->nr_records--;
	memmove(record, record + 1,
		(size_t)(store->record + store->nr_records - record) * sizeof(*record));
}

static bool is_of_rel(const struct store_record *record, u32 rel)
{
	const struct cohort_disk_overlay *d = record->data;

	if (record->type == COHORT_REC_OVERLAY)
		return le32_to_cpu(d->rel) == rel;
	return record->type == COHORT_REC_CLONE && record->id == rel;
}

static void drop_parts(struct store *store, u32 rel)
{
	u32 i = 0;

	while (i < store->nr_records)
		if (is_of_rel(&store->record[i], rel))
			store_drop_record(store, &store->record[i]);
		else
			i++;
}

void store_drop(struct store *store, u16 type, u32 id)
{
	struct store_record *record = store_find(store, type, id);

	if (!record)
		return;
	store_drop_record(store, record);
	if (type == COHORT_REC_REL)
		drop_parts(store, id);
}

/* What the record takes the place of: each member of a clone has its own. */
static struct store_record *find_same(const struct store *store,
				      const struct cohort_disk_record *hdr)
{
	const struct cohort_disk_clone *d = (const void *)hdr;
	const u16 type = le16_to_cpu(hdr->type);

	if (type == COHORT_REC_CLONE)
		return store_find_clone(store, le32_to_cpu(hdr->id), le32_to_cpu(d->member));
	return store_find(store, type, le32_to_cpu(hdr->id));
}

/* A change of an object keeps its place: what refers to it comes behind it. */
static void keep_record(struct store *store, const struct cohort_disk_record *hdr, u64 seq)
{
	u16 type = le16_to_cpu(hdr->type);
	u32 id = le32_to_cpu(hdr->id), len = le32_to_cpu(hdr->len);
	struct store_record *record = find_same(store, hdr);

	if (!record) {
		store->record = realloc(store->record,
					(store->nr_records + 1) * sizeof(*record));
		if (!store->record)
			abort();
		record = &store->record[store->nr_records++];
		record->data = NULL;
	}
	free(record->data);
	*record = (struct store_record){
		.type = type, .id = id, .len = len, .seq = seq, .data = store_alloc(len),
	};
	memcpy(record->data, hdr, len);
}

static bool has_name(u16 type)
{
	return type != COHORT_REC_RUN && type != COHORT_REC_OVERLAY && type != COHORT_REC_CLONE;
}

/* Whoever looks at it later need not look at that again. */
static bool name_ok(const void *data)
{
	const struct store_record record = {
		.type = le16_to_cpu(((const struct cohort_disk_record *)data)->type),
		.data = (void *)(uintptr_t)data,
	};
	char name[COHORT_DISK_NAME];

	return !cohort_name_decode(name, (const u8 *)store_name(&record), sizeof(name)) &&
	       name[0];
}

static int bad_record(struct store *store, u32 segment)
{
	const struct cohort_damage d = {
		.kind = COHORT_DAMAGE_RECORD, .segment = segment, .err = -EUCLEAN,
	};

	snprintf(store->why, sizeof(store->why), "a catalog record has no name");
	return store->damage ? store->damage(store, &d) : d.err;
}

static int on_record(void *ctx, const void *data, u64 seq, u32 segment)
{
	const struct cohort_disk_record *hdr = data;
	u16 type = le16_to_cpu(hdr->type);
	struct store *store = ctx;

	store->overlays |= type == COHORT_REC_OVERLAY || type == COHORT_REC_OVERLAY_DEL;
	store->clones |= type == COHORT_REC_CLONE;
	switch (type) {
	case COHORT_REC_SOURCE_DEL:
	case COHORT_REC_GROUP_DEL:
	case COHORT_REC_REL_DEL:
	case COHORT_REC_RUN_DEL:
	case COHORT_REC_OVERLAY_DEL:
		store_drop(store, type - 1, le32_to_cpu(hdr->id));
		return 0;
	}
	if (has_name(type) && !name_ok(data))
		return bad_record(store, segment);
	keep_record(store, hdr, seq);
	return 0;
}

/* ---- the log ---- */

static int on_read(void *ctx, u64 addr, void *buf, u32 len)
{
	return store_read(ctx, addr, buf, len);
}

static int on_damage(void *ctx, const struct cohort_damage *d)
{
	struct store *store = ctx;

	return store->damage(store, d);
}

static int on_batch(void *ctx, const struct cohort_batch *b, u32 segment)
{
	struct store *store = ctx;

	store->at = *b;
	store->at_segment = segment;
	return store->batch ? store->batch(store, b, segment) : 0;
}

static int insert_chunk(struct store *store, const struct cohort_preserve *p, u64 addr)
{
	struct cohort_index_node *node = cohort_index_node_new(false);
	u64 newest;

	if (!node)
		return -ENOMEM;
	cohort_index_node_set(node, p, addr);
	/* the first one counts, as in the module */
	if (cohort_index_insert(store->index, node, &newest))
		cohort_index_node_free(node);
	return 0;
}

int store_preserve(struct store *store, const struct cohort_preserve *p, u64 addr)
{
	u64 from = 0;
	int err = 0;

	store->overlays |= cohort_is_overlay(p->source);
	store->moves |= p->moved;
	if (!p->moved ||
	    !cohort_index_move(store->index, p->source, p->chunk, p->epoch, &from, addr))
		err = insert_chunk(store, p, addr);
	return err || !store->chunk ? err : store->chunk(store, p, addr);
}

static int on_preserve(void *ctx, const struct cohort_preserve *p, u64 addr)
{
	return store_preserve(ctx, p, addr);
}

static int load_log(struct store *store)
{
	struct cohort_replay r = {
		.sb = &store->sb, .ctx = store, .read = on_read, .preserve = on_preserve,
		.record = on_record, .damage = store->damage ? on_damage : NULL,
		.batch = on_batch,
		.table = store->table,
	};
	int err = cohort_replay_run(&r);
	u64 i;

	for (i = 0; i < store->sb.nr_segments; i++) {
		store->sides |= store->table[i].kind == COHORT_SEGMENT_SIDE;
		store->clones |= store->table[i].seq && store->table[i].kind == COHORT_SEGMENT_MAP;
	}
	store->last_seq = r.last_seq;
	store->last_crc = r.last_crc;
	store->max_epoch = r.max_epoch;
	store->batches = r.batches;
	if (err && r.why[0])
		snprintf(store->why, sizeof(store->why), "%s", r.why);
	return err;
}

int store_super(struct store *store)
{
	static u8 copy[2][COHORT_BLOCK];
	const char *why = "";
	int err;

	memset(copy, 0, sizeof(copy));
	/* one that can not be read is as good as one that is damaged */
	store_read(store, COHORT_SUPER_A, copy[0], COHORT_BLOCK);
	store_read(store, COHORT_SUPER_B, copy[1], COHORT_BLOCK);
	err = cohort_super_choose(&store->sb, copy[0], copy[1], store->size, &why);
	if (err)
		snprintf(store->why, sizeof(store->why), "%s", why);
	return err;
}

int store_load(struct store *store)
{
	int err = store_super(store);

	if (err)
		return err;
	store->index = cohort_index_new(store->sb.size / store->sb.chunk_size);
	if (!store->index)
		return -ENOMEM;
	store->table = store_alloc(store->sb.nr_segments * sizeof(*store->table));
	err = load_log(store);
	return err ? err : store_load_runs(store);
}

void store_forget(struct store *store)
{
	u32 i;

	for (i = 0; i < store->nr_records; i++)
		free(store->record[i].data);
	free(store->record);
	store->record = NULL;
	store->nr_records = 0;
	free(store->table);
	store->table = NULL;
	cohort_index_free(store->index);
	store->index = NULL;
	store->overlays = false;
	store->moves = false;
	store->sides = false;
	store->clones = false;
	store->why[0] = '\0';
}

void store_free(struct store *store)
{
	struct store_block *b, *next;

	store_forget(store);
	for (b = store->over; b; b = next) {
		next = b->next;
		free(b);
	}
	store->over = NULL;
}
