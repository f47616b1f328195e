// SPDX-License-Identifier: GPL-2.0-only
/* target-clone.c - the cohort-clone target: an image that becomes a disk of its own. */
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "claim.h"
#include "clone.h"
#include "compat.h"
#include "copy.h"
#include "copying.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"
#include "state.h"
#include "target.h"

#define DISCARD_MAX ((64u << 20) >> SECTOR_SHIFT)

struct clone_target {
	struct dm_dev *pool_dev;	/* held open, not used */
	struct dm_dev *image_dev;	/* NULL: there is none */
	struct dm_dev *dev;		/* the target */
	struct cohort_pool *pool;
	struct cohort_rel *rel;
	u32 index;			/* of the member, from 0 */
	bool opened;			/* its map is in use by us */
	bool has_image;			/* and not one that is lost */
	struct cohort_clone clone;	/* its map is NULL: all is on the target */
	struct cohort_hydrator *hydrator;
};

static struct cohort_rel_member *member_of(const struct clone_target *ct)
{
	return &ct->rel->member[ct->index];
}

/* ---- fit for it? Callers hold cohort_lock. ---- */

static int check_state(const struct clone_target *ct, struct cohort_words *words)
{
	const struct cohort_rel_member *m = member_of(ct);
	const char *name = ct->rel->name;

	if (cohort_member_has_cut(m) && !ct->image_dev)
		return cohort_refuse(words, -EINVAL, "clone %s_%u needs its image", name,
				     ct->index + 1);
	if (cohort_member_has_cut(m) && ct->image_dev->bdev->bd_dev != m->image_dev)
		return cohort_refuse(words, -EINVAL, "%pg is not the image of %s_%u",
				     ct->image_dev->bdev, name, ct->index + 1);
	if (cohort_member_has_cut(m) || m->state == COHORT_COPY_STATE_SYNCHRONIZED ||
	    (m->state == COHORT_COPY_STATE_BROKEN && m->copy->map.count))
		return 0;
	return cohort_refuse(words, -EINVAL, "clone %s_%u is %s", name, ct->index + 1,
			     cohort_state_copy_name(m->state));
}

static int check_target(const struct dm_target *ti, const struct clone_target *ct,
			struct cohort_words *words)
{
	const struct cohort_rel_member *m = member_of(ct);
	u32 i;

	if (ti->begin || ti->len != m->source->size >> SECTOR_SHIFT)
		return cohort_refuse(words, -EINVAL, "clone %s_%u has %llu sectors", ct->rel->name,
				     ct->index + 1, m->source->size >> SECTOR_SHIFT);
	if (bdev_nr_bytes(ct->dev->bdev) < m->source->size)
		return cohort_refuse(words, -EINVAL, "%pg is smaller than source \"%s\"",
				     ct->dev->bdev, m->source->name);
	if (m->copy->users && m->copy->dev != ct->dev->bdev->bd_dev)
		return cohort_refuse(words, -EINVAL, "clone %s_%u has another target",
				     ct->rel->name, ct->index + 1);
	for (i = 0; i < ct->rel->count; i++)
		if (ct->dev->bdev->bd_dev == ct->rel->member[i].source->dm_dev)
			return cohort_refuse(words, -EINVAL, "%pg is source \"%s\"", ct->dev->bdev,
					     ct->rel->member[i].source->name);
	return cohort_claim_check(ct->dev->bdev->bd_dev, NULL, m->copy, 0, words);
}

static int find_member(const struct dm_target *ti, struct clone_target *ct, const char *name,
		       struct cohort_words *words)
{
	struct cohort_rel *rel = cohort_find_rel(name);
	int err;

	if (!rel || rel->pool != ct->pool || rel->pending ||
	    rel->sync_type != COHORT_SYNC_TYPE_CLONE)
		return cohort_refuse(words, -ENOENT, "pool \"%s\" has no clone \"%s\"",
				     ct->pool->name, name);
	if (rel->busy)
		return cohort_refuse(words, -EBUSY, "relationship \"%s\" is being changed", name);
	if (ct->index >= rel->count)
		return cohort_refuse(words, -ENOENT, "relationship \"%s\" has %u members", name,
				     rel->count);
	ct->rel = rel;
	err = check_state(ct, words);
	if (!err)
		err = check_target(ti, ct, words);
	if (err)
		ct->rel = NULL;
	return err;
}

/* ---- constructed and destroyed ---- */

/*
 * Counted as in use before the lock is given up, so that nobody deletes what the map is
 * read for, nor takes the disk.
 */
static int bind_member(struct dm_target *ti, struct clone_target *ct, const char *name,
		       struct cohort_words *words)
{
	int err;

	mutex_lock(&cohort_lock);
	err = find_member(ti, ct, name, words);
	if (!err) {
		cohort_rel_get(ct->rel);
		member_of(ct)->copy->users++;
		member_of(ct)->copy->dev = ct->dev->bdev->bd_dev;
		ct->has_image = cohort_member_has_cut(member_of(ct));
	}
	mutex_unlock(&cohort_lock);
	if (err)
		return err;
	err = cohort_copy_open(ct->rel, ct->index, dm_table_get_md(ti->table), words);
	ct->opened = !err;
	return err;
}

static int make_clone(struct clone_target *ct, struct cohort_words *words)
{
	struct cohort_clone *clone = &ct->clone;

	clone->map = member_of(ct)->copy->live;
	clone->target = ct->dev->bdev;
	clone->image = ct->has_image ? ct->image_dev->bdev : NULL;
	clone->compare = member_of(ct)->copy->compare;
	clone->chunk_shift = ct->pool->chunk_shift;
	clone->size = member_of(ct)->source->size >> SECTOR_SHIFT;
	if (!clone->map)
		return 0;
	if (!cohort_clone_init(clone))
		ct->hydrator = cohort_hydrator_new(clone);
	return ct->hydrator ? 0 : cohort_refuse(words, -ENOMEM, "no memory for the clone");
}

/* Takes a half-built target as well. */
static void clone_destroy(struct dm_target *ti, struct clone_target *ct)
{
	cohort_hydrator_free(ct->hydrator);
	if (ct->clone.map)
		cohort_clone_exit(&ct->clone);
	if (ct->opened)
		cohort_copy_close(ct->rel, ct->index);
	if (ct->rel) {
		mutex_lock(&cohort_lock);
		member_of(ct)->copy->users--;
		mutex_unlock(&cohort_lock);
		wake_up_all(&ct->rel->copies);
		cohort_rel_put(ct->rel);
	}
	if (!IS_ERR_OR_NULL(ct->pool))
		cohort_pool_put(ct->pool);
	if (ct->dev)
		dm_put_device(ti, ct->dev);
	if (ct->image_dev)
		dm_put_device(ti, ct->image_dev);
	if (ct->pool_dev)
		dm_put_device(ti, ct->pool_dev);
	kfree(ct);
}

static int get_devices(struct dm_target *ti, struct clone_target *ct,
		       const struct cohort_args *args, struct cohort_words *words)
{
	int err = dm_get_device(ti, args->pool_dev, COHORT_OPEN_READ, &ct->pool_dev);

	if (err)
		return cohort_refuse(words, err, "pool device %s can not be opened",
				     args->pool_dev);
	if (args->image)
		err = dm_get_device(ti, args->image, COHORT_OPEN_READ, &ct->image_dev);
	if (err)
		return cohort_refuse(words, err, "image %s can not be opened", args->image);
	err = dm_get_device(ti, args->disk, COHORT_OPEN_READ | COHORT_OPEN_WRITE, &ct->dev);
	if (err)
		return cohort_refuse(words, err, "target %s can not be opened", args->disk);
	return cohort_target_check_disk(ct->dev, true, words);
}

static int clone_open(struct dm_target *ti, struct clone_target *ct,
		      const struct cohort_args *args, struct cohort_words *words)
{
	int err = get_devices(ti, ct, args, words);

	if (err)
		return err;
	ct->index = args->member - 1;
	ct->pool = cohort_target_pool(ct->pool_dev, words);
	if (IS_ERR(ct->pool))
		return PTR_ERR(ct->pool);
	err = bind_member(ti, ct, args->name, words);
	return err ? err : make_clone(ct, words);
}

static int clone_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct cohort_words words = { };
	struct clone_target *ct;
	struct cohort_args args;
	int err = cohort_target_args(ti, COHORT_TARGET_CLONE, argc, argv, &args);

	if (err)
		return err;
	ct = kzalloc(sizeof(*ct), GFP_KERNEL);
	if (!ct) {
		ti->error = "no memory for the target";
		return -ENOMEM;
	}
	err = clone_open(ti, ct, &args, &words);
	if (err) {
		cohort_target_refuse(ti, err, &words);
		clone_destroy(ti, ct);
		return err;
	}
	ti->private = ct;
	ti->per_io_data_size = sizeof(struct cohort_clone_io);
	ti->num_flush_bios = 1;
	ti->flush_supported = true;
	ti->num_discard_bios = 1;
	/* whatever the image's device says */
	ti->discards_supported = true;
	return 0;
}

static void clone_dtr(struct dm_target *ti)
{
	clone_destroy(ti, ti->private);
}

/* ---- in use ---- */

static int clone_map(struct dm_target *ti, struct bio *bio)
{
	struct clone_target *ct = ti->private;
	struct cohort_clone_io *io = dm_per_bio_data(bio, sizeof(*io));
	int ret = cohort_clone_map(&ct->clone, bio, io);

	if (io->counted)
		cohort_hydrator_hint(ct->hydrator, bio->bi_iter.bi_sector >> ct->clone.chunk_shift);
	return ret;
}

static int clone_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct clone_target *ct = ti->private;

	return cohort_clone_end_io(&ct->clone, bio, dm_per_bio_data(bio,
				   sizeof(struct cohort_clone_io)), error);
}

static void clone_resume(struct dm_target *ti)
{
	struct clone_target *ct = ti->private;

	if (ct->hydrator)
		cohort_copying_begin(ct->rel, ct->index, &ct->clone, ct->hydrator);
}

static void clone_presuspend(struct dm_target *ti)
{
	struct clone_target *ct = ti->private;

	cohort_copying_end(ct->rel, ct->index, &ct->clone);
}

/* What was written is known after this, without a crash: the next table reads the map. */
static void clone_postsuspend(struct dm_target *ti)
{
	struct clone_target *ct = ti->private;

	if (ct->clone.map && cohort_copymap_commit(ct->clone.map, ct->clone.target))
		DMERR("clone %s_%u: what was written last may be the image's again",
		      ct->rel->name, ct->index + 1);
}

static void clone_status(struct dm_target *ti, status_type_t type, unsigned int flags,
			 char *result, unsigned int maxlen)
{
	struct clone_target *ct = ti->private;
	const struct cohort_copymap *map = ct->clone.map;
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		DMEMIT("%s ", cohort_state_copy_name(READ_ONCE(member_of(ct)->state)));
		if (map)
			DMEMIT("%llu/%llu ", map->map.chunks - (u64)atomic64_read(&map->left),
			       map->map.chunks);
		else
			DMEMIT("- ");
		DMEMIT("%llu", READ_ONCE(member_of(ct)->copy->failed));
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s %s %u %s %s", ct->pool_dev->name, ct->rel->name, ct->index + 1,
		       ct->image_dev ? ct->image_dev->name : "-", ct->dev->name);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",pool_device=%s,relationship=%s,relationship_uuid=%pUb",
		       ct->pool_dev->name, ct->rel->name, &ct->rel->uuid);
		DMEMIT(",member=%u,image_device=%s,target_device=%s;", ct->index + 1,
		       ct->image_dev ? ct->image_dev->name : "-", ct->dev->name);
		break;
	}
}

static int clone_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct clone_target *ct = ti->private;
	int ret = fn(ti, ct->dev, 0, ti->len, data);

	return ret || !ct->image_dev ? ret : fn(ti, ct->image_dev, 0, ti->len, data);
}

static void clone_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	cohort_cap_discard(limits, DISCARD_MAX);
	limits->max_secure_erase_sectors = 0;
}

static struct target_type clone_type = {
	.name = "cohort-clone",
	.version = { 0, 1, 0 },
	.features = DM_TARGET_SINGLETON,
	.module = THIS_MODULE,
	.ctr = clone_ctr,
	.dtr = clone_dtr,
	.map = clone_map,
	.end_io = clone_end_io,
	.resume = clone_resume,
	.presuspend = clone_presuspend,
	.presuspend_undo = clone_resume,
	.postsuspend = clone_postsuspend,
	.status = clone_status,
	.iterate_devices = clone_iterate_devices,
	.io_hints = clone_io_hints,
};

int cohort_target_clone_init(void)
{
	return dm_register_target(&clone_type);
}

void cohort_target_clone_exit(void)
{
	dm_unregister_target(&clone_type);
}
