// SPDX-License-Identifier: GPL-2.0-only
/* replay.c - reads a pool's log back: what was durable when the pool was last in use. */
#include "plant.h"
#include "replay.h"

#ifdef __KERNEL__
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#else
#include <stdio.h>
#include <stdlib.h>
#define kvmalloc(n, g) malloc(n)
#define kvcalloc(n, s, g) calloc((n), (s))
#define kvfree(p) free(p)
#define sort(base, num, size, cmp, swap) qsort((base), (num), (size), (cmp))
#define GFP_KERNEL 0
#endif

/* No pool lives long enough to get there; what is above it is not honest. */
#define EPOCH_MAX (1ull << 62)

/*
 * A segment that was closed has a length in the table and must be whole up to
 * there. Those still open at a crash end at the first batch that is not whole,
 * and so does the log: batches complete in order, so nobody was told of what
 * is behind it. The exception is a later batch that says it was written when
 * the bad one had completed: then the pool is damaged, not cut off.
 */
struct walk {
	struct cohort_replay *r;
	u32 seed;
	u8 *buf;			/* one segment */
	u32 *order;			/* segment numbers by seq */
	u32 count;
	u64 bad_seq;			/* first batch that is not whole, 0 = none */
	u64 bad_nonce;
};

struct order_key {
	u64 seq;
	u32 segment;
	u32 pad;
};

static int order_cmp(const void *a, const void *b)
{
	const struct order_key *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int fail(struct cohort_replay *r, int err, const char *what, u32 segment)
{
	snprintf(r->why, sizeof(r->why), "%s in segment %u", what, segment);
	return err;
}

static u64 segment_start(const struct cohort_replay *r, u32 segment)
{
	return r->sb->segments_start + (u64)segment * r->sb->segment_size;
}

static int read_table(struct walk *w)
{
	struct cohort_replay *r = w->r;
	struct cohort_segment_entry entry[COHORT_TABLE_PER_SECTOR];
	u64 seg, addr, block = 0;
	u32 i;
	int err;

	for (seg = 0; seg < r->sb->nr_segments; seg += COHORT_TABLE_PER_SECTOR) {
		addr = cohort_table_address(seg);
		if (addr / COHORT_BLOCK != block) {
			block = addr / COHORT_BLOCK;
			err = r->read(r->ctx, block * COHORT_BLOCK, w->buf, COHORT_BLOCK);
			if (err)
				return fail(r, err, "segment table can not be read", seg);
		}
		if (cohort_table_decode(w->seed, addr, w->buf + addr % COHORT_BLOCK, entry))
			return fail(r, -EUCLEAN, "segment table is damaged", seg);
		for (i = 0; i < COHORT_TABLE_PER_SECTOR && seg + i < r->sb->nr_segments; i++) {
			if (entry[i].length > r->sb->segment_size ||
			    entry[i].length % COHORT_BLOCK)
				return fail(r, -EUCLEAN, "segment table is damaged", seg + i);
			r->table[seg + i] = entry[i];
		}
	}
	return 0;
}

static int sort_segments(struct walk *w)
{
	struct cohort_replay *r = w->r;
	struct order_key *key;
	u32 i, n = 0;

	for (i = 0; i < r->sb->nr_segments; i++)
		n += !!r->table[i].seq;
	key = kvcalloc(n + 1, sizeof(*key), GFP_KERNEL);
	w->order = kvcalloc(n + 1, sizeof(*w->order), GFP_KERNEL);
	if (!key || !w->order) {
		kvfree(key);
		return -ENOMEM;
	}
	for (i = 0; i < r->sb->nr_segments; i++) {
		if (!r->table[i].seq)
			continue;
		key[w->count].seq = r->table[i].seq;
		key[w->count++].segment = i;
	}
	sort(key, n, sizeof(*key), order_cmp, NULL);
	for (i = 0; i < n; i++)
		w->order[i] = key[i].segment;
	kvfree(key);
	return 0;
}

/* The data of a batch as its header promises it. */
static bool data_whole(const struct walk *w, const struct cohort_batch *b, const u8 *block)
{
	const u8 *data = block + COHORT_BLOCK;
	struct cohort_preserve p;
	u32 i;

	if (b->kind == COHORT_BATCH_RECORD) {
		if (!b->data_len)
			data = ((const struct cohort_disk_batch *)block)->payload;
		return PLANTED("partial-cut") ||
			cohort_crc32c(~0u, data, b->count) == b->data_crc;
	}
	for (i = 0; i < b->count; i++) {
		cohort_preserve_decode(block, i, &p);
		if (cohort_crc32c(~0u, data + i * w->r->sb->chunk_size, w->r->sb->chunk_size) !=
		    p.crc)
			return false;
	}
	return true;
}

static int emit_preserves(struct walk *w, const struct cohort_batch *b, const u8 *block)
{
	struct cohort_replay *r = w->r;
	u64 addr = b->address + COHORT_BLOCK;
	struct cohort_preserve p;
	int err = 0;
	u32 i;

	for (i = 0; i < b->count && !err; i++, addr += r->sb->chunk_size) {
		cohort_preserve_decode(block, i, &p);
		if (p.epoch > EPOCH_MAX)
			return fail(r, -EUCLEAN, "an epoch is out of range", 0);
		if (p.epoch > r->max_epoch)
			r->max_epoch = p.epoch;
		err = r->preserve(r->ctx, &p, addr);
	}
	return err;
}

static int emit_records(struct walk *w, const struct cohort_batch *b, const u8 *block, u32 segment)
{
	struct cohort_replay *r = w->r;
	const u8 *at = b->data_len ? block + COHORT_BLOCK :
		((const struct cohort_disk_batch *)block)->payload;
	u32 left = b->count;
	int err, len;

	if (b->seq < r->sb->catalog_seq)
		return 0;
	while (left) {
		len = cohort_record_check(at, left);
		if (len < 0)
			return fail(r, len, "a catalog record is malformed", segment);
		err = r->record(r->ctx, at, b->seq, segment);
		if (err)
			return err;
		at += len;
		left -= len;
	}
	return 0;
}

static int emit_batch(struct walk *w, const struct cohort_batch *b, const u8 *block, u32 segment)
{
	w->r->batches++;
	w->r->last_seq = b->seq;
	w->r->last_crc = b->crc;
	if (b->kind == COHORT_BATCH_PRESERVE)
		return emit_preserves(w, b, block);
	return emit_records(w, b, block, segment);
}

/* Does a later batch of the activation say that @w->bad_seq had completed? */
static bool later_batch_denies(const struct walk *w, u32 segment, u32 from)
{
	const struct cohort_replay *r = w->r;
	struct cohort_batch b;
	u32 at;

	for (at = from; at + COHORT_BLOCK <= r->sb->segment_size; at += COHORT_BLOCK) {
		if (cohort_batch_decode(w->seed, segment_start(r, segment) + at,
					r->sb->segment_size - at, r->sb->chunk_size, w->buf + at,
					&b))
			continue;
		if (b.nonce == w->bad_nonce && b.seq > w->bad_seq && b.completed >= w->bad_seq)
			return true;
	}
	return false;
}

/*
 * One batch at @at: 1 if it is the next one of its segment. @prev is the one
 * before in the segment, NULL at its head.
 */
static bool batch_follows(const struct walk *w, const struct cohort_batch *b,
			  const struct cohort_batch *prev,
			  const struct cohort_segment_entry *entry)
{
	if (PLANTED("stale-tail"))
		return !prev || b->seq > prev->seq;
	if (b->nonce != entry->nonce || b->seq < entry->min_seq)
		return false;
	if (prev)
		return b->seq == prev->seq + 1 && b->prev_crc == prev->crc;
	return b->seq > w->r->last_seq;
}

static int walk_segment(struct walk *w, u32 segment)
{
	struct cohort_replay *r = w->r;
	struct cohort_segment_entry *entry = &r->table[segment];
	u32 limit = entry->length ? entry->length : r->sb->segment_size;
	struct cohort_batch b, prev;
	bool first = true;
	u32 at = 0;
	int err;

	while (at + COHORT_BLOCK <= limit) {
		err = cohort_batch_decode(w->seed, segment_start(r, segment) + at, limit - at,
					  r->sb->chunk_size, w->buf + at, &b);
		if (err || !batch_follows(w, &b, first ? NULL : &prev, entry))
			break;
		if (!entry->length && !data_whole(w, &b, w->buf + at))
			break;
		err = emit_batch(w, &b, w->buf + at, segment);
		if (err)
			return err;
		at += COHORT_BLOCK + b.data_len;
		prev = b;
		first = false;
	}
	if (entry->length && at != entry->length)
		return fail(r, -EUCLEAN, "a batch that was complete is damaged", segment);
	if (!entry->length && at + COHORT_BLOCK <= r->sb->segment_size) {
		w->bad_seq = r->last_seq + 1;
		w->bad_nonce = entry->nonce;
		if (later_batch_denies(w, segment, at))
			return fail(r, -EUCLEAN, "a batch that was complete is damaged", segment);
	}
	entry->length = at;
	return 0;
}

/*
 * Behind a bad batch of the same activation: nothing counts, but it may tell
 * of damage. The exception is a segment that simply goes on where an earlier
 * one ended early because the next batch did not fit.
 */
static bool continues(const struct walk *w, u32 segment)
{
	struct cohort_batch b;

	return !cohort_batch_decode(w->seed, segment_start(w->r, segment),
				    w->r->sb->segment_size, w->r->sb->chunk_size, w->buf, &b) &&
	       b.nonce == w->bad_nonce && b.seq == w->bad_seq &&
	       b.prev_crc == w->r->last_crc;
}

static int replay_segment(struct walk *w, u32 segment)
{
	struct cohort_replay *r = w->r;
	struct cohort_segment_entry *entry = &r->table[segment];
	int err = r->read(r->ctx, segment_start(r, segment), w->buf,
			  entry->length ? entry->length : r->sb->segment_size);

	if (err)
		return fail(r, err, "the log can not be read", segment);
	if (w->bad_seq && entry->nonce == w->bad_nonce && !continues(w, segment)) {
		if (later_batch_denies(w, segment, 0))
			return fail(r, -EUCLEAN, "a batch that was complete is damaged", segment);
		memset(entry, 0, sizeof(*entry));
		return 0;
	}
	w->bad_seq = 0;
	err = walk_segment(w, segment);
	if (!err && !entry->length)
		memset(entry, 0, sizeof(*entry));
	return err;
}

int cohort_replay_run(struct cohort_replay *r)
{
	struct walk w = { .r = r, .seed = cohort_pool_seed(r->sb->uuid) };
	int err;
	u32 i;

	r->why[0] = 0;
	w.buf = kvmalloc(r->sb->segment_size, GFP_KERNEL);
	if (!w.buf)
		return -ENOMEM;
	err = read_table(&w);
	if (!err)
		err = sort_segments(&w);
	for (i = 0; i < w.count && !err; i++)
		err = replay_segment(&w, w.order[i]);
	kvfree(w.order);
	kvfree(w.buf);
	return err;
}
