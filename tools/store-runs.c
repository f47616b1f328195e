// SPDX-License-Identifier: GPL-2.0-or-later
/* store-runs.c - the index runs of a pool that nobody uses: all that they say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

static int add_entries(struct store *store, const u8 *block, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		struct cohort_run_entry e;
		int err;

		cohort_run_entry_decode(block, i, &e);
		err = cohort_run_entry_check(&e, &store->sb);
		if (!err)
			err = store_preserve(store, &(struct cohort_preserve){
				.source = e.key.source, .crc = e.crc, .chunk = e.key.chunk,
				.epoch = e.key.epoch, .unreadable = e.unreadable,
			}, e.addr);
		if (err)
			return err;
	}
	return 0;
}

/* *@entries grows by those of @block. */
static int load_block(struct store *store, const struct cohort_run *run, u32 block, u64 *entries)
{
	u64 addr = cohort_run_address(run, &store->sb, block);
	u8 data[COHORT_BLOCK];
	u32 level, count;
	int err = store_read(store, addr, data, sizeof(data));

	if (!err)
		err = cohort_run_block_check(run, cohort_pool_seed(store->sb.uuid), addr, data,
					     &level, &count);
	if (err || level)
		return err;
	*entries += count;
	return add_entries(store, data, count);
}

/* An index segment that was freed, or that the segment table lost, is no part of a run. */
static bool segments_there(const struct store *store, const struct cohort_run *run)
{
	u32 i;

	for (i = 0; i < run->count; i++) {
		const struct cohort_segment_entry *entry = &store->table[run->segment[i]];

		if (!entry->seq || entry->kind != COHORT_SEGMENT_INDEX)
			return false;
	}
	return true;
}

static int load_blocks(struct store *store, const struct cohort_run *run)
{
	u64 entries = 0;
	u32 block;
	int err = segments_there(store, run) ? 0 : -EUCLEAN;

	for (block = 0; block < run->blocks && !err; block++)
		err = load_block(store, run, block, &entries);
	if (!err && entries != run->entries)
		err = -EUCLEAN;
	if (run->max_epoch > store->max_epoch)
		store->max_epoch = run->max_epoch;
	return err;
}

static int bad_run(struct store *store, u32 id, int err)
{
	snprintf(store->why, sizeof(store->why), "index run %u %s", id,
		 err == -EUCLEAN ? "is damaged" : "can not be read");
	return store->bad_run ? store->bad_run(store, id, err) : err;
}

static int load_run(struct store *store, const struct cohort_run *run)
{
	int err = store->run ? store->run(store, run) : 0;

	return err ? err : load_blocks(store, run);
}

static struct cohort_run *decode_run(struct store *store, const struct store_record *record,
				     int *err)
{
	struct cohort_run *run = store_alloc(sizeof(*run) + cohort_run_record_count(record->data) *
					     sizeof(run->segment[0]));

	*err = cohort_run_record_decode(run, record->data, &store->sb);
	return run;
}

static int load_record(struct store *store, const struct store_record *record)
{
	u32 id = record->id;
	int err;
	struct cohort_run *run = decode_run(store, record, &err);

	if (!err)
		err = load_run(store, run);
	free(run);
	return err ? bad_run(store, id, err) : 0;
}

/* Of those that count, the others going; by the part of the log that they say. */
struct run_order {
	u64 from;
	u32 id;
};

static int order_cmp(const void *a, const void *b)
{
	const struct run_order *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? 1 : -1;
	return x->id < y->id ? 1 : x->id > y->id ? -1 : 0;
}

static u32 order_runs(struct store *store, struct run_order *order)
{
	u32 i = 0, n = 0;

	while (i < store->nr_records) {
		const struct store_record *record = &store->record[i++];
		struct cohort_run *run;
		int err;

		if (record->type != COHORT_REC_RUN)
			continue;
		run = decode_run(store, record, &err);
		if (run->to <= store->sb.log_start)
			order[n++] = (struct run_order){ .from = run->from, .id = record->id };
		else
			store_drop(store, COHORT_REC_RUN, store->record[--i].id);
		free(run);
	}
	qsort(order, n, sizeof(*order), order_cmp);
	return n;
}

/* What a younger run, or the log, says of a key is where the chunk was moved to. */
int store_load_runs(struct store *store)
{
	struct run_order *order = store_alloc((store->nr_records + 1) * sizeof(*order));
	u32 i, n = order_runs(store, order);
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = load_record(store, store_find(store, COHORT_REC_RUN, order[i].id));
	free(order);
	return err;
}
