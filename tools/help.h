/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --help, derived from the tables of verbs and options. */
#ifndef COHORTCTL_HELP_H
#define COHORTCTL_HELP_H

struct verb;

void help_all(void);
void help_verb(const struct verb *verb);

#endif
