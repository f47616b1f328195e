// SPDX-License-Identifier: GPL-2.0-only
/* cut.c - the instant: flips the epoch for a set of members, then makes it durable. */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "cut.h"
#include "epoch.h"
#include "plant.h"
#include "pool.h"
#include "registry.h"
#include "source.h"
#include "trace.h"
#include "volume.h"

static atomic64_t nr_cuts = ATOMIC64_INIT(0);
static atomic64_t nr_mixed = ATOMIC64_INIT(0);

static unsigned int seal_timeout = 60;
module_param(seal_timeout, uint, 0644);
MODULE_PARM_DESC(seal_timeout, "Seconds a cut waits for writes issued before it");

u64 cohort_cuts(void)
{
	return atomic64_read(&nr_cuts);
}

u64 cohort_cuts_mixed(void)
{
	return atomic64_read(&nr_mixed);
}

static int prepare_member(struct cohort_cut_member *m, struct cohort_source *source,
			  struct cohort_words *words)
{
	struct cohort_volume *vol = source->vol;

	if (source->state != COHORT_SOURCE_STATE_ATTACHED || !vol || !vol->bdev)
		return cohort_refuse(words, -ENODEV, "source %s is not attached", source->name);
	cohort_volume_reap(vol);
	if (cohort_volume_eras(vol) > COHORT_MAX_ERAS)
		return cohort_refuse(words, -EBUSY, "source %s: %u cuts wait for earlier writes",
				     source->name, COHORT_MAX_ERAS);
	m->era = cohort_volume_take_era(vol);
	if (!m->era)
		return cohort_refuse(words, -ENOMEM, "no memory for the cut");
	m->source = source;
	m->vol = vol;
	cohort_volume_get(vol);
	m->uses_disk = true;
	atomic_inc(&vol->users);
	return 0;
}

struct cohort_cut *cohort_cut_prepare(struct cohort_pool *pool,
				      struct cohort_source *const *source, u32 stride, u32 count,
				      bool sequential, struct cohort_words *words)
{
	struct cohort_cut *cut = kvzalloc(struct_size(cut, member, count), GFP_NOIO);
	u32 i;
	int err;

	if (!cut)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the cut"));
	cut->pool = pool;
	cut->sequential = sequential && !PLANTED("flip-per-device");
	cut->count = count;
	for (i = 0; i < count; i++) {
		err = prepare_member(&cut->member[i], *source, words);
		if (err) {
			cohort_cut_free(cut);
			return ERR_PTR(err);
		}
		source = (void *)source + stride;
	}
	return cut;
}

/* Joins the live set first: from the flip on its chunks are needed. */
static int publish_member(struct cohort_cut_member *m, u64 epoch)
{
	int err = cohort_source_live_add(m->source, epoch);

	if (err)
		return err;
	cohort_era_publish(m->vol, m->era, epoch + 1, epoch);
	m->era = NULL;
	m->epoch = epoch;
	return 0;
}

/* For a planted defect: as if neither lock were there. */
static void let_another_in(void)
{
	mutex_unlock(&cohort_cut_mutex);
	mutex_unlock(&cohort_lock);
	msleep(300);
	mutex_lock(&cohort_lock);
	mutex_lock(&cohort_cut_mutex);
}

/*
 * Publishes members [@from, @to) and flips. What was published before a
 * failure stays as an era that begins with a flip that never protects
 * anything: harmless, but the epoch must pass it.
 */
static int flip_range(struct cohort_cut *cut, u32 from, u32 to)
{
	u64 epoch, when = ktime_get_real_ns();
	u32 i;
	int err = 0;

	lockdep_assert_held(&cohort_cut_mutex);
	epoch = cohort_epoch;
	for (i = from; i < to && !err; i++) {
		cut->member[i].when = when;
		err = publish_member(&cut->member[i], epoch);
		if (PLANTED("cuts-interleave") && cut->sequential)
			let_another_in();
	}
	if (PLANTED("cuts-interleave"))
		epoch = max(epoch, cohort_epoch - 1);
	/* pairs with the acquire in cohort_write_enter() */
	smp_store_release(&cohort_epoch, epoch + 1);
	if (!err)
		atomic64_inc(&nr_cuts);
	trace_cohort_cut_flip(epoch, to - from);
	return err;
}

/* ---- seal ---- */

/* Behind it nobody can begin to count in an era that was before the flip of [@from, @to). */
static void end_grace_period(struct cohort_cut *cut, u32 from, u32 to)
{
	struct cohort_era *era;
	u32 i;

	if (!PLANTED("no-grace"))
		synchronize_rcu_expedited();
	cut->gp_ns = max_t(u64, cut->gp_ns, ktime_to_ns(ktime_sub(ktime_get(), cut->flipped)));
	mutex_lock(&cohort_cut_mutex);
	for (i = from; i < to; i++) {
		struct cohort_cut_member *m = &cut->member[i];

		/* it covers every earlier flip of the volume too */
		era = m->epoch ? rcu_dereference_protected(m->vol->era, 1) : NULL;
		for (; era; era = rcu_dereference_protected(era->prev, 1))
			if (era->first_epoch <= m->epoch + 1)
				/* pairs with the barrier in write_ready() */
				smp_store_release(&era->gp_done, true);
	}
	mutex_unlock(&cohort_cut_mutex);
	for (i = from; i < to; i++)
		cohort_volume_kick(cut->member[i].vol);
}

static int flip_members(struct cohort_cut *cut, u32 from, u32 to, struct cohort_words *words)
{
	int err;

	mutex_lock(&cohort_cut_mutex);
	err = cohort_pool_reserve_epoch(cut->pool, cohort_epoch + 1);
	if (err) {
		mutex_unlock(&cohort_cut_mutex);
		return cohort_refuse(words, err, "pool \"%s\" is reserving epochs, try again",
				     cut->pool->name);
	}
	err = flip_range(cut, from, to);
	mutex_unlock(&cohort_cut_mutex);
	cut->flipped = ktime_get();
	/* at once, and also when it failed: writes of eras that were published wait for it */
	end_grace_period(cut, from, to);
	return err ? cohort_refuse(words, err, "no memory for the cut") : 0;
}

int cohort_cut_flip(struct cohort_cut *cut, struct cohort_words *words)
{
	int err = flip_members(cut, 0, cut->sequential ? cut->count : 1, words);

	if (err)
		cohort_cut_abort(cut);
	return err;
}

static void note_mixed(struct cohort_cut_member *m)
{
	struct cohort_era *era = rcu_dereference_protected(m->vol->era, 1);

	lockdep_assert_held(&cohort_cut_mutex);
	for (; era; era = rcu_dereference_protected(era->prev, 1))
		if (era->first_epoch == m->epoch + 1)
			m->mixed = READ_ONCE(era->mixed);
}

static int seal_member(struct cohort_cut_member *m, unsigned long deadline)
{
	long left = deadline - jiffies;

	if (!wait_event_timeout(m->vol->wait,
				!cohort_volume_old_inflight(m->vol, m->epoch + 1) ||
				PLANTED("no-seal"), max(left, 1l)))
		return -ETIMEDOUT;
	mutex_lock(&cohort_cut_mutex);
	note_mixed(m);
	cohort_volume_drop_eras(m->vol, m->epoch + 1);
	mutex_unlock(&cohort_cut_mutex);
	trace_cohort_era_sealed(m->vol->id, m->epoch);
	return 0;
}

static void seal_range(struct cohort_cut *cut, u32 from, u32 to, unsigned long deadline)
{
	u32 i;

	for (i = from; i < to; i++)
		if (!cut->member[i].err)
			cut->member[i].err = seal_member(&cut->member[i], deadline);
}

struct cohort_flush {
	atomic_t left;
	struct completion done;
};

/* The cut needs this member's disk no longer: it may be suspended while others are waited for. */
static void release_disk(struct cohort_cut_member *m)
{
	struct cohort_volume *vol = m->vol;

	if (!m->uses_disk)
		return;
	m->uses_disk = false;
	if (atomic_dec_and_test(&vol->users))
		wake_up_all(&vol->wait);
}

static void flush_endio(struct bio *bio)
{
	struct cohort_cut_member *m = bio->bi_private;
	struct cohort_flush *all = m->flush;

	m->err = blk_status_to_errno(bio->bi_status);
	bio_put(bio);
	release_disk(m);
	if (atomic_dec_and_test(&all->left))
		complete(&all->done);
}

/* What the old writes left in volatile caches must not be lost on one member alone. */
static void flush_members(struct cohort_cut *cut)
{
	struct cohort_flush all;
	u32 i;

	atomic_set(&all.left, 1);
	init_completion(&all.done);
	for (i = 0; i < cut->count; i++) {
		struct cohort_cut_member *m = &cut->member[i];
		struct bio *bio;

		if (m->err || PLANTED("no-flush")) {
			release_disk(m);
			continue;
		}
		bio = bio_alloc(m->vol->bdev, 0, REQ_OP_WRITE | REQ_PREFLUSH, GFP_NOIO);
		bio->bi_private = m;
		bio->bi_end_io = flush_endio;
		m->flush = &all;
		atomic_inc(&all.left);
		submit_bio(bio);
	}
	if (!atomic_dec_and_test(&all.left))
		wait_for_completion_io(&all.done);
}

int cohort_cut_seal(struct cohort_cut *cut, struct cohort_words *words)
{
	unsigned long deadline = jiffies + READ_ONCE(seal_timeout) * HZ;
	u32 i, mixed = 0;
	int err = 0;

	if (cut->sequential)
		seal_range(cut, 0, cut->count, deadline);
	/* no consistency: each member by itself, the next one when this one is sealed */
	for (i = 0; !cut->sequential && i < cut->count; i++) {
		if (i)
			cut->member[i].err = flip_members(cut, i, i + 1, words);
		seal_range(cut, i, i + 1, deadline);
	}
	cut->seal_ns = ktime_to_ns(ktime_sub(ktime_get(), cut->flipped));
	flush_members(cut);
	for (i = 0; i < cut->count; i++) {
		struct cohort_cut_member *m = &cut->member[i];

		cohort_volume_refill(m->vol);
		mixed += m->mixed;
		if (m->err && !err)
			err = cohort_refuse(words, m->err, "source %s: %s", m->source->name,
					    m->err == -ETIMEDOUT ?
					    "a write issued before the cut does not end" :
					    "its disk could not be flushed");
	}
	if (mixed >= 2)
		atomic64_inc(&nr_mixed);
	return err;
}

void cohort_cut_drop_member(struct cohort_cut *cut, u32 i)
{
	struct cohort_cut_member *m = &cut->member[i];

	if (!m->epoch)
		return;
	mutex_lock(&cohort_cut_mutex);
	cohort_source_live_del(m->source, m->epoch);
	mutex_unlock(&cohort_cut_mutex);
	m->epoch = 0;
}

void cohort_cut_abort(struct cohort_cut *cut)
{
	u32 i;

	for (i = 0; i < cut->count; i++)
		cohort_cut_drop_member(cut, i);
}

void cohort_cut_free(struct cohort_cut *cut)
{
	u32 i;

	for (i = 0; i < cut->count; i++) {
		struct cohort_cut_member *m = &cut->member[i];

		if (m->era)
			cohort_era_free(m->era);
		if (!m->vol)
			continue;
		release_disk(m);
		cohort_volume_put(m->vol);
	}
	kvfree(cut);
}
