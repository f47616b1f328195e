// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* state.c - which operation is legal in which copy state, and where it leads. */
#include "state.h"

#include <linux/cohort.h>

#define SNAP	COHORT_SYNC_TYPE_SNAPSHOT
#define CLONE	COHORT_SYNC_TYPE_CLONE
#define OP(op)	COHORT_OPERATION_##op
#define CS(s)	COHORT_COPY_STATE_##s
#define PS(p)	COHORT_PROGRESS_STATUS_##p

#define CREATE	COHORT_STATE_CREATE
#define NONE	COHORT_STATE_NONE
#define RETURN	OP(RETURN_TO_POOL)

/* CIM ServiceControlling: the service that owns the source carries it out. */
#define BY_SOURCE	2

/*
 * A snapshot is Unsynchronized from the flip until its record is durable, so
 * creation and Activate both pass through it and nothing can be asked there.
 * A broken or mixed one can only be given up.
 */
static const struct cohort_state_move moves[] = {
	{ SNAP, CREATE, NONE, CS(INITIALIZED), PS(INITIALIZING), 0, BY_SOURCE },
	{ SNAP, CREATE, NONE, CS(INACTIVE), PS(INITIALIZING), 0, BY_SOURCE },
	{ SNAP, CREATE, NONE, CS(SYNCHRONIZED), PS(INITIALIZING), 0, BY_SOURCE },
	{ SNAP, OP(ACTIVATE), CS(INITIALIZED), CS(SYNCHRONIZED), PS(SYNCHRONIZING), 0, BY_SOURCE },
	{ SNAP, OP(ACTIVATE), CS(INACTIVE), CS(SYNCHRONIZED), PS(SYNCHRONIZING), 0, BY_SOURCE },
	{ SNAP, OP(RESET_REPLICA), CS(SYNCHRONIZED), CS(SYNCHRONIZED), PS(RESYNCING), 0,
	  BY_SOURCE },
	{ SNAP, OP(RESET_REPLICA), CS(SKEWED), CS(SYNCHRONIZED), PS(RESYNCING), 0, BY_SOURCE },
	{ SNAP, OP(RESYNC_REPLICA), CS(SYNCHRONIZED), CS(SYNCHRONIZED), PS(RESYNCING), 0,
	  BY_SOURCE },
	{ SNAP, OP(RESYNC_REPLICA), CS(SKEWED), CS(SYNCHRONIZED), PS(RESYNCING), 0, BY_SOURCE },
	{ SNAP, OP(RESYNC_REPLICA), CS(BROKEN), CS(SYNCHRONIZED), PS(RESYNCING), 0, BY_SOURCE },
	{ SNAP, OP(RESYNC_REPLICA), CS(MIXED), CS(SYNCHRONIZED), PS(RESYNCING), 0, BY_SOURCE },
	{ SNAP, RETURN, CS(INITIALIZED), NONE, PS(TERMINATING), 0, BY_SOURCE },
	{ SNAP, RETURN, CS(INACTIVE), NONE, PS(TERMINATING), 0, BY_SOURCE },
	{ SNAP, RETURN, CS(SYNCHRONIZED), NONE, PS(TERMINATING), 0, BY_SOURCE },
	{ SNAP, RETURN, CS(SKEWED), NONE, PS(TERMINATING), 0, BY_SOURCE },
	{ SNAP, RETURN, CS(BROKEN), NONE, PS(TERMINATING), 0, BY_SOURCE },
	{ SNAP, RETURN, CS(MIXED), NONE, PS(TERMINATING), 0, BY_SOURCE },
	/*
	 * A clone is used and copied while it is Unsynchronized. It is Synchronized when
	 * the last chunk is on its targets; where there are two moves of an operation
	 * from one state, the first one ends with the job and the second can be waited for.
	 */
	{ CLONE, CREATE, NONE, CS(INITIALIZED), PS(INITIALIZING), 0, BY_SOURCE },
	{ CLONE, CREATE, NONE, CS(INACTIVE), PS(INITIALIZING), 0, BY_SOURCE },
	{ CLONE, CREATE, NONE, CS(UNSYNCHRONIZED), PS(INITIALIZING), 0, BY_SOURCE },
	{ CLONE, CREATE, NONE, CS(SYNCHRONIZED), PS(INITIALIZING), 0, BY_SOURCE },
	{ CLONE, OP(ACTIVATE), CS(INITIALIZED), CS(UNSYNCHRONIZED), PS(SYNCHRONIZING), 0,
	  BY_SOURCE },
	{ CLONE, OP(ACTIVATE), CS(INITIALIZED), CS(SYNCHRONIZED), PS(SYNCHRONIZING), 0,
	  BY_SOURCE },
	{ CLONE, OP(ACTIVATE), CS(INACTIVE), CS(UNSYNCHRONIZED), PS(SYNCHRONIZING), 0, BY_SOURCE },
	{ CLONE, OP(ACTIVATE), CS(INACTIVE), CS(SYNCHRONIZED), PS(SYNCHRONIZING), 0, BY_SOURCE },
	{ CLONE, OP(SUSPEND), CS(UNSYNCHRONIZED), CS(SUSPENDED), PS(SUSPENDING), 0, BY_SOURCE },
	{ CLONE, OP(RESUME), CS(SUSPENDED), CS(UNSYNCHRONIZED), PS(SYNCHRONIZING), 0, BY_SOURCE },
	{ CLONE, OP(RESUME), CS(SUSPENDED), CS(SYNCHRONIZED), PS(SYNCHRONIZING), 0, BY_SOURCE },
	{ CLONE, OP(RESYNC_REPLICA), CS(SYNCHRONIZED), CS(UNSYNCHRONIZED), PS(RESYNCING), 0,
	  BY_SOURCE },
	{ CLONE, OP(RESYNC_REPLICA), CS(SYNCHRONIZED), CS(SYNCHRONIZED), PS(RESYNCING), 0,
	  BY_SOURCE },
	{ CLONE, OP(RESYNC_REPLICA), CS(ABORTED), CS(UNSYNCHRONIZED), PS(RESYNCING), 0,
	  BY_SOURCE },
	{ CLONE, OP(RESYNC_REPLICA), CS(ABORTED), CS(SYNCHRONIZED), PS(RESYNCING), 0, BY_SOURCE },
	{ CLONE, OP(RESYNC_REPLICA), CS(BROKEN), CS(UNSYNCHRONIZED), PS(RESYNCING), 0, BY_SOURCE },
	{ CLONE, OP(RESYNC_REPLICA), CS(BROKEN), CS(SYNCHRONIZED), PS(RESYNCING), 0, BY_SOURCE },
	{ CLONE, OP(RESYNC_REPLICA), CS(MIXED), CS(UNSYNCHRONIZED), PS(RESYNCING), 0, BY_SOURCE },
	{ CLONE, OP(RESYNC_REPLICA), CS(MIXED), CS(SYNCHRONIZED), PS(RESYNCING), 0, BY_SOURCE },
	/* what is on the targets then is neither the one nor the other */
	{ CLONE, OP(ABORT), CS(UNSYNCHRONIZED), CS(ABORTED), PS(ABORTING), 0, BY_SOURCE },
	{ CLONE, OP(ABORT), CS(SUSPENDED), CS(ABORTED), PS(ABORTING), 0, BY_SOURCE },
	{ CLONE, OP(DETACH), CS(INITIALIZED), NONE, PS(DETACHING), 0, BY_SOURCE },
	{ CLONE, OP(DETACH), CS(INACTIVE), NONE, PS(DETACHING), 0, BY_SOURCE },
	{ CLONE, OP(DETACH), CS(SYNCHRONIZED), NONE, PS(DETACHING), 0, BY_SOURCE },
	{ CLONE, OP(DETACH), CS(ABORTED), NONE, PS(DETACHING), 0, BY_SOURCE },
	{ CLONE, OP(DETACH), CS(UNSYNCHRONIZED), NONE, PS(DETACHING), 1, BY_SOURCE },
	{ CLONE, OP(DETACH), CS(SUSPENDED), NONE, PS(DETACHING), 1, BY_SOURCE },
	{ CLONE, OP(DETACH), CS(BROKEN), NONE, PS(DETACHING), 1, BY_SOURCE },
	{ CLONE, OP(DETACH), CS(MIXED), NONE, PS(DETACHING), 1, BY_SOURCE },
	{ CLONE, OP(DISSOLVE), CS(INITIALIZED), NONE, PS(TERMINATING), 0, BY_SOURCE },
	{ CLONE, OP(DISSOLVE), CS(INACTIVE), NONE, PS(TERMINATING), 0, BY_SOURCE },
	{ CLONE, OP(DISSOLVE), CS(SYNCHRONIZED), NONE, PS(TERMINATING), 0, BY_SOURCE },
};

static const struct cohort_state_info infos[] = {
	{ SNAP, CS(INITIALIZED), 0, 0 },
	{ SNAP, CS(UNSYNCHRONIZED), 0, 1 },
	{ SNAP, CS(SYNCHRONIZED), 1, 0 },
	/* an image was written */
	{ SNAP, CS(SKEWED), 1, 0 },
	{ SNAP, CS(BROKEN), 0, 0 },
	{ SNAP, CS(INACTIVE), 0, 0 },
	/* some members have an image, with OnGroupOrListError Continue */
	{ SNAP, CS(MIXED), 1, 0 },
	{ CLONE, CS(INITIALIZED), 0, 0 },
	{ CLONE, CS(INACTIVE), 0, 0 },
	/* being copied */
	{ CLONE, CS(UNSYNCHRONIZED), 1, 0 },
	{ CLONE, CS(SYNCHRONIZED), 1, 0 },
	/* the copy rests; reads and writes do not */
	{ CLONE, CS(SUSPENDED), 1, 0 },
	{ CLONE, CS(ABORTED), 0, 0 },
	/* the image was lost before all of it was copied: what had been is there */
	{ CLONE, CS(BROKEN), 1, 0 },
	{ CLONE, CS(MIXED), 1, 0 },
};

static const char *const copy_names[] = {
	[CS(INITIALIZED)] = "Initialized",
	[CS(UNSYNCHRONIZED)] = "Unsynchronized",
	[CS(SYNCHRONIZED)] = "Synchronized",
	[CS(BROKEN)] = "Broken",
	[CS(FRACTURED)] = "Fractured",
	[CS(SPLIT)] = "Split",
	[CS(INACTIVE)] = "Inactive",
	[CS(SUSPENDED)] = "Suspended",
	[CS(FAILEDOVER)] = "Failedover",
	[CS(PREPARED)] = "Prepared",
	[CS(ABORTED)] = "Aborted",
	[CS(SKEWED)] = "Skewed",
	[CS(MIXED)] = "Mixed",
	[CS(NOT_APPLICABLE)] = "Not Applicable",
	[CS(PARTITIONED)] = "Partitioned",
	[CS(INVALID)] = "Invalid",
	[CS(RESTORED)] = "Restored",
};

static const char *const progress_names[] = {
	[PS(COMPLETED)] = "Completed",
	[PS(DORMANT)] = "Dormant",
	[PS(INITIALIZING)] = "Initializing",
	[PS(PREPARING)] = "Preparing",
	[PS(SYNCHRONIZING)] = "Synchronizing",
	[PS(RESYNCING)] = "Resyncing",
	[PS(RESTORING)] = "Restoring",
	[PS(FRACTURING)] = "Fracturing",
	[PS(SPLITTING)] = "Splitting",
	[PS(FAILING_OVER)] = "Failing over",
	[PS(FAILING_BACK)] = "Failing back",
	[PS(ABORTING)] = "Aborting",
	[PS(MIXED)] = "Mixed",
	[PS(NOT_APPLICABLE)] = "Not Applicable",
	[PS(SUSPENDING)] = "Suspending",
	[PS(REQUIRES_FRACTURE)] = "Requires fracture",
	[PS(REQUIRES_RESYNC)] = "Requires resync",
	[PS(REQUIRES_ACTIVATE)] = "Requires activate",
	[PS(PENDING)] = "Pending",
	[PS(DETACHING)] = "Detaching",
	[PS(REQUIRES_DETACH)] = "Requires detach",
	[PS(TERMINATING)] = "Terminating",
	[PS(REQUIRES_SPLIT)] = "Requires split",
	[PS(REQUIRES_RESUME)] = "Requires resume",
};

static const char *const operation_names[] = {
	[OP(ABORT)] = "Abort",
	[OP(ACTIVATE_CONSISTENCY)] = "Activate Consistency",
	[OP(ACTIVATE)] = "Activate",
	[OP(ADD_SYNC_PAIR)] = "AddSyncPair",
	[OP(DEACTIVATE_CONSISTENCY)] = "Deactivate Consistency",
	[OP(DEACTIVATE)] = "Deactivate",
	[OP(DETACH)] = "Detach",
	[OP(DISSOLVE)] = "Dissolve",
	[OP(FAILOVER)] = "Failover",
	[OP(FAILBACK)] = "Failback",
	[OP(FRACTURE)] = "Fracture",
	[OP(REMOVE_SYNC_PAIR)] = "RemoveSyncPair",
	[OP(RESYNC_REPLICA)] = "Resync Replica",
	[OP(RESTORE_FROM_REPLICA)] = "Restore from Replica",
	[OP(RESUME)] = "Resume",
	[OP(RESET_TO_SYNC)] = "Reset To Sync",
	[OP(RESET_TO_ASYNC)] = "Reset To Async",
	[OP(RETURN_TO_POOL)] = "Return To ResourcePool",
	[OP(REVERSE_ROLES)] = "Reverse Roles",
	[OP(SPLIT)] = "Split",
	[OP(SUSPEND)] = "Suspend",
	[OP(UNPREPARE)] = "Unprepare",
	[OP(PREPARE)] = "Prepare",
	[OP(RESET_TO_ADAPTIVE)] = "Reset to Adaptive",
	[OP(RESET_TO_ACTIVE)] = "Reset to Active",
	[OP(RESET_REPLICA)] = "Reset Replica",
};

static const char *const job_names[] = {
	[COHORT_JOB_STATE_NEW] = "New",
	[COHORT_JOB_STATE_STARTING] = "Starting",
	[COHORT_JOB_STATE_RUNNING] = "Running",
	[COHORT_JOB_STATE_SUSPENDED] = "Suspended",
	[COHORT_JOB_STATE_SHUTTING_DOWN] = "Shutting Down",
	[COHORT_JOB_STATE_COMPLETED] = "Completed",
	[COHORT_JOB_STATE_TERMINATED] = "Terminated",
	[COHORT_JOB_STATE_KILLED] = "Killed",
	[COHORT_JOB_STATE_EXCEPTION] = "Exception",
};

static const char *name_in(const char *const *names, size_t count, u32 value)
{
	return value < count ? names[value] : NULL;
}

const char *cohort_state_copy_name(u32 copy_state)
{
	return name_in(copy_names, ARRAY_SIZE(copy_names), copy_state);
}

const char *cohort_state_progress_name(u32 progress_status)
{
	return name_in(progress_names, ARRAY_SIZE(progress_names), progress_status);
}

const char *cohort_state_operation_name(u32 operation)
{
	return name_in(operation_names, ARRAY_SIZE(operation_names), operation);
}

const char *cohort_state_job_name(u32 job_state)
{
	return name_in(job_names, ARRAY_SIZE(job_names), job_state);
}

const struct cohort_state_move *cohort_state_move_at(size_t index)
{
	return index < ARRAY_SIZE(moves) ? &moves[index] : NULL;
}

const struct cohort_state_info *cohort_state_info_at(size_t index)
{
	return index < ARRAY_SIZE(infos) ? &infos[index] : NULL;
}

static const struct cohort_state_info *info_find(u32 sync_type, u32 state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(infos); i++)
		if (infos[i].sync_type == sync_type && infos[i].state == state)
			return &infos[i];
	return NULL;
}

bool cohort_state_type_known(u32 sync_type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(infos); i++)
		if (infos[i].sync_type == sync_type)
			return true;
	return false;
}

/* The move out of @from, or any move of the operation if @from is NONE. */
static const struct cohort_state_move *move_find(u32 sync_type, u32 operation, u32 from)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(moves); i++)
		if (moves[i].sync_type == sync_type && moves[i].operation == operation &&
		    (from == COHORT_STATE_NONE || moves[i].from == from))
			return &moves[i];
	return NULL;
}

/* Numbers that CIM has given no meaning; those from 0x8000 on are a vendor's. */
static bool reserved(u32 operation)
{
	return !cohort_state_operation_name(operation) && operation < 0x8000;
}

/* As cohort_state_operation_legal(), *@why being NULL where it is legal. */
static int judge(u32 sync_type, u32 state, u32 operation, bool force,
		 const struct cohort_state_move **move, const char **why)
{
	const struct cohort_state_info *info = info_find(sync_type, state);

	*why = "the operation is a reserved value";
	if (reserved(operation) || operation > 0xffff)
		return -EINVAL;
	*why = "the operation is not supported for this type of replica";
	if (!move_find(sync_type, operation, COHORT_STATE_NONE))
		return -EOPNOTSUPP;
	*why = "the relationship is changing, wait for its job";
	if (info && info->in_flight)
		return -EBUSY;
	*move = move_find(sync_type, operation, state);
	*why = "the operation is not legal in this copy state";
	if (!*move || state == COHORT_STATE_NONE)
		return -EINVAL;
	*why = "the operation is legal in this copy state only with force";
	if ((*move)->force && !force)
		return -EINVAL;
	*why = NULL;
	return 0;
}

int cohort_state_operation_legal(u32 sync_type, u32 state, u32 operation, bool force,
				 const struct cohort_state_move **move, const char **why)
{
	const struct cohort_state_move *found = NULL;
	const char *words;
	int ret = judge(sync_type, state, operation, force, &found, &words);

	if (move)
		*move = ret ? NULL : found;
	if (why)
		*why = words;
	return ret;
}

int cohort_state_wait_legal(u32 sync_type, u32 operation, u32 from, u32 wait)
{
	size_t i;

	if (!cohort_state_type_known(sync_type))
		return -EOPNOTSUPP;
	for (i = 0; i < ARRAY_SIZE(moves); i++)
		if (moves[i].sync_type == sync_type && moves[i].operation == operation &&
		    (from == COHORT_STATE_NONE || moves[i].from == from) &&
		    moves[i].to == wait && wait != COHORT_STATE_NONE)
			return 0;
	return -EINVAL;
}
