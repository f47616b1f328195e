/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay.h - reads a pool's log back: what was durable when the pool was last in use.
 *
 * The log from the superblock's log_start on, that is: what was before, runs
 * say (run.h), whose records are among those that are told of. Those of runs
 * with a @to above log_start do not count.
 *
 * Pure: reads through a callback, allocates through portable calls, writes
 * nothing. What it finds is told through callbacks, in log order, what is of side
 * logs first.
 */
#ifndef COHORT_REPLAY_H
#define COHORT_REPLAY_H

#include "codec.h"

enum cohort_damage_kind {
	COHORT_DAMAGE_TABLE,		/* a sector of the segment table, from @segment on */
	COHORT_DAMAGE_READ,		/* @segment can not be read */
	COHORT_DAMAGE_BATCH,		/* from byte @offset on, up to the next good batch */
	COHORT_DAMAGE_RECORD,		/* a record of the batch there, and those behind it */
	COHORT_DAMAGE_ENTRY,		/* an entry of the batch there */
	COHORT_DAMAGE_END,		/* the pool was closed with more batches */
};

struct cohort_damage {
	enum cohort_damage_kind kind;
	u32 segment;
	u32 offset;
	int err;
};

struct cohort_replay {
	const struct cohort_super *sb;
	void *ctx;
	/* 0 or a negative errno; @addr and @len are multiples of COHORT_BLOCK */
	int (*read)(void *ctx, u64 addr, void *buf, u32 len);
	/* a batch that counts, before what is in it; may be NULL */
	int (*batch)(void *ctx, const struct cohort_batch *b, u32 segment);
	/* a preserved chunk that lies at @addr */
	int (*preserve)(void *ctx, const struct cohort_preserve *p, u64 addr);
	/* one record, checked by cohort_record_check(), of batch @seq in @segment */
	int (*record)(void *ctx, const void *record, u64 seq, u32 segment);
	/*
	 * May be NULL: the first damage ends the replay. Else it is told of each,
	 * @why having the words, and 0 goes on without what is lost.
	 */
	int (*damage)(void *ctx, const struct cohort_damage *d);

	/* in: nr_segments of them; out: as on disk, lengths of open ones set to what is whole */
	struct cohort_segment_entry *table;

	/* out */
	u64 last_seq;			/* newest batch of the main log that counts, 0 = none */
	u32 last_crc;			/* its header's crc */
	u64 max_epoch;			/* newest epoch seen in an entry */
	u64 batches;
	char why[128];			/* words for a failure */
};

/*
 * -EUCLEAN: a batch that was reported complete is damaged; -EIO and what the
 * callbacks return otherwise. Sleeps as the callbacks do.
 */
int cohort_replay_run(struct cohort_replay *r);

#endif
