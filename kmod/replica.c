// SPDX-License-Identifier: GPL-2.0-only
/* replica.c - relationships: in memory, as records, and what state they are in. */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "copy.h"
#include "group.h"
#include "overlay.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"
#include "state.h"

static void turns_init(struct cohort_turns *turns)
{
	spin_lock_init(&turns->lock);
	INIT_LIST_HEAD(&turns->writes);
}

struct cohort_rel *cohort_rel_alloc(struct cohort_pool *pool, const char *name, u32 count)
{
	struct cohort_rel *rel = kvzalloc(struct_size(rel, member, count), GFP_NOIO);
	u32 i;

	if (!rel)
		return NULL;
	for (i = 0; i < count; i++)
		turns_init(&rel->member[i].turns);
	kref_init(&rel->kref);
	init_waitqueue_head(&rel->copies);
	INIT_LIST_HEAD(&rel->list);
	rel->pool = pool;
	rel->id = pool->next_id++;
	uuid_gen(&rel->uuid);
	strscpy(rel->name, name, sizeof(rel->name));
	rel->count = count;
	rel->requested = COHORT_COPY_STATE_NOT_APPLICABLE;
	rel->progress = COHORT_PROGRESS_STATUS_COMPLETED;
	return rel;
}

static void rel_release(struct kref *kref)
{
	struct cohort_rel *rel = container_of(kref, struct cohort_rel, kref);
	u32 i;

	for (i = 0; i < rel->count; i++)
		cohort_copy_free(rel->member[i].copy);
	kvfree(rel);
}

void cohort_rel_get(struct cohort_rel *rel)
{
	kref_get(&rel->kref);
}

void cohort_rel_put(struct cohort_rel *rel)
{
	kref_put(&rel->kref, rel_release);
}

void cohort_rel_link(struct cohort_rel *rel)
{
	u32 i;

	lockdep_assert_held(&cohort_lock);
	list_add_tail(&rel->list, &rel->pool->rels);
	rel->pool->nr_rels++;
	rel->source_group->rels++;
	rel->target_group->rels++;
	for (i = 0; i < rel->count; i++)
		rel->member[i].source->rels++;
}

void cohort_rel_unlink(struct cohort_rel *rel)
{
	u32 i;

	lockdep_assert_held(&cohort_lock);
	list_del_init(&rel->list);
	rel->pool->nr_rels--;
	rel->source_group->rels--;
	rel->target_group->rels--;
	for (i = 0; i < rel->count; i++) {
		rel->member[i].source->rels--;
		cohort_overlay_drop(rel, i);
	}
	/* its tables may live on: they see that it is dead, not where it was */
	WRITE_ONCE(rel->dead, true);
}

/*
 * Some that were written and some that were not are no mixture: as a whole they were. Nor
 * is one of which some members have been copied.
 */
static u32 common_state(u32 a, u32 b)
{
	if (a == b)
		return a;
	if (a == COHORT_COPY_STATE_SYNCHRONIZED && cohort_copy_has_cut(b))
		return b;
	if (b == COHORT_COPY_STATE_SYNCHRONIZED && cohort_copy_has_cut(a))
		return a;
	return COHORT_COPY_STATE_MIXED;
}

void cohort_rel_update_state(struct cohort_rel *rel)
{
	u32 i;

	rel->state = rel->member[0].state;
	rel->when = 0;
	for (i = 0; i < rel->count; i++) {
		rel->state = common_state(rel->state, rel->member[i].state);
		rel->when = max(rel->when, rel->member[i].when);
	}
}

void cohort_rel_set_state(struct cohort_rel *rel, u32 state)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		WRITE_ONCE(rel->member[i].state, state);
	cohort_rel_update_state(rel);
}

bool cohort_rel_holds_cut(const struct cohort_rel *rel)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (rel->member[i].epoch && rel->member[i].state != COHORT_COPY_STATE_BROKEN)
			return true;
	return false;
}

u64 cohort_rel_space(const struct cohort_rel *rel)
{
	u64 chunks = 0;
	u32 i;

	lockdep_assert_held(&cohort_lock);
	for (i = 0; i < rel->count; i++) {
		const struct cohort_rel_member *m = &rel->member[i];

		if (m->epoch && cohort_copy_has_cut(m->state))
			chunks += cohort_space_chunks(&m->source->space, m->epoch) +
				cohort_overlay_chunks(rel, i);
	}
	return chunks << (rel->pool->chunk_shift + SECTOR_SHIFT);
}

size_t cohort_rel_record_len(const struct cohort_rel *rel)
{
	return struct_size((struct cohort_disk_rel *)NULL, member, rel->count);
}

/* That there is an overlay says its own record. */
static u32 disk_state(u32 state)
{
	return state == COHORT_COPY_STATE_SKEWED ? COHORT_COPY_STATE_SYNCHRONIZED : state;
}

/* Of a clone that is being activated the cut is nobody's yet: a checkpoint may come by. */
static u64 disk_epoch(const struct cohort_rel_member *m)
{
	return m->copy && !cohort_copy_is_recorded(m->state) ? 0 : m->epoch;
}

size_t cohort_rel_encode(const struct cohort_rel *rel, void *buf)
{
	struct cohort_disk_rel *d = buf;
	size_t len = cohort_rel_record_len(rel);
	u32 i;

	memset(d, 0, len);
	cohort_record_header(d, COHORT_REC_REL, rel->id, len);
	export_uuid(d->uuid, &rel->uuid);
	d->sync_type = cpu_to_le32(rel->sync_type);
	d->mode = cpu_to_le32(rel->mode);
	d->consistency = cpu_to_le32(rel->consistency);
	d->state = cpu_to_le32(disk_state(rel->state));
	d->flags = cpu_to_le32(rel->flags);
	d->source_group = cpu_to_le32(rel->source_group->id);
	d->target_group = cpu_to_le32(rel->target_group->id);
	d->count = cpu_to_le32(rel->count);
	d->when = cpu_to_le64(rel->when);
	d->space_limit = cpu_to_le64(rel->space_limit);
	d->remove_after = cpu_to_le64(rel->remove_after);
	d->hold_time = cpu_to_le32(rel->hold_time);
	strscpy((char *)d->name, rel->name, sizeof(d->name));
	for (i = 0; i < rel->count; i++) {
		d->member[i].source = cpu_to_le32(rel->member[i].source->id);
		d->member[i].state = cpu_to_le32(disk_state(rel->member[i].state));
		d->member[i].epoch = cpu_to_le64(disk_epoch(&rel->member[i]));
		d->member[i].when = cpu_to_le64(rel->member[i].when);
	}
	return len;
}

static int decode_members(struct cohort_rel *rel, const struct cohort_disk_rel *d)
{
	u32 i;

	for (i = 0; i < rel->count; i++) {
		struct cohort_rel_member *m = &rel->member[i];

		m->source = cohort_source_by_id(rel->pool, le32_to_cpu(d->member[i].source));
		m->state = le32_to_cpu(d->member[i].state);
		m->epoch = le64_to_cpu(d->member[i].epoch);
		m->when = le64_to_cpu(d->member[i].when);
		if (!m->source || !cohort_state_copy_name(m->state) ||
		    m->state == COHORT_COPY_STATE_MIXED ||
		    m->state == COHORT_COPY_STATE_SKEWED || m->epoch > COHORT_EPOCH_MAX)
			return -EUCLEAN;
	}
	return 0;
}

static int decode_fields(struct cohort_rel *rel, const struct cohort_disk_rel *d)
{
	rel->id = le32_to_cpu(d->hdr.id);
	import_uuid(&rel->uuid, d->uuid);
	rel->sync_type = le32_to_cpu(d->sync_type);
	rel->mode = le32_to_cpu(d->mode);
	rel->consistency = le32_to_cpu(d->consistency);
	rel->flags = le32_to_cpu(d->flags);
	rel->space_limit = le64_to_cpu(d->space_limit);
	rel->remove_after = le64_to_cpu(d->remove_after);
	rel->hold_time = min(le32_to_cpu(d->hold_time), COHORT_HOLD_TIME_MAX);
	rel->source_group = cohort_group_by_id(rel->pool, le32_to_cpu(d->source_group));
	rel->target_group = cohort_group_by_id(rel->pool, le32_to_cpu(d->target_group));
	if (!rel->id || rel->id == U32_MAX || !cohort_state_type_known(rel->sync_type) ||
	    !rel->source_group || !rel->target_group)
		return -EUCLEAN;
	return decode_members(rel, d);
}

struct cohort_rel *cohort_rel_by_id(struct cohort_pool *pool, u32 id)
{
	struct cohort_rel *rel;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(rel, &pool->rels, list)
		if (rel->id == id)
			return rel;
	return NULL;
}

/* The newest record of an id counts: it takes the place of an older one. */
int cohort_rel_decode(struct cohort_pool *pool, const void *record)
{
	const struct cohort_disk_rel *d = record;
	u32 count = le32_to_cpu(d->count);
	char name[COHORT_DISK_NAME];
	struct cohort_rel *rel, *old;
	int err;

	if (!count || count > COHORT_MEMBERS_MAX ||
	    cohort_name_decode(name, d->name, sizeof(name)) || !name[0])
		return -EUCLEAN;
	rel = cohort_rel_alloc(pool, name, count);
	if (!rel)
		return -ENOMEM;
	err = decode_fields(rel, d);
	old = err ? NULL : cohort_rel_by_id(pool, rel->id);
	if (!err && cohort_find_rel(name) && cohort_find_rel(name) != old)
		err = -EEXIST;
	if (err) {
		cohort_rel_put(rel);
		return err;
	}
	if (old) {
		cohort_rel_unlink(old);
		cohort_rel_put(old);
	}
	pool->next_id = max(pool->next_id, rel->id + 1);
	cohort_rel_update_state(rel);
	cohort_rel_link(rel);
	return 0;
}
