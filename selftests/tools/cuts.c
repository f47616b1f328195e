// SPDX-License-Identifier: GPL-2.0-or-later
/* cuts.c - takes, judges and drops cuts without starting a program for each */
#include <stdio.h>
#include <stdlib.h>

#include "cuts.h"
#include "stamp.h"

void cuts_open(struct cuts *cuts, const char *state, char **members, int nr_members)
{
	cuts->ctx = cohort_new();
	if (!cuts->ctx)
		die("no memory");
	cuts->state = state;
	cuts->members = members;
	cuts->nr_members = nr_members;
}

void cuts_close(struct cuts *cuts)
{
	cuts->ctx = cohort_unref(cuts->ctx);
}

noreturn void cuts_give_up(struct cuts *cuts, const char *what, const char *name)
{
	struct cohort_error e = { 0 };

	cohort_get_error(cuts->ctx, &e);
	die("%s %s: %s", what, name, e.message);
}

static void mark(struct cuts *cuts, enum stamp_bound kind, const char *name)
{
	struct stamp_bounds bounds = { 0 };
	char path[CUT_NAME_LEN + 8];
	FILE *f;

	snprintf(path, sizeof(path), "%s.%s", name, kind == STAMP_ACKED ? "before" : "after");
	f = fopen(path, "w");
	if (!f)
		die("cannot write %s", path);
	stamp_bounds_take(&bounds, stamp_state_open(cuts->state), kind);
	stamp_bounds_print(&bounds, f);
	if (fclose(f))
		die("cannot write %s", path);
}

int cuts_take(struct cuts *cuts, const char *name)
{
	struct cohort_request request;
	int ret;

	cohort_request_init(&request);
	request.sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	request.relationship_name = name;
	request.source_elements = (const char *const *)cuts->members;
	request.source_elements_count = cuts->nr_members;
	mark(cuts, STAMP_ACKED, name);
	ret = cohort_create_group_replica_from_elements(cuts->ctx, &request, NULL);
	if (!ret)
		mark(cuts, STAMP_ISSUED, name);
	return ret;
}

int cuts_drop(struct cuts *cuts, const char *name)
{
	struct cohort_modify_request request;

	cohort_modify_request_init(&request);
	request.synchronization = name;
	request.operation = COHORT_OPERATION_RETURN_TO_POOL;
	return cohort_modify_replica_synchronization(cuts->ctx, &request, NULL);
}

int cuts_judge(struct cuts *cuts, const char *name)
{
	char before[CUT_NAME_LEN + 8], after[CUT_NAME_LEN + 8];
	char **argv = alloc_array(cuts->nr_members + 5, sizeof(*argv));
	int argc = 0, status;

	snprintf(before, sizeof(before), "%s.before", name);
	snprintf(after, sizeof(after), "%s.after", name);
	argv[argc++] = "verify";
	argv[argc++] = "--before";
	argv[argc++] = before;
	argv[argc++] = "--after";
	argv[argc++] = after;
	for (int i = 1; i <= cuts->nr_members; i++)
		if (asprintf(&argv[argc++], "/dev/mapper/%s_%d", name, i) < 0)
			die("no memory");
	status = stamp_verify_forked(argc, argv, NULL, 0);
	while (argc > 5)
		free(argv[--argc]);
	free(argv);
	return status;
}
