// SPDX-License-Identifier: GPL-2.0-only
/* netlink.c - the generic netlink family: who may use it, and how it refuses. */
#include <linux/capability.h>
#include "compat.h"
#include "netlink.h"

/*
 * Netlink keeps a pointer to the words and copies them when the handler has
 * returned, and its own buffer is too short for a name of 127 bytes. So the
 * words of the last refusals are kept; that many requests are never under way.
 */
#define KEPT_WORDS	64

static const char *keep_words(const char *words)
{
	static char kept[KEPT_WORDS][sizeof_field(struct cohort_words, text)];
	static atomic_t next = ATOMIC_INIT(0);
	char *slot = kept[(unsigned int)atomic_inc_return(&next) % KEPT_WORDS];

	strscpy(slot, words, sizeof(kept[0]));
	return slot;
}

int cohort_nl_refuse(struct netlink_ext_ack *extack, int err, const struct nlattr *bad,
		     const char *words)
{
	if (!extack)
		return err;
	extack->_msg = keep_words(words);
	if (bad)
		NL_SET_BAD_ATTR(extack, bad);
	return err;
}

int cohort_nl_require(struct genl_info *info, u32 attr, const char *what)
{
	struct cohort_words words;

	if (info->attrs[attr])
		return 0;
	cohort_refuse(&words, -EINVAL, "%s is missing", what);
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, attr);
	return cohort_nl_refuse(info->extack, -EINVAL, NULL, words.text);
}

int cohort_nl_check_caller(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	/* both who opened the socket and who sends; a container's root is not enough */
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	return cohort_nl_refuse(extack, -EPERM, NULL, "CAP_SYS_ADMIN is needed");
}

static int pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb, struct genl_info *info)
{
	return cohort_nl_check_caller(skb, info->extack);
}

#define OP_DO(_cmd, _name, _max) {					\
	.cmd = COHORT_CMD_##_cmd,					\
	.doit = cohort_nl_##_name##_doit,				\
	.policy = cohort_##_name##_nl_policy,				\
	.maxattr = COHORT_A_##_max,					\
}

#define OP_GET(_cmd, _name, _max) {					\
	.cmd = COHORT_CMD_##_cmd,					\
	.doit = cohort_nl_##_name##_doit,				\
	.start = cohort_nl_dump_start,					\
	.dumpit = cohort_nl_##_name##_dumpit,				\
	.policy = cohort_##_name##_nl_policy,				\
	.maxattr = COHORT_A_##_max,					\
}

static const struct genl_ops ops[] = {
	/* takes no attributes, which the core checks */
	{ .cmd = COHORT_CMD_MODULE_GET, .doit = cohort_nl_module_get_doit },
	OP_GET(POOL_GET, pool_get, POOL_NAME),
	OP_DO(POOL_EXTEND, pool_extend, POOL_NAME),
	OP_DO(POOL_SCRUB, pool_scrub, POOL_NAME),
	OP_GET(SOURCE_GET, source_get, SOURCE_NAME),
	OP_DO(SOURCE_ATTACH, source_attach, SOURCE_FORCE),
	OP_DO(SOURCE_DETACH, source_detach, SOURCE_FINGERPRINT),
	OP_DO(SOURCE_REMOVE, source_remove, SOURCE_NAME),
	OP_GET(GROUP_GET, group_get, GROUP_NAME),
	OP_DO(GROUP_NEW, group_new, GROUP_MEMBER),
	OP_DO(GROUP_DEL, group_del, GROUP_REMOVE_ELEMENTS),
	OP_DO(GROUP_ADD, group_add, GROUP_MEMBER),
	OP_DO(GROUP_REMOVE, group_remove, GROUP_MEMBER),
	OP_GET(RELATIONSHIP_GET, relationship_get, RELATIONSHIP_NAME),
	OP_DO(GROUP_REPLICA_NEW, group_replica_new, RELATIONSHIP_TARGET),
	OP_DO(RELATIONSHIP_MODIFY, relationship_modify, RELATIONSHIP_FORCE),
	OP_GET(JOB_GET, job_get, JOB_ID),
	OP_DO(EXTENT_GET, extent_get, EXTENT_OFFSET),
	OP_DO(GATE_CLOSE, gate_close, GATE_LEASE),
	OP_DO(GATE_OPEN, gate_open, GATE_ID),
	OP_DO(JOB_MODIFY, job_modify, JOB_REQUEST),
};

/* Events name devices: not for everybody to hear. */
static const struct genl_multicast_group groups[] = {
	[COHORT_NLGRP_EVENTS] = { COHORT_MCGRP_EVENTS, GENL_MCAST_CAP_SYS_ADMIN },
};

/*
 * Devices belong to no network namespace: the family is seen in the first one
 * only. resv_start_op stays 0, so every operation is validated strictly.
 */
struct genl_family cohort_nl_family __ro_after_init = {
	.name = COHORT_FAMILY_NAME,
	.version = COHORT_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = false,
	.parallel_ops = true,
	.pre_doit = pre_doit,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int cohort_netlink_init(void)
{
	int err = cohort_nl_gate_init();

	if (err)
		return err;
	err = genl_register_family(&cohort_nl_family);
	if (err)
		cohort_nl_gate_exit();
	return err;
}

void cohort_netlink_exit(void)
{
	genl_unregister_family(&cohort_nl_family);
	cohort_nl_gate_exit();
}
