// SPDX-License-Identifier: LGPL-2.1-or-later
/* names.c - CIM names of values, and values of names */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../kmod/state.h"
#include "private.h"

static const char *const result_names[] = {
	[COHORT_RESULT_COMPLETED] = "Completed with No Error",
	[COHORT_RESULT_NOT_SUPPORTED] = "Not Supported",
	[COHORT_RESULT_UNKNOWN] = "Unknown",
	[COHORT_RESULT_TIMEOUT] = "Timeout",
	[COHORT_RESULT_FAILED] = "Failed",
	[COHORT_RESULT_INVALID_PARAMETER] = "Invalid Parameter",
	[COHORT_RESULT_IN_USE] = "In Use",
};

static const char *const sync_type_names[] = {
	[COHORT_SYNC_TYPE_MIRROR] = "Mirror",
	[COHORT_SYNC_TYPE_SNAPSHOT] = "Snapshot",
	[COHORT_SYNC_TYPE_CLONE] = "Clone",
};

static const char *const mode_names[] = {
	[COHORT_MODE_SYNCHRONOUS] = "Synchronous",
	[COHORT_MODE_ASYNCHRONOUS] = "Asynchronous",
};

static const char *const consistency_names[] = {
	[COHORT_CONSISTENCY_NONE] = "No Consistency",
	[COHORT_CONSISTENCY_SEQUENTIAL] = "Sequential Consistency",
};

static const char *const method_names[] = {
	[COHORT_METHOD_SOURCE_ATTACH] = "Attach",
	[COHORT_METHOD_SOURCE_DETACH] = "Detach",
	[COHORT_METHOD_SOURCE_REMOVE] = "RemoveSource",
	[COHORT_METHOD_GROUP_NEW] = "CreateGroup",
	[COHORT_METHOD_GROUP_DEL] = "DeleteGroup",
	[COHORT_METHOD_GROUP_ADD] = "AddMembers",
	[COHORT_METHOD_GROUP_REMOVE] = "RemoveMembers",
	[COHORT_METHOD_GROUP_REPLICA_NEW] = "CreateGroupReplica",
	[COHORT_METHOD_RELATIONSHIP_MODIFY] = "ModifyReplicaSynchronization",
	[COHORT_METHOD_POOL_EXTEND] = "ExtendPool",
	[COHORT_METHOD_POOL_SCRUB] = "ScrubPool",
	[COHORT_METHOD_RELATIONSHIP_COPY] = "CopyReplica",
};

static const char *const pool_state_names[] = {
	[COHORT_POOL_STATE_ACTIVE] = "Active",
	[COHORT_POOL_STATE_SUSPENDED] = "Suspended",
	[COHORT_POOL_STATE_FAILED] = "Failed",
};

static const char *const source_state_names[] = {
	[COHORT_SOURCE_STATE_DETACHED] = "Detached",
	[COHORT_SOURCE_STATE_ATTACHING] = "Attaching",
	[COHORT_SOURCE_STATE_ATTACHED] = "Attached",
};

static const char *const group_kind_names[] = {
	[COHORT_GROUP_KIND_SOURCE] = "Source",
	[COHORT_GROUP_KIND_TARGET] = "Target",
};

static const char unknown[] = "Unknown";

static const char *name_in(const char *const *names, size_t count, uint32_t value)
{
	return value < count && names[value] ? names[value] : unknown;
}

EXPORT const char *cohort_result_name(uint32_t value)
{
	if (value == COHORT_RESULT_JOB_STARTED)
		return "Method Parameters Checked - Job Started";
	return name_in(result_names, ARRAY_SIZE(result_names), value);
}

EXPORT const char *cohort_sync_type_name(uint32_t value)
{
	return name_in(sync_type_names, ARRAY_SIZE(sync_type_names), value);
}

EXPORT const char *cohort_mode_name(uint32_t value)
{
	return name_in(mode_names, ARRAY_SIZE(mode_names), value);
}

EXPORT const char *cohort_consistency_name(uint32_t value)
{
	return name_in(consistency_names, ARRAY_SIZE(consistency_names), value);
}

EXPORT const char *cohort_copy_state_name(uint32_t value)
{
	return cohort_state_copy_name(value) ?: unknown;
}

EXPORT const char *cohort_progress_status_name(uint32_t value)
{
	return cohort_state_progress_name(value) ?: unknown;
}

EXPORT const char *cohort_operation_name(uint32_t value)
{
	return cohort_state_operation_name(value) ?: unknown;
}

EXPORT const char *cohort_job_state_name(uint32_t value)
{
	return cohort_state_job_name(value) ?: unknown;
}

EXPORT const char *cohort_method_name(uint32_t value)
{
	return name_in(method_names, ARRAY_SIZE(method_names), value);
}

EXPORT const char *cohort_pool_state_name(uint32_t value)
{
	return name_in(pool_state_names, ARRAY_SIZE(pool_state_names), value);
}

EXPORT const char *cohort_source_state_name(uint32_t value)
{
	return name_in(source_state_names, ARRAY_SIZE(source_state_names), value);
}

EXPORT const char *cohort_group_kind_name(uint32_t value)
{
	return name_in(group_kind_names, ARRAY_SIZE(group_kind_names), value);
}

static bool silent(char c)
{
	return c == ' ' || c == '-' || c == '_';
}

bool words_equal(const char *a, const char *b)
{
	for (;;) {
		while (silent(*a))
			a++;
		while (silent(*b))
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

/* A value whose name fits, or a number as it stands. Value maps end below 64. */
static int32_t parse(const char *name, const char *(*name_of)(uint32_t))
{
	unsigned long number;
	char *end;

	if (!name || !*name)
		return COHORT_UNSET;
	for (uint32_t value = 0; value < 64; value++)
		if (name_of(value) != unknown && words_equal(name, name_of(value)))
			return (int32_t)value;
	errno = 0;
	number = strtoul(name, &end, 0);
	if (errno || *end || !isdigit((unsigned char)name[0]) || number > UINT16_MAX)
		return COHORT_UNSET;
	return (int32_t)number;
}

EXPORT int32_t cohort_sync_type_parse(const char *name)
{
	return parse(name, cohort_sync_type_name);
}

EXPORT int32_t cohort_mode_parse(const char *name)
{
	/* short forms that everybody uses */
	if (name && words_equal(name, "sync"))
		return COHORT_MODE_SYNCHRONOUS;
	if (name && words_equal(name, "async"))
		return COHORT_MODE_ASYNCHRONOUS;
	return parse(name, cohort_mode_name);
}

EXPORT int32_t cohort_consistency_parse(const char *name)
{
	if (name && words_equal(name, "none"))
		return COHORT_CONSISTENCY_NONE;
	if (name && words_equal(name, "sequential"))
		return COHORT_CONSISTENCY_SEQUENTIAL;
	return parse(name, cohort_consistency_name);
}

EXPORT int32_t cohort_copy_state_parse(const char *name)
{
	return parse(name, cohort_copy_state_name);
}

EXPORT int32_t cohort_operation_parse(const char *name)
{
	return parse(name, cohort_operation_name);
}
