// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl attach, detach: a source comes in front of its disk, and goes; so does a clone. */
#include <errno.h>
#include <string.h>

#include "clones.h"
#include "fail.h"
#include "parse.h"
#include "relationship.h"
#include "reply.h"

static int attach(struct app *app)
{
	const char *name = parse_name(app->argv[0]);
	const char *device = app->argc > 1 ? app->argv[1] : NULL;
	struct cohort_reply *reply = NULL;
	int rc;

	if (!app->opts.pool)
		return fail_usage(app, "--pool POOL is missing");
	rc = cohort_attach(app->ctx, parse_name(app->opts.pool), name, device,
			   app->opts.force ? COHORT_FORCE : 0,
			   reply_timeout(app), &reply);
	if (!rc)
		clones_say_missing(app, parse_name(app->opts.pool));
	return reply_finish(app, rc, reply, "/dev/mapper/%s: attached to pool %s",
			    name, app->opts.pool);
}

static int forget(struct app *app, const char *name)
{
	struct cohort_reply *reply = NULL;
	int rc = cohort_source_remove(app->ctx, name, app->timeout_ms, &reply);

	return reply_finish(app, rc, reply, "%s: detached and forgotten", name);
}

static bool has_member(const struct cohort_group *group, const char *name)
{
	const struct cohort_member *member;

	cohort_foreach(member, group->members)
		if (!strcmp(member->name, name))
			return true;
	return false;
}

/* Told before the detach: a source that is refused must still be attached. */
static int check_forgettable(struct app *app, const struct cohort_source *source)
{
	const struct cohort_group *group;
	struct cohort_group *list;
	int code = EXIT_OK;

	if (source->relationships)
		return fail_errno(app, EBUSY, "source %s is in %u relationship%s",
				  source->name, source->relationships,
				  source->relationships == 1 ? "" : "s");
	if (cohort_group_list(app->ctx, &list))
		return fail_library(app);
	cohort_foreach(group, list)
		if (!code && has_member(group, source->name))
			code = fail_errno(app, EBUSY, "source %s is in group %s",
					  source->name, group->name);
	cohort_group_free(list);
	return code;
}

static int detach_and_forget(struct app *app, const char *name)
{
	struct cohort_source *source;
	bool detached;
	int code;

	if (app->opts.no_wait)
		return fail_usage(app, "--forget has to wait: not with --no-wait");
	if (cohort_source_get(app->ctx, name, &source))
		return fail_library(app);
	detached = source->state == COHORT_SOURCE_STATE_DETACHED;
	code = check_forgettable(app, source);
	cohort_source_free(source);
	if (code)
		return code;
	if (!detached && cohort_detach(app->ctx, name, app->timeout_ms, NULL))
		return fail_library(app);
	return forget(app, name);
}

static bool clone_exists(struct app *app, const char *name)
{
	struct cohort_relationship *rel = NULL;
	bool found = !cohort_relationship_get(app->ctx, name, &rel) &&
		     rel->sync_type == COHORT_SYNC_TYPE_CLONE;

	cohort_relationship_free(rel);
	return found;
}

static bool source_exists(struct app *app, const char *name)
{
	struct cohort_source *source = NULL;
	bool found = !cohort_source_get(app->ctx, name, &source);

	cohort_source_free(source);
	return found;
}

/* Sources and clones have names of their own: a name of both is asked about. */
static int find_clone(struct app *app, bool *clone)
{
	const char *name = app->argv[0];

	*clone = app->opts.type;
	if (app->opts.type && cohort_sync_type_parse(app->opts.type) != COHORT_SYNC_TYPE_CLONE)
		return fail_usage(app, "--type '%s' is not clone", app->opts.type);
	if (*clone || app->opts.forget || parse_name(name) != name)
		return EXIT_OK;
	*clone = clone_exists(app, name);
	if (*clone && source_exists(app, name))
		return fail_usage(app, "%s is a source, /dev/mapper/%s, and a clone, --type clone",
				  name, name);
	return EXIT_OK;
}

static int detach(struct app *app)
{
	const char *name = parse_name(app->argv[0]);
	struct cohort_reply *reply = NULL;
	bool clone;
	int rc, code = find_clone(app, &clone);

	if (code)
		return code;
	if (clone)
		return relationship_detach(app);
	if (app->opts.force)
		return fail_usage(app, "--force is for a clone, which %s is not", name);
	if (app->opts.forget)
		return detach_and_forget(app, name);
	rc = cohort_detach(app->ctx, name, reply_timeout(app), &reply);
	return reply_finish(app, rc, reply, "%s: detached, its disk is a plain device",
			    name);
}

const struct verb verb_attach = {
	.id = VERB_ATTACH,
	.name = "attach",
	.args = "--pool POOL [--force] NAME [DEVICE]",
	.summary = "Make the source /dev/mapper/NAME in front of DEVICE",
	.notes = "Without DEVICE the disk recorded for NAME is looked for. A disk that\n"
		 "is not the recorded one, or was written elsewhere since, is refused;\n"
		 "--force takes it, and the older snapshots of the source become Broken.",
	.min_args = 1,
	.max_args = 2,
	.run = attach,
};

const struct verb verb_detach = {
	.id = VERB_DETACH,
	.name = "detach",
	.args = "[--forget] NAME | [--force] REL",
	.summary = "Take a source down, or end a clone; its disks become plain",
	.notes = "The catalog keeps the source and its snapshots for the next attach.\n"
		 "--forget takes it out of the catalog: refused while it is in a group\n"
		 "or a relationship. A clone that is not whole is ended with --force\n"
		 "only; one with the name of a source, too, is meant with --type clone.",
	.complete = "@source @relationship",
	.min_args = 1,
	.max_args = 1,
	.run = detach,
};
