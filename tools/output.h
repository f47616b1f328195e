/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as text or JSON: one row per field serves both. */
#ifndef COHORTCTL_OUTPUT_H
#define COHORTCTL_OUTPUT_H

#include <jansson.h>

#include "kinds.h"
#include "record.h"
#include "verb.h"

/*
 * All print to stdout and return an exit code, and take over @record, @records
 * or @rows where nothing else is said. A field that a record lacks is a dash
 * in lists and left out by output_fields().
 */
int output_list(struct app *app, const char *plural,
		const struct field *fields, json_t *records);

/*
 * Text only: one line per field, under the kind's name, and "Members" as a
 * table when the kind has fields for them. @record stays the caller's.
 */
int output_fields(struct app *app, const struct kind *kind,
		  const json_t *record);

/* What a verb did: @record as JSON, or the words. */
int output_done(struct app *app, json_t *record, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One line per call, flushed at once; @record as compact JSON, or the words. */
int output_line(struct app *app, json_t *record, const char *words);

/*
 * Text only. @rows is an array of trees: each an object with the keys of
 * @fields and perhaps an array "children" of the same.
 */
int output_tree(struct app *app, const struct field *fields, json_t *rows);

/* {"schema": 1} with the members of @record, which is taken over. */
json_t *output_envelope(json_t *record);
int output_json(struct app *app, json_t *record);

/* NULL or a string to be freed, in --units. */
char *output_size(const struct app *app, uint64_t bytes);

#endif
