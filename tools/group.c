// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl group create, add, remove, delete, list. */
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "kinds.h"
#include "reply.h"
#include "words.h"

/* ReservedAs of CIM_ReplicationGroup. */
#define RESERVED_AS_SOURCE	2
#define RESERVED_AS_TARGET	3

/* A group without members is in a pool all the same: the only one, if so. */
static int the_only_pool(struct app *app, char **name)
{
	struct cohort_pool *list;
	int code = EXIT_OK;

	if (cohort_pool_list(app->ctx, &list))
		return fail_library(app);
	if (!list)
		code = fail_usage(app, "no pool is open");
	else if (list->next)
		code = fail_usage(app, "several pools are open: --pool POOL is missing");
	else
		*name = strdup(list->name);
	cohort_pool_free(list);
	return code || *name ? code : fail_memory(app);
}

static int create_in(struct app *app, struct cohort_group_request *request)
{
	struct cohort_reply *reply = NULL;
	int rc = cohort_create_group(app->ctx, request, &reply);

	return reply_finish(app, rc, reply, "%s: group created, %zu members",
			    request->group_name, request->members_count);
}

static int group_create(struct app *app)
{
	struct cohort_group_request request;
	char *pool = NULL;
	int code;

	cohort_group_request_init(&request);
	request.group_name = app->argv[0];
	request.members = reply_names(app, 1);
	request.members_count = (size_t)app->argc - 1;
	request.reserved_as = app->opts.target ? RESERVED_AS_TARGET :
						 RESERVED_AS_SOURCE;
	request.pool = app->opts.pool;
	request.timeout_ms = reply_timeout(app);
	if (app->opts.target && request.members_count)
		return fail_usage(app, "a target group starts empty: '%s' is too much",
				  app->argv[1]);
	code = words_consistency(app, &request.consistency);
	if (!code && !request.members_count && !request.pool)
		code = the_only_pool(app, &pool);
	if (pool)
		request.pool = pool;
	if (!code)
		code = create_in(app, &request);
	free(pool);
	return code;
}

static int group_add(struct app *app)
{
	const char *const *names = reply_names(app, 1);
	size_t count = (size_t)app->argc - 1;
	struct cohort_reply *reply = NULL;
	int rc = cohort_add_members(app->ctx, app->argv[0], names, count,
				    reply_timeout(app), &reply);

	return reply_finish(app, rc, reply, "%s: %zu added", app->argv[0],
			    count);
}

static int group_remove(struct app *app)
{
	const char *const *names = reply_names(app, 1);
	size_t count = (size_t)app->argc - 1;
	struct cohort_reply *reply = NULL;
	int rc = cohort_remove_members(app->ctx, app->argv[0], names, count,
				       reply_timeout(app), &reply);

	return reply_finish(app, rc, reply, "%s: %zu removed", app->argv[0],
			    count);
}

static int group_delete(struct app *app)
{
	struct cohort_reply *reply = NULL;
	int rc = cohort_delete_group(app->ctx, app->argv[0], true,
				     reply_timeout(app), &reply);

	return reply_finish(app, rc, reply, "%s: group deleted", app->argv[0]);
}

static int group_list(struct app *app)
{
	return kind_list(app, KIND_GROUP);
}

const struct verb verb_group_create = {
	.id = VERB_GROUP_CREATE,
	.noun = "group",
	.name = "create",
	.args = "[--target] NAME [SOURCE]...",
	.summary = "Make a group of sources, in this order",
	.notes = "Groups may overlap. One without SOURCEs is in --pool, or in the only pool.",
	.complete = "@source",
	.min_args = 1,
	.max_args = -1,
	.run = group_create,
};

const struct verb verb_group_add = {
	.id = VERB_GROUP_ADD,
	.noun = "group",
	.name = "add",
	.args = "NAME SOURCE...",
	.summary = "Append sources to a group",
	.notes = "Relationships that exist are not changed.",
	.complete = "@group @source",
	.min_args = 2,
	.max_args = -1,
	.run = group_add,
};

const struct verb verb_group_remove = {
	.id = VERB_GROUP_REMOVE,
	.noun = "group",
	.name = "remove",
	.args = "NAME SOURCE...",
	.summary = "Take sources out of a group",
	.notes = "Refused while the group is in a relationship.",
	.complete = "@group @source",
	.min_args = 2,
	.max_args = -1,
	.run = group_remove,
};

const struct verb verb_group_delete = {
	.id = VERB_GROUP_DELETE,
	.noun = "group",
	.name = "delete",
	.args = "NAME",
	.summary = "Delete a group; its members stay",
	.notes = "Refused while the group is in a relationship.",
	.complete = "@group",
	.min_args = 1,
	.max_args = 1,
	.run = group_delete,
};

const struct verb verb_group_list = {
	.id = VERB_GROUP_LIST,
	.noun = "group",
	.name = "list",
	.args = "",
	.summary = "List the groups and their members",
	.run = group_list,
};
