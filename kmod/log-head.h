/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log-head.h - one chain of batches: forms them, writes them, completes them in order.
 *
 * Of log.c alone. What takes a head is called with its engine held.
 */
#ifndef COHORT_LOG_HEAD_H
#define COHORT_LOG_HEAD_H

#include "log.h"

/* Batches of a head under way: more at a time only make them smaller. */
#define COHORT_HEAD_INFLIGHT	4

struct cohort_log_rec {
	struct list_head list;
	const void *data;
	u32 len;
	u64 seq;
	int err;
	struct completion done;
};

/*
 * Where the log grows: each head has segments, a nonce and numbers of its own, and
 * knows of no other. Number 0 is the main one, which takes everything. Side heads
 * take old chunks of sources, and those only, when there is more of them than one
 * CPU can bring to the main one.
 *
 * A restart goes through each chain up to its own first batch that is not whole.
 * So what one head acknowledged may be there, and what another one had under way
 * at that time is not. Nobody can tell: an op or a record that needs another one
 * is begun when that one has ended, and of one that has ended all before it in its
 * chain are whole. Where two say something of the same chunk - it was moved, or
 * written again - the later one is in the main chain, as is every record.
 */
struct cohort_log_head {
	struct cohort_log *log;
	u32 nr;
	struct work_struct work;
	/*
	 * Who forms and completes batches: the head's worker, or whoever brings old
	 * chunks from a context that may, which spares two switches of threads.
	 * Outside spinlocks; nobody waits for a disk under it. Several are taken
	 * in order of @nr.
	 */
	struct mutex engine;

	/* under @engine */
	struct list_head inflight;	/* of struct log_batch, in order */
	u32 nr_inflight;
	u64 nonce;
	u64 next_seq;
	u64 completed;			/* READ_ONCE elsewhere */
	u32 prev_crc;
	s64 seg;			/* the one being filled, -1 = none */
	u32 offset;
	u32 seg_left;			/* free ones when it was taken, or later: who may use it */
	u64 batches;			/* READ_ONCE elsewhere */
	u64 bytes;
};

static inline bool cohort_head_is_side(const struct cohort_log_head *head)
{
	return head->nr;
}

/* So many chunks wait before a batch is begun while others are under way. Any context. */
u32 cohort_head_fill(void);
/* What of its batches is done, in order: their ops and records end in here. */
void cohort_head_complete(struct cohort_log_head *head);
/*
 * A batch of chunks that wait in @queue. 0; -EAGAIN: not now; -ENOSPC: there is no
 * segment for them; -EIO.
 */
int cohort_head_submit_chunks(struct cohort_log_head *head, struct cohort_log_queue *queue);
/* One of the first record that waits; -ENOSPC has ended it. The main head's. */
int cohort_head_submit_record(struct cohort_log_head *head);
/*
 * Closes the segment being filled, and needs none that was prepared: the next batch
 * takes a new one.
 */
void cohort_head_give_up(struct cohort_log_head *head);
/* The use of the oldest segment that a batch of it is or will be written to. */
u64 cohort_head_oldest_use(struct cohort_log_head *head);

/* Of log.c, for heads. */
u32 cohort_log_take_ops(struct cohort_log_head *head, struct cohort_log_queue *queue,
			struct list_head *ops, u32 most);
struct cohort_log_rec *cohort_log_first_rec(struct cohort_log *log);
void cohort_log_unlink_rec(struct cohort_log *log, struct cohort_log_rec *rec);
void cohort_log_end_ops(struct list_head *ops, int err);
void cohort_log_end_rec(struct cohort_log_rec *rec, u64 seq, int err);
/* So many segments are not for @head when it takes what is in @queue. */
u32 cohort_log_leave(const struct cohort_log_head *head, const struct cohort_log_queue *queue);
/* Bytes of chunks that a batch may hold. */
u32 cohort_log_batch_data(const struct cohort_log *log);
size_t cohort_head_front_pad(void);	/* of a bio of log->bios */

#endif
