/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of objects, as far as one code serves them all. */
#ifndef COHORTCTL_KINDS_H
#define COHORTCTL_KINDS_H

#include "record.h"
#include "verb.h"

enum kind_id {
	KIND_POOL,
	KIND_SOURCE,
	KIND_GROUP,
	KIND_RELATIONSHIP,
	KIND_JOB,
	KIND_COUNT
};

/*
 * The first field of a kind is its name. list() and get() return records, or
 * NULL when the library has failed and keeps the words.
 */
struct kind {
	const char *name;
	const char *plural;
	const struct field *fields;
	const struct field *member_fields;
	json_t *(*list)(struct cohort *ctx);
	json_t *(*get)(struct cohort *ctx, const char *name); /* not of jobs */
};

extern const struct kind kinds[KIND_COUNT];

/* The whole of a verb that lists one kind; returns an exit code. */
int kind_list(struct app *app, enum kind_id id);
/* The same with other columns, whose keys are some of the kind's. */
int kind_list_as(struct app *app, enum kind_id id, const struct field *fields);

#endif
