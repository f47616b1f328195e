// SPDX-License-Identifier: LGPL-2.1-or-later
/* clone.c - the devices of a clone: per member the clone, and the image it is copied from */
#include <errno.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

static void clone_name(const struct cohort_relationship *rel, const struct cohort_member *member,
		       char *name, size_t size)
{
	if (member->name && member->name[0])
		snprintf(name, size, "%s", member->name);
	else
		snprintf(name, size, "%s_%u", rel->name, member->index);
}

static void clone_uuid(const struct cohort_relationship *rel, const struct cohort_member *member,
		       char *uuid, size_t size)
{
	snprintf(uuid, size, UUID_CLONE "%s-%u", rel->uuid, member->index);
}

/* 5 when the name belongs to another device. */
static int clone_find(struct cohort *ctx, const struct cohort_relationship *rel,
		      const struct cohort_member *member, struct dm_device *found)
{
	char name[256], uuid[129];
	int ret;

	clone_name(rel, member, name, sizeof(name));
	clone_uuid(rel, member, uuid, sizeof(uuid));
	ret = dm_find(ctx, name, found);
	if (ret || !found->exists || !strcmp(found->uuid, uuid))
		return ret;
	found->exists = false;
	return fail_errno(ctx, EEXIST, "RelationshipName",
			  "%s%s is there already and is no clone of %s", DM_DIR, name, rel->name);
}

/* Not all of it is on its target. */
static bool needs_image(const struct cohort_member *member)
{
	return member->copy_state == COHORT_COPY_STATE_UNSYNCHRONIZED ||
	       member->copy_state == COHORT_COPY_STATE_SUSPENDED;
}

static bool has_devices(const struct cohort_member *member)
{
	return needs_image(member) || member->copy_state == COHORT_COPY_STATE_SYNCHRONIZED ||
	       member->copy_state == COHORT_COPY_STATE_BROKEN;
}

bool target_missing(struct cohort *ctx)
{
	static const char attribute[] = "TargetElements[";
	struct cohort_error e;

	cohort_get_error(ctx, &e);
	return !strncmp(e.attribute, attribute, strlen(attribute));
}

/* The number of an unused disk; the words are of the target. */
static int target_number(struct cohort *ctx, const char *path, const char *attribute,
			 char *number, size_t size)
{
	struct cohort_error e;
	struct device d;

	if (!device_open(ctx, path, DEVICE_READ, true, &d)) {
		device_number(d.dev, number, size);
		device_close(&d);
		return 0;
	}
	cohort_get_error(ctx, &e);
	snprintf(e.attribute, sizeof(e.attribute), "%s", attribute);
	return fail_again(ctx, &e);
}

/* Number of the disk that was recorded; the one that was told last is asked first. */
static int target_find(struct cohort *ctx, const struct cohort_relationship *rel,
		       const struct cohort_member *member, char *number, size_t size)
{
	const struct cohort_target *t = member->target;
	char attribute[48], name[256], path[256];
	const struct recorded recorded = {
		.size = t->size,
		.dm_uuid = t->dm_uuid,
		.wwn = t->wwn,
		.partuuid = t->partuuid,
		.attribute = attribute,
		.name = name,
		.hint = t->dm_uuid || t->wwn || t->partuuid ? "" :
			", which has no WWN, PARTUUID or DM UUID",
	};
	int ret = 0;

	snprintf(attribute, sizeof(attribute), "TargetElements[%u]", member->index - 1);
	clone_name(rel, member, path, sizeof(path));
	snprintf(name, sizeof(name), "the clone %.200s", path);
	if (!t->dev || !identity_is_known(ctx, &recorded, t->dev, path, sizeof(path)))
		ret = identity_find(ctx, &recorded, path, sizeof(path));
	return ret ? ret : target_number(ctx, path, attribute, number, size);
}

/* What was made here, of one member. */
struct made {
	bool image;
	bool clone;
};

/* What the devices of one member are made of. */
struct parts {
	const struct cohort_relationship *rel;
	const struct cohort_member *member;
	const struct cohort_source *source;
	const char *pool_dev;
	struct dm_batch *batch;
};

/* A new device, or another table for the one that is there. */
static int clone_table(struct cohort *ctx, const struct parts *p, const char *image,
		       const char *target, bool there)
{
	char name[256], uuid[129], params[512];
	const struct dm_table table = {
		.name = name,
		.uuid = uuid,
		.target = "cohort-clone",
		.params = params,
		.sectors = p->source->size / SECTOR,
		.udev_flags = image_udev_flags(p->rel),
	};

	clone_name(p->rel, p->member, name, sizeof(name));
	clone_uuid(p->rel, p->member, uuid, sizeof(uuid));
	snprintf(params, sizeof(params), "%s %s %u %s %s", p->pool_dev, p->rel->name,
		 p->member->index, image, target);
	return there ? dm_replace(ctx, &table) : dm_create(ctx, &table, p->batch);
}

/* All of it is on its target now: the image goes, whoever uses the clone. */
static int leave_image(struct cohort *ctx, const struct parts *p)
{
	struct dm_device found;
	int ret = image_find(ctx, p->rel, p->member, &found);

	if (ret || !found.exists || !p->member->target->dev)
		return ret;
	ret = clone_table(ctx, p, "-", p->member->target->dev, true);
	return ret ? ret : image_remove(ctx, p->rel, p->member, p->batch);
}

/* "-" where all is on the target that ever will be. */
static int image_number(struct cohort *ctx, const struct parts *p, struct made *made,
			char *number, size_t size)
{
	struct dm_device found;
	int ret;

	snprintf(number, size, "-");
	if (!needs_image(p->member))
		return 0;
	ret = image_make(ctx, p->rel, p->member, p->source, p->pool_dev, p->batch, &made->image);
	if (!ret)
		ret = image_find(ctx, p->rel, p->member, &found);
	if (!ret)
		device_number(found.dev, number, size);
	return ret;
}

/* *@missing: the error is that the target is not there. */
static int clone_make(struct cohort *ctx, const struct parts *p, struct made *made, bool *missing)
{
	char image[32], target[32];
	struct dm_device found;
	int ret = clone_find(ctx, p->rel, p->member, &found);

	if (!ret && found.exists && !needs_image(p->member))
		return leave_image(ctx, p);
	if (ret || found.exists)
		return ret;
	ret = image_number(ctx, p, made, image, sizeof(image));
	if (ret)
		return ret;
	ret = target_find(ctx, p->rel, p->member, target, sizeof(target));
	*missing = ret;
	if (!ret)
		ret = clone_table(ctx, p, image, target, false);
	made->clone = !ret;
	return ret;
}

static bool is_attached(const struct cohort_source *source)
{
	return source->state == COHORT_SOURCE_STATE_ATTACHED && source->dev;
}

/* What is not on its target yet can not be read without its source. */
static int member_make(struct cohort *ctx, const struct cohort_relationship *rel,
		       const struct cohort_member *member, const char *pool_dev,
		       struct dm_batch *batch, struct made *made, bool *missing)
{
	struct cohort_source *source = NULL;
	int ret = 0;

	if (!has_devices(member) || !member->source || !member->target)
		return 0;
	ret = cohort_source_get(ctx, member->source, &source);
	if (ret)
		return ret;
	if (is_attached(source) || !needs_image(member)) {
		const struct parts parts = { rel, member, source, pool_dev, batch };

		ret = clone_make(ctx, &parts, made, missing);
	}
	cohort_source_free(source);
	return ret;
}

/* Takes back what was made here. */
static void unmake(struct cohort *ctx, const struct cohort_relationship *rel,
		   const struct made *made)
{
	const struct cohort_member *m;
	struct dm_batch batch = { 0 };
	struct cohort_error e;
	char name[256];
	size_t i = 0;

	cohort_get_error(ctx, &e);
	for (m = rel->members; m && i < COHORT_MEMBERS_MAX; m = m->next, i++) {
		clone_name(rel, m, name, sizeof(name));
		if (made[i].clone)
			dm_remove(ctx, name, &batch);
		if (made[i].image)
			image_remove(ctx, rel, m, &batch);
	}
	dm_finish(&batch);
	fail_again(ctx, &e);
}

/* A disk that is away keeps one clone down, the first of them is told at the end. */
static int members_make(struct cohort *ctx, const struct cohort_relationship *rel,
			const char *pool_dev, struct dm_batch *batch, struct made *made)
{
	const struct cohort_member *m;
	struct cohort_error e = { 0 };
	size_t i = 0;

	for (m = rel->members; m && i < COHORT_MEMBERS_MAX; m = m->next, i++) {
		bool missing = false;
		int ret = member_make(ctx, rel, m, pool_dev, batch, &made[i], &missing);

		if (ret && !missing)
			return ret;
		if (ret && !e.code)
			cohort_get_error(ctx, &e);
	}
	return e.code ? fail_again(ctx, &e) : 0;
}

int clones_make(struct cohort *ctx, const struct cohort_relationship *rel)
{
	struct made made[COHORT_MEMBERS_MAX] = { 0 };
	struct cohort_pool *pool = NULL;
	struct dm_batch batch = { 0 };
	int ret = cohort_pool_get(ctx, rel->pool, &pool);
	struct cohort_error e;

	if (!ret)
		ret = members_make(ctx, rel, pool->dm_dev, &batch, made);
	dm_finish(&batch);
	cohort_pool_free(pool);
	if (!ret)
		return 0;
	cohort_get_error(ctx, &e);
	if (!target_missing(ctx))
		unmake(ctx, rel, made);
	return fail_again(ctx, &e);
}

/* One that stands without an image stays when its source goes. */
static bool concerns(struct cohort *ctx, const struct cohort_relationship *rel,
		     const struct cohort_member *member, const char *source)
{
	struct dm_device found;

	if (!source)
		return true;
	return member->source && !strcmp(member->source, source) &&
	       !image_find(ctx, rel, member, &found) && found.exists;
}

/* The image alone is there when its target is not. */
static int check_member(struct cohort *ctx, const struct cohort_relationship *rel,
			const struct cohort_member *member)
{
	struct dm_device found;
	char name[256];
	int ret = clone_find(ctx, rel, member, &found);

	clone_name(rel, member, name, sizeof(name));
	if (!ret && !found.exists) {
		ret = image_find(ctx, rel, member, &found);
		image_name(rel, member, name, sizeof(name));
	}
	return !ret && found.exists ? dm_check_unused(ctx, name) : ret;
}

int clones_check_unused(struct cohort *ctx, const struct cohort_relationship *rel,
			const char *source)
{
	const struct cohort_member *m;
	int ret;

	cohort_foreach(m, rel->members) {
		ret = concerns(ctx, rel, m, source) ? check_member(ctx, rel, m) : 0;
		/* a device that is not ours is in nobody's way */
		if (ret && ret != COHORT_RESULT_INVALID_PARAMETER)
			return ret;
	}
	return 0;
}

static int remove_member(struct cohort *ctx, const struct cohort_relationship *rel,
			 const struct cohort_member *member, struct dm_batch *batch)
{
	struct dm_device found;
	char name[256];
	int ret = 0;

	clone_name(rel, member, name, sizeof(name));
	if (!clone_find(ctx, rel, member, &found) && found.exists)
		ret = dm_remove(ctx, name, batch);
	return ret ? ret : image_remove(ctx, rel, member, batch);
}

int clones_remove(struct cohort *ctx, const struct cohort_relationship *rel, const char *source)
{
	const struct cohort_member *m;
	struct dm_batch batch = { 0 };
	int ret = 0;

	for (m = rel->members; !ret && m; m = m->next)
		if (concerns(ctx, rel, m, source))
			ret = remove_member(ctx, rel, m, &batch);
	dm_finish(&batch);
	return ret;
}

int pool_each_clone(struct cohort *ctx, const char *pool, rel_fn fn)
{
	struct cohort_relationship *list = NULL;
	const struct cohort_relationship *rel;
	int ret = cohort_relationship_list(ctx, &list);

	for (rel = list; !ret && rel; rel = rel->next)
		if (rel->sync_type == COHORT_SYNC_TYPE_CLONE && rel->pool &&
		    !strcmp(rel->pool, pool))
			ret = fn(ctx, rel, NULL);
	cohort_relationship_free(list);
	return ret;
}
