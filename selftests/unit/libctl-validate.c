// SPDX-License-Identifier: GPL-2.0-or-later
/* Every parameter of every method, each with values that must pass and values that must not. */
#include <stdlib.h>

#include "../../libctl/private.h"
#include "unit.h"

static struct cohort *ctx;
static const char *const three[] = { "a", "/dev/mapper/b", "c" };

static struct cohort_request request(void)
{
	struct cohort_request r;

	cohort_request_init(&r);
	r.sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	r.source_elements = three;
	r.source_elements_count = ARRAY_SIZE(three);
	return r;
}

/* Checks one request; on a refusal the attribute and some words must be there. */
static void expect(const struct cohort_request *r, int code, const char *attribute)
{
	struct replica_args args;
	struct cohort_error e;

	CHECK_INT(validate_replica(ctx, r, true, &args), code, attribute ? attribute : "valid");
	if (!attribute)
		return;
	cohort_get_error(ctx, &e);
	CHECK_STRING(e.attribute, attribute);
	CHECK_INT(e.code, code, "kept code");
	CHECK(e.message[0] && !strchr(e.message, '\n'), "'%s'", e.message);
}

static void plain_request_passes(void)
{
	const struct cohort_request r = request();
	struct replica_args args;

	CHECK_INT(validate_replica(ctx, &r, true, &args), 0, "plain");
	CHECK_INT(args.consistency, COHORT_UNSET, "consistency: the group's own");
	CHECK_INT(args.wait_state, COHORT_COPY_STATE_SYNCHRONIZED, "wait state");
	CHECK_INT(args.on_error, COHORT_UNSET, "on error");
	CHECK_INT(args.flags, COHORT_RELATIONSHIP_FLAGS_READ_ONLY, "flags");
	CHECK(args.space_limit == COHORT_UNSET64, "space limit");
	CHECK(args.remove_after == COHORT_UNSET64, "remove after");
}

static int sync_type_code(int v)
{
	if (v == COHORT_SYNC_TYPE_SNAPSHOT)
		return 0;
	/* a clone, but without targets: that is another parameter */
	if (v == COHORT_SYNC_TYPE_CLONE)
		return 5;
	if (v == COHORT_SYNC_TYPE_MIRROR)
		return 1;
	return v >= 0x8000 && v <= 0xffff ? 1 : 5;
}

static void sync_type_all_values(void)
{
	struct cohort_request r = request();

	for (int v = -3; v <= 0x10003; v++) {
		const int code = sync_type_code(v);

		r.sync_type = v;
		expect(&r, code, v == COHORT_SYNC_TYPE_CLONE ? "TargetElements" :
		       code ? "SyncType" : NULL);
	}
}

static int two_three_code(int v)
{
	if (v == COHORT_UNSET || v == 2 || v == 3)
		return 0;
	return v >= 0x8000 && v <= 0xffff ? 1 : 5;
}

static void mode_all_values(void)
{
	struct cohort_request r = request();

	for (int v = -3; v <= 0x10003; v++) {
		r.mode = v;
		expect(&r, two_three_code(v), two_three_code(v) ? "Mode" : NULL);
	}
}

static void consistency_all_values(void)
{
	struct cohort_request r = request();

	for (int v = -3; v <= 0x10003; v++) {
		r.consistency = v;
		expect(&r, two_three_code(v), two_three_code(v) ? "Consistency" : NULL);
	}
}

static void wait_for_copy_state_all_values(void)
{
	struct cohort_request r = request();

	for (int v = -3; v <= 0x10003; v++) {
		const bool good = v == COHORT_UNSET || v == 2 || v == 4 || v == 8;

		r.wait_for_copy_state = v;
		expect(&r, good ? 0 : 5, good ? NULL : "WaitForCopyState");
	}
}

static void relationship_name_must_fit(void)
{
	struct cohort_request r = request();
	static const char *const bad[] = {
		"", "-x", ".x", "a b", "a/b", "a\nb", "control", "\xc3\xa4", "a\"b", "a'b",
	};
	char name[COHORT_NAME_MAX + 2] = "";

	r.relationship_name = "rel.1:x=y@z+#_-";
	expect(&r, 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		r.relationship_name = bad[i];
		expect(&r, 5, "RelationshipName");
	}
	memset(name, 'n', sizeof(name) - 1);
	r.relationship_name = name;
	expect(&r, 5, "RelationshipName");
	/* name_1024 is a device: 5 bytes less than the longest name */
	name[COHORT_NAME_MAX - 4] = '\0';
	expect(&r, 5, "RelationshipName");
	name[COHORT_NAME_MAX - 5] = '\0';
	expect(&r, 0, NULL);
}

static void elements_empty(void)
{
	struct cohort_request r = request();

	r.source_elements_count = 0;
	expect(&r, 5, "SourceElements");
	r.source_elements_count = 3;
	r.source_elements = NULL;
	expect(&r, 5, "SourceElements");
}

static void elements_duplicate(void)
{
	struct cohort_request r = request();
	const char *const twice[] = { "x", "y", "x" };
	const char *const path[] = { "x", "/dev/mapper/x" };

	r.source_elements = twice;
	expect(&r, 5, "SourceElements");
	r.source_elements = path;
	r.source_elements_count = 2;
	expect(&r, 5, "SourceElements");
}

static void elements_mixed(void)
{
	struct cohort_request r = request();
	const char *const disk[] = { "x", "y", "/dev/sda" };
	const char *const null[] = { "x", NULL, "z" };
	const char *const empty[] = { "", "y", "z" };

	r.source_elements = disk;
	expect(&r, 5, "SourceElements[2]");
	r.source_elements = null;
	expect(&r, 5, "SourceElements[1]");
	r.source_elements = empty;
	expect(&r, 5, "SourceElements[0]");
}

static void elements_count_limit(void)
{
	static char names[COHORT_MEMBERS_MAX + 1][8];
	static const char *list[COHORT_MEMBERS_MAX + 1];
	struct cohort_request r = request();

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		snprintf(names[i], sizeof(names[i]), "m%zu", i);
		list[i] = names[i];
	}
	r.source_elements = list;
	r.source_elements_count = COHORT_MEMBERS_MAX;
	expect(&r, 0, NULL);
	r.source_elements_count = COHORT_MEMBERS_MAX + 1;
	expect(&r, 5, "SourceElements");
}

static void access_points_are_refused(void)
{
	struct cohort_request r = request();

	r.source_access_point = "https://peer/";
	expect(&r, 1, "SourceAccessPoint");
	r = request();
	r.target_access_point = "";
	expect(&r, 1, "TargetAccessPoint");
}

static void source_group_name(void)
{
	struct cohort_request r = request();

	r.source_group_name = "db";
	expect(&r, 0, NULL);
	r.source_group_name = "d b";
	expect(&r, 5, "SourceGroupName");
}

static void target_group_excludes_pool_and_goal(void)
{
	struct cohort_request r = request();
	struct cohort_target_setting_goal goal;

	cohort_target_setting_goal_init(&goal);
	r.target_group = "tg";
	expect(&r, 0, NULL);
	r.target_pool = "p";
	expect(&r, 5, "TargetPool");
	r.target_pool = NULL;
	r.target_setting_goal = &goal;
	expect(&r, 5, "TargetSettingGoal");
	r.target_group = NULL;
	expect(&r, 0, NULL);
	r.target_pool = "p";
	expect(&r, 0, NULL);
	r.target_pool = "p/p";
	expect(&r, 5, "TargetPool");
}

static void target_group_is_not_the_source_group(void)
{
	struct cohort_request r = request();

	r.source_group_name = "g";
	r.target_group = "g";
	expect(&r, 5, "TargetGroup");
	r.target_group = "";
	expect(&r, 5, "TargetGroup");
}

static void consistent_point_in_time(void)
{
	struct cohort_request r = request();
	struct cohort_replication_setting_data d;
	struct replica_args args;

	cohort_replication_setting_data_init(&d);
	r.replication_setting_data = &d;
	d.consistent_point_in_time = 1;
	CHECK_INT(validate_replica(ctx, &r, true, &args), 0, "asked for");
	CHECK_INT(args.consistency, COHORT_CONSISTENCY_SEQUENTIAL, "one cut");
	r.consistency = COHORT_CONSISTENCY_NONE;
	expect(&r, 5, "ConsistentPointInTime");
	d.consistent_point_in_time = 0;
	CHECK_INT(validate_replica(ctx, &r, true, &args), 0, "not asked for");
	CHECK_INT(args.consistency, COHORT_CONSISTENCY_NONE, "one by one");
	d.consistent_point_in_time = 2;
	expect(&r, 5, "ConsistentPointInTime");
}

static void settings_reach_the_module(void)
{
	struct cohort_request r = request();
	struct cohort_replication_setting_data d;
	struct cohort_target_setting_goal goal;
	struct replica_args args;

	cohort_replication_setting_data_init(&d);
	cohort_target_setting_goal_init(&goal);
	r.replication_setting_data = &d;
	r.target_setting_goal = &goal;
	d.on_group_or_list_error = COHORT_ON_ERROR_CONTINUE;
	d.time_before_removal = 77;
	d.desired_copy_methodology = 6;
	d.read_only = 3;
	goal.read_only = 1;
	goal.udev_visible = 1;
	goal.space_limit = 1 << 20;
	CHECK_INT(validate_replica(ctx, &r, true, &args), 0, "all honoured");
	CHECK_INT(args.on_error, COHORT_ON_ERROR_CONTINUE, "on error");
	CHECK_INT((long long)args.remove_after, 77, "remove after");
	CHECK_INT((long long)args.space_limit, 1 << 20, "space limit");
	CHECK_INT(args.flags, COHORT_RELATIONSHIP_FLAGS_READ_ONLY |
		  COHORT_RELATIONSHIP_FLAGS_UDEV_VISIBLE, "flags");
}

static void writes_held_on_a_full_pool(void)
{
	static const struct {
		int32_t hold;
		uint64_t seconds;
		int result;
		int32_t wanted;
	} rows[] = {
		{ 1, COHORT_UNSET64, 0, COHORT_UNSET }, { 1, 1, 0, 1 },
		{ 1, COHORT_HOLD_TIME_MAX, 0, COHORT_HOLD_TIME_MAX },
		{ 1, 0, 5, 0 }, { 1, COHORT_HOLD_TIME_MAX + 1ull, 5, 0 }, { 1, 1ull << 32, 5, 0 },
		{ 0, COHORT_UNSET64, 0, COHORT_UNSET }, { 0, 30, 5, 0 }, { COHORT_UNSET, 30, 5, 0 },
		{ 2, COHORT_UNSET64, 5, 0 }, { -2, COHORT_UNSET64, 5, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cohort_request r = request();
		struct cohort_replication_setting_data d;
		struct cohort_target_setting_goal goal;
		struct replica_args args;

		cohort_replication_setting_data_init(&d);
		cohort_target_setting_goal_init(&goal);
		r.replication_setting_data = &d;
		r.target_setting_goal = &goal;
		d.failed_copy_stops_host_io = rows[i].hold;
		goal.hold_time = rows[i].seconds;
		CHECK_INT(validate_replica(ctx, &r, true, &args), rows[i].result, "result");
		if (rows[i].result)
			continue;
		CHECK_INT(args.hold_time, rows[i].wanted, "hold time");
		CHECK_INT(!!(args.flags & COHORT_RELATIONSHIP_FLAGS_HOLD_ON_FULL),
			  rows[i].hold == 1, "flag");
	}
}

static void settings_of_reserved_values(void)
{
	struct cohort_request r = request();
	struct cohort_replication_setting_data d;

	r.replication_setting_data = &d;
	for (int v = -3; v <= 0x10003; v++) {
		const bool vendor = v >= 0x8000 && v <= 0xffff;

		cohort_replication_setting_data_init(&d);
		d.on_group_or_list_error = v;
		if (v == COHORT_UNSET || v == 2 || v == 3)
			expect(&r, 0, NULL);
		else
			expect(&r, vendor ? 1 : 5, "OnGroupOrListError");
		cohort_replication_setting_data_init(&d);
		d.desired_copy_methodology = v;
		if (v == COHORT_UNSET || v == 2 || v == 6)
			expect(&r, 0, NULL);
		else
			expect(&r, vendor || (v >= 1 && v <= 11) ? 1 : 5, "DesiredCopyMethodology");
		cohort_replication_setting_data_init(&d);
		d.read_only = v;
		if (v == COHORT_UNSET || v == 3)
			expect(&r, 0, NULL);
		else
			expect(&r, vendor || v == 2 || v == 4 ? 1 : 5, "ReadOnly");
	}
}

static void goal_values(void)
{
	struct cohort_request r = request();
	struct cohort_target_setting_goal goal;

	cohort_target_setting_goal_init(&goal);
	r.target_setting_goal = &goal;
	goal.read_only = 0;
	expect(&r, 0, NULL);
	goal.read_only = 2;
	expect(&r, 5, "TargetSettingGoal");
	goal.read_only = 1;
	goal.udev_visible = -2;
	expect(&r, 5, "TargetSettingGoal");
}

static void images_that_can_be_written(void)
{
	struct cohort_replication_setting_data d;
	struct cohort_target_setting_goal goal;
	struct cohort_request r = request();
	struct replica_args args;

	cohort_replication_setting_data_init(&d);
	cohort_target_setting_goal_init(&goal);
	r.replication_setting_data = &d;
	r.target_setting_goal = &goal;
	goal.read_only = 0;
	CHECK_INT(validate_replica(ctx, &r, true, &args), 0, "ReadOnly 0");
	CHECK_INT(args.flags, 0, "flags");
	d.read_only = 3;
	expect(&r, 5, "TargetSettingGoal");
}

static const char *const disks[] = { "/dev/x", "/dev/y", "/dev/z" };

static struct cohort_request clone_request(void)
{
	struct cohort_request r = request();

	r.sync_type = COHORT_SYNC_TYPE_CLONE;
	r.target_elements = disks;
	r.target_elements_count = ARRAY_SIZE(disks);
	return r;
}

static void plain_clone_passes(void)
{
	struct cohort_request r = clone_request();
	struct replica_args args;

	CHECK_INT(validate_replica(ctx, &r, true, &args), 0, "plain");
	CHECK_INT(args.flags, 0, "it can be written");
	CHECK_INT(args.wait_state, COHORT_COPY_STATE_UNSYNCHRONIZED, "the job's end");
	CHECK(args.wait_copied, "and copied behind it");
	r.force = true;
	expect(&r, 0, NULL);
	r.source_elements_count = 0;
	r.source_group_name = "g";
	CHECK_INT(validate_replica(ctx, &r, false, &args), 0, "a group, counted later");
}

static void clone_waits_all_values(void)
{
	struct cohort_request r = clone_request();
	struct replica_args args;

	for (int v = -3; v <= 0x10003; v++) {
		const bool good = v == COHORT_UNSET || v == 2 || v == 3 || v == 4 || v == 8;

		r.wait_for_copy_state = v;
		expect(&r, good ? 0 : 5, good ? NULL : "WaitForCopyState");
		if (!good)
			continue;
		validate_replica(ctx, &r, true, &args);
		CHECK_INT(args.wait_copied, v == COHORT_UNSET || v == 4, "copied");
		CHECK_INT(args.wait_state, v == 2 || v == 8 ? v : 3, "the job's end");
	}
}

static void targets_are_as_many_as_members(void)
{
	struct cohort_request r = clone_request();

	for (size_t n = 0; n <= 5; n++) {
		const char *const many[] = { "a", "b", "c", "d", "e" };

		r.target_elements = many;
		r.target_elements_count = n;
		expect(&r, n == 3 ? 0 : 5, n == 3 ? NULL : "TargetElements");
	}
	r.target_elements_count = 3;
	r.target_elements = NULL;
	expect(&r, 5, "TargetElements");
}

static void targets_that_make_no_sense(void)
{
	struct cohort_request r = clone_request();
	const char *const twice[] = { "/dev/x", "/dev/y", "/dev/x" };
	const char *const null[] = { "/dev/x", NULL, "/dev/y" };
	const char *const empty[] = { "/dev/x", "/dev/y", "" };

	r.target_elements = twice;
	expect(&r, 5, "TargetElements");
	r.target_elements = null;
	expect(&r, 5, "TargetElements[1]");
	r.target_elements = empty;
	expect(&r, 5, "TargetElements[2]");
}

static void targets_count_limit(void)
{
	static const char *list[COHORT_MEMBERS_MAX + 1];
	static char names[COHORT_MEMBERS_MAX + 1][8];
	struct cohort_request r = clone_request();
	struct replica_args args;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		snprintf(names[i], sizeof(names[i]), "t%zu", i);
		list[i] = names[i];
	}
	r.source_elements_count = 0;
	r.source_group_name = "g";
	r.target_elements = list;
	r.target_elements_count = COHORT_MEMBERS_MAX;
	CHECK_INT(validate_replica(ctx, &r, false, &args), 0, "as many as there can be");
	r.target_elements_count = COHORT_MEMBERS_MAX + 1;
	CHECK_INT(validate_replica(ctx, &r, false, &args), 5, "more");
}

static void a_snapshot_has_no_targets(void)
{
	struct cohort_request r = clone_request();

	r.sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	expect(&r, 5, "TargetElements");
	r.target_elements = NULL;
	expect(&r, 5, "TargetElements");
	r.target_elements_count = 0;
	r.force = true;
	expect(&r, 5, "Force");
	r.force = false;
	expect(&r, 0, NULL);
}

static void settings_of_a_clone(void)
{
	struct cohort_replication_setting_data d;
	struct cohort_target_setting_goal goal;
	struct cohort_request r = clone_request();
	struct replica_args args;

	cohort_replication_setting_data_init(&d);
	cohort_target_setting_goal_init(&goal);
	r.replication_setting_data = &d;
	r.target_setting_goal = &goal;
	d.failed_copy_stops_host_io = 1;
	d.on_group_or_list_error = COHORT_ON_ERROR_CONTINUE;
	goal.hold_time = 7;
	goal.space_limit = 1 << 20;
	goal.udev_visible = 1;
	goal.read_only = 0;
	CHECK_INT(validate_replica(ctx, &r, true, &args), 0, "all honoured");
	CHECK_INT(args.flags, COHORT_RELATIONSHIP_FLAGS_UDEV_VISIBLE |
		  COHORT_RELATIONSHIP_FLAGS_HOLD_ON_FULL, "flags");
	goal.read_only = 1;
	expect(&r, 5, "TargetSettingGoal");
	goal.read_only = COHORT_UNSET;
	d.read_only = 3;
	expect(&r, 1, "ReadOnly");
	d.read_only = COHORT_UNSET;
	d.time_before_removal = 60;
	expect(&r, 1, "TimeBeforeRemoval");
}

static void methodology_of_a_clone(void)
{
	struct cohort_replication_setting_data d;
	struct cohort_request r = clone_request();

	r.replication_setting_data = &d;
	cohort_replication_setting_data_init(&d);
	for (int v = 0; v <= 12; v++) {
		d.desired_copy_methodology = v;
		if (v == 2 || v == 9)
			expect(&r, 0, NULL);
		else
			expect(&r, v >= 1 && v <= 11 ? 1 : 5, "DesiredCopyMethodology");
	}
}

static void target_group_of_a_clone(void)
{
	struct cohort_request r = clone_request();

	r.target_group = "tg";
	expect(&r, 0, NULL);
	r.target_pool = "p";
	expect(&r, 5, "TargetPool");
	r.target_group = NULL;
	expect(&r, 0, NULL);
}

static void volume_group_of_a_clone(void)
{
	struct cohort_request r = clone_request();

	r.target_pool = "vg:data";
	expect(&r, 5, "TargetElements");
	r.target_elements_count = 0;
	expect(&r, 5, "TargetElements");
	r.target_elements = NULL;
	expect(&r, 0, NULL);
	r.force = true;
	expect(&r, 5, "Force");
	r.force = false;
	r.target_group = "tg";
	expect(&r, 5, "TargetPool");
	r.target_group = NULL;
	r.target_pool = "vg:";
	expect(&r, 5, "TargetPool");
	r.target_pool = "vg:-a";
	expect(&r, 5, "TargetPool");
	r.target_pool = "vg:a/b";
	expect(&r, 5, "TargetPool");
	r.target_pool = "data";
	expect(&r, 5, "TargetElements");
	r.target_pool = "vg:data";
	r.sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	expect(&r, 5, "TargetPool");
}

/* Callers of before there were clones end at timeout_ms. */
static void requests_without_targets(void)
{
	struct cohort_request r = clone_request();
	struct replica_args args;

	r.sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	r.size = offsetof(struct cohort_request, target_elements);
	CHECK_INT(validate_replica(ctx, &r, true, &args), 0, "what lies behind is not read");
	CHECK(!args.req.target_elements && !args.req.target_elements_count, "unset");
}

static void sizes_of_requests(void)
{
	struct cohort_request r = request();
	struct replica_args args;

	r.size = 0;
	CHECK_INT(validate_replica(ctx, &r, true, &args), 5, "no size");
	r.size = sizeof(r) + 8;
	CHECK_INT(validate_replica(ctx, &r, true, &args), 1, "newer");
	r.size = offsetof(struct cohort_request, wait_for_copy_state);
	r.wait_for_copy_state = 99;
	CHECK_INT(validate_replica(ctx, &r, true, &args), 0, "older: what it lacks is unset");
	CHECK_INT(validate_replica(ctx, NULL, true, &args), 5, "none");
}

static void timeouts(void)
{
	struct cohort_request r = request();
	struct replica_args args;

	r.timeout_ms = -2;
	CHECK_INT(validate_replica(ctx, &r, true, &args), 5, "negative");
	r.timeout_ms = 0;
	expect(&r, 0, NULL);
}

static void existing_group(void)
{
	struct cohort_request r = request();
	struct replica_args args;
	struct cohort_error e;

	r.source_group_name = "g";
	CHECK_INT(validate_replica(ctx, &r, false, &args), 5, "elements and a group");
	cohort_get_error(ctx, &e);
	CHECK_STRING(e.attribute, "SourceElements");
	r.source_elements_count = 0;
	CHECK_INT(validate_replica(ctx, &r, false, &args), 0, "a group");
	r.source_group_name = NULL;
	CHECK_INT(validate_replica(ctx, &r, false, &args), 5, "no group");
}

static bool operation_is_known(int v)
{
	static const int known[] = {
		COHORT_OPERATION_ACTIVATE, COHORT_OPERATION_RETURN_TO_POOL,
		COHORT_OPERATION_RESET_REPLICA, COHORT_OPERATION_SUSPEND, COHORT_OPERATION_RESUME,
		COHORT_OPERATION_ABORT, COHORT_OPERATION_DETACH, COHORT_OPERATION_DISSOLVE,
		COHORT_OPERATION_RESYNC_REPLICA,
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == v)
			return true;
	return false;
}

static void modify_operations(void)
{
	struct cohort_modify_request r, copy;

	cohort_modify_request_init(&r);
	r.synchronization = "rel";
	for (int v = -3; v <= 0x10003; v++) {
		int code = 5;

		if (operation_is_known(v))
			code = 0;
		else if ((v >= 2 && v <= 27) || (v >= 0x8000 && v <= 0xffff))
			code = 1;
		r.operation = v;
		CHECK_INT(validate_modify(ctx, &r, &copy), code, "operation");
	}
}

static void modify_other_parameters(void)
{
	struct cohort_replication_setting_data d;
	struct cohort_modify_request r, copy;

	cohort_modify_request_init(&r);
	r.operation = COHORT_OPERATION_ACTIVATE;
	CHECK_INT(validate_modify(ctx, &r, &copy), 5, "no relationship");
	r.synchronization = "rel";
	r.sync_pair = "x";
	CHECK_INT(validate_modify(ctx, &r, &copy), 1, "SyncPair");
	r.sync_pair = NULL;
	cohort_replication_setting_data_init(&d);
	r.replication_setting_data = &d;
	CHECK_INT(validate_modify(ctx, &r, &copy), 0, "settings without a value");
	d.auto_delete = 0;
	CHECK_INT(validate_modify(ctx, &r, &copy), 1, "settings");
}

static void group_requests(void)
{
	struct cohort_group_request r, copy;

	cohort_group_request_init(&r);
	CHECK_INT(validate_group(ctx, &r, &copy), 5, "no members, no pool");
	r.pool = "p";
	CHECK_INT(validate_group(ctx, &r, &copy), 0, "empty group");
	r.reserved_as = 3;
	CHECK_INT(validate_group(ctx, &r, &copy), 0, "target group");
	r.members = three;
	r.members_count = 3;
	CHECK_INT(validate_group(ctx, &r, &copy), 5, "target group with members");
	r.reserved_as = 2;
	CHECK_INT(validate_group(ctx, &r, &copy), 0, "source group");
	r.reserved_as = 4;
	CHECK_INT(validate_group(ctx, &r, &copy), 1, "both");
	r.reserved_as = 5;
	CHECK_INT(validate_group(ctx, &r, &copy), 5, "reserved");
}

static void group_properties(void)
{
	struct cohort_group_request r, copy;

	cohort_group_request_init(&r);
	r.pool = "p";
	r.persistent = 0;
	CHECK_INT(validate_group(ctx, &r, &copy), 1, "Persistent false");
	r.persistent = 1;
	r.delete_on_empty_element = 1;
	CHECK_INT(validate_group(ctx, &r, &copy), 1, "DeleteOnEmptyElement true");
	r.delete_on_empty_element = 0;
	r.delete_on_unassociated = 1;
	CHECK_INT(validate_group(ctx, &r, &copy), 0, "DeleteOnUnassociated true");
	r.delete_on_unassociated = 2;
	CHECK_INT(validate_group(ctx, &r, &copy), 5, "neither");
	r.delete_on_unassociated = COHORT_UNSET;
	r.service_access_point = "x";
	CHECK_INT(validate_group(ctx, &r, &copy), 1, "ServiceAccessPoint");
}

static const struct unit_case cases[] = {
	{ "plain_request_passes", plain_request_passes },
	{ "sync_type_all_values", sync_type_all_values },
	{ "mode_all_values", mode_all_values },
	{ "consistency_all_values", consistency_all_values },
	{ "wait_for_copy_state_all_values", wait_for_copy_state_all_values },
	{ "relationship_name_must_fit", relationship_name_must_fit },
	{ "elements_empty", elements_empty },
	{ "elements_duplicate", elements_duplicate },
	{ "elements_mixed", elements_mixed },
	{ "elements_count_limit", elements_count_limit },
	{ "access_points_are_refused", access_points_are_refused },
	{ "source_group_name", source_group_name },
	{ "target_group_excludes_pool_and_goal", target_group_excludes_pool_and_goal },
	{ "target_group_is_not_the_source_group", target_group_is_not_the_source_group },
	{ "consistent_point_in_time", consistent_point_in_time },
	{ "settings_reach_the_module", settings_reach_the_module },
	{ "writes_held_on_a_full_pool", writes_held_on_a_full_pool },
	{ "settings_of_reserved_values", settings_of_reserved_values },
	{ "goal_values", goal_values },
	{ "images_that_can_be_written", images_that_can_be_written },
	{ "plain_clone_passes", plain_clone_passes },
	{ "clone_waits_all_values", clone_waits_all_values },
	{ "targets_are_as_many_as_members", targets_are_as_many_as_members },
	{ "targets_that_make_no_sense", targets_that_make_no_sense },
	{ "targets_count_limit", targets_count_limit },
	{ "a_snapshot_has_no_targets", a_snapshot_has_no_targets },
	{ "settings_of_a_clone", settings_of_a_clone },
	{ "methodology_of_a_clone", methodology_of_a_clone },
	{ "target_group_of_a_clone", target_group_of_a_clone },
	{ "volume_group_of_a_clone", volume_group_of_a_clone },
	{ "requests_without_targets", requests_without_targets },
	{ "sizes_of_requests", sizes_of_requests },
	{ "timeouts", timeouts },
	{ "existing_group", existing_group },
	{ "modify_operations", modify_operations },
	{ "modify_other_parameters", modify_other_parameters },
	{ "group_requests", group_requests },
	{ "group_properties", group_properties },
};

int main(void)
{
	int status;

	ctx = cohort_new();
	status = unit_main(cases, ARRAY_SIZE(cases));
	cohort_unref(ctx);
	return status;
}
