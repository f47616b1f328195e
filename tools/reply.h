/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The common end of verbs that start a job, and of their arguments. */
#ifndef COHORTCTL_REPLY_H
#define COHORTCTL_REPLY_H

#include "verb.h"

/* --no-wait and --timeout as the library's timeout_ms. */
int reply_timeout(const struct app *app);

/* Arguments from @first on may be NAME or /dev/mapper/NAME. */
const char *const *reply_names(struct app *app, int first);

/*
 * @rc is what the library returned, @reply what it made (taken over, may be
 * NULL). Prints the words or JSON of an end (0), of a job that goes on (4096),
 * or of an error.
 */
int reply_finish(struct app *app, int rc, struct cohort_reply *reply,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
