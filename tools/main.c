// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl: the command line, the context, the verb, the exit code. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complete.h"
#include "fail.h"
#include "help.h"
#include "options.h"

/* Errors in the command line itself are wanted as JSON too. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

static int run_verb(struct app *app)
{
	int code;

	if (!(app->verb->flags & VERB_ALONE)) {
		app->ctx = cohort_new();
		if (!app->ctx)
			return fail_memory(app);
	}
	code = app->verb->run(app);
	cohort_unref(app->ctx);
	return code;
}

static int run(struct app *app, int argc, char **argv)
{
	int err = options_parse(app, argc, argv);

	if (err)
		return err;
	if (!app->opts.help)
		return run_verb(app);
	if (app->verb)
		help_verb(app->verb);
	else
		help_all();
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	struct app app = { .unit = 'h', .timeout_ms = COHORT_WAIT_FOREVER };
	int code;

	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	if (argc > 1 && !strcmp(argv[1], COMPLETE_OPTION))
		return complete(argc - 2, argv + 2);
	app.opts.json = wants_json(argc, argv);
	code = run(&app, argc, argv);
	free(app.opts.set.v);
	free(app.opts.target_setting.v);
	free(app.opts.targets.v);
	if (fflush(stdout) && !code)
		code = fail_errno(&app, EIO, "standard output can not be written");
	return code;
}
