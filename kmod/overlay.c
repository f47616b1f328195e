// SPDX-License-Identifier: GPL-2.0-only
/* overlay.c - what was written to the images of a pool's relationships. */
#include <linux/mm.h>
#include <linux/slab.h>
#include "log.h"
#include "overlay.h"
#include "plant.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "trace.h"

static void overlay_release(struct kref *kref)
{
	struct cohort_overlay *o = container_of(kref, struct cohort_overlay, kref);

	kfree_rcu(o, rcu);
}

void cohort_overlay_put(struct cohort_overlay *overlay)
{
	kref_put(&overlay->kref, overlay_release);
}

struct cohort_overlay *cohort_overlay_get(const struct cohort_rel *rel, u32 member)
{
	struct cohort_overlay *o;

	rcu_read_lock();
	o = rcu_dereference(rel->member[member].overlay);
	if (o && !kref_get_unless_zero(&o->kref))
		o = NULL;
	rcu_read_unlock();
	return o;
}

bool cohort_overlay_needs(struct cohort_pool *pool, u32 id, u64 prev, u64 epoch)
{
	struct cohort_overlay *o;
	bool needed;

	rcu_read_lock();
	o = xa_load(&pool->overlays, id);
	needed = o && !prev && cohort_overlay_seq(epoch) > o->floor;
	rcu_read_unlock();
	return needed;
}

void cohort_overlay_count(struct cohort_pool *pool, u32 id, s64 n)
{
	struct cohort_overlay *o;

	rcu_read_lock();
	o = xa_load(&pool->overlays, id);
	if (o)
		atomic64_add(n, &o->chunks);
	rcu_read_unlock();
}

void cohort_overlay_clear_counts(struct cohort_pool *pool)
{
	struct cohort_overlay *o;
	unsigned long id;

	lockdep_assert_held(&cohort_lock);
	xa_for_each(&pool->overlays, id, o)
		atomic64_set(&o->chunks, 0);
}

/* The one of a member; caller holds cohort_lock. */
static struct cohort_overlay *overlay_of(const struct cohort_rel *rel, u32 member)
{
	return rcu_dereference_protected(rel->member[member].overlay,
					 lockdep_is_held(&cohort_lock));
}

u64 cohort_overlay_chunks(const struct cohort_rel *rel, u32 member)
{
	struct cohort_overlay *o = overlay_of(rel, member);

	return o ? atomic64_read(&o->chunks) : 0;
}

/* Nobody asks for it any more: its reference in the list goes. */
static void unlist(struct cohort_pool *pool, struct cohort_overlay *o)
{
	xa_erase(&pool->overlays, o->id);
	cohort_overlay_put(o);
}

void cohort_overlay_drop(struct cohort_rel *rel, u32 member)
{
	struct cohort_overlay *o = overlay_of(rel, member);

	if (!o)
		return;
	RCU_INIT_POINTER(rel->member[member].overlay, NULL);
	/* before anything of it goes; pairs with the barrier in was_reset() */
	smp_wmb();
	unlist(rel->pool, o);
}

/* ---- the first write to an image, and the reset ---- */

static struct cohort_overlay *overlay_new(struct cohort_pool *pool, u32 id)
{
	struct cohort_overlay *o = kzalloc(sizeof(*o), GFP_NOIO);

	if (!o)
		return NULL;
	kref_init(&o->kref);
	o->id = id;
	if (xa_insert(&pool->overlays, id, o, GFP_NOIO)) {
		kfree(o);
		return NULL;
	}
	pool->next_overlay = max(pool->next_overlay, (id & ~COHORT_OVERLAY_ID) + 1);
	return o;
}

/* In the list, so that what it appends is needed, but of no member yet. */
static struct cohort_overlay *enlist(struct cohort_rel *rel, u32 member)
{
	struct cohort_pool *pool = rel->pool;
	struct cohort_overlay *o = ERR_PTR(-ENOSPC);

	mutex_lock(&cohort_lock);
	if (pool->next_overlay < COHORT_OVERLAY_ID)
		o = overlay_new(pool, pool->next_overlay | COHORT_OVERLAY_ID);
	if (!IS_ERR_OR_NULL(o)) {
		o->rel = rel->id;
		o->member = member;
		o->floor = cohort_log_completed(pool->log);
	}
	mutex_unlock(&cohort_lock);
	return o ? o : ERR_PTR(-ENOMEM);
}

static bool may_have_one(const struct cohort_rel *rel, u32 member)
{
	return !rel->dead && !rel->pending &&
		rel->member[member].state == COHORT_COPY_STATE_SYNCHRONIZED;
}

static void bind_to(struct cohort_rel *rel, struct cohort_overlay *o)
{
	rcu_assign_pointer(rel->member[o->member].overlay, o);
	WRITE_ONCE(rel->member[o->member].state, COHORT_COPY_STATE_SKEWED);
	cohort_rel_update_state(rel);
}

static void skew(struct cohort_rel *rel, struct cohort_overlay *o)
{
	u32 from = rel->state;

	bind_to(rel, o);
	trace_cohort_rel_state(rel->name, from, rel->state);
	cohort_notify(&(struct cohort_news) {
		.event = COHORT_EVENT_REL_SKEWED, .pool = rel->pool, .rel = rel,
		.group = rel->source_group,
	});
}

static int append(struct cohort_pool *pool, const struct cohort_overlay *o)
{
	struct cohort_disk_overlay record;
	int err = 0;

	lockdep_assert_held(&pool->catalog_mutex);
	if (!pool->sb.overlays)
		err = cohort_pool_set_feature(pool, &pool->sb.overlays);
	if (err)
		return err;
	cohort_overlay_encode(o, &record);
	return cohort_pool_append(pool, &record, sizeof(record));
}

static int begin(struct cohort_rel *rel, u32 member)
{
	struct cohort_overlay *o = enlist(rel, member);
	int err;

	if (IS_ERR(o))
		return PTR_ERR(o);
	err = append(rel->pool, o);
	mutex_lock(&cohort_lock);
	if (!err && !may_have_one(rel, member))
		err = -EIO;
	if (err)
		unlist(rel->pool, o);
	else
		skew(rel, o);
	mutex_unlock(&cohort_lock);
	return err;
}

/* Who holds catalog_mutex sees overlays come and go. */
struct cohort_overlay *cohort_overlay_open(struct cohort_rel *rel, u32 member)
{
	struct cohort_overlay *o = cohort_overlay_get(rel, member);
	int err = 0;

	if (o)
		return o;
	/* while the pool is suspended its device may be exchanged; before the mutex, as all do */
	if (!cohort_pool_read_begin_wait(rel->pool))
		return ERR_PTR(-EIO);
	mutex_lock(&rel->pool->catalog_mutex);
	if (!rcu_access_pointer(rel->member[member].overlay))
		err = begin(rel, member);
	o = err ? ERR_PTR(err) : cohort_overlay_get(rel, member);
	mutex_unlock(&rel->pool->catalog_mutex);
	cohort_pool_read_end(rel->pool);
	return o ? o : ERR_PTR(-EIO);
}

size_t cohort_overlay_put_dels(const struct cohort_rel *rel, void *buf)
{
	struct cohort_disk_record *at = buf;
	u32 i;

	lockdep_assert_held(&cohort_lock);
	for (i = 0; i < rel->count; i++)
		if (overlay_of(rel, i))
			cohort_record_header(at++, COHORT_REC_OVERLAY_DEL, overlay_of(rel, i)->id,
					     sizeof(*at));
	return (void *)at - buf;
}

static void *put_dels(struct cohort_rel *rel, size_t *len)
{
	void *r = kvcalloc(rel->count, sizeof(struct cohort_disk_record), GFP_NOIO);

	if (!r)
		return NULL;
	mutex_lock(&cohort_lock);
	*len = cohort_overlay_put_dels(rel, r);
	mutex_unlock(&cohort_lock);
	return r;
}

static void drop_all(struct cohort_rel *rel)
{
	u32 i;

	lockdep_assert_held(&cohort_lock);
	for (i = 0; i < rel->count; i++) {
		if (!overlay_of(rel, i))
			continue;
		cohort_overlay_drop(rel, i);
		WRITE_ONCE(rel->member[i].state, COHORT_COPY_STATE_SYNCHRONIZED);
	}
	cohort_rel_update_state(rel);
}

int cohort_overlay_reset(struct cohort_rel *rel)
{
	size_t len = 0;
	void *dels = put_dels(rel, &len);
	int err = dels ? 0 : -ENOMEM;

	lockdep_assert_held(&rel->pool->catalog_mutex);
	if (len && !err)
		err = cohort_pool_append(rel->pool, dels, len);
	kvfree(dels);
	if (err)
		return err;
	mutex_lock(&cohort_lock);
	drop_all(rel);
	mutex_unlock(&cohort_lock);
	return 0;
}

/* ---- records ---- */

void cohort_overlay_encode(const struct cohort_overlay *overlay, void *record)
{
	struct cohort_disk_overlay *d = record;

	cohort_record_header(d, COHORT_REC_OVERLAY, overlay->id, sizeof(*d));
	d->rel = cpu_to_le32(overlay->rel);
	d->member = cpu_to_le32(overlay->member);
	d->floor = cpu_to_le64(overlay->floor);
}

int cohort_overlay_decode(struct cohort_pool *pool, const void *record)
{
	const struct cohort_disk_overlay *d = record;
	u32 id = le32_to_cpu(d->hdr.id);
	struct cohort_overlay *o = xa_load(&pool->overlays, id);

	if (!cohort_is_overlay(id) || !pool->sb.overlays)
		return -EUCLEAN;
	if (!o)
		o = overlay_new(pool, id);
	if (!o)
		return -ENOMEM;
	o->rel = le32_to_cpu(d->rel);
	o->member = le32_to_cpu(d->member);
	o->floor = le64_to_cpu(d->floor);
	return 0;
}

void cohort_overlay_unload(struct cohort_pool *pool, u32 id)
{
	struct cohort_overlay *o = xa_load(&pool->overlays, id);

	/* it may have gone with its relationship */
	if (o)
		unlist(pool, o);
}

void cohort_overlay_unload_rel(struct cohort_pool *pool, u32 rel)
{
	struct cohort_overlay *o;
	unsigned long id;

	xa_for_each(&pool->overlays, id, o)
		if (o->rel == rel)
			unlist(pool, o);
}

void cohort_overlay_unload_all(struct cohort_pool *pool)
{
	struct cohort_overlay *o;
	unsigned long id;

	xa_for_each(&pool->overlays, id, o)
		unlist(pool, o);
}

int cohort_overlay_bind(struct cohort_pool *pool)
{
	struct cohort_overlay *o;
	struct cohort_rel *rel;
	unsigned long id;

	lockdep_assert_held(&cohort_lock);
	xa_for_each(&pool->overlays, id, o) {
		rel = cohort_rel_by_id(pool, o->rel);
		if (rel && o->member < rel->count && overlay_of(rel, o->member))
			return -EUCLEAN;
		if (rel && o->member < rel->count && may_have_one(rel, o->member))
			bind_to(rel, o);
		else
			unlist(pool, o);
	}
	return 0;
}
