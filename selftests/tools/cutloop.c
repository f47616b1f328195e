// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cutloop: takes group snapshots through the library and judges each, as stamp verify does.
 *
 *	cutloop [--retry] STATE COUNT KEPT PREFIX MEMBER...
 *
 * Exits with 0 when all COUNT cuts are consistent. KEPT of them are there at a
 * time; the last ones are judged again in the end, after all that was
 * overwritten since, and stay. With --retry, a call that was refused for want of
 * memory is made again, as if it had never been made. A program of its own because hundreds of cuts
 * made by starting programs cost a guest mostly the starting of programs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuts.h"
#include "util.h"

static bool retry;
static unsigned int retried;

static void must(struct cuts *cuts, int (*call)(struct cuts *cuts, const char *name),
		 const char *what, const char *name)
{
	struct cohort_error e;

	while (call(cuts, name)) {
		cohort_get_error(cuts->ctx, &e);
		if (!retry || e.err != ENOMEM)
			cuts_give_up(cuts, what, name);
		retried++;
	}
}

static void judge(struct cuts *cuts, const char *name)
{
	const int status = cuts_judge(cuts, name);

	if (!status)
		return;
	say("%s is not consistent", name);
	exit(status);
}

static void cut_many(struct cuts *cuts, const char *prefix, int count, int kept)
{
	char name[CUT_NAME_LEN];

	for (int i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "%s%d", prefix, i);
		must(cuts, cuts_take, "no cut", name);
		judge(cuts, name);
		if (i <= kept)
			continue;
		snprintf(name, sizeof(name), "%s%d", prefix, i - kept);
		must(cuts, cuts_drop, "cannot delete", name);
	}
	for (int i = count - kept + 1; i <= count; i++) {
		snprintf(name, sizeof(name), "%s%d", prefix, i);
		judge(cuts, name);
	}
}

int main(int argc, char **argv)
{
	struct cuts cuts;
	int count, kept;

	tool = "cutloop";
	retry = argc > 1 && !strcmp(argv[1], "--retry");
	argc -= retry;
	argv += retry;
	if (argc < 6)
		die("usage: cutloop [--retry] STATE COUNT KEPT PREFIX MEMBER...");
	count = parse_number("COUNT", argv[2]);
	kept = parse_number("KEPT", argv[3]);
	if (count < kept)
		die("more kept than taken");
	cuts_open(&cuts, argv[1], argv + 5, argc - 5);
	cut_many(&cuts, argv[4], count, kept);
	cuts_close(&cuts);
	if (retry)
		say("%u calls were refused for want of memory", retried);
	return 0;
}
