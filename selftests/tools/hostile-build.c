// SPDX-License-Identifier: GPL-2.0-or-later
/* hostile-build.c - requests with one thing wrong in one attribute, or anything anywhere */
#include <linux/cohort.h>
#include <linux/genetlink.h>
#include <string.h>

#include "hostile.h"

enum kind { U32, U64, STRING, BINARY, NEST };

struct attr {
	const char *name;
	__u16 type;
	enum kind kind;
	__u32 least;	/* of a number, its smallest value */
	__u32 limit;	/* of a number, its largest value; else its longest length; 0: none */
};

struct op {
	const char *name;
	__u8 cmd;
	const struct attr *set;
	__u32 set_size;
	__u8 request[32];	/* indices of @set */
	__u32 count;
};

#include "hostile-spec.h"

#define FAR_TOO_LONG 60000
#define DEEP 200
#define UNKNOWN_TYPE 0x2fff

/* What can be wrong with an attribute. */
enum wrong {
	NOTHING, MISSING, TWICE, EMPTY, SHORT, LONG, HUGE_LEN, BEYOND_LIMIT, ZERO, ALL_ONES,
	NO_NUL, NUL_INSIDE, NO_TEXT, PATH, UNKNOWN, TYPE_ZERO, NESTED_FLAG, ORDER_FLAG,
	TRAILING, LEN_BEYOND_END, LEN_TOO_SMALL, DEEP_NEST, SCALAR_FOR_NEST, NEST_FOR_SCALAR,
	INNER_MISSING, INNER_LONG, INNER_UNKNOWN, INNER_TRAILING, MANY,
	WRONGS
};

static const char *const wrong_names[WRONGS] = {
	"nothing", "missing", "twice", "empty", "short", "long", "huge", "beyond its limit", "zero",
	"all ones", "no NUL", "NUL inside", "no text", "path", "unknown", "type 0", "nested flag",
	"byte order flag", "trailing bytes", "length beyond the end", "length too small",
	"deep nest", "scalar for a nest", "nest for a scalar", "inner missing", "inner long",
	"inner unknown", "inner trailing bytes", "a thousand of them",
};

/* ---- putting ---- */

static __u8 *end_of(struct message *m)
{
	return m->bytes + m->hdr.nlmsg_len;
}

/* @len: what the attribute says; @real: what is there. */
static struct nlattr *put_raw(struct message *m, __u16 type, const void *data, __u32 real,
			      __u32 len)
{
	struct nlattr *nla = (struct nlattr *)end_of(m);

	if (m->hdr.nlmsg_len + NLA_HDRLEN + NLA_ALIGN(real) > MESSAGE_MAX)
		return nla;
	nla->nla_type = type;
	nla->nla_len = len;
	memset(nla + 1, 0, NLA_ALIGN(real));
	memcpy(nla + 1, data, real);
	m->hdr.nlmsg_len += NLA_HDRLEN + NLA_ALIGN(real);
	return nla;
}

static void put(struct message *m, __u16 type, const void *data, __u32 len)
{
	put_raw(m, type, data, len, NLA_HDRLEN + len);
}

static struct nlattr *begin_nest(struct message *m, __u16 type)
{
	return put_raw(m, type | NLA_F_NESTED, "", 0, NLA_HDRLEN);
}

static void end_nest(struct message *m, struct nlattr *nest)
{
	nest->nla_len = end_of(m) - (__u8 *)nest;
}

/* ---- what a sane program would send ---- */

static const char *const names[] = { "m1", "m2", "x1", "x2", "x3", "p" };

static const char *sane_text(const struct op *op, const struct attr *attr, __u64 dice)
{
	if (!strcmp(attr->name, "pool") || !strncmp(op->name, "pool-", 5))
		return "p";
	if (!strcmp(attr->name, "name") && op->set == attrs_source)
		return names[dice % ARRAY_SIZE(names)];
	if (!strcmp(attr->name, "name") || strstr(attr->name, "-group"))
		return names[2 + dice % 3];
	if (!strcmp(attr->name, "dev"))
		return "251:7";
	return "0123-4567";
}

static __u64 sane_number(const struct attr *attr, __u64 dice)
{
	static const struct {
		const char *name;
		__u64 value;
	} values[] = {
		{ "sync-type", COHORT_SYNC_TYPE_SNAPSHOT },
		{ "mode", COHORT_MODE_SYNCHRONOUS },
		{ "consistency", COHORT_CONSISTENCY_SEQUENTIAL },
		{ "on-error", COHORT_ON_ERROR_STOP },
		{ "kind", COHORT_GROUP_KIND_SOURCE },
		{ "request", COHORT_JOB_REQUEST_START },
		{ "size", 16 << 20 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (!strcmp(attr->name, values[i].name))
			return values[i].value;
	if (!strcmp(attr->name, "wait-state"))
		return dice & 1 ? COHORT_COPY_STATE_INACTIVE : COHORT_COPY_STATE_SYNCHRONIZED;
	if (!strcmp(attr->name, "operation"))
		return 2 + dice % 26;
	return attr->least + (dice & 1);
}

static void put_member(struct message *m, __u16 type, const char *name, enum wrong wrong)
{
	static const char far_too_long[300] = { [0 ... 298] = 'y' };
	struct nlattr *nest = begin_nest(m, type);

	if (wrong == INNER_LONG)
		put(m, COHORT_A_MEMBER_NAME, far_too_long, sizeof(far_too_long));
	else if (wrong != INNER_MISSING)
		put(m, COHORT_A_MEMBER_NAME, name, strlen(name) + 1);
	if (wrong == INNER_UNKNOWN)
		put(m, UNKNOWN_TYPE, name, strlen(name) + 1);
	if (wrong == INNER_TRAILING)
		put_raw(m, COHORT_A_MEMBER_INDEX, "", 0, 2);
	end_nest(m, nest);
}

static void put_target(struct message *m, __u16 type)
{
	struct nlattr *nest = begin_nest(m, type);
	const __u64 size = 16 << 20;

	put(m, COHORT_A_TARGET_DEV, "251:7", sizeof("251:7"));
	put(m, COHORT_A_TARGET_SIZE, &size, sizeof(size));
	end_nest(m, nest);
}

static void put_sane(struct message *m, const struct op *op, const struct attr *attr, __u64 dice)
{
	const char *text = sane_text(op, attr, dice);
	__u8 binary[COHORT_FINGERPRINT_LEN] = { 7 };
	__u64 number = sane_number(attr, dice);
	__u32 number32 = number;

	switch (attr->kind) {
	case U32:
		return put(m, attr->type, &number32, sizeof(number32));
	case U64:
		return put(m, attr->type, &number, sizeof(number));
	case STRING:
		return put(m, attr->type, text, strlen(text) + 1);
	case BINARY:
		return put(m, attr->type, binary, sizeof(binary));
	case NEST:
		if (!strcmp(attr->name, "target"))
			return put_target(m, attr->type);
		put_member(m, attr->type, "m1", NOTHING);
		if (dice & 1)
			put_member(m, attr->type, "m2", NOTHING);
		return;
	}
}

/* ---- what no sane program would ---- */

static __u32 usual_len(const struct attr *attr)
{
	static const __u32 lens[] = { [U32] = 4, [U64] = 8, [STRING] = 3,
				      [BINARY] = COHORT_FINGERPRINT_LEN, [NEST] = 12 };

	return lens[attr->kind];
}

static void put_deep(struct message *m, __u16 type)
{
	struct nlattr *nest[DEEP];

	for (int i = 0; i < DEEP; i++)
		nest[i] = begin_nest(m, type);
	for (int i = DEEP; i-- > 0;)
		end_nest(m, nest[i]);
}

static void put_beyond_limit(struct message *m, const struct attr *attr)
{
	static char text[FAR_TOO_LONG];
	__u64 number = attr->limit + 1ull;

	memset(text, 'z', sizeof(text));
	if (attr->kind == U32 || attr->kind == U64)
		return put(m, attr->type, &number, usual_len(attr));
	text[attr->limit + 1] = '\0';
	put(m, attr->type, text, attr->limit + 2);
}

static void put_wrong_bytes(struct message *m, const struct attr *attr, enum wrong wrong)
{
	static const __u8 zeroes[FAR_TOO_LONG], ones[64] = { [0 ... 63] = 0xff };
	const __u32 len = usual_len(attr);

	switch (wrong) {
	case EMPTY:
		return put(m, attr->type, "", 0);
	case SHORT:
		return put(m, attr->type, "m1m2m1m2m1m2m1m2m1m2m1m2m1m2m1m2", len - 1);
	case LONG:
		return put(m, attr->type, zeroes, len + 1);
	case HUGE_LEN:
		return put(m, attr->type, zeroes, sizeof(zeroes));
	case ZERO:
		return put(m, attr->type, zeroes, len);
	case ALL_ONES:
		return put(m, attr->type, ones, len);
	case NO_NUL:
		return put(m, attr->type, "m1", 2);
	case NUL_INSIDE:
		return put(m, attr->type, "m\0001\0", 4);
	case NO_TEXT:
		return put(m, attr->type, "\xff\xfe\n\x01", 5);
	default:
		return put(m, attr->type, "../../etc/x", 12);
	}
}

static void put_wrong_shape(struct message *m, const struct attr *attr, enum wrong wrong)
{
	struct nlattr *nest;

	switch (wrong) {
	case NESTED_FLAG:
		return put(m, attr->type | NLA_F_NESTED, "m1\0", 4);
	case ORDER_FLAG:
		return put(m, attr->type | NLA_F_NET_BYTEORDER, "m1\0", 4);
	case LEN_BEYOND_END:
		put_raw(m, attr->type, "m1", 3, 0xfff0);
		return;
	case LEN_TOO_SMALL:
		put_raw(m, attr->type, "m1", 3, 2);
		return;
	case DEEP_NEST:
		return put_deep(m, attr->type);
	case SCALAR_FOR_NEST:
		return put(m, attr->type, "\1\0\0", 4);
	case NEST_FOR_SCALAR:
		nest = begin_nest(m, attr->type);
		put(m, attr->type, "m1", 3);
		return end_nest(m, nest);
	case UNKNOWN:
		return put(m, UNKNOWN_TYPE, "m1", 3);
	default:
		return put(m, 0, "m1", 3);
	}
}

static void put_wrong(struct message *m, const struct op *op, const struct attr *attr,
		      enum wrong wrong, __u64 dice)
{
	m->sane &= wrong == NOTHING;
	switch (wrong) {
	case MISSING:
		return;
	case TWICE:
		put_sane(m, op, attr, dice);
		return put_sane(m, op, attr, dice + 1);
	case BEYOND_LIMIT:
		return put_beyond_limit(m, attr);
	case TRAILING:
		put_sane(m, op, attr, dice);
		m->hdr.nlmsg_len += 3;
		return;
	case INNER_MISSING ... INNER_TRAILING:
		return put_member(m, attr->type, "m1", wrong);
	case MANY:
		for (int i = 0; i < 1100; i++)
			put_sane(m, op, attr, dice);
		return;
	case NOTHING:
		return put_sane(m, op, attr, dice);
	case EMPTY ... HUGE_LEN:
	case ZERO ... PATH:
		return put_wrong_bytes(m, attr, wrong);
	default:
		return put_wrong_shape(m, attr, wrong);
	}
}

static void begin(struct message *m, const struct op *op)
{
	struct genlmsghdr *g = NLMSG_DATA(&m->hdr);

	memset(m->bytes, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	m->hdr.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	m->hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	g->cmd = op->cmd;
	g->version = COHORT_FAMILY_VERSION;
	m->sane = true;
	m->op = op->name;
	m->attr = "-";
	m->what = wrong_names[NOTHING];
}

static const struct attr *request_attr(const struct op *op, __u32 i)
{
	return &op->set[op->request[i]];
}

__u64 hostile_count(void)
{
	__u64 count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		count += (__u64)ops[i].set_size * WRONGS;
	return count;
}

void hostile_systematic(struct message *m, __u64 n)
{
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		/* the attributes of the whole set: those that the operation does not take, too */
		const struct op *op = &ops[i];
		const __u64 all = (__u64)op->set_size * WRONGS;
		const struct attr *victim;

		if (n >= all) {
			n -= all;
			continue;
		}
		begin(m, op);
		victim = &op->set[n / WRONGS];
		m->attr = victim->name;
		m->what = wrong_names[n % WRONGS];
		for (__u32 k = 0; k < op->count; k++)
			if (request_attr(op, k) != victim)
				put_sane(m, op, request_attr(op, k), n);
		put_wrong(m, op, victim, n % WRONGS, n);
		/* what an operation does not take is wrong as such */
		m->sane &= !!memchr(op->request, n / WRONGS, op->count);
		return;
	}
}

static void flip_bytes(struct message *m, struct rng *rng)
{
	const __u32 fixed = NLMSG_HDRLEN + GENL_HDRLEN;

	if (m->hdr.nlmsg_len == fixed)
		return;
	for (__u64 i = 1 + rng_below(rng, 4); i > 0; i--)
		m->bytes[fixed + rng_below(rng, m->hdr.nlmsg_len - fixed)] ^=
			1 << rng_below(rng, 8);
}

void hostile_random(struct message *m, struct rng *rng)
{
	const struct op *op = &ops[rng_below(rng, ARRAY_SIZE(ops))];
	struct genlmsghdr *g = NLMSG_DATA(&m->hdr);

	begin(m, op);
	m->what = "anything";
	for (__u32 k = 0; k < op->count; k++)
		put_wrong(m, op, request_attr(op, k),
			  rng_below(rng, 6) ? NOTHING : rng_below(rng, MANY), rng_next(rng) >> 8);
	if (!rng_below(rng, 3))
		flip_bytes(m, rng);
	if (!rng_below(rng, 20))
		g->cmd = rng_next(rng);
	if (!rng_below(rng, 20))
		g->version = rng_next(rng);
	if (!rng_below(rng, 8))
		m->hdr.nlmsg_flags |= NLM_F_DUMP;
	m->sane = false;
}
