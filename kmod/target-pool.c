// SPDX-License-Identifier: GPL-2.0-only
/* target-pool.c - the cohort-pool target: a device that stands for the pool on it. */
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "log.h"
#include "pool.h"
#include "registry.h"
#include "target.h"

struct pool_target {
	struct dm_dev *dev;
	struct cohort_pool *pool;	/* set by the first preresume */
};

static int pool_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct cohort_words words = { };
	struct pool_target *pt;
	struct cohort_args args;
	int err = cohort_target_args(ti, COHORT_TARGET_POOL, argc, argv, &args);

	if (err)
		return err;
	pt = kzalloc(sizeof(*pt), GFP_KERNEL);
	if (!pt) {
		ti->error = "no memory for the target";
		return -ENOMEM;
	}
	err = dm_get_device(ti, args.disk, COHORT_OPEN_READ | COHORT_OPEN_WRITE, &pt->dev);
	if (err) {
		ti->error = "the device of the pool can not be opened";
		goto err_free;
	}
	err = cohort_target_check_disk(pt->dev, true, &words);
	if (!err)
		err = cohort_pool_check_table(ti->table, pt->dev->bdev, &words);
	if (err) {
		cohort_target_refuse(ti, err, &words);
		goto err_device;
	}
	ti->private = pt;
	ti->num_flush_bios = 1;
	ti->flush_supported = true;
	return 0;

err_device:
	dm_put_device(ti, pt->dev);
err_free:
	kfree(pt);
	return err;
}

static void pool_dtr(struct dm_target *ti)
{
	struct pool_target *pt = ti->private;

	/* a table that was replaced has handed the pool over */
	if (pt->pool && READ_ONCE(pt->pool->table) == ti->table)
		cohort_pool_deactivate(pt->pool);
	dm_put_device(ti, pt->dev);
	kfree(pt);
}

/* Reads see the device below, for people; nobody writes past the log. */
static int pool_map(struct dm_target *ti, struct bio *bio)
{
	struct pool_target *pt = ti->private;

	if (bio_op(bio) != REQ_OP_READ && bio_sectors(bio))
		return DM_MAPIO_KILL;
	bio_set_dev(bio, pt->dev->bdev);
	return DM_MAPIO_REMAPPED;
}

static int pool_preresume(struct dm_target *ti)
{
	struct pool_target *pt = ti->private;
	struct cohort_words words = { };
	int err = cohort_pool_activate(ti->table, pt->dev->bdev, &pt->pool, &words);

	return err ? cohort_target_refuse(ti, err, &words) : 0;
}

static void pool_postsuspend(struct dm_target *ti)
{
	struct pool_target *pt = ti->private;

	if (pt->pool)
		cohort_pool_suspend(pt->pool);
}

static const char *const state_names[] = {
	[COHORT_POOL_STATE_ACTIVE] = "active",
	[COHORT_POOL_STATE_SUSPENDED] = "suspended",
	[COHORT_POOL_STATE_FAILED] = "failed",
};

static void pool_info(struct pool_target *pt, char *result, unsigned int maxlen)
{
	struct cohort_pool *pool = pt->pool;
	unsigned int sz = 0;

	if (!pool) {
		DMEMIT("inactive");
		return;
	}
	mutex_lock(&cohort_lock);
	DMEMIT("%u/%u %u %llu %u %u %s",
	       pool->log->segs.nr - cohort_segments_free(&pool->log->segs),
	       pool->log->segs.nr, pool->log->segs.size >> SECTOR_SHIFT,
	       cohort_pool_preserved(pool), pool->nr_sources, pool->nr_rels,
	       state_names[READ_ONCE(pool->state)]);
	mutex_unlock(&cohort_lock);
}

static void pool_status(struct dm_target *ti, status_type_t type, unsigned int flags,
			char *result, unsigned int maxlen)
{
	struct pool_target *pt = ti->private;
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		pool_info(pt, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s", pt->dev->name);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",pool_device=%s,pool_uuid=%pUb;", pt->dev->name,
		       pt->pool ? &pt->pool->uuid : &uuid_null);
		break;
	}
}

static int pool_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct pool_target *pt = ti->private;

	return fn(ti, pt->dev, 0, ti->len, data);
}

static struct target_type pool_type = {
	.name = "cohort-pool",
	.version = { 0, 1, 0 },
	.features = DM_TARGET_SINGLETON,
	.module = THIS_MODULE,
	.ctr = pool_ctr,
	.dtr = pool_dtr,
	.map = pool_map,
	.preresume = pool_preresume,
	.postsuspend = pool_postsuspend,
	.status = pool_status,
	.iterate_devices = pool_iterate_devices,
};

int cohort_target_pool_init(void)
{
	return dm_register_target(&pool_type);
}

void cohort_target_pool_exit(void)
{
	dm_unregister_target(&pool_type);
}
