// SPDX-License-Identifier: GPL-2.0-only
/* copy.c - what members of clones are copied to: the target's identity, its copy map, records. */
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "copy.h"
#include "copymap.h"
#include "log.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

static struct cohort_copy *copy_of(const struct cohort_rel *rel, u32 member)
{
	return rel->member[member].copy;
}

static u64 chunks_of(const struct cohort_rel *rel, u32 member)
{
	u32 shift = rel->pool->chunk_shift + SECTOR_SHIFT;

	return DIV_ROUND_UP_ULL(rel->member[member].source->size, 1ull << shift);
}

static struct cohort_copy *copy_alloc(void)
{
	struct cohort_copy *copy = kzalloc(sizeof(*copy), GFP_NOIO);

	if (!copy)
		return NULL;
	INIT_LIST_HEAD(&copy->list);
	mutex_init(&copy->mutex);
	copy->copied = U64_MAX;
	return copy;
}

struct cohort_copy *cohort_copy_new(const struct cohort_target_args *args)
{
	struct cohort_copy *copy = copy_alloc();

	if (!copy)
		return NULL;
	copy->dev = args->dev;
	copy->size = args->size;
	strscpy(copy->dm_uuid, args->dm_uuid ? args->dm_uuid : "", sizeof(copy->dm_uuid));
	strscpy(copy->wwn, args->wwn ? args->wwn : "", sizeof(copy->wwn));
	strscpy(copy->partuuid, args->partuuid ? args->partuuid : "", sizeof(copy->partuuid));
	return copy;
}

void cohort_copy_give(struct cohort_copy *copy, struct cohort_rel *rel, u32 member)
{
	copy->rel = rel->id;
	copy->member = member;
	copy->owner = rel;
	rel->member[member].copy = copy;
}

void cohort_copy_free(struct cohort_copy *copy)
{
	if (copy)
		kvfree(copy->map.segment);
	kfree(copy);
}

u64 cohort_copy_copied(const struct cohort_rel *rel, u32 member)
{
	const struct cohort_copy *copy = copy_of(rel, member);

	lockdep_assert_held(&cohort_lock);
	if (copy->live)
		return copy->live->map.chunks - atomic64_read(&copy->live->left);
	return rel->member[member].state == COHORT_COPY_STATE_SYNCHRONIZED ?
		chunks_of(rel, member) : copy->copied;
}

/* ---- the map on the pool ---- */

void cohort_copy_drop_map(struct cohort_pool *pool, struct cohort_map *map)
{
	u32 i;

	for (i = 0; i < map->count; i++)
		cohort_segments_index_live(&pool->log->segs, map->segment[i], -1);
	kvfree(map->segment);
	memset(map, 0, sizeof(*map));
}

static int make_map(struct cohort_rel *rel, u32 member, struct cohort_map *map)
{
	struct cohort_copymap *cm = cohort_copymap_new(rel->pool, chunks_of(rel, member));
	int err = cm ? cohort_copymap_make(cm) : -ENOMEM;

	if (!err) {
		*map = cm->map;
		cm->map.segment = NULL;
	}
	cohort_copymap_free(cm);
	return err;
}

int cohort_copy_make_maps(struct cohort_rel *rel, bool (*wants)(void *ctx, u32 member), void *ctx,
			  struct cohort_map *maps)
{
	int err = 0;
	u32 i;

	if (!cohort_pool_read_begin_wait(rel->pool))
		return -EIO;
	for (i = 0; i < rel->count && !err; i++)
		if (wants(ctx, i))
			err = make_map(rel, i, &maps[i]);
	cohort_pool_read_end(rel->pool);
	return err;
}

/* ---- the map in memory ---- */

/* -EUCLEAN, -EIO: what is on the target is not known any more. */
static int load_map(struct cohort_rel *rel, struct cohort_copy *copy)
{
	struct cohort_copymap *cm = cohort_copymap_new(rel->pool, copy->map.chunks);
	int err;

	if (!cm)
		return -ENOMEM;
	memcpy(cm->map.uuid, copy->map.uuid, sizeof(cm->map.uuid));
	memcpy(cm->map.segment, copy->map.segment, copy->map.count * sizeof(u32));
	err = cohort_copymap_load(cm);
	if (err) {
		cohort_copymap_free(cm);
		return err;
	}
	mutex_lock(&cohort_lock);
	copy->live = cm;
	mutex_unlock(&cohort_lock);
	return 0;
}

static int read_map(struct cohort_rel *rel, u32 member, struct cohort_words *words)
{
	struct cohort_copy *copy = copy_of(rel, member);
	int err;

	lockdep_assert_held(&copy->mutex);
	if (!copy->map.count)
		return cohort_member_stands_alone(&rel->member[member]) ? 0 :
			cohort_refuse(words, -EINVAL, "member %u of \"%s\" has no copy map",
				      member + 1, rel->name);
	if (!cohort_pool_read_begin(rel->pool))
		return cohort_refuse(words, -EAGAIN, "pool \"%s\" is suspended", rel->pool->name);
	err = load_map(rel, copy);
	cohort_pool_read_end(rel->pool);
	if (err)
		cohort_refuse(words, err, "the copy map of member %u of \"%s\" can not be read",
			      member + 1, rel->name);
	return err;
}

static int check_user(const struct cohort_rel *rel, const struct cohort_copy *copy,
		      const struct mapped_device *md, struct cohort_words *words)
{
	if (copy->opens && copy->md != md)
		return cohort_refuse(words, -EBUSY,
				     "member %u of \"%s\" is in use as another device",
				     copy->member + 1, rel->name);
	return 0;
}

int cohort_copy_open(struct cohort_rel *rel, u32 member, struct mapped_device *md,
		     struct cohort_words *words)
{
	struct cohort_copy *copy = copy_of(rel, member);
	/* reclaim may wait for the pool, which can not be suspended meanwhile, or for this clone */
	unsigned int noio = memalloc_noio_save();
	int err;

	mutex_lock(&copy->mutex);
	err = check_user(rel, copy, md, words);
	if (!err && !copy->opens)
		err = read_map(rel, member, words);
	if (!err) {
		mutex_lock(&cohort_lock);
		copy->md = md;
		copy->opens++;
		mutex_unlock(&cohort_lock);
	}
	mutex_unlock(&copy->mutex);
	memalloc_noio_restore(noio);
	return err;
}

void cohort_copy_close(struct cohort_rel *rel, u32 member)
{
	struct cohort_copy *copy = copy_of(rel, member);
	struct cohort_copymap *cm = NULL;

	mutex_lock(&copy->mutex);
	mutex_lock(&cohort_lock);
	if (!--copy->opens) {
		copy->copied = cohort_copy_copied(rel, member);
		cm = copy->live;
		copy->live = NULL;
		copy->md = NULL;
	}
	mutex_unlock(&cohort_lock);
	cohort_copymap_free(cm);
	mutex_unlock(&copy->mutex);
}

/* ---- records ---- */

size_t cohort_copy_len_with(u32 count)
{
	return round_up(struct_size((struct cohort_disk_clone *)NULL, segment, count), 8);
}

/* Segments of a map that the record says of. */
static u32 recorded_count(const struct cohort_rel *rel, u32 member)
{
	return cohort_copy_is_recorded(rel->member[member].state) ?
		copy_of(rel, member)->map.count : 0;
}

size_t cohort_copy_record_len(const struct cohort_rel *rel, u32 member)
{
	return cohort_copy_len_with(recorded_count(rel, member));
}

size_t cohort_copy_records_len(const struct cohort_rel *rel)
{
	size_t len = 0;
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (copy_of(rel, i))
			len += cohort_copy_record_len(rel, i);
	return len;
}

size_t cohort_copy_encode(const struct cohort_rel *rel, u32 member, bool map, void *buf)
{
	const struct cohort_copy *copy = copy_of(rel, member);
	const u32 count = map ? recorded_count(rel, member) : 0;
	struct cohort_disk_clone *d = buf;
	size_t len = cohort_copy_len_with(count);
	u32 i;

	memset(d, 0, len);
	cohort_record_header(d, COHORT_REC_CLONE, rel->id, len);
	d->member = cpu_to_le32(member);
	d->count = cpu_to_le32(count);
	if (count)
		memcpy(d->map, copy->map.uuid, sizeof(d->map));
	d->size = cpu_to_le64(copy->size);
	d->flags = cpu_to_le32(copy->compare ? COHORT_CLONE_COMPARE : 0);
	strscpy((char *)d->dm_uuid, copy->dm_uuid, sizeof(d->dm_uuid));
	strscpy((char *)d->wwn, copy->wwn, sizeof(d->wwn));
	strscpy((char *)d->partuuid, copy->partuuid, sizeof(d->partuuid));
	for (i = 0; i < count; i++)
		d->segment[i] = cpu_to_le32(copy->map.segment[i]);
	return len;
}

static int decode_map(struct cohort_copy *copy, const struct cohort_disk_clone *d, u32 nr_segments)
{
	u32 count = le32_to_cpu(d->count), i;

	if (!count)
		return 0;
	copy->map.segment = kvmalloc_array(count, sizeof(u32), GFP_NOIO);
	if (!copy->map.segment)
		return -ENOMEM;
	memcpy(copy->map.uuid, d->map, sizeof(copy->map.uuid));
	copy->map.count = count;
	for (i = 0; i < count; i++) {
		copy->map.segment[i] = le32_to_cpu(d->segment[i]);
		if (copy->map.segment[i] >= nr_segments)
			return -EUCLEAN;
	}
	return 0;
}

static int decode_fields(struct cohort_copy *copy, const struct cohort_disk_clone *d,
			 u32 nr_segments)
{
	copy->rel = le32_to_cpu(d->hdr.id);
	copy->member = le32_to_cpu(d->member);
	copy->size = le64_to_cpu(d->size);
	copy->compare = le32_to_cpu(d->flags) & COHORT_CLONE_COMPARE;
	if ((le32_to_cpu(d->flags) & ~COHORT_CLONE_KNOWN) ||
	    cohort_name_decode(copy->dm_uuid, d->dm_uuid, sizeof(d->dm_uuid)) ||
	    cohort_name_decode(copy->wwn, d->wwn, sizeof(d->wwn)) ||
	    cohort_name_decode(copy->partuuid, d->partuuid, sizeof(d->partuuid)))
		return -EUCLEAN;
	return decode_map(copy, d, nr_segments);
}

static void unload(struct cohort_copy *copy)
{
	list_del(&copy->list);
	cohort_copy_free(copy);
}

/* The newest record of a member counts. */
static void unload_older(struct cohort_pool *pool, const struct cohort_copy *newer)
{
	struct cohort_copy *copy, *next;

	list_for_each_entry_safe(copy, next, &pool->copies, list)
		if (copy->rel == newer->rel && copy->member == newer->member)
			unload(copy);
}

int cohort_copy_decode(struct cohort_pool *pool, const void *record)
{
	struct cohort_copy *copy;
	int err;

	if (!pool->sb.clones)
		return -EUCLEAN;
	copy = copy_alloc();
	if (!copy)
		return -ENOMEM;
	err = decode_fields(copy, record, pool->sb.nr_segments);
	if (err) {
		cohort_copy_free(copy);
		return err;
	}
	unload_older(pool, copy);
	list_add_tail(&copy->list, &pool->copies);
	return 0;
}

void cohort_copy_unload_rel(struct cohort_pool *pool, u32 rel)
{
	struct cohort_copy *copy, *next;

	list_for_each_entry_safe(copy, next, &pool->copies, list)
		if (copy->rel == rel)
			unload(copy);
}

void cohort_copy_unload_all(struct cohort_pool *pool)
{
	struct cohort_copy *copy, *next;

	list_for_each_entry_safe(copy, next, &pool->copies, list)
		unload(copy);
}

/* ---- behind a replay ---- */

static bool has_map(struct cohort_copy *copy, const struct cohort_rel *rel, u32 member)
{
	const u64 chunks = chunks_of(rel, member);

	copy->map.chunks = chunks;
	return chunks <= COHORT_MAP_CHUNKS_MAX &&
		copy->map.count == cohort_map_segments(chunks, rel->pool->sb.segment_size);
}

/* A cut that is needed and a map go together. */
static bool fits(struct cohort_copy *copy, const struct cohort_rel *rel)
{
	const struct cohort_rel_member *m = &rel->member[copy->member];

	if (m->copy || copy->size < m->source->size)
		return false;
	if (m->state == COHORT_COPY_STATE_BROKEN && !copy->map.count)
		return true;
	if (cohort_copy_has_cut(m->state) && m->epoch)
		return has_map(copy, rel, copy->member);
	if (m->state == COHORT_COPY_STATE_BROKEN)
		return has_map(copy, rel, copy->member);
	return !m->epoch && !copy->map.count;
}

static int take_segments(struct cohort_pool *pool, const struct cohort_copy *copy,
			 const struct cohort_segment_entry *table)
{
	u32 i, seg;

	for (i = 0; i < copy->map.count; i++) {
		seg = copy->map.segment[i];
		if (!table[seg].seq || table[seg].kind != COHORT_SEGMENT_MAP)
			return -EUCLEAN;
		cohort_segments_index_live(&pool->log->segs, seg, 1);
	}
	return 0;
}

static int bind_one(struct cohort_pool *pool, struct cohort_copy *copy,
		    const struct cohort_segment_entry *table)
{
	struct cohort_rel *rel = cohort_rel_by_id(pool, copy->rel);

	if (!rel) {
		unload(copy);
		return 0;
	}
	if (rel->sync_type != COHORT_SYNC_TYPE_CLONE || copy->member >= rel->count ||
	    !fits(copy, rel))
		return -EUCLEAN;
	list_del_init(&copy->list);
	cohort_copy_give(copy, rel, copy->member);
	return take_segments(pool, copy, table);
}

static bool all_bound(const struct cohort_pool *pool)
{
	const struct cohort_rel *rel;
	u32 i;

	list_for_each_entry(rel, &pool->rels, list)
		for (i = 0; i < rel->count; i++)
			if (rel->sync_type == COHORT_SYNC_TYPE_CLONE && !rel->member[i].copy)
				return false;
	return true;
}

int cohort_copy_bind(struct cohort_pool *pool, const struct cohort_segment_entry *table)
{
	struct cohort_copy *copy, *next;
	int err = 0;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry_safe(copy, next, &pool->copies, list)
		if (!err)
			err = bind_one(pool, copy, table);
	return err || all_bound(pool) ? err : -EUCLEAN;
}
