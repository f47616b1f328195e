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

/*
 * A segment that was closed has a length in the table and must be whole up to
 * there. Those still open at a crash end at the first batch that is not whole,
 * and so does the log: batches complete in order, so nobody was told of what
 * is behind it. The exception is a later batch that says it was written when
 * the bad one had completed: then the pool is damaged, not cut off.
 *
 * All this is said of one log. Side logs are gone through first, each by itself,
 * and the main one last: of what two say of a chunk, the later one is in that.
 */
struct walk {
	struct cohort_replay *r;
	u32 seed;
	u8 *buf;			/* one segment */
	u32 *order;			/* segment numbers by log and seq, the main log last */
	u32 count;
	u64 bad_seq;			/* first batch that is not whole, 0 = none */
	u64 bad_nonce;
	u64 last_nonce;			/* of the newest batch that counts */
	u32 last_segment;
};

struct order_key {
	u64 log;
	u64 seq;
	u32 segment;
	u32 pad;
};

static bool is_side_segment(const struct cohort_segment_entry *entry)
{
	return entry->kind == COHORT_SEGMENT_SIDE;
}

static bool is_side_batch(const struct cohort_batch *b)
{
	return b->kind == COHORT_BATCH_SIDE;
}

/* What tells one log from another, and is largest of the main one. */
static u64 log_of(const struct cohort_segment_entry *entry)
{
	return is_side_segment(entry) ? entry->nonce : U64_MAX;
}

static int order_cmp(const void *a, const void *b)
{
	const struct order_key *x = a, *y = b;

	if (x->log != y->log)
		return x->log < y->log ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Returns 0 if the replay is to go on without what is lost. */
static int damaged(struct cohort_replay *r, const struct cohort_damage *d)
{
	static const char *const what[] = {
		[COHORT_DAMAGE_TABLE] = "the segment table is damaged",
		[COHORT_DAMAGE_READ] = "the log can not be read",
		[COHORT_DAMAGE_BATCH] = "a batch that was complete is damaged",
		[COHORT_DAMAGE_RECORD] = "a catalog record is malformed",
		[COHORT_DAMAGE_ENTRY] = "an epoch is out of range",
		[COHORT_DAMAGE_END] = "the end of the log is lost, which was closed",
	};

	snprintf(r->why, sizeof(r->why), "%s in segment %u", what[d->kind], d->segment);
	return r->damage ? r->damage(r->ctx, d) : d->err;
}

static int damaged_at(struct cohort_replay *r, enum cohort_damage_kind kind, u32 segment,
		      u32 offset)
{
	const struct cohort_damage d = {
		.kind = kind, .segment = segment, .offset = offset, .err = -EUCLEAN,
	};

	return damaged(r, &d);
}

static u64 segment_start(const struct cohort_replay *r, u32 segment)
{
	return r->sb->segments_start + (u64)segment * r->sb->segment_size;
}

/* What a whole sector says may still be impossible. */
static bool lengths_ok(const struct cohort_replay *r, const struct cohort_segment_entry *entry)
{
	u32 i;

	for (i = 0; i < COHORT_TABLE_PER_SECTOR; i++)
		if (entry[i].length > r->sb->segment_size || entry[i].length % COHORT_BLOCK)
			return false;
	return true;
}

/* The first activation writes all of the table before its nonce is durable. */
static int decode_sector(const struct walk *w, u64 addr, struct cohort_segment_entry *entry)
{
	const u8 *sector = w->buf + addr % COHORT_BLOCK;

	if (w->r->sb->nonce && cohort_table_blank(sector))
		return -EUCLEAN;
	if (cohort_table_decode(w->seed, addr, sector, entry) || !lengths_ok(w->r, entry))
		return -EUCLEAN;
	return 0;
}

/* One sector of the block in @w->buf, which could not be read if @err. */
static int read_sector(struct walk *w, u32 seg, int err)
{
	struct cohort_replay *r = w->r;
	struct cohort_segment_entry entry[COHORT_TABLE_PER_SECTOR];
	u32 i;

	if (!err)
		err = decode_sector(w, cohort_table_address(seg), entry);
	if (err)
		return damaged(r, &(struct cohort_damage){
			.kind = COHORT_DAMAGE_TABLE, .segment = seg, .err = err,
		});
	for (i = 0; i < COHORT_TABLE_PER_SECTOR && seg + i < r->sb->nr_segments; i++)
		r->table[seg + i] = entry[i];
	return 0;
}

static int read_table(struct walk *w)
{
	struct cohort_replay *r = w->r;
	u64 seg, addr, block = 0;
	int err = 0, ret;

	for (seg = 0; seg < r->sb->nr_segments; seg += COHORT_TABLE_PER_SECTOR) {
		addr = cohort_table_address(seg);
		if (addr / COHORT_BLOCK != block) {
			block = addr / COHORT_BLOCK;
			err = r->read(r->ctx, block * COHORT_BLOCK, w->buf, COHORT_BLOCK);
		}
		ret = read_sector(w, seg, err);
		if (ret)
			return ret;
	}
	return 0;
}

/* The log before log_start is said again by runs; index segments hold no batches. */
static bool counts(const struct cohort_replay *r, const struct cohort_segment_entry *entry)
{
	return entry->seq && entry->seq >= r->sb->log_start &&
	       cohort_segment_has_batches(entry->kind);
}

static int sort_segments(struct walk *w)
{
	struct cohort_replay *r = w->r;
	struct order_key *key;
	u32 i, n = 0;

	for (i = 0; i < r->sb->nr_segments; i++)
		n += counts(r, &r->table[i]);
	key = kvcalloc(n + 1, sizeof(*key), GFP_KERNEL);
	w->order = kvcalloc(n + 1, sizeof(*w->order), GFP_KERNEL);
	if (!key || !w->order) {
		kvfree(key);
		return -ENOMEM;
	}
	for (i = 0; i < r->sb->nr_segments; i++) {
		if (!counts(r, &r->table[i]))
			continue;
		key[w->count].log = log_of(&r->table[i]);
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

/* That of a cut, or what an overlay's entry in this batch, or in one before it, has for one. */
static bool epoch_ok(const struct cohort_batch *b, const struct cohort_preserve *p)
{
	if (!cohort_is_overlay(p->source))
		return p->epoch <= COHORT_EPOCH_MAX;
	if (is_side_batch(b))
		return false;
	if (p->moved)
		return p->epoch > cohort_overlay_epoch(b->seq) && p->epoch <= COHORT_EPOCH_MAX;
	return p->epoch == cohort_overlay_epoch(b->seq);
}

static int emit_chunks(struct walk *w, const struct cohort_batch *b, const u8 *block, u32 segment)
{
	struct cohort_replay *r = w->r;
	u64 addr = b->address + COHORT_BLOCK;
	struct cohort_preserve p;
	int err = 0;
	u32 i;

	for (i = 0; i < b->count && !err; i++, addr += r->sb->chunk_size) {
		cohort_preserve_decode(block, i, &p);
		p.moved = b->kind == COHORT_BATCH_MOVE;
		if (!epoch_ok(b, &p)) {
			err = damaged_at(r, COHORT_DAMAGE_ENTRY, segment,
					 b->address - segment_start(r, segment));
			continue;
		}
		if (!cohort_is_overlay(p.source) && p.epoch > r->max_epoch)
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
			return damaged_at(r, COHORT_DAMAGE_RECORD, segment,
					  b->address - segment_start(r, segment));
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
	int err = w->r->batch ? w->r->batch(w->r->ctx, b, segment) : 0;

	if (err)
		return err;
	w->r->batches++;
	w->r->last_seq = b->seq;
	w->r->last_crc = b->crc;
	w->last_nonce = b->nonce;
	w->last_segment = segment;
	if (cohort_batch_has_chunks(b->kind))
		return emit_chunks(w, b, block, segment);
	return emit_records(w, b, block, segment);
}

/*
 * The next batch of the segment's own life, and not of a former one, from byte *@at to
 * @limit, wherever the chain is broken. False: there is none.
 */
static bool next_own(const struct walk *w, u32 segment, u32 limit, u32 *at, struct cohort_batch *b)
{
	const struct cohort_replay *r = w->r;
	const struct cohort_segment_entry *entry = &r->table[segment];

	for (; *at + COHORT_BLOCK <= limit; *at += COHORT_BLOCK)
		if (!cohort_batch_decode(w->seed, segment_start(r, segment) + *at, limit - *at,
					 r->sb->chunk_size, w->buf + *at, b) &&
		    b->nonce == entry->nonce && b->seq >= entry->min_seq)
			return true;
	return false;
}

/* Does a later batch of the activation say that @w->bad_seq had completed? */
static bool later_batch_denies(const struct walk *w, u32 segment, u32 from)
{
	struct cohort_batch b;
	u32 at;

	for (at = from; next_own(w, segment, w->r->sb->segment_size, &at, &b); at += COHORT_BLOCK)
		if (b.nonce == w->bad_nonce && b.seq > w->bad_seq && b.completed >= w->bad_seq)
			return true;
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
	if (is_side_batch(b) != is_side_segment(entry))
		return false;
	if (prev)
		return b->seq == prev->seq + 1 && b->prev_crc == prev->crc;
	return b->seq > w->r->last_seq;
}

/*
 * A record must be whole wherever it is. Old chunks are looked at when they are
 * read, if it is known that they were written; at the end of the log it is not.
 */
static bool was_complete(struct walk *w, u32 segment, const struct cohort_batch *b, u32 at)
{
	if (data_whole(w, b, w->buf + at))
		return true;
	if (b->kind == COHORT_BATCH_RECORD)
		return false;
	w->bad_seq = b->seq;
	w->bad_nonce = b->nonce;
	if (!later_batch_denies(w, segment, at + COHORT_BLOCK + b->data_len))
		return false;
	w->bad_seq = 0;
	return true;
}

static bool must_be_whole(const struct cohort_segment_entry *entry, const struct cohort_batch *b)
{
	return !entry->length || b->kind == COHORT_BATCH_RECORD;
}

/* The batches that follow each other from *@at on; *@at is behind the last one then. */
static int walk_batches(struct walk *w, u32 segment, u32 limit, u32 *at)
{
	struct cohort_replay *r = w->r;
	const struct cohort_segment_entry *entry = &r->table[segment];
	struct cohort_batch b, prev;
	bool first = true;
	int err;

	while (*at + COHORT_BLOCK <= limit) {
		u8 *block = w->buf + *at;

		err = cohort_batch_decode(w->seed, segment_start(r, segment) + *at, limit - *at,
					  r->sb->chunk_size, block, &b);
		if (err || !batch_follows(w, &b, first ? NULL : &prev, entry))
			break;
		if (must_be_whole(entry, &b) && !was_complete(w, segment, &b, *at))
			break;
		err = emit_batch(w, &b, block, segment);
		if (err)
			return err;
		*at += COHORT_BLOCK + b.data_len;
		prev = b;
		first = false;
	}
	return 0;
}

/*
 * The number of the batch that is not whole at @at. Where the one before it was not
 * seen, for its segment is free or in runs, it is not known: then the largest that it
 * can be, which whoever says that a later one had completed says of it, too.
 */
static u64 number_at(const struct walk *w, u32 segment, u32 at)
{
	const struct cohort_replay *r = w->r;
	struct cohort_batch b;
	u32 next = at;

	if (at || r->last_seq >= r->table[segment].min_seq || PLANTED("side-number") ||
	    !next_own(w, segment, r->sb->segment_size, &next, &b))
		return r->last_seq + 1;
	return next == at ? b.seq : b.seq - 1;
}

/* A log may leave a segment that was to be its own. */
static bool is_unused(const struct walk *w, u32 segment)
{
	struct cohort_batch b;
	u32 at = 0;

	return !w->r->table[segment].length &&
	       !next_own(w, segment, w->r->sb->segment_size, &at, &b);
}

/*
 * A side log goes on in the next segment as if this one were not, unless it is known
 * that the batch which is missing there was to be in here. The main one has records,
 * none of which counts without those before: it goes on only if nothing is missing.
 */
static void pass_unused(struct walk *w, u32 segment)
{
	struct cohort_segment_entry *entry = &w->r->table[segment];

	if (!w->bad_seq && (!is_side_segment(entry) || w->r->last_seq >= entry->min_seq)) {
		w->bad_seq = w->r->last_seq + 1;
		w->bad_nonce = entry->nonce;
	}
	memset(entry, 0, sizeof(*entry));
}

/* The batches end at @at: does something say that there were more? */
static bool ends_early(struct walk *w, u32 segment, u32 at)
{
	const struct cohort_replay *r = w->r;
	const struct cohort_segment_entry *entry = &r->table[segment];

	if (entry->length)
		return at != entry->length;
	if (at + COHORT_BLOCK > r->sb->segment_size)
		return false;
	w->bad_seq = number_at(w, segment, at);
	w->bad_nonce = entry->nonce;
	return later_batch_denies(w, segment, at);
}

/* Where the log goes on behind damage at @at: @limit if it does not. */
static u32 next_batch(const struct walk *w, u32 segment, u32 at, u32 limit)
{
	struct cohort_batch b;

	for (at += COHORT_BLOCK; next_own(w, segment, limit, &at, &b); at += COHORT_BLOCK)
		if (b.seq > w->r->last_seq)
			return at;
	return limit;
}

static int walk_segment(struct walk *w, u32 segment)
{
	struct cohort_replay *r = w->r;
	struct cohort_segment_entry *entry = &r->table[segment];
	u32 limit = entry->length ? entry->length : r->sb->segment_size;
	u32 at = 0, end;
	int err = walk_batches(w, segment, limit, &at);

	end = at;
	while (!err && ends_early(w, segment, at)) {
		err = damaged_at(r, COHORT_DAMAGE_BATCH, segment, at);
		w->bad_seq = 0;
		at = next_batch(w, segment, at, limit);
		if (at == limit)
			break;
		if (!err)
			err = walk_batches(w, segment, limit, &at);
		end = at;
	}
	entry->length = end;
	return err;
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
		return damaged(r, &(struct cohort_damage){
			.kind = COHORT_DAMAGE_READ, .segment = segment, .err = err,
		});
	if (is_unused(w, segment)) {
		pass_unused(w, segment);
		return 0;
	}
	if (w->bad_seq && entry->nonce == w->bad_nonce && !continues(w, segment)) {
		if (!later_batch_denies(w, segment, 0)) {
			memset(entry, 0, sizeof(*entry));
			return 0;
		}
		err = damaged_at(r, COHORT_DAMAGE_BATCH, segment, 0);
		if (err)
			return err;
	}
	w->bad_seq = 0;
	err = walk_segment(w, segment);
	if (!err && !entry->length)
		memset(entry, 0, sizeof(*entry));
	return err;
}

/* Nothing tells where the log of a crash ends; one that was closed has its end on record. */
static int check_end(struct walk *w)
{
	const struct cohort_super *sb = w->r->sb;

	if (!(sb->flags & COHORT_SB_CLEAN) || w->last_nonce != sb->nonce ||
	    w->r->last_seq + 1 >= sb->next_seq)
		return 0;
	return damaged_at(w->r, COHORT_DAMAGE_END, w->last_segment, 0);
}

static void begin_log(struct walk *w)
{
	w->bad_seq = 0;
	w->last_nonce = 0;
	w->r->last_seq = 0;
	w->r->last_crc = 0;
}

static int replay_logs(struct walk *w)
{
	const struct cohort_segment_entry *table = w->r->table;
	u64 log = 0;
	int err = 0;
	u32 i;

	for (i = 0; i < w->count && !err; i++) {
		u64 next = log_of(&table[w->order[i]]);

		if (next != log)
			begin_log(w);
		log = next;
		err = replay_segment(w, w->order[i]);
	}
	/* nothing is left of the main one */
	if (log != U64_MAX)
		begin_log(w);
	return err;
}

int cohort_replay_run(struct cohort_replay *r)
{
	struct walk w = { .r = r, .seed = cohort_pool_seed(r->sb->uuid) };
	int err;

	r->why[0] = 0;
	w.buf = kvmalloc(r->sb->segment_size, GFP_KERNEL);
	if (!w.buf)
		return -ENOMEM;
	err = read_table(&w);
	if (!err)
		err = sort_segments(&w);
	if (!err)
		err = replay_logs(&w);
	if (!err)
		err = check_end(&w);
	kvfree(w.order);
	kvfree(w.buf);
	return err;
}
