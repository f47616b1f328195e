/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuts of the members that stamp writes to: taken, judged and dropped from within one program. */
#ifndef SELFTESTS_CUTS_H
#define SELFTESTS_CUTS_H

#include <stdnoreturn.h>

#include <cohort/cohort.h>

#define CUT_NAME_LEN 64

struct cuts {
	struct cohort *ctx;
	const char *state;		/* stamp's state file */
	char **members;			/* in the order in which stamp got them */
	int nr_members;
};

void cuts_open(struct cuts *cuts, const char *state, char **members, int nr_members);
void cuts_close(struct cuts *cuts);

/* The library's result. Its bounds lie in NAME.before and, when it is 0, NAME.after. */
int cuts_take(struct cuts *cuts, const char *name);
/* The library's result. */
int cuts_drop(struct cuts *cuts, const char *name);
/* What stamp verify exits with; its words go to stdout. */
int cuts_judge(struct cuts *cuts, const char *name);

/* Dies with the library's words. */
noreturn void cuts_give_up(struct cuts *cuts, const char *what, const char *name);

#endif
