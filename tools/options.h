/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options: one row each, which knows the verbs that take it. */
#ifndef COHORTCTL_OPTIONS_H
#define COHORTCTL_OPTIONS_H

#include "verb.h"

enum option_kind {
	OPTION_FLAG,		/* bool in struct opts */
	OPTION_VALUE,		/* const char *, the last one given counts */
	OPTION_VALUES,		/* struct strings, repeatable */
};

struct option_row {
	const char *name;
	const char *arg;	/* as --help shows it, NULL for a flag */
	const char *help;
	const char *words;	/* what completion offers, see complete.c */
	enum option_kind kind;
	size_t offset;		/* in struct opts */
	uint64_t verbs;		/* bit per enum verb_id */
};

extern const struct option_row option_rows[];
extern const size_t option_count;

/*
 * The row of a name; where verbs have different ones of the same name, that of @verb,
 * or the first one. NULL: there is none.
 */
const struct option_row *option_find(const char *name, const struct verb *verb);

bool option_is_for(const struct option_row *row, const struct verb *verb);
bool option_is_global(const struct option_row *row);

/*
 * Finds the verb and fills @app with verb, options and arguments. 0, or an
 * exit code after the words have been said. --help is left to the caller:
 * then app->verb may be NULL and arguments are not counted.
 */
int options_parse(struct app *app, int argc, char **argv);

#endif
