// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl job list, show, wait, pause, resume, cancel. */
#include <errno.h>
#include <inttypes.h>

#include "fail.h"
#include "kinds.h"
#include "objects.h"
#include "output.h"
#include "parse.h"
#include "progress.h"

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

static int job_wait(struct app *app)
{
	struct cohort_job *job = NULL;
	uint64_t id;
	int rc, code = parse_id(app, &id);

	if (code)
		return code;
	rc = progress_wait(app, id, &job);
	if (!rc && job)
		return say_job(app, job);
	cohort_job_free(job);
	if (rc == COHORT_RESULT_JOB_STARTED)
		return fail_errno(app, ETIMEDOUT, "job %" PRIu64 " goes on",
				  id);
	return fail_library(app);
}

static int request(struct app *app, uint32_t state, const char *words)
{
	uint64_t id;
	int code = parse_id(app, &id);

	if (code)
		return code;
	if (cohort_job_request_state_change(app->ctx, id, state))
		return fail_library(app);
	return output_done(app, json_pack("{siso}", "ReturnValue", 0, "Job",
					  json_sprintf("%" PRIu64, id)),
			   "job %" PRIu64 " %s", id, words);
}

static int job_pause(struct app *app)
{
	return request(app, COHORT_JOB_REQUEST_SUSPEND, "is to pause");
}

static int job_resume(struct app *app)
{
	return request(app, COHORT_JOB_REQUEST_START, "goes on");
}

static int job_cancel(struct app *app)
{
	return request(app, COHORT_JOB_REQUEST_TERMINATE, "is to end");
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

const struct verb verb_job_pause = {
	.id = VERB_JOB_PAUSE,
	.noun = "job",
	.name = "pause",
	.args = "JOB",
	.summary = "Have a job that works for long rest between two pieces of its work",
	.notes = "Jobs that work for long: pool scrub.",
	.complete = "@job",
	.min_args = 1,
	.max_args = 1,
	.run = job_pause,
};

const struct verb verb_job_resume = {
	.id = VERB_JOB_RESUME,
	.noun = "job",
	.name = "resume",
	.args = "JOB",
	.summary = "Let a job go on that was paused",
	.complete = "@job",
	.min_args = 1,
	.max_args = 1,
	.run = job_resume,
};

const struct verb verb_job_cancel = {
	.id = VERB_JOB_CANCEL,
	.noun = "job",
	.name = "cancel",
	.args = "JOB",
	.summary = "End a job that works for long before its time",
	.notes = "Jobs that work for long: pool scrub.",
	.complete = "@job",
	.min_args = 1,
	.max_args = 1,
	.run = job_cancel,
};
