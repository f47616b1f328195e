// SPDX-License-Identifier: GPL-2.0-or-later
/* audit-chunks.c - the preserved chunks: is each whole, and who needs it? */
#include <stdio.h>
#include <stdlib.h>

#include <linux/cohort.h>

#include "audit.h"

/* A chunk whose data is not what its entry promises. */
struct bad_chunk {
	struct bad_chunk *next;
	u32 source;
	u64 chunk;
	u64 addr;
};

int audit_chunk(struct store *store, const struct cohort_preserve *p, u64 addr)
{
	static u8 data[COHORT_CHUNK_MAX];
	const u32 size = store->sb.chunk_size;
	struct audit *audit = store->user;
	struct bad_chunk *b;

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

/* Members of relationships whose images read the chunk at @addr. */
static u32 tell_readers(struct audit *audit, const struct bad_chunk *b)
{
	struct store *store = audit->store;
	u32 r, i, readers = 0;

	for (r = 0; r < store->nr_records; r++) {
		const struct cohort_disk_rel *rel = store->record[r].data;
		struct cohort_mapping map;

		if (store->record[r].type != COHORT_REC_REL)
			continue;
		for (i = 0; i < le32_to_cpu(rel->count); i++) {
			const struct cohort_disk_rel_member *m = &rel->member[i];

			if (le32_to_cpu(m->source) != b->source ||
			    le32_to_cpu(m->state) != COHORT_COPY_STATE_SYNCHRONIZED ||
			    !cohort_index_lookup(store->index, b->source, b->chunk,
						 le64_to_cpu(m->epoch), &map) ||
			    map.addr != b->addr)
				continue;
			audit_say(audit, FINDING_LEFT,
				  "image %u of %s can not be read at byte %llu: its chunk is damaged",
				  i + 1, (const char *)rel->name,
				  (unsigned long long)(b->chunk * store->sb.chunk_size));
			readers++;
		}
	}
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

struct cut {
	u32 source;
	u64 epoch;
};

/* What images show, in order. */
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
		if (le32_to_cpu(rel->member[i].state) == COHORT_COPY_STATE_SYNCHRONIZED)
			cuts[nr_cuts++] = (struct cut){
				.source = le32_to_cpu(rel->member[i].source),
				.epoch = le64_to_cpu(rel->member[i].epoch),
			};
}

static void collect_cuts(const struct store *store)
{
	u32 r;

	nr_cuts = 0;
	for (r = 0; r < store->nr_records; r++)
		if (store->record[r].type == COHORT_REC_REL)
			add_cuts(store->record[r].data);
	if (nr_cuts)
		qsort(cuts, nr_cuts, sizeof(*cuts), cut_cmp);
}

/* Is there a cut s of @source with @prev < s <= @epoch? */
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
	return low && cuts[low - 1].source == source && cuts[low - 1].epoch > prev;
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
