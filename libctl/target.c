// SPDX-License-Identifier: LGPL-2.1-or-later
/* target.c - the disks that a clone is to be copied to: looked at before anything happens */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* The same words, of the parameter that the device was given in. */
static int of_element(struct cohort *ctx, size_t i, int ret)
{
	struct cohort_error e;

	if (!ret)
		return 0;
	cohort_get_error(ctx, &e);
	snprintf(e.attribute, sizeof(e.attribute), "TargetElements[%zu]", i);
	return fail_again(ctx, &e);
}

/* A device of ours has its content from elsewhere. */
static int check_kind(struct cohort *ctx, const struct device *d, const struct identity *id)
{
	if (!strncmp(id->dm_uuid, UUID_OURS, strlen(UUID_OURS)))
		return fail_errno(ctx, EINVAL, "Device",
				  "%s is a pool, source or image, which can not be a target",
				  d->path);
	return device_check_kind(ctx, d);
}

static int check_content(struct cohort *ctx, const struct device *d, bool force)
{
	int ret = force ? 0 : pool_check_none(ctx, d);

	return ret || force ? ret : device_check_signatures(ctx, d);
}

/* @size: bytes of the source, 0 if the module is to find that there is none. */
static int check_size(struct cohort *ctx, const struct device *d, const char *source,
		      uint64_t size)
{
	if (d->size >= size)
		return 0;
	return fail_errno(ctx, EINVAL, "Device",
			  "%s has %" PRIu64 " bytes, less than the %" PRIu64 " of source %s",
			  d->path, d->size, size, source);
}

/* Used by nobody: the table is to claim it next. */
static int learn(struct cohort *ctx, const char *path, const char *source, uint64_t size,
		 bool force, struct target *target)
{
	struct device d;
	int ret = device_open(ctx, path, DEVICE_READ, true, &d);

	if (ret)
		return ret;
	identity_read(&d, &target->id);
	target->size = d.size;
	device_number(d.dev, target->number, sizeof(target->number));
	ret = check_kind(ctx, &d, &target->id);
	if (!ret)
		ret = check_size(ctx, &d, source, size);
	if (!ret)
		ret = check_content(ctx, &d, force);
	device_close(&d);
	return ret;
}

/* By their numbers: a disk has many paths. */
static int check_different(struct cohort *ctx, const struct cohort_request *req,
			   const struct target *targets, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(targets[i].number, targets[j].number))
			return fail_errno(ctx, EINVAL, "TargetElements",
					  "%s and %s are the same device", req->target_elements[j],
					  req->target_elements[i]);
	return 0;
}

static uint64_t size_of(const struct cohort_source *list, const char *name)
{
	const struct cohort_source *s;

	cohort_foreach(s, list)
		if (name && !strcmp(s->name, name))
			return s->size;
	return 0;
}

/* Names of the sources in member order, of the request or the group; returns how many. */
static size_t source_names(const struct cohort_request *req, const struct cohort_group *group,
			   const char **names, size_t room)
{
	const struct cohort_member *m;
	size_t n = 0;

	for (size_t i = 0; i < req->source_elements_count; i++, n++)
		if (n < room)
			names[n] = element_name(req->source_elements[i]);
	for (m = group ? group->members : NULL; m; m = m->next, n++)
		if (n < room)
			names[n] = m->name;
	return n;
}

/* NULL where the request has the elements itself. */
static int source_group(struct cohort *ctx, const struct cohort_request *req,
			struct cohort_group **group)
{
	return req->source_elements_count ? 0 :
		cohort_group_get(ctx, req->source_group_name, group);
}

static int learn_all(struct cohort *ctx, const struct cohort_request *req,
		     const char *const *names, struct target *targets)
{
	struct cohort_source *sources = NULL;
	int ret = cohort_source_list(ctx, &sources);

	for (size_t i = 0; !ret && i < req->target_elements_count; i++) {
		ret = learn(ctx, req->target_elements[i], names[i], size_of(sources, names[i]),
			    req->force, &targets[i]);
		if (!ret)
			ret = check_different(ctx, req, targets, i);
		ret = of_element(ctx, i, ret);
	}
	cohort_source_free(sources);
	return ret;
}

static int check_count(struct cohort *ctx, const struct cohort_request *req, size_t members)
{
	if (members == req->target_elements_count)
		return 0;
	return fail_errno(ctx, EINVAL, "TargetElements",
			  "%zu TargetElements for a group of %zu members",
			  req->target_elements_count, members);
}

int targets_learn(struct cohort *ctx, const struct cohort_request *req, struct target **ret)
{
	const size_t count = req->target_elements_count;
	struct target *targets = calloc(count, sizeof(*targets));
	const char **names = calloc(count, sizeof(*names));
	struct cohort_group *group = NULL;
	int result = targets && names ? 0 : fail_memory(ctx);

	if (!result)
		result = source_group(ctx, req, &group);
	if (!result)
		result = check_count(ctx, req, source_names(req, group, names, count));
	if (!result)
		result = learn_all(ctx, req, names, targets);
	cohort_group_free(group);
	free(names);
	if (result)
		free(targets);
	else
		*ret = targets;
	return result;
}

static int learn_sizes(struct cohort *ctx, const char *const *names, size_t count,
		       uint64_t *sizes)
{
	struct cohort_source *sources = NULL;
	int ret = cohort_source_list(ctx, &sources);
	char at[64];

	for (size_t i = 0; !ret && i < count; i++) {
		sizes[i] = size_of(sources, names[i]);
		snprintf(at, sizeof(at), "SourceElements[%zu]", i);
		if (!sizes[i])
			ret = fail_errno(ctx, ENOENT, at, "there is no source \"%s\"", names[i]);
	}
	cohort_source_free(sources);
	return ret;
}

int targets_sizes(struct cohort *ctx, const struct cohort_request *req,
		  uint64_t sizes[COHORT_MEMBERS_MAX], size_t *count)
{
	const char **names = calloc(COHORT_MEMBERS_MAX, sizeof(*names));
	struct cohort_group *group = NULL;
	int ret = names ? source_group(ctx, req, &group) : fail_memory(ctx);

	if (!ret) {
		*count = source_names(req, group, names, COHORT_MEMBERS_MAX);
		ret = learn_sizes(ctx, names, *count, sizes);
	}
	cohort_group_free(group);
	free(names);
	return ret;
}

static bool has_target(const struct cohort_relationship *rel, const struct target *target)
{
	const struct cohort_member *m;

	cohort_foreach(m, rel->members)
		if (m->target && m->target->dm_uuid && m->target->dm_uuid[0] &&
		    !strcmp(m->target->dm_uuid, target->id.dm_uuid))
			return true;
	return false;
}

bool targets_recorded(struct cohort *ctx, const struct target *targets, size_t count)
{
	struct cohort_relationship *list = NULL;
	const struct cohort_relationship *rel;
	bool recorded = false;

	if (cohort_relationship_list(ctx, &list))
		return true;
	for (rel = list; rel; rel = rel->next)
		for (size_t i = 0; i < count; i++)
			recorded |= has_target(rel, &targets[i]);
	cohort_relationship_free(list);
	return recorded;
}

static const char *optional(const char *text)
{
	return text[0] ? text : NULL;
}

void targets_put(struct request *r, const struct target *targets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct nlattr *nest = request_nest(r, COHORT_A_RELATIONSHIP_TARGET);

		request_str(r, COHORT_A_TARGET_DEV, targets[i].number);
		request_u64(r, COHORT_A_TARGET_SIZE, targets[i].size);
		request_str(r, COHORT_A_TARGET_DM_UUID, optional(targets[i].id.dm_uuid));
		request_str(r, COHORT_A_TARGET_WWN, optional(targets[i].id.wwn));
		request_str(r, COHORT_A_TARGET_PARTUUID, optional(targets[i].id.partuuid));
		request_nest_end(r, nest);
	}
}
