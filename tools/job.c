// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl job list, show, wait. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "kinds.h"
#include "objects.h"
#include "output.h"
#include "parse.h"

#define SLICE_MS	200	/* between two looks at the progress */
#define BAR_WIDTH	40

static int job_list(struct app *app)
{
	return kind_list(app, KIND_JOB);
}

static int parse_id(struct app *app, uint64_t *id)
{
	if (parse_number(app->argv[0], id) || !*id)
		return fail_usage(app, "'%s' is not the number of a job",
				  app->argv[0]);
	return EXIT_OK;
}

/* Takes over @job. */
static int say_job(struct app *app, struct cohort_job *job)
{
	json_t *record = record_make(job_fields, job);
	int code;

	cohort_job_free(job);
	if (app->opts.json)
		return output_json(app, json_pack("{so}", "job", record));
	code = output_fields(app, &kinds[KIND_JOB], record);
	json_decref(record);
	return code;
}

static int job_show(struct app *app)
{
	struct cohort_job *job;
	uint64_t id;
	int code = parse_id(app, &id);

	if (code)
		return code;
	if (cohort_job_get(app->ctx, id, &job))
		return fail_library(app);
	return say_job(app, job);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void draw_bar(unsigned int percent)
{
	int full = (int)(percent > 100 ? 100 : percent) * BAR_WIDTH / 100;

	fprintf(stderr, "\r[%-*.*s] %3u %%", BAR_WIDTH, full,
		"########################################", percent);
}

/* Waits in slices for people at a terminal, so that they see progress. */
static int wait_drawn(struct app *app, uint64_t id, struct cohort_job **job)
{
	int64_t end = now_ms() + app->timeout_ms;
	int64_t left = SLICE_MS;
	int rc;

	do {
		cohort_job_free(*job);
		*job = NULL;
		if (app->timeout_ms >= 0)
			left = end - now_ms();
		if (left > SLICE_MS)
			left = SLICE_MS;
		rc = cohort_job_wait(app->ctx, id, left > 0 ? (int)left : 0,
				     job);
		if (*job)
			draw_bar((*job)->percent);
	} while ((rc == COHORT_RESULT_TIMEOUT ||
		  rc == COHORT_RESULT_JOB_STARTED) && left > 0);
	fputs("\r\033[K", stderr);
	return rc;
}

static int job_wait(struct app *app)
{
	bool drawn = isatty(STDERR_FILENO) && !app->opts.json;
	struct cohort_job *job = NULL;
	uint64_t id;
	int rc, code = parse_id(app, &id);

	if (code)
		return code;
	rc = drawn ? wait_drawn(app, id, &job) :
		cohort_job_wait(app->ctx, id, app->timeout_ms, &job);
	if (!rc && job)
		return say_job(app, job);
	cohort_job_free(job);
	if (rc == COHORT_RESULT_JOB_STARTED)
		return fail_errno(app, ETIMEDOUT, "job %" PRIu64 " goes on",
				  id);
	return fail_library(app);
}

const struct verb verb_job_list = {
	.id = VERB_JOB_LIST,
	.noun = "job",
	.name = "list",
	.args = "",
	.summary = "List the jobs; they are known for 5 minutes after their end",
	.run = job_list,
};

const struct verb verb_job_show = {
	.id = VERB_JOB_SHOW,
	.noun = "job",
	.name = "show",
	.args = "JOB",
	.summary = "Show all of a job, its members too",
	.complete = "@job",
	.min_args = 1,
	.max_args = 1,
	.run = job_show,
};

const struct verb verb_job_wait = {
	.id = VERB_JOB_WAIT,
	.noun = "job",
	.name = "wait",
	.args = "[--timeout SECONDS] JOB",
	.summary = "Wait for the end of a job and make its devices",
	.notes = "The exit code is that of the verb that began it.",
	.complete = "@job",
	.min_args = 1,
	.max_args = 1,
	.run = job_wait,
};
