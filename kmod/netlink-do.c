// SPDX-License-Identifier: GPL-2.0-only
/* netlink-do.c - takes requests that change something, answers with the id of the job. */
#include <linux/types.h>
#include <linux/kdev_t.h>
#include <linux/slab.h>
#include "copy.h"
#include "group.h"
#include "job.h"
#include "netlink.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

/* Attributes of one attribute set that requests and answers share; 0: it has none. */
struct shape {
	u16 job;
	u16 name;
	u16 source_group;
	u16 target_group;
	u16 member;
};

static const struct shape pool_shape = {
	.job = COHORT_A_POOL_JOB,
	.name = COHORT_A_POOL_NAME,
};

static const struct shape source_shape = {
	.job = COHORT_A_SOURCE_JOB,
	.name = COHORT_A_SOURCE_NAME,
};

static const struct shape group_shape = {
	.job = COHORT_A_GROUP_JOB,
	.name = COHORT_A_GROUP_NAME,
	.member = COHORT_A_GROUP_MEMBER,
};

static const struct shape rel_shape = {
	.job = COHORT_A_RELATIONSHIP_JOB,
	.name = COHORT_A_RELATIONSHIP_NAME,
	.source_group = COHORT_A_RELATIONSHIP_SOURCE_GROUP,
	.target_group = COHORT_A_RELATIONSHIP_TARGET_GROUP,
	.member = COHORT_A_RELATIONSHIP_MEMBER,
};

static const struct shape job_shape = {
	.job = COHORT_A_JOB_ID,
	.name = COHORT_A_JOB_ID,
};

/* A request under way; the strings of it lie in the message and last as long. */
struct request {
	const struct shape *shape;
	struct genl_info *info;
	struct cohort_words words;
	struct sk_buff *skb;		/* the answer, made before anything is changed */
	void *hdr;
	const char **names;		/* of members, kvfree'd at the end */
	u32 count;
	struct cohort_target_args *targets;	/* of a clone, as names */
	u32 nr_targets;
};

static const char *text(const struct genl_info *info, u32 attr)
{
	return info->attrs[attr] ? nla_data(info->attrs[attr]) : NULL;
}

static u32 number(const struct genl_info *info, u32 attr)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : 0;
}

static u64 number64(const struct genl_info *info, u32 attr)
{
	return info->attrs[attr] ? nla_get_u64(info->attrs[attr]) : 0;
}

static int refuse(const struct request *req, int err, u32 attr, const char *words)
{
	return cohort_nl_refuse(req->info->extack, err, req->info->attrs[attr], words);
}

static int out_of_memory(const struct request *req)
{
	return cohort_nl_refuse(req->info->extack, -ENOMEM, NULL, "out of memory");
}

/* --- the beginning and the end of every request --- */

static int begin(struct request *req, const struct shape *shape, struct genl_info *info, u8 cmd)
{
	memset(req, 0, sizeof(*req));
	req->shape = shape;
	req->info = info;
	req->skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!req->skb)
		return out_of_memory(req);
	req->hdr = genlmsg_put_reply(req->skb, info, &cohort_nl_family, 0, cmd);
	return req->hdr ? 0 : out_of_memory(req);
}

/* Frees what is left; returns @err for a refusal to be one statement. */
static int finish(struct request *req, int err)
{
	nlmsg_free(req->skb);
	kvfree(req->names);
	kvfree(req->targets);
	return err;
}

/* The n-th of the attributes of that type, from 1. */
static const struct nlattr *nth(const struct genl_info *info, u32 attr, u32 n)
{
	const struct nlattr *nla;
	int rem;

	nlmsg_for_each_attr(nla, info->nlhdr, GENL_HDRLEN, rem)
		if (nla_type(nla) == attr && !--n)
			return nla;
	return NULL;
}

/* What the words of a refusal are about. */
static const struct nlattr *culprit(const struct request *req)
{
	if (req->words.member)
		return nth(req->info, req->shape->member, req->words.member);
	return req->info->attrs[req->words.attr ? req->words.attr : req->shape->name];
}

static int put_job(struct request *req, const struct cohort_job *job)
{
	const struct shape *shape = req->shape;
	const char *name = job->rel;

	if (shape == &pool_shape)
		name = job->pool;
	if (shape == &source_shape)
		name = job->source;
	if (shape == &group_shape)
		name = *job->source_group ? job->source_group : job->target_group;
	if (cohort_nl_put_u64(req->skb, shape->job, job->id))
		return -EMSGSIZE;
	if (shape == &job_shape)
		return 0;
	if (nla_put_string(req->skb, shape->name, name))
		return -EMSGSIZE;
	if (shape->source_group && *job->source_group &&
	    nla_put_string(req->skb, shape->source_group, job->source_group))
		return -EMSGSIZE;
	if (shape->target_group && *job->target_group &&
	    nla_put_string(req->skb, shape->target_group, job->target_group))
		return -EMSGSIZE;
	return 0;
}

/* Ends a request that was asked under cohort_lock, which is given up here. */
static int answer(struct request *req, const struct cohort_job *job)
{
	int err = IS_ERR(job) ? PTR_ERR(job) : put_job(req, job);
	struct sk_buff *skb = req->skb;

	mutex_unlock(&cohort_lock);
	if (err) {
		cohort_nl_refuse(req->info->extack, err, culprit(req),
				 *req->words.text ? req->words.text : "the request failed");
		return finish(req, err);
	}
	genlmsg_end(skb, req->hdr);
	req->skb = NULL;
	finish(req, 0);
	return genlmsg_reply(skb, req->info);
}

/* --- members --- */

static int read_member(struct request *req, const struct nlattr *nla)
{
	struct netlink_ext_ack *extack = req->info->extack;
	struct nlattr *tb[COHORT_A_MEMBER_MAX + 1];
	u32 i;
	int err;

	if (req->count == COHORT_MEMBERS_MAX)
		return cohort_nl_refuse(extack, -EINVAL, nla, "more members than a group can have");
	err = nla_parse_nested(tb, COHORT_A_MEMBER_MAX, nla, cohort_member_nl_policy, extack);
	if (err)
		return err;
	if (!tb[COHORT_A_MEMBER_NAME])
		return cohort_nl_refuse(extack, -EINVAL, nla, "a member without a name");
	for (i = 1; i <= COHORT_A_MEMBER_MAX; i++)
		if (tb[i] && i != COHORT_A_MEMBER_NAME && i != COHORT_A_MEMBER_INDEX)
			return cohort_nl_refuse(extack, -EINVAL, tb[i],
						"of a member only the name can be given");
	req->names[req->count++] = nla_data(tb[COHORT_A_MEMBER_NAME]);
	if (tb[COHORT_A_MEMBER_INDEX] && nla_get_u32(tb[COHORT_A_MEMBER_INDEX]) != req->count)
		return cohort_nl_refuse(extack, -EINVAL, tb[COHORT_A_MEMBER_INDEX],
					"members are numbered from 1 in the order given");
	return 0;
}

static int read_members(struct request *req)
{
	const struct nlattr *nla;
	u32 count = 0;
	int rem, err;

	nlmsg_for_each_attr(nla, req->info->nlhdr, GENL_HDRLEN, rem)
		count += nla_type(nla) == req->shape->member;
	if (!count)
		return 0;
	count = min_t(u32, count, COHORT_MEMBERS_MAX);
	req->names = kvmalloc_array(count, sizeof(*req->names), GFP_KERNEL);
	if (!req->names)
		return out_of_memory(req);
	nlmsg_for_each_attr(nla, req->info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nla) != req->shape->member)
			continue;
		err = read_member(req, nla);
		if (err)
			return err;
	}
	return 0;
}

static int require_members(struct request *req)
{
	int err = cohort_nl_require(req->info, req->shape->member, "a member");

	return err ? err : read_members(req);
}

/* --- pools --- */

static int pool_doit(struct genl_info *info, u32 cmd,
		     struct cohort_job *(*start)(const char *name, struct cohort_words *words))
{
	struct request req;
	int err = begin(&req, &pool_shape, info, cmd);

	if (!err)
		err = cohort_nl_require(info, COHORT_A_POOL_NAME, "the name of the pool");
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, start(text(info, COHORT_A_POOL_NAME), &req.words));
}

int cohort_nl_pool_extend_doit(struct sk_buff *skb, struct genl_info *info)
{
	return pool_doit(info, COHORT_CMD_POOL_EXTEND, cohort_pool_extend);
}

int cohort_nl_pool_scrub_doit(struct sk_buff *skb, struct genl_info *info)
{
	return pool_doit(info, COHORT_CMD_POOL_SCRUB, cohort_pool_scrub);
}

/* --- sources --- */

static int parse_dev(const char *value, dev_t *dev)
{
	unsigned int major, minor;
	char end;

	if (sscanf(value, "%u:%u%c", &major, &minor, &end) != 2 ||
	    major >= (1u << (32 - MINORBITS)) || minor > MINORMASK || !major)
		return -EINVAL;
	*dev = MKDEV(major, minor);
	return 0;
}

static int read_dev(struct request *req, u32 attr, dev_t *dev)
{
	return parse_dev(text(req->info, attr), dev) ?
		refuse(req, -EINVAL, attr, "a device is written as major:minor") : 0;
}

static int read_uuid(struct request *req, u32 attr, uuid_t *uuid, const u8 **bytes)
{
	const char *value = text(req->info, attr);

	if (!value)
		return 0;
	if (uuid_parse(value, uuid) || uuid_is_null(uuid))
		return refuse(req, -EINVAL, attr, "not a UUID");
	*bytes = uuid->b;
	return 0;
}

static const u8 *fingerprint(const struct genl_info *info)
{
	const struct nlattr *nla = info->attrs[COHORT_A_SOURCE_FINGERPRINT];

	return nla ? nla_data(nla) : NULL;
}

static int read_attach(struct request *req, struct cohort_attach_args *args, uuid_t *uuid)
{
	struct genl_info *info = req->info;
	int err = cohort_nl_require(info, COHORT_A_SOURCE_NAME, "the name of the source");

	if (!err)
		err = cohort_nl_require(info, COHORT_A_SOURCE_DEV, "the disk");
	if (!err)
		err = cohort_nl_require(info, COHORT_A_SOURCE_SIZE, "the size of the disk");
	if (!err)
		err = read_dev(req, COHORT_A_SOURCE_DEV, &args->dev);
	if (!err)
		err = read_uuid(req, COHORT_A_SOURCE_UUID, uuid, &args->uuid);
	if (err)
		return err;
	args->name = text(info, COHORT_A_SOURCE_NAME);
	args->pool = text(info, COHORT_A_SOURCE_POOL);
	args->size = number64(info, COHORT_A_SOURCE_SIZE);
	args->dm_uuid = text(info, COHORT_A_SOURCE_DM_UUID);
	args->wwn = text(info, COHORT_A_SOURCE_WWN);
	args->partuuid = text(info, COHORT_A_SOURCE_PARTUUID);
	args->fingerprint = fingerprint(info);
	args->force = number(info, COHORT_A_SOURCE_FORCE);
	return 0;
}

int cohort_nl_source_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct cohort_attach_args args = {};
	struct request req;
	uuid_t uuid;
	int err = begin(&req, &source_shape, info, COHORT_CMD_SOURCE_ATTACH);

	if (!err)
		err = read_attach(&req, &args, &uuid);
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_source_attach(&args, &req.words));
}

int cohort_nl_source_detach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, &source_shape, info, COHORT_CMD_SOURCE_DETACH);

	if (!err)
		err = cohort_nl_require(info, COHORT_A_SOURCE_NAME, "the name of the source");
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_source_detach(text(info, COHORT_A_SOURCE_NAME),
						 fingerprint(info), &req.words));
}

int cohort_nl_source_remove_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, &source_shape, info, COHORT_CMD_SOURCE_REMOVE);

	if (!err)
		err = cohort_nl_require(info, COHORT_A_SOURCE_NAME, "the name of the source");
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_source_remove(text(info, COHORT_A_SOURCE_NAME), &req.words));
}

/* --- groups --- */

int cohort_nl_group_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, &group_shape, info, COHORT_CMD_GROUP_NEW);

	if (!err)
		err = read_members(&req);
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_group_new(text(info, COHORT_A_GROUP_NAME),
					     text(info, COHORT_A_GROUP_POOL),
					     number(info, COHORT_A_GROUP_KIND),
					     number(info, COHORT_A_GROUP_FLAGS),
					     req.names, req.count, &req.words));
}

int cohort_nl_group_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, &group_shape, info, COHORT_CMD_GROUP_DEL);

	if (!err)
		err = cohort_nl_require(info, COHORT_A_GROUP_NAME, "the name of the group");
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_group_del(text(info, COHORT_A_GROUP_NAME),
					     number(info, COHORT_A_GROUP_REMOVE_ELEMENTS),
					     &req.words));
}

int cohort_nl_group_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, &group_shape, info, COHORT_CMD_GROUP_ADD);

	if (!err)
		err = cohort_nl_require(info, COHORT_A_GROUP_NAME, "the name of the group");
	if (!err)
		err = require_members(&req);
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_group_add(text(info, COHORT_A_GROUP_NAME), req.names, req.count,
					     &req.words));
}

int cohort_nl_group_remove_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, &group_shape, info, COHORT_CMD_GROUP_REMOVE);

	if (!err)
		err = cohort_nl_require(info, COHORT_A_GROUP_NAME, "the name of the group");
	if (!err)
		err = require_members(&req);
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_group_remove(text(info, COHORT_A_GROUP_NAME), req.names,
						req.count, &req.words));
}

/* --- relationships --- */

static const char *text_in(struct nlattr **tb, u32 attr)
{
	return tb[attr] ? nla_data(tb[attr]) : NULL;
}

static int read_target(struct request *req, const struct nlattr *nla)
{
	struct cohort_target_args *t = &req->targets[req->nr_targets];
	struct netlink_ext_ack *extack = req->info->extack;
	struct nlattr *tb[COHORT_A_TARGET_MAX + 1];
	int err;

	err = nla_parse_nested(tb, COHORT_A_TARGET_MAX, nla, cohort_target_nl_policy, extack);
	if (err)
		return err;
	if (!tb[COHORT_A_TARGET_DEV] || !tb[COHORT_A_TARGET_SIZE])
		return cohort_nl_refuse(extack, -EINVAL, nla, "a target without dev or size");
	if (tb[COHORT_A_TARGET_COPIED] || tb[COHORT_A_TARGET_UNREADABLE])
		return cohort_nl_refuse(extack, -EINVAL, nla,
					"what has been copied to a target can not be given");
	if (parse_dev(nla_data(tb[COHORT_A_TARGET_DEV]), &t->dev))
		return cohort_nl_refuse(extack, -EINVAL, tb[COHORT_A_TARGET_DEV],
					"a device is written as major:minor");
	t->size = nla_get_u64(tb[COHORT_A_TARGET_SIZE]);
	t->dm_uuid = text_in(tb, COHORT_A_TARGET_DM_UUID);
	t->wwn = text_in(tb, COHORT_A_TARGET_WWN);
	t->partuuid = text_in(tb, COHORT_A_TARGET_PARTUUID);
	req->nr_targets++;
	return 0;
}

static int read_targets(struct request *req)
{
	const struct nlattr *nla;
	u32 count = 0;
	int rem, err;

	nlmsg_for_each_attr(nla, req->info->nlhdr, GENL_HDRLEN, rem)
		count += nla_type(nla) == COHORT_A_RELATIONSHIP_TARGET;
	if (!count)
		return 0;
	if (count > COHORT_MEMBERS_MAX)
		return refuse(req, -EINVAL, COHORT_A_RELATIONSHIP_TARGET,
			      "more targets than a group can have members");
	req->targets = kvcalloc(count, sizeof(*req->targets), GFP_KERNEL);
	if (!req->targets)
		return out_of_memory(req);
	nlmsg_for_each_attr(nla, req->info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nla) != COHORT_A_RELATIONSHIP_TARGET)
			continue;
		err = read_target(req, nla);
		if (err)
			return err;
	}
	return 0;
}

static void read_replicate(const struct request *req, struct cohort_replicate_args *args)
{
	const struct genl_info *info = req->info;

	*args = (struct cohort_replicate_args) {
		.name = text(info, COHORT_A_RELATIONSHIP_NAME),
		.sync_type = number(info, COHORT_A_RELATIONSHIP_SYNC_TYPE),
		.mode = number(info, COHORT_A_RELATIONSHIP_MODE),
		.consistency = number(info, COHORT_A_RELATIONSHIP_CONSISTENCY),
		.source_group = text(info, COHORT_A_RELATIONSHIP_SOURCE_GROUP),
		.target_group = text(info, COHORT_A_RELATIONSHIP_TARGET_GROUP),
		.pool = text(info, COHORT_A_RELATIONSHIP_POOL),
		.members = req->names,
		.count = req->count,
		.wait_state = number(info, COHORT_A_RELATIONSHIP_WAIT_STATE),
		.on_error = number(info, COHORT_A_RELATIONSHIP_ON_ERROR),
		.flags = number(info, COHORT_A_RELATIONSHIP_FLAGS),
		.space_limit = number64(info, COHORT_A_RELATIONSHIP_SPACE_LIMIT),
		.remove_after = number64(info, COHORT_A_RELATIONSHIP_REMOVE_AFTER),
		.hold_time = number(info, COHORT_A_RELATIONSHIP_HOLD_TIME),
		.targets = req->targets,
		.nr_targets = req->nr_targets,
	};
}

int cohort_nl_group_replica_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct cohort_replicate_args args;
	struct request req;
	int err = begin(&req, &rel_shape, info, COHORT_CMD_GROUP_REPLICA_NEW);

	if (!err)
		err = cohort_nl_require(info, COHORT_A_RELATIONSHIP_SYNC_TYPE, "the type");
	if (!err)
		err = read_members(&req);
	if (!err)
		err = read_targets(&req);
	if (err)
		return finish(&req, err);
	read_replicate(&req, &args);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_replicate(&args, &req.words));
}

int cohort_nl_relationship_modify_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, &rel_shape, info, COHORT_CMD_RELATIONSHIP_MODIFY);

	if (!err)
		err = cohort_nl_require(info, COHORT_A_RELATIONSHIP_NAME,
					"the name of the relationship");
	if (!err)
		err = cohort_nl_require(info, COHORT_A_RELATIONSHIP_OPERATION, "the operation");
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_rel_modify(text(info, COHORT_A_RELATIONSHIP_NAME),
					      number(info, COHORT_A_RELATIONSHIP_OPERATION),
					      number(info, COHORT_A_RELATIONSHIP_FORCE),
					      &req.words));
}

/* --- jobs --- */

int cohort_nl_job_modify_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, &job_shape, info, COHORT_CMD_JOB_MODIFY);

	if (!err)
		err = cohort_nl_require(info, COHORT_A_JOB_ID, "the id of the job");
	if (!err)
		err = cohort_nl_require(info, COHORT_A_JOB_REQUEST, "what is asked of the job");
	if (err)
		return finish(&req, err);
	mutex_lock(&cohort_lock);
	return answer(&req, cohort_job_request(number64(info, COHORT_A_JOB_ID),
					       number(info, COHORT_A_JOB_REQUEST), &req.words));
}
