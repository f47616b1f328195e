// SPDX-License-Identifier: LGPL-2.1-or-later
/* msg.c - requests: attributes in, and the parameter an attribute stands for */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/genl/genl.h>

#include "private.h"

static const char *const pool_names[] = {
	[COHORT_A_POOL_NAME] = "Pool",
};

static const char *const source_names[] = {
	[COHORT_A_SOURCE_NAME] = "Source",
	[COHORT_A_SOURCE_POOL] = "Pool",
	[COHORT_A_SOURCE_SIZE] = "Device",
	[COHORT_A_SOURCE_DEV] = "Device",
	[COHORT_A_SOURCE_DM_UUID] = "Device",
	[COHORT_A_SOURCE_WWN] = "Device",
	[COHORT_A_SOURCE_PARTUUID] = "Device",
	[COHORT_A_SOURCE_FINGERPRINT] = "Device",
	[COHORT_A_SOURCE_FORCE] = "Force",
};

static const char *const group_names[] = {
	[COHORT_A_GROUP_NAME] = "GroupName",
	[COHORT_A_GROUP_POOL] = "Pool",
	[COHORT_A_GROUP_KIND] = "ReservedAs",
	[COHORT_A_GROUP_MEMBER] = "Members",
	[COHORT_A_GROUP_REMOVE_ELEMENTS] = "RemoveElements",
};

static const char *const relationship_names[] = {
	[COHORT_A_RELATIONSHIP_NAME] = "RelationshipName",
	[COHORT_A_RELATIONSHIP_POOL] = "TargetPool",
	[COHORT_A_RELATIONSHIP_SYNC_TYPE] = "SyncType",
	[COHORT_A_RELATIONSHIP_MODE] = "Mode",
	[COHORT_A_RELATIONSHIP_CONSISTENCY] = "Consistency",
	[COHORT_A_RELATIONSHIP_SOURCE_GROUP] = "SourceGroupName",
	[COHORT_A_RELATIONSHIP_TARGET_GROUP] = "TargetGroup",
	[COHORT_A_RELATIONSHIP_MEMBER] = "SourceElements",
	[COHORT_A_RELATIONSHIP_WAIT_STATE] = "WaitForCopyState",
	[COHORT_A_RELATIONSHIP_ON_ERROR] = "OnGroupOrListError",
	[COHORT_A_RELATIONSHIP_FLAGS] = "TargetSettingGoal",
	[COHORT_A_RELATIONSHIP_SPACE_LIMIT] = "TargetSettingGoal",
	[COHORT_A_RELATIONSHIP_REMOVE_AFTER] = "TimeBeforeRemoval",
	[COHORT_A_RELATIONSHIP_HOLD_TIME] = "TargetSettingGoal",
	[COHORT_A_RELATIONSHIP_OPERATION] = "Operation",
	[COHORT_A_RELATIONSHIP_FORCE] = "Force",
	[COHORT_A_RELATIONSHIP_TARGET] = "TargetElements",
};

static const char *const job_names[] = {
	[COHORT_A_JOB_ID] = "Job",
	[COHORT_A_JOB_REQUEST] = "RequestedState",
};

static const char *const extent_names[] = {
	[COHORT_A_EXTENT_RELATIONSHIP] = "Synchronization",
	[COHORT_A_EXTENT_OTHER] = "Other",
	[COHORT_A_EXTENT_SOURCE] = "Source",
};

static const char *const gate_names[] = {
	[COHORT_A_GATE_GROUP] = "ReplicationGroup",
	[COHORT_A_GATE_LEASE] = "Lease",
	[COHORT_A_GATE_ID] = "Gate",
};

struct name_set {
	const char *const *names;
	unsigned int count;
	/* attributes whose place is worth telling, or 0 */
	unsigned int member;
	unsigned int target;
};

static const struct name_set sets[] = {
	[OBJECT_POOL] = { pool_names, ARRAY_SIZE(pool_names), 0, 0 },
	[OBJECT_SOURCE] = { source_names, ARRAY_SIZE(source_names), 0, 0 },
	[OBJECT_GROUP] = { group_names, ARRAY_SIZE(group_names), COHORT_A_GROUP_MEMBER, 0 },
	[OBJECT_RELATIONSHIP] = { relationship_names, ARRAY_SIZE(relationship_names),
				  COHORT_A_RELATIONSHIP_MEMBER, COHORT_A_RELATIONSHIP_TARGET },
	[OBJECT_JOB] = { job_names, ARRAY_SIZE(job_names), 0, 0 },
};

/* NULL: it takes no attribute that has a name. */
static const struct name_set *set_of(int cmd)
{
	static const struct name_set extents = { extent_names, ARRAY_SIZE(extent_names), 0, 0 };
	static const struct name_set gates = { gate_names, ARRAY_SIZE(gate_names), 0, 0 };
	const int kind = object_kind_of(cmd);

	if (cmd == COHORT_CMD_EXTENT_GET)
		return &extents;
	if (cmd == COHORT_CMD_GATE_CLOSE || cmd == COHORT_CMD_GATE_OPEN)
		return &gates;
	return kind <= OBJECT_MODULE ? NULL : &sets[kind];
}

void request_new(struct request *r, int cmd, size_t room)
{
	/* header, names and numbers of the largest request */
	const size_t fixed = 4096;

	r->cmd = cmd;
	r->err = 0;
	r->msg = nlmsg_alloc_size(fixed + room);
	if (r->msg && !genlmsg_put(r->msg, NL_AUTO_PORT, NL_AUTO_SEQ, 0, 0, 0, (uint8_t)cmd,
				   COHORT_FAMILY_VERSION))
		r->err = -NLE_NOMEM;
}

void request_free(struct request *r)
{
	nlmsg_free(r->msg);
	r->msg = NULL;
}

static void put(struct request *r, int attr, const void *data, size_t len)
{
	if (r->msg && !r->err)
		r->err = nla_put(r->msg, attr, (int)len, data);
}

void request_str(struct request *r, int attr, const char *value)
{
	if (value)
		put(r, attr, value, strlen(value) + 1);
}

void request_u32(struct request *r, int attr, int64_t value)
{
	const uint32_t v = (uint32_t)value;

	if (value != COHORT_UNSET)
		put(r, attr, &v, sizeof(v));
}

void request_u64(struct request *r, int attr, uint64_t value)
{
	if (value != COHORT_UNSET64)
		put(r, attr, &value, sizeof(value));
}

void request_bin(struct request *r, int attr, const void *data, size_t len)
{
	if (data)
		put(r, attr, data, len);
}

struct nlattr *request_nest(struct request *r, int attr)
{
	struct nlattr *nest;

	if (!r->msg || r->err)
		return NULL;
	nest = nla_nest_start(r->msg, attr | NLA_F_NESTED);
	if (!nest)
		r->err = -NLE_NOMEM;
	return nest;
}

void request_nest_end(struct request *r, struct nlattr *nest)
{
	if (nest)
		nla_nest_end(r->msg, nest);
}

void request_member(struct request *r, int attr, uint32_t index, const char *name)
{
	struct nlattr *nest = request_nest(r, attr);

	request_u32(r, COHORT_A_MEMBER_INDEX, index);
	request_str(r, COHORT_A_MEMBER_NAME, name);
	request_nest_end(r, nest);
}

static const char *set_name(const struct name_set *set, unsigned int type)
{
	return type < set->count ? set->names[type] : NULL;
}

/* Name of attribute @type, with its place among those of its type if that tells something. */
static void describe(const struct name_set *set, unsigned int type, unsigned int place,
		     char *name, size_t size)
{
	const char *word = set_name(set, type);

	if (!word)
		return;
	if (type == set->member || type == set->target)
		snprintf(name, size, "%s[%u]", word, place);
	else
		snprintf(name, size, "%s", word);
}

/* How many attributes of its type stand before @attr in the request. */
static unsigned int place_of(const struct nlmsghdr *hdr, const struct nlattr *attr)
{
	const struct nlattr *before = genlmsg_attrdata(nlmsg_data(hdr), 0);
	int left = genlmsg_attrlen(nlmsg_data(hdr), 0);
	unsigned int place = 0;

	for (; before != attr; before = nla_next(before, &left))
		place += nla_type(before) == nla_type(attr);
	return place;
}

void request_attribute_name(const struct nlmsghdr *hdr, int cmd, uint32_t offset, uint32_t type,
			    char *name, size_t size)
{
	const struct nlattr *attr = genlmsg_attrdata(nlmsg_data(hdr), 0);
	int left = genlmsg_attrlen(nlmsg_data(hdr), 0);
	const struct name_set *set = set_of(cmd);

	name[0] = '\0';
	if (!set)
		return;
	if (!offset) {
		snprintf(name, size, "%s", set_name(set, type) ?: "");
		return;
	}
	for (; nla_ok(attr, left); attr = nla_next(attr, &left)) {
		const uint32_t start = (uint32_t)((const char *)attr - (const char *)hdr);

		if (offset >= start && offset < start + attr->nla_len) {
			describe(set, (unsigned int)nla_type(attr), place_of(hdr, attr), name,
				 size);
			return;
		}
	}
}

/* The attributes of a reply that has started a job, by set. */
struct reply_attrs {
	int job;
	int name;
	int source_group;
	int target_group;
};

static const struct reply_attrs *reply_attrs(int cmd)
{
	static const struct reply_attrs pool = {
		COHORT_A_POOL_JOB, COHORT_A_POOL_NAME, 0, 0,
	};
	static const struct reply_attrs source = {
		COHORT_A_SOURCE_JOB, COHORT_A_SOURCE_NAME, 0, 0,
	};
	static const struct reply_attrs group = {
		COHORT_A_GROUP_JOB, COHORT_A_GROUP_NAME, 0, 0,
	};
	static const struct reply_attrs relationship = {
		COHORT_A_RELATIONSHIP_JOB, COHORT_A_RELATIONSHIP_NAME,
		COHORT_A_RELATIONSHIP_SOURCE_GROUP, COHORT_A_RELATIONSHIP_TARGET_GROUP,
	};

	switch (object_kind_of(cmd)) {
	case OBJECT_POOL:
		return &pool;
	case OBJECT_SOURCE:
		return &source;
	case OBJECT_GROUP:
		return &group;
	}
	return &relationship;
}

static int take(const struct reply_attrs *a, const struct nlattr *attr, struct cohort_reply *reply)
{
	const int type = nla_type(attr);

	if (type == a->job && nla_len(attr) == sizeof(uint64_t))
		reply->job = nla_get_u64(attr);
	else if (type == a->name)
		return attr_string(attr, &reply->name);
	else if (a->source_group && type == a->source_group)
		return attr_string(attr, &reply->source_group_name);
	else if (a->target_group && type == a->target_group)
		return attr_string(attr, &reply->target_group);
	return 0;
}

int reply_parse(int cmd, const struct nlattr *attrs, int len, struct cohort_reply *reply)
{
	const struct reply_attrs *a = reply_attrs(cmd);
	const struct nlattr *attr = attrs;

	for (; nla_ok(attr, len); attr = nla_next(attr, &len))
		if (take(a, attr, reply))
			return -1;
	return 0;
}
