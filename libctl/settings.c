// SPDX-License-Identifier: LGPL-2.1-or-later
/* settings.c - ReplicationSettingData and TargetSettingGoal: tables of their properties */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

enum property_type {
	BOOLEAN,	/* int32_t, 0 or 1 */
	CHOICE,		/* int32_t, a value map */
	NUMBER32,	/* int32_t */
	NUMBER64,	/* uint64_t */
	SECONDS,	/* uint64_t */
	BYTES,		/* uint64_t */
};

struct choice {
	const char *name;
	int32_t value;
};

struct property {
	const char *name;
	size_t offset;
	const struct choice *choices;
	enum property_type type;
	bool honoured;		/* for a snapshot */
	bool of_clones;		/* and for a clone, too */
};

static const struct choice on_error[] = {
	{ "Continue", COHORT_ON_ERROR_CONTINUE }, { "Stop", COHORT_ON_ERROR_STOP }, { NULL, 0 },
};

static const struct choice methodology[] = {
	{ "Other", 1 }, { "Instrumentation decides", 2 }, { "Full-Copy", 3 },
	{ "Incremental-Copy", 4 }, { "Differential-Copy", 5 }, { "Copy-On-Write", 6 },
	{ "Copy-On-Access", 7 }, { "Delta-Update", 8 }, { "Snap-And-Clone", 9 },
	{ "Copy-Before-Activation", 10 }, { "Redirect-On-Write", 11 }, { NULL, 0 },
};

static const struct choice side[] = {
	{ "SystemElement", 2 }, { "SyncedElement", 3 }, { "Both", 4 }, { NULL, 0 },
};

static const struct choice pairing[] = {
	{ "Instrumentation decides", 2 }, { "Exact order", 3 }, { "Optimum", 4 }, { NULL, 0 },
};

static const struct choice unequal[] = {
	{ "Return an error", 2 }, { "Allow source group larger", 3 },
	{ "Allow target group larger", 4 }, { NULL, 0 },
};

static const struct choice supplier[] = {
	{ "Use existing", 1 }, { "Create new", 2 }, { "Use existing or create", 3 },
	{ "Instrumentation decides", 4 }, { "Client must supply", 5 }, { NULL, 0 },
};

static const struct choice priority[] = {
	{ "Not Managed", 0 }, { "Low", 1 }, { "Same", 2 }, { "High", 3 }, { "Urgent", 4 },
	{ NULL, 0 },
};

static const struct choice recovery[] = {
	{ "Automatic", 2 }, { "Manual", 3 }, { "Implementation decides", 4 }, { NULL, 0 },
};

static const struct choice origin[] = {
	{ "Implementation decides", 2 }, { "Same as source", 3 }, { NULL, 0 },
};

#define P(name, field, type, choices, honoured) \
	{ name, offsetof(struct cohort_replication_setting_data, field), choices, type, \
	  honoured, honoured }
#define S(name, field, type, choices) \
	{ name, offsetof(struct cohort_replication_setting_data, field), choices, type, \
	  true, false }

static const struct property properties[] = {
	P("ConsistentPointInTime", consistent_point_in_time, BOOLEAN, NULL, true),
	P("OnGroupOrListError", on_group_or_list_error, CHOICE, on_error, true),
	P("DesiredCopyMethodology", desired_copy_methodology, CHOICE, methodology, true),
	S("ReadOnly", read_only, CHOICE, side),
	S("TimeBeforeRemoval", time_before_removal, SECONDS, NULL),
	P("Pairing", pairing, CHOICE, pairing, false),
	P("UnequalGroupsAction", unequal_groups_action, CHOICE, unequal, false),
	P("UnequalListsAction", unequal_lists_action, CHOICE, unequal, false),
	P("TargetElementSupplier", target_element_supplier, CHOICE, supplier, false),
	P("ThinProvisioningPolicy", thin_provisioning_policy, NUMBER32, NULL, false),
	P("StorageCompressionPolicy", storage_compression_policy, NUMBER32, NULL, false),
	P("ConsistentAsyncCopy", consistent_async_copy, BOOLEAN, NULL, false),
	P("ConsistencyExempt", consistency_exempt, BOOLEAN, NULL, false),
	P("DeltaUpdateInterval", delta_update_interval, SECONDS, NULL, false),
	P("DeltaUpdateBlocks", delta_update_blocks, NUMBER64, NULL, false),
	P("Multihop", multihop, NUMBER32, NULL, false),
	P("CopyPriority", copy_priority, CHOICE, priority, false),
	P("CopyRecoveryMode", copy_recovery_mode, CHOICE, recovery, false),
	P("FailedCopyStopsHostIO", failed_copy_stops_host_io, BOOLEAN, NULL, true),
	P("TargetElementGoal", target_element_goal, CHOICE, origin, false),
	P("TargetElementResourcePool", target_element_resource_pool, CHOICE, origin, false),
	P("AutoDelete", auto_delete, BOOLEAN, NULL, false),
	P("DesiredRPO", desired_rpo, SECONDS, NULL, false),
	P("MaximumSkew", maximum_skew, BYTES, NULL, false),
	P("RRCHardwareCompressionEnabled", rrc_hardware_compression_enabled, BOOLEAN, NULL, false),
	P("RRCSoftwareCompressionEnabled", rrc_software_compression_enabled, BOOLEAN, NULL, false),
};

#define G(name, field, type) \
	{ name, offsetof(struct cohort_target_setting_goal, field), NULL, type, true, true }

static const struct property goals[] = {
	G("ReadOnly", read_only, BOOLEAN),
	G("UdevVisible", udev_visible, BOOLEAN),
	G("SpaceLimit", space_limit, BYTES),
	G("HoldTime", hold_time, SECONDS),
};

static bool wide(const struct property *p)
{
	return p->type == NUMBER64 || p->type == SECONDS || p->type == BYTES;
}

static void unset(const struct property *p, void *data)
{
	char *at = (char *)data + p->offset;

	if (wide(p))
		*(uint64_t *)at = COHORT_UNSET64;
	else
		*(int32_t *)at = COHORT_UNSET;
}

static bool is_set(const struct property *p, const void *data)
{
	const char *at = (const char *)data + p->offset;

	if (wide(p))
		return *(const uint64_t *)at != COHORT_UNSET64;
	return *(const int32_t *)at != COHORT_UNSET;
}

EXPORT void cohort_replication_setting_data_init(struct cohort_replication_setting_data *data)
{
	memset(data, 0, sizeof(*data));
	data->size = sizeof(*data);
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		unset(&properties[i], data);
}

EXPORT void cohort_target_setting_goal_init(struct cohort_target_setting_goal *goal)
{
	memset(goal, 0, sizeof(*goal));
	goal->size = sizeof(*goal);
	for (size_t i = 0; i < ARRAY_SIZE(goals); i++)
		unset(&goals[i], goal);
}

/* Decimal number with one letter of @suffixes behind it, of which each is worth @factors. */
static bool parse_number(const char *text, const char *suffixes, const uint64_t *factors,
			 uint64_t *ret)
{
	const char *suffix;
	uint64_t factor = 1;
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno || !isdigit((unsigned char)*text))
		return false;
	if (*end) {
		suffix = strchr(suffixes, tolower((unsigned char)*end));
		if (!suffix || end[1])
			return false;
		factor = factors[suffix - suffixes];
	}
	/* the largest value means unset */
	if (*ret > (UINT64_MAX - 1) / factor)
		return false;
	*ret *= factor;
	return true;
}

static bool parse_seconds(const char *text, uint64_t *ret)
{
	static const uint64_t factors[] = { 1, 60, 3600, 86400, 604800 };
	unsigned int days, hours, minutes, seconds;
	int used = 0;

	/* the interval of CIM: ddddddddhhmmss.mmmmmm:000 */
	if (strlen(text) == 25 && sscanf(text, "%8u%2u%2u%2u.%*6u:000%n", &days, &hours, &minutes,
					 &seconds, &used) == 4 && used == 25) {
		*ret = days * 86400ull + hours * 3600ull + minutes * 60ull + seconds;
		return true;
	}
	return parse_number(text, "smhdw", factors, ret);
}

static bool parse_bytes(const char *text, uint64_t *ret)
{
	static const uint64_t factors[] = { 1, 1ull << 10, 1ull << 20, 1ull << 30, 1ull << 40 };

	return parse_number(text, "bkmgt", factors, ret);
}

static bool parse_boolean(const char *text, uint64_t *ret)
{
	*ret = words_equal(text, "true") || words_equal(text, "yes") || !strcmp(text, "1");
	return *ret || words_equal(text, "false") || words_equal(text, "no") ||
	       !strcmp(text, "0");
}

static bool parse_choice(const struct choice *choice, const char *text, uint64_t *ret)
{
	for (; choice->name; choice++) {
		if (words_equal(text, choice->name)) {
			*ret = (uint64_t)choice->value;
			return true;
		}
	}
	/* a number is taken as it stands: whether it is legal is told later */
	return parse_number(text, "", NULL, ret) && *ret <= UINT16_MAX;
}

static bool parse_value(const struct property *p, const char *text, uint64_t *ret)
{
	switch (p->type) {
	case BOOLEAN:
		return parse_boolean(text, ret);
	case CHOICE:
		return parse_choice(p->choices, text, ret);
	case NUMBER32:
		return parse_number(text, "", NULL, ret) && *ret <= UINT16_MAX;
	case NUMBER64:
		return parse_number(text, "", NULL, ret);
	case SECONDS:
		return parse_seconds(text, ret);
	case BYTES:
		return parse_bytes(text, ret);
	}
	return false;
}

static int set(struct cohort *ctx, const char *what, const struct property *table, size_t count,
	       void *data, const char *name, const char *text)
{
	uint64_t value;

	for (size_t i = 0; i < count && name && text; i++) {
		char *at = (char *)data + table[i].offset;

		if (!words_equal(name, table[i].name))
			continue;
		if (!parse_value(&table[i], text, &value))
			return fail_errno(ctx, EINVAL, table[i].name, "'%s' is no value of %s",
					  text, table[i].name);
		if (wide(&table[i]))
			*(uint64_t *)at = value;
		else
			*(int32_t *)at = (int32_t)value;
		return 0;
	}
	return fail_errno(ctx, EINVAL, what, "%s has no property '%s'", what, name ? name : "");
}

EXPORT int cohort_replication_setting_data_set(struct cohort *ctx,
					       struct cohort_replication_setting_data *data,
					       const char *property, const char *value)
{
	return set(ctx, "ReplicationSettingData", properties, ARRAY_SIZE(properties), data,
		   property, value);
}

EXPORT int cohort_target_setting_goal_set(struct cohort *ctx,
					  struct cohort_target_setting_goal *goal,
					  const char *key, const char *value)
{
	return set(ctx, "TargetSettingGoal", goals, ARRAY_SIZE(goals), goal, key, value);
}

static int copy_setting_data(struct cohort *ctx, const struct cohort_replication_setting_data *data,
			     struct cohort_replication_setting_data *copy)
{
	cohort_replication_setting_data_init(copy);
	return data ? request_copy(ctx, copy, sizeof(*copy), data, data->size) : 0;
}

int check_no_setting_data(struct cohort *ctx, const struct cohort_replication_setting_data *data)
{
	struct cohort_replication_setting_data copy;
	int ret = copy_setting_data(ctx, data, &copy);

	for (size_t i = 0; !ret && i < ARRAY_SIZE(properties); i++)
		if (is_set(&properties[i], &copy))
			return fail_errno(ctx, EOPNOTSUPP, properties[i].name,
					  "%s is not supported here", properties[i].name);
	return ret;
}

/* 5 for a value that CIM reserves, 1 for one that is not built. */
static int judge(struct cohort *ctx, const char *name, int32_t value, int32_t first, int32_t last,
		 bool supported, const char *replica)
{
	if (value == COHORT_UNSET || supported)
		return 0;
	if (value < first || (value > last && value < 0x8000) || value > UINT16_MAX)
		return fail_errno(ctx, EINVAL, name, "%s: %d is a reserved value", name, value);
	return fail_errno(ctx, EOPNOTSUPP, name, "%s: %d is not supported for a %s", name,
			  value, replica);
}

static int judge_boolean(struct cohort *ctx, const char *attribute, const char *name, int32_t value)
{
	if (value >= COHORT_UNSET && value <= 1)
		return 0;
	return fail_errno(ctx, EINVAL, attribute, "%s is neither true nor false", name);
}

/* CIM: what suits, Copy-On-Write, Snap-And-Clone. */
static bool methodology_fits(uint32_t sync_type, int32_t value)
{
	return value == 2 || value == (sync_type == COHORT_SYNC_TYPE_CLONE ? 9 : 6);
}

static int check_honoured(struct cohort *ctx, uint32_t sync_type, const char *replica,
			  const struct cohort_replication_setting_data *d)
{
	int ret = judge_boolean(ctx, "ConsistentPointInTime", "ConsistentPointInTime",
				d->consistent_point_in_time);

	if (!ret)
		ret = judge_boolean(ctx, "FailedCopyStopsHostIO", "FailedCopyStopsHostIO",
				    d->failed_copy_stops_host_io);
	if (ret)
		return ret;
	ret = judge(ctx, "OnGroupOrListError", d->on_group_or_list_error,
		    COHORT_ON_ERROR_CONTINUE, COHORT_ON_ERROR_STOP,
		    d->on_group_or_list_error == COHORT_ON_ERROR_CONTINUE ||
		    d->on_group_or_list_error == COHORT_ON_ERROR_STOP, replica);
	if (!ret)
		ret = judge(ctx, "DesiredCopyMethodology", d->desired_copy_methodology, 1, 11,
			    methodology_fits(sync_type, d->desired_copy_methodology), replica);
	if (!ret)
		ret = judge(ctx, "ReadOnly", d->read_only, 2, 4, d->read_only == 3, replica);
	return ret;
}

int check_setting_data(struct cohort *ctx, uint32_t sync_type,
		       const struct cohort_replication_setting_data *data,
		       struct cohort_replication_setting_data *copy)
{
	const bool clone = sync_type == COHORT_SYNC_TYPE_CLONE;
	const char *replica = clone ? "clone" : "snapshot";
	int ret = copy_setting_data(ctx, data, copy);

	for (size_t i = 0; !ret && i < ARRAY_SIZE(properties); i++) {
		const struct property *p = &properties[i];

		if (!(clone ? p->of_clones : p->honoured) && is_set(p, copy))
			return fail_errno(ctx, EOPNOTSUPP, p->name,
					  "%s is not supported for a %s", p->name, replica);
	}
	return ret ? ret : check_honoured(ctx, sync_type, replica, copy);
}

int check_goal(struct cohort *ctx, const struct cohort_target_setting_goal *goal,
	       struct cohort_target_setting_goal *copy)
{
	int ret;

	cohort_target_setting_goal_init(copy);
	ret = goal ? request_copy(ctx, copy, sizeof(*copy), goal, goal->size) : 0;
	if (!ret)
		ret = judge_boolean(ctx, "TargetSettingGoal", "ReadOnly", copy->read_only);
	if (!ret)
		ret = judge_boolean(ctx, "TargetSettingGoal", "UdevVisible", copy->udev_visible);
	return ret;
}
