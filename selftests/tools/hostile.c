// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile: sends the module what no sane program would, and wants each refused with words.
 *
 *	hostile CALLER COUNT SEED
 *
 * CALLER is who sends: root, user, userns (root of a user namespace), netns
 * (root in another network namespace) or netadmin (CAP_NET_ADMIN alone). Root
 * sends each operation with each attribute wrong in each way, then messages
 * with anything wrong until there were COUNT; all others a sample of both.
 * Every one must be answered. Root is told why one was refused; all others get
 * nothing ever: EPERM for whatever is well-formed, and in another namespace
 * there is no such family.
 *
 * What root's messages make of names x... is taken away again.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cohort/cohort.h>

#include "hostile.h"

#define ANSWER_SECONDS 30
#define NOBODY 65534
/* Objects of the module that may gather before they are taken away. */
#define TIDY_EVERY 500

struct answer {
	bool ended;
	bool worded;
	int err;
};

static __u16 family;
static int sock;
static __u64 refused;

/* ---- who sends ---- */

static void be_root(void)
{
}

static void be_user(void)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		die("cannot become a user: %s", strerror(errno));
}

static void be_root_of_user_namespace(void)
{
	be_user();
	if (unshare(CLONE_NEWUSER))
		die("no user namespace: %s", strerror(errno));
}

static void enter_network_namespace(void)
{
	if (unshare(CLONE_NEWNET))
		die("no network namespace: %s", strerror(errno));
}

static void keep_net_admin(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { };

	caps[0].effective = 1 << CAP_NET_ADMIN;
	caps[0].permitted = 1 << CAP_NET_ADMIN;
	if (syscall(SYS_capset, &head, caps))
		die("cannot drop capabilities: %s", strerror(errno));
}

static const struct caller {
	const char *name;
	void (*become)(void);
	int refusal;		/* of what is well-formed; 0: it may be done */
} callers[] = {
	{ "root", be_root, 0 },
	{ "user", be_user, EPERM },
	{ "userns", be_root_of_user_namespace, EPERM },
	{ "netns", enter_network_namespace, ENOENT },
	{ "netadmin", keep_net_admin, EPERM },
};

static const struct caller *find_caller(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(callers); i++)
		if (!strcmp(name, callers[i].name))
			return &callers[i];
	die("%s: no such caller", name);
}

/* ---- asking ---- */

static void find_family(void)
{
	struct nl_sock *nl = nl_socket_alloc();
	int id;

	if (!nl || genl_connect(nl))
		die("no netlink socket");
	id = genl_ctrl_resolve(nl, COHORT_FAMILY_NAME);
	if (id < 0)
		die("no module");
	family = id;
	nl_socket_free(nl);
}

static void open_socket(void)
{
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	const int on = 1, room = 1 << 20;

	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (sock < 0 || setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) ||
	    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		die("no netlink socket: %s", strerror(errno));
}

/* Words, of the attributes behind @fixed bytes. */
static bool has_words(const struct nlmsghdr *hdr, size_t fixed)
{
	const char *at = (const char *)NLMSG_DATA(hdr) + NLMSG_ALIGN(fixed);
	const char *end = (const char *)hdr + hdr->nlmsg_len;

	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS))
		return false;
	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *nla = (const struct nlattr *)at;

		if (nla->nla_len < NLA_HDRLEN || at + nla->nla_len > end)
			return false;
		if (nla->nla_type == NLMSGERR_ATTR_MSG && nla->nla_len > NLA_HDRLEN + 1)
			return true;
		at += NLA_ALIGN(nla->nla_len);
	}
	return false;
}

static void take(struct answer *answer, const struct nlmsghdr *hdr)
{
	const int *err = NLMSG_DATA(hdr);
	const bool done = hdr->nlmsg_type == NLMSG_DONE;

	if (hdr->nlmsg_type != NLMSG_ERROR && !done)
		return;
	answer->ended = true;
	answer->err = -*err;
	answer->worded = has_words(hdr, done ? sizeof(int) : sizeof(struct nlmsgerr));
}

static void ask(struct message *m, struct answer *answer)
{
	static char buf[1 << 20];
	static __u32 seq;

	m->hdr.nlmsg_type = family;
	m->hdr.nlmsg_seq = ++seq;
	memset(answer, 0, sizeof(*answer));
	if (send(sock, m->bytes, m->hdr.nlmsg_len, 0) != (ssize_t)m->hdr.nlmsg_len)
		die("cannot send: %s", strerror(errno));
	while (!answer->ended) {
		int len = recv(sock, buf, sizeof(buf), 0);
		struct nlmsghdr *hdr = (struct nlmsghdr *)buf;

		if (len < 0)
			die("%s, %s: %s: no answer: %s", m->op, m->attr, m->what, strerror(errno));
		for (; NLMSG_OK(hdr, len); hdr = NLMSG_NEXT(hdr, len))
			if (hdr->nlmsg_seq == seq)
				take(answer, hdr);
	}
}

/* ---- judging ---- */

/* What the kernel itself says of a message that breaks the rules of its form. */
static bool is_malformed(int err)
{
	return err == EINVAL || err == ERANGE || err == EOPNOTSUPP || err == EMSGSIZE;
}

static void judge(const struct caller *caller, const struct message *m,
		  const struct answer *answer)
{
	const int err = answer->err;

	refused += !!err;
	if (!caller->refusal) {
		/* the kernel has none for an operation that does not exist */
		if (err && !answer->worded && err != EOPNOTSUPP)
			die("%s, %s: %s: refused with %d and no words", m->op, m->attr, m->what,
			    err);
	} else if (!err) {
		die("%s, %s: %s: done for %s", m->op, m->attr, m->what, caller->name);
	} else if (err != caller->refusal && (m->sane || !is_malformed(err))) {
		die("%s, %s: %s: %d for %s", m->op, m->attr, m->what, err, caller->name);
	}
}

/* ---- tidying up ---- */

static bool foreign(const char *name)
{
	return strncmp(name, "m1", 3) && strncmp(name, "m2", 3) && strcmp(name, "kept");
}

static void tidy_relationships(struct cohort *ctx)
{
	struct cohort_relationship *list = NULL, *rel;
	struct cohort_modify_request request;

	if (cohort_relationship_list(ctx, &list))
		die("no list of relationships");
	for (rel = list; rel; rel = rel->next) {
		cohort_modify_request_init(&request);
		request.operation = COHORT_OPERATION_RETURN_TO_POOL;
		request.synchronization = rel->name;
		if (foreign(rel->name) &&
		    cohort_modify_replica_synchronization(ctx, &request, NULL))
			say("%s can not be deleted", rel->name);
	}
	cohort_relationship_free(list);
}

static void tidy_groups(struct cohort *ctx)
{
	struct cohort_group *list = NULL, *group;

	if (cohort_group_list(ctx, &list))
		die("no list of groups");
	for (group = list; group; group = group->next)
		if (!group->relationships)
			cohort_delete_group(ctx, group->name, true, COHORT_WAIT_FOREVER, NULL);
	cohort_group_free(list);
}

static void tidy_sources(struct cohort *ctx)
{
	struct cohort_source *list = NULL, *source;

	if (cohort_source_list(ctx, &list))
		die("no list of sources");
	for (source = list; source; source = source->next) {
		if (!foreign(source->name))
			continue;
		cohort_detach(ctx, source->name, COHORT_WAIT_FOREVER, NULL);
		if (cohort_source_remove(ctx, source->name, COHORT_WAIT_FOREVER, NULL))
			say("source %s can not be removed", source->name);
	}
	cohort_source_free(list);
}

static void tidy(struct cohort *ctx)
{
	tidy_relationships(ctx);
	tidy_groups(ctx);
	tidy_sources(ctx);
}

static void make(struct message *m, const struct caller *caller, __u64 n, struct rng *rng)
{
	if (caller->refusal && n % 2)
		n = rng_below(rng, hostile_count());
	else if (caller->refusal)
		n = hostile_count();
	if (n < hostile_count())
		hostile_systematic(m, n);
	else
		hostile_random(m, rng);
}

int main(int argc, char **argv)
{
	static struct message m;
	const struct caller *caller;
	struct cohort *ctx;
	struct answer answer;
	struct rng rng;
	__u64 count;

	tool = "hostile";
	if (argc != 4)
		die("usage: hostile CALLER COUNT SEED");
	caller = find_caller(argv[1]);
	count = parse_number("COUNT", argv[2]);
	rng.state = parse_number("SEED", argv[3]);
	ctx = cohort_new();
	find_family();
	caller->become();
	open_socket();
	for (__u64 n = 0; n < count; n++) {
		make(&m, caller, n, &rng);
		ask(&m, &answer);
		judge(caller, &m, &answer);
		if (!caller->refusal && n % TIDY_EVERY == TIDY_EVERY - 1)
			tidy(ctx);
	}
	if (!caller->refusal)
		tidy(ctx);
	printf("hostile: %s: %llu messages, %llu refused\n", caller->name, count, refused);
	printf("figure: bad-messages %llu\n", count);
	cohort_unref(ctx);
	return 0;
}
