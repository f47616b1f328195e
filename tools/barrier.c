// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl barrier: runs a command while the writes of a group are held. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "fail.h"
#include "output.h"
#include "parse.h"

extern char **environ;

#define LEASE_MS	50
/* As env(1) and timeout(1) have them; all else is the command's own. */
#define EXIT_LOST	124
#define EXIT_NOT_RUN	126
#define EXIT_NOT_FOUND	127
#define EXIT_SIGNAL	128

static int parse_lease(struct app *app, uint32_t *ms)
{
	const char *text = app->opts.lease;
	char *end;
	long value;

	*ms = LEASE_MS;
	if (!text)
		return EXIT_OK;
	value = strtol(text, &end, 10);
	if (end == text || *end || value < 1 || value > COHORT_LEASE_MAX)
		return fail_usage(app, "--lease '%s' is not 1 to %d milliseconds", text,
				  COHORT_LEASE_MAX);
	*ms = (uint32_t)value;
	return EXIT_OK;
}

static int exit_code_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL + WTERMSIG(status);
}

/* The exit code of the command, or why there is none, which was said. */
static int run_command(struct app *app, char **argv)
{
	int status, err;
	pid_t pid;

	/* a parent that does not want to know would take the status from here, too */
	signal(SIGCHLD, SIG_DFL);
	err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (err) {
		fail_errno(app, err, "%s can not be run", argv[0]);
		return err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(app, errno, "%s can not be waited for", argv[0]);
	return exit_code_of(status);
}

static int lost(struct app *app, const char *group)
{
	struct cohort_error e;

	cohort_get_error(app->ctx, &e);
	fail_errno(app, e.err, "group %s: not consistent: %s", group, e.message);
	return EXIT_LOST;
}

static int barrier(struct app *app)
{
	const char *group = parse_name(app->argv[0]);
	uint64_t held = 0;
	uint32_t lease, gate;
	int code = parse_lease(app, &lease);

	if (code)
		return code;
	if (cohort_gate_close(app->ctx, group, lease, &gate))
		return fail_library(app);
	code = run_command(app, app->argv + 1);
	if (cohort_gate_open(app->ctx, gate, &held))
		return lost(app, group);
	if (code)
		return code;
	return output_done(app, json_pack("{sisssI}", "ReturnValue", 0, "ReplicationGroup", group,
					  "HeldNanoseconds", (json_int_t)held),
			   "Group %s was held for %.1f ms", group, (double)held / 1e6);
}

const struct verb verb_barrier = {
	.id = VERB_BARRIER,
	.name = "barrier",
	.args = "[--lease MS] GROUP -- COMMAND [ARG]...",
	.summary = "Run a command while the writes of a group are held",
	.notes = "Images that COMMAND takes of the disks below the members are one instant.\n"
		 "The exit code is COMMAND's own; 124: not held all the time, not consistent;\n"
		 "126, 127: COMMAND can not be run.",
	.complete = "@group",
	.min_args = 2,
	.max_args = -1,
	.run = barrier,
};
