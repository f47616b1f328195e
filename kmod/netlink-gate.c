// SPDX-License-Identifier: GPL-2.0-only
/* netlink-gate.c - closes and opens gates for callers, and opens those of callers that are gone. */
#include <linux/notifier.h>
#include "compat.h"
#include "gate.h"
#include "netlink.h"
#include "registry.h"

static struct sk_buff *begin_answer(struct genl_info *info, u8 cmd, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	*hdr = skb ? genlmsg_put_reply(skb, info, &cohort_nl_family, 0, cmd) : NULL;
	if (*hdr)
		return skb;
	nlmsg_free(skb);
	return ERR_PTR(cohort_nl_refuse(info->extack, -ENOMEM, NULL, "out of memory"));
}

static int end_answer(struct sk_buff *skb, void *hdr, struct genl_info *info)
{
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int close_gate(struct genl_info *info, u32 *id)
{
	struct nlattr *group = info->attrs[COHORT_A_GATE_GROUP];
	struct cohort_words words;
	int err;

	mutex_lock(&cohort_lock);
	err = cohort_gate_close(nla_data(group), nla_get_u32(info->attrs[COHORT_A_GATE_LEASE]),
				info->snd_portid, id, &words);
	mutex_unlock(&cohort_lock);
	return err ? cohort_nl_refuse(info->extack, err, group, words.text) : 0;
}

int cohort_nl_gate_close_doit(struct sk_buff *request, struct genl_info *info)
{
	int err = cohort_nl_require(info, COHORT_A_GATE_GROUP, "the name of the group");
	struct cohort_words words;
	struct sk_buff *skb;
	u64 held_ns;
	void *hdr;
	u32 id;

	if (!err)
		err = cohort_nl_require(info, COHORT_A_GATE_LEASE, "the lease");
	if (err)
		return err;
	skb = begin_answer(info, COHORT_CMD_GATE_CLOSE, &hdr);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	err = close_gate(info, &id);
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	/* made with room for it */
	nla_put_u32(skb, COHORT_A_GATE_ID, id);
	err = end_answer(skb, hdr, info);
	/* nobody knows of it */
	if (err)
		cohort_gate_open(id, info->snd_portid, &held_ns, &words);
	return err;
}

int cohort_nl_gate_open_doit(struct sk_buff *request, struct genl_info *info)
{
	int err = cohort_nl_require(info, COHORT_A_GATE_ID, "the gate");
	struct cohort_words words;
	struct sk_buff *skb;
	u64 held_ns;
	void *hdr;
	u32 id;

	if (err)
		return err;
	skb = begin_answer(info, COHORT_CMD_GATE_OPEN, &hdr);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	id = nla_get_u32(info->attrs[COHORT_A_GATE_ID]);
	err = cohort_gate_open(id, info->snd_portid, &held_ns, &words);
	if (err) {
		nlmsg_free(skb);
		return cohort_nl_refuse(info->extack, err, info->attrs[COHORT_A_GATE_ID],
					words.text);
	}
	nla_put_u32(skb, COHORT_A_GATE_ID, id);
	cohort_nl_put_u64(skb, COHORT_A_GATE_HELD, held_ns);
	return end_answer(skb, hdr, info);
}

/* Whatever became of the caller, its socket is closed in the end. */
static int socket_released(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct netlink_notify *socket = data;

	if (action == NETLINK_URELEASE && socket->protocol == NETLINK_GENERIC &&
	    net_eq(socket->net, &init_net))
		cohort_gate_owner_gone(socket->portid);
	return NOTIFY_DONE;
}

static struct notifier_block sockets = { .notifier_call = socket_released };

int cohort_nl_gate_init(void)
{
	return netlink_register_notifier(&sockets);
}

void cohort_nl_gate_exit(void)
{
	netlink_unregister_notifier(&sockets);
	cohort_gate_exit();
}
