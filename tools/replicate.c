// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl replicate: CreateGroupReplicaFromElements on the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clones.h"
#include "fail.h"
#include "parse.h"
#include "progress.h"
#include "reply.h"
#include "words.h"

/* The request and what it points to: one lifetime. */
struct replicate {
	struct cohort_request request;
	struct cohort_replication_setting_data data;
	struct cohort_target_setting_goal goal;
};

/* Splits KEY=VALUE in place of a copy; the copy is the caller's to free. */
static char *split_pair(const char *pair, char **value)
{
	char *key = strdup(pair);
	char *equal = key ? strchr(key, '=') : NULL;

	if (equal)
		*equal = '\0';
	*value = equal ? equal + 1 : NULL;
	return key;
}

static int set_data(struct app *app, struct replicate *r, const char *pair)
{
	char *value, *key = split_pair(pair, &value);
	int code = EXIT_OK;

	if (!key)
		return fail_memory(app);
	if (!value)
		code = fail_usage(app, "--set '%s' is not Property=VALUE", pair);
	else if (cohort_replication_setting_data_set(app->ctx, &r->data, key,
						     value))
		code = fail_library(app);
	free(key);
	return code;
}

static int set_goal(struct app *app, struct replicate *r, const char *pair)
{
	char *value, *key = split_pair(pair, &value);
	int code = EXIT_OK;

	if (!key)
		return fail_memory(app);
	if (!value)
		code = fail_usage(app, "--target-setting '%s' is not K=V", pair);
	else if (cohort_target_setting_goal_set(app->ctx, &r->goal, key, value))
		code = fail_library(app);
	free(key);
	return code;
}

/* break, hold or hold:SECONDS. */
static int set_on_full(struct app *app, struct replicate *r)
{
	const char *how = app->opts.on_full;
	const bool hold = !strncmp(how, "hold", 4) && (!how[4] || how[4] == ':');

	if (!hold && strcmp(how, "break"))
		return fail_usage(app, "--on-full '%s' is neither break nor hold:SECONDS", how);
	r->data.failed_copy_stops_host_io = hold;
	r->request.replication_setting_data = &r->data;
	if (!hold || !how[4])
		return EXIT_OK;
	r->request.target_setting_goal = &r->goal;
	return cohort_target_setting_goal_set(app->ctx, &r->goal, "HoldTime", how + 5) ?
		fail_library(app) : EXIT_OK;
}

static int set_settings(struct app *app, struct replicate *r)
{
	const struct strings *set = &app->opts.set;
	const struct strings *goal = &app->opts.target_setting;
	int code = EXIT_OK;

	cohort_replication_setting_data_init(&r->data);
	cohort_target_setting_goal_init(&r->goal);
	for (size_t i = 0; !code && i < set->n; i++)
		code = set_data(app, r, set->v[i]);
	for (size_t i = 0; !code && i < goal->n; i++)
		code = set_goal(app, r, goal->v[i]);
	if (set->n)
		r->request.replication_setting_data = &r->data;
	if (!code && app->opts.writable)
		code = set_goal(app, r, "ReadOnly=no");
	if (goal->n || app->opts.writable)
		r->request.target_setting_goal = &r->goal;
	return !code && app->opts.on_full ? set_on_full(app, r) : code;
}

static int set_words(struct app *app, struct cohort_request *request)
{
	int code = words_sync_type(app, &request->sync_type);

	code = code ? code : words_mode(app, &request->mode);
	code = code ? code : words_consistency(app, &request->consistency);
	return code ? code :
		words_copy_state(app, &request->wait_for_copy_state);
}

static int set_request(struct app *app, struct replicate *r)
{
	struct cohort_request *request = &r->request;
	int code;

	cohort_request_init(request);
	request->relationship_name = app->opts.name;
	request->source_group_name = app->opts.group;
	request->target_group = app->opts.target_group;
	request->target_pool = app->opts.target_pool;
	request->source_elements = reply_names(app, 0);
	request->source_elements_count = (size_t)app->argc;
	request->timeout_ms = reply_timeout(app);
	request->target_elements = app->opts.targets.v;
	request->target_elements_count = app->opts.targets.n;
	request->force = app->opts.force;
	if (!app->opts.type)
		return fail_usage(app, "--type snapshot, clone or mirror is missing");
	if (!app->opts.group && !app->argc)
		return fail_usage(app, "neither --group NAME nor a SOURCE is given");
	code = set_words(app, request);
	return code ? code : set_settings(app, r);
}

/* Before the cut there are members, but no images yet. */
static char *images_words(const struct cohort_relationship *rel)
{
	const char *what = rel->sync_type == COHORT_SYNC_TYPE_CLONE ? "clone" : "image";
	const char *state = cohort_copy_state_name(rel->copy_state);
	const struct cohort_member *member;
	unsigned int n = 0;
	char *words;
	int r;

	cohort_foreach(member, rel->members)
		n++;
	if (!rel->when_synced)
		r = asprintf(&words, "%s: %s, %u members", rel->name, state, n);
	else if (n == 1)
		r = asprintf(&words, "%s: %s, 1 %s /dev/mapper/%s_1",
			     rel->name, state, what, rel->name);
	else
		r = asprintf(&words, "%s: %s, %u %ss /dev/mapper/%s_1 ... %s_%u",
			     rel->name, state, n, what, rel->name, rel->name, n);
	return r < 0 ? NULL : words;
}

static int say_made(struct app *app, int rc, struct cohort_reply *reply)
{
	const struct cohort_relationship *rel =
		reply ? reply->synchronization : NULL;
	char *words = rel ? images_words(rel) : NULL;
	int code;

	if (!rc && rel && !app->opts.json)
		clones_say_larger(app, rel);
	if (!rc && rel && app->opts.target_pool && !app->opts.json)
		clones_say_targets(rel);
	code = reply_finish(app, rc, reply, "%s", words ? words : "done");

	free(words);
	return code;
}

static int create(struct app *app, const struct cohort_request *request,
		  struct cohort_reply **reply)
{
	return app->argc ? cohort_create_group_replica_from_elements(app->ctx, request, reply) :
		cohort_create_group_replica(app->ctx, request, reply);
}

/* What a bar can be drawn for: copying, behind the cut. */
static bool is_copied(const struct cohort_request *request)
{
	return request->sync_type == COHORT_SYNC_TYPE_CLONE && request->timeout_ms &&
	       (request->wait_for_copy_state == COHORT_UNSET ||
		request->wait_for_copy_state == COHORT_COPY_STATE_SYNCHRONIZED);
}

/* The cut first, then the rest of --timeout with a bar. */
static int create_drawn(struct app *app, struct cohort_request *request,
			struct cohort_reply **reply)
{
	const int64_t start = progress_ms();
	int64_t left;
	int rc;

	request->wait_for_copy_state = COHORT_COPY_STATE_UNSYNCHRONIZED;
	rc = create(app, request, reply);
	if (rc || !(*reply)->synchronization)
		return rc;
	left = app->timeout_ms - (progress_ms() - start);
	if (app->timeout_ms >= 0)
		app->timeout_ms = left > 0 ? (int)left : 0;
	return clones_wait_drawn(app, *reply);
}

static int replicate(struct app *app)
{
	struct cohort_reply *reply = NULL;
	struct replicate r;
	int rc, code = set_request(app, &r);

	if (code)
		return code;
	if (progress_is_drawn(app) && is_copied(&r.request))
		rc = create_drawn(app, &r.request, &reply);
	else
		rc = create(app, &r.request, &reply);
	return say_made(app, rc, reply);
}

const struct verb verb_replicate = {
	.id = VERB_REPLICATE,
	.name = "replicate",
	.args = "--type TYPE [OPTION]... [SOURCE]...",
	.summary = "Replicate SOURCEs or a group at one instant",
	.notes = "Devices are /dev/mapper/REL_1 ... in member order. --group alone: that one.\n"
		 "--force takes targets with a signature. --wait Inactive: 'activate' cuts later.",
	.complete = "@source",
	.min_args = 0,
	.max_args = -1,
	.run = replicate,
};
