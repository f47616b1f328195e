// SPDX-License-Identifier: GPL-2.0-only
/* target-source.c - the cohort-source target: the device a host uses, data in place below. */
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "epoch.h"
#include "gate.h"
#include "plant.h"
#include "pool.h"
#include "preserve.h"
#include "registry.h"
#include "source.h"
#include "target.h"
#include "volume.h"

/* A write-zeroes is preserved like a write: no more than the budget holds at once. */
#define WRITE_ZEROES_MAX (COHORT_PRESERVE_BUDGET >> SECTOR_SHIFT)
#define DISCARD_MAX ((64u << 20) >> SECTOR_SHIFT)

struct source_target {
	struct dm_dev *pool_dev;	/* held open, not used */
	struct dm_dev *dev;		/* the disk below */
	struct cohort_pool *pool;
	struct cohort_source *source;
	struct cohort_volume *vol;
};

/* Takes the source's volume, or makes it. Caller holds cohort_lock. */
static int bind_volume(struct source_target *st, struct mapped_device *md,
		       struct cohort_words *words)
{
	struct cohort_source *source = st->source;
	unsigned int noio;

	if (source->vol && source->vol->md != md)
		return cohort_refuse(words, -EBUSY, "source \"%s\" is attached as another device",
				     source->name);
	if (source->vol) {
		cohort_volume_get(source->vol);
	} else {
		struct cohort_volume *vol;

		noio = memalloc_noio_save();
		vol = cohort_volume_new(source, md);
		if (vol && cohort_preserve_init(vol)) {
			cohort_volume_put(vol);
			vol = NULL;
		}
		memalloc_noio_restore(noio);
		if (!vol)
			return cohort_refuse(words, -ENOMEM, "no memory for the source");
		mutex_lock(&cohort_cut_mutex);
		source->vol = vol;
		mutex_unlock(&cohort_cut_mutex);
	}
	st->vol = source->vol;
	source->opens++;
	cohort_source_get(source);
	return 0;
}

static int bind_source(struct dm_target *ti, struct source_target *st, const char *name,
		       struct cohort_words *words)
{
	struct cohort_source *source;
	int err;

	mutex_lock(&cohort_lock);
	source = cohort_find_source(name);
	if (!source || source->pool != st->pool)
		err = cohort_refuse(words, -ENOENT, "pool \"%s\" has no source \"%s\"",
				    st->pool->name, name);
	else if (source->state == COHORT_SOURCE_STATE_DETACHED || source->pending)
		err = cohort_refuse(words, -EINVAL, "source \"%s\" was not attached", name);
	else if (ti->begin || ti->len != source->size >> SECTOR_SHIFT)
		err = cohort_refuse(words, -EINVAL, "source \"%s\" has %llu sectors", name,
				    source->size >> SECTOR_SHIFT);
	else
		err = 0;
	if (!err) {
		st->source = source;
		err = bind_volume(st, dm_table_get_md(ti->table), words);
		if (err)
			st->source = NULL;
	}
	mutex_unlock(&cohort_lock);
	return err;
}

/*
 * With the last table gone, whatever happens to the disk is not seen by us. One of
 * several only sees to it that no cut still uses its disk.
 */
static void unbind_source(struct source_target *st)
{
	struct cohort_source *source = st->source;
	struct cohort_volume *vol = st->vol;
	bool last;

	if (!source)
		return;
	mutex_lock(&cohort_lock);
	last = !--source->opens;
	if (last) {
		mutex_lock(&cohort_cut_mutex);
		source->vol = NULL;
		mutex_unlock(&cohort_cut_mutex);
		if (vol->bdev) {
			source->state = COHORT_SOURCE_STATE_DETACHED;
			source->dev = 0;
			source->dm_dev = 0;
		}
	}
	mutex_unlock(&cohort_lock);
	if (last)
		cohort_preserve_drain(vol);
	else
		wait_event(vol->wait, !atomic_read(&vol->users));
	cohort_volume_put(vol);
	cohort_source_put(source);
}

/* Takes a half-built target as well. */
static void source_destroy(struct dm_target *ti, struct source_target *st)
{
	unbind_source(st);
	if (!IS_ERR_OR_NULL(st->pool))
		cohort_pool_put(st->pool);
	if (st->dev)
		dm_put_device(ti, st->dev);
	if (st->pool_dev)
		dm_put_device(ti, st->pool_dev);
	kfree(st);
}

static int source_open(struct dm_target *ti, struct source_target *st,
		       const struct cohort_args *args, struct cohort_words *words)
{
	int err = dm_get_device(ti, args->pool_dev, COHORT_OPEN_READ, &st->pool_dev);

	if (err)
		return cohort_refuse(words, err, "pool device %s can not be opened",
				     args->pool_dev);
	err = dm_get_device(ti, args->disk, COHORT_OPEN_READ | COHORT_OPEN_WRITE, &st->dev);
	if (err)
		return cohort_refuse(words, err, "disk %s can not be opened", args->disk);
	err = cohort_target_check_disk(st->dev, true, words);
	if (err)
		return err;
	st->pool = cohort_target_pool(st->pool_dev, words);
	if (IS_ERR(st->pool))
		return PTR_ERR(st->pool);
	return bind_source(ti, st, args->name, words);
}

static int source_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct cohort_words words = { };
	struct source_target *st;
	struct cohort_args args;
	int err = cohort_target_args(ti, COHORT_TARGET_SOURCE, argc, argv, &args);

	if (err)
		return err;
	st = kzalloc(sizeof(*st), GFP_KERNEL);
	if (!st) {
		ti->error = "no memory for the target";
		return -ENOMEM;
	}
	err = source_open(ti, st, &args, &words);
	if (err) {
		cohort_target_refuse(ti, err, &words);
		source_destroy(ti, st);
		return err;
	}
	ti->private = st;
	ti->per_io_data_size = sizeof(struct cohort_write);
	ti->num_flush_bios = 1;
	ti->flush_supported = true;
	ti->num_discard_bios = 1;
	ti->num_write_zeroes_bios = 1;
	return 0;
}

static void source_dtr(struct dm_target *ti)
{
	source_destroy(ti, ti->private);
}

static int source_map(struct dm_target *ti, struct bio *bio)
{
	struct source_target *st = ti->private;
	struct cohort_write *w = dm_per_bio_data(bio, sizeof(*w));

	bio_set_dev(bio, st->dev->bdev);
	w->era = NULL;
	/* a flush carries no data: it is neither before nor behind a cut */
	if (!op_is_write(bio_op(bio)) || !bio_sectors(bio))
		return DM_MAPIO_REMAPPED;
	return cohort_preserve_map(st->vol, bio, w);
}

static int source_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct source_target *st = ti->private;

	cohort_write_leave(st->vol, dm_per_bio_data(bio, sizeof(struct cohort_write)));
	return DM_ENDIO_DONE;
}

/* The era a source comes up with: it goes on where the newest live cut left off. */
static int first_era(struct cohort_volume *vol)
{
	struct cohort_era *era;

	if (rcu_access_pointer(vol->era))
		return 0;
	era = cohort_era_new(vol);
	if (!era)
		return -ENOMEM;
	era->gp_done = true;
	mutex_lock(&cohort_cut_mutex);
	/* what was preserved before has no bits */
	era->inexact = true;
	cohort_era_publish(vol, era, 0, cohort_live_newest(&vol->source->live, U64_MAX));
	mutex_unlock(&cohort_cut_mutex);
	return 0;
}

static int source_preresume(struct dm_target *ti)
{
	struct source_target *st = ti->private;
	struct cohort_source *source = st->source;
	int err;

	cohort_volume_refill(st->vol);
	err = first_era(st->vol);
	if (err) {
		DMERR("no memory for source %s", source->name);
		return err;
	}
	mutex_lock(&cohort_lock);
	st->vol->bdev = st->dev->bdev;
	source->dev = st->dev->bdev->bd_dev;
	source->dm_dev = disk_devt(dm_disk(dm_table_get_md(ti->table)));
	if (source->state != COHORT_SOURCE_STATE_ATTACHED) {
		source->state = COHORT_SOURCE_STATE_ATTACHED;
		cohort_notify(&(struct cohort_news) {
			.event = COHORT_EVENT_SOURCE_ATTACHED, .pool = st->pool,
			.source = source,
		});
	}
	mutex_unlock(&cohort_lock);
	cohort_preserve_requeue(st->vol, false);
	cohort_gate_resume(st->vol);
	return 0;
}

/*
 * Held writes hold up a suspend until they are preserved; a noflush one gives them back.
 * Those at a gate would hold it up until its lease ends: it is lost.
 */
static void source_presuspend(struct dm_target *ti)
{
	struct source_target *st = ti->private;

	cohort_gate_suspend(st->vol);
	if (dm_noflush_suspending(ti))
		cohort_preserve_requeue(st->vol, true);
}

static void source_presuspend_undo(struct dm_target *ti)
{
	struct source_target *st = ti->private;

	cohort_preserve_requeue(st->vol, false);
	cohort_gate_resume(st->vol);
}

static void source_postsuspend(struct dm_target *ti)
{
	struct source_target *st = ti->private;

	cohort_preserve_leave_disk(st->vol);
}

static void source_status(struct dm_target *ti, status_type_t type, unsigned int flags,
			  char *result, unsigned int maxlen)
{
	struct source_target *st = ti->private;
	u64 newest = cohort_live_newest(&st->source->live, U64_MAX);
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		DMEMIT("%s %u ", st->pool->name, cohort_volume_eras(st->vol));
		if (newest)
			DMEMIT("%llu ", newest);
		else
			DMEMIT("- ");
		DMEMIT("%llu %u %llu", (u64)atomic64_read(&st->vol->held_total),
		       cohort_volume_old_inflight(st->vol, U64_MAX),
		       (u64)atomic64_read(&st->vol->preserved_total));
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s %s %s", st->pool_dev->name, st->source->name, st->dev->name);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",pool_device=%s,source_name=%s,source_uuid=%pUb,source_device=%s;",
		       st->pool_dev->name, st->source->name, &st->source->uuid, st->dev->name);
		break;
	}
}

static int source_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct source_target *st = ti->private;

	return fn(ti, st->dev, 0, ti->len, data);
}

static void source_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	/* a page that changes between its count and its DMA would put later data before the cut */
	if (!PLANTED("unstable-pages"))
		cohort_want_stable_writes(ti, limits);
	cohort_cap_discard(limits, DISCARD_MAX);
	limits->max_write_zeroes_sectors = min(limits->max_write_zeroes_sectors,
					       WRITE_ZEROES_MAX);
	limits->max_secure_erase_sectors = 0;
}

static struct target_type source_type = {
	.name = "cohort-source",
	.version = { 0, 1, 0 },
	.features = DM_TARGET_SINGLETON | DM_TARGET_NOWAIT,
	.module = THIS_MODULE,
	.ctr = source_ctr,
	.dtr = source_dtr,
	.map = source_map,
	.end_io = source_end_io,
	.preresume = source_preresume,
	.presuspend = source_presuspend,
	.presuspend_undo = source_presuspend_undo,
	.postsuspend = source_postsuspend,
	.status = source_status,
	.iterate_devices = source_iterate_devices,
	.io_hints = source_io_hints,
};

int cohort_target_source_init(void)
{
	return dm_register_target(&source_type);
}

void cohort_target_source_exit(void)
{
	dm_unregister_target(&source_type);
}
