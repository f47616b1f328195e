// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* netlink-gen.c - attribute policies of every operation, from the spec. */
/* Do not edit directly, auto-generated from: */
/*	include/spec/cohort.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/cohort.h>

/* Common nested types */
const struct nla_policy cohort_member_nl_policy[COHORT_A_MEMBER_TARGET + 1] = {
	[COHORT_A_MEMBER_INDEX] = { .type = NLA_U32, },
	[COHORT_A_MEMBER_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_MEMBER_SOURCE] = { .type = NLA_NUL_STRING, },
	[COHORT_A_MEMBER_COPY_STATE] = NLA_POLICY_RANGE(NLA_U32, 2, 18),
	[COHORT_A_MEMBER_EPOCH] = { .type = NLA_U64, },
	[COHORT_A_MEMBER_TIME] = { .type = NLA_U64, },
	[COHORT_A_MEMBER_ERRNO] = { .type = NLA_U32, },
	[COHORT_A_MEMBER_MIXED] = { .type = NLA_U32, },
	[COHORT_A_MEMBER_SIZE] = { .type = NLA_U64, },
	[COHORT_A_MEMBER_TARGET] = NLA_POLICY_NESTED(cohort_target_nl_policy),
};

const struct nla_policy cohort_target_nl_policy[COHORT_A_TARGET_UNREADABLE + 1] = {
	[COHORT_A_TARGET_DEV] = { .type = NLA_NUL_STRING, .len = 31, },
	[COHORT_A_TARGET_SIZE] = { .type = NLA_U64, },
	[COHORT_A_TARGET_DM_UUID] = { .type = NLA_NUL_STRING, .len = 128, },
	[COHORT_A_TARGET_WWN] = { .type = NLA_NUL_STRING, .len = 128, },
	[COHORT_A_TARGET_PARTUUID] = { .type = NLA_NUL_STRING, .len = 36, },
	[COHORT_A_TARGET_COPIED] = { .type = NLA_U64, },
	[COHORT_A_TARGET_UNREADABLE] = { .type = NLA_U64, },
};

/* COHORT_CMD_POOL_GET - do */
const struct nla_policy cohort_pool_get_nl_policy[COHORT_A_POOL_NAME + 1] = {
	[COHORT_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
};

/* COHORT_CMD_POOL_EXTEND - do */
const struct nla_policy cohort_pool_extend_nl_policy[COHORT_A_POOL_NAME + 1] = {
	[COHORT_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
};

/* COHORT_CMD_POOL_SCRUB - do */
const struct nla_policy cohort_pool_scrub_nl_policy[COHORT_A_POOL_NAME + 1] = {
	[COHORT_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
};

/* COHORT_CMD_SOURCE_GET - do */
const struct nla_policy cohort_source_get_nl_policy[COHORT_A_SOURCE_NAME + 1] = {
	[COHORT_A_SOURCE_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
};

/* COHORT_CMD_SOURCE_ATTACH - do */
const struct nla_policy cohort_source_attach_nl_policy[COHORT_A_SOURCE_FORCE + 1] = {
	[COHORT_A_SOURCE_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_SOURCE_POOL] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_SOURCE_UUID] = { .type = NLA_NUL_STRING, .len = 36, },
	[COHORT_A_SOURCE_SIZE] = { .type = NLA_U64, },
	[COHORT_A_SOURCE_DEV] = { .type = NLA_NUL_STRING, .len = 31, },
	[COHORT_A_SOURCE_DM_UUID] = { .type = NLA_NUL_STRING, .len = 128, },
	[COHORT_A_SOURCE_WWN] = { .type = NLA_NUL_STRING, .len = 128, },
	[COHORT_A_SOURCE_PARTUUID] = { .type = NLA_NUL_STRING, .len = 36, },
	[COHORT_A_SOURCE_FINGERPRINT] = NLA_POLICY_EXACT_LEN(COHORT_FINGERPRINT_LEN),
	[COHORT_A_SOURCE_FORCE] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* COHORT_CMD_SOURCE_DETACH - do */
const struct nla_policy cohort_source_detach_nl_policy[COHORT_A_SOURCE_FINGERPRINT + 1] = {
	[COHORT_A_SOURCE_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_SOURCE_FINGERPRINT] = NLA_POLICY_EXACT_LEN(COHORT_FINGERPRINT_LEN),
};

/* COHORT_CMD_SOURCE_REMOVE - do */
const struct nla_policy cohort_source_remove_nl_policy[COHORT_A_SOURCE_NAME + 1] = {
	[COHORT_A_SOURCE_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
};

/* COHORT_CMD_GROUP_GET - do */
const struct nla_policy cohort_group_get_nl_policy[COHORT_A_GROUP_NAME + 1] = {
	[COHORT_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
};

/* COHORT_CMD_GROUP_NEW - do */
const struct nla_policy cohort_group_new_nl_policy[COHORT_A_GROUP_MEMBER + 1] = {
	[COHORT_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_GROUP_POOL] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_GROUP_KIND] = NLA_POLICY_RANGE(NLA_U32, 1, 2),
	[COHORT_A_GROUP_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x3),
	[COHORT_A_GROUP_MEMBER] = NLA_POLICY_NESTED(cohort_member_nl_policy),
};

/* COHORT_CMD_GROUP_DEL - do */
const struct nla_policy cohort_group_del_nl_policy[COHORT_A_GROUP_REMOVE_ELEMENTS + 1] = {
	[COHORT_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_GROUP_REMOVE_ELEMENTS] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* COHORT_CMD_GROUP_ADD - do */
const struct nla_policy cohort_group_add_nl_policy[COHORT_A_GROUP_MEMBER + 1] = {
	[COHORT_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_GROUP_MEMBER] = NLA_POLICY_NESTED(cohort_member_nl_policy),
};

/* COHORT_CMD_GROUP_REMOVE - do */
const struct nla_policy cohort_group_remove_nl_policy[COHORT_A_GROUP_MEMBER + 1] = {
	[COHORT_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_GROUP_MEMBER] = NLA_POLICY_NESTED(cohort_member_nl_policy),
};

/* COHORT_CMD_RELATIONSHIP_GET - do */
const struct nla_policy cohort_relationship_get_nl_policy[COHORT_A_RELATIONSHIP_NAME + 1] = {
	[COHORT_A_RELATIONSHIP_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
};

/* COHORT_CMD_GROUP_REPLICA_NEW - do */
const struct nla_policy cohort_group_replica_new_nl_policy[COHORT_A_RELATIONSHIP_TARGET + 1] = {
	[COHORT_A_RELATIONSHIP_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_RELATIONSHIP_SYNC_TYPE] = NLA_POLICY_RANGE(NLA_U32, 6, 8),
	[COHORT_A_RELATIONSHIP_MODE] = NLA_POLICY_RANGE(NLA_U32, 2, 3),
	[COHORT_A_RELATIONSHIP_CONSISTENCY] = NLA_POLICY_RANGE(NLA_U32, 2, 3),
	[COHORT_A_RELATIONSHIP_SOURCE_GROUP] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_RELATIONSHIP_TARGET_GROUP] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_RELATIONSHIP_POOL] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_RELATIONSHIP_MEMBER] = NLA_POLICY_NESTED(cohort_member_nl_policy),
	[COHORT_A_RELATIONSHIP_WAIT_STATE] = NLA_POLICY_RANGE(NLA_U32, 2, 18),
	[COHORT_A_RELATIONSHIP_ON_ERROR] = NLA_POLICY_RANGE(NLA_U32, 2, 3),
	[COHORT_A_RELATIONSHIP_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x7),
	[COHORT_A_RELATIONSHIP_SPACE_LIMIT] = { .type = NLA_U64, },
	[COHORT_A_RELATIONSHIP_REMOVE_AFTER] = { .type = NLA_U64, },
	[COHORT_A_RELATIONSHIP_HOLD_TIME] = NLA_POLICY_MAX(NLA_U32, COHORT_HOLD_TIME_MAX),
	[COHORT_A_RELATIONSHIP_TARGET] = NLA_POLICY_NESTED(cohort_target_nl_policy),
};

/* COHORT_CMD_RELATIONSHIP_MODIFY - do */
const struct nla_policy cohort_relationship_modify_nl_policy[COHORT_A_RELATIONSHIP_FORCE + 1] = {
	[COHORT_A_RELATIONSHIP_NAME] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_RELATIONSHIP_OPERATION] = NLA_POLICY_RANGE(NLA_U32, 2, 27),
	[COHORT_A_RELATIONSHIP_FORCE] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* COHORT_CMD_JOB_GET - do */
const struct nla_policy cohort_job_get_nl_policy[COHORT_A_JOB_ID + 1] = {
	[COHORT_A_JOB_ID] = { .type = NLA_U64, },
};

/* COHORT_CMD_EXTENT_GET - do */
const struct nla_policy cohort_extent_get_nl_policy[COHORT_A_EXTENT_OFFSET + 1] = {
	[COHORT_A_EXTENT_RELATIONSHIP] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_EXTENT_OTHER] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_EXTENT_SOURCE] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_EXTENT_OFFSET] = { .type = NLA_U64, },
};

/* COHORT_CMD_GATE_CLOSE - do */
const struct nla_policy cohort_gate_close_nl_policy[COHORT_A_GATE_LEASE + 1] = {
	[COHORT_A_GATE_GROUP] = { .type = NLA_NUL_STRING, .len = COHORT_NAME_MAX, },
	[COHORT_A_GATE_LEASE] = NLA_POLICY_RANGE(NLA_U32, 1, COHORT_LEASE_MAX),
};

/* COHORT_CMD_GATE_OPEN - do */
const struct nla_policy cohort_gate_open_nl_policy[COHORT_A_GATE_ID + 1] = {
	[COHORT_A_GATE_ID] = { .type = NLA_U32, },
};

/* COHORT_CMD_JOB_MODIFY - do */
const struct nla_policy cohort_job_modify_nl_policy[COHORT_A_JOB_REQUEST + 1] = {
	[COHORT_A_JOB_ID] = { .type = NLA_U64, },
	[COHORT_A_JOB_REQUEST] = NLA_POLICY_RANGE(NLA_U32, 2, 4),
};
