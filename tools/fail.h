/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors: one line on stderr, the same as JSON, and the exit code. */
#ifndef COHORTCTL_FAIL_H
#define COHORTCTL_FAIL_H

#include "verb.h"

/* Each says the words once and returns the exit code to leave with. */
int fail_usage(struct app *app, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int fail_memory(struct app *app);
int fail_errno(struct app *app, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* After a library call that failed: the context has the words. */
int fail_library(struct app *app);

#endif
