// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl diff: the extents that differ between two cuts, or a cut and now. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "output.h"
#include "parse.h"

/* Where the extents go: lines at once, or one JSON array. */
struct sink {
	struct app *app;
	json_t *records;		/* NULL: text */
};

static int say_extent(struct sink *sink, const char *source, uint64_t offset, uint64_t length)
{
	json_t *record;

	if (!sink->records) {
		printf("%s %" PRIu64 " %" PRIu64 "\n", source, offset, length);
		return ferror(stdout) ? fail_errno(sink->app, EIO, "cannot write") : EXIT_OK;
	}
	record = json_pack("{sssIsI}", "Source", source, "Offset", (json_int_t)offset,
			   "Length", (json_int_t)length);
	return json_array_append_new(sink->records, record) ? fail_memory(sink->app) : EXIT_OK;
}

static int say_extents(struct sink *sink, struct cohort_diff *diff, const char *source)
{
	uint64_t offset, length;
	int code = EXIT_OK;

	while (!code) {
		if (cohort_diff_next(diff, &offset, &length))
			return fail_library(sink->app);
		if (!length)
			break;
		code = say_extent(sink, source, offset, length);
	}
	return code;
}

static int compare(struct sink *sink, const char *rel, const char *other, const char *source)
{
	struct cohort_diff *diff = NULL;
	int code;

	if (cohort_diff_new(sink->app->ctx, rel, other, source, &diff))
		return fail_library(sink->app);
	code = say_extents(sink, diff, source);
	cohort_diff_free(diff);
	return code;
}

static const struct cohort_member *member_of(const struct cohort_relationship *rel,
					     const char *source)
{
	const struct cohort_member *member;

	cohort_foreach(member, rel->members)
		if (!strcmp(member->source, source))
			return member;
	return NULL;
}

/* Each member, or the one that was asked for: the library says if it is none. */
static int compare_members(struct sink *sink, const struct cohort_relationship *rel,
			   const struct cohort_relationship *other)
{
	const char *only = sink->app->opts.source, *name = other ? other->name : NULL;
	const struct cohort_member *member;
	int code = EXIT_OK, compared = 0;

	if (only)
		return compare(sink, rel->name, name, parse_name(only));
	cohort_foreach(member, rel->members) {
		if (code || (other && !member_of(other, member->source)))
			continue;
		code = compare(sink, rel->name, name, member->source);
		compared++;
	}
	if (!code && !compared)
		return fail_usage(sink->app, "%s and %s have no source in common", rel->name, name);
	return code;
}

static int compare_all(struct sink *sink)
{
	struct app *app = sink->app;
	struct cohort_relationship *rel = NULL, *other = NULL;
	int code = EXIT_OK;

	if (cohort_relationship_get(app->ctx, parse_name(app->argv[0]), &rel) ||
	    (app->argc > 1 &&
	     cohort_relationship_get(app->ctx, parse_name(app->argv[1]), &other)))
		code = fail_library(app);
	else
		code = compare_members(sink, rel, other);
	cohort_relationship_free(rel);
	cohort_relationship_free(other);
	return code;
}

static int diff(struct app *app)
{
	struct sink sink = { app, app->opts.json ? json_array() : NULL };
	int code = compare_all(&sink);

	if (code || !sink.records) {
		json_decref(sink.records);
		return code;
	}
	return output_json(app, json_pack("{siso}", "ReturnValue", 0, "extents", sink.records));
}

const struct verb verb_diff = {
	.id = VERB_DIFF,
	.name = "diff",
	.args = "[--source SOURCE] REL [REL]",
	.summary = "List the extents that differ between two cuts, or a cut and now",
	.notes = "One line per extent: SOURCE OFFSET LENGTH, in bytes. Outside of them both sides\n"
		 "are the same. Nothing is read from a disk.",
	.complete = "@relationship",
	.min_args = 1,
	.max_args = 2,
	.run = diff,
};
