// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl events: what there is, then what happens, one line each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fail.h"
#include "kinds.h"
#include "output.h"
#include "parse.h"

struct follow {
	struct app *app;
	struct cohort_events *events;
	uint64_t count;		/* events still to be told */
	bool counted;
	int64_t end_ms;
};

static const char *text_of(const json_t *record, const char *key)
{
	return json_string_value(json_object_get(record, key)) ?: "?";
}

static const char *state_of(const json_t *record)
{
	static const char *const keys[] = { "State", "CopyState", "JobState" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *state = json_object_get(record, keys[i]);

		if (state)
			return json_string_value(state);
	}
	return NULL;
}

static json_t *now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return record_time((uint64_t)t.tv_sec * 1000000000ULL +
			   (uint64_t)t.tv_nsec);
}

/* Takes over @record, which may be NULL for a line without an object. */
static int tell(struct app *app, const char *event, const struct kind *kind,
		json_t *record)
{
	json_t *time = now();
	const char *state = record ? state_of(record) : NULL;
	const char *name = record ? text_of(record, kind->fields[0].key) : "";
	char *words = NULL;
	json_t *line;
	int code, r;

	if (record)
		r = asprintf(&words, "%s %s %s %s%s%s", json_string_value(time),
			     event, kind->name, name, state ? " " : "",
			     state ?: "");
	else
		r = asprintf(&words, "%s %s", json_string_value(time), event);
	if (r < 0)
		words = NULL;
	line = json_pack("{soss}", "time", time, "event", event);
	if (record)
		json_object_set_new(line, kind->name, record);
	code = output_line(app, line, words ?: event);
	free(words);
	return code;
}

static int tell_kind(struct app *app, const struct kind *kind)
{
	json_t *records = kind->list(app->ctx);
	json_t *record;
	int code = EXIT_OK;
	size_t i;

	if (!records)
		return fail_library(app);
	json_array_foreach(records, i, record)
		if (!code)
			code = tell(app, "exists", kind, json_incref(record));
	json_decref(records);
	return code;
}

/* Ends with a line of its own, so that a reader knows what is news. */
static int tell_everything(struct app *app)
{
	int code = EXIT_OK;

	for (int i = 0; !code && i < KIND_COUNT; i++)
		code = tell_kind(app, &kinds[i]);
	return code ? code : tell(app, "following", NULL, NULL);
}

/* Where an event keeps its object, by kind. */
static const struct {
	size_t offset;
	enum cohort_event_type type;
} event_objects[KIND_COUNT] = {
	[KIND_POOL] = {
		offsetof(struct cohort_event, pool), COHORT_EVENT_POOL },
	[KIND_SOURCE] = {
		offsetof(struct cohort_event, source), COHORT_EVENT_SOURCE },
	[KIND_GROUP] = {
		offsetof(struct cohort_event, group), COHORT_EVENT_GROUP },
	[KIND_RELATIONSHIP] = {
		offsetof(struct cohort_event, relationship),
		COHORT_EVENT_RELATIONSHIP },
	[KIND_JOB] = {
		offsetof(struct cohort_event, job), COHORT_EVENT_JOB },
};

static int tell_event(struct app *app, const struct cohort_event *event)
{
	int code;

	for (int i = 0; i < KIND_COUNT; i++) {
		const void *at = (const char *)event + event_objects[i].offset;
		const void *object = *(const void *const *)at;

		if (event->type != event_objects[i].type)
			continue;
		if (event->gone)
			return tell(app, "gone", &kinds[i],
				    record_name(kinds[i].fields, object));
		return tell(app, "changed", &kinds[i],
			    record_make(kinds[i].fields, object));
	}
	code = tell(app, "lost", NULL, NULL);
	return code ? code : tell_everything(app);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int left_ms(const struct follow *f)
{
	int64_t left;

	if (f->app->timeout_ms < 0)
		return COHORT_WAIT_FOREVER;
	left = f->end_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

/* Without --count there is no end to miss: then the time over is no error. */
static int follow_ended(struct follow *f, int rc)
{
	if (rc != COHORT_RESULT_TIMEOUT)
		return fail_library(f->app);
	if (!f->counted)
		return EXIT_OK;
	return fail_errno(f->app, ETIMEDOUT,
			  "the time is over, %" PRIu64 " events are missing",
			  f->count);
}

static int follow(struct follow *f)
{
	int code = EXIT_OK;

	while (!code && (!f->counted || f->count)) {
		struct cohort_event *event = NULL;
		int rc = cohort_events_next(f->events, left_ms(f), &event);

		if (rc)
			return follow_ended(f, rc);
		code = tell_event(f->app, event);
		cohort_event_free(event);
		f->count--;
	}
	return code;
}

static int events(struct app *app)
{
	struct follow f = { .app = app, .counted = app->opts.count };
	int code;

	if (app->opts.count && parse_number(app->opts.count, &f.count))
		return fail_usage(app, "--count '%s' is not a number",
				  app->opts.count);
	f.end_ms = now_ms() + app->timeout_ms;
	/* Subscribed first: what changes during the dump is told after it. */
	if (cohort_events_new(app->ctx, &f.events))
		return fail_library(app);
	code = tell_everything(app);
	if (!code)
		code = follow(&f);
	cohort_events_free(f.events);
	return code;
}

const struct verb verb_events = {
	.id = VERB_EVENTS,
	.name = "events",
	.args = "[--count N] [--timeout SECONDS]",
	.summary = "Tell what there is, then every change, one line each",
	.notes = "'exists' lines first, then 'following', then 'changed' and 'gone' lines,\n"
		 "which alone --count counts: --count 0 tells what there is and ends. With\n"
		 "--json each line is an object. 'lost' means that all is told again.",
	.run = events,
};
