// SPDX-License-Identifier: GPL-2.0-only
/* target-replica.c - the cohort-replica target: an image of a source, as a device. */
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "compat.h"
#include "image.h"
#include "image-write.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"
#include "state.h"
#include "target.h"

struct replica_target {
	struct dm_dev *pool_dev;	/* held open, not used */
	struct dm_dev *dev;		/* the disk below the source */
	u32 index;			/* from 0 */
	struct cohort_image image;
};

/* Caller holds cohort_lock. */
static int find_member(struct dm_target *ti, struct replica_target *rt, const char *name,
		       struct cohort_words *words)
{
	struct cohort_rel *rel = cohort_find_rel(name);
	struct cohort_rel_member *m;

	if (!rel || rel->pool != rt->image.pool || rel->pending)
		return cohort_refuse(words, -ENOENT, "pool \"%s\" has no relationship \"%s\"",
				     rt->image.pool->name, name);
	if (rel->busy)
		return cohort_refuse(words, -EBUSY, "relationship \"%s\" is being changed", name);
	if (rt->index >= rel->count)
		return cohort_refuse(words, -ENOENT, "relationship \"%s\" has %u members", name,
				     rel->count);
	m = &rel->member[rt->index];
	if (!cohort_member_has_cut(m))
		return cohort_refuse(words, -EINVAL, "image %s_%u is %s", name, rt->index + 1,
				     cohort_state_copy_name(m->state));
	if (ti->begin || ti->len != m->source->size >> SECTOR_SHIFT)
		return cohort_refuse(words, -EINVAL, "image %s_%u has %llu sectors", name,
				     rt->index + 1, m->source->size >> SECTOR_SHIFT);
	if (m->source->dev && m->source->dev != rt->dev->bdev->bd_dev)
		return cohort_refuse(words, -EINVAL, "%pg is not the disk of source \"%s\"",
				     rt->dev->bdev, m->source->name);
	rt->image.rel = rel;
	rt->image.member = m;
	rt->image.index = rt->index;
	/* a table that is loaded for writing: the images of others stay as they are */
	rt->image.writable = (dm_table_get_mode(ti->table) & COHORT_OPEN_WRITE) &&
		!(rel->flags & COHORT_RELATIONSHIP_FLAGS_READ_ONLY) && !m->copy;
	return 0;
}

/* What is copied is read from one device, and its clone knows which. */
static int check_alone(const struct cohort_rel_member *m, dev_t dev, struct cohort_words *words)
{
	if (m->copy && m->opens && m->image_dev != dev)
		return cohort_refuse(words, -EBUSY, "the image is in use as another device");
	return 0;
}

static int bind_rel(struct dm_target *ti, struct replica_target *rt, const char *name,
		    struct cohort_words *words)
{
	dev_t dev = disk_devt(dm_disk(dm_table_get_md(ti->table)));
	struct cohort_image *image = &rt->image;
	int err;

	mutex_lock(&cohort_lock);
	err = find_member(ti, rt, name, words);
	if (!err)
		err = check_alone(image->member, dev, words);
	if (err)
		image->rel = NULL;
	if (!err) {
		image->source = image->member->source;
		image->bdev = rt->dev->bdev;
		image->chunk_shift = image->pool->chunk_shift;
		image->member->opens++;
		image->member->image_dev = dev;
		cohort_rel_get(image->rel);
		cohort_source_get(image->source);
	}
	mutex_unlock(&cohort_lock);
	return err;
}

/* Takes a half-built target as well. */
static void replica_destroy(struct dm_target *ti, struct replica_target *rt)
{
	struct cohort_image *image = &rt->image;

	cohort_image_unreserve(image);
	if (image->rel) {
		mutex_lock(&cohort_lock);
		if (!--image->member->opens)
			image->member->image_dev = 0;
		mutex_unlock(&cohort_lock);
		cohort_source_put(image->source);
		cohort_rel_put(image->rel);
	}
	if (!IS_ERR_OR_NULL(image->pool))
		cohort_pool_put(image->pool);
	if (rt->dev)
		dm_put_device(ti, rt->dev);
	if (rt->pool_dev)
		dm_put_device(ti, rt->pool_dev);
	kfree(rt);
}

static int replica_open(struct dm_target *ti, struct replica_target *rt,
			const struct cohort_args *args, struct cohort_words *words)
{
	int err;

	rt->index = args->member - 1;
	err = dm_get_device(ti, args->pool_dev, COHORT_OPEN_READ, &rt->pool_dev);
	if (err)
		return cohort_refuse(words, err, "pool device %s can not be opened",
				     args->pool_dev);
	err = dm_get_device(ti, args->disk, COHORT_OPEN_READ, &rt->dev);
	if (err)
		return cohort_refuse(words, err, "disk %s can not be opened", args->disk);
	err = cohort_target_check_disk(rt->dev, false, words);
	if (err)
		return err;
	rt->image.pool = cohort_target_pool(rt->pool_dev, words);
	if (IS_ERR(rt->image.pool))
		return PTR_ERR(rt->image.pool);
	err = bind_rel(ti, rt, args->name, words);
	if (!err && !cohort_image_reserve(&rt->image))
		err = cohort_refuse(words, -ENOMEM, "no memory for the image");
	return err;
}

static int replica_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct cohort_words words = { };
	struct replica_target *rt;
	struct cohort_args args;
	int err = cohort_target_args(ti, COHORT_TARGET_REPLICA, argc, argv, &args);

	if (err)
		return err;
	rt = kzalloc(sizeof(*rt), GFP_KERNEL);
	if (!rt) {
		ti->error = "no memory for the target";
		return -ENOMEM;
	}
	err = replica_open(ti, rt, &args, &words);
	if (err) {
		cohort_target_refuse(ti, err, &words);
		replica_destroy(ti, rt);
		return err;
	}
	ti->private = rt;
	ti->per_io_data_size = max(sizeof(struct cohort_image_read),
				   sizeof(struct cohort_image_write));
	ti->num_flush_bios = 1;
	ti->flush_supported = true;
	return 0;
}

static void replica_dtr(struct dm_target *ti)
{
	replica_destroy(ti, ti->private);
}

static int replica_map(struct dm_target *ti, struct bio *bio)
{
	struct replica_target *rt = ti->private;
	struct cohort_image_read *r = dm_per_bio_data(bio, sizeof(*r));
	struct cohort_image_write *w;

	if (bio_op(bio) == REQ_OP_READ)
		return cohort_image_map(&rt->image, bio, r);
	if (bio_op(bio) == REQ_OP_WRITE && bio_sectors(bio) && rt->image.writable)
		return cohort_image_write_map(&rt->image, bio, dm_per_bio_data(bio, sizeof(*w)));
	/* what was written is durable when it ends; and of a read-only device it is no error */
	if (bio_op(bio) == REQ_OP_FLUSH || !bio_sectors(bio)) {
		r->where = U8_MAX;
		bio_endio(bio);
		return DM_MAPIO_SUBMITTED;
	}
	return DM_MAPIO_KILL;
}

static int replica_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct replica_target *rt = ti->private;

	if (bio_op(bio) != REQ_OP_READ)
		return DM_ENDIO_DONE;
	return cohort_image_end_io(&rt->image, bio, dm_per_bio_data(bio,
				   sizeof(struct cohort_image_read)), error);
}

static void replica_status(struct dm_target *ti, status_type_t type, unsigned int flags,
			   char *result, unsigned int maxlen)
{
	struct replica_target *rt = ti->private;
	struct cohort_image *image = &rt->image;
	u32 state = READ_ONCE(image->rel->dead) ? COHORT_COPY_STATE_BROKEN :
		READ_ONCE(image->member->state);
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		DMEMIT("%s %llu %llu %llu", cohort_state_copy_name(state), image->member->epoch,
		       (u64)atomic64_read(&image->from_pool),
		       (u64)atomic64_read(&image->from_source));
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s %s %u %s", rt->pool_dev->name, image->rel->name, rt->index + 1,
		       rt->dev->name);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",pool_device=%s,relationship=%s,relationship_uuid=%pUb",
		       rt->pool_dev->name, image->rel->name, &image->rel->uuid);
		DMEMIT(",member=%u,source_device=%s;", rt->index + 1, rt->dev->name);
		break;
	}
}

static int replica_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn,
				   void *data)
{
	struct replica_target *rt = ti->private;
	int ret = fn(ti, rt->dev, 0, ti->len, data);

	/* chunks are read from the pool, too: its block size counts */
	return ret ? ret : fn(ti, rt->pool_dev, 0, COHORT_BLOCK >> SECTOR_SHIFT, data);
}

static struct target_type replica_type = {
	.name = "cohort-replica",
	.version = { 0, 1, 0 },
	.features = DM_TARGET_SINGLETON,
	.module = THIS_MODULE,
	.ctr = replica_ctr,
	.dtr = replica_dtr,
	.map = replica_map,
	.end_io = replica_end_io,
	.status = replica_status,
	.iterate_devices = replica_iterate_devices,
};

int cohort_target_replica_init(void)
{
	int err = cohort_image_init();

	if (err)
		return err;
	err = dm_register_target(&replica_type);
	if (err)
		cohort_image_exit();
	return err;
}

void cohort_target_replica_exit(void)
{
	dm_unregister_target(&replica_type);
	cohort_image_exit();
}
