// SPDX-License-Identifier: GPL-2.0-only
/* hydrate.c - copies what is the image's to the target, piece by piece, until nothing is. */
#include <linux/blkdev.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "hydrate.h"
#include "plant.h"
#include "segment.h"

#define PIECE_BYTES	(1u << 20)
#define PIECES		4
/* Rests for so many times as long as a piece took while the host is there. */
#define REST		2
#define STOP_LOOK	(HZ / 10)

static unsigned int copy_speed;
module_param(copy_speed, uint, 0644);
MODULE_PARM_DESC(copy_speed, "MiB/s at which a member of a clone is copied at most, 0: as fast as it goes");

struct piece {
	struct cohort_clone_range range;
	struct delayed_work rest;	/* and then the next one */
	struct cohort_hydrator *h;
	bool hinted;			/* it is out of turn */
	u64 debt;			/* nanoseconds that it has to rest */
	void *buf;			/* PIECE_BYTES */
	void *old;			/* the same, of one that compares; else NULL */
};

struct cohort_hydrator {
	struct cohort_clone *clone;
	struct workqueue_struct *wq;
	spinlock_t lock;		/* irq-safe, nothing inside */
	u64 next;			/* chunk where the next begins; @lock, as the next three */
	u64 hint;			/* or here, U64_MAX: nobody has asked */
	bool hinted;			/* the last one was there */
	u32 busy;			/* pieces that have not come to an end */
	bool stop;			/* READ_ONCE */
	wait_queue_head_t wait;		/* for busy to be none */
	atomic64_t failed;		/* bytes */
	void (*done)(void *data, int err);
	void *data;
	struct piece piece[PIECES];
};

static u64 chunks(const struct cohort_hydrator *h)
{
	return h->clone->map->map.chunks;
}

static u32 piece_chunks(const struct cohort_hydrator *h)
{
	return PIECE_BYTES >> (h->clone->chunk_shift + SECTOR_SHIFT);
}

/* ---- which piece ---- */

/* From @from on the first chunk that is the image's, or the end. */
static u64 first_missing(const struct cohort_hydrator *h, u64 from)
{
	bool own;
	u64 n = from < chunks(h) ? cohort_copymap_alike(h->clone->map, from, chunks(h), &own) : 0;

	return n && own ? from + n : min(from, chunks(h));
}

/*
 * Where a reader is, or where the last one ended: in turns, so that a round comes to
 * its end whatever is read.
 */
static u64 where(struct cohort_hydrator *h, struct piece *p)
{
	u64 at = h->hint;

	lockdep_assert_held(&h->lock);
	h->hint = U64_MAX;
	p->hinted = at < chunks(h) && !h->hinted;
	h->hinted = p->hinted;
	if (p->hinted)
		return at;
	at = first_missing(h, h->next);
	h->next = min(round_down(at, piece_chunks(h)) + piece_chunks(h), chunks(h));
	return at;
}

/* False: there is none in this round. */
static bool pick(struct cohort_hydrator *h, struct piece *p)
{
	unsigned long flags;
	u64 at;

	spin_lock_irqsave(&h->lock, flags);
	at = where(h, p);
	spin_unlock_irqrestore(&h->lock, flags);
	p->range.first = round_down(at, piece_chunks(h));
	p->range.end = min(p->range.first + piece_chunks(h), chunks(h));
	return at < chunks(h);
}

/* ---- one piece ---- */

/* @len bytes at @at of the piece's buffer, to @start + @at. */
static int write_out(struct piece *p, u64 start, u32 at, u32 len)
{
	struct block_device *target = p->h->clone->target;

	if (memchr_inv(p->buf + at, 0, len))
		return cohort_bdev_rw(target, REQ_OP_WRITE, start + at, p->buf + at, len);
	return cohort_disk_error(blkdev_issue_zeroout(target, (start + at) >> SECTOR_SHIFT,
						      len >> SECTOR_SHIFT, GFP_NOIO, 0));
}

static bool differs(const struct piece *p, u32 at, u32 len)
{
	return memcmp(p->buf + at, p->old + at, len);
}

/* Chunks that the target does not hold already, as many at a time as lie side by side. */
static int write_changed(struct piece *p, u64 start, u32 len)
{
	const u32 chunk = 1u << (p->h->clone->chunk_shift + SECTOR_SHIFT);
	int err = cohort_bdev_rw(p->h->clone->target, REQ_OP_READ, start, p->old, len);
	u32 from, to = 0;

	/* what can not be read may well be written: many a disk mends it so */
	if (err)
		return write_out(p, start, 0, len);
	while (to < len && !err) {
		for (from = to; from < len && !differs(p, from, min(chunk, len - from));)
			from += min(chunk, len - from);
		for (to = from; to < len && differs(p, to, min(chunk, len - to));)
			to += min(chunk, len - to);
		if (from < to)
			err = write_out(p, start, from, to - from);
	}
	return err;
}

static int copy(struct piece *p, u64 first, u64 n)
{
	struct cohort_clone *clone = p->h->clone;
	u64 start = first << (clone->chunk_shift + SECTOR_SHIFT);
	u32 len = min_t(u64, n << (clone->chunk_shift + SECTOR_SHIFT),
			(clone->size << SECTOR_SHIFT) - start);
	int err = cohort_bdev_rw(clone->image, REQ_OP_READ, start, p->buf, len);

	if (!err)
		err = p->old ? write_changed(p, start, len) : write_out(p, start, 0, len);
	if (!err)
		cohort_copymap_set(clone->map, first, first + n);
	return err;
}

/* What can be copied of it, chunk by chunk. */
static void copy_singly(struct piece *p, u64 first, u64 n)
{
	const u32 bytes = 1u << (p->h->clone->chunk_shift + SECTOR_SHIFT);

	for (; n--; first++)
		/* what a reader asks for once more is counted where its turn is */
		if (copy(p, first, 1) && !p->hinted)
			atomic64_add(bytes, &p->h->failed);
}

static void copy_range(struct piece *p)
{
	u64 at = p->range.first, n;
	bool own;

	/* who stops it waits for a run of chunks, and not for all that lie between written ones */
	for (; at < p->range.end && !READ_ONCE(p->h->stop); at += n) {
		n = cohort_copymap_alike(p->h->clone->map, at, p->range.end, &own);
		if ((!own || PLANTED("hydrate-over-write")) && copy(p, at, n))
			copy_singly(p, at, n);
	}
}

static void piece_ends(struct cohort_hydrator *h)
{
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&h->lock, flags);
	last = h->busy == 1;
	if (!last)
		h->busy--;
	spin_unlock_irqrestore(&h->lock, flags);
	if (!last)
		return;
	if (!READ_ONCE(h->stop))
		h->done(h->data, cohort_copymap_full(h->clone->map) ? 0 : -EIO);
	/* who stops it waits for done(), too; it is free then */
	spin_lock_irqsave(&h->lock, flags);
	h->busy = 0;
	wake_up_all(&h->wait);
	spin_unlock_irqrestore(&h->lock, flags);
}

static void next_piece(struct piece *p)
{
	if (!READ_ONCE(p->h->stop) && pick(p->h, p))
		cohort_clone_take(p->h->clone, &p->range);
	else
		piece_ends(p->h);
}

static void rested(struct work_struct *work)
{
	next_piece(container_of(to_delayed_work(work), struct piece, rest));
}

/* Pieces may be shorter than a jiffy: what is too little for one is kept for the next. */
static unsigned long pay(struct piece *p)
{
	unsigned long rest = nsecs_to_jiffies(p->debt);

	if (READ_ONCE(p->h->stop))
		return 0;
	p->debt -= min(p->debt, jiffies_to_nsecs(rest));
	return rest;
}

/* Nanoseconds in which a piece may be copied at the earliest. */
static u64 least(const struct piece *p)
{
	const u32 speed = READ_ONCE(copy_speed);
	u64 bytes = (p->range.end - p->range.first) <<
		(p->h->clone->chunk_shift + SECTOR_SHIFT);

	return speed ? div_u64(bytes * PIECES * (NSEC_PER_SEC >> 20), speed) : 0;
}

/* While the host is there, and while there is a limit. */
static void charge(struct piece *p, u64 took, bool others)
{
	u64 want = least(p);

	if (others)
		p->debt += REST * took;
	else if (want > took)
		p->debt += want - took;
}

static void piece_work(struct work_struct *work)
{
	struct piece *p = container_of(work, struct piece, range.work);
	struct cohort_clone *clone = p->h->clone;
	u64 others = atomic64_read(&clone->foreground), begun = ktime_get_ns();
	unsigned int noio = memalloc_noio_save();

	if (!READ_ONCE(p->h->stop))
		copy_range(p);
	cohort_clone_give(clone, &p->range);
	memalloc_noio_restore(noio);
	charge(p, ktime_get_ns() - begun, atomic64_read(&clone->foreground) != others);
	queue_delayed_work(p->h->wq, &p->rest, pay(p));
}

/* ---- from outside ---- */

struct cohort_hydrator *cohort_hydrator_new(struct cohort_clone *clone)
{
	struct cohort_hydrator *h = kzalloc(sizeof(*h), GFP_KERNEL);
	bool good;
	int i;

	if (!h)
		return NULL;
	h->clone = clone;
	spin_lock_init(&h->lock);
	init_waitqueue_head(&h->wait);
	h->hint = U64_MAX;
	h->wq = alloc_workqueue("cohort_hydrate", WQ_MEM_RECLAIM | WQ_UNBOUND, PIECES);
	good = h->wq;
	for (i = 0; i < PIECES; i++) {
		struct piece *p = &h->piece[i];

		p->h = h;
		INIT_WORK(&p->range.work, piece_work);
		INIT_DELAYED_WORK(&p->rest, rested);
		p->buf = kvmalloc(PIECE_BYTES, GFP_KERNEL);
		p->old = clone->compare ? kvmalloc(PIECE_BYTES, GFP_KERNEL) : NULL;
		good &= p->buf && (p->old || !clone->compare);
	}
	if (good)
		return h;
	cohort_hydrator_free(h);
	return NULL;
}

void cohort_hydrator_free(struct cohort_hydrator *h)
{
	int i;

	if (!h)
		return;
	if (h->wq)
		destroy_workqueue(h->wq);
	for (i = 0; i < PIECES; i++) {
		kvfree(h->piece[i].buf);
		kvfree(h->piece[i].old);
	}
	kfree(h);
}

void cohort_hydrator_start(struct cohort_hydrator *h, void (*done)(void *data, int err), void *data)
{
	int i;

	h->done = done;
	h->data = data;
	h->next = 0;
	h->busy = PIECES;
	atomic64_set(&h->failed, 0);
	WRITE_ONCE(h->stop, false);
	for (i = 0; i < PIECES; i++) {
		/* what the last time left is nobody's claim any more */
		h->piece[i].debt = 0;
		queue_delayed_work(h->wq, &h->piece[i].rest, 0);
	}
}

/* The lock: who gave it up last has done with what may be freed. */
static bool is_busy(struct cohort_hydrator *h)
{
	unsigned long flags;
	bool busy;

	spin_lock_irqsave(&h->lock, flags);
	busy = h->busy;
	spin_unlock_irqrestore(&h->lock, flags);
	return busy;
}

/* Those that rest, and no others: their ranges are nobody's. */
static void wake_resting(struct cohort_hydrator *h)
{
	int i;

	for (i = 0; i < PIECES; i++)
		if (cancel_delayed_work(&h->piece[i].rest))
			queue_delayed_work(h->wq, &h->piece[i].rest, 0);
}

void cohort_hydrator_stop(struct cohort_hydrator *h)
{
	WRITE_ONCE(h->stop, true);
	/* one that was about to rest may not have seen it */
	do
		wake_resting(h);
	while (!wait_event_timeout(h->wait, !is_busy(h), STOP_LOOK));
}

void cohort_hydrator_hint(struct cohort_hydrator *h, u64 chunk)
{
	WRITE_ONCE(h->hint, chunk);
}

u64 cohort_hydrator_failed(const struct cohort_hydrator *h)
{
	return atomic64_read(&h->failed);
}
