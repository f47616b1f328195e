/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clones at a terminal: the bar while one is copied, and those that are down. */
#ifndef COHORTCTL_CLONES_H
#define COHORTCTL_CLONES_H

#include "verb.h"

/*
 * With a bar: waits until all of the clone that @reply has made is on its targets,
 * and puts what it is then into @reply. A CIM result, words kept.
 */
int clones_wait_drawn(struct app *app, struct cohort_reply *reply);

/* Says on stderr which clones of a pool have not come up, and why. */
void clones_say_missing(struct app *app, const char *pool);

/* A line for each target that is larger than what is copied to it. */
void clones_say_larger(struct app *app, const struct cohort_relationship *rel);

/* A line for each target that was made for the clone. */
void clones_say_targets(const struct cohort_relationship *rel);

#endif
