// SPDX-License-Identifier: GPL-2.0-only
/* source.c - source elements: in memory, as records. */
#include <linux/mm.h>
#include <linux/slab.h>
#include "epoch.h"
#include "pool.h"
#include "registry.h"
#include "source.h"
#include "volume.h"

struct cohort_source *cohort_source_alloc(struct cohort_pool *pool, const char *name)
{
	struct cohort_source *source = kvzalloc(sizeof(*source), GFP_NOIO);

	if (!source)
		return NULL;
	kref_init(&source->kref);
	cohort_space_init(&source->space);
	INIT_LIST_HEAD(&source->list);
	source->pool = pool;
	source->id = pool->next_id++;
	source->state = COHORT_SOURCE_STATE_DETACHED;
	strscpy(source->name, name, sizeof(source->name));
	return source;
}

static void source_release(struct kref *kref)
{
	struct cohort_source *source = container_of(kref, struct cohort_source, kref);

	cohort_live_clear(&source->live);
	cohort_space_exit(&source->space);
	kvfree_rcu(source, rcu);
}

void cohort_source_get(struct cohort_source *source)
{
	kref_get(&source->kref);
}

void cohort_source_put(struct cohort_source *source)
{
	kref_put(&source->kref, source_release);
}

int cohort_source_link(struct cohort_source *source)
{
	struct cohort_pool *pool = source->pool;
	int err = xa_insert(&pool->source_ids, source->id, source, GFP_NOIO);

	lockdep_assert_held(&cohort_lock);
	if (err)
		return err;
	list_add_tail(&source->list, &pool->sources);
	pool->nr_sources++;
	return 0;
}

void cohort_source_unlink(struct cohort_source *source)
{
	lockdep_assert_held(&cohort_lock);
	xa_erase(&source->pool->source_ids, source->id);
	list_del_init(&source->list);
	source->pool->nr_sources--;
}

struct cohort_source *cohort_source_by_id(struct cohort_pool *pool, u32 id)
{
	return xa_load(&pool->source_ids, id);
}

int cohort_source_live_add(struct cohort_source *source, u64 epoch)
{
	int err = cohort_space_open(&source->space, epoch);

	lockdep_assert_held(&cohort_cut_mutex);
	return err ? err : cohort_live_add(&source->live, epoch);
}

void cohort_source_live_del(struct cohort_source *source, u64 epoch)
{
	lockdep_assert_held(&cohort_cut_mutex);
	cohort_live_del(&source->live, epoch);
	if (source->vol)
		cohort_volume_lower(source->vol);
}

void cohort_source_trim(struct cohort_source *source)
{
	u64 oldest = cohort_live_oldest(&source->live), key = U64_MAX;

	lockdep_assert_held(&cohort_cut_mutex);
	if (source->vol)
		key = cohort_volume_oldest_key(source->vol);
	/* an era of a source that comes up goes on from its newest live cut */
	cohort_space_trim(&source->space, min(oldest, key));
}

u64 cohort_source_held(const struct cohort_source *source)
{
	return source->vol ? atomic64_read(&source->vol->held_total) : 0;
}

u32 cohort_source_eras(const struct cohort_source *source)
{
	return source->vol ? cohort_volume_eras(source->vol) : 0;
}

size_t cohort_source_encode(const struct cohort_source *source, void *buf)
{
	struct cohort_disk_source *d = buf;

	memset(d, 0, sizeof(*d));
	cohort_record_header(d, COHORT_REC_SOURCE, source->id, sizeof(*d));
	export_uuid(d->uuid, &source->uuid);
	d->size = cpu_to_le64(source->size);
	d->flags = cpu_to_le32(source->clean ? COHORT_SRC_CLEAN : 0);
	memcpy(d->fingerprint, source->fingerprint, sizeof(d->fingerprint));
	strscpy((char *)d->name, source->name, sizeof(d->name));
	strscpy((char *)d->dm_uuid, source->dm_uuid, sizeof(d->dm_uuid));
	strscpy((char *)d->wwn, source->wwn, sizeof(d->wwn));
	strscpy((char *)d->partuuid, source->partuuid, sizeof(d->partuuid));
	return sizeof(*d);
}

static int decode_fields(struct cohort_source *source, const struct cohort_disk_source *d)
{
	import_uuid(&source->uuid, d->uuid);
	source->size = le64_to_cpu(d->size);
	source->clean = le32_to_cpu(d->flags) & COHORT_SRC_CLEAN;
	memcpy(source->fingerprint, d->fingerprint, sizeof(source->fingerprint));
	if (!source->size || source->size % SECTOR_SIZE || source->size > (1ull << 60) ||
	    cohort_name_decode(source->dm_uuid, d->dm_uuid, sizeof(d->dm_uuid)) ||
	    cohort_name_decode(source->wwn, d->wwn, sizeof(d->wwn)) ||
	    cohort_name_decode(source->partuuid, d->partuuid, sizeof(d->partuuid)))
		return -EUCLEAN;
	return 0;
}

int cohort_source_decode(struct cohort_pool *pool, const void *record)
{
	const struct cohort_disk_source *d = record;
	u32 id = le32_to_cpu(d->hdr.id);
	struct cohort_source *source = cohort_source_by_id(pool, id);
	char name[COHORT_DISK_NAME];
	int err;

	if (!id || cohort_is_overlay(id) ||
	    cohort_name_decode(name, d->name, sizeof(name)) || !name[0])
		return -EUCLEAN;
	if (source)
		return decode_fields(source, d);
	if (cohort_find_source(name))
		return -EEXIST;
	source = cohort_source_alloc(pool, name);
	if (!source)
		return -ENOMEM;
	source->id = id;
	pool->next_id = max(pool->next_id, id + 1);
	err = decode_fields(source, d);
	if (!err)
		err = cohort_source_link(source);
	if (err)
		cohort_source_put(source);
	return err;
}
