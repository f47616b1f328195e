// SPDX-License-Identifier: LGPL-2.1-or-later
/* group.c - CreateGroup, DeleteGroup, AddMembers, RemoveMembers */
#include <errno.h>
#include <string.h>

#include "private.h"

/* ReservedAs */
#define TARGET_ONLY 3

EXPORT void cohort_group_request_init(struct cohort_group_request *request)
{
	memset(request, 0, sizeof(*request));
	request->size = sizeof(*request);
	request->persistent = COHORT_UNSET;
	request->delete_on_empty_element = COHORT_UNSET;
	request->delete_on_unassociated = COHORT_UNSET;
	request->reserved_as = COHORT_UNSET;
	request->consistency = COHORT_UNSET;
	request->timeout_ms = COHORT_WAIT_FOREVER;
}

static void put_members(struct request *r, const char *const *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		request_member(r, COHORT_A_GROUP_MEMBER, (uint32_t)i + 1,
			       element_name(members[i]));
}

static uint32_t flags_of(const struct cohort_group_request *req)
{
	uint32_t flags = 0;

	if (req->delete_on_unassociated == 1)
		flags |= COHORT_GROUP_FLAGS_GENERATED;
	if (req->consistency == COHORT_CONSISTENCY_NONE)
		flags |= COHORT_GROUP_FLAGS_NO_CONSISTENCY;
	return flags;
}

EXPORT int cohort_create_group(struct cohort *ctx, const struct cohort_group_request *request,
			       struct cohort_reply **result)
{
	struct cohort_group_request req;
	struct request r;
	int ret = validate_group(ctx, request, &req);

	if (ret)
		return ret;
	request_new(&r, COHORT_CMD_GROUP_NEW, req.members_count * 160);
	request_str(&r, COHORT_A_GROUP_NAME, req.group_name);
	request_str(&r, COHORT_A_GROUP_POOL, req.pool);
	request_u32(&r, COHORT_A_GROUP_KIND, req.reserved_as == TARGET_ONLY ?
		    COHORT_GROUP_KIND_TARGET : COHORT_GROUP_KIND_SOURCE);
	if (flags_of(&req))
		request_u32(&r, COHORT_A_GROUP_FLAGS, flags_of(&req));
	put_members(&r, req.members, req.members_count);
	return job_run(ctx, &r, req.timeout_ms, NULL, NULL, result);
}

EXPORT int cohort_delete_group(struct cohort *ctx, const char *replication_group,
			       bool remove_elements, int timeout_ms, struct cohort_reply **result)
{
	struct request r;
	int ret = check_name(ctx, "ReplicationGroup", replication_group);

	if (ret)
		return ret;
	request_new(&r, COHORT_CMD_GROUP_DEL, 0);
	request_str(&r, COHORT_A_GROUP_NAME, replication_group);
	if (remove_elements)
		request_u32(&r, COHORT_A_GROUP_REMOVE_ELEMENTS, 1);
	return job_run(ctx, &r, timeout_ms, NULL, NULL, result);
}

static int change_members(struct cohort *ctx, int cmd, const char *group,
			  const char *const *members, size_t count, int timeout_ms,
			  struct cohort_reply **result)
{
	struct request r;
	int ret = check_name(ctx, "ReplicationGroup", group);

	if (!ret)
		ret = check_elements(ctx, "Members", members, count);
	if (ret)
		return ret;
	request_new(&r, cmd, count * 160);
	request_str(&r, COHORT_A_GROUP_NAME, group);
	put_members(&r, members, count);
	return job_run(ctx, &r, timeout_ms, NULL, NULL, result);
}

EXPORT int cohort_add_members(struct cohort *ctx, const char *replication_group,
			      const char *const *members, size_t count, int timeout_ms,
			      struct cohort_reply **result)
{
	return change_members(ctx, COHORT_CMD_GROUP_ADD, replication_group, members, count,
			      timeout_ms, result);
}

EXPORT int cohort_remove_members(struct cohort *ctx, const char *replication_group,
				 const char *const *members, size_t count, int timeout_ms,
				 struct cohort_reply **result)
{
	return change_members(ctx, COHORT_CMD_GROUP_REMOVE, replication_group, members, count,
			      timeout_ms, result);
}
