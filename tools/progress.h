/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bar at a terminal while a job works. */
#ifndef COHORTCTL_PROGRESS_H
#define COHORTCTL_PROGRESS_H

#include "verb.h"

/* For people: a pipe and JSON get none. */
bool progress_is_drawn(const struct app *app);

/* As cohort_job_wait() with the time of --timeout, with the bar if one is drawn. */
int progress_wait(struct app *app, uint64_t id, struct cohort_job **job);

/* Milliseconds of a clock that only goes forward. */
int64_t progress_ms(void);

/* Seconds until a job with a known end will be there, or -1. */
double progress_seconds_left(const struct cohort_job *job);
/* Bytes a second while it worked, or 0. */
double progress_rate(const struct cohort_job *job);

#endif
