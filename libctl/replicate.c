// SPDX-License-Identifier: LGPL-2.1-or-later
/* replicate.c - the methods that make and change relationships */
#include <errno.h>
#include <stdio.h>
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

static void build(struct request *r, const struct replica_args *args)
{
	const struct cohort_request *req = &args->req;

	/* a nest, an index and the longest name */
	request_new(r, COHORT_CMD_GROUP_REPLICA_NEW, req->source_elements_count * 160);
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

/* Without its images the caller could not use the snapshot, nor knows of it. */
static void undo_replica(struct cohort *ctx, const struct cohort_reply *reply, void *data)
{
	(void)data;
	if (reply->name)
		send_operation(ctx, reply->name, COHORT_OPERATION_RETURN_TO_POOL, false,
			       COHORT_WAIT_FOREVER, NULL);
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

static int replicate(struct cohort *ctx, const struct cohort_request *request, bool elements,
		     struct cohort_reply **ret)
{
	struct cohort_reply *reply = NULL;
	struct replica_args args;
	struct request r;
	int result = validate_replica(ctx, request, elements, &args);

	if (!result)
		result = check_image_names(ctx, &args.req);
	if (result)
		return result;
	build(&r, &args);
	result = job_run(ctx, &r, args.req.timeout_ms, undo_replica, NULL, &reply);
	return finish(ctx, result, reply, ret);
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

/* What the module would refuse is refused here: images must not go in vain. */
static int check_move(struct cohort *ctx, const struct cohort_modify_request *req,
		      const struct cohort_relationship *rel)
{
	const struct cohort_state_move *move;
	const char *why;
	int err = cohort_state_operation_legal(rel->sync_type, rel->copy_state,
					       (uint32_t)req->operation, req->force, &move, &why);

	if (err)
		return fail_errno(ctx, -err, "Operation", "%s is %s: %s", rel->name,
				  cohort_copy_state_name(rel->copy_state), why);
	if (req->wait_for_copy_state != COHORT_UNSET &&
	    (move->to == COHORT_STATE_NONE || req->wait_for_copy_state != move->to))
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

static int return_to_pool(struct cohort *ctx, const struct cohort_modify_request *req,
			  const struct cohort_relationship *rel, struct cohort_reply **ret)
{
	int result = images_check_unused(ctx, rel, NULL);

	if (result)
		return result;
	result = images_remove(ctx, rel, NULL);
	if (!result)
		result = send_operation(ctx, rel->name, req->operation, req->force,
					req->timeout_ms, ret);
	if (result && result != COHORT_RESULT_JOB_STARTED && result != COHORT_RESULT_TIMEOUT)
		bring_back(ctx, rel);
	return result;
}

/* What an image holds changes below whoever has it open. */
static int check_images(struct cohort *ctx, const struct cohort_modify_request *req,
			const struct cohort_relationship *rel)
{
	return req->operation == COHORT_OPERATION_RESET_REPLICA ?
		images_check_unused(ctx, rel, NULL) : 0;
}

static int modify(struct cohort *ctx, const struct cohort_modify_request *req,
		  const struct cohort_relationship *rel, struct cohort_reply **ret)
{
	struct cohort_reply *reply = NULL;
	int result = check_move(ctx, req, rel);

	if (result)
		return result;
	if (req->operation == COHORT_OPERATION_RETURN_TO_POOL)
		return return_to_pool(ctx, req, rel, ret);
	result = check_images(ctx, req, rel);
	if (result)
		return result;
	result = send_operation(ctx, rel->name, req->operation, req->force, req->timeout_ms,
				&reply);
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
