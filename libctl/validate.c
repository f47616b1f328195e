// SPDX-License-Identifier: LGPL-2.1-or-later
/* validate.c - requests checked parameter by parameter, before anything is touched */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kmod/state.h"
#include "private.h"

/* Images are RelationshipName_n: the longest n must fit. */
#define RELATIONSHIP_NAME_MAX (COHORT_NAME_MAX - 5)

int request_copy(struct cohort *ctx, void *copy, size_t known, const void *request, size_t size)
{
	if (size < sizeof(size_t) || size > 65536)
		return fail_errno(ctx, EINVAL, NULL,
				  "the request was not initialised by its ..._init call");
	if (size > known)
		return fail_errno(ctx, EOPNOTSUPP, NULL,
				  "the request is of a newer version than this library");
	memcpy(copy, request, size);
	return 0;
}

bool name_valid(const char *name, size_t max)
{
	size_t len = 0;

	/* what libdevmapper need not mangle, whatever the locale */
	while (isascii(name[len]) && (isalnum(name[len]) || strchr("#+.:=@_-", name[len])) &&
	       name[len])
		len++;
	/* no option, no hidden or special entry */
	return len && len <= max && !name[len] && name[0] != '-' && name[0] != '.' &&
	       strcmp(name, "control");
}

static int check_name_max(struct cohort *ctx, const char *attribute, const char *name, size_t max)
{
	if (!name || !*name)
		return fail_errno(ctx, EINVAL, attribute, "%s is missing", attribute);
	if (!name_valid(name, max))
		return fail_errno(ctx, EINVAL, attribute,
				  "%s '%.140s' is not a name: letters, digits and #+.:=@_- up to %zu",
				  attribute, name, max);
	return 0;
}

int check_name(struct cohort *ctx, const char *attribute, const char *name)
{
	return check_name_max(ctx, attribute, name, COHORT_NAME_MAX);
}

static int check_optional(struct cohort *ctx, const char *attribute, const char *name)
{
	return name ? check_name(ctx, attribute, name) : 0;
}

const char *element_name(const char *element)
{
	if (!strncmp(element, DM_DIR, strlen(DM_DIR)))
		element += strlen(DM_DIR);
	return name_valid(element, COHORT_NAME_MAX) ? element : NULL;
}

static int compare_elements(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* @names is sorted here to find two the same. */
static int check_duplicates(struct cohort *ctx, const char *attribute, const char **names,
			    size_t count)
{
	qsort(names, count, sizeof(*names), compare_elements);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(names[i - 1], names[i]))
			return fail_errno(ctx, EINVAL, attribute, "%s is named twice", names[i]);
	return 0;
}

static int check_element(struct cohort *ctx, const char *attribute, const char *element, size_t i,
			 const char **name)
{
	char at[64];

	snprintf(at, sizeof(at), "%s[%zu]", attribute, i);
	if (!element || !*element)
		return fail_errno(ctx, EINVAL, at, "%s is missing", at);
	*name = element_name(element);
	if (!*name)
		return fail_errno(ctx, EINVAL, at, "'%.140s' is not the name of a source", element);
	return 0;
}

int check_elements(struct cohort *ctx, const char *attribute, const char *const *elements,
		   size_t count)
{
	const char **names;
	int ret = 0;

	if (!elements || !count)
		return fail_errno(ctx, EINVAL, attribute, "%s is empty", attribute);
	if (count > COHORT_MEMBERS_MAX)
		return fail_errno(ctx, EINVAL, attribute, "%zu elements, at most %d are possible",
				  count, COHORT_MEMBERS_MAX);
	names = calloc(count, sizeof(*names));
	if (!names)
		return fail_memory(ctx);
	for (size_t i = 0; !ret && i < count; i++)
		ret = check_element(ctx, attribute, elements[i], i, &names[i]);
	if (!ret)
		ret = check_duplicates(ctx, attribute, names, count);
	free(names);
	return ret;
}

static int check_sync_type(struct cohort *ctx, int32_t v)
{
	if (v == COHORT_UNSET)
		return fail_errno(ctx, EINVAL, "SyncType", "SyncType is missing");
	if (v < 0 || v > UINT16_MAX || (v < 0x8000 && (v < COHORT_SYNC_TYPE_MIRROR ||
						       v > COHORT_SYNC_TYPE_CLONE)))
		return fail_errno(ctx, EINVAL, "SyncType", "SyncType %d is a reserved value", v);
	if (!cohort_state_type_known((uint32_t)v))
		return fail_errno(ctx, EOPNOTSUPP, "SyncType", "SyncType %d (%s) is not supported",
				  v, v >= 0x8000 ? "vendor" : cohort_sync_type_name((uint32_t)v));
	return 0;
}

/* Mode and Consistency: 2 and 3 have a meaning, others are reserved, or a vendor's. */
static int check_two_three(struct cohort *ctx, const char *attribute, int32_t v)
{
	if (v == COHORT_UNSET || v == 2 || v == 3)
		return 0;
	if (v >= 0x8000 && v <= UINT16_MAX)
		return fail_errno(ctx, EOPNOTSUPP, attribute, "%s %d (vendor) is not supported",
				  attribute, v);
	return fail_errno(ctx, EINVAL, attribute, "%s %d is a reserved value", attribute, v);
}

static int check_null(struct cohort *ctx, const char *attribute, const void *value)
{
	if (!value)
		return 0;
	return fail_errno(ctx, EOPNOTSUPP, attribute, "%s is not supported", attribute);
}

static int check_target_group(struct cohort *ctx, const struct cohort_request *r)
{
	int ret = check_optional(ctx, "TargetGroup", r->target_group);

	if (ret || !r->target_group)
		return ret;
	if (r->source_group_name && !strcmp(r->source_group_name, r->target_group))
		return fail_errno(ctx, EINVAL, "TargetGroup",
				  "TargetGroup and SourceGroupName are the same");
	if (r->target_setting_goal)
		return fail_errno(ctx, EINVAL, "TargetSettingGoal",
				  "TargetSettingGoal must not be given with TargetGroup");
	if (r->target_pool)
		return fail_errno(ctx, EINVAL, "TargetPool",
				  "TargetPool must not be given with TargetGroup");
	return 0;
}

static int check_target_paths(struct cohort *ctx, const struct cohort_request *r)
{
	const char **paths = calloc(r->target_elements_count, sizeof(*paths));
	char at[64];
	int ret = paths ? 0 : fail_memory(ctx);

	for (size_t i = 0; !ret && i < r->target_elements_count; i++) {
		paths[i] = r->target_elements[i];
		snprintf(at, sizeof(at), "TargetElements[%zu]", i);
		if (!paths[i] || !*paths[i])
			ret = fail_errno(ctx, EINVAL, at, "%s is missing", at);
	}
	if (!ret)
		ret = check_duplicates(ctx, "TargetElements", paths, r->target_elements_count);
	free(paths);
	return ret;
}

/* One for each member; how many a group has that is named is not known here. */
static int check_target_elements(struct cohort *ctx, const struct cohort_request *r)
{
	if (r->sync_type != COHORT_SYNC_TYPE_CLONE && r->force)
		return fail_errno(ctx, EINVAL, "Force", "Force has no meaning without targets");
	if (r->sync_type != COHORT_SYNC_TYPE_CLONE)
		return !r->target_elements && !r->target_elements_count ? 0 :
			fail_errno(ctx, EINVAL, "TargetElements",
				   "TargetElements are for a clone only");
	if (lvm_vg(r->target_pool))
		return 0;
	if (!r->target_elements || !r->target_elements_count)
		return fail_errno(ctx, EINVAL, "TargetElements",
				  "a clone needs TargetElements, a device for each member");
	if (r->target_elements_count > COHORT_MEMBERS_MAX)
		return fail_errno(ctx, EINVAL, "TargetElements",
				  "%zu elements, at most %d are possible",
				  r->target_elements_count, COHORT_MEMBERS_MAX);
	if (r->source_elements_count && r->target_elements_count != r->source_elements_count)
		return fail_errno(ctx, EINVAL, "TargetElements",
				  "%zu TargetElements for %zu SourceElements",
				  r->target_elements_count, r->source_elements_count);
	return check_target_paths(ctx, r);
}

/* A pool, which is that of the sources, or of a clone a volume group. */
static int check_target_pool(struct cohort *ctx, const struct cohort_request *r)
{
	const char *vg = lvm_vg(r->target_pool);

	if (!vg)
		return check_optional(ctx, "TargetPool", r->target_pool);
	if (r->sync_type != COHORT_SYNC_TYPE_CLONE)
		return fail_errno(ctx, EINVAL, "TargetPool",
				  "a volume group as TargetPool is for a clone only");
	if (!lvm_vg_valid(vg))
		return fail_errno(ctx, EINVAL, "TargetPool",
				  "TargetPool '%.140s' is not vg: and the name of a volume group",
				  r->target_pool);
	if (r->target_elements || r->target_elements_count)
		return fail_errno(ctx, EINVAL, "TargetElements",
				  "TargetElements must not be given with a volume group");
	if (r->force)
		return fail_errno(ctx, EINVAL, "Force",
				  "Force has no meaning for volumes that are made");
	return 0;
}

static int check_create_wait(struct cohort *ctx, int32_t wait, uint32_t type)
{
	if (wait == COHORT_UNSET)
		return 0;
	if (wait < 0 || cohort_state_wait_legal(type, COHORT_STATE_CREATE, COHORT_STATE_NONE,
						(uint32_t)wait))
		return fail_errno(ctx, EINVAL, "WaitForCopyState",
				  "WaitForCopyState %d (%s) can not be waited for", wait,
				  cohort_copy_state_name((uint32_t)wait));
	return 0;
}

static int check_timeout(struct cohort *ctx, int32_t timeout_ms)
{
	if (timeout_ms >= COHORT_WAIT_FOREVER)
		return 0;
	return fail_errno(ctx, EINVAL, NULL, "a timeout of %d ms", timeout_ms);
}

/* Source side: names of the relationship, the elements and their group. */
static int check_source_side(struct cohort *ctx, const struct cohort_request *r, bool elements)
{
	int ret = r->relationship_name ? check_name_max(ctx, "RelationshipName",
							r->relationship_name,
							RELATIONSHIP_NAME_MAX) : 0;

	if (!ret)
		ret = check_sync_type(ctx, r->sync_type);
	if (!ret)
		ret = check_two_three(ctx, "Mode", r->mode);
	if (!ret && elements)
		ret = check_elements(ctx, "SourceElements", r->source_elements,
				     r->source_elements_count);
	if (!ret && !elements && r->source_elements_count)
		ret = fail_errno(ctx, EINVAL, "SourceElements",
				 "SourceElements must not be given with a group that exists");
	if (!ret)
		ret = elements ? check_optional(ctx, "SourceGroupName", r->source_group_name)
			       : check_name(ctx, "SourceGroup", r->source_group_name);
	if (!ret)
		ret = check_null(ctx, "SourceAccessPoint", r->source_access_point);
	return ret;
}

static int check_target_side(struct cohort *ctx, const struct cohort_request *r)
{
	int ret = check_target_group(ctx, r);

	if (!ret)
		ret = check_null(ctx, "TargetAccessPoint", r->target_access_point);
	if (!ret)
		ret = check_target_pool(ctx, r);
	if (!ret)
		ret = check_target_elements(ctx, r);
	if (!ret)
		ret = check_two_three(ctx, "Consistency", r->consistency);
	if (!ret)
		ret = check_create_wait(ctx, r->wait_for_copy_state, (uint32_t)r->sync_type);
	if (!ret)
		ret = check_timeout(ctx, r->timeout_ms);
	return ret;
}

/* Whether, and for how long, writes wait for space in the pool. */
static int apply_hold(struct cohort *ctx, struct replica_args *args, bool hold, uint64_t seconds)
{
	if (hold)
		args->flags |= COHORT_RELATIONSHIP_FLAGS_HOLD_ON_FULL;
	args->hold_time = COHORT_UNSET;
	if (seconds == COHORT_UNSET64)
		return 0;
	if (!hold)
		return fail_errno(ctx, EINVAL, "TargetSettingGoal",
				  "HoldTime has no meaning without FailedCopyStopsHostIO");
	if (!seconds || seconds > COHORT_HOLD_TIME_MAX)
		return fail_errno(ctx, EINVAL, "TargetSettingGoal", "HoldTime is 1 to %d seconds",
				  COHORT_HOLD_TIME_MAX);
	args->hold_time = (int32_t)seconds;
	return 0;
}

/* What the settings mean for the module. */
static int apply_settings(struct cohort *ctx, struct replica_args *args)
{
	struct cohort_replication_setting_data data;
	struct cohort_target_setting_goal goal;
	const bool clone = args->req.sync_type == COHORT_SYNC_TYPE_CLONE;
	int ret = check_setting_data(ctx, (uint32_t)args->req.sync_type,
				     args->req.replication_setting_data, &data);

	if (!ret)
		ret = check_goal(ctx, args->req.target_setting_goal, &goal);
	if (ret)
		return ret;
	if (clone && goal.read_only == 1)
		return fail_errno(ctx, EINVAL, "TargetSettingGoal",
				  "ReadOnly has no meaning for a clone: what is written is its own");
	if (data.consistent_point_in_time == 1) {
		if (args->consistency == COHORT_CONSISTENCY_NONE)
			return fail_errno(ctx, EINVAL, "ConsistentPointInTime",
					  "ConsistentPointInTime contradicts Consistency 2");
		args->consistency = COHORT_CONSISTENCY_SEQUENTIAL;
	}
	if (data.read_only == 3 && goal.read_only == 0)
		return fail_errno(ctx, EINVAL, "TargetSettingGoal",
				  "ReadOnly 0 contradicts ReadOnly 3 of the replication settings");
	args->on_error = data.on_group_or_list_error;
	args->remove_after = data.time_before_removal;
	args->flags = clone || goal.read_only == 0 ? 0 : COHORT_RELATIONSHIP_FLAGS_READ_ONLY;
	if (goal.udev_visible == 1)
		args->flags |= COHORT_RELATIONSHIP_FLAGS_UDEV_VISIBLE;
	args->space_limit = goal.space_limit;
	return apply_hold(ctx, args, data.failed_copy_stops_host_io == 1, goal.hold_time);
}

/* The job of a clone ends at its cut: what is copied then is waited for behind it. */
static void apply_wait(struct replica_args *args)
{
	args->wait_state = args->req.wait_for_copy_state == COHORT_UNSET ?
			   COHORT_COPY_STATE_SYNCHRONIZED : args->req.wait_for_copy_state;
	args->wait_copied = args->req.sync_type == COHORT_SYNC_TYPE_CLONE &&
			    args->wait_state == COHORT_COPY_STATE_SYNCHRONIZED;
	if (args->wait_copied)
		args->wait_state = COHORT_COPY_STATE_UNSYNCHRONIZED;
}

int validate_replica(struct cohort *ctx, const struct cohort_request *request, bool elements,
		     struct replica_args *args)
{
	int ret;

	memset(args, 0, sizeof(*args));
	cohort_request_init(&args->req);
	if (!request)
		return fail_errno(ctx, EINVAL, NULL, "there is no request");
	ret = request_copy(ctx, &args->req, sizeof(args->req), request, request->size);
	if (!ret)
		ret = check_source_side(ctx, &args->req, elements);
	if (!ret)
		ret = check_target_side(ctx, &args->req);
	if (ret)
		return ret;
	args->consistency = args->req.consistency;
	apply_wait(args);
	return apply_settings(ctx, args);
}

static int check_operation(struct cohort *ctx, int32_t op)
{
	if (op == COHORT_UNSET)
		return fail_errno(ctx, EINVAL, "Operation", "Operation is missing");
	if (op < COHORT_OPERATION_ABORT || op > UINT16_MAX ||
	    (op < 0x8000 && op > COHORT_OPERATION_RESET_REPLICA))
		return fail_errno(ctx, EINVAL, "Operation", "Operation %d is a reserved value", op);
	for (size_t i = 0; cohort_state_move_at(i); i++)
		if (cohort_state_move_at(i)->operation == op)
			return 0;
	return fail_errno(ctx, EOPNOTSUPP, "Operation", "Operation %d (%s) is not supported", op,
			  op >= 0x8000 ? "vendor" : cohort_operation_name((uint32_t)op));
}

int validate_modify(struct cohort *ctx, const struct cohort_modify_request *request,
		    struct cohort_modify_request *copy)
{
	int ret;

	cohort_modify_request_init(copy);
	if (!request)
		return fail_errno(ctx, EINVAL, NULL, "there is no request");
	ret = request_copy(ctx, copy, sizeof(*copy), request, request->size);
	if (!ret)
		ret = check_operation(ctx, copy->operation);
	if (!ret)
		ret = check_name_max(ctx, "Synchronization", copy->synchronization,
				     RELATIONSHIP_NAME_MAX);
	if (!ret)
		ret = check_no_setting_data(ctx, copy->replication_setting_data);
	if (!ret)
		ret = check_null(ctx, "SyncPair", copy->sync_pair);
	if (!ret)
		ret = check_timeout(ctx, copy->timeout_ms);
	return ret;
}

/* A property of which only one value is built; others are refused as such. */
static int check_boolean(struct cohort *ctx, const char *attribute, int32_t v, int32_t only)
{
	if (v < COHORT_UNSET || v > 1)
		return fail_errno(ctx, EINVAL, attribute, "%s is neither true nor false",
				  attribute);
	if (only == COHORT_UNSET || v == COHORT_UNSET || v == only)
		return 0;
	return fail_errno(ctx, EOPNOTSUPP, attribute, "%s %s is not supported", attribute,
			  v ? "true" : "false");
}

static int check_reserved_as(struct cohort *ctx, const struct cohort_group_request *r)
{
	if (r->reserved_as == 4)
		return fail_errno(ctx, EOPNOTSUPP, "ReservedAs",
				  "a group that is source or target is not supported");
	if (r->reserved_as != COHORT_UNSET && r->reserved_as != 2 && r->reserved_as != 3)
		return fail_errno(ctx, EINVAL, "ReservedAs", "ReservedAs %d is a reserved value",
				  r->reserved_as);
	if (r->reserved_as == 3 && r->members_count)
		return fail_errno(ctx, EINVAL, "Members", "a target group is made without members");
	return 0;
}

static int check_group_members(struct cohort *ctx, const struct cohort_group_request *r)
{
	if (r->members_count)
		return check_elements(ctx, "Members", r->members, r->members_count);
	if (!r->pool)
		return fail_errno(ctx, EINVAL, "Members",
				  "a group without members needs the name of its pool");
	return 0;
}

static int check_group_rest(struct cohort *ctx, const struct cohort_group_request *r)
{
	int ret = check_null(ctx, "ServiceAccessPoint", r->service_access_point);

	if (!ret)
		ret = check_no_setting_data(ctx, r->replication_setting_data);
	if (!ret)
		ret = check_reserved_as(ctx, r);
	if (!ret)
		ret = check_optional(ctx, "Pool", r->pool);
	if (!ret)
		ret = check_two_three(ctx, "Consistency", r->consistency);
	if (!ret)
		ret = check_timeout(ctx, r->timeout_ms);
	return ret;
}

int validate_group(struct cohort *ctx, const struct cohort_group_request *request,
		   struct cohort_group_request *copy)
{
	int ret;

	cohort_group_request_init(copy);
	if (!request)
		return fail_errno(ctx, EINVAL, NULL, "there is no request");
	ret = request_copy(ctx, copy, sizeof(*copy), request, request->size);
	if (!ret)
		ret = check_optional(ctx, "GroupName", copy->group_name);
	if (!ret)
		ret = check_group_members(ctx, copy);
	if (!ret)
		ret = check_boolean(ctx, "Persistent", copy->persistent, 1);
	if (!ret)
		ret = check_boolean(ctx, "DeleteOnEmptyElement", copy->delete_on_empty_element, 0);
	if (!ret)
		ret = check_boolean(ctx, "DeleteOnUnassociated", copy->delete_on_unassociated,
				    COHORT_UNSET);
	return ret ? ret : check_group_rest(ctx, copy);
}
