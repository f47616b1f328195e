/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * args.h - the arguments of tables and the names in them, before anything is looked up.
 *
 * Pure: builds in user space too. Any context.
 */
#ifndef COHORT_ARGS_H
#define COHORT_ARGS_H

#include "portable.h"

#include <linux/cohort.h>

/* Images are called NAME_1 to NAME_1024, and those names must fit as well. */
#define COHORT_NAME_ROOM	(COHORT_NAME_MAX - 5)

enum cohort_name_fault {
	COHORT_NAME_GOOD,
	COHORT_NAME_EMPTY,
	COHORT_NAME_LONG,
	COHORT_NAME_CHARACTERS,	/* others than letters, digits and #+-.:=@_ */
	COHORT_NAME_TAKEN,	/* means something else: -x, . and .. */
};

/* What a group, source or relationship may be called. */
enum cohort_name_fault cohort_name_fault(const char *name);

enum cohort_target {
	COHORT_TARGET_POOL,	/* DISK */
	COHORT_TARGET_SOURCE,	/* POOL_DEVICE NAME DISK */
	COHORT_TARGET_REPLICA,	/* POOL_DEVICE NAME MEMBER DISK */
	COHORT_TARGET_CLONE,	/* POOL_DEVICE NAME MEMBER IMAGE|- DISK */
};

/* What a target does not take is NULL, or 0. */
struct cohort_args {
	const char *pool_dev;
	const char *name;
	const char *disk;
	const char *image;	/* NULL also for - */
	u32 member;		/* from 1 */
};

/* 0, or -EINVAL and why, in words that stay. The strings are those of @argv. */
int cohort_args_parse(enum cohort_target target, unsigned int argc, char **argv,
		      struct cohort_args *args, const char **why);

#endif
