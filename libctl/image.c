// SPDX-License-Identifier: LGPL-2.1-or-later
/* image.c - the devices of a relationship: one image per member */
#include <errno.h>
#include <inttypes.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

static bool is_clone(const struct cohort_relationship *rel)
{
	return rel->sync_type == COHORT_SYNC_TYPE_CLONE;
}

/* The names that people know are those of the clones in front. */
void image_name(const struct cohort_relationship *rel, const struct cohort_member *member,
		char *name, size_t size)
{
	if (is_clone(rel))
		snprintf(name, size, "cohort-%s-%u", rel->uuid, member->index);
	else if (member->name && member->name[0])
		snprintf(name, size, "%s", member->name);
	else
		snprintf(name, size, "%s_%u", rel->name, member->index);
}

static void image_uuid(const struct cohort_relationship *rel, const struct cohort_member *member,
		       char *uuid, size_t size)
{
	snprintf(uuid, size, UUID_IMAGE "%s-%u", rel->uuid, member->index);
}

/*
 * An image is equal to its source, file-system UUID and all: unless it was made
 * visible udev must not look into it, and even then the live device is preferred.
 */
uint16_t image_udev_flags(const struct cohort_relationship *rel)
{
	if (rel->flags & COHORT_RELATIONSHIP_FLAGS_UDEV_VISIBLE)
		return DM_UDEV_LOW_PRIORITY_FLAG;
	return DM_UDEV_DISABLE_DISK_RULES_FLAG | DM_UDEV_DISABLE_OTHER_RULES_FLAG;
}

int image_find(struct cohort *ctx, const struct cohort_relationship *rel,
	       const struct cohort_member *member, struct dm_device *found)
{
	char name[256], uuid[129];
	int ret;

	image_name(rel, member, name, sizeof(name));
	image_uuid(rel, member, uuid, sizeof(uuid));
	ret = dm_find(ctx, name, found);
	if (ret || !found->exists || !strcmp(found->uuid, uuid))
		return ret;
	found->exists = false;
	return fail_errno(ctx, EEXIST, "RelationshipName",
			  "%s%s is there already and is no image of %s", DM_DIR, name, rel->name);
}

static int image_table(struct cohort *ctx, const struct cohort_relationship *rel,
		       const struct cohort_member *member, const struct cohort_source *source,
		       const char *pool_dev, struct dm_batch *batch)
{
	char name[256], uuid[129], params[512];
	const struct dm_table table = {
		.name = name,
		.uuid = uuid,
		.target = "cohort-replica",
		.params = params,
		.sectors = source->size / SECTOR,
		.read_only = is_clone(rel) || (rel->flags & COHORT_RELATIONSHIP_FLAGS_READ_ONLY),
		.udev_flags = is_clone(rel) ? DM_UDEV_DISABLE_DISK_RULES_FLAG |
					      DM_UDEV_DISABLE_OTHER_RULES_FLAG :
					      image_udev_flags(rel),
	};

	image_name(rel, member, name, sizeof(name));
	image_uuid(rel, member, uuid, sizeof(uuid));
	snprintf(params, sizeof(params), "%s %s %u %s", pool_dev, rel->name, member->index,
		 source->dev);
	return dm_create(ctx, &table, batch);
}

int image_make(struct cohort *ctx, const struct cohort_relationship *rel,
	       const struct cohort_member *member, const struct cohort_source *source,
	       const char *pool_dev, struct dm_batch *batch, bool *made)
{
	struct dm_device found;
	int ret = image_find(ctx, rel, member, &found);

	*made = false;
	if (ret || found.exists)
		return ret;
	ret = image_table(ctx, rel, member, source, pool_dev, batch);
	*made = !ret;
	return ret;
}

static bool has_cut(uint32_t copy_state)
{
	return copy_state == COHORT_COPY_STATE_SYNCHRONIZED ||
	       copy_state == COHORT_COPY_STATE_SKEWED;
}

/* *@made: it was not there before. A source that is not attached has no images. */
static int member_make(struct cohort *ctx, const struct cohort_relationship *rel,
		       const struct cohort_member *member, const char *pool_dev,
		       struct dm_batch *batch, bool *made)
{
	struct cohort_source *source = NULL;
	int ret;

	*made = false;
	if (!has_cut(member->copy_state) || !member->source)
		return 0;
	ret = cohort_source_get(ctx, member->source, &source);
	if (ret)
		return ret;
	if (source->state == COHORT_SOURCE_STATE_ATTACHED && source->dev)
		ret = image_make(ctx, rel, member, source, pool_dev, batch, made);
	cohort_source_free(source);
	return ret;
}

/* Takes back the images made here, which are those before @end marked in @made. */
static void unmake(struct cohort *ctx, const struct cohort_relationship *rel,
		   const struct cohort_member *end, const bool *made)
{
	const struct cohort_member *m;
	struct dm_batch batch = { 0 };
	struct cohort_error e;
	char name[256];
	size_t i = 0;

	cohort_get_error(ctx, &e);
	for (m = rel->members; m != end; m = m->next, i++) {
		if (!made[i])
			continue;
		image_name(rel, m, name, sizeof(name));
		dm_remove(ctx, name, &batch);
	}
	dm_finish(&batch);
	fail_again(ctx, &e);
}

static bool has_images(const struct cohort_relationship *rel)
{
	return has_cut(rel->copy_state) || rel->copy_state == COHORT_COPY_STATE_MIXED;
}

int images_make(struct cohort *ctx, const struct cohort_relationship *rel)
{
	bool made[COHORT_MEMBERS_MAX] = { false };
	const struct cohort_member *m;
	struct cohort_pool *pool = NULL;
	struct dm_batch batch = { 0 };
	size_t i = 0;
	int ret;

	if (is_clone(rel))
		return clones_make(ctx, rel);
	if (!has_images(rel))
		return 0;
	ret = cohort_pool_get(ctx, rel->pool, &pool);
	for (m = rel->members; !ret && m && i < ARRAY_SIZE(made); m = m->next, i++)
		ret = member_make(ctx, rel, m, pool->dm_dev, &batch, &made[i]);
	dm_finish(&batch);
	if (ret && pool)
		unmake(ctx, rel, m, made);
	cohort_pool_free(pool);
	return ret;
}

int images_make_found(struct cohort *ctx, const struct cohort_relationship *rel)
{
	int ret = images_make(ctx, rel);

	return ret && target_missing(ctx) ? 0 : ret;
}

static bool concerns(const struct cohort_member *member, const char *source)
{
	return !source || (member->source && !strcmp(member->source, source));
}

int images_check_unused(struct cohort *ctx, const struct cohort_relationship *rel,
			const char *source)
{
	const struct cohort_member *m;
	struct dm_device found;
	char name[256];
	int ret = 0;

	if (is_clone(rel))
		return clones_check_unused(ctx, rel, source);
	cohort_foreach(m, rel->members) {
		if (!concerns(m, source))
			continue;
		ret = image_find(ctx, rel, m, &found);
		image_name(rel, m, name, sizeof(name));
		if (!ret && found.exists)
			ret = dm_check_unused(ctx, name);
		if (ret && ret != COHORT_RESULT_INVALID_PARAMETER)
			return ret;
	}
	return 0;
}

/* A device of that name that is not ours stays. */
int image_remove(struct cohort *ctx, const struct cohort_relationship *rel,
		 const struct cohort_member *member, struct dm_batch *batch)
{
	struct dm_device found;
	char name[256];

	if (image_find(ctx, rel, member, &found) || !found.exists)
		return 0;
	image_name(rel, member, name, sizeof(name));
	return dm_remove(ctx, name, batch);
}

int images_remove(struct cohort *ctx, const struct cohort_relationship *rel, const char *source)
{
	const struct cohort_member *m;
	struct dm_batch batch = { 0 };
	int ret = 0;

	if (is_clone(rel))
		return clones_remove(ctx, rel, source);
	for (m = rel->members; !ret && m; m = m->next)
		if (concerns(m, source))
			ret = image_remove(ctx, rel, m, &batch);
	dm_finish(&batch);
	return ret;
}

EXPORT int cohort_images_create(struct cohort *ctx, const char *relationship)
{
	struct cohort_relationship *rel = NULL;
	int ret = cohort_relationship_get(ctx, relationship, &rel);

	if (ret)
		return ret;
	ret = images_make(ctx, rel);
	cohort_relationship_free(rel);
	return ret;
}
