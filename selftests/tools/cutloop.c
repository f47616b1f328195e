// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cutloop: takes group snapshots through the library and judges each, as stamp verify does.
 *
 *	cutloop STATE COUNT KEPT PREFIX MEMBER...
 *
 * Exits with 0 when all COUNT cuts are consistent. KEPT of them are there at a
 * time; the last ones are judged again in the end, after all that was
 * overwritten since, and stay. A program of its own because hundreds of cuts
 * made by starting programs cost a guest mostly the starting of programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cohort/cohort.h>

#include "stamp.h"

#define NAME_MAX_LEN 64

struct loop {
	struct cohort *ctx;
	const char *state;
	const char *prefix;
	char **members;
	int nr_members;
};

static void give_up(struct loop *loop, const char *what, const char *name)
{
	struct cohort_error e = { 0 };

	cohort_get_error(loop->ctx, &e);
	die("%s %s: %s", what, name, e.message);
}

static void mark(struct loop *loop, enum stamp_bound kind, const char *name)
{
	struct stamp_bounds bounds = { 0 };
	char path[NAME_MAX_LEN + 8];
	FILE *f;

	snprintf(path, sizeof(path), "%s.%s", name, kind == STAMP_ACKED ? "before" : "after");
	f = fopen(path, "w");
	if (!f)
		die("cannot write %s", path);
	stamp_bounds_take(&bounds, stamp_state_open(loop->state), kind);
	stamp_bounds_print(&bounds, f);
	if (fclose(f))
		die("cannot write %s", path);
}

static void take(struct loop *loop, const char *name)
{
	struct cohort_request request;

	cohort_request_init(&request);
	request.sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	request.relationship_name = name;
	request.source_elements = (const char *const *)loop->members;
	request.source_elements_count = loop->nr_members;
	mark(loop, STAMP_ACKED, name);
	if (cohort_create_group_replica_from_elements(loop->ctx, &request, NULL))
		give_up(loop, "no cut", name);
	mark(loop, STAMP_ISSUED, name);
}

static void drop(struct loop *loop, const char *name)
{
	struct cohort_modify_request request;

	cohort_modify_request_init(&request);
	request.synchronization = name;
	request.operation = COHORT_OPERATION_RETURN_TO_POOL;
	if (cohort_modify_replica_synchronization(loop->ctx, &request, NULL))
		give_up(loop, "cannot delete", name);
}

/* In a child, which may keep what it read and die as it likes. */
static noreturn void verify(struct loop *loop, const char *name)
{
	char before[NAME_MAX_LEN + 8], after[NAME_MAX_LEN + 8];
	char **argv = alloc_array(loop->nr_members + 6, sizeof(*argv));
	int argc = 0;

	snprintf(before, sizeof(before), "%s.before", name);
	snprintf(after, sizeof(after), "%s.after", name);
	argv[argc++] = "verify";
	argv[argc++] = "--before";
	argv[argc++] = before;
	argv[argc++] = "--after";
	argv[argc++] = after;
	for (int i = 1; i <= loop->nr_members; i++)
		if (asprintf(&argv[argc++], "/dev/mapper/%s_%d", name, i) < 0)
			die("no memory");
	exit(stamp_verify_main(argc, argv));
}

static void judge(struct loop *loop, const char *name)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (!pid)
		verify(loop, name);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		die("%s: the judge died", name);
	if (WEXITSTATUS(status)) {
		say("%s is not consistent", name);
		exit(WEXITSTATUS(status));
	}
}

static void cut_many(struct loop *loop, int count, int kept)
{
	char name[NAME_MAX_LEN];

	for (int i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "%s%d", loop->prefix, i);
		take(loop, name);
		judge(loop, name);
		if (i <= kept)
			continue;
		snprintf(name, sizeof(name), "%s%d", loop->prefix, i - kept);
		drop(loop, name);
	}
	for (int i = count - kept + 1; i <= count; i++) {
		snprintf(name, sizeof(name), "%s%d", loop->prefix, i);
		judge(loop, name);
	}
}

int main(int argc, char **argv)
{
	struct loop loop = { 0 };
	int count, kept;

	tool = "cutloop";
	if (argc < 6)
		die("usage: cutloop STATE COUNT KEPT PREFIX MEMBER...");
	count = parse_number("COUNT", argv[2]);
	kept = parse_number("KEPT", argv[3]);
	if (count < kept)
		die("more kept than taken");
	loop.ctx = cohort_new();
	if (!loop.ctx)
		die("no memory");
	loop.state = argv[1];
	loop.prefix = argv[4];
	loop.members = argv + 5;
	loop.nr_members = argc - 5;
	cut_many(&loop, count, kept);
	cohort_unref(loop.ctx);
	return 0;
}
