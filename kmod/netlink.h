/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * netlink.h - the generic netlink family "cohort" of <uapi/linux/cohort.h>.
 *
 * netlink.c has the family and who may use it, netlink-get.c answers
 * questions, netlink-diff.c the one about two cuts, netlink-do.c takes
 * requests that change something, netlink-gate.c those about gates, netlink-put.c
 * writes objects into messages, also for notify.c. What an operation takes and answers is said in
 * include/spec/cohort.yaml.
 */
#ifndef COHORT_NETLINK_H
#define COHORT_NETLINK_H

#include "netlink-gen.h"
#include "defs.h"

int cohort_netlink_init(void);
void cohort_netlink_exit(void);		/* waits for requests that run */
/* Listens to sockets that close; around the family's own, and paired. */
int cohort_nl_gate_init(void);
void cohort_nl_gate_exit(void);

/* First thing a dump does: may the asker see it, and is it asked for as the spec says. */
int cohort_nl_dump_start(struct netlink_callback *cb);

/* --- refusals: all return their errno, 0 is none; netlink.c --- */

/* -EPERM with words unless both sender and opener of the socket have CAP_SYS_ADMIN. */
int cohort_nl_check_caller(struct sk_buff *skb, struct netlink_ext_ack *extack);

/* @bad, the attribute they are about, may be NULL. The words are copied. */
int cohort_nl_refuse(struct netlink_ext_ack *extack, int err, const struct nlattr *bad,
		     const char *words);
/* -EINVAL with words unless the request has the attribute, which people call @what. */
int cohort_nl_require(struct genl_info *info, u32 attr, const char *what);

/* --- objects in messages; caller holds cohort_lock; netlink-put.c --- */

/* Largest event: a listener's buffer is small, and members can be asked for. */
#define COHORT_NL_EVENT_MAX	16384

struct cohort_nl_kind {
	u8 get;				/* command of an answer */
	u8 ntf;				/* command of an event */
	u16 name;			/* attribute that says which object */
	/* Bytes a message about the object takes at most. */
	size_t (*size)(const void *object);
	/* Writes all attributes, @members: also its list. -EMSGSIZE. */
	int (*put)(struct sk_buff *skb, const void *object, bool members);
	/* Writes only the attribute that says which object. */
	int (*put_name)(struct sk_buff *skb, const void *object);
};

extern const struct cohort_nl_kind cohort_nl_pool;
extern const struct cohort_nl_kind cohort_nl_source;
extern const struct cohort_nl_kind cohort_nl_group;
extern const struct cohort_nl_kind cohort_nl_rel;
extern const struct cohort_nl_kind cohort_nl_job;

int cohort_nl_put_u64(struct sk_buff *skb, int attr, u64 value);

#endif
