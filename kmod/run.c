// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* run.c - a run: the index of a part of the log, sorted, written once and never changed. */
#include "run.h"

int cohort_run_key_cmp(const struct cohort_run_key *a, const struct cohort_run_key *b)
{
	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a->chunk != b->chunk)
		return a->chunk < b->chunk ? -1 : 1;
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	return 0;
}

u64 cohort_run_blocks(u64 entries)
{
	u64 n = (entries + COHORT_RUN_ENTRIES - 1) / COHORT_RUN_ENTRIES, sum = n;

	while (n > 1) {
		n = (n + COHORT_RUN_KEYS - 1) / COHORT_RUN_KEYS;
		sum += n;
	}
	return sum;
}

u64 cohort_run_address(const struct cohort_run *run, const struct cohort_super *sb, u32 block)
{
	u32 blocks = sb->segment_size / COHORT_BLOCK, at = run->start + block;

	return sb->segments_start + (u64)run->segment[at / blocks] * sb->segment_size +
		(u64)(at % blocks) * COHORT_BLOCK;
}

/* ---- the record ---- */

u32 cohort_run_record_len(u32 count)
{
	return (sizeof(struct cohort_disk_run) + count * sizeof(__le32) + 7) & ~7u;
}

void cohort_run_record_encode(const struct cohort_run *run, void *record)
{
	struct cohort_disk_run *d = record;
	u32 i, len = cohort_run_record_len(run->count);

	memset(d, 0, len);
	d->hdr.type = cpu_to_le16(COHORT_REC_RUN);
	d->hdr.len = cpu_to_le32(len);
	d->hdr.id = cpu_to_le32(run->id);
	d->from = cpu_to_le64(run->from);
	d->to = cpu_to_le64(run->to);
	d->entries = cpu_to_le64(run->entries);
	d->max_epoch = cpu_to_le64(run->max_epoch);
	d->start = cpu_to_le32(run->start);
	d->blocks = cpu_to_le32(run->blocks);
	d->root = cpu_to_le32(run->root);
	d->levels = cpu_to_le32(run->levels);
	d->count = cpu_to_le32(run->count);
	for (i = 0; i < run->count; i++)
		d->segment[i] = cpu_to_le32(run->segment[i]);
}

u32 cohort_run_record_count(const void *record)
{
	return le32_to_cpu(((const struct cohort_disk_run *)record)->count);
}

static bool run_fields_ok(const struct cohort_run *run, const struct cohort_super *sb)
{
	u32 per = sb->segment_size / COHORT_BLOCK;
	u32 i;

	if (!run->id || run->from >= run->to || run->max_epoch > COHORT_EPOCH_MAX)
		return false;
	if (!run->blocks || run->root != run->blocks - 1 || !run->levels ||
	    run->levels > COHORT_RUN_LEVELS || !run->entries ||
	    run->entries > (u64)run->blocks * COHORT_RUN_ENTRIES ||
	    cohort_run_blocks(run->entries) != run->blocks)
		return false;
	/* just as many segments as it needs */
	if (run->start >= per ||
	    ((u64)run->start + run->blocks + per - 1) / per != run->count)
		return false;
	for (i = 0; i < run->count; i++)
		if (run->segment[i] >= sb->nr_segments)
			return false;
	return true;
}

int cohort_run_record_decode(struct cohort_run *run, const void *record,
			     const struct cohort_super *sb)
{
	const struct cohort_disk_run *d = record;
	u32 i;

	run->id = le32_to_cpu(d->hdr.id);
	run->from = le64_to_cpu(d->from);
	run->to = le64_to_cpu(d->to);
	run->entries = le64_to_cpu(d->entries);
	run->max_epoch = le64_to_cpu(d->max_epoch);
	run->start = le32_to_cpu(d->start);
	run->blocks = le32_to_cpu(d->blocks);
	run->root = le32_to_cpu(d->root);
	run->levels = le32_to_cpu(d->levels);
	run->count = le32_to_cpu(d->count);
	for (i = 0; i < run->count; i++)
		run->segment[i] = le32_to_cpu(d->segment[i]);
	return run_fields_ok(run, sb) ? 0 : -EUCLEAN;
}

/* ---- blocks ---- */

static u32 most_of(u32 level)
{
	return level ? COHORT_RUN_KEYS : COHORT_RUN_ENTRIES;
}

int cohort_run_block_check(const struct cohort_run *run, u32 seed, u64 address,
			   const void *block, u32 *level, u32 *count)
{
	const struct cohort_disk_run_block *d = block;

	*level = le16_to_cpu(d->level);
	*count = le16_to_cpu(d->count);
	if (le32_to_cpu(d->magic) != COHORT_RUN_MAGIC || le64_to_cpu(d->address) != address ||
	    le32_to_cpu(d->run) != run->id || *level >= run->levels || !*count ||
	    *count > most_of(*level))
		return -EUCLEAN;
	if (le32_to_cpu(d->crc) !=
	    cohort_block_crc(seed, address, d, sizeof(*d),
			     offsetof(struct cohort_disk_run_block, crc)))
		return -EUCLEAN;
	return 0;
}

int cohort_run_entry_check(const struct cohort_run_entry *entry, const struct cohort_super *sb)
{
	u64 at = entry->addr - sb->segments_start;

	if (entry->addr < sb->segments_start || at % COHORT_BLOCK ||
	    at / sb->segment_size >= sb->nr_segments ||
	    at % sb->segment_size + sb->chunk_size > sb->segment_size ||
	    !entry->key.epoch || entry->key.epoch > COHORT_EPOCH_MAX)
		return -EUCLEAN;
	return 0;
}

void cohort_run_entry_decode(const void *block, u32 i, struct cohort_run_entry *entry)
{
	const struct cohort_disk_run_block *b = block;
	const struct cohort_disk_run_entry *d = (const void *)b->payload;

	d += i;
	entry->key.source = le32_to_cpu(d->source);
	entry->key.chunk = le64_to_cpu(d->chunk);
	entry->key.epoch = le64_to_cpu(d->epoch);
	entry->crc = le32_to_cpu(d->crc);
	entry->addr = le64_to_cpu(d->addr);
	entry->unreadable = le64_to_cpu(d->unreadable);
}

static void entry_encode(void *block, u32 i, const struct cohort_run_entry *entry)
{
	struct cohort_disk_run_block *b = block;
	struct cohort_disk_run_entry *d = (void *)b->payload;

	d += i;
	d->source = cpu_to_le32(entry->key.source);
	d->chunk = cpu_to_le64(entry->key.chunk);
	d->epoch = cpu_to_le64(entry->key.epoch);
	d->crc = cpu_to_le32(entry->crc);
	d->addr = cpu_to_le64(entry->addr);
	d->unreadable = cpu_to_le64(entry->unreadable);
}

/* The first key of a block below, and that block. */
static u32 key_decode(const void *block, u32 i, struct cohort_run_key *key)
{
	const struct cohort_disk_run_block *b = block;
	const struct cohort_disk_run_key *d = (const void *)b->payload;

	d += i;
	key->source = le32_to_cpu(d->source);
	key->chunk = le64_to_cpu(d->chunk);
	key->epoch = le64_to_cpu(d->epoch);
	return le32_to_cpu(d->block);
}

static void key_encode(void *block, u32 i, const struct cohort_run_key *key, u32 child)
{
	struct cohort_disk_run_block *b = block;
	struct cohort_disk_run_key *d = (void *)b->payload;

	d += i;
	d->source = cpu_to_le32(key->source);
	d->block = cpu_to_le32(child);
	d->chunk = cpu_to_le64(key->chunk);
	d->epoch = cpu_to_le64(key->epoch);
}

/* ---- search ---- */

struct search {
	struct cohort_run_key key;
	struct cohort_run_key right;	/* first key behind the subtree that was taken */
	bool has_right;
	u32 block;
	u32 level;
};

/* Number of keys of the block that are not above s->key: the last of them leads on. */
static u32 keys_upto(const struct search *s, const void *block, u32 count)
{
	u32 low = 0, high = count;

	while (low < high) {
		u32 mid = (low + high) / 2;
		struct cohort_run_key key;

		key_decode(block, mid, &key);
		if (cohort_run_key_cmp(&key, &s->key) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* One level down; -EUCLEAN: a block that leads to one that was written after it. */
static int go_down(struct search *s, const void *block, u32 count)
{
	u32 i = keys_upto(s, block, count), child;
	struct cohort_run_key key;

	if (i < count) {
		key_decode(block, i, &s->right);
		s->has_right = true;
	}
	child = key_decode(block, i ? i - 1 : 0, &key);
	if (child >= s->block)
		return -EUCLEAN;
	s->block = child;
	s->level--;
	return 0;
}

/* The first entry of the leaf that is not below s->key: 1, or 0. */
static int look_in_leaf(const struct search *s, const void *block, u32 count,
			struct cohort_run_entry *entry)
{
	u32 low = 0, high = count;

	while (low < high) {
		u32 mid = (low + high) / 2;

		cohort_run_entry_decode(block, mid, entry);
		if (cohort_run_key_cmp(&entry->key, &s->key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == count)
		return 0;
	cohort_run_entry_decode(block, low, entry);
	return 1;
}

static u32 block_count(const void *block)
{
	return le16_to_cpu(((const struct cohort_disk_run_block *)block)->count);
}

static u32 block_level(const void *block)
{
	return le16_to_cpu(((const struct cohort_disk_run_block *)block)->level);
}

/* From the root to a leaf: 1 and the entry there that is not below s->key, or 0. */
static int descend(const struct cohort_run *run, struct cohort_run_reader *reader,
		   struct search *s, struct cohort_run_entry *entry)
{
	int ret = 0;

	s->block = run->root;
	s->level = run->levels - 1;
	s->has_right = false;
	for (;;) {
		const void *block = reader->get(reader, run, s->block, &ret);
		bool leaf = !s->level;

		if (!block)
			return ret;
		if (block_level(block) != s->level)
			ret = -EUCLEAN;
		else if (leaf)
			ret = look_in_leaf(s, block, block_count(block), entry);
		else
			ret = go_down(s, block, block_count(block));
		reader->put(reader);
		if (ret || leaf)
			return ret;
	}
}

static bool same_chunk(const struct cohort_run_key *a, const struct cohort_run_key *b)
{
	return a->source == b->source && a->chunk == b->chunk;
}

int cohort_run_search(const struct cohort_run *run, struct cohort_run_reader *reader,
		      const struct cohort_run_key *key, struct cohort_run_entry *entry)
{
	struct search s = { .key = *key };
	int ret = descend(run, reader, &s, entry);

	/* all of the leaf is below: what is looked for begins the next one, or is not there */
	if (!ret && s.has_right && same_chunk(&s.right, key)) {
		s.key = s.right;
		ret = descend(run, reader, &s, entry);
		if (!ret)
			return -EUCLEAN;
	}
	return ret == 1 ? same_chunk(&entry->key, key) : ret;
}

/* ---- building ---- */

static u8 *level_buf(const struct cohort_run_builder *b, u32 level)
{
	return b->buf + level * COHORT_BLOCK;
}

/* The block of @level is full, or the last one. */
static int write_block(struct cohort_run_builder *b, u32 level)
{
	struct cohort_disk_run_block *d = (void *)level_buf(b, level);
	u32 block = b->run->blocks, used = b->level[level].count *
		(level ? sizeof(struct cohort_disk_run_key) : sizeof(struct cohort_disk_run_entry));
	u64 address = cohort_run_address(b->run, b->sb, block);

	memset(d->payload + used, 0, sizeof(d->payload) - used);
	memset(d->reserved, 0, sizeof(d->reserved));
	d->magic = cpu_to_le32(COHORT_RUN_MAGIC);
	d->address = cpu_to_le64(address);
	d->run = cpu_to_le32(b->run->id);
	d->level = cpu_to_le16(level);
	d->count = cpu_to_le16(b->level[level].count);
	d->crc = cpu_to_le32(cohort_block_crc(b->seed, address, d, sizeof(*d),
					      offsetof(struct cohort_disk_run_block, crc)));
	b->run->blocks++;
	b->level[level].count = 0;
	b->level[level].written++;
	return b->emit(b->ctx, block, d);
}

/* Writes the block of @level and notes it above, for as long as that fills another. */
static int push_up(struct cohort_run_builder *b, u32 level)
{
	int err = 0;

	while (!err) {
		u32 up = level + 1, n;

		if (up == COHORT_RUN_LEVELS)
			return -EFBIG;
		n = b->level[up].count++;
		if (!n)
			b->level[up].first = b->level[level].first;
		key_encode(level_buf(b, up), n, &b->level[level].first, b->run->blocks);
		err = write_block(b, level);
		if (n + 1 < COHORT_RUN_KEYS)
			break;
		level = up;
	}
	return err;
}

int cohort_run_add(struct cohort_run_builder *b, const struct cohort_run_entry *entry)
{
	u32 n = b->level[0].count;

	if (n == COHORT_RUN_ENTRIES) {
		int err = push_up(b, 0);

		if (err)
			return err;
		n = 0;
	}
	if (!n)
		b->level[0].first = entry->key;
	entry_encode(level_buf(b, 0), n, entry);
	b->level[0].count = n + 1;
	b->run->entries++;
	if (!cohort_is_overlay(entry->key.source) && entry->key.epoch > b->run->max_epoch)
		b->run->max_epoch = entry->key.epoch;
	return 0;
}

/* The lowest level that is one block, written or not, is the root's. */
int cohort_run_finish(struct cohort_run_builder *b)
{
	u32 level = 0;
	int err;

	while (b->level[level].written + !!b->level[level].count > 1) {
		if (b->level[level].count) {
			err = push_up(b, level);
			if (err)
				return err;
		}
		level++;
	}
	if (b->level[level].count) {
		err = write_block(b, level);
		if (err)
			return err;
	}
	b->run->root = b->run->blocks - 1;
	b->run->levels = level + 1;
	return 0;
}
