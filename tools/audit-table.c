// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * audit-table.c - the segment table; a sector that is lost is made again from the segments.
 *
 * A segment says by itself which batches follow each other in it. It does not
 * say whether it was in use: what was freed keeps its batches until they are
 * overwritten. Old chunks of such a one do no harm, for an entry that nobody
 * needed never answers again. Changes of the catalog would: they count only
 * where the log proves it, by a batch that goes on from theirs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "audit.h"

/* The batches that a segment holds. */
struct chain {
	u32 segment;
	u64 order;		/* of use: the table's seq, 0 = not known yet */
	u64 nonce;
	u64 first;		/* sequence numbers */
	u64 last;
	u32 first_prev;		/* crc of the batch before the first one */
	u32 last_crc;
	u32 length;
	bool records;		/* some that the catalog may need */
	bool side;		/* of the side log with this nonce */
};

struct table {
	struct audit *audit;
	struct store *store;
	struct cohort_super *sb;
	u32 seed;
	u8 *buf;		/* a segment */
	struct cohort_segment_entry *entry;
	bool *lost;		/* by sector */
	struct chain *chain;
	u32 nr_chains;
};

static u64 segment_start(const struct table *t, u32 segment)
{
	return t->sb->segments_start + (u64)segment * t->sb->segment_size;
}

static bool data_good(const struct table *t, const struct cohort_batch *b, const u8 *block)
{
	const u32 chunk = t->sb->chunk_size;
	struct cohort_preserve p;
	u32 i;

	if (b->kind == COHORT_BATCH_RECORD)
		return cohort_crc32c(~0u, b->data_len ? block + COHORT_BLOCK :
				     ((const struct cohort_disk_batch *)block)->payload,
				     b->count) == b->data_crc;
	for (i = 0; i < b->count; i++) {
		cohort_preserve_decode(block, i, &p);
		if (cohort_crc32c(~0u, block + COHORT_BLOCK + i * chunk, chunk) != p.crc)
			return false;
	}
	return true;
}

static bool goes_on(const struct chain *chain, const struct cohort_batch *b)
{
	return b->nonce == chain->nonce && b->seq == chain->last + 1 &&
	       b->prev_crc == chain->last_crc && chain->side == (b->kind == COHORT_BATCH_SIDE);
}

static void add_batch(const struct table *t, struct chain *chain, const struct cohort_batch *b)
{
	if (!chain->length) {
		chain->nonce = b->nonce;
		chain->side = b->kind == COHORT_BATCH_SIDE;
		chain->first = b->seq;
		chain->first_prev = b->prev_crc;
	}
	chain->last = b->seq;
	chain->last_crc = b->crc;
	chain->records |= b->kind == COHORT_BATCH_RECORD && b->seq >= t->sb->catalog_seq;
	chain->length += COHORT_BLOCK + b->data_len;
}

/* False: the segment does not begin with a batch. */
static bool read_chain(struct table *t, u32 segment, struct chain *chain)
{
	const u32 size = t->sb->segment_size;
	struct cohort_batch b;
	u32 at;

	*chain = (struct chain){ .segment = segment };
	if (store_read(t->store, segment_start(t, segment), t->buf, size))
		return false;
	while ((at = chain->length) + COHORT_BLOCK <= size) {
		if (cohort_batch_decode(t->seed, segment_start(t, segment) + at, size - at,
					t->sb->chunk_size, t->buf + at, &b) ||
		    (at && !goes_on(chain, &b)) || !data_good(t, &b, t->buf + at))
			break;
		add_batch(t, chain, &b);
	}
	return chain->length;
}

/* Of a segment that the table knows only the first batch is of interest. */
static void read_known(struct table *t, u32 segment)
{
	struct chain *chain = &t->chain[t->nr_chains];
	struct cohort_batch b;

	if (store_read(t->store, segment_start(t, segment), t->buf, COHORT_BLOCK) ||
	    cohort_batch_decode(t->seed, segment_start(t, segment), t->sb->segment_size,
				t->sb->chunk_size, t->buf, &b) ||
	    b.nonce != t->entry[segment].nonce || b.seq < t->entry[segment].min_seq)
		return;
	*chain = (struct chain){
		.segment = segment, .order = t->entry[segment].seq, .nonce = b.nonce,
		.first = b.seq, .last = b.seq, .first_prev = b.prev_crc, .last_crc = b.crc,
		.side = b.kind == COHORT_BATCH_SIDE,
	};
	t->nr_chains++;
}

static bool is_lost(const struct table *t, u32 segment)
{
	return t->lost[segment / COHORT_TABLE_PER_SECTOR];
}

static void read_chains(struct table *t)
{
	u32 i;

	for (i = 0; i < t->sb->nr_segments; i++) {
		if (is_lost(t, i))
			t->nr_chains += read_chain(t, i, &t->chain[t->nr_chains]);
		else if (t->entry[i].seq && cohort_segment_has_batches(t->entry[i].kind))
			read_known(t, i);
	}
}

/* Do both belong to one log? */
static bool of_one_log(const struct chain *a, const struct chain *b)
{
	return a->side == b->side && (!a->side || a->nonce == b->nonce);
}

/* Does the log go on from the end of @chain, or end there? */
static bool proven(const struct table *t, const struct chain *chain)
{
	bool newest = chain->nonce == t->sb->nonce;
	u32 i;

	for (i = 0; i < t->nr_chains; i++) {
		const struct chain *other = &t->chain[i];

		if (!of_one_log(other, chain))
			continue;
		if (other->first == chain->last + 1 && other->first_prev == chain->last_crc)
			return true;
		if (other->first > chain->last)
			newest = false;
	}
	return newest;
}

static bool is_taken(const struct table *t, u64 place)
{
	u32 i;

	for (i = 0; i < t->sb->nr_segments; i++)
		if (t->entry[i].seq == place)
			return true;
	return false;
}

static u64 newest_place(const struct table *t)
{
	u64 newest = 0;
	u32 i;

	for (i = 0; i < t->sb->nr_segments; i++)
		if (t->entry[i].seq > newest)
			newest = t->entry[i].seq;
	return newest;
}

/*
 * A place in the order of use behind those of its log that begin before it; 0: there
 * is none.
 */
static u64 place_of(const struct table *t, const struct chain *chain)
{
	u64 low = 0, high = U64_MAX;
	u32 i;

	for (i = 0; i < t->nr_chains; i++) {
		const struct chain *other = &t->chain[i];

		if (!other->order || other == chain || !of_one_log(other, chain))
			continue;
		if (other->first < chain->first && other->order > low)
			low = other->order;
		if (other->first >= chain->first && other->order < high)
			high = other->order;
	}
	/* any will do for the first one of a side log */
	if (!low && high == U64_MAX && chain->side)
		return newest_place(t) + 1;
	for (low++; low < high && is_taken(t, low); low++)
		;
	return low < high ? low : 0;
}

/* Taken for in use; false where that can not be told. */
static bool rebuild_segment(struct table *t, struct chain *chain)
{
	if (chain->records && !proven(t, chain)) {
		audit_say(t->audit, FINDING_LEFT,
			  "segment %u may hold changes of the catalog: whether they count can not be told",
			  chain->segment);
		return false;
	}
	chain->order = place_of(t, chain);
	if (!chain->order) {
		audit_say(t->audit, FINDING_LEFT, "segment %u has no place in the log",
			  chain->segment);
		return false;
	}
	t->entry[chain->segment] = (struct cohort_segment_entry){
		.seq = chain->order, .nonce = chain->nonce, .length = chain->length,
		.kind = chain->side ? COHORT_SEGMENT_SIDE : COHORT_SEGMENT_LOG,
		.min_seq = chain->first,
	};
	return true;
}

/* Side logs last: they fit in wherever a place is left. */
static int chain_cmp(const void *a, const void *b)
{
	const struct chain *x = a, *y = b;

	if (x->side != y->side)
		return x->side ? 1 : -1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static bool rebuild_all(struct table *t)
{
	bool good = true;
	u32 i;

	qsort(t->chain, t->nr_chains, sizeof(*t->chain), chain_cmp);
	for (i = 0; i < t->nr_chains; i++)
		if (!t->chain[i].order)
			good &= rebuild_segment(t, &t->chain[i]);
	return good;
}

static void lay_sector(struct table *t, u32 first)
{
	u64 addr = cohort_table_address(first);
	u8 block[COHORT_BLOCK] = { 0 };

	store_read(t->store, addr & ~(u64)(COHORT_BLOCK - 1), block, COHORT_BLOCK);
	cohort_table_encode(t->seed, addr, &t->entry[first], block + addr % COHORT_BLOCK);
	store_lay(t->store, addr & ~(u64)(COHORT_BLOCK - 1), block);
}

static void rebuild(struct table *t)
{
	u32 first;

	read_chains(t);
	if (!rebuild_all(t))
		return;
	for (first = 0; first < t->sb->nr_segments; first += COHORT_TABLE_PER_SECTOR) {
		if (!is_lost(t, first))
			continue;
		audit_say(t->audit, FINDING_MENDED,
			  "the segment table is damaged at segment %u: made again from the segments",
			  first);
		lay_sector(t, first);
	}
	/* a segment that was in front of log_start may be behind it now */
	if (t->sb->log_start)
		audit_without_runs(t->audit);
}

static bool entries_ok(const struct table *t, const struct cohort_segment_entry *entry)
{
	u32 i;

	for (i = 0; i < COHORT_TABLE_PER_SECTOR; i++)
		if (entry[i].length > t->sb->segment_size || entry[i].length % COHORT_BLOCK)
			return false;
	return true;
}

static bool decode_sector(const struct table *t, u64 addr, const u8 *sector,
			  struct cohort_segment_entry *entry)
{
	/* the first activation writes all of it */
	if (t->sb->nonce && cohort_table_blank(sector))
		return false;
	return !cohort_table_decode(t->seed, addr, sector, entry) && entries_ok(t, entry);
}

/* How many sectors are lost. */
static u32 read_table(struct table *t)
{
	u8 block[COHORT_BLOCK];
	u32 first, lost = 0;

	for (first = 0; first < t->sb->nr_segments; first += COHORT_TABLE_PER_SECTOR) {
		u64 addr = cohort_table_address(first);
		bool bad = store_read(t->store, addr & ~(u64)(COHORT_BLOCK - 1), block,
				      COHORT_BLOCK) ||
			!decode_sector(t, addr, block + addr % COHORT_BLOCK, &t->entry[first]);

		if (bad)
			memset(&t->entry[first], 0, COHORT_TABLE_PER_SECTOR * sizeof(*t->entry));
		t->lost[first / COHORT_TABLE_PER_SECTOR] = bad;
		lost += bad;
	}
	return lost;
}

static int order_cmp(const void *a, const void *b)
{
	const struct cohort_segment_entry *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* No two segments were the n-th to be used. */
static void check_order(struct table *t)
{
	u32 i, n = t->sb->nr_segments;
	struct cohort_segment_entry *sorted = store_alloc(n * sizeof(*sorted));

	memcpy(sorted, t->entry, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), order_cmp);
	for (i = 1; i < n; i++)
		if (sorted[i].seq && sorted[i].seq == sorted[i - 1].seq)
			audit_say(t->audit, FINDING_LEFT,
				  "two segments have the place %llu in the log",
				  (unsigned long long)sorted[i].seq);
	free(sorted);
}

/* The batches of a segment that was closed end where the table says. */
static void check_length(struct table *t, u32 segment)
{
	struct cohort_segment_entry *entry = &t->entry[segment];
	struct chain chain;

	if (!cohort_segment_has_batches(entry->kind) || !entry->length ||
	    entry->length + COHORT_BLOCK > t->sb->segment_size ||
	    !read_chain(t, segment, &chain) || chain.nonce != entry->nonce ||
	    chain.length <= entry->length)
		return;
	audit_say(t->audit, FINDING_MENDED,
		  "segment %u goes on behind byte %u, where the segment table ends it", segment,
		  entry->length);
	entry->length = chain.length;
	lay_sector(t, segment / COHORT_TABLE_PER_SECTOR * COHORT_TABLE_PER_SECTOR);
}

int audit_table(struct audit *audit)
{
	struct cohort_super *sb = &audit->store->sb;
	int err = store_super(audit->store);
	struct table t = {
		.audit = audit, .store = audit->store, .sb = sb,
	};
	u32 sectors, i;

	if (err)
		return err;
	sectors = sb->nr_segments / COHORT_TABLE_PER_SECTOR + 1;
	t.seed = cohort_pool_seed(sb->uuid);
	t.buf = store_alloc(sb->segment_size);
	t.entry = store_alloc((u64)sectors * COHORT_TABLE_PER_SECTOR * sizeof(*t.entry));
	t.lost = store_alloc(sectors);
	t.chain = store_alloc(sb->nr_segments * sizeof(*t.chain));
	if (read_table(&t))
		rebuild(&t);
	check_order(&t);
	for (i = 0; i < sb->nr_segments; i++)
		check_length(&t, i);
	free(t.chain);
	free(t.lost);
	free(t.entry);
	free(t.buf);
	return 0;
}
