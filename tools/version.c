// SPDX-License-Identifier: GPL-2.0-or-later
/* cohortctl version: tool, library and, if it is there, module. */
#include <stdio.h>

#include "fail.h"
#include "objects.h"
#include "output.h"

/* No module is no error here: the answer says so. */
static json_t *module_record(struct cohort *ctx)
{
	struct cohort_module *module;
	json_t *record;

	if (cohort_module_get(ctx, &module))
		return NULL;
	record = record_make(module_fields, module);
	cohort_module_free(module);
	return record;
}

static int version(struct app *app)
{
	json_t *module = module_record(app->ctx);
	struct cohort_error error;
	int code;

	cohort_get_error(app->ctx, &error);
	if (app->opts.json)
		return output_json(app, json_pack("{sssssisoss*}",
			"cohortctl", COHORTCTL_VERSION,
			"libcohort", cohort_version(),
			"ABI", COHORT_ABI_VERSION,
			"module", module ? module : json_null(),
			"message", module ? NULL : error.message));
	printf("cohortctl %s\nlibcohort %s, ABI %d\n", COHORTCTL_VERSION,
	       cohort_version(), COHORT_ABI_VERSION);
	if (module)
		printf("dm-cohort %s, ABI %d\n",
		       json_string_value(json_object_get(module, "Version")),
		       (int)json_integer_value(json_object_get(module, "ABI")));
	else
		printf("dm-cohort: %s\n", error.message);
	code = EXIT_OK;
	json_decref(module);
	return code;
}

const struct verb verb_version = {
	.id = VERB_VERSION,
	.name = "version",
	.args = "",
	.summary = "Show the versions of tool, library and module",
	.run = version,
};
