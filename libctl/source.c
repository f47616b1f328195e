// SPDX-License-Identifier: LGPL-2.1-or-later
/* source.c - attach and detach: a source in front of its disk */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

/* What attach has learnt of the disk. */
struct disk {
	struct device d;
	struct identity id;
	uint8_t fingerprint[COHORT_FINGERPRINT_LEN];
};

static int source_create(struct cohort *ctx, const struct cohort_source *s, const char *pool_dev)
{
	char uuid[129], params[512];
	const struct dm_table table = {
		.name = s->name,
		.uuid = uuid,
		.target = "cohort-source",
		.params = params,
		.sectors = s->size / SECTOR,
	};
	struct dm_device found;
	int ret = dm_find(ctx, s->name, &found);

	if (ret)
		return ret;
	snprintf(uuid, sizeof(uuid), UUID_SOURCE "%s", s->uuid);
	if (found.exists && !strcmp(found.uuid, uuid))
		return 0;
	if (!s->dev)
		return fail_errno(ctx, ENODEV, "Source", "source %s has no disk", s->name);
	snprintf(params, sizeof(params), "%s %s %s", pool_dev, s->name, s->dev);
	return dm_create(ctx, &table, NULL);
}

/* Calls @fn for the relationships that @source is in, until one fails. */
static int each_relationship(struct cohort *ctx, const char *source, rel_fn fn)
{
	struct cohort_relationship *list = NULL;
	const struct cohort_relationship *rel;
	const struct cohort_member *m;
	int ret = cohort_relationship_list(ctx, &list);

	for (rel = list; !ret && rel; rel = rel->next) {
		cohort_foreach(m, rel->members) {
			if (!m->source || strcmp(m->source, source))
				continue;
			ret = fn(ctx, rel, source);
			break;
		}
	}
	cohort_relationship_free(list);
	return ret;
}

static int make_images(struct cohort *ctx, const struct cohort_relationship *rel,
		       const char *source)
{
	(void)source;
	return images_make_found(ctx, rel);
}

int source_make_images(struct cohort *ctx, const char *name)
{
	return each_relationship(ctx, name, make_images);
}

int source_make_devices(struct cohort *ctx, const char *name)
{
	struct cohort_source *s = NULL;
	struct cohort_pool *pool = NULL;
	int ret = cohort_source_get(ctx, name, &s);

	if (!ret)
		ret = cohort_pool_get(ctx, s->pool, &pool);
	if (!ret)
		ret = source_create(ctx, s, pool->dm_dev);
	if (!ret)
		ret = source_make_images(ctx, name);
	cohort_pool_free(pool);
	cohort_source_free(s);
	return ret;
}

/* NULL without an error when the catalogs do not know it. */
static int source_lookup(struct cohort *ctx, const char *name, struct cohort_source **ret)
{
	struct cohort_error e;
	int result = cohort_source_get(ctx, name, ret);

	if (!result)
		return 0;
	*ret = NULL;
	cohort_get_error(ctx, &e);
	return e.err == ENOENT && e.code == COHORT_RESULT_INVALID_PARAMETER ? 0 : result;
}

static int check_attachable(struct cohort *ctx, const char *pool, const char *name,
			    const char *device, const struct cohort_source *s)
{
	if (!s && !device)
		return fail_errno(ctx, ENOENT, "Source",
				  "no source %s is known: name its device", name);
	if (s && s->pool && strcmp(s->pool, pool))
		return fail_errno(ctx, EINVAL, "Pool", "source %s belongs to pool %s", name,
				  s->pool);
	if (s && s->state == COHORT_SOURCE_STATE_ATTACHED)
		return fail_errno(ctx, EEXIST, "Source", "source %s is attached already", name);
	return dm_check_free(ctx, name, "Source");
}

/* A pool is no disk, and a source on itself would never end. */
static int check_kind(struct cohort *ctx, const struct disk *disk)
{
	if (!strncmp(disk->id.dm_uuid, UUID_POOL, strlen(UUID_POOL)))
		return fail_errno(ctx, EINVAL, "Device", "%s is a pool", disk->d.path);
	return device_check_kind(ctx, &disk->d);
}

static int learn(struct cohort *ctx, const char *path, struct disk *disk)
{
	int err, ret = device_open(ctx, path, DEVICE_READ, true, &disk->d);

	if (ret)
		return ret;
	identity_read(&disk->d, &disk->id);
	ret = check_kind(ctx, disk);
	if (!ret) {
		err = fingerprint_compute(disk->d.fd, disk->d.size, disk->fingerprint);
		if (err)
			ret = fail_errno(ctx, -err, "Device", "cannot read %s: %s", path,
					 strerror(-err));
	}
	/* the table is to claim it next */
	device_close(&disk->d);
	return ret;
}

static const char *optional(const char *text)
{
	return text[0] ? text : NULL;
}

static int send_detach(struct cohort *ctx, const char *name, const uint8_t *fingerprint,
		       int timeout_ms, struct cohort_reply **ret)
{
	struct request r;

	request_new(&r, COHORT_CMD_SOURCE_DETACH, 0);
	request_str(&r, COHORT_A_SOURCE_NAME, name);
	request_bin(&r, COHORT_A_SOURCE_FINGERPRINT, fingerprint, COHORT_FINGERPRINT_LEN);
	return job_run(ctx, &r, timeout_ms, NULL, NULL, ret);
}

struct attach_undo {
	const uint8_t *fingerprint;
	bool known;
};

/* Nothing was written to the disk yet: the fingerprint still holds. */
static void undo_attach(struct cohort *ctx, const struct cohort_reply *reply, void *data)
{
	const struct attach_undo *undo = data;

	if (!reply->name)
		return;
	dm_remove(ctx, reply->name, NULL);
	if (!send_detach(ctx, reply->name, undo->fingerprint, COHORT_WAIT_FOREVER, NULL) &&
	    !undo->known)
		cohort_source_remove(ctx, reply->name, COHORT_WAIT_FOREVER, NULL);
}

static int send_attach(struct cohort *ctx, const char *pool, const char *name,
		       const struct disk *disk, unsigned int flags, bool known, int timeout_ms,
		       struct cohort_reply **ret)
{
	struct attach_undo undo = { disk->fingerprint, known };
	struct request r;
	char dev[32];

	request_new(&r, COHORT_CMD_SOURCE_ATTACH, 0);
	request_str(&r, COHORT_A_SOURCE_NAME, name);
	request_str(&r, COHORT_A_SOURCE_POOL, pool);
	request_u64(&r, COHORT_A_SOURCE_SIZE, disk->d.size);
	request_str(&r, COHORT_A_SOURCE_DEV, device_number(disk->d.dev, dev, sizeof(dev)));
	request_str(&r, COHORT_A_SOURCE_DM_UUID, optional(disk->id.dm_uuid));
	request_str(&r, COHORT_A_SOURCE_WWN, optional(disk->id.wwn));
	request_str(&r, COHORT_A_SOURCE_PARTUUID, optional(disk->id.partuuid));
	request_bin(&r, COHORT_A_SOURCE_FINGERPRINT, disk->fingerprint, COHORT_FINGERPRINT_LEN);
	if (flags & COHORT_FORCE)
		request_u32(&r, COHORT_A_SOURCE_FORCE, 1);
	return job_run(ctx, &r, timeout_ms, undo_attach, &undo, ret);
}

static int find_disk(struct cohort *ctx, const struct cohort_source *s, char *path, size_t size)
{
	const struct recorded recorded = {
		.size = s->size,
		.dm_uuid = s->dm_uuid,
		.wwn = s->wwn,
		.partuuid = s->partuuid,
		.fingerprint = s->clean ? s->fingerprint : NULL,
		.attribute = "Device",
		.name = s->name,
		.hint = ": name it",
	};

	return identity_find(ctx, &recorded, path, size);
}

EXPORT int cohort_attach(struct cohort *ctx, const char *pool, const char *name,
			 const char *device, unsigned int flags, int timeout_ms,
			 struct cohort_reply **result)
{
	struct cohort_source *s = NULL;
	struct disk disk;
	char path[256];
	int ret = check_name(ctx, "Pool", pool);

	if (!ret)
		ret = check_name(ctx, "Source", name);
	if (!ret)
		ret = source_lookup(ctx, name, &s);
	if (!ret)
		ret = check_attachable(ctx, pool, name, device, s);
	if (!ret && !device)
		ret = find_disk(ctx, s, path, sizeof(path));
	if (!ret)
		ret = learn(ctx, device ? device : path, &disk);
	if (!ret)
		ret = send_attach(ctx, pool, name, &disk, flags, s, timeout_ms, result);
	cohort_source_free(s);
	return ret;
}

/* Of the disk as it is without us; without one the mark is simply not clean. */
static const uint8_t *fingerprint_of(struct cohort *ctx, const char *dev,
				     uint8_t fingerprint[COHORT_FINGERPRINT_LEN])
{
	struct device d;
	int err;

	if (!dev || device_open_number(ctx, dev, &d))
		return NULL;
	err = fingerprint_compute(d.fd, d.size, fingerprint);
	device_close(&d);
	return err ? NULL : fingerprint;
}

/* The source's device, if it is still there; images come back if it stays. */
static int source_remove_devices(struct cohort *ctx, const struct cohort_source *s)
{
	struct cohort_error e;
	int ret = dm_check_unused(ctx, s->name);

	if (!ret)
		ret = each_relationship(ctx, s->name, images_check_unused);
	if (ret)
		return ret;
	ret = each_relationship(ctx, s->name, images_remove);
	if (!ret)
		ret = dm_remove(ctx, s->name, NULL);
	if (!ret)
		return 0;
	cohort_get_error(ctx, &e);
	source_make_images(ctx, s->name);
	return fail_again(ctx, &e);
}

static int detach(struct cohort *ctx, const struct cohort_source *s, int timeout_ms,
		  struct cohort_reply **result)
{
	uint8_t fingerprint[COHORT_FINGERPRINT_LEN];
	int ret;

	if (s->state == COHORT_SOURCE_STATE_DETACHED)
		return fail_errno(ctx, EINVAL, "Source", "source %s is not attached", s->name);
	ret = source_remove_devices(ctx, s);
	if (ret)
		return ret;
	return send_detach(ctx, s->name, fingerprint_of(ctx, s->dev, fingerprint), timeout_ms,
			   result);
}

EXPORT int cohort_detach(struct cohort *ctx, const char *name, int timeout_ms,
			 struct cohort_reply **result)
{
	struct cohort_source *s = NULL;
	int ret = check_name(ctx, "Source", name);

	if (!ret)
		ret = cohort_source_get(ctx, name, &s);
	if (ret)
		return ret;
	ret = detach(ctx, s, timeout_ms, result);
	cohort_source_free(s);
	return ret;
}

EXPORT int cohort_source_remove(struct cohort *ctx, const char *name, int timeout_ms,
				struct cohort_reply **result)
{
	struct request r;
	int ret = check_name(ctx, "Source", name);

	if (ret)
		return ret;
	request_new(&r, COHORT_CMD_SOURCE_REMOVE, 0);
	request_str(&r, COHORT_A_SOURCE_NAME, name);
	return job_run(ctx, &r, timeout_ms, NULL, NULL, result);
}
