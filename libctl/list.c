// SPDX-License-Identifier: LGPL-2.1-or-later
/* list.c - gets and lists of all objects */
#include <errno.h>
#include <string.h>

#include "private.h"

/* Each try is consistent or thrown away; so many in vain is a defect. */
#define DUMP_RETRIES 1000

/* A dump as it comes in. */
struct collection {
	enum object_kind kind;
	void *list;
	void *last;
};

static int collect(int cmd, const struct nlattr *attrs, int len, void *data)
{
	struct collection *c = data;
	bool complete;
	void *object;

	(void)cmd;
	object = object_parse(c->kind, attrs, len, &complete);
	if (!object)
		return -ENOMEM;
	/* every listed type begins with its next pointer */
	if (c->last)
		*(void **)c->last = object;
	else
		c->list = object;
	c->last = object;
	return 0;
}

static int list(struct cohort *ctx, enum object_kind kind, void **ret)
{
	struct collection c = { .kind = kind };
	struct request r;
	int result, tries;

	for (tries = 0; tries < DUMP_RETRIES; tries++) {
		c.list = NULL;
		c.last = NULL;
		request_new(&r, object_get_cmd(kind), 0);
		result = exchange(ctx, &r, true, collect, &c);
		if (!result) {
			*ret = c.list;
			return 0;
		}
		object_free(kind, c.list);
		/* objects changed during the dump */
		if (result != COHORT_RESULT_JOB_STARTED)
			return result;
	}
	return fail_errno(ctx, EAGAIN, NULL, "the objects change faster than they can be listed");
}

/* Takes the one object that a request answers with. */
static int get(struct cohort *ctx, enum object_kind kind, struct request *r, void **ret)
{
	struct collection c = { .kind = kind };
	int result = exchange(ctx, r, false, collect, &c);

	if (!result && !c.list)
		result = fail_errno(ctx, ENOENT, NULL, "the module sent no answer");
	if (result) {
		object_free(kind, c.list);
		return result;
	}
	*ret = c.list;
	return 0;
}

static int get_named(struct cohort *ctx, enum object_kind kind, int attr, const char *what,
		     const char *name, void **ret)
{
	struct request r;

	if (!name || !*name || strlen(name) > COHORT_NAME_MAX)
		return fail_errno(ctx, EINVAL, what, "no name, or one that is too long");
	request_new(&r, object_get_cmd(kind), 0);
	request_str(&r, attr, name);
	return get(ctx, kind, &r, ret);
}

EXPORT int cohort_module_get(struct cohort *ctx, struct cohort_module **ret)
{
	struct request r;

	request_new(&r, COHORT_CMD_MODULE_GET, 0);
	return get(ctx, OBJECT_MODULE, &r, (void **)ret);
}

EXPORT int cohort_pool_list(struct cohort *ctx, struct cohort_pool **ret)
{
	return list(ctx, OBJECT_POOL, (void **)ret);
}

EXPORT int cohort_source_list(struct cohort *ctx, struct cohort_source **ret)
{
	return list(ctx, OBJECT_SOURCE, (void **)ret);
}

EXPORT int cohort_group_list(struct cohort *ctx, struct cohort_group **ret)
{
	return list(ctx, OBJECT_GROUP, (void **)ret);
}

EXPORT int cohort_relationship_list(struct cohort *ctx, struct cohort_relationship **ret)
{
	return list(ctx, OBJECT_RELATIONSHIP, (void **)ret);
}

EXPORT int cohort_job_list(struct cohort *ctx, struct cohort_job **ret)
{
	return list(ctx, OBJECT_JOB, (void **)ret);
}

EXPORT int cohort_pool_get(struct cohort *ctx, const char *name, struct cohort_pool **ret)
{
	return get_named(ctx, OBJECT_POOL, COHORT_A_POOL_NAME, "Pool", name, (void **)ret);
}

EXPORT int cohort_source_get(struct cohort *ctx, const char *name, struct cohort_source **ret)
{
	return get_named(ctx, OBJECT_SOURCE, COHORT_A_SOURCE_NAME, "Source", name, (void **)ret);
}

EXPORT int cohort_group_get(struct cohort *ctx, const char *name, struct cohort_group **ret)
{
	return get_named(ctx, OBJECT_GROUP, COHORT_A_GROUP_NAME, "GroupName", name, (void **)ret);
}

EXPORT int cohort_relationship_get(struct cohort *ctx, const char *name,
				   struct cohort_relationship **ret)
{
	return get_named(ctx, OBJECT_RELATIONSHIP, COHORT_A_RELATIONSHIP_NAME, "Synchronization",
			 name, (void **)ret);
}

EXPORT int cohort_job_get(struct cohort *ctx, uint64_t id, struct cohort_job **ret)
{
	struct request r;

	request_new(&r, COHORT_CMD_JOB_GET, 0);
	request_u64(&r, COHORT_A_JOB_ID, id);
	return get(ctx, OBJECT_JOB, &r, (void **)ret);
}

EXPORT void cohort_module_free(struct cohort_module *module)
{
	object_free(OBJECT_MODULE, module);
}

EXPORT void cohort_pool_free(struct cohort_pool *list)
{
	object_free(OBJECT_POOL, list);
}

EXPORT void cohort_source_free(struct cohort_source *list)
{
	object_free(OBJECT_SOURCE, list);
}

EXPORT void cohort_group_free(struct cohort_group *list)
{
	object_free(OBJECT_GROUP, list);
}

EXPORT void cohort_relationship_free(struct cohort_relationship *list)
{
	object_free(OBJECT_RELATIONSHIP, list);
}

EXPORT void cohort_job_free(struct cohort_job *list)
{
	object_free(OBJECT_JOB, list);
}
