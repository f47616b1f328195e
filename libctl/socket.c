// SPDX-License-Identifier: LGPL-2.1-or-later
/* socket.c - talks to the module: one exchange at a time, extack, events */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "private.h"

/* The module never lets a request wait for I/O: longer than this is a defect. */
#define ANSWER_SECONDS 60

struct exchange {
	struct cohort *ctx;
	const struct nlmsghdr *request;
	int cmd;
	bool dump;
	reply_fn fn;
	void *data;
	bool done;
	bool answered;		/* with a message of the module's own */
	bool interrupted;
	bool worded;		/* the kernel gave words */
	int err;		/* errno, 0 if it went well */
	char message[512];
	char attribute[128];
};

/* libnl has errors of its own; what matters here is which of ours they are. */
static int errno_of(int nlerr)
{
	switch (nlerr < 0 ? -nlerr : nlerr) {
	case NLE_NOMEM:
		return ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return EPERM;
	case NLE_OBJ_NOTFOUND:
		return ENOENT;
	case NLE_MSGSIZE:
		return EMSGSIZE;
	}
	return EIO;
}

/* A whole datagram from the kernel, whatever its size; -errno. */
static ssize_t receive(int fd, int flags, char **buf)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	ssize_t len = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | flags);

	*buf = NULL;
	if (len < 0)
		return -errno;
	*buf = malloc((size_t)len + 1);
	if (!*buf)
		return -ENOMEM;
	len = recvfrom(fd, *buf, (size_t)len, flags, (struct sockaddr *)&from, &from_len);
	if (len < 0)
		len = -errno;
	else if (from.nl_pid)
		len = 0;	/* another process: anyone may write to a netlink port */
	return len;
}

static void take_extack(struct exchange *x, const struct nlattr *attr, int len)
{
	uint32_t offset = 0, missing = 0;

	for (; nla_ok(attr, len); attr = nla_next(attr, &len)) {
		if (nla_type(attr) == NLMSGERR_ATTR_MSG && nla_len(attr) > 0) {
			snprintf(x->message, sizeof(x->message), "%.*s", nla_len(attr),
				 (const char *)nla_data(attr));
			x->worded = x->message[0] != '\0';
		} else if (nla_type(attr) == NLMSGERR_ATTR_OFFS && nla_len(attr) >= 4) {
			offset = nla_get_u32(attr);
		} else if (nla_type(attr) == NLMSGERR_ATTR_MISS_TYPE && nla_len(attr) >= 4) {
			missing = nla_get_u32(attr);
		}
	}
	if (offset || missing)
		request_attribute_name(x->request, x->cmd, offset, missing, x->attribute,
				       sizeof(x->attribute));
}

/* The error and its TLVs behind @fixed bytes of payload. */
static void take_end(struct exchange *x, const struct nlmsghdr *hdr, int err, int fixed)
{
	x->done = true;
	if (err < 0)
		x->err = -err;
	if ((hdr->nlmsg_flags & NLM_F_ACK_TLVS) && nlmsg_datalen(hdr) > fixed)
		take_extack(x, (const struct nlattr *)((const char *)nlmsg_data(hdr) +
						       NLMSG_ALIGN(fixed)),
			    nlmsg_datalen(hdr) - (int)NLMSG_ALIGN(fixed));
}

static void take_error(struct exchange *x, const struct nlmsghdr *hdr)
{
	const struct nlmsgerr *e = nlmsg_data(hdr);
	int fixed = sizeof(*e);

	if (nlmsg_datalen(hdr) < (int)sizeof(*e))
		return;
	/* an old kernel echoes the whole request between error and words */
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED))
		fixed += (int)e->msg.nlmsg_len - (int)sizeof(e->msg);
	take_end(x, hdr, e->error, fixed);
}

static void take_message(struct exchange *x, struct nlmsghdr *hdr)
{
	const struct genlmsghdr *g = nlmsg_data(hdr);
	int ret;

	if (hdr->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	if (hdr->nlmsg_type == NLMSG_ERROR) {
		take_error(x, hdr);
	} else if (hdr->nlmsg_type == NLMSG_DONE) {
		const int err = nlmsg_datalen(hdr) >= 4 ? *(int *)nlmsg_data(hdr) : 0;

		take_end(x, hdr, err, sizeof(int));
	} else if (hdr->nlmsg_type == x->ctx->family && genlmsg_valid_hdr(hdr, 0)) {
		x->answered = true;
		ret = x->fn ? x->fn(g->cmd, genlmsg_attrdata(g, 0), genlmsg_attrlen(g, 0),
				    x->data) : 0;
		if (ret && !x->err)
			x->err = -ret;
	}
}

static void take_datagram(struct exchange *x, char *buf, int len)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)buf;

	for (; nlmsg_ok(hdr, len); hdr = nlmsg_next(hdr, &len))
		if (hdr->nlmsg_seq == x->request->nlmsg_seq)
			take_message(x, hdr);
}

/*
 * No more comes. Where the kernel had no memory for a datagram, it was the last
 * one of an answer: the module makes its reply before it does anything.
 */
static void take_silence(struct exchange *x, int err, bool lost)
{
	if (lost && x->answered && !x->dump)
		x->done = true;
	else if (lost)
		x->err = ENOBUFS;
	else
		x->err = err == EAGAIN ? ETIMEDOUT : err;
}

/* One request and its whole answer; words of an error are in @x. */
static void converse(struct exchange *x, struct request *r)
{
	struct nl_sock *sock = x->ctx->sock;
	bool lost = false;
	int ret;

	nlmsg_hdr(r->msg)->nlmsg_type = (uint16_t)x->ctx->family;
	nlmsg_hdr(r->msg)->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | (x->dump ? NLM_F_DUMP : 0);
	nlmsg_hdr(r->msg)->nlmsg_seq = nl_socket_use_seq(sock);
	x->request = nlmsg_hdr(r->msg);
	ret = nl_send_auto(sock, r->msg);
	if (ret < 0) {
		x->err = errno_of(ret);
		return;
	}
	while (!x->done) {
		char *buf;
		ssize_t len = receive(nl_socket_get_fd(sock), lost ? MSG_DONTWAIT : 0, &buf);

		if (len > 0)
			take_datagram(x, buf, (int)len);
		free(buf);
		if (len == -ENOBUFS)
			lost = true;
		else if (len < 0 && len != -EINTR)
			return take_silence(x, (int)-len, lost);
	}
}

static int words(struct exchange *x)
{
	if (x->worded)
		return fail_errno(x->ctx, x->err, x->attribute, "%s", x->message);
	if (x->err == EPERM)
		return fail_errno(x->ctx, EPERM, NULL, "not permitted: CAP_SYS_ADMIN is needed");
	if (x->err == ENOMEM || x->err == ENOBUFS)
		return fail_memory(x->ctx);
	if (x->err == ETIMEDOUT)
		return fail_errno(x->ctx, ETIMEDOUT, NULL, "the module dm-cohort does not answer");
	return fail_errno(x->ctx, x->err, x->attribute, "the module refused the request: %s",
			  strerror(x->err));
}

static int exchange_locked(struct cohort *ctx, struct request *r, bool dump, reply_fn fn,
			   void *data, bool *stale)
{
	struct exchange x = { .ctx = ctx, .cmd = r->cmd, .dump = dump, .fn = fn, .data = data };

	converse(&x, r);
	/* an id that nobody has any more: the module was loaded anew */
	*stale = x.err == ENOENT && !x.worded;
	if (x.err)
		return words(&x);
	return x.interrupted ? COHORT_RESULT_JOB_STARTED : 0;
}

static int setup(struct nl_sock *sock)
{
	const int on = 1, fd = nl_socket_get_fd(sock);
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS };

	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return errno;
	/* the largest request names COHORT_MEMBERS_MAX members */
	return nl_socket_set_buffer_size(sock, 1 << 20, 1 << 19) < 0 ? ENOBUFS : 0;
}

static int resolve(struct cohort *ctx, struct nl_sock *sock)
{
	int id = genl_ctrl_resolve(sock, COHORT_FAMILY_NAME);

	if (id < 0 && errno_of(id) == ENOENT)
		return fail(ctx, COHORT_RESULT_FAILED, ENOENT, NULL,
			    "the module dm-cohort is not loaded (try: modprobe dm-cohort)");
	if (id < 0)
		return fail(ctx, COHORT_RESULT_FAILED, errno_of(id), NULL,
			    "cannot find the module dm-cohort: %s", nl_geterror(id));
	ctx->family = id;
	ctx->events_group = genl_ctrl_resolve_grp(sock, COHORT_FAMILY_NAME, COHORT_MCGRP_EVENTS);
	return 0;
}

static int take_module(int cmd, const struct nlattr *attrs, int len, void *data)
{
	bool complete;

	(void)cmd;
	object_free(OBJECT_MODULE, *(void **)data);
	*(void **)data = object_parse(OBJECT_MODULE, attrs, len, &complete);
	return *(void **)data ? 0 : -ENOMEM;
}

static int compare_abi(struct cohort *ctx, const struct cohort_module *m)
{
	const uint32_t abi = m ? m->abi : 0;

	if (abi == COHORT_ABI_VERSION)
		return 0;
	return fail(ctx, COHORT_RESULT_NOT_SUPPORTED, EPROTO, NULL,
		    "the module dm-cohort %s (ABI %u) is %s than libcohort %s (ABI %u)",
		    m && m->version ? m->version : "?", abi,
		    abi < COHORT_ABI_VERSION ? "older" : "newer", cohort_version(),
		    COHORT_ABI_VERSION);
}

static int check_abi(struct cohort *ctx)
{
	struct cohort_module *module = NULL;
	struct request r;
	bool stale;
	int ret;

	request_new(&r, COHORT_CMD_MODULE_GET, 0);
	if (!r.msg)
		return fail_memory(ctx);
	ret = exchange_locked(ctx, &r, false, take_module, &module, &stale);
	request_free(&r);
	if (!ret)
		ret = compare_abi(ctx, module);
	object_free(OBJECT_MODULE, module);
	return ret;
}

/* Reaches the module unless that was done. Caller holds ctx->lock. */
static int ensure(struct cohort *ctx)
{
	struct nl_sock *sock;
	int ret, err;

	if (ctx->sock)
		return 0;
	sock = nl_socket_alloc();
	if (!sock)
		return fail_memory(ctx);
	ret = genl_connect(sock);
	if (ret < 0)
		ret = fail(ctx, COHORT_RESULT_FAILED, errno_of(ret), NULL,
			   "cannot open a netlink socket: %s", nl_geterror(ret));
	if (!ret)
		ret = resolve(ctx, sock);
	err = ret ? 0 : setup(sock);
	if (err)
		ret = fail_errno(ctx, err, NULL, "cannot set up a netlink socket: %s",
				 strerror(err));
	ctx->sock = sock;
	if (!ret)
		ret = check_abi(ctx);
	if (ret) {
		nl_socket_free(sock);
		ctx->sock = NULL;
	}
	return ret;
}

/* Drops the socket if the family has another id by now. Caller holds ctx->lock. */
static bool renewed(struct cohort *ctx)
{
	const int old = ctx->family;

	nl_socket_free(ctx->sock);
	ctx->sock = NULL;
	return !ensure(ctx) && ctx->family != old;
}

int exchange(struct cohort *ctx, struct request *r, bool dump, reply_fn fn, void *data)
{
	bool stale = false;
	int ret;

	if (!r->msg || r->err) {
		request_free(r);
		return fail_memory(ctx);
	}
	pthread_mutex_lock(&ctx->lock);
	ret = ensure(ctx);
	if (!ret)
		ret = exchange_locked(ctx, r, dump, fn, data, &stale);
	if (stale) {
		struct cohort_error e;

		cohort_get_error(ctx, &e);
		if (renewed(ctx))
			ret = exchange_locked(ctx, r, dump, fn, data, &stale);
		else
			fail_again(ctx, &e);
	}
	pthread_mutex_unlock(&ctx->lock);
	request_free(r);
	return ret;
}

EXPORT int cohort_open(struct cohort *ctx)
{
	int ret;

	pthread_mutex_lock(&ctx->lock);
	ret = ensure(ctx);
	pthread_mutex_unlock(&ctx->lock);
	return ret;
}

static int join(struct cohort *ctx, struct nl_sock *sock)
{
	int ret = genl_connect(sock);

	if (ret < 0)
		return fail(ctx, COHORT_RESULT_FAILED, errno_of(ret), NULL,
			    "cannot open a netlink socket: %s", nl_geterror(ret));
	nl_socket_disable_seq_check(sock);
	/* events are not repeated; as root this goes beyond the sysctl's limit */
	if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 4 << 20 },
		       sizeof(int)))
		nl_socket_set_buffer_size(sock, 1 << 20, 0);
	nl_socket_set_nonblocking(sock);
	ret = nl_socket_add_membership(sock, ctx->events_group);
	if (ret < 0)
		return fail(ctx, COHORT_RESULT_FAILED, errno_of(ret), NULL,
			    "cannot listen to the events of dm-cohort: %s", nl_geterror(ret));
	return 0;
}

struct nl_sock *events_socket(struct cohort *ctx)
{
	struct nl_sock *sock;

	if (cohort_open(ctx))
		return NULL;
	sock = nl_socket_alloc();
	if (!sock) {
		fail_memory(ctx);
		return NULL;
	}
	if (join(ctx, sock)) {
		nl_socket_free(sock);
		return NULL;
	}
	return sock;
}

int events_receive(struct nl_sock *sock, reply_fn fn, void *data)
{
	struct nlmsghdr *hdr;
	char *buf;
	ssize_t len = receive(nl_socket_get_fd(sock), MSG_DONTWAIT, &buf);
	int left = (int)len, ret = len < 0 ? (int)len : 0;

	hdr = (struct nlmsghdr *)buf;
	for (; !ret && len > 0 && nlmsg_ok(hdr, left); hdr = nlmsg_next(hdr, &left)) {
		const struct genlmsghdr *g = nlmsg_data(hdr);

		if (hdr->nlmsg_type >= NLMSG_MIN_TYPE && genlmsg_valid_hdr(hdr, 0))
			ret = fn(g->cmd, genlmsg_attrdata(g, 0), genlmsg_attrlen(g, 0), data);
	}
	free(buf);
	return ret;
}
