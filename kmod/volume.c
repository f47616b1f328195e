// SPDX-License-Identifier: GPL-2.0-only
/* volume.c - eras, live cuts and counts of a source that does I/O. */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "epoch.h"
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
	vol->md = md;
	vol->chunk_shift = source->pool->chunk_shift;
	vol->nr_chunks = DIV_ROUND_UP_ULL(source->size >> SECTOR_SHIFT, 1u << vol->chunk_shift);
	spin_lock_init(&vol->lock);
	INIT_LIST_HEAD(&vol->incoming);
	INIT_LIST_HEAD(&vol->retry);
	INIT_LIST_HEAD(&vol->ready);
	INIT_LIST_HEAD(&vol->held);
	hash_init(vol->ops);
	init_waitqueue_head(&vol->wait);
	vol->wq = alloc_workqueue("cohort_source", WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, 1);
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

struct cohort_era *cohort_era_new(void)
{
	struct cohort_era *era = kzalloc(sizeof(*era), GFP_KERNEL);

	if (!era)
		return NULL;
	/* freed behind RCU, in a softirq */
	xa_init_flags(&era->preserved, XA_FLAGS_LOCK_BH);
	if (cohort_inflight_init(&era->inflight)) {
		kfree(era);
		return NULL;
	}
	return era;
}

void cohort_volume_refill(struct cohort_volume *vol)
{
	struct cohort_era *era = READ_ONCE(vol->spare) ? NULL : cohort_era_new();

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
	era = cohort_era_new();
	memalloc_noio_restore(noio);
	return era;
}

void cohort_era_free(struct cohort_era *era)
{
	unsigned long index;
	void *page;

	xa_for_each(&era->preserved, index, page)
		free_page((unsigned long)page);
	xa_destroy(&era->preserved);
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
	struct cohort_era *prev = rcu_dereference(era->prev);

	if (prev && !READ_ONCE(era->mixed) && cohort_inflight_total(&prev->inflight))
		WRITE_ONCE(era->mixed, true);
}

/*
 * One step, preemption off: read the epoch, find the era, count. The acquire
 * pairs with the release of the flip: who sees the new epoch sees the new eras.
 */
void cohort_write_enter(struct cohort_volume *vol, struct cohort_write *w, sector_t sector,
			u32 sectors)
{
	struct cohort_era *era;
	u64 epoch;

	w->sector = sector;
	w->sectors = sectors;
	w->ready = false;
	rcu_read_lock();
	preempt_disable();
	/* pairs with the release of a flip */
	epoch = smp_load_acquire(&cohort_epoch);
	era = rcu_dereference(vol->era);
	while (era->first_epoch > epoch)
		era = rcu_dereference(era->prev);
	cohort_inflight_add(&era->inflight, sector, sectors);
	w->era = era;
	preempt_enable();
	if (unlikely(rcu_access_pointer(era->prev)))
		note_mixed(era);
	rcu_read_unlock();
}

/* The era may be gone as soon as it is uncounted, but not before the RCU section ends. */
void cohort_write_leave(struct cohort_volume *vol, struct cohort_write *w)
{
	struct cohort_era *era = w->era;

	if (!era)
		return;
	w->era = NULL;
	rcu_read_lock();
	cohort_inflight_sub(&era->inflight, w->sector, w->sectors);
	/* the count before the flag; pairs with the barrier behind the flip */
	smp_mb();
	if (unlikely(READ_ONCE(era->closing))) {
		cohort_volume_kick(vol);
		wake_up_all(&vol->wait);
	}
	rcu_read_unlock();
}

bool cohort_era_has(struct cohort_era *era, u64 chunk)
{
	unsigned long *bits;
	bool has;

	rcu_read_lock();
	bits = xa_load(&era->preserved, chunk / BITS_PER_PAGE);
	/* acquire: pairs with the barrier in cohort_era_set() */
	has = bits && test_bit_acquire(chunk % BITS_PER_PAGE, bits);
	rcu_read_unlock();
	return has;
}

u64 cohort_era_next_unset(struct cohort_era *era, u64 chunk, u64 end)
{
	while (chunk < end && cohort_era_has(era, chunk))
		chunk++;
	return chunk;
}

void cohort_era_set(struct cohort_era *era, u64 chunk, gfp_t gfp)
{
	unsigned long index = chunk / BITS_PER_PAGE;
	unsigned long *bits = xa_load(&era->preserved, index);

	if (!bits) {
		bits = (unsigned long *)get_zeroed_page(gfp | __GFP_NOWARN);
		if (!bits)
			return;
		if (xa_insert_bh(&era->preserved, index, bits, gfp | __GFP_NOWARN)) {
			free_page((unsigned long)bits);
			return;
		}
	}
	/* whoever sees the bit sees the index entry it stands for */
	smp_mb__before_atomic();
	set_bit(chunk % BITS_PER_PAGE, bits);
}
