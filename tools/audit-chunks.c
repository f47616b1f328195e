// SPDX-License-Identifier: GPL-2.0-or-later
/* audit-chunks.c - the preserved chunks: is each whole, and who needs it? */
#include <stdio.h>
#include <stdlib.h>

#include "audit.h"

/* A chunk whose data is not what its entry promises. */
struct bad_chunk {
	struct bad_chunk *next;
	u32 source;
	u64 chunk;
	u64 addr;
};

/* The segment that it was moved from may have been written anew. */
static bool was_moved(const struct store *store, const struct cohort_preserve *p, u64 addr)
{
	struct cohort_mapping map;

	return cohort_index_lookup(store->index, p->source, p->chunk, p->epoch, &map) &&
	       map.epoch == p->epoch && map.addr != addr;
}

int audit_chunk(struct store *store, const struct cohort_preserve *p, u64 addr)
{
	static u8 data[COHORT_CHUNK_MAX];
	const u32 size = store->sb.chunk_size;
	struct audit *audit = store->user;
	struct bad_chunk *b;

	if (was_moved(store, p, addr))
		return 0;
	if (!store_read(store, addr, data, size) && cohort_crc32c(~0u, data, size) == p->crc)
		return 0;
	b = store_alloc(sizeof(*b));
	b->source = p->source;
	b->chunk = p->chunk;
	b->addr = addr;
	b->next = audit->bad;
	audit->bad = b;
	return 0;
}

/* Images of @rel that read the chunk at @b->addr. */
static u32 tell_images(struct audit *audit, const struct bad_chunk *b,
		       const struct cohort_disk_rel *rel)
{
	const char *name = (const char *)rel->name;
	struct store *store = audit->store;
	const u64 at = b->chunk * store->sb.chunk_size;
	struct cohort_mapping map;
	u32 i, readers = 0;

	for (i = 0; i < le32_to_cpu(rel->count); i++) {
		if (!store_cut_live(rel, i) || store_clone_copied(store, rel, i, b->chunk) ||
		    !store_image_chunk(store, rel, i, b->chunk, &map) || map.addr != b->addr)
			continue;
		if (cohort_is_overlay(b->source))
			audit_say(audit, FINDING_LEFT,
				  "image %s_%u can not be read at byte %llu: chunk %llu, which was written to it, is damaged",
				  name, i + 1, (unsigned long long)at,
				  (unsigned long long)b->chunk);
		else
			audit_say(audit, FINDING_LEFT,
				  "image %u of %s can not be read at byte %llu: its chunk is damaged",
				  i + 1, name, (unsigned long long)at);
		readers++;
	}
	return readers;
}

static u32 tell_readers(struct audit *audit, const struct bad_chunk *b)
{
	struct store *store = audit->store;
	u32 r, readers = 0;

	for (r = 0; r < store->nr_records; r++)
		if (store->record[r].type == COHORT_REC_REL)
			readers += tell_images(audit, b, store->record[r].data);
	return readers;
}

static void tell_bad(struct audit *audit)
{
	struct bad_chunk *b;

	while ((b = audit->bad)) {
		audit->bad = b->next;
		/* where everything breaks nobody reads it */
		if (audit->lost || !tell_readers(audit, b))
			audit_say(audit, FINDING_NOTE,
				  "the chunk at byte %llu of the pool is damaged, but no image needs it",
				  (unsigned long long)b->addr);
		free(b);
	}
}

void audit_forget_chunks(struct audit *audit)
{
	struct bad_chunk *b;

	while ((b = audit->bad)) {
		audit->bad = b->next;
		free(b);
	}
}

/* Needs the entry of @source with the smallest epoch from @epoch on, if that is below @end. */
struct cut {
	u32 source;
	u64 epoch;
	u64 end;
};

/* What images show, in order: cuts of sources, and all of each overlay from its newest on. */
static struct cut *cuts;
static size_t nr_cuts;

static int cut_cmp(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return x->epoch < y->epoch ? -1 : x->epoch > y->epoch;
}

static void add_cuts(const struct cohort_disk_rel *rel)
{
	u32 i, count = le32_to_cpu(rel->count);

	cuts = realloc(cuts, (nr_cuts + count) * sizeof(*cuts));
	if (!cuts)
		abort();
	for (i = 0; i < count; i++)
		if (store_cut_live(rel, i))
			cuts[nr_cuts++] = (struct cut){
				.source = le32_to_cpu(rel->member[i].source),
				.epoch = le64_to_cpu(rel->member[i].epoch), .end = U64_MAX,
			};
}

static void add_overlay(const struct cohort_disk_overlay *d)
{
	cuts = realloc(cuts, (nr_cuts + 1) * sizeof(*cuts));
	if (!cuts)
		abort();
	cuts[nr_cuts++] = (struct cut){
		.source = le32_to_cpu(d->hdr.id), .epoch = 1,
		.end = cohort_overlay_epoch(le64_to_cpu(d->floor)),
	};
}

static void collect_cuts(const struct store *store)
{
	u32 r;

	nr_cuts = 0;
	for (r = 0; r < store->nr_records; r++)
		if (store->record[r].type == COHORT_REC_REL)
			add_cuts(store->record[r].data);
		else if (store->record[r].type == COHORT_REC_OVERLAY &&
			 store_overlay_live(store, store->record[r].data))
			add_overlay(store->record[r].data);
	if (nr_cuts)
		qsort(cuts, nr_cuts, sizeof(*cuts), cut_cmp);
}

/* Is there a cut s of @source with @prev < s <= @epoch, which is below its end? */
static bool cut_between(u32 source, u64 prev, u64 epoch)
{
	const struct cut key = { .source = source, .epoch = epoch };
	size_t low = 0, high = nr_cuts;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (cut_cmp(&cuts[mid], &key) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low && cuts[low - 1].source == source && cuts[low - 1].epoch > prev &&
	       epoch < cuts[low - 1].end;
}

static bool count_needed(void *ctx, u32 source, u64 prev, u64 epoch)
{
	struct audit *audit = ctx;

	audit->needed += !audit->lost && cut_between(source, prev, epoch);
	/* an entry must not go before the others of its chunk were asked for theirs */
	return true;
}

static void no_drop(void *ctx, const struct cohort_index_node *node, bool newest, u64 prev)
{
	(void)ctx;
	(void)node;
	(void)newest;
	(void)prev;
}

void audit_chunks(struct audit *audit)
{
	const struct cohort_index_filter filter = {
		.needed = count_needed, .dropped = no_drop, .ctx = audit,
	};
	struct store *store = audit->store;
	u64 i;

	tell_bad(audit);
	audit->chunks = cohort_index_count(store->index);
	collect_cuts(store);
	cohort_index_prune(store->index, &filter);
	free(cuts);
	cuts = NULL;
	for (i = 0; i < store->sb.nr_segments; i++)
		audit->segments_used += store->table[i].seq != 0;
}
