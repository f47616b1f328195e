// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests and objects: attributes out and in, extack offsets to parameters, junk survived. */
#include <errno.h>
#include <stdlib.h>
#include <netlink/genl/genl.h>

#include "../../libctl/private.h"
#include "unit.h"

static const struct nlattr *attrs_of(struct nl_msg *msg, int *len)
{
	const struct genlmsghdr *g = nlmsg_data(nlmsg_hdr(msg));

	*len = genlmsg_attrlen(g, 0);
	return genlmsg_attrdata(g, 0);
}

static void relationship_there_and_back(void)
{
	struct cohort_relationship *rel;
	const struct nlattr *attrs;
	struct request r;
	bool complete;
	int len;

	request_new(&r, COHORT_CMD_RELATIONSHIP_GET, 0);
	request_str(&r, COHORT_A_RELATIONSHIP_NAME, "rel");
	request_u32(&r, COHORT_A_RELATIONSHIP_COPY_STATE, 4);
	request_u64(&r, COHORT_A_RELATIONSHIP_WHEN_SYNCED, 0x123456789abcdef0);
	request_member(&r, COHORT_A_RELATIONSHIP_MEMBER, 1, "rel_1");
	request_member(&r, COHORT_A_RELATIONSHIP_MEMBER, 2, "rel_2");
	attrs = attrs_of(r.msg, &len);
	rel = object_parse(OBJECT_RELATIONSHIP, attrs, len, &complete);
	CHECK(!r.err && complete, "built and whole");
	CHECK_STRING(rel->name, "rel");
	CHECK_INT(rel->copy_state, 4, "state");
	CHECK(rel->when_synced == 0x123456789abcdef0, "time");
	CHECK(rel->members && rel->members->next && !rel->members->next->next, "two members");
	CHECK_STRING(rel->members->next->name, "rel_2");
	CHECK_INT(rel->members->next->index, 2, "index");
	object_free(OBJECT_RELATIONSHIP, rel);
	request_free(&r);
}

static void put_target(struct request *r, int attr, const char *dev, uint64_t copied)
{
	struct nlattr *nest = request_nest(r, attr);

	request_str(r, COHORT_A_TARGET_DEV, dev);
	request_u64(r, COHORT_A_TARGET_SIZE, 1 << 30);
	request_str(r, COHORT_A_TARGET_WWN, "wwn-1");
	request_u64(r, COHORT_A_TARGET_COPIED, copied);
	request_u64(r, COHORT_A_TARGET_UNREADABLE, 4096);
	request_nest_end(r, nest);
}

static void put_clone(struct request *r)
{
	struct nlattr *nest = request_nest(r, COHORT_A_RELATIONSHIP_MEMBER);

	request_u32(r, COHORT_A_MEMBER_INDEX, 1);
	put_target(r, COHORT_A_MEMBER_TARGET, "8:16", 4711);
	/* a second one takes its place, and the first is not lost */
	put_target(r, COHORT_A_MEMBER_TARGET, NULL, 4712);
	request_nest_end(r, nest);
}

static void target_of_a_member(void)
{
	struct cohort_relationship *rel;
	const struct cohort_target *t;
	const struct nlattr *attrs;
	struct request r;
	bool complete;
	int len;

	request_new(&r, COHORT_CMD_RELATIONSHIP_GET, 0);
	put_clone(&r);
	request_member(&r, COHORT_A_RELATIONSHIP_MEMBER, 2, "rel_2");
	attrs = attrs_of(r.msg, &len);
	rel = object_parse(OBJECT_RELATIONSHIP, attrs, len, &complete);
	t = rel->members->target;
	CHECK(t && !rel->members->next->target, "of the first one only");
	CHECK(!t->dev && !t->dm_uuid && !t->partuuid, "what was not told");
	CHECK_STRING(t->wwn, "wwn-1");
	CHECK_INT((long long)t->size, 1 << 30, "size");
	CHECK_INT((long long)t->copied, 4712, "copied");
	CHECK_INT((long long)t->unreadable, 4096, "unreadable");
	object_free(OBJECT_RELATIONSHIP, rel);
	request_free(&r);
}

static void targets_of_a_request(void)
{
	const struct target targets[] = {
		{ "8:16", 1 << 20, { "", "wwn-1", "" } },
		{ "253:1", 2 << 20, { "LVM-x", "", "part-1" } },
	};
	const struct nlattr *attr;
	struct request r;
	int len, n = 0;

	request_new(&r, COHORT_CMD_GROUP_REPLICA_NEW, 0);
	targets_put(&r, targets, ARRAY_SIZE(targets));
	CHECK_INT(r.err, 0, "room");
	for (attr = attrs_of(r.msg, &len); nla_ok(attr, len); attr = nla_next(attr, &len), n++) {
		struct nlattr *a[COHORT_A_TARGET_MAX + 1];

		CHECK_INT(nla_type(attr), COHORT_A_RELATIONSHIP_TARGET, "type");
		CHECK_INT(nla_parse_nested(a, COHORT_A_TARGET_MAX, (struct nlattr *)attr, NULL), 0,
			  "nest");
		CHECK_STRING(nla_get_string(a[COHORT_A_TARGET_DEV]), targets[n].number);
		CHECK(nla_get_u64(a[COHORT_A_TARGET_SIZE]) == targets[n].size, "size");
		CHECK(!a[COHORT_A_TARGET_DM_UUID] == !n && !a[COHORT_A_TARGET_WWN] == !!n &&
		      !a[COHORT_A_TARGET_PARTUUID] == !n, "what there is");
	}
	CHECK_INT(n, 2, "targets");
	request_free(&r);
}

static void unset_values_are_left_out(void)
{
	struct request r;
	int len;

	request_new(&r, COHORT_CMD_GROUP_REPLICA_NEW, 0);
	request_str(&r, COHORT_A_RELATIONSHIP_NAME, NULL);
	request_u32(&r, COHORT_A_RELATIONSHIP_MODE, COHORT_UNSET);
	request_u64(&r, COHORT_A_RELATIONSHIP_SPACE_LIMIT, COHORT_UNSET64);
	request_bin(&r, COHORT_A_SOURCE_FINGERPRINT, NULL, 32);
	attrs_of(r.msg, &len);
	CHECK_INT(len, 0, "bytes of attributes");
	request_free(&r);
}

static void an_object_that_went_is_incomplete(void)
{
	struct cohort_relationship *rel;
	const struct nlattr *attrs;
	struct request r;
	bool complete;
	int len;

	request_new(&r, COHORT_CMD_RELATIONSHIP_NTF, 0);
	request_str(&r, COHORT_A_RELATIONSHIP_NAME, "rel");
	attrs = attrs_of(r.msg, &len);
	rel = object_parse(OBJECT_RELATIONSHIP, attrs, len, &complete);
	CHECK(rel && !complete, "only its name is known");
	object_free(OBJECT_RELATIONSHIP, rel);
	request_free(&r);
}

static void largest_request_fits(void)
{
	struct target target = { .number = "4095:1048575", .size = UINT64_MAX - 1 };
	char name[COHORT_NAME_MAX + 1];
	struct request r;

	memset(target.id.dm_uuid, 'u', sizeof(target.id.dm_uuid) - 1);
	memset(target.id.wwn, 'w', sizeof(target.id.wwn) - 1);
	memset(target.id.partuuid, 'p', sizeof(target.id.partuuid) - 1);
	memset(name, 'n', COHORT_NAME_MAX);
	name[COHORT_NAME_MAX] = '\0';
	request_new(&r, COHORT_CMD_GROUP_REPLICA_NEW, COHORT_MEMBERS_MAX * (160 + 400));
	request_str(&r, COHORT_A_RELATIONSHIP_NAME, name);
	request_str(&r, COHORT_A_RELATIONSHIP_SOURCE_GROUP, name);
	request_str(&r, COHORT_A_RELATIONSHIP_TARGET_GROUP, name);
	request_str(&r, COHORT_A_RELATIONSHIP_POOL, name);
	for (uint32_t i = 1; i <= COHORT_MEMBERS_MAX; i++)
		request_member(&r, COHORT_A_RELATIONSHIP_MEMBER, i, name);
	for (uint32_t i = 1; i <= COHORT_MEMBERS_MAX; i++)
		targets_put(&r, &target, 1);
	CHECK_INT(r.err, 0, "room");
	request_free(&r);
}

static void overflow_is_an_error(void)
{
	struct request r;

	request_new(&r, COHORT_CMD_GROUP_REPLICA_NEW, 0);
	for (uint32_t i = 1; i <= 1000; i++)
		request_member(&r, COHORT_A_RELATIONSHIP_MEMBER, i, "a-name-of-some-length");
	CHECK(r.err < 0, "no room is told");
	request_free(&r);
}

/* Offset of the n-th attribute of @type as the kernel would report it. */
static uint32_t offset_of(const struct request *r, int type, unsigned int n)
{
	const struct nlattr *attr;
	int len;

	for (attr = attrs_of(r->msg, &len); nla_ok(attr, len); attr = nla_next(attr, &len))
		if (nla_type(attr) == type && !n--)
			return (uint32_t)((const char *)attr - (const char *)nlmsg_hdr(r->msg));
	return 0;
}

static const char *attribute(const struct request *r, uint32_t offset, uint32_t missing)
{
	static char name[128];

	request_attribute_name(nlmsg_hdr(r->msg), r->cmd, offset, missing, name, sizeof(name));
	return name;
}

static void extack_names_the_parameter(void)
{
	struct request r;
	uint32_t second;

	request_new(&r, COHORT_CMD_GROUP_REPLICA_NEW, 0);
	request_str(&r, COHORT_A_RELATIONSHIP_NAME, "rel");
	request_u32(&r, COHORT_A_RELATIONSHIP_SYNC_TYPE, 7);
	request_member(&r, COHORT_A_RELATIONSHIP_MEMBER, 1, "a");
	request_member(&r, COHORT_A_RELATIONSHIP_MEMBER, 2, "b");
	second = offset_of(&r, COHORT_A_RELATIONSHIP_MEMBER, 1);
	CHECK_STRING(attribute(&r, offset_of(&r, COHORT_A_RELATIONSHIP_SYNC_TYPE, 0), 0),
		     "SyncType");
	CHECK_STRING(attribute(&r, second, 0), "SourceElements[1]");
	CHECK_STRING(attribute(&r, second + 12, 0), "SourceElements[1]");
	put_target(&r, COHORT_A_RELATIONSHIP_TARGET, "8:16", 0);
	put_target(&r, COHORT_A_RELATIONSHIP_TARGET, "8:32", 0);
	CHECK_STRING(attribute(&r, offset_of(&r, COHORT_A_RELATIONSHIP_TARGET, 0), 0),
		     "TargetElements[0]");
	CHECK_STRING(attribute(&r, offset_of(&r, COHORT_A_RELATIONSHIP_TARGET, 1) + 8, 0),
		     "TargetElements[1]");
	CHECK_STRING(attribute(&r, 0, COHORT_A_RELATIONSHIP_TARGET), "TargetElements");
	CHECK_STRING(attribute(&r, 0, COHORT_A_RELATIONSHIP_WAIT_STATE), "WaitForCopyState");
	CHECK_STRING(attribute(&r, 0, 4711), "");
	CHECK_STRING(attribute(&r, 60000, 0), "");
	CHECK_STRING(attribute(&r, 4, 0), "");
	request_free(&r);
}

static void replies(void)
{
	struct cohort_reply *reply = calloc(1, sizeof(*reply));
	struct request r;
	const struct nlattr *attrs;
	int len;

	request_new(&r, COHORT_CMD_GROUP_REPLICA_NEW, 0);
	request_u64(&r, COHORT_A_RELATIONSHIP_JOB, 42);
	request_str(&r, COHORT_A_RELATIONSHIP_NAME, "rel");
	request_str(&r, COHORT_A_RELATIONSHIP_SOURCE_GROUP, "sg");
	request_str(&r, COHORT_A_RELATIONSHIP_TARGET_GROUP, "tg");
	attrs = attrs_of(r.msg, &len);
	CHECK_INT(reply_parse(COHORT_CMD_GROUP_REPLICA_NEW, attrs, len, reply), 0, "parse");
	CHECK_INT((long long)reply->job, 42, "job");
	CHECK_STRING(reply->name, "rel");
	CHECK_STRING(reply->source_group_name, "sg");
	CHECK_STRING(reply->target_group, "tg");
	cohort_reply_free(reply);
	request_free(&r);
}

/* Any bytes must be parsed without a step outside them; ASan watches. */
static void junk_is_survived(void)
{
	uint32_t state = 12345;

	for (unsigned int round = 0; round < 20000; round++) {
		const size_t len = 4 + round % 120;
		uint8_t *junk = malloc(len);
		bool complete;

		for (size_t i = 0; i < len; i++) {
			state = state * 1664525 + 1013904223;
			/* small numbers make plausible lengths and types */
			junk[i] = i % 4 < 2 && i % 4 == 0 ? state >> 26 : i % 2 ? 0 : state >> 27;
		}
		for (int kind = OBJECT_MODULE; kind <= OBJECT_JOB; kind++)
			object_free(kind, object_parse(kind, (struct nlattr *)junk, (int)len,
						       &complete));
		free(junk);
	}
}

static void strings_without_an_end(void)
{
	const struct {
		struct nlattr attr;
		char text[4];
	} raw = { { sizeof(raw), COHORT_A_POOL_NAME }, "abcd" };
	struct cohort_pool *pool;
	bool complete;

	pool = object_parse(OBJECT_POOL, &raw.attr, sizeof(raw), &complete);
	CHECK_STRING(pool->name, "abcd");
	object_free(OBJECT_POOL, pool);
}

static const struct unit_case cases[] = {
	{ "relationship_there_and_back", relationship_there_and_back },
	{ "target_of_a_member", target_of_a_member },
	{ "targets_of_a_request", targets_of_a_request },
	{ "unset_values_are_left_out", unset_values_are_left_out },
	{ "an_object_that_went_is_incomplete", an_object_that_went_is_incomplete },
	{ "largest_request_fits", largest_request_fits },
	{ "overflow_is_an_error", overflow_is_an_error },
	{ "extack_names_the_parameter", extack_names_the_parameter },
	{ "replies", replies },
	{ "junk_is_survived", junk_is_survived },
	{ "strings_without_an_end", strings_without_an_end },
};

int main(void)
{
	return unit_main(cases, ARRAY_SIZE(cases));
}
