// SPDX-License-Identifier: GPL-2.0-or-later
/* The common end of verbs that start a job, and of their arguments. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fail.h"
#include "objects.h"
#include "output.h"
#include "parse.h"
#include "reply.h"

int reply_timeout(const struct app *app)
{
	return app->opts.no_wait ? 0 : app->timeout_ms;
}

const char *const *reply_names(struct app *app, int first)
{
	for (int i = first; i < app->argc; i++)
		app->argv[i] = (char *)parse_name(app->argv[i]);
	return (const char *const *)app->argv + first;
}

static void set_text(json_t *record, const char *key, const char *text)
{
	if (text)
		json_object_set_new(record, key, json_string(text));
}

static json_t *reply_record(int rc, const struct cohort_reply *reply)
{
	json_t *record = json_pack("{si}", "ReturnValue", rc);

	if (!reply)
		return record;
	set_text(record, "ElementName", reply->name);
	set_text(record, "SourceGroupName", reply->source_group_name);
	set_text(record, "TargetGroup", reply->target_group);
	if (reply->job)
		json_object_set_new(record, "Job",
				    json_sprintf("%" PRIu64, reply->job));
	if (reply->synchronization)
		json_object_set_new(record, "Synchronization",
				    record_make(relationship_fields,
						reply->synchronization));
	return record;
}

static int say_started(struct app *app, const struct cohort_reply *reply)
{
	json_t *record = reply_record(COHORT_RESULT_JOB_STARTED, reply);

	return output_done(app, record,
			   "job %" PRIu64 " goes on; to see its end: cohortctl job wait %" PRIu64,
			   reply->job, reply->job);
}

int reply_finish(struct app *app, int rc, struct cohort_reply *reply,
		 const char *fmt, ...)
{
	char *words = NULL;
	va_list ap;
	int code;

	va_start(ap, fmt);
	if (vasprintf(&words, fmt, ap) < 0)
		words = NULL;
	va_end(ap);
	if (rc == COHORT_RESULT_JOB_STARTED && reply)
		code = say_started(app, reply);
	else if (rc)
		code = fail_library(app);
	else
		code = output_done(app, reply_record(rc, reply), "%s",
				   words ? words : fmt);
	free(words);
	cohort_reply_free(reply);
	return code;
}
