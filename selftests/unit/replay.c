// SPDX-License-Identifier: GPL-2.0-or-later
/* A pool's log read back: what a power cut may leave of it, and what is damage. */
#include <errno.h>
#include <stdlib.h>

#include "../../kmod/replay.h"
#include "logpool.h"
#include "unit.h"

#ifdef COHORT_PLANT
char *cohort_plant;
#endif

/* What replay told. */
static struct {
	struct cohort_replay r;
	struct cohort_segment_entry table[256];
	u32 preserves;
	u64 epochs;		/* their sum */
	u32 moved;		/* of the chunks */
	u32 records;
	u32 last_id;
} got;

static int read_disk(void *ctx, u64 addr, void *buf, u32 len)
{
	(void)ctx;
	if (addr > SIZE || len > SIZE - addr)
		return -EIO;
	memcpy(buf, pool.disk + addr, len);
	return 0;
}

static int on_preserve(void *ctx, const struct cohort_preserve *p, u64 addr)
{
	(void)ctx;
	CHECK_INT(pool.disk[addr], (u8)(p->epoch + p->chunk), "a chunk's first byte");
	got.preserves++;
	got.epochs += p->epoch;
	got.moved += p->moved;
	return 0;
}

static int on_record(void *ctx, const void *record, u64 seq, u32 segment)
{
	const struct cohort_disk_record *r = record;

	(void)ctx;
	(void)seq;
	(void)segment;
	got.records++;
	got.last_id = le32_to_cpu(r->id);
	return 0;
}

static int replay(void)
{
	memset(&got, 0, sizeof(got));
	got.r.sb = &pool.sb;
	got.r.read = read_disk;
	got.r.preserve = on_preserve;
	got.r.record = on_record;
	got.r.table = got.table;
	return cohort_replay_run(&got.r);
}

/* ---- what is there ---- */

static void empty_log(void)
{
	new_pool();
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.r.batches, 0, "batches");
}

static void batches_of_both_kinds(void)
{
	new_pool();
	put_preserves(3, 7);
	put_deletions(10, 2);
	put_deletions(20, 400);
	close_segment();
	use_segment(2, 2);
	put_preserves(1, 9);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.r.batches, 4, "batches");
	CHECK_INT(got.preserves, 4, "chunks");
	CHECK_INT(got.epochs, 3 * 7 + 9, "their epochs");
	CHECK_INT(got.records, 402, "records");
	CHECK_INT(got.last_id, 419, "the last one");
	CHECK_INT(got.r.max_epoch, 9, "newest epoch");
	CHECK_INT(got.r.last_seq, pool.seq - 1, "last batch");
	CHECK_INT(got.table[2].length, pool.offset, "length of the open segment");
}

/* Segments are read in the order of use, not of place. */
static void segments_in_order_of_use(void)
{
	new_pool();
	close_segment();
	use_segment(9, 2);
	put_deletions(1, 1);
	close_segment();
	use_segment(4, 3);
	put_deletions(2, 1);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.records, 2, "records");
	CHECK_INT(got.last_id, 2, "the last one");
}

/* A segment that ended early because the next batch did not fit. */
static void segment_that_goes_on_in_the_next(void)
{
	new_pool();
	put_deletions(1, 1);
	use_segment(1, 2);
	put_deletions(2, 1);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.records, 2, "records");
}

/* What runs say is not read from the log; nor is an index segment, or one of a copy map. */
static void log_that_starts_later(void)
{
	new_pool();
	put_preserves(1, 7);
	close_segment();
	use_segment(3, 2);
	put_preserves(2, 8);
	close_segment();
	memset(segment_at(5, 0), 0x5a, pool.sb.segment_size);
	use_segment(5, 3);
	pool.table[5].kind = COHORT_SEGMENT_INDEX;
	pool.table[5].length = pool.sb.segment_size;
	write_table(5);
	use_segment_as(6, 5, COHORT_SEGMENT_MAP);
	memcpy(here(), segment_at(3, 0), COHORT_BLOCK);
	pool.table[6].length = pool.sb.segment_size;
	write_table(6);
	use_segment(1, 4);
	put_deletions(2, 1);
	pool.sb.log_start = 2;
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.r.batches, 2, "batches");
	CHECK_INT(got.epochs, 8 + 8, "epochs");
	CHECK_INT(got.table[5].length, pool.sb.segment_size, "length of the index segment");
	CHECK_INT(got.table[0].seq, 1, "a segment in front of it");
	pool.sb.log_start = 5;
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.r.batches, 0, "batches");
}

/* ---- what a power cut leaves ---- */

/* Each sector of the last batch in turn is what it was before. */
static void torn_batch(u32 header, u32 total, void (*put)(void))
{
	for (u32 sector = 0; sector < total; sector++) {
		u8 *at;

		new_pool();
		put_deletions(1, 1);
		at = here() + sector * COHORT_SECTOR;
		put();
		memset(at, 0x5a, COHORT_SECTOR);
		CHECK_INT(replay(), 0, sector < header ? "torn header" : "torn data");
		CHECK_INT(got.r.batches, 1, "batches");
		CHECK_INT(got.records, 1, "records");
		CHECK_INT(got.preserves, 0, "chunks");
	}
}

static void put_two_chunks(void)
{
	put_preserves(2, 3);
}

static void put_small_record(void)
{
	put_deletions(2, 3);
}

static void put_large_record(void)
{
	put_deletions(2, 512);
}

static void chunks_that_are_torn(void)
{
	torn_batch(8, 24, put_two_chunks);
}

static void record_that_is_torn(void)
{
	torn_batch(8, 8, put_small_record);
}

static void record_whose_data_is_torn(void)
{
	torn_batch(8, 24, put_large_record);
}

/* The batches behind one that is not whole were never told of. */
static void batches_behind_a_hole(void)
{
	u8 *at;

	new_pool();
	put_deletions(1, 1);
	at = here();
	put_deletions(2, 1);
	put_deletions(3, 1);
	memset(at, 0, COHORT_SECTOR);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.records, 1, "records");
}

static void segment_behind_a_hole(void)
{
	u8 *at;

	new_pool();
	at = here();
	put_deletions(1, 1);
	use_segment(1, 2);
	put_deletions(2, 1);
	memset(at, 0, COHORT_SECTOR);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.records, 0, "records");
}

/* The log goes on in @segment, behind a batch of @crc, with @seq: after a restart or before it. */
static void begin_life(u64 nonce, u64 seq, u32 crc, u32 segment)
{
	pool.seq = seq;
	pool.crc = crc;
	pool.nonce = nonce;
	use_segment(segment, seq);
}

/* An earlier use of the segment left batches where the log goes on now, whole and in order. */
static void batch_of_a_former_life(void)
{
	u32 crc, end;

	new_pool();
	put_deletions(1, 1);
	end = pool.offset;
	crc = pool.crc;
	put_deletions(2, 1);
	/* the same place again, from a life after a restart that did not see the second */
	begin_life(NONCE + 1, 2, crc, 1);
	put_deletions(3, 1);
	close_segment();
	pool.table[0].length = end;
	write_table(0);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.records, 2, "records");
	CHECK_INT(got.last_id, 3, "the last one");
	/* and in a segment that was begun anew over it */
	pool.table[0] = (struct cohort_segment_entry){
		.seq = 3, .nonce = NONCE + 1, .kind = COHORT_SEGMENT_LOG, .min_seq = 3,
	};
	write_table(0);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.records, 1, "records");
	CHECK_INT(got.last_id, 3, "the last one");
	/* or that has been written to since, but not as far: theirs had come to larger numbers */
	begin_life(NONCE, 6, crc, 1);
	put_deletions(10, 1);
	put_deletions(11, 1);
	begin_life(NONCE + 1, 2, crc, 1);
	put_deletions(12, 1);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.records, 1, "records");
	CHECK_INT(got.last_id, 12, "the last one");
}

/* ---- what is damage ---- */

static void damage_in_a_closed_segment(void)
{
	new_pool();
	put_deletions(1, 1);
	put_preserves(2, 3);
	close_segment();
	segment_at(0, 0)[100] ^= 1;
	CHECK_INT(replay(), -EUCLEAN, "replay");
	CHECK(strstr(got.r.why, "damaged"), "'%s'", got.r.why);
}

/* A later batch says that the bad one had been whole. */
static void damage_in_the_open_segment(void)
{
	u8 *at;

	new_pool();
	put_deletions(1, 1);
	at = here();
	put_deletions(2, 1);
	pool.completed = 2;
	put_deletions(3, 1);
	at[200] ^= 1;
	CHECK_INT(replay(), -EUCLEAN, "replay");
	CHECK(strstr(got.r.why, "damaged"), "'%s'", got.r.why);
}

static void table_that_is_damaged(void)
{
	new_pool();
	put_deletions(1, 1);
	pool.disk[cohort_table_address(0) + 40] ^= 1;
	CHECK_INT(replay(), -EUCLEAN, "replay");
	CHECK(strstr(got.r.why, "table"), "'%s'", got.r.why);
}

static void epoch_out_of_range(void)
{
	new_pool();
	put_preserves(1, 1ull << 62);
	CHECK_INT(replay(), 0, "the largest");
	put_preserves(1, (1ull << 62) + 1);
	CHECK_INT(replay(), -EUCLEAN, "one more");
}

/* What stands for an epoch there is none, and is near the largest. */
static void entries_of_overlays(void)
{
	struct cohort_preserve p = { .source = COHORT_OVERLAY_ID | 1, .chunk = 0 };

	new_pool();
	put_preserves(1, 9);
	p.epoch = cohort_overlay_epoch(pool.seq);
	memset(here() + COHORT_BLOCK, (u8)p.epoch, CHUNK);
	p.crc = cohort_crc32c(~0u, here() + COHORT_BLOCK, CHUNK);
	cohort_preserve_encode(here(), 0, &p);
	put_batch(COHORT_BATCH_PRESERVE, 1, CHUNK, 0);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.preserves, 2, "chunks");
	CHECK_INT(got.epochs, 9 + p.epoch, "epochs");
	CHECK_INT(got.r.max_epoch, 9, "newest epoch");
}

static void put_moved(u32 source, u64 epoch)
{
	struct cohort_preserve p = { .source = source, .epoch = epoch };

	memset(here() + COHORT_BLOCK, (u8)epoch, CHUNK);
	p.crc = cohort_crc32c(~0u, here() + COHORT_BLOCK, CHUNK);
	cohort_preserve_encode(here(), 0, &p);
	put_batch(COHORT_BATCH_MOVE, 1, CHUNK, 0);
}

static void entries_that_were_moved(void)
{
	new_pool();
	put_preserves(2, 9);
	put_moved(1, 9);
	put_moved(COHORT_OVERLAY_ID | 1, cohort_overlay_epoch(pool.seq - 1));
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.preserves, 4, "chunks");
	CHECK_INT(got.moved, 2, "of them moved");
	CHECK_INT(got.r.max_epoch, 9, "newest epoch");
}

/* One that was written by this very batch, or a later one, was nowhere before. */
static void moved_before_it_was_written(void)
{
	new_pool();
	put_moved(COHORT_OVERLAY_ID | 1, cohort_overlay_epoch(pool.seq));
	CHECK_INT(replay(), -EUCLEAN, "of the batch itself");
	new_pool();
	put_moved(COHORT_OVERLAY_ID | 1, (1ull << 62) + 1);
	CHECK_INT(replay(), -EUCLEAN, "of none");
	new_pool();
	put_moved(1, (1ull << 62) + 1);
	CHECK_INT(replay(), -EUCLEAN, "an epoch out of range");
}

/* The whole check of records is codec's; here: what fails it ends the replay. */
static void record_that_lies(void)
{
	struct cohort_disk_record *r;

	new_pool();
	r = (void *)((struct cohort_disk_batch *)here())->payload;
	r->type = cpu_to_le16(COHORT_REC_REL_DEL);
	r->len = cpu_to_le32(4096);
	put_batch(COHORT_BATCH_RECORD, sizeof(*r), 0, cohort_crc32c(~0u, r, sizeof(*r)));
	CHECK_INT(replay(), -EUCLEAN, "replay");
}

/* ---- side logs ---- */

/* Where the log that is being written goes on when it is its turn again. */
static struct place {
	u32 segment;
	u32 offset;
	u32 crc;
	u64 nonce;
	u64 seq;
	u64 completed;
} main_log, side_log;

static void leave(struct place *place)
{
	*place = (struct place){
		pool.segment, pool.offset, pool.crc, pool.nonce, pool.seq, pool.completed,
	};
}

static void go_to(const struct place *place)
{
	pool.segment = place->segment;
	pool.offset = place->offset;
	pool.crc = place->crc;
	pool.nonce = place->nonce;
	pool.seq = place->seq;
	pool.completed = place->completed;
}

/* The @nth side log of the activation begins; the main one is left where it is. */
static void begin_side(u32 nth, u32 segment, u64 use)
{
	leave(&main_log);
	pool.nonce = NONCE + nth;
	pool.seq = 1;
	pool.crc = 0;
	pool.completed = 0;
	use_segment_as(segment, use, COHORT_SEGMENT_SIDE);
}

static void back_to_main(void)
{
	leave(&side_log);
	go_to(&main_log);
}

static void side_logs_beside_the_main_one(void)
{
	new_pool();
	put_deletions(1, 1);
	begin_side(1, 1, 2);
	put_chunks(COHORT_BATCH_SIDE, 2, 3);
	back_to_main();
	put_preserves(1, 4);
	begin_side(2, 2, 3);
	put_chunks(COHORT_BATCH_SIDE, 1, 5);
	back_to_main();
	put_deletions(2, 1);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.preserves, 4, "chunks");
	CHECK_INT(got.epochs, 3 + 3 + 4 + 5, "their epochs");
	CHECK_INT(got.records, 2, "records");
	CHECK_INT(got.r.last_seq, pool.seq - 1, "last batch of the main log");
	CHECK_INT(got.r.last_crc, pool.crc, "its checksum");
	CHECK_INT(got.r.max_epoch, 5, "newest epoch");
	CHECK_INT(got.table[1].length, COHORT_BLOCK + 2 * CHUNK, "length of a side segment");
}

static void side_log_alone(void)
{
	new_pool();
	begin_side(1, 1, 2);
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	put_chunks(COHORT_BATCH_SIDE, 1, 4);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.preserves, 2, "chunks");
	CHECK_INT(got.r.last_seq, 0, "last batch of the main log");
}

/* What one log lost at its end says nothing of another. */
static void each_log_ends_where_it_is_torn(void)
{
	u8 *at;

	new_pool();
	put_deletions(1, 1);
	begin_side(1, 1, 2);
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	at = here();
	put_chunks(COHORT_BATCH_SIDE, 1, 4);
	put_chunks(COHORT_BATCH_SIDE, 1, 5);
	back_to_main();
	put_deletions(2, 1);
	at[COHORT_BLOCK + 9] ^= 1;
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.epochs, 3, "epochs of what is whole");
	CHECK_INT(got.records, 2, "records");
	at[COHORT_BLOCK + 9] ^= 1;
	at = segment_at(0, 0);
	at[90] ^= 1;
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.epochs, 3 + 4 + 5, "epochs of the side log");
	CHECK_INT(got.records, 0, "records");
}

static void damage_in_a_side_log(void)
{
	u8 *at;

	new_pool();
	put_deletions(1, 1);
	begin_side(1, 1, 2);
	at = here();
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	pool.completed = 1;
	put_chunks(COHORT_BATCH_SIDE, 1, 4);
	at[90] ^= 1;
	CHECK_INT(replay(), -EUCLEAN, "a batch that a later one says was complete");
	at[90] ^= 1;
	close_segment();
	CHECK_INT(replay(), 0, "as it was");
	at[90] ^= 1;
	CHECK_INT(replay(), -EUCLEAN, "a closed segment");
}

/* A segment that one log had before: its batches are of no other. */
static void batch_of_another_log(void)
{
	new_pool();
	begin_side(1, 1, 2);
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	put_chunks(COHORT_BATCH_SIDE, 1, 4);
	/* the same place, of the next side log, which has not come to write there */
	pool.nonce = NONCE + 2;
	pool.seq = 1;
	use_segment_as(1, 3, COHORT_SEGMENT_SIDE);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.preserves, 0, "chunks");
	/* a log has its own kind of batches, whatever their nonce */
	pool.crc = 0;
	put_preserves(1, 3);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.preserves, 0, "chunks of the main log in a side log");
	back_to_main();
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.preserves, 0, "chunks of a side log in the main log");
}

/* Images are written by the main log, whose numbers order their entries. */
static void overlay_in_a_side_log(void)
{
	struct cohort_preserve p = {
		.source = COHORT_OVERLAY_ID | 1, .epoch = cohort_overlay_epoch(1),
	};

	new_pool();
	begin_side(1, 1, 2);
	memset(here() + COHORT_BLOCK, 1, CHUNK);
	p.crc = cohort_crc32c(~0u, here() + COHORT_BLOCK, CHUNK);
	cohort_preserve_encode(here(), 0, &p);
	put_batch(COHORT_BATCH_SIDE, 1, CHUNK, 0);
	CHECK_INT(replay(), -EUCLEAN, "replay");
	CHECK(strstr(got.r.why, "epoch"), "'%s'", got.r.why);
}

/* Two lives of the same side log: the numbers begin anew, the nonce tells them apart. */
static void side_logs_of_two_lives(void)
{
	new_pool();
	begin_side(1, 1, 2);
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	put_chunks(COHORT_BATCH_SIDE, 1, 4);
	close_segment();
	begin_side(COHORT_LOG_HEADS + 1, 2, 3);
	put_chunks(COHORT_BATCH_SIDE, 1, 5);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.epochs, 3 + 4 + 5, "epochs");
}

/* Nothing is left of what a side log wrote before this segment. */
static void begin_side_late(u64 first, u64 min)
{
	new_pool();
	put_deletions(1, 1);
	begin_side(1, 1, 2);
	pool.seq = min;
	use_segment_as(1, 2, COHORT_SEGMENT_SIDE);
	pool.seq = first;
	pool.completed = first - 1;
}

static void side_log_begins_with_a_torn_batch(void)
{
	u8 *at;

	begin_side_late(500, 500);
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	segment_at(1, COHORT_BLOCK)[7] ^= 1;
	CHECK_INT(replay(), 0, "the header is there, not all of the data");
	CHECK_INT(got.preserves, 0, "chunks");
	/* its number was lower when the segment was prepared */
	begin_side_late(500, 480);
	at = here();
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	put_chunks(COHORT_BATCH_SIDE, 1, 4);
	at[90] ^= 1;
	CHECK_INT(replay(), 0, "the second one is there, not the first");
	CHECK_INT(got.preserves, 0, "chunks");
	pool.completed = 500;
	put_chunks(COHORT_BATCH_SIDE, 1, 5);
	CHECK_INT(replay(), -EUCLEAN, "the third one was written when the first was complete");
}

/* Prepared, not used, and full of what it was before in the same life of the log. */
static void side_segment_that_is_not_used(void)
{
	begin_side_late(3, 3);
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	pool.completed = 3;
	put_chunks(COHORT_BATCH_SIDE, 1, 4);
	pool.seq = 500;
	use_segment_as(1, 2, COHORT_SEGMENT_SIDE);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.preserves, 0, "chunks");
	CHECK_INT(got.table[1].seq, 0, "it is free");
	/* one that was used instead */
	use_segment_as(2, 3, COHORT_SEGMENT_SIDE);
	pool.completed = 499;
	put_chunks(COHORT_BATCH_SIDE, 1, 5);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.epochs, 5, "epoch of the chunk behind it");
}

/* One that was used, and lost: the next one does not go on from what is there. */
static void side_segment_that_is_lost(void)
{
	u64 last;

	new_pool();
	begin_side(1, 1, 2);
	put_chunks(COHORT_BATCH_SIDE, 1, 3);
	last = pool.seq;
	put_chunks(COHORT_BATCH_SIDE, 1, 4);
	close_segment();
	/* prepared while the last one was filled */
	use_segment_as(2, 3, COHORT_SEGMENT_SIDE);
	pool.table[2].min_seq = last;
	write_table(2);
	put_chunks(COHORT_BATCH_SIDE, 1, 5);
	pool.completed = pool.seq - 1;
	use_segment_as(3, 4, COHORT_SEGMENT_SIDE);
	put_chunks(COHORT_BATCH_SIDE, 1, 6);
	CHECK_INT(replay(), 0, "replay");
	CHECK_INT(got.epochs, 3 + 4 + 5 + 6, "epochs");
	memset(segment_at(2, 0), 0, COHORT_BLOCK + CHUNK);
	CHECK_INT(replay(), -EUCLEAN, "without the second segment");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "empty_log", empty_log },
		{ "batches_of_both_kinds", batches_of_both_kinds },
		{ "segments_in_order_of_use", segments_in_order_of_use },
		{ "segment_that_goes_on_in_the_next", segment_that_goes_on_in_the_next },
		{ "log_that_starts_later", log_that_starts_later },
		{ "chunks_that_are_torn", chunks_that_are_torn },
		{ "record_that_is_torn", record_that_is_torn },
		{ "record_whose_data_is_torn", record_whose_data_is_torn },
		{ "batches_behind_a_hole", batches_behind_a_hole },
		{ "segment_behind_a_hole", segment_behind_a_hole },
		{ "batch_of_a_former_life", batch_of_a_former_life },
		{ "damage_in_a_closed_segment", damage_in_a_closed_segment },
		{ "damage_in_the_open_segment", damage_in_the_open_segment },
		{ "table_that_is_damaged", table_that_is_damaged },
		{ "epoch_out_of_range", epoch_out_of_range },
		{ "entries_of_overlays", entries_of_overlays },
		{ "entries_that_were_moved", entries_that_were_moved },
		{ "moved_before_it_was_written", moved_before_it_was_written },
		{ "record_that_lies", record_that_lies },
		{ "side_logs_beside_the_main_one", side_logs_beside_the_main_one },
		{ "side_log_alone", side_log_alone },
		{ "each_log_ends_where_it_is_torn", each_log_ends_where_it_is_torn },
		{ "damage_in_a_side_log", damage_in_a_side_log },
		{ "batch_of_another_log", batch_of_another_log },
		{ "overlay_in_a_side_log", overlay_in_a_side_log },
		{ "side_logs_of_two_lives", side_logs_of_two_lives },
		{ "side_log_begins_with_a_torn_batch", side_log_begins_with_a_torn_batch },
		{ "side_segment_that_is_not_used", side_segment_that_is_not_used },
		{ "side_segment_that_is_lost", side_segment_that_is_lost },
	};

#ifdef COHORT_PLANT
	cohort_plant = getenv("COHORT_PLANT");
#endif
	return unit_main(cases, ARRAY_SIZE(cases));
}
