/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other files have of the operations on a relationship. */
#ifndef COHORTCTL_RELATIONSHIP_H
#define COHORTCTL_RELATIONSHIP_H

#include "verb.h"

/* The end of a clone, whose targets become disks of their own: a whole verb. */
int relationship_detach(struct app *app);

#endif
