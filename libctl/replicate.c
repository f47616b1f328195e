// SPDX-License-Identifier: LGPL-2.1-or-later
/* replicate.c - the methods that make and change relationships */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kmod/state.h"
#include "private.h"

EXPORT void cohort_request_init(struct cohort_request *request)
{
	memset(request, 0, sizeof(*request));
	request->size = sizeof(*request);
	request->sync_type = COHORT_UNSET;
	request->mode = COHORT_UNSET;
	request->consistency = COHORT_UNSET;
	request->wait_for_copy_state = COHORT_UNSET;
	request->timeout_ms = COHORT_WAIT_FOREVER;
}

EXPORT void cohort_modify_request_init(struct cohort_modify_request *request)
{
	memset(request, 0, sizeof(*request));
	request->size = sizeof(*request);
	request->operation = COHORT_UNSET;
	request->wait_for_copy_state = COHORT_UNSET;
	request->timeout_ms = COHORT_WAIT_FOREVER;
}

static int count_members(struct cohort *ctx, const char *group, size_t *count)
{
	const struct cohort_member *m;
	struct cohort_group *g = NULL;
	int ret = cohort_group_get(ctx, group, &g);

	*count = 0;
	if (ret)
		return ret;
	cohort_foreach(m, g->members)
		(*count)++;
	cohort_group_free(g);
	return 0;
}

/* The images' names must be free: told before the cut, not after it. */
static int check_image_names(struct cohort *ctx, const struct cohort_request *req)
{
	size_t count = req->source_elements_count;
	char name[COHORT_NAME_MAX + 1];
	int ret = cohort_open(ctx);

	if (ret || !req->relationship_name)
		return ret;
	if (!count)
		ret = count_members(ctx, req->source_group_name, &count);
	for (size_t i = 1; !ret && i <= count; i++) {
		snprintf(name, sizeof(name), "%s_%zu", req->relationship_name, i);
		ret = dm_check_free(ctx, name, "RelationshipName");
	}
	return ret;
}

static void build(struct request *r, const struct replica_args *args,
		  const struct target *targets)
{
	const struct cohort_request *req = &args->req;

	/* a nest, an index and the longest name; a nest, two numbers and three identities */
	request_new(r, COHORT_CMD_GROUP_REPLICA_NEW, req->source_elements_count * 160 +
		    req->target_elements_count * 400);
	request_str(r, COHORT_A_RELATIONSHIP_NAME, req->relationship_name);
	request_u32(r, COHORT_A_RELATIONSHIP_SYNC_TYPE, req->sync_type);
	request_u32(r, COHORT_A_RELATIONSHIP_MODE, req->mode);
	request_u32(r, COHORT_A_RELATIONSHIP_CONSISTENCY, args->consistency);
	request_str(r, COHORT_A_RELATIONSHIP_SOURCE_GROUP, req->source_group_name);
	request_str(r, COHORT_A_RELATIONSHIP_TARGET_GROUP, req->target_group);
	request_str(r, COHORT_A_RELATIONSHIP_POOL, req->target_pool);
	for (size_t i = 0; i < req->source_elements_count; i++)
		request_member(r, COHORT_A_RELATIONSHIP_MEMBER, (uint32_t)i + 1,
			       element_name(req->source_elements[i]));
	request_u32(r, COHORT_A_RELATIONSHIP_WAIT_STATE, args->wait_state);
	request_u32(r, COHORT_A_RELATIONSHIP_ON_ERROR, args->on_error);
	request_u32(r, COHORT_A_RELATIONSHIP_FLAGS, args->flags);
	request_u64(r, COHORT_A_RELATIONSHIP_SPACE_LIMIT, args->space_limit);
	request_u64(r, COHORT_A_RELATIONSHIP_REMOVE_AFTER, args->remove_after);
	request_u32(r, COHORT_A_RELATIONSHIP_HOLD_TIME, args->hold_time);
	targets_put(r, targets, req->target_elements_count);
}

static int send_operation(struct cohort *ctx, const char *name, int32_t operation, bool force,
			  int timeout_ms, struct cohort_reply **ret)
{
	struct request r;

	request_new(&r, COHORT_CMD_RELATIONSHIP_MODIFY, 0);
	request_str(&r, COHORT_A_RELATIONSHIP_NAME, name);
	request_u32(&r, COHORT_A_RELATIONSHIP_OPERATION, operation);
	if (force)
		request_u32(&r, COHORT_A_RELATIONSHIP_FORCE, 1);
	return job_run(ctx, &r, timeout_ms, NULL, NULL, ret);
}

/* Those whose target was there. */
static void remove_clones(struct cohort *ctx, const char *name)
{
	struct cohort_relationship *rel = NULL;

	if (!cohort_relationship_get(ctx, name, &rel))
		images_remove(ctx, rel, NULL);
	cohort_relationship_free(rel);
}

/* Without its images the caller could not use the replica, nor knows of it. */
static void undo_replica(struct cohort *ctx, const struct cohort_reply *reply, void *data)
{
	const struct replica_args *args = data;
	const bool clone = args->req.sync_type == COHORT_SYNC_TYPE_CLONE;

	if (!reply->name)
		return;
	if (clone)
		remove_clones(ctx, reply->name);
	send_operation(ctx, reply->name, clone ? COHORT_OPERATION_DETACH :
		       COHORT_OPERATION_RETURN_TO_POOL, clone, COHORT_WAIT_FOREVER, NULL);
}

/* On success the relationship goes with the reply, if it is still there. */
static int finish(struct cohort *ctx, int result, struct cohort_reply *reply,
		  struct cohort_reply **ret)
{
	if (!result && reply->name &&
	    cohort_relationship_get(ctx, reply->name, &reply->synchronization))
		reply->synchronization = NULL;
	return reply_return(result, reply, ret);
}

/* When a job began, and how long its caller waits. */
struct patience {
	int64_t start;
	int timeout_ms;
};

static struct patience patience_new(int timeout_ms)
{
	return (struct patience){ now_ms(), timeout_ms };
}

static int patience_left(const struct patience *p)
{
	const int64_t left = p->start + p->timeout_ms - now_ms();

	if (p->timeout_ms < 0)
		return p->timeout_ms;
	return left > 0 ? (int)left : 0;
}

/* The state is reached behind the job: by copying, in a job of its own. */
static int wait_copied(struct cohort *ctx, const struct patience *p, struct cohort_reply **reply)
{
	int result = *reply && (*reply)->name ?
		copy_wait(ctx, (*reply)->name, patience_left(p), &(*reply)->job) : 0;

	if (result && result != COHORT_RESULT_TIMEOUT) {
		cohort_reply_free(*reply);
		*reply = NULL;
	}
	return result;
}

/* The volumes of a request become its targets: they are new, so nothing on them is anybody's. */
static int make_volumes(struct cohort *ctx, struct cohort_request *req, struct volumes *volumes)
{
	uint64_t *sizes = calloc(COHORT_MEMBERS_MAX, sizeof(*sizes));
	size_t count = 0;
	int ret = sizes ? targets_sizes(ctx, req, sizes, &count) : fail_memory(ctx);

	if (!ret)
		ret = lvm_make(ctx, lvm_vg(req->target_pool), req->relationship_name, sizes, count,
			       volumes);
	free(sizes);
	if (ret)
		return ret;
	req->target_pool = NULL;
	req->target_elements = volumes->paths;
	req->target_elements_count = count;
	req->force = true;
	return 0;
}

/* Nobody knows of them, unless the relationship is there after all. */
static void leave_volumes(struct cohort *ctx, struct volumes *volumes,
			  const struct target *targets)
{
	struct cohort_error e;
	bool recorded;

	if (!volumes->count)
		return;
	cohort_get_error(ctx, &e);
	recorded = targets && targets_recorded(ctx, targets, volumes->count);
	fail_again(ctx, &e);
	if (recorded)
		lvm_say_left(ctx, volumes);
	else
		lvm_take_back(ctx, volumes);
}

static bool goes_on(int result)
{
	return result == COHORT_RESULT_TIMEOUT || result == COHORT_RESULT_JOB_STARTED;
}

static int run_replicate(struct cohort *ctx, struct replica_args *args,
			 const struct target *targets, struct volumes *volumes,
			 struct cohort_reply **ret)
{
	const struct patience patience = patience_new(args->req.timeout_ms);
	struct cohort_reply *reply = NULL;
	struct request r;
	int result;

	build(&r, args, targets);
	result = job_run(ctx, &r, args->req.timeout_ms, undo_replica, args, &reply);
	if (result && !goes_on(result))
		leave_volumes(ctx, volumes, targets);
	if (!result && args->wait_copied)
		result = wait_copied(ctx, &patience, &reply);
	return finish(ctx, result, reply, ret);
}

/* *@targets: NULL for a snapshot. */
static int make_and_learn(struct cohort *ctx, struct cohort_request *req, struct volumes *volumes,
			  struct target **targets)
{
	int result = lvm_vg(req->target_pool) ? make_volumes(ctx, req, volumes) : 0;

	if (result || !req->target_elements_count)
		return result;
	result = targets_learn(ctx, req, targets);
	if (result)
		leave_volumes(ctx, volumes, NULL);
	return result;
}

static int replicate(struct cohort *ctx, const struct cohort_request *request, bool elements,
		     struct cohort_reply **ret)
{
	struct volumes volumes = { 0 };
	struct target *targets = NULL;
	struct replica_args args;
	int result = validate_replica(ctx, request, elements, &args);

	if (!result)
		result = check_image_names(ctx, &args.req);
	if (!result)
		result = make_and_learn(ctx, &args.req, &volumes, &targets);
	if (!result)
		result = run_replicate(ctx, &args, targets, &volumes, ret);
	lvm_free(&volumes);
	free(targets);
	return result;
}

EXPORT int cohort_create_group_replica_from_elements(struct cohort *ctx,
						     const struct cohort_request *request,
						     struct cohort_reply **result)
{
	return replicate(ctx, request, true, result);
}

EXPORT int cohort_create_group_replica(struct cohort *ctx, const struct cohort_request *request,
				       struct cohort_reply **result)
{
	return replicate(ctx, request, false, result);
}

static int refuse_operation(struct cohort *ctx, const struct cohort_modify_request *req,
			    const struct cohort_relationship *rel, int err, const char *why)
{
	if (rel->sync_type == COHORT_SYNC_TYPE_CLONE &&
	    req->operation == COHORT_OPERATION_RETURN_TO_POOL)
		return fail_errno(ctx, err, "Operation",
				  "%s is a clone: Detach ends it, its targets stay", rel->name);
	return fail_errno(ctx, err, "Operation", "%s is %s: %s", rel->name,
			  cohort_copy_state_name(rel->copy_state), why);
}

/* What the module would refuse is refused here: images must not go in vain. */
static int check_move(struct cohort *ctx, const struct cohort_modify_request *req,
		      const struct cohort_relationship *rel,
		      const struct cohort_state_move **move)
{
	const char *why;
	int err = cohort_state_operation_legal(rel->sync_type, rel->copy_state,
					       (uint32_t)req->operation, req->force, move, &why);

	if (err)
		return refuse_operation(ctx, req, rel, -err, why);
	if (req->wait_for_copy_state != COHORT_UNSET &&
	    cohort_state_wait_legal(rel->sync_type, (uint32_t)req->operation, rel->copy_state,
				    (uint32_t)req->wait_for_copy_state))
		return fail_errno(ctx, EINVAL, "WaitForCopyState",
				  "%s does not lead to WaitForCopyState %d",
				  cohort_operation_name((uint32_t)req->operation),
				  req->wait_for_copy_state);
	return 0;
}

static void bring_back(struct cohort *ctx, const struct cohort_relationship *rel)
{
	struct cohort_error e;

	cohort_get_error(ctx, &e);
	images_make(ctx, rel);
	fail_again(ctx, &e);
}

/* The devices go first: the module has none of them then. */
static int without_devices(struct cohort *ctx, const struct cohort_modify_request *req,
			   const struct cohort_relationship *rel, struct cohort_reply **ret)
{
	int result = images_check_unused(ctx, rel, NULL);

	if (result)
		return result;
	result = images_remove(ctx, rel, NULL);
	if (!result)
		result = send_operation(ctx, rel->name, req->operation, req->force,
					req->timeout_ms, ret);
	if (result && !goes_on(result))
		bring_back(ctx, rel);
	return result;
}

/* What an image holds changes below whoever has it open. */
static int with_devices(struct cohort *ctx, const struct cohort_modify_request *req,
			const struct cohort_relationship *rel, struct cohort_reply **ret)
{
	int result = req->operation == COHORT_OPERATION_RESET_REPLICA ?
		images_check_unused(ctx, rel, NULL) : 0;

	return result ? result : send_operation(ctx, rel->name, req->operation, req->force,
						req->timeout_ms, ret);
}

static bool ends_devices(int32_t operation)
{
	return operation == COHORT_OPERATION_RETURN_TO_POOL ||
	       operation == COHORT_OPERATION_RESYNC_REPLICA ||
	       operation == COHORT_OPERATION_ABORT || operation == COHORT_OPERATION_DETACH ||
	       operation == COHORT_OPERATION_DISSOLVE;
}

static int modify(struct cohort *ctx, const struct cohort_modify_request *req,
		  const struct cohort_relationship *rel, struct cohort_reply **ret)
{
	const struct patience patience = patience_new(req->timeout_ms);
	const struct cohort_state_move *move;
	struct cohort_reply *reply = NULL;
	int result = check_move(ctx, req, rel, &move);

	if (result)
		return result;
	result = ends_devices(req->operation) ? without_devices(ctx, req, rel, &reply) :
						with_devices(ctx, req, rel, &reply);
	if (!result && req->wait_for_copy_state != COHORT_UNSET &&
	    req->wait_for_copy_state != move->to)
		result = wait_copied(ctx, &patience, &reply);
	/* of what has gone there is nothing to tell */
	if (move->to == COHORT_STATE_NONE)
		return reply_return(result, reply, ret);
	return finish(ctx, result, reply, ret);
}

EXPORT int cohort_modify_replica_synchronization(struct cohort *ctx,
						 const struct cohort_modify_request *request,
						 struct cohort_reply **result)
{
	struct cohort_relationship *rel = NULL;
	struct cohort_modify_request req;
	int ret = validate_modify(ctx, request, &req);

	if (!ret)
		ret = cohort_relationship_get(ctx, req.synchronization, &rel);
	if (ret)
		return ret;
	ret = modify(ctx, &req, rel, result);
	cohort_relationship_free(rel);
	return ret;
}
