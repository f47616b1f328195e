// SPDX-License-Identifier: GPL-2.0-only
/* netlink-put.c - writes objects into messages. */
#include <linux/blkdev.h>
#include "copy.h"
#include "group.h"
#include "job.h"
#include "netlink.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

/* More than the attributes of any object take that has no members. */
#define FIXED_SIZE	2048
/* The same for a member without its names. */
#define MEMBER_SIZE	128
/* And for a target. */
#define TARGET_SIZE	96

int cohort_nl_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	/* no padding attribute: readers of this family copy */
	return nla_put(skb, attr, sizeof(value), &value);
}

static int put_dev(struct sk_buff *skb, int attr, dev_t dev)
{
	char text[24];

	if (!dev)
		return 0;
	snprintf(text, sizeof(text), "%u:%u", MAJOR(dev), MINOR(dev));
	return nla_put_string(skb, attr, text);
}

static int put_uuid(struct sk_buff *skb, int attr, const uuid_t *uuid)
{
	char text[UUID_STRING_LEN + 1];

	snprintf(text, sizeof(text), "%pUb", uuid);
	return nla_put_string(skb, attr, text);
}

/* What is not known is not said. */
static int put_text(struct sk_buff *skb, int attr, const char *text)
{
	return text && *text ? nla_put_string(skb, attr, text) : 0;
}

static int put_number(struct sk_buff *skb, int attr, u32 number)
{
	return number ? nla_put_u32(skb, attr, number) : 0;
}

static size_t fixed_size(const void *object)
{
	return FIXED_SIZE;
}

/* --- pool --- */

static int put_pool_index(struct sk_buff *skb, const struct cohort_pool *pool)
{
	return nla_put_u32(skb, COHORT_A_POOL_INDEX_RUNS, READ_ONCE(pool->runs.nr)) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_INDEX_MEMORY, cohort_pool_index_bytes(pool)) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_INDEX_LIMIT, pool->index_limit) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_LOG_START, READ_ONCE(pool->sb.log_start)) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_MOVED, atomic64_read(&pool->moved));
}

static int put_pool_use(struct sk_buff *skb, const struct cohort_pool *pool)
{
	return cohort_nl_put_u64(skb, COHORT_A_POOL_SIZE, pool->sb.size) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_USED, cohort_pool_used(pool)) ||
	       nla_put_u32(skb, COHORT_A_POOL_CHUNK_SIZE, pool->sb.chunk_size) ||
	       nla_put_u32(skb, COHORT_A_POOL_SEGMENT_SIZE, pool->sb.segment_size) ||
	       nla_put_u32(skb, COHORT_A_POOL_SOURCES, pool->nr_sources) ||
	       nla_put_u32(skb, COHORT_A_POOL_RELATIONSHIPS, pool->nr_rels) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_PRESERVED, cohort_pool_preserved(pool)) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_BATCHES, cohort_pool_batches(pool)) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_LOG_BYTES, cohort_pool_log_bytes(pool)) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_GENERATION, pool->sb.generation) ||
	       cohort_nl_put_u64(skb, COHORT_A_POOL_DAMAGED, atomic64_read(&pool->damaged)) ||
	       put_pool_index(skb, pool);
}

static int put_pool_name(struct sk_buff *skb, const void *object)
{
	const struct cohort_pool *pool = object;

	return nla_put_string(skb, COHORT_A_POOL_NAME, pool->name);
}

static int put_pool(struct sk_buff *skb, const void *object, bool members)
{
	const struct cohort_pool *pool = object;
	u32 state = READ_ONCE(pool->state);

	if (put_pool_name(skb, pool) ||
	    put_uuid(skb, COHORT_A_POOL_UUID, &pool->uuid) ||
	    put_dev(skb, COHORT_A_POOL_DEV, pool->bdev ? pool->bdev->bd_dev : 0) ||
	    put_dev(skb, COHORT_A_POOL_DM_DEV, pool->dm_dev) ||
	    nla_put_u32(skb, COHORT_A_POOL_STATE, state) ||
	    put_pool_use(skb, pool))
		return -EMSGSIZE;
	if (state == COHORT_POOL_STATE_FAILED && put_text(skb, COHORT_A_POOL_REASON, pool->reason))
		return -EMSGSIZE;
	return 0;
}

const struct cohort_nl_kind cohort_nl_pool = {
	.get = COHORT_CMD_POOL_GET,
	.ntf = COHORT_CMD_POOL_NTF,
	.name = COHORT_A_POOL_NAME,
	.size = fixed_size,
	.put = put_pool,
	.put_name = put_pool_name,
};

/* --- source --- */

static int put_identity(struct sk_buff *skb, const struct cohort_source *source)
{
	if (put_text(skb, COHORT_A_SOURCE_DM_UUID, source->dm_uuid) ||
	    put_text(skb, COHORT_A_SOURCE_WWN, source->wwn) ||
	    put_text(skb, COHORT_A_SOURCE_PARTUUID, source->partuuid) ||
	    nla_put_u32(skb, COHORT_A_SOURCE_CLEAN, source->clean))
		return -EMSGSIZE;
	/* of a disk that was written since it says nothing */
	if (!source->clean)
		return 0;
	return nla_put(skb, COHORT_A_SOURCE_FINGERPRINT, COHORT_FINGERPRINT_LEN,
		       source->fingerprint);
}

static int put_source_name(struct sk_buff *skb, const void *object)
{
	const struct cohort_source *source = object;

	return nla_put_string(skb, COHORT_A_SOURCE_NAME, source->name);
}

static int put_source(struct sk_buff *skb, const void *object, bool members)
{
	const struct cohort_source *source = object;

	if (put_source_name(skb, source) ||
	    put_uuid(skb, COHORT_A_SOURCE_UUID, &source->uuid) ||
	    nla_put_string(skb, COHORT_A_SOURCE_POOL, source->pool->name) ||
	    nla_put_u32(skb, COHORT_A_SOURCE_ID, source->id) ||
	    nla_put_u32(skb, COHORT_A_SOURCE_STATE, source->state) ||
	    cohort_nl_put_u64(skb, COHORT_A_SOURCE_SIZE, source->size) ||
	    put_dev(skb, COHORT_A_SOURCE_DEV, source->dev) ||
	    put_dev(skb, COHORT_A_SOURCE_DM_DEV, source->dm_dev) ||
	    put_identity(skb, source) ||
	    cohort_nl_put_u64(skb, COHORT_A_SOURCE_HELD, cohort_source_held(source)) ||
	    nla_put_u32(skb, COHORT_A_SOURCE_RELATIONSHIPS, source->rels) ||
	    nla_put_u32(skb, COHORT_A_SOURCE_ERAS, cohort_source_eras(source)))
		return -EMSGSIZE;
	return 0;
}

const struct cohort_nl_kind cohort_nl_source = {
	.get = COHORT_CMD_SOURCE_GET,
	.ntf = COHORT_CMD_SOURCE_NTF,
	.name = COHORT_A_SOURCE_NAME,
	.size = fixed_size,
	.put = put_source,
	.put_name = put_source_name,
};

/* --- members --- */

static size_t image_name(char *text, size_t size, const struct cohort_rel *rel, u32 i)
{
	return snprintf(text, size, "%s_%u", rel->name, i + 1);
}

static size_t member_size(const char *source, size_t name)
{
	return MEMBER_SIZE + nla_total_size(strlen(source) + 1) + nla_total_size(name + 1);
}

static int put_source_member(struct sk_buff *skb, int attr, const struct cohort_source *source,
			     u32 i)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || nla_put_u32(skb, COHORT_A_MEMBER_INDEX, i + 1) ||
	    nla_put_string(skb, COHORT_A_MEMBER_NAME, source->name))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_image_names(struct sk_buff *skb, const struct cohort_rel *rel, u32 i)
{
	char name[COHORT_NAME_MAX + 12];

	image_name(name, sizeof(name), rel, i);
	if (nla_put_u32(skb, COHORT_A_MEMBER_INDEX, i + 1) ||
	    nla_put_string(skb, COHORT_A_MEMBER_NAME, name) ||
	    nla_put_string(skb, COHORT_A_MEMBER_SOURCE, rel->member[i].source->name))
		return -EMSGSIZE;
	return 0;
}

/* The image of a target group. */
static int put_image(struct sk_buff *skb, int attr, const struct cohort_rel *rel, u32 i)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || put_image_names(skb, rel, i))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static u64 copied_bytes(const struct cohort_rel *rel, u32 i)
{
	u64 chunks = cohort_copy_copied(rel, i);

	/* of one that no table has had since the pool came up nobody has read it */
	if (chunks == U64_MAX)
		return 0;
	return min(chunks << (rel->pool->chunk_shift + SECTOR_SHIFT),
		   rel->member[i].source->size);
}

static int put_target(struct sk_buff *skb, const struct cohort_rel *rel, u32 i)
{
	const struct cohort_copy *copy = rel->member[i].copy;
	struct nlattr *nest = nla_nest_start(skb, COHORT_A_MEMBER_TARGET);

	if (!nest || put_dev(skb, COHORT_A_TARGET_DEV, copy->dev) ||
	    cohort_nl_put_u64(skb, COHORT_A_TARGET_SIZE, copy->size) ||
	    put_text(skb, COHORT_A_TARGET_DM_UUID, copy->dm_uuid) ||
	    put_text(skb, COHORT_A_TARGET_WWN, copy->wwn) ||
	    put_text(skb, COHORT_A_TARGET_PARTUUID, copy->partuuid) ||
	    cohort_nl_put_u64(skb, COHORT_A_TARGET_COPIED, copied_bytes(rel, i)) ||
	    cohort_nl_put_u64(skb, COHORT_A_TARGET_UNREADABLE, READ_ONCE(copy->failed)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static size_t target_size(const struct cohort_copy *copy)
{
	return copy ? TARGET_SIZE + nla_total_size(strlen(copy->dm_uuid) + 1) +
		nla_total_size(strlen(copy->wwn) + 1) +
		nla_total_size(strlen(copy->partuuid) + 1) : 0;
}

static int put_rel_member(struct sk_buff *skb, int attr, const struct cohort_rel *rel, u32 i)
{
	const struct cohort_rel_member *m = &rel->member[i];
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || put_image_names(skb, rel, i) ||
	    nla_put_u32(skb, COHORT_A_MEMBER_COPY_STATE, READ_ONCE(m->state)) ||
	    cohort_nl_put_u64(skb, COHORT_A_MEMBER_EPOCH, m->epoch) ||
	    cohort_nl_put_u64(skb, COHORT_A_MEMBER_TIME, m->when) ||
	    nla_put_u32(skb, COHORT_A_MEMBER_ERRNO, -m->err) ||
	    nla_put_u32(skb, COHORT_A_MEMBER_MIXED, m->mixed) ||
	    cohort_nl_put_u64(skb, COHORT_A_MEMBER_SIZE, m->source->size) ||
	    (m->copy && put_target(skb, rel, i)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static size_t rel_members_size(const struct cohort_rel *rel)
{
	size_t name = image_name(NULL, 0, rel, rel->count), size = 0;
	u32 i;

	for (i = 0; i < rel->count; i++)
		size += member_size(rel->member[i].source->name, name) +
			target_size(rel->member[i].copy);
	return size;
}

/* --- group --- */

/* The relationship whose replicas are the members of a target group. */
static const struct cohort_rel *target_of(const struct cohort_group *group)
{
	const struct cohort_rel *rel;

	list_for_each_entry(rel, &group->pool->rels, list)
		if (rel->target_group == group && !rel->pending)
			return rel;
	return NULL;
}

static size_t group_size(const void *object)
{
	const struct cohort_group *group = object;
	const struct cohort_rel *rel = target_of(group);
	size_t size = FIXED_SIZE;
	u32 i;

	if (rel)
		return size + rel_members_size(rel);
	for (i = 0; i < group->count; i++)
		size += member_size(group->member[i]->name, 0);
	return size;
}

static int put_group_members(struct sk_buff *skb, const struct cohort_group *group)
{
	const struct cohort_rel *rel = target_of(group);
	int err = 0;
	u32 i;

	for (i = 0; rel && i < rel->count && !err; i++)
		err = put_image(skb, COHORT_A_GROUP_MEMBER, rel, i);
	for (i = 0; !rel && i < group->count && !err; i++)
		err = put_source_member(skb, COHORT_A_GROUP_MEMBER, group->member[i], i);
	return err;
}

static int put_group_name(struct sk_buff *skb, const void *object)
{
	const struct cohort_group *group = object;

	return nla_put_string(skb, COHORT_A_GROUP_NAME, group->name);
}

static int put_group(struct sk_buff *skb, const void *object, bool members)
{
	const struct cohort_group *group = object;

	if (put_group_name(skb, group) ||
	    nla_put_string(skb, COHORT_A_GROUP_POOL, group->pool->name) ||
	    nla_put_u32(skb, COHORT_A_GROUP_KIND, group->kind) ||
	    nla_put_u32(skb, COHORT_A_GROUP_FLAGS, group->flags) ||
	    nla_put_u32(skb, COHORT_A_GROUP_RELATIONSHIPS, group->rels))
		return -EMSGSIZE;
	return members ? put_group_members(skb, group) : 0;
}

const struct cohort_nl_kind cohort_nl_group = {
	.get = COHORT_CMD_GROUP_GET,
	.ntf = COHORT_CMD_GROUP_NTF,
	.name = COHORT_A_GROUP_NAME,
	.size = group_size,
	.put = put_group,
	.put_name = put_group_name,
};

/* --- relationship --- */

static size_t rel_size(const void *object)
{
	return FIXED_SIZE + rel_members_size(object);
}

/* The members' cut when it is one, else 0. */
static u64 common_epoch(const struct cohort_rel *rel)
{
	u32 i;

	for (i = 1; i < rel->count; i++)
		if (rel->member[i].epoch != rel->member[0].epoch)
			return 0;
	return rel->count ? rel->member[0].epoch : 0;
}

static u32 mixed_members(const struct cohort_rel *rel)
{
	u32 i, n = 0;

	for (i = 0; i < rel->count; i++)
		n += rel->member[i].mixed;
	return n;
}

static int put_rel_settings(struct sk_buff *skb, const struct cohort_rel *rel)
{
	return nla_put_u32(skb, COHORT_A_RELATIONSHIP_SYNC_TYPE, rel->sync_type) ||
	       put_number(skb, COHORT_A_RELATIONSHIP_MODE, rel->mode) ||
	       put_number(skb, COHORT_A_RELATIONSHIP_CONSISTENCY, rel->consistency) ||
	       nla_put_u32(skb, COHORT_A_RELATIONSHIP_FLAGS, rel->flags) ||
	       cohort_nl_put_u64(skb, COHORT_A_RELATIONSHIP_SPACE_LIMIT, rel->space_limit) ||
	       cohort_nl_put_u64(skb, COHORT_A_RELATIONSHIP_REMOVE_AFTER, rel->remove_after) ||
	       nla_put_u32(skb, COHORT_A_RELATIONSHIP_HOLD_TIME, rel->hold_time) ||
	       cohort_nl_put_u64(skb, COHORT_A_RELATIONSHIP_SPACE_CONSUMED,
				 cohort_rel_space(rel)) ||
	       put_text(skb, COHORT_A_RELATIONSHIP_SOURCE_GROUP,
			rel->source_group ? rel->source_group->name : NULL) ||
	       put_text(skb, COHORT_A_RELATIONSHIP_TARGET_GROUP,
			rel->target_group ? rel->target_group->name : NULL);
}

/* What is cut is there at once: a snapshot copies nothing beforehand. */
static u32 percent_synced(const struct cohort_rel *rel)
{
	u64 done = 0, total = 0;
	u32 i;

	if (rel->sync_type != COHORT_SYNC_TYPE_CLONE)
		return cohort_copy_has_cut(rel->state) ? 100 : 0;
	for (i = 0; i < rel->count; i++) {
		done += copied_bytes(rel, i) >> SECTOR_SHIFT;
		total += rel->member[i].source->size >> SECTOR_SHIFT;
	}
	return total ? mul_u64_u64_div_u64(done, 100, total) : 0;
}

static int put_rel_state(struct sk_buff *skb, const struct cohort_rel *rel)
{
	u32 percent = percent_synced(rel);

	return nla_put_u32(skb, COHORT_A_RELATIONSHIP_COPY_STATE, rel->state) ||
	       put_number(skb, COHORT_A_RELATIONSHIP_REQUESTED_COPY_STATE, rel->requested) ||
	       put_number(skb, COHORT_A_RELATIONSHIP_PROGRESS_STATUS, rel->progress) ||
	       nla_put_u32(skb, COHORT_A_RELATIONSHIP_PERCENT_SYNCED, percent) ||
	       cohort_nl_put_u64(skb, COHORT_A_RELATIONSHIP_EPOCH, common_epoch(rel)) ||
	       cohort_nl_put_u64(skb, COHORT_A_RELATIONSHIP_WHEN_SYNCED, rel->when) ||
	       nla_put_u32(skb, COHORT_A_RELATIONSHIP_MIXED, mixed_members(rel)) ||
	       cohort_nl_put_u64(skb, COHORT_A_RELATIONSHIP_SEAL_NS, rel->seal_ns) ||
	       cohort_nl_put_u64(skb, COHORT_A_RELATIONSHIP_GP_NS, rel->gp_ns) ||
	       put_text(skb, COHORT_A_RELATIONSHIP_REASON, rel->reason);
}

static int put_rel_name(struct sk_buff *skb, const void *object)
{
	const struct cohort_rel *rel = object;

	return nla_put_string(skb, COHORT_A_RELATIONSHIP_NAME, rel->name);
}

static int put_rel(struct sk_buff *skb, const void *object, bool members)
{
	const struct cohort_rel *rel = object;
	int err = 0;
	u32 i;

	if (put_rel_name(skb, rel) ||
	    put_uuid(skb, COHORT_A_RELATIONSHIP_UUID, &rel->uuid) ||
	    nla_put_string(skb, COHORT_A_RELATIONSHIP_POOL, rel->pool->name) ||
	    put_rel_settings(skb, rel) ||
	    put_rel_state(skb, rel))
		return -EMSGSIZE;
	for (i = 0; members && i < rel->count && !err; i++)
		err = put_rel_member(skb, COHORT_A_RELATIONSHIP_MEMBER, rel, i);
	return err;
}

const struct cohort_nl_kind cohort_nl_rel = {
	.get = COHORT_CMD_RELATIONSHIP_GET,
	.ntf = COHORT_CMD_RELATIONSHIP_NTF,
	.name = COHORT_A_RELATIONSHIP_NAME,
	.size = rel_size,
	.put = put_rel,
	.put_name = put_rel_name,
};

/* --- job --- */

static size_t job_size(const void *object)
{
	const struct cohort_job *job = object;
	size_t size = FIXED_SIZE;
	u32 i;

	for (i = 0; i < job->count; i++)
		size += member_size(job->member[i].name, 0);
	return size;
}

static u64 job_elapsed(const struct cohort_job *job)
{
	ktime_t until = cohort_job_ended(job) ? job->ended : ktime_get();

	return job->started ? ktime_to_ns(ktime_sub(until, job->started)) : 0;
}

static int put_job_member(struct sk_buff *skb, const struct cohort_job_member *m, u32 i)
{
	struct nlattr *nest = nla_nest_start(skb, COHORT_A_JOB_MEMBER);

	if (!nest || nla_put_u32(skb, COHORT_A_MEMBER_INDEX, i + 1) ||
	    nla_put_string(skb, COHORT_A_MEMBER_NAME, m->name) ||
	    nla_put_u32(skb, COHORT_A_MEMBER_ERRNO, -m->err))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_job_outcome(struct sk_buff *skb, const struct cohort_job *job)
{
	if (!cohort_job_ended(job))
		return 0;
	return nla_put_u32(skb, COHORT_A_JOB_RESULT, cohort_result(job->err)) ||
	       nla_put_u32(skb, COHORT_A_JOB_ERRNO, -job->err) ||
	       (job->err && put_text(skb, COHORT_A_JOB_MESSAGE, job->words.text));
}

static int put_job_work(struct sk_buff *skb, const struct cohort_job *job)
{
	s64 suspended = cohort_job_suspended_ns(job);

	if (suspended && cohort_nl_put_u64(skb, COHORT_A_JOB_SUSPENDED, suspended))
		return -EMSGSIZE;
	return job->total && (cohort_nl_put_u64(skb, COHORT_A_JOB_DONE, job->done) ||
			      cohort_nl_put_u64(skb, COHORT_A_JOB_TOTAL, job->total));
}

static int put_job_about(struct sk_buff *skb, const struct cohort_job *job)
{
	return put_text(skb, COHORT_A_JOB_POOL, job->pool) ||
	       put_text(skb, COHORT_A_JOB_SOURCE, job->source) ||
	       put_text(skb, COHORT_A_JOB_SOURCE_GROUP, job->source_group) ||
	       put_text(skb, COHORT_A_JOB_TARGET_GROUP, job->target_group) ||
	       put_text(skb, COHORT_A_JOB_RELATIONSHIP, job->rel);
}

static int put_job_name(struct sk_buff *skb, const void *object)
{
	const struct cohort_job *job = object;

	return cohort_nl_put_u64(skb, COHORT_A_JOB_ID, job->id);
}

static int put_job(struct sk_buff *skb, const void *object, bool members)
{
	const struct cohort_job *job = object;
	int err = 0;
	u32 i;

	if (put_job_name(skb, job) ||
	    nla_put_u32(skb, COHORT_A_JOB_METHOD, job->method) ||
	    nla_put_u32(skb, COHORT_A_JOB_STATE, job->state) ||
	    nla_put_u32(skb, COHORT_A_JOB_PERCENT, job->percent) ||
	    put_job_outcome(skb, job) ||
	    put_job_about(skb, job) ||
	    cohort_nl_put_u64(skb, COHORT_A_JOB_TIME_SUBMITTED, ktime_to_ns(job->submitted)) ||
	    cohort_nl_put_u64(skb, COHORT_A_JOB_ELAPSED, job_elapsed(job)) ||
	    put_job_work(skb, job))
		return -EMSGSIZE;
	for (i = 0; members && i < job->count && !err; i++)
		err = put_job_member(skb, &job->member[i], i);
	return err;
}

const struct cohort_nl_kind cohort_nl_job = {
	.get = COHORT_CMD_JOB_GET,
	.ntf = COHORT_CMD_JOB_NTF,
	.name = COHORT_A_JOB_ID,
	.size = job_size,
	.put = put_job,
	.put_name = put_job_name,
};
