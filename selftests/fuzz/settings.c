// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: names and settings in words, from a user. */
#include "../../libctl/private.h"
#include "fuzz.h"

static struct cohort *ctx;

/* Half of the inputs begin with a property that there is. */
static const char *const properties[] = {
	"ConsistentPointInTime", "OnGroupOrListError", "DesiredCopyMethodology", "ReadOnly",
	"TimeBeforeRemoval", "FailedCopyStopsHostIO", "read_only", "size_limit",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cohort_replication_setting_data d;
	struct cohort_target_setting_goal goal;
	const char *property, *value;
	char text[128];

	if (!ctx)
		ctx = cohort_new();
	if (!size || size >= sizeof(text))
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	value = memchr(text, '=', size) ? strchr(text, '=') : text;
	property = data[0] & 1 ? properties[data[0] / 2 % 8] : text;
	cohort_replication_setting_data_init(&d);
	if (!cohort_replication_setting_data_set(ctx, &d, property, value))
		PROMISED(property[0]);
	cohort_target_setting_goal_init(&goal);
	cohort_target_setting_goal_set(ctx, &goal, property, value);
	if (name_valid(text, COHORT_NAME_MAX))
		PROMISED(text[0] && !strchr(text, '/'));
	return 0;
}
