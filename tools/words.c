// SPDX-License-Identifier: GPL-2.0-or-later
/* Option words into CIM values: --type, --mode, --consistency, --wait. */
#include "fail.h"
#include "words.h"

static int words_value(struct app *app, const char *option, const char *text,
		       int32_t (*parse)(const char *), const char *choice,
		       int32_t *value)
{
	int32_t parsed;

	if (!text)
		return 0;
	parsed = parse(text);
	if (parsed == COHORT_UNSET)
		return fail_usage(app, "--%s '%s' is not %s", option, text,
				  choice);
	*value = parsed;
	return 0;
}

int words_sync_type(struct app *app, int32_t *value)
{
	return words_value(app, "type", app->opts.type, cohort_sync_type_parse,
			   "snapshot, clone or mirror", value);
}

int words_mode(struct app *app, int32_t *value)
{
	return words_value(app, "mode", app->opts.mode, cohort_mode_parse,
			   "sync or async", value);
}

int words_consistency(struct app *app, int32_t *value)
{
	return words_value(app, "consistency", app->opts.consistency,
			   cohort_consistency_parse, "sequential or none",
			   value);
}

int words_copy_state(struct app *app, int32_t *value)
{
	return words_value(app, "wait", app->opts.wait, cohort_copy_state_parse,
			   "a copy state, such as Synchronized", value);
}
