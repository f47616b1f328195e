// SPDX-License-Identifier: GPL-2.0-only
/* volume.c - eras, live cuts and counts of a source that does I/O. */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "epoch.h"
#include "log.h"
#include "plant.h"
#include "pool.h"
#include "source.h"
#include "volume.h"

#define BITS_PER_PAGE (PAGE_SIZE * 8)

static void volume_free(struct cohort_volume *vol)
{
	struct cohort_era *era, *prev;

	if (vol->wq)
		destroy_workqueue(vol->wq);
	if (vol->spare)
		cohort_era_free(vol->spare);
	for (era = rcu_dereference_protected(vol->era, 1); era; era = prev) {
		prev = rcu_dereference_protected(era->prev, 1);
		cohort_era_free(era);
	}
	bioset_exit(&vol->bios);
	mempool_exit(&vol->page_pool);
	mempool_exit(&vol->op_pool);
	kfree(vol);
}

struct cohort_volume *cohort_volume_new(struct cohort_source *source, struct mapped_device *md)
{
	struct cohort_volume *vol = kzalloc(sizeof(*vol), GFP_KERNEL);

	if (!vol)
		return NULL;
	kref_init(&vol->kref);
	vol->source = source;
	vol->pool = source->pool;
	vol->id = source->id;
	vol->home = cohort_log_home(source->pool->log);
	vol->md = md;
	vol->suspended = true;
	vol->chunk_shift = source->pool->chunk_shift;
	vol->nr_chunks = DIV_ROUND_UP_ULL(source->size >> SECTOR_SHIFT, 1u << vol->chunk_shift);
	spin_lock_init(&vol->lock);
	INIT_LIST_HEAD(&vol->incoming);
	INIT_LIST_HEAD(&vol->gated);
	INIT_LIST_HEAD(&vol->retry);
	INIT_LIST_HEAD(&vol->ready);
	INIT_LIST_HEAD(&vol->held);
	hash_init(vol->ops);
	init_waitqueue_head(&vol->wait);
	/* of no high priority: it would not let a writer on its CPU issue what makes a batch */
	vol->wq = alloc_workqueue("cohort_source", WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	if (!vol->wq) {
		volume_free(vol);
		return NULL;
	}
	return vol;
}

void cohort_volume_kick(struct cohort_volume *vol)
{
	queue_delayed_work(vol->wq, &vol->work, 0);
}

void cohort_volume_get(struct cohort_volume *vol)
{
	kref_get(&vol->kref);
}

static void volume_release(struct kref *kref)
{
	volume_free(container_of(kref, struct cohort_volume, kref));
}

void cohort_volume_put(struct cohort_volume *vol)
{
	kref_put(&vol->kref, volume_release);
}

void cohort_volume_lower(struct cohort_volume *vol)
{
	struct cohort_era *era;

	lockdep_assert_held(&cohort_cut_mutex);
	for (era = rcu_dereference_protected(vol->era, 1); era;
	     era = rcu_dereference_protected(era->prev, 1))
		WRITE_ONCE(era->protects, cohort_live_newest(&vol->source->live, era->key));
	cohort_volume_kick(vol);
}

static u64 nr_bit_pages(const struct cohort_volume *vol)
{
	return DIV_ROUND_UP_ULL(vol->nr_chunks, BITS_PER_PAGE);
}

struct cohort_era *cohort_era_new(const struct cohort_volume *vol)
{
	struct cohort_era *era = kzalloc(sizeof(*era), GFP_KERNEL);

	if (!era)
		return NULL;
	era->nr_preserved = nr_bit_pages(vol);
	era->preserved = kvcalloc(era->nr_preserved, sizeof(*era->preserved), GFP_KERNEL);
	if (!era->preserved || cohort_inflight_init(&era->inflight)) {
		cohort_era_free(era);
		return NULL;
	}
	return era;
}

void cohort_volume_refill(struct cohort_volume *vol)
{
	struct cohort_era *era = READ_ONCE(vol->spare) ? NULL : cohort_era_new(vol);

	mutex_lock(&cohort_cut_mutex);
	if (!vol->spare)
		swap(vol->spare, era);
	mutex_unlock(&cohort_cut_mutex);
	if (era)
		cohort_era_free(era);
}

struct cohort_era *cohort_volume_take_era(struct cohort_volume *vol)
{
	struct cohort_era *era = NULL;
	unsigned int noio;

	mutex_lock(&cohort_cut_mutex);
	swap(vol->spare, era);
	mutex_unlock(&cohort_cut_mutex);
	if (era)
		return era;
	noio = memalloc_noio_save();
	era = cohort_era_new(vol);
	memalloc_noio_restore(noio);
	return era;
}

void cohort_era_free(struct cohort_era *era)
{
	u64 i;

	for (i = 0; era->preserved && i < era->nr_preserved; i++)
		free_page((unsigned long)era->preserved[i]);
	kvfree(era->preserved);
	cohort_inflight_exit(&era->inflight);
	kfree(era);
}

static void era_free_rcu(struct rcu_head *rcu)
{
	cohort_era_free(container_of(rcu, struct cohort_era, rcu));
}

void cohort_era_publish(struct cohort_volume *vol, struct cohort_era *era, u64 first_epoch,
			u64 key)
{
	struct cohort_era *old;

	lockdep_assert_held(&cohort_cut_mutex);
	old = rcu_dereference_protected(vol->era, 1);
	era->first_epoch = first_epoch;
	era->key = key;
	era->protects = cohort_live_newest(&vol->source->live, key);
	rcu_assign_pointer(era->prev, old);
	if (old)
		WRITE_ONCE(old->closing, true);
	rcu_assign_pointer(vol->era, era);
}

u32 cohort_volume_eras(struct cohort_volume *vol)
{
	struct cohort_era *era;
	u32 n = 0;

	rcu_read_lock();
	for (era = rcu_dereference(vol->era); era; era = rcu_dereference(era->prev))
		n++;
	rcu_read_unlock();
	return n;
}

u32 cohort_volume_old_inflight(struct cohort_volume *vol, u64 first_epoch)
{
	struct cohort_era *era;
	u32 n = 0;

	rcu_read_lock();
	for (era = rcu_dereference(vol->era); era; era = rcu_dereference(era->prev))
		if (era->first_epoch < first_epoch)
			n += cohort_inflight_total(&era->inflight);
	rcu_read_unlock();
	return n;
}

void cohort_volume_drop_eras(struct cohort_volume *vol, u64 first_epoch)
{
	struct cohort_era *era, *old, *prev;

	lockdep_assert_held(&cohort_cut_mutex);
	era = rcu_dereference_protected(vol->era, 1);
	while (era && era->first_epoch > first_epoch)
		era = rcu_dereference_protected(era->prev, 1);
	if (!era)
		return;
	old = rcu_dereference_protected(era->prev, 1);
	RCU_INIT_POINTER(era->prev, NULL);
	for (; old; old = prev) {
		prev = rcu_dereference_protected(old->prev, 1);
		/* writes that are not counted may still use it */
		if (PLANTED("count-late") || PLANTED("no-grace") || PLANTED("no-seal"))
			continue;
		call_rcu(&old->rcu, era_free_rcu);
	}
}

u64 cohort_volume_oldest_key(struct cohort_volume *vol)
{
	struct cohort_era *era;
	u64 key = 0;

	lockdep_assert_held(&cohort_cut_mutex);
	for (era = rcu_dereference_protected(vol->era, 1); era;
	     era = rcu_dereference_protected(era->prev, 1))
		key = era->key;
	/* operations of eras that are gone */
	return atomic_read(&vol->budget) ? 0 : key;
}

void cohort_volume_reap(struct cohort_volume *vol)
{
	struct cohort_era *era;

	mutex_lock(&cohort_cut_mutex);
	era = rcu_dereference_protected(vol->era, 1);
	/* pairs with the release at the end of the grace period */
	if (era && smp_load_acquire(&era->gp_done) &&
	    !cohort_volume_old_inflight(vol, era->first_epoch))
		cohort_volume_drop_eras(vol, era->first_epoch);
	mutex_unlock(&cohort_cut_mutex);
}

/* Notes once per era that its writes met writes of the era before: the cut fell into traffic. */
static void note_mixed(struct cohort_era *era)
{
	struct cohort_era *prev = rcu_dereference_sched(era->prev);

	if (prev && !READ_ONCE(era->mixed) && cohort_inflight_total(&prev->inflight))
		WRITE_ONCE(era->mixed, true);
}

/*
 * One step, preemption off: read the epoch, find the era, count. The acquire
 * pairs with the release of the flip: who sees the new epoch sees the new eras.
 */
static void count_in(struct cohort_volume *vol, struct cohort_write *w)
{
	struct cohort_era *era;
	u64 epoch;

	/* pairs with the release of a flip */
	epoch = smp_load_acquire(&cohort_epoch);
	era = rcu_dereference_sched(vol->era);
	while (era->first_epoch > epoch)
		era = rcu_dereference_sched(era->prev);
	PLANT_SPIN("no-grace", 2000);
	if (PLANTED("count-late")) {
		rcu_read_unlock_sched();
		msleep(5000);
		rcu_read_lock_sched();
	}
	cohort_inflight_add(&era->inflight, w->sector, w->sectors);
	w->era = era;
	if (unlikely(rcu_access_pointer(era->prev)))
		note_mixed(era);
}

bool cohort_write_enter(struct cohort_volume *vol, struct cohort_write *w, sector_t sector,
			u32 sectors)
{
	w->sector = sector;
	w->sectors = sectors;
	w->ready = false;
	rcu_read_lock_sched();
	/* in here: who closes a gate waits for those who saw it open */
	w->gate = READ_ONCE(vol->gate);
	if (likely(!w->gate))
		count_in(vol, w);
	rcu_read_unlock_sched();
	return !w->gate;
}

void cohort_write_pass(struct cohort_volume *vol, struct cohort_write *w)
{
	rcu_read_lock_sched();
	count_in(vol, w);
	rcu_read_unlock_sched();
}

void cohort_volume_hold_gated(struct cohort_volume *vol, struct cohort_write *w)
{
	unsigned long flags;

	w->until = READ_ONCE(vol->gate_until);
	spin_lock_irqsave(&vol->lock, flags);
	list_add_tail(&w->list, &vol->gated);
	spin_unlock_irqrestore(&vol->lock, flags);
	/* it may be open by now, and whoever opened it have kicked before this one was there */
	cohort_volume_kick(vol);
}

void cohort_volume_take_gated(struct cohort_volume *vol, bool all, struct list_head *to)
{
	u32 closed = READ_ONCE(vol->gate);
	struct cohort_write *w, *next;
	unsigned long flags;

	spin_lock_irqsave(&vol->lock, flags);
	list_for_each_entry_safe(w, next, &vol->gated, list) {
		if (w->gate == closed && !all)
			break;
		list_move_tail(&w->list, to);
	}
	spin_unlock_irqrestore(&vol->lock, flags);
}

/*
 * The era may be gone as soon as it is uncounted, but not before the RCU section
 * ends. No barrier between count and flag: whoever waits for the count looks
 * only behind the grace period of the flip that set the flag. A section that
 * began before it is over by then, so its count is seen; a later one sees the
 * flag, and wakes.
 */
void cohort_write_leave(struct cohort_volume *vol, struct cohort_write *w)
{
	struct cohort_era *era = w->era;

	if (!era)
		return;
	w->era = NULL;
	rcu_read_lock_sched();
	cohort_inflight_sub(&era->inflight, w->sector, w->sectors);
	if (unlikely(READ_ONCE(era->closing))) {
		cohort_volume_kick(vol);
		wake_up_all(&vol->wait);
	}
	rcu_read_unlock_sched();
}

bool cohort_era_has(const struct cohort_era *era, u64 chunk)
{
	const unsigned long *bits = READ_ONCE(era->preserved[chunk / BITS_PER_PAGE]);

	/* acquire: pairs with the barrier in cohort_era_set() */
	return bits && test_bit_acquire(chunk % BITS_PER_PAGE, bits);
}

u64 cohort_era_next_unset(const struct cohort_era *era, u64 chunk, u64 end)
{
	while (chunk < end && cohort_era_has(era, chunk))
		chunk++;
	return chunk;
}

bool cohort_era_set(struct cohort_era *era, u64 chunk, gfp_t gfp)
{
	unsigned long **slot = &era->preserved[chunk / BITS_PER_PAGE];
	unsigned long *bits = READ_ONCE(*slot);

	if (!bits) {
		unsigned long *fresh = (unsigned long *)get_zeroed_page(gfp | __GFP_NOWARN);

		if (!fresh)
			return false;
		/* a full barrier: the page is zero before it is seen */
		bits = cmpxchg(slot, NULL, fresh);
		if (bits)
			free_page((unsigned long)fresh);
		else
			bits = fresh;
	}
	/* whoever sees the bit sees the index entry it stands for */
	smp_mb__before_atomic();
	set_bit(chunk % BITS_PER_PAGE, bits);
	return true;
}

void cohort_volume_preserved(struct cohort_volume *vol, u64 epoch, u64 chunk)
{
	struct cohort_era *era;

	rcu_read_lock();
	for (era = rcu_dereference(vol->era); era; era = rcu_dereference(era->prev))
		if (era->key == epoch && !cohort_era_set(era, chunk, GFP_ATOMIC))
			WRITE_ONCE(era->inexact, true);
	rcu_read_unlock();
}
