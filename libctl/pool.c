// SPDX-License-Identifier: LGPL-2.1-or-later
/* pool.c - pools: format a device, make the pool, take it down, wipe it */
#include <errno.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "../kmod/codec.h"
#include "private.h"

static_assert(COHORT_DISK_NAME == COHORT_NAME_MAX + 1, "names fit into the superblock");

static int io_failed(struct cohort *ctx, const struct device *d, int err, const char *what)
{
	return fail_errno(ctx, -err, "Device", "cannot %s %s: %s", what, d->path, strerror(-err));
}

/* Both copies of the superblock, zeroes where the device ends before. */
static int read_supers(struct cohort *ctx, const struct device *d, uint8_t **ret)
{
	void *buf;
	int err = 0;

	if (posix_memalign(&buf, DEVICE_ALIGN, 2 * COHORT_BLOCK))
		return fail_memory(ctx);
	memset(buf, 0, 2 * COHORT_BLOCK);
	if (d->size >= COHORT_SUPER_A + COHORT_BLOCK)
		err = device_read(d->fd, buf, COHORT_BLOCK, COHORT_SUPER_A);
	if (!err && d->size >= COHORT_SUPER_B + COHORT_BLOCK)
		err = device_read(d->fd, (uint8_t *)buf + COHORT_BLOCK, COHORT_BLOCK,
				  COHORT_SUPER_B);
	if (err) {
		free(buf);
		return io_failed(ctx, d, err, "read");
	}
	*ret = buf;
	return 0;
}

/* -errno as cohort_super_choose(), or a CIM result in *@result when reading failed. */
static int find_super(struct cohort *ctx, const struct device *d, struct cohort_super *sb,
		      const char **why, int *result)
{
	uint8_t *buf = NULL;
	int err;

	*result = read_supers(ctx, d, &buf);
	if (*result)
		return -EIO;
	err = cohort_super_choose(sb, buf, buf + COHORT_BLOCK, d->size, why);
	free(buf);
	return err;
}

int pool_check_none(struct cohort *ctx, const struct device *d)
{
	struct cohort_super sb;
	const char *why;
	int ret, err = find_super(ctx, d, &sb, &why, &ret);

	if (ret || err == -ENOENT)
		return ret;
	if (err)
		return fail_errno(ctx, EEXIST, "Device",
				  "%s carries a cohort pool (%s), which would be lost", d->path,
				  why);
	return fail_errno(ctx, EEXIST, "Device",
			  "%s carries the cohort pool %s, which would be lost", d->path, sb.name);
}

static int write_super(const struct device *d, const struct cohort_super *sb)
{
	void *buf;
	int err;

	if (posix_memalign(&buf, DEVICE_ALIGN, COHORT_BLOCK))
		return -ENOMEM;
	cohort_super_encode(sb, buf);
	err = device_write(d->fd, buf, COHORT_BLOCK, cohort_super_address(sb->generation));
	free(buf);
	if (!err && fsync(d->fd))
		err = -errno;
	return err;
}

static int wipe_supers(const struct device *d)
{
	int err = device_zero(d->fd, COHORT_SUPER_A, COHORT_BLOCK);

	if (!err)
		err = device_zero(d->fd, COHORT_SUPER_B, COHORT_BLOCK);
	if (!err && fsync(d->fd))
		err = -errno;
	return err;
}

/* Everything in front of the segments is zero before the superblock says it is a pool. */
static int format(struct cohort *ctx, const struct device *d, const struct cohort_super *sb)
{
	int err = device_zero(d->fd, 0, sb->segments_start);

	if (!err && fsync(d->fd))
		err = -errno;
	if (!err)
		err = write_super(d, sb);
	return err ? io_failed(ctx, d, err, "write to") : 0;
}

static int check_writable(struct cohort *ctx, const struct device *d)
{
	int read_only = 0;

	if (ioctl(d->fd, BLKROGET, &read_only) || !read_only)
		return 0;
	return fail_errno(ctx, EINVAL, "Device", "%s is read-only", d->path);
}

static int check_device(struct cohort *ctx, const struct device *d, unsigned int flags)
{
	int ret = check_writable(ctx, d);

	if (ret)
		return ret;
	if (flags & COHORT_FORCE)
		return device_wipe_signatures(ctx, d);
	ret = pool_check_none(ctx, d);
	return ret ? ret : device_check_signatures(ctx, d);
}

static int layout(struct cohort *ctx, const struct device *d, const char *name,
		  uint32_t chunk_size, struct cohort_super *sb)
{
	const char *why = "";

	memset(sb, 0, sizeof(*sb));
	uuid_generate(sb->uuid);
	snprintf(sb->name, sizeof(sb->name), "%s", name);
	if (cohort_super_layout(sb, d->size, chunk_size ? chunk_size : COHORT_CHUNK_MIN, &why))
		return fail_errno(ctx, EINVAL, "Device", "%s: %s", d->path, why);
	return 0;
}

static struct dm_table pool_table(const char *name, const char *device, uint64_t size)
{
	return (struct dm_table) {
		.name = name,
		.target = "cohort-pool",
		.params = device,
		.sectors = size / SECTOR,
		/* nothing in it is for anybody to look at */
		.udev_flags = DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |
			      DM_UDEV_DISABLE_DISK_RULES_FLAG | DM_UDEV_DISABLE_OTHER_RULES_FLAG,
	};
}

/* The dm device of a pool; what the superblock says, replayed by the module. */
static int pool_make(struct cohort *ctx, const struct device *d, const struct cohort_super *sb)
{
	char text[37], uuid[129], dev[32];
	struct dm_table table = pool_table(sb->name, device_number(d->dev, dev, sizeof(dev)),
					   d->size);

	uuid_unparse_lower(sb->uuid, text);
	snprintf(uuid, sizeof(uuid), UUID_POOL "%s", text);
	table.uuid = uuid;
	return dm_create(ctx, &table, NULL);
}

/* Its log is what the module refused, for the superblock is good. */
static int refuse_damaged(struct cohort *ctx, const struct device *d,
			  const struct cohort_super *sb, int result)
{
	struct cohort_error e;

	cohort_get_error(ctx, &e);
	if (e.err != EUCLEAN)
		return result;
	return fail_errno(ctx, EUCLEAN, "Device",
			  "pool %s on %s is damaged: 'cohortctl pool check %s' says where",
			  sb->name, d->path, d->path);
}

static int check_name_free(struct cohort *ctx, const char *name)
{
	int ret = check_name(ctx, "Pool", name);

	if (!ret)
		ret = cohort_open(ctx);
	return ret ? ret : dm_check_free(ctx, name, "Pool");
}

/* A pool that could not be made must not stay on its device. */
static void unformat(struct cohort *ctx, const char *device)
{
	struct cohort_error e;
	struct device d;

	cohort_get_error(ctx, &e);
	if (!device_open(ctx, device, DEVICE_WRITE, true, &d)) {
		wipe_supers(&d);
		device_close(&d);
	}
	fail_again(ctx, &e);
}

static int finish(struct cohort *ctx, const char *name, struct cohort_pool **ret)
{
	return ret ? cohort_pool_get(ctx, name, ret) : 0;
}

EXPORT int cohort_pool_create(struct cohort *ctx, const char *name, const char *device,
			      uint32_t chunk_size, unsigned int flags, struct cohort_pool **ret)
{
	struct cohort_super sb;
	struct device d;
	int result = check_name_free(ctx, name);

	if (!result)
		result = device_open(ctx, device, DEVICE_WRITE, true, &d);
	if (result)
		return result;
	result = layout(ctx, &d, name, chunk_size, &sb);
	if (!result)
		result = check_device(ctx, &d, flags);
	if (!result)
		result = format(ctx, &d, &sb);
	device_close(&d);
	if (result)
		return result;
	result = pool_make(ctx, &d, &sb);
	if (result) {
		unformat(ctx, device);
		return result;
	}
	return finish(ctx, name, ret);
}

static int read_pool(struct cohort *ctx, const char *device, struct device *d,
		     struct cohort_super *sb)
{
	const char *why;
	int err, ret = device_open(ctx, device, DEVICE_READ, true, d);

	if (ret)
		return ret;
	err = find_super(ctx, d, sb, &why, &ret);
	device_close(d);
	if (ret || !err)
		return ret;
	return fail(ctx, COHORT_RESULT_INVALID_PARAMETER, -err, "Device", "%s: %s", device, why);
}

/* One that does not come up is no reason for the others. */
static int make_clones(struct cohort *ctx, const struct cohort_relationship *rel,
		       const char *source)
{
	(void)source;
	images_make(ctx, rel);
	return 0;
}

EXPORT int cohort_pool_open(struct cohort *ctx, const char *device, struct cohort_pool **ret)
{
	struct cohort_super sb;
	struct device d;
	int result = cohort_open(ctx);

	if (!result)
		result = read_pool(ctx, device, &d, &sb);
	if (!result)
		result = check_name_free(ctx, sb.name);
	if (!result)
		result = pool_make(ctx, &d, &sb);
	if (result)
		return refuse_damaged(ctx, &d, &sb, result);
	/* those that need no source; they are no reason to have no pool */
	pool_each_clone(ctx, sb.name, make_clones);
	return finish(ctx, sb.name, ret);
}

static struct cohort_pool *pool_of_super(const struct cohort_super *sb)
{
	struct cohort_pool *pool = calloc(1, sizeof(*pool));
	char uuid[UUID_STR_LEN];

	if (!pool)
		return NULL;
	uuid_unparse_lower(sb->uuid, uuid);
	pool->name = strdup(sb->name);
	pool->uuid = strdup(uuid);
	pool->size = sb->size;
	pool->chunk_size = sb->chunk_size;
	pool->segment_size = sb->segment_size;
	pool->generation = sb->generation;
	if (pool->name && pool->uuid)
		return pool;
	cohort_pool_free(pool);
	return NULL;
}

EXPORT int cohort_pool_probe(struct cohort *ctx, const char *device, struct cohort_pool **ret)
{
	struct cohort_super sb;
	const char *why;
	struct device d;
	int result, err = 0;

	*ret = NULL;
	result = device_open(ctx, device, DEVICE_READ, false, &d);
	if (result)
		return result;
	err = find_super(ctx, &d, &sb, &why, &result);
	device_close(&d);
	if (result)
		return result;
	if (err)
		return fail(ctx, COHORT_RESULT_INVALID_PARAMETER, -err, "Device", "%s: %s", device,
			    why);
	*ret = pool_of_super(&sb);
	return *ret ? 0 : fail_memory(ctx);
}

/* Who keeps the pool: its sources, as far as they are attached. */
static int check_no_sources(struct cohort *ctx, const char *name)
{
	struct cohort_source *list = NULL;
	const struct cohort_source *s;
	int ret = cohort_source_list(ctx, &list);

	for (s = list; !ret && s; s = s->next)
		if (s->pool && !strcmp(s->pool, name) && s->state != COHORT_SOURCE_STATE_DETACHED)
			ret = fail_errno(ctx, EBUSY, "Pool",
					 "pool %s is in use: source %s is attached", name, s->name);
	cohort_source_free(list);
	return ret;
}

/* Clones that are whole are there without a source; they come back if the pool stays. */
static int remove_devices(struct cohort *ctx, const char *name)
{
	int ret = pool_each_clone(ctx, name, images_remove);
	struct cohort_error e;

	if (!ret)
		ret = dm_remove(ctx, name, NULL);
	if (!ret)
		return 0;
	cohort_get_error(ctx, &e);
	pool_each_clone(ctx, name, make_clones);
	return fail_again(ctx, &e);
}

static int close_pool(struct cohort *ctx, const char *name, struct cohort_pool **ret)
{
	int result = check_name(ctx, "Pool", name);

	if (!result)
		result = cohort_pool_get(ctx, name, ret);
	if (!result)
		result = check_no_sources(ctx, name);
	if (!result)
		result = pool_each_clone(ctx, name, images_check_unused);
	return result ? result : remove_devices(ctx, name);
}

EXPORT int cohort_pool_close(struct cohort *ctx, const char *name)
{
	struct cohort_pool *pool = NULL;
	int ret = close_pool(ctx, name, &pool);

	cohort_pool_free(pool);
	return ret;
}

static int size_of(struct cohort *ctx, const char *number, uint64_t *size)
{
	struct device d;
	int ret = device_open_number(ctx, number, &d);

	if (ret)
		return ret;
	*size = d.size;
	device_close(&d);
	return 0;
}

/* What people see of the pool is as large as the device below. */
static int resize_device(struct cohort *ctx, const struct cohort_pool *pool)
{
	uint64_t below, now;
	int ret = size_of(ctx, pool->dev, &below);

	if (!ret)
		ret = size_of(ctx, pool->dm_dev, &now);
	if (!ret && now != below) {
		const struct dm_table table = pool_table(pool->name, pool->dev, below);

		ret = dm_replace(ctx, &table);
	}
	return ret;
}

static int send_extend(struct cohort *ctx, const char *name)
{
	struct request r;

	request_new(&r, COHORT_CMD_POOL_EXTEND, 0);
	request_str(&r, COHORT_A_POOL_NAME, name);
	return job_run(ctx, &r, COHORT_WAIT_FOREVER, NULL, NULL, NULL);
}

EXPORT int cohort_pool_extend(struct cohort *ctx, const char *name, struct cohort_pool **ret)
{
	struct cohort_pool *pool = NULL;
	int result = check_name(ctx, "Pool", name);

	if (!result)
		result = send_extend(ctx, name);
	if (!result)
		result = cohort_pool_get(ctx, name, &pool);
	if (!result)
		result = resize_device(ctx, pool);
	if (result || !ret)
		cohort_pool_free(pool);
	else
		*ret = pool;
	return result;
}

EXPORT int cohort_pool_scrub(struct cohort *ctx, const char *name, int timeout_ms,
			     struct cohort_reply **result)
{
	struct request r;
	int ret = check_name(ctx, "Pool", name);

	if (ret)
		return ret;
	request_new(&r, COHORT_CMD_POOL_SCRUB, 0);
	request_str(&r, COHORT_A_POOL_NAME, name);
	return job_run(ctx, &r, timeout_ms, NULL, NULL, result);
}

static int wipe_device(struct cohort *ctx, const char *number)
{
	struct device d, w;
	int err, ret = device_open_number(ctx, number, &d);

	if (ret)
		return ret;
	device_close(&d);
	ret = device_open(ctx, d.path, DEVICE_WRITE, true, &w);
	if (ret)
		return ret;
	err = wipe_supers(&w);
	device_close(&w);
	return err ? io_failed(ctx, &w, err, "write to") : 0;
}

EXPORT int cohort_pool_remove(struct cohort *ctx, const char *name)
{
	struct cohort_pool *pool = NULL;
	int ret = close_pool(ctx, name, &pool);

	if (!ret)
		ret = wipe_device(ctx, pool->dev);
	cohort_pool_free(pool);
	return ret;
}
