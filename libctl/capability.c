// SPDX-License-Identifier: LGPL-2.1-or-later
/* capability.c - what is legal when, answered from the table that enforces it */
#include <errno.h>

#include "../kmod/state.h"
#include "private.h"

/* SyncType of a ReplicationType; 1 or 5 with words when it is none of ours. */
static int sync_type_of(struct cohort *ctx, int32_t type, uint32_t *sync_type)
{
	switch (type) {
	case COHORT_REPLICATION_TYPE_SYNC_MIRROR_LOCAL:
	case COHORT_REPLICATION_TYPE_ASYNC_MIRROR_LOCAL:
		*sync_type = COHORT_SYNC_TYPE_MIRROR;
		break;
	case COHORT_REPLICATION_TYPE_SYNC_SNAPSHOT_LOCAL:
	case COHORT_REPLICATION_TYPE_ASYNC_SNAPSHOT_LOCAL:
		*sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
		break;
	case COHORT_REPLICATION_TYPE_SYNC_CLONE_LOCAL:
	case COHORT_REPLICATION_TYPE_ASYNC_CLONE_LOCAL:
		*sync_type = COHORT_SYNC_TYPE_CLONE;
		break;
	default:
		/* 2 to 27 are CIM's, remote and adaptive ones among them */
		return fail_errno(ctx, (type >= 2 && type <= 27) || (type >= 0x8000 &&
								    type <= UINT16_MAX) ?
				  EOPNOTSUPP : EINVAL, "ReplicationType",
				  "ReplicationType %d is not supported", type);
	}
	if (cohort_state_type_known(*sync_type))
		return 0;
	return fail_errno(ctx, EOPNOTSUPP, "ReplicationType",
			  "ReplicationType %d is not supported", type);
}

static bool operation_listed(const struct cohort_supported_operation *list, size_t count,
			     uint32_t operation)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].operation == (int32_t)operation)
			return true;
	return false;
}

/* Operations fit into a byte, so does a list without repetitions. */
#define OPERATIONS_MAX 256

static size_t operations_of(uint32_t sync_type, int32_t state,
			    struct cohort_supported_operation *list)
{
	const struct cohort_state_move *m;
	size_t n = 0;

	for (size_t i = 0; (m = cohort_state_move_at(i)); i++) {
		if (m->sync_type != sync_type || m->operation == COHORT_STATE_CREATE ||
		    (state != COHORT_UNSET && m->from != state) ||
		    operation_listed(list, n, m->operation))
			continue;
		list[n++] = (struct cohort_supported_operation){
			.operation = m->operation,
			.service_controlling = m->controlled_by,
			.requires_force = m->force,
		};
	}
	return n;
}

EXPORT int cohort_get_supported_operations(struct cohort *ctx, int32_t replication_type,
					   int32_t copy_state,
					   struct cohort_supported_operation *ret, size_t *count)
{
	struct cohort_supported_operation all[OPERATIONS_MAX];
	uint32_t sync_type;
	size_t n;
	int result = sync_type_of(ctx, replication_type, &sync_type);

	if (result)
		return result;
	if (copy_state != COHORT_UNSET &&
	    (copy_state < 0 || !cohort_state_copy_name((uint32_t)copy_state)))
		return fail_errno(ctx, EINVAL, "CopyState", "CopyState %d is a reserved value",
				  copy_state);
	n = operations_of(sync_type, copy_state, all);
	for (size_t i = 0; i < n && i < *count; i++)
		ret[i] = all[i];
	*count = n;
	return 0;
}

static bool operates_in(uint32_t sync_type, int32_t operation, uint32_t state)
{
	if (operation == COHORT_UNSET)
		return true;
	return !cohort_state_operation_legal(sync_type, state, (uint32_t)operation, true, NULL,
					     NULL);
}

EXPORT int cohort_get_supported_copy_states(struct cohort *ctx, int32_t replication_type,
					    int32_t operation,
					    struct cohort_supported_copy_state *ret,
					    size_t *count)
{
	const struct cohort_state_info *info;
	uint32_t sync_type;
	size_t n = 0;
	int result = sync_type_of(ctx, replication_type, &sync_type);

	if (result)
		return result;
	if (operation != COHORT_UNSET &&
	    (operation < 0 || !cohort_state_operation_name((uint32_t)operation)))
		return fail_errno(ctx, EINVAL, "Operation", "Operation %d is a reserved value",
				  operation);
	for (size_t i = 0; (info = cohort_state_info_at(i)); i++) {
		if (info->sync_type != sync_type || !operates_in(sync_type, operation, info->state))
			continue;
		if (n < *count)
			ret[n] = (struct cohort_supported_copy_state){
				.copy_state = info->state,
				.host_accessible = info->accessible,
			};
		n++;
	}
	*count = n;
	return 0;
}

EXPORT int cohort_get_supported_wait_for_copy_states(struct cohort *ctx, int32_t replication_type,
						     int32_t operation, int32_t *ret,
						     size_t *count)
{
	const uint32_t op = operation == COHORT_UNSET ? COHORT_STATE_CREATE : (uint32_t)operation;
	uint32_t sync_type;
	size_t n = 0;
	int result = sync_type_of(ctx, replication_type, &sync_type);

	if (result)
		return result;
	if (op && !cohort_state_operation_name(op))
		return fail_errno(ctx, EINVAL, "Operation", "Operation %d is a reserved value",
				  operation);
	for (uint32_t state = 1; cohort_state_copy_name(state) || state < 2; state++) {
		if (cohort_state_wait_legal(sync_type, op, COHORT_STATE_NONE, state))
			continue;
		if (n < *count)
			ret[n] = (int32_t)state;
		n++;
	}
	*count = n;
	return 0;
}
