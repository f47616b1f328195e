// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl pool create, open, close, extend, scrub, list, remove. */
#include <stdlib.h>

#include "clones.h"
#include "fail.h"
#include "kinds.h"
#include "objects.h"
#include "output.h"
#include "parse.h"
#include "progress.h"
#include "reply.h"

/* Takes over @pool. */
static int say_pool(struct app *app, struct cohort_pool *pool, const char *what)
{
	char *size = output_size(app, pool->size);
	char *chunk = output_size(app, pool->chunk_size);
	json_t *record = json_pack("{siso}", "ReturnValue", 0, "pool",
				   record_make(pool_fields, pool));
	int code;

	code = output_done(app, record, "/dev/mapper/%s: %s, %s, chunks of %s",
			   pool->name, what, size ? size : "?",
			   chunk ? chunk : "?");
	free(size);
	free(chunk);
	cohort_pool_free(pool);
	return code;
}

static int pool_create(struct app *app)
{
	struct cohort_pool *pool = NULL;
	uint64_t chunk = 0;

	if (app->opts.chunk && (parse_size(app->opts.chunk, &chunk) ||
				!chunk || chunk > UINT32_MAX))
		return fail_usage(app, "--chunk '%s' is not a size",
				  app->opts.chunk);
	if (cohort_pool_create(app->ctx, app->argv[0], app->argv[1],
			       (uint32_t)chunk,
			       app->opts.force ? COHORT_FORCE : 0, &pool))
		return fail_library(app);
	return say_pool(app, pool, "pool created");
}

static int pool_open(struct app *app)
{
	struct cohort_pool *pool = NULL;

	if (cohort_pool_open(app->ctx, app->argv[0], &pool))
		return fail_library(app);
	clones_say_missing(app, pool->name);
	return say_pool(app, pool, "pool opened");
}

/* What close and remove share: a name in, words out. */
static int pool_end(struct app *app, const char *what,
		    int (*call)(struct cohort *ctx, const char *name))
{
	const char *name = parse_name(app->argv[0]);
	json_t *record;

	if (call(app->ctx, name))
		return fail_library(app);
	record = json_pack("{siss}", "ReturnValue", 0, "ElementName", name);
	return output_done(app, record, "%s: pool %s", name, what);
}

static int pool_extend(struct app *app)
{
	struct cohort_pool *pool = NULL;

	if (cohort_pool_extend(app->ctx, parse_name(app->argv[0]), &pool))
		return fail_library(app);
	return say_pool(app, pool, "pool extended");
}

static int pool_scrub(struct app *app)
{
	const char *name = parse_name(app->argv[0]);
	const bool drawn = progress_is_drawn(app) && reply_timeout(app);
	struct cohort_reply *reply = NULL;
	struct cohort_job *job = NULL;
	int rc = cohort_pool_scrub(app->ctx, name, drawn ? 0 : reply_timeout(app), &reply);

	if (drawn && rc == COHORT_RESULT_JOB_STARTED)
		rc = progress_wait(app, reply->job, &job);
	cohort_job_free(job);
	return reply_finish(app, rc, reply, "%s: all of the pool is as it was written", name);
}

static int pool_close(struct app *app)
{
	return pool_end(app, "closed", cohort_pool_close);
}

static int pool_remove(struct app *app)
{
	return pool_end(app, "removed, its signature is wiped",
			cohort_pool_remove);
}

static int pool_list(struct app *app)
{
	return kind_list(app, KIND_POOL);
}

static int stats(struct app *app)
{
	return kind_list_as(app, KIND_POOL, pool_stat_fields);
}

const struct verb verb_pool_create = {
	.id = VERB_POOL_CREATE,
	.noun = "pool",
	.name = "create",
	.args = "[--chunk SIZE] [--force] NAME DEVICE",
	.summary = "Format DEVICE as a pool and make /dev/mapper/NAME",
	.notes = "All data on DEVICE is lost. A DEVICE with a signature of something is\n"
		 "refused without --force, one that is in use is always refused.",
	.min_args = 2,
	.max_args = 2,
	.run = pool_create,
};

const struct verb verb_pool_open = {
	.id = VERB_POOL_OPEN,
	.noun = "pool",
	.name = "open",
	.args = "DEVICE",
	.summary = "Take up the pool on DEVICE under its recorded name",
	.min_args = 1,
	.max_args = 1,
	.run = pool_open,
};

const struct verb verb_pool_close = {
	.id = VERB_POOL_CLOSE,
	.noun = "pool",
	.name = "close",
	.args = "NAME",
	.summary = "Take a pool down; refused while sources are attached",
	.complete = "@pool",
	.min_args = 1,
	.max_args = 1,
	.run = pool_close,
};

const struct verb verb_pool_extend = {
	.id = VERB_POOL_EXTEND,
	.noun = "pool",
	.name = "extend",
	.args = "NAME",
	.summary = "Take the space into use by which its device has grown",
	.notes = "Sources and images go on meanwhile. A pool can become sixteen times as large\n"
		 "as it was made.",
	.complete = "@pool",
	.min_args = 1,
	.max_args = 1,
	.run = pool_extend,
};

const struct verb verb_pool_scrub = {
	.id = VERB_POOL_SCRUB,
	.noun = "pool",
	.name = "scrub",
	.args = "NAME",
	.summary = "Read the whole log of a pool in use and verify it",
	.notes = "Sources and images go on meanwhile. Exit code 4 if something is damaged.",
	.complete = "@pool",
	.min_args = 1,
	.max_args = 1,
	.run = pool_scrub,
};

const struct verb verb_pool_list = {
	.id = VERB_POOL_LIST,
	.noun = "pool",
	.name = "list",
	.args = "",
	.summary = "List the active pools and their space",
	.run = pool_list,
};

const struct verb verb_stats = {
	.id = VERB_STATS,
	.name = "stats",
	.args = "",
	.summary = "Show what the active pools hold and have done, and their memory",
	.notes = "INDEX is the memory of entries and of cached blocks of RUNS; it stays within\n"
		 "LIMIT, the module's parameter index_memory when the pool was opened.",
	.run = stats,
};

const struct verb verb_pool_remove = {
	.id = VERB_POOL_REMOVE,
	.noun = "pool",
	.name = "remove",
	.args = "NAME",
	.summary = "Destroy a pool and all its snapshots, wipe its signature",
	.notes = "Refused while sources are attached.",
	.complete = "@pool",
	.min_args = 1,
	.max_args = 1,
	.run = pool_remove,
};
