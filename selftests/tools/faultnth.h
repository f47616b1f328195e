/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An operation that faultnth does again and again: how its effect is seen and undone. */
#ifndef SELFTESTS_FAULTNTH_H
#define SELFTESTS_FAULTNTH_H

#include <cohort/cohort.h>

/* What an operation left behind. */
enum effect {
	ABSENT,
	PRESENT,
	PARTLY,			/* a violation; words are on stderr */
};

struct operation {
	const char *name;
	int (*run)(struct cohort *ctx);		/* result of the library */
	/* NULL for both: it only looks */
	enum effect (*effect)(struct cohort *ctx);
	int (*undo)(struct cohort *ctx);
	/* with no faults, before the first and behind the last; may be NULL */
	int (*begin)(struct cohort *ctx);
	int (*end)(struct cohort *ctx);
};

extern const struct operation operations[];
extern const unsigned int nr_operations;
extern const struct operation clone_operations[];
extern const unsigned int nr_clone_operations;

/* Path of the device that the variable names. */
const char *fault_disk(const char *variable);
/*
 * An operation that said it failed may have been accepted: its job comes to an end first.
 * One that copies a clone goes on for longer than that.
 */
void fault_settle(struct cohort *ctx);

#endif
