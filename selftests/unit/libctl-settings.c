// SPDX-License-Identifier: GPL-2.0-or-later
/* ReplicationSettingData and TargetSettingGoal in words, and the names of values. */
#include "../../libctl/private.h"
#include "unit.h"

static struct cohort *ctx;

struct word {
	const char *property;
	const char *value;
	int code;
	long long want;
};

static const struct word words[] = {
	{ "ConsistentPointInTime", "true", 0, 1 },
	{ "consistent_point_in_time", "FALSE", 0, 0 },
	{ "consistentpointintime", "maybe", 5, 0 },
	{ "ConsistentPointInTime", "", 5, 0 },
	{ "ConsistentPointInTime", "2", 5, 0 },
	{ "NoSuchProperty", "1", 5, 0 },
	{ "", "1", 5, 0 },
};

static void booleans(void)
{
	struct cohort_replication_setting_data d;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		cohort_replication_setting_data_init(&d);
		CHECK_INT(cohort_replication_setting_data_set(ctx, &d, words[i].property,
							      words[i].value),
			  words[i].code, words[i].value);
		CHECK_INT(d.consistent_point_in_time, words[i].code ? COHORT_UNSET : words[i].want,
			  words[i].property);
	}
}

static int32_t methodology(const char *value)
{
	struct cohort_replication_setting_data d;

	cohort_replication_setting_data_init(&d);
	cohort_replication_setting_data_set(ctx, &d, "DesiredCopyMethodology", value);
	return d.desired_copy_methodology;
}

static void choices(void)
{
	CHECK_INT(methodology("Copy-On-Write"), 6, "CIM name");
	CHECK_INT(methodology("copy_on_write"), 6, "C spelling");
	CHECK_INT(methodology("6"), 6, "number");
	CHECK_INT(methodology("77"), 77, "any number: refused later, with its reason");
	CHECK_INT(methodology("70000"), COHORT_UNSET, "no uint16");
	CHECK_INT(methodology("-1"), COHORT_UNSET, "negative");
	CHECK_INT(methodology("copy"), COHORT_UNSET, "no value");
}

static uint64_t seconds(const char *value)
{
	struct cohort_replication_setting_data d;

	cohort_replication_setting_data_init(&d);
	cohort_replication_setting_data_set(ctx, &d, "TimeBeforeRemoval", value);
	return d.time_before_removal;
}

static void intervals(void)
{
	CHECK_INT((long long)seconds("90"), 90, "seconds");
	CHECK_INT((long long)seconds("90s"), 90, "s");
	CHECK_INT((long long)seconds("5m"), 300, "m");
	CHECK_INT((long long)seconds("2h"), 7200, "h");
	CHECK_INT((long long)seconds("1D"), 86400, "D");
	CHECK_INT((long long)seconds("2w"), 1209600, "w");
	CHECK_INT((long long)seconds("00000001020304.000000:000"), 93784, "CIM interval");
	CHECK(seconds("1mm") == COHORT_UNSET64, "two letters");
	CHECK(seconds("h") == COHORT_UNSET64, "no number");
	CHECK(seconds("-5") == COHORT_UNSET64, "negative");
	CHECK(seconds(" 5") == COHORT_UNSET64, "blank");
	CHECK(seconds("18446744073709551615") == COHORT_UNSET64, "the value of unset");
	CHECK(seconds("18446744073709551614w") == COHORT_UNSET64, "overflow");
	CHECK(seconds("0000000102030x.000000:000") == COHORT_UNSET64, "no interval");
}

static void every_unhonoured_property_is_named(void)
{
	static const char *const others[] = {
		"Pairing", "UnequalGroupsAction", "UnequalListsAction", "TargetElementSupplier",
		"ThinProvisioningPolicy", "StorageCompressionPolicy", "ConsistentAsyncCopy",
		"ConsistencyExempt", "DeltaUpdateInterval", "DeltaUpdateBlocks", "Multihop",
		"CopyPriority", "CopyRecoveryMode", "TargetElementGoal",
		"TargetElementResourcePool", "AutoDelete", "DesiredRPO", "MaximumSkew",
		"RRCHardwareCompressionEnabled", "RRCSoftwareCompressionEnabled",
	};
	struct cohort_replication_setting_data d, copy;
	struct cohort_error e;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		cohort_replication_setting_data_init(&d);
		CHECK_INT(cohort_replication_setting_data_set(ctx, &d, others[i], "1"), 0,
			  others[i]);
		CHECK_INT(check_setting_data(ctx, COHORT_SYNC_TYPE_CLONE, &d, &copy), 1, others[i]);
		cohort_get_error(ctx, &e);
		CHECK(strstr(e.message, "clone"), "'%s'", e.message);
		CHECK_INT(check_setting_data(ctx, COHORT_SYNC_TYPE_SNAPSHOT, &d, &copy), 1,
			  others[i]);
		cohort_get_error(ctx, &e);
		CHECK_STRING(e.attribute, others[i]);
		CHECK(strstr(e.message, "snapshot"), "'%s'", e.message);
		CHECK(strstr(e.message, others[i]), "'%s'", e.message);
	}
}

static void goals(void)
{
	struct cohort_target_setting_goal g;

	cohort_target_setting_goal_init(&g);
	CHECK_INT(cohort_target_setting_goal_set(ctx, &g, "readonly", "yes"), 0, "ReadOnly");
	CHECK_INT(cohort_target_setting_goal_set(ctx, &g, "UdevVisible", "no"), 0, "UdevVisible");
	CHECK_INT(cohort_target_setting_goal_set(ctx, &g, "space-limit", "3M"), 0, "SpaceLimit");
	CHECK_INT(g.read_only, 1, "ReadOnly");
	CHECK_INT(g.udev_visible, 0, "UdevVisible");
	CHECK_INT((long long)g.space_limit, 3 << 20, "SpaceLimit");
	CHECK_INT(cohort_target_setting_goal_set(ctx, &g, "SpaceLimit", "3X"), 5, "no suffix");
	CHECK_INT(cohort_target_setting_goal_set(ctx, &g, "Colour", "red"), 5, "no key");
	CHECK_INT(cohort_target_setting_goal_set(ctx, &g, NULL, "red"), 5, "NULL key");
	CHECK_INT(cohort_target_setting_goal_set(ctx, &g, "SpaceLimit", NULL), 5, "NULL value");
}

static void names_there_and_back(void)
{
	for (uint32_t v = 0; v < 70; v++) {
		if (strcmp(cohort_copy_state_name(v), "Unknown"))
			CHECK_INT(cohort_copy_state_parse(cohort_copy_state_name(v)), v, "state");
		if (strcmp(cohort_operation_name(v), "Unknown"))
			CHECK_INT(cohort_operation_parse(cohort_operation_name(v)), v, "operation");
		if (strcmp(cohort_sync_type_name(v), "Unknown"))
			CHECK_INT(cohort_sync_type_parse(cohort_sync_type_name(v)), v, "type");
	}
	CHECK_STRING(cohort_copy_state_name(4), "Synchronized");
	CHECK_STRING(cohort_copy_state_name(0xffffffff), "Unknown");
	CHECK_STRING(cohort_progress_status_name(25), "Requires resume");
	CHECK_STRING(cohort_job_state_name(7), "Completed");
	CHECK_STRING(cohort_result_name(4096), "Method Parameters Checked - Job Started");
	CHECK_STRING(cohort_result_name(6), "In Use");
}

static void names_in_any_spelling(void)
{
	CHECK_INT(cohort_copy_state_parse("SYNCHRONIZED"), 4, "case");
	CHECK_INT(cohort_copy_state_parse("not-applicable"), 15, "dash");
	CHECK_INT(cohort_operation_parse("return to resource pool"), 19, "blanks");
	CHECK_INT(cohort_mode_parse("async"), 3, "short");
	CHECK_INT(cohort_consistency_parse("none"), 2, "short");
	CHECK_INT(cohort_sync_type_parse("0x8001"), 0x8001, "vendor number");
	CHECK_INT(cohort_sync_type_parse("unknown"), COHORT_UNSET, "Unknown is no name");
	CHECK_INT(cohort_sync_type_parse(""), COHORT_UNSET, "empty");
	CHECK_INT(cohort_sync_type_parse(NULL), COHORT_UNSET, "NULL");
	CHECK_INT(cohort_sync_type_parse("7x"), COHORT_UNSET, "number and more");
	CHECK_INT(cohort_sync_type_parse("-1"), COHORT_UNSET, "negative");
	CHECK_INT(cohort_sync_type_parse("65536"), COHORT_UNSET, "no uint16");
}

static const struct unit_case cases[] = {
	{ "booleans", booleans },
	{ "choices", choices },
	{ "intervals", intervals },
	{ "every_unhonoured_property_is_named", every_unhonoured_property_is_named },
	{ "goals", goals },
	{ "names_there_and_back", names_there_and_back },
	{ "names_in_any_spelling", names_in_any_spelling },
};

int main(void)
{
	int status;

	ctx = cohort_new();
	status = unit_main(cases, ARRAY_SIZE(cases));
	cohort_unref(ctx);
	return status;
}
