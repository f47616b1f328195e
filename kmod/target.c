// SPDX-License-Identifier: GPL-2.0-only
/* target.c - what the constructors of the targets share: words, the pool, fit disks. */
#include <linux/blk-integrity.h>
#include <linux/blkdev.h>
#include "pool.h"
#include "registry.h"
#include "target.h"

int cohort_target_args(struct dm_target *ti, enum cohort_target target, unsigned int argc,
		       char **argv, struct cohort_args *args)
{
	const char *why;
	int err = cohort_args_parse(target, argc, argv, args, &why);

	if (err)
		ti->error = (char *)why;
	return err;
}

int cohort_target_refuse(struct dm_target *ti, int err, const struct cohort_words *words)
{
	char name[DM_NAME_LEN] = "";

	dm_copy_name_and_uuid(dm_table_get_md(ti->table), name, NULL);
	DMERR("%s: %s", name, words->text);
	ti->error = "refused, the reason is in the line before";
	return err;
}

struct cohort_pool *cohort_target_pool(struct dm_dev *dev, struct cohort_words *words)
{
	struct cohort_pool *pool;

	mutex_lock(&cohort_lock);
	pool = cohort_find_pool_dev(dev->bdev->bd_dev);
	if (pool)
		cohort_pool_get(pool);
	mutex_unlock(&cohort_lock);
	if (!pool)
		return ERR_PTR(cohort_refuse(words, -ENODEV, "%pg is no active pool", dev->bdev));
	return pool;
}

static bool has_inline_crypto(struct block_device *bdev)
{
#ifdef CONFIG_BLK_INLINE_ENCRYPTION
	return bdev_get_queue(bdev)->crypto_profile;
#else
	return false;
#endif
}

int cohort_target_check_disk(struct dm_dev *dev, bool writable, struct cohort_words *words)
{
	struct block_device *bdev = dev->bdev;

	if (bdev_is_zoned(bdev))
		return cohort_refuse(words, -EINVAL, "%pg is a zoned device", bdev);
	if (dev->dax_dev)
		return cohort_refuse(words, -EINVAL, "%pg is a DAX device", bdev);
	if (bdev_get_integrity(bdev))
		return cohort_refuse(words, -EINVAL, "%pg has an integrity profile", bdev);
	if (has_inline_crypto(bdev))
		return cohort_refuse(words, -EINVAL, "%pg encrypts inline", bdev);
	if (writable && bdev_read_only(bdev))
		return cohort_refuse(words, -EROFS, "%pg is read-only", bdev);
	return 0;
}
