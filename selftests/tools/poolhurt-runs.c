// SPDX-License-Identifier: GPL-2.0-or-later
/* poolhurt-runs.c - says a pool's log again in two index runs, and damages such. */
#include <err.h>
#include <stdlib.h>

#include "../../tools/audit.h"
#include "poolhurt.h"

/* ---- making them ---- */

static struct {
	struct cohort_run_entry *entry;
	u32 count;
	u64 order;		/* of the next segment that is taken */
	struct cohort_run *last;
} flush;

static u64 order_of(const struct cohort_run_entry *entry)
{
	return hurt.store.table[(entry->addr - hurt.sb.segments_start) /
				hurt.sb.segment_size].seq;
}

int hurt_note_chunk(struct store *store, const struct cohort_preserve *p, u64 addr)
{
	(void)store;
	flush.entry = realloc(flush.entry, (flush.count + 1) * sizeof(*flush.entry));
	if (!flush.entry)
		err(2, "entries");
	flush.entry[flush.count++] = (struct cohort_run_entry){
		.key = { .source = p->source, .chunk = p->chunk, .epoch = p->epoch },
		.crc = p->crc, .addr = addr, .unreadable = p->unreadable,
	};
	return 0;
}

static int entry_cmp(const void *a, const void *b)
{
	const struct cohort_run_entry *x = a, *y = b;

	return cohort_run_key_cmp(&x->key, &y->key);
}

static u32 take_segment(void)
{
	for (u32 i = 0; i < hurt.sb.nr_segments; i++) {
		if (hurt.store.table[i].seq)
			continue;
		hurt.store.table[i] = (struct cohort_segment_entry){
			.seq = flush.order++, .nonce = hurt.sb.nonce,
			.length = hurt.sb.segment_size, .kind = COHORT_SEGMENT_INDEX,
		};
		return i;
	}
	errx(2, "no segment is free");
}

static int emit(void *ctx, u32 block, const void *data)
{
	struct cohort_run *run = ctx;

	store_lay(&hurt.store, cohort_run_address(run, &hurt.sb, block), data);
	return 0;
}

static void add_record(const struct cohort_run *run)
{
	struct store *store = &hurt.store;
	u32 len = cohort_run_record_len(run->count);

	store->record = realloc(store->record, (store->nr_records + 1) * sizeof(*store->record));
	if (!store->record)
		err(2, "records");
	store->record[store->nr_records] = (struct store_record){
		.type = COHORT_REC_RUN, .id = run->id, .len = len, .data = store_alloc(len),
	};
	cohort_run_record_encode(run, store->record[store->nr_records++].data);
}

/* Behind @last in its segment if there is one, and on in another. */
static struct cohort_run *new_run(const struct cohort_run *last)
{
	struct cohort_run *run = store_alloc(sizeof(*run) + 2 * sizeof(run->segment[0]));
	u32 i;

	for (i = 0; i < hurt.store.nr_records; i++)
		if ((hurt.store.record[i].id & ~COHORT_OVERLAY_ID) >= run->id)
			run->id = (hurt.store.record[i].id & ~COHORT_OVERLAY_ID) + 1;
	run->from = last ? last->to : 1;
	run->start = last ? last->start + last->blocks : 0;
	run->segment[0] = last ? last->segment[last->count - 1] : take_segment();
	run->segment[1] = take_segment();
	run->count = 2;
	return run;
}

static struct cohort_run *make_run(const struct cohort_run *last, u64 to)
{
	const u32 per = hurt.sb.segment_size / COHORT_BLOCK;
	struct cohort_run *run = new_run(last);
	struct cohort_run_builder b = {
		.run = run, .sb = &hurt.sb, .seed = hurt.seed, .emit = emit, .ctx = run,
		.buf = store_alloc(COHORT_RUN_LEVELS * COHORT_BLOCK),
	};
	u32 i;

	run->to = to;
	for (i = 0; i < flush.count; i++)
		if (order_of(&flush.entry[i]) >= run->from && order_of(&flush.entry[i]) < to)
			cohort_run_add(&b, &flush.entry[i]);
	if (!run->entries || cohort_run_finish(&b))
		errx(2, "a run without entries");
	free(b.buf);
	if (run->start + run->blocks <= per)
		memset(&hurt.store.table[run->segment[--run->count]], 0,
		       sizeof(struct cohort_segment_entry));
	add_record(run);
	return run;
}

static u64 newest_order(void)
{
	u64 order = 0;

	for (u32 i = 0; i < hurt.sb.nr_segments; i++)
		if (hurt.store.table[i].seq > order)
			order = hurt.store.table[i].seq;
	return order;
}

static u64 middle_order(void)
{
	u64 first = U64_MAX, last = 0;

	for (u32 i = 0; i < flush.count; i++) {
		u64 order = order_of(&flush.entry[i]);

		first = order < first ? order : first;
		last = order > last ? order : last;
	}
	return first + (last - first + 1) / 2;
}

void hurt_flush(void)
{
	struct audit audit = { .store = &hurt.store };
	struct cohort_run *first, *second;

	audit.cut = store_alloc(hurt.sb.nr_segments * sizeof(*audit.cut));
	for (u32 i = 0; i < hurt.sb.nr_segments; i++)
		audit.cut[i] = U32_MAX;
	qsort(flush.entry, flush.count, sizeof(*flush.entry), entry_cmp);
	flush.order = newest_order() + 1;
	first = make_run(NULL, middle_order());
	second = make_run(first, newest_order() + 1);
	hurt.store.sb.log_start = second->to;
	mend(&audit);
	if (audit.refused)
		errx(2, "%s", audit.first->words);
	for (struct store_block *b = hurt.store.over; b; b = b->next)
		memcpy(hurt.base + b->addr, b->data, COHORT_BLOCK);
}

/* ---- damaging them ---- */

static struct cohort_run *nth_run(u32 nth)
{
	struct cohort_run *run = store_alloc(sizeof(*run) + 64 * sizeof(run->segment[0]));

	for (u32 i = 0; i < hurt.store.nr_records; i++) {
		if (hurt.store.record[i].type != COHORT_REC_RUN || nth--)
			continue;
		if (cohort_run_record_decode(run, hurt.store.record[i].data, &hurt.sb))
			break;
		return run;
	}
	errx(2, "no such run");
}

static u8 *run_block(const struct cohort_run *run, u32 block)
{
	return hurt.base + cohort_run_address(run, &hurt.sb, block);
}

static void reseal(u8 *block)
{
	struct cohort_disk_run_block *d = (void *)block;

	d->crc = cpu_to_le32(cohort_block_crc(hurt.seed, (u64)(block - hurt.base), d, sizeof(*d),
					      offsetof(struct cohort_disk_run_block, crc)));
}

void run_leaf_flip(void) { run_block(nth_run(0), 0)[100] ^= 4; }

void run_root_flip(void)
{
	struct cohort_run *run = nth_run(1);

	run_block(run, run->root)[40] ^= 1;
}

void run_block_zero(void) { memset(run_block(nth_run(1), 0), 0, COHORT_BLOCK); }

/* Whole, but of another run. */
void run_block_foreign(void)
{
	u8 *block = run_block(nth_run(0), 0);

	((struct cohort_disk_run_block *)block)->run = cpu_to_le32(nth_run(1)->id);
	reseal(block);
}

void run_entry_outside(void)
{
	struct cohort_disk_run_block *block = (void *)run_block(nth_run(0), 0);
	struct cohort_disk_run_entry *e = (void *)block->payload;

	e[1].addr = cpu_to_le64(hurt.size);
	reseal((void *)block);
}

void run_entries_few(void)
{
	struct cohort_disk_run_block *block = (void *)run_block(nth_run(0), 0);

	block->count = cpu_to_le16(le16_to_cpu(block->count) - 1);
	reseal((void *)block);
}

static void lose_segment(u32 segment)
{
	hurt_table(segment, &(struct cohort_segment_entry){ 0 });
}

void run_segment_free(void) { lose_segment(nth_run(0)->segment[0]); }

void run_segment_log(void)
{
	struct cohort_segment_entry e = hurt.store.table[nth_run(0)->segment[0]];

	e.kind = COHORT_SEGMENT_LOG;
	hurt_table(nth_run(0)->segment[0], &e);
}

/* A chunk that an image needs: the oldest cut reads the first of each source. */
void run_chunk_flip(void)
{
	struct cohort_run_entry e;

	cohort_run_entry_decode(run_block(nth_run(0), 0), 0, &e);
	hurt.base[e.addr + 77] ^= 1;
}

/* Of a flush that was cut off before the superblocks: the log still says all of it. */
void run_not_counted(void)
{
	for (int i = 0; i < 2; i++) {
		hurt.sb.log_start = nth_run(1)->from;
		hurt.sb.generation++;
		cohort_super_encode(&hurt.sb, hurt.base +
				    cohort_super_address(hurt.sb.generation));
	}
}
