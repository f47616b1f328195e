/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* netlink-gen.h - attribute policies and handlers of every operation, from the spec. */
/* Do not edit directly, auto-generated from: */
/*	include/spec/cohort.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_COHORT_GEN_H
#define _LINUX_COHORT_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/cohort.h>

/* Common nested types */
extern const struct nla_policy cohort_member_nl_policy[COHORT_A_MEMBER_TARGET + 1];
extern const struct nla_policy cohort_target_nl_policy[COHORT_A_TARGET_UNREADABLE + 1];

/* One per operation that takes attributes */
extern const struct nla_policy cohort_pool_get_nl_policy[COHORT_A_POOL_NAME + 1];
extern const struct nla_policy cohort_pool_extend_nl_policy[COHORT_A_POOL_NAME + 1];
extern const struct nla_policy cohort_pool_scrub_nl_policy[COHORT_A_POOL_NAME + 1];
extern const struct nla_policy cohort_source_get_nl_policy[COHORT_A_SOURCE_NAME + 1];
extern const struct nla_policy cohort_source_attach_nl_policy[COHORT_A_SOURCE_FORCE + 1];
extern const struct nla_policy cohort_source_detach_nl_policy[COHORT_A_SOURCE_FINGERPRINT + 1];
extern const struct nla_policy cohort_source_remove_nl_policy[COHORT_A_SOURCE_NAME + 1];
extern const struct nla_policy cohort_group_get_nl_policy[COHORT_A_GROUP_NAME + 1];
extern const struct nla_policy cohort_group_new_nl_policy[COHORT_A_GROUP_MEMBER + 1];
extern const struct nla_policy cohort_group_del_nl_policy[COHORT_A_GROUP_REMOVE_ELEMENTS + 1];
extern const struct nla_policy cohort_group_add_nl_policy[COHORT_A_GROUP_MEMBER + 1];
extern const struct nla_policy cohort_group_remove_nl_policy[COHORT_A_GROUP_MEMBER + 1];
extern const struct nla_policy cohort_relationship_get_nl_policy[COHORT_A_RELATIONSHIP_NAME + 1];
extern const struct nla_policy cohort_group_replica_new_nl_policy[COHORT_A_RELATIONSHIP_TARGET + 1];
extern const struct nla_policy
cohort_relationship_modify_nl_policy[COHORT_A_RELATIONSHIP_FORCE + 1];
extern const struct nla_policy cohort_job_get_nl_policy[COHORT_A_JOB_ID + 1];
extern const struct nla_policy cohort_extent_get_nl_policy[COHORT_A_EXTENT_OFFSET + 1];
extern const struct nla_policy cohort_gate_close_nl_policy[COHORT_A_GATE_LEASE + 1];
extern const struct nla_policy cohort_gate_open_nl_policy[COHORT_A_GATE_ID + 1];
extern const struct nla_policy cohort_job_modify_nl_policy[COHORT_A_JOB_REQUEST + 1];

int cohort_nl_module_get_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_pool_get_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_pool_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int cohort_nl_pool_extend_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_pool_scrub_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_source_get_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_source_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int cohort_nl_source_attach_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_source_detach_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_source_remove_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_group_get_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_group_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int cohort_nl_group_new_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_group_del_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_group_add_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_group_remove_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_relationship_get_doit(struct sk_buff *skb,
				    struct genl_info *info);
int cohort_nl_relationship_get_dumpit(struct sk_buff *skb,
				      struct netlink_callback *cb);
int cohort_nl_group_replica_new_doit(struct sk_buff *skb,
				     struct genl_info *info);
int cohort_nl_relationship_modify_doit(struct sk_buff *skb,
				       struct genl_info *info);
int cohort_nl_job_get_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_job_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int cohort_nl_extent_get_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_gate_close_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_gate_open_doit(struct sk_buff *skb, struct genl_info *info);
int cohort_nl_job_modify_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	COHORT_NLGRP_EVENTS,
};

extern struct genl_family cohort_nl_family;

#endif /* _LINUX_COHORT_GEN_H */
