// SPDX-License-Identifier: LGPL-2.1-or-later
/* gate.c - holds the writes of a group while somebody else takes images of it */
#include <errno.h>

#include "private.h"

/* What an answer may say. */
struct answer {
	uint32_t id;
	uint64_t held;
};

static int take(int cmd, const struct nlattr *attrs, int len, void *data)
{
	const struct nlattr *attr = attrs;
	struct answer *answer = data;

	(void)cmd;
	for (; nla_ok(attr, len); attr = nla_next(attr, &len))
		if (nla_type(attr) == COHORT_A_GATE_ID && nla_len(attr) == sizeof(uint32_t))
			answer->id = nla_get_u32(attr);
		else if (nla_type(attr) == COHORT_A_GATE_HELD && nla_len(attr) == sizeof(uint64_t))
			answer->held = nla_get_u64(attr);
	return 0;
}

/* It was closed, and then there was no memory to say so: as if it had not been. */
static int open_again(struct cohort *ctx, uint32_t gate)
{
	struct cohort_error e;

	cohort_get_error(ctx, &e);
	cohort_gate_open(ctx, gate, NULL);
	return fail_again(ctx, &e);
}

EXPORT int cohort_gate_close(struct cohort *ctx, const char *replication_group, uint32_t lease_ms,
			     uint32_t *gate)
{
	int ret = check_name(ctx, "ReplicationGroup", replication_group);
	struct answer answer = { 0 };
	struct request r;

	if (ret)
		return ret;
	if (!lease_ms || lease_ms > COHORT_LEASE_MAX)
		return fail_errno(ctx, EINVAL, "Lease", "a lease has 1 to %d milliseconds",
				  COHORT_LEASE_MAX);
	request_new(&r, COHORT_CMD_GATE_CLOSE, 0);
	request_str(&r, COHORT_A_GATE_GROUP, replication_group);
	request_u32(&r, COHORT_A_GATE_LEASE, lease_ms);
	ret = exchange(ctx, &r, false, take, &answer);
	if (ret && answer.id)
		return open_again(ctx, answer.id);
	if (!ret && !answer.id)
		ret = fail_errno(ctx, EBADMSG, NULL, "the module's answer makes no sense");
	if (!ret)
		*gate = answer.id;
	return ret;
}

EXPORT int cohort_gate_open(struct cohort *ctx, uint32_t gate, uint64_t *held_ns)
{
	struct answer answer = { 0 };
	struct request r;
	int ret;

	request_new(&r, COHORT_CMD_GATE_OPEN, 0);
	request_u32(&r, COHORT_A_GATE_ID, gate);
	ret = exchange(ctx, &r, false, take, &answer);
	if (!ret && held_ns)
		*held_ns = answer.held;
	return ret;
}
