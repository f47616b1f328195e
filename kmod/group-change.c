// SPDX-License-Identifier: GPL-2.0-only
/* group-change.c - what may be asked of a group, and the jobs that do it. */
#include <linux/slab.h>
#include "group.h"
#include "job.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

/*
 * One change of one group, from its acceptance to the end of its job. From
 * acceptance on the group is busy and the sources in @member count one group
 * more, so that none can go; the catalog and the group change together at the
 * end or not at all.
 */
struct change {
	struct cohort_pool *pool;
	struct cohort_group *group;
	enum cohort_event event;	/* created, changed or deleted */
	struct cohort_source **member;	/* changed: the new list */
	u32 count;
	void *record;
	size_t len;
};

/* The group of that name when it can be changed now. */
static struct cohort_group *find_idle(const char *name, struct cohort_words *words)
{
	struct cohort_group *group = cohort_find_group(name);

	if (!group)
		return ERR_PTR(cohort_refuse(words, -ENOENT, "there is no group \"%s\"", name));
	if (group->busy || group->pending)
		return ERR_PTR(cohort_refuse(words, -EBUSY, "group \"%s\" is being changed", name));
	return group;
}

/* --- the job --- */

static void commit(struct change *c)
{
	struct cohort_group *group = c->group;

	group->busy = false;
	group->pending = false;
	if (c->event == COHORT_EVENT_GROUP_DELETED)
		cohort_group_unlink(group);
	if (c->event == COHORT_EVENT_GROUP_CHANGED) {
		cohort_group_set_members(group, c->member, c->count);
		cohort_members_count(c->member, c->count, -1);
		c->member = NULL;
	}
	cohort_notify(&(struct cohort_news) {
		.event = c->event, .pool = c->pool, .group = group,
	});
	if (c->event == COHORT_EVENT_GROUP_DELETED)
		cohort_group_free(group);
}

static void roll_back(struct change *c)
{
	c->group->busy = false;
	if (c->event == COHORT_EVENT_GROUP_CREATED) {
		cohort_group_unlink(c->group);
		cohort_group_free(c->group);
	}
	if (c->event == COHORT_EVENT_GROUP_CHANGED)
		cohort_members_count(c->member, c->count, -1);
}

static void free_change(struct change *c)
{
	cohort_pool_put(c->pool);
	kvfree(c->member);
	kvfree(c->record);
	kfree(c);
}

static int run_change(struct cohort_job *job)
{
	struct change *c = job->data;
	struct cohort_pool *pool = c->pool;
	int err;

	mutex_lock(&pool->catalog_mutex);
	err = cohort_pool_append(pool, c->record, c->len);
	mutex_lock(&cohort_lock);
	if (err)
		roll_back(c);
	else
		commit(c);
	mutex_unlock(&cohort_lock);
	mutex_unlock(&pool->catalog_mutex);
	free_change(c);
	if (err)
		cohort_refuse_append(&job->words, err, job->pool);
	return err;
}

static struct cohort_job *new_job(u32 method, struct change *c)
{
	struct cohort_job *job = cohort_job_new(method, 0, run_change, c);
	const struct cohort_group *group = c->group;

	if (!job)
		return NULL;
	strscpy(job->pool, c->pool->name, sizeof(job->pool));
	if (group->kind == COHORT_GROUP_KIND_TARGET)
		strscpy(job->target_group, group->name, sizeof(job->target_group));
	else
		strscpy(job->source_group, group->name, sizeof(job->source_group));
	return job;
}

/* @member, the new list of a group that is changed, is taken over when it succeeds. */
static struct change *new_change(enum cohort_event event, struct cohort_group *group,
				 struct cohort_source **member, u32 count, size_t len)
{
	struct change *c = kzalloc(sizeof(*c), GFP_NOIO);

	if (!c)
		return NULL;
	c->record = kvzalloc(len, GFP_NOIO);
	if (!c->record) {
		kfree(c);
		return NULL;
	}
	cohort_pool_get(group->pool);
	c->pool = group->pool;
	c->group = group;
	c->event = event;
	c->member = member;
	c->count = count;
	c->len = len;
	return c;
}

/* From here on the group is busy. @c may be NULL: there was no memory for it. */
static struct cohort_job *submit(u32 method, struct change *c, struct cohort_words *words)
{
	struct cohort_job *job = c ? new_job(method, c) : NULL;

	if (job) {
		c->group->busy = true;
		cohort_job_start(job);
		return job;
	}
	if (c)
		free_change(c);
	return ERR_PTR(cohort_refuse(words, -ENOMEM, "out of memory"));
}

/* --- requests --- */

static struct cohort_pool *only_pool(struct cohort_words *words)
{
	if (list_empty(&cohort_pools))
		return ERR_PTR(cohort_refuse_attr(words, -ENOENT, COHORT_A_GROUP_POOL,
						  "no pool is open"));
	if (!list_is_singular(&cohort_pools))
		return ERR_PTR(cohort_refuse_attr(words, -EINVAL, COHORT_A_GROUP_POOL,
						  "an empty group needs the name of its pool"));
	return list_first_entry(&cohort_pools, struct cohort_pool, list);
}

/* The pool that was named, or that of the members, or the only one. */
static struct cohort_pool *pick_pool(const char *name, const char *const *members, u32 count,
				     struct cohort_words *words)
{
	struct cohort_source *source = count ? cohort_find_source(members[0]) : NULL;
	struct cohort_pool *pool;

	if (name)
		pool = cohort_find_pool(name);
	else if (count)
		pool = source ? source->pool : NULL;
	else
		return only_pool(words);
	if (!pool && name)
		return ERR_PTR(cohort_refuse_attr(words, -ENOENT, COHORT_A_GROUP_POOL,
						  "there is no pool \"%s\"", name));
	if (!pool)
		return ERR_PTR(cohort_refuse_member(words, -ENOENT, 0,
						    "there is no source \"%s\"", members[0]));
	return pool;
}

static int check_pool(const struct cohort_pool *pool, struct cohort_words *words)
{
	if (READ_ONCE(pool->state) != COHORT_POOL_STATE_FAILED)
		return 0;
	return cohort_refuse(words, -EIO, "pool \"%s\" has failed: %s", pool->name,
			     pool->reason ? pool->reason : "no reason known");
}

/* The next free of the names that nobody thought of. */
static void make_name(struct cohort_pool *pool, char *name, size_t size)
{
	u32 n = pool->next_id;

	do {
		snprintf(name, size, "group%u", n++);
	} while (cohort_find_group(name));
}

static int check_new(const char *name, u32 kind, u32 count, struct cohort_words *words)
{
	int err = name ? cohort_check_name("group", name, words) : 0;

	if (err)
		return err;
	if (name && cohort_find_group(name))
		return cohort_refuse(words, -EEXIST, "group \"%s\" exists already", name);
	if (kind == COHORT_GROUP_KIND_TARGET && count)
		return cohort_refuse_member(words, -EINVAL, 0,
					    "the members of a target group are replicas, it takes no sources");
	return 0;
}

static struct cohort_job *new_group(struct cohort_group *group, struct cohort_words *words)
{
	struct change *c = new_change(COHORT_EVENT_GROUP_CREATED, group, NULL, 0,
				      cohort_group_record_len(group));
	struct cohort_job *job;

	if (c)
		cohort_group_encode(group, c->record);
	job = submit(COHORT_METHOD_GROUP_NEW, c, words);
	if (IS_ERR(job)) {
		cohort_group_free(group);
		return job;
	}
	group->pending = true;
	cohort_group_link(group);
	return job;
}

struct cohort_job *cohort_group_new(const char *name, const char *pool_name, u32 kind, u32 flags,
				    const char *const *members, u32 count,
				    struct cohort_words *words)
{
	char made[COHORT_NAME_MAX + 1];
	struct cohort_source **member;
	struct cohort_group *group;
	struct cohort_pool *pool;
	int err;

	kind = kind ? kind : COHORT_GROUP_KIND_SOURCE;
	err = check_new(name, kind, count, words);
	if (err)
		return ERR_PTR(err);
	pool = pick_pool(pool_name, members, count, words);
	if (IS_ERR(pool))
		return ERR_CAST(pool);
	err = check_pool(pool, words);
	if (err)
		return ERR_PTR(err);
	member = cohort_group_resolve(pool, members, count, words);
	if (IS_ERR(member))
		return ERR_CAST(member);
	make_name(pool, made, sizeof(made));
	group = cohort_group_alloc(pool, name ? name : made, kind, flags, member, count);
	kvfree(member);
	if (IS_ERR(group))
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "out of memory"));
	return new_group(group, words);
}

struct cohort_job *cohort_group_del(const char *name, bool remove_elements,
				    struct cohort_words *words)
{
	struct cohort_group *group = find_idle(name, words);
	struct change *c;
	int err;

	if (IS_ERR(group))
		return ERR_CAST(group);
	if (group->rels)
		return ERR_PTR(cohort_refuse(words, -EBUSY,
					     "group \"%s\" is in %u relationship(s)",
					     name, group->rels));
	if (group->count && !remove_elements)
		return ERR_PTR(cohort_refuse_attr(words, -ENOTEMPTY,
						  COHORT_A_GROUP_REMOVE_ELEMENTS,
						  "group \"%s\" has %u member(s) and remove-elements is not set",
						  name, group->count));
	err = check_pool(group->pool, words);
	if (err)
		return ERR_PTR(err);
	c = new_change(COHORT_EVENT_GROUP_DELETED, group, NULL, 0,
		       sizeof(struct cohort_disk_record));
	if (c)
		cohort_record_header(c->record, COHORT_REC_GROUP_DEL, group->id, c->len);
	return submit(COHORT_METHOD_GROUP_DEL, c, words);
}

static struct cohort_job *set_members(u32 method, struct cohort_group *group,
				      struct cohort_source **member, u32 count,
				      struct cohort_words *words)
{
	struct change *c = new_change(COHORT_EVENT_GROUP_CHANGED, group, member, count,
				      cohort_group_len_with(count));
	struct cohort_job *job;

	if (c)
		cohort_group_encode_with(group, member, count, c->record);
	else
		kvfree(member);
	job = submit(method, c, words);
	if (!IS_ERR(job))
		cohort_members_count(member, count, 1);
	return job;
}

static struct cohort_group *find_source_group(const char *name, struct cohort_words *words)
{
	struct cohort_group *group = find_idle(name, words);
	int err;

	if (IS_ERR(group))
		return group;
	if (group->kind != COHORT_GROUP_KIND_SOURCE)
		return ERR_PTR(cohort_refuse(words, -EINVAL,
					     "the members of target group \"%s\" are its relationship's",
					     name));
	err = check_pool(group->pool, words);
	return err ? ERR_PTR(err) : group;
}

/* The members of @group, and behind them those of @add that it has not yet. */
static struct cohort_source **joined(const struct cohort_group *group,
				     struct cohort_source *const *add, u32 *count,
				     struct cohort_words *words)
{
	struct cohort_source **member;
	u32 i, n = group->count;

	member = kvmalloc_array(n + *count, sizeof(*member), GFP_NOIO);
	if (!member)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "out of memory"));
	memcpy(member, group->member, n * sizeof(*member));
	for (i = 0; i < *count; i++)
		if (!cohort_members_have(member, n, add[i]))
			member[n++] = add[i];
	*count = n;
	if (n <= COHORT_MEMBERS_MAX)
		return member;
	kvfree(member);
	return ERR_PTR(cohort_refuse(words, -EINVAL, "group \"%s\" would have more than %u members",
				     group->name, COHORT_MEMBERS_MAX));
}

struct cohort_job *cohort_group_add(const char *name, const char *const *members, u32 count,
				    struct cohort_words *words)
{
	struct cohort_group *group = find_source_group(name, words);
	struct cohort_source **add, **member;

	if (IS_ERR(group))
		return ERR_CAST(group);
	/* CIM: to add a member again is not an error */
	add = cohort_members_resolve(group->pool, members, &count, true, words);
	if (IS_ERR(add))
		return ERR_CAST(add);
	member = joined(group, add, &count, words);
	kvfree(add);
	if (IS_ERR(member))
		return ERR_CAST(member);
	return set_members(COHORT_METHOD_GROUP_ADD, group, member, count, words);
}

/* The relationship of @group that has @source as a member. */
static const struct cohort_rel *rel_with(const struct cohort_group *group,
					 const struct cohort_source *source)
{
	const struct cohort_rel *rel;
	u32 i;

	list_for_each_entry(rel, &group->pool->rels, list) {
		if (rel->source_group != group)
			continue;
		for (i = 0; i < rel->count; i++)
			if (rel->member[i].source == source)
				return rel;
	}
	return NULL;
}

static int check_leaving(const struct cohort_group *group, struct cohort_source *const *leaving,
			 u32 count, struct cohort_words *words)
{
	u32 i;

	for (i = 0; i < count; i++) {
		const struct cohort_rel *rel = rel_with(group, leaving[i]);

		if (!cohort_members_have(group->member, group->count, leaving[i]))
			return cohort_refuse_member(words, -ENOENT, i,
						    "source \"%s\" is not in group \"%s\"",
						    leaving[i]->name, group->name);
		if (rel)
			return cohort_refuse_member(words, -EBUSY, i,
						    "source \"%s\" is in relationship \"%s\" of group \"%s\"",
						    leaving[i]->name, rel->name, group->name);
	}
	return 0;
}

/* The members of @group without those of @leaving. */
static struct cohort_source **rest(const struct cohort_group *group,
				   struct cohort_source *const *leaving, u32 *count,
				   struct cohort_words *words)
{
	struct cohort_source **member;
	u32 i, n = 0;

	member = kvmalloc_array(group->count, sizeof(*member), GFP_NOIO);
	if (!member)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "out of memory"));
	for (i = 0; i < group->count; i++)
		if (!cohort_members_have(leaving, *count, group->member[i]))
			member[n++] = group->member[i];
	*count = n;
	return member;
}

struct cohort_job *cohort_group_remove(const char *name, const char *const *members, u32 count,
				       struct cohort_words *words)
{
	struct cohort_group *group = find_source_group(name, words);
	struct cohort_source **leaving, **member;
	int err;

	if (IS_ERR(group))
		return ERR_CAST(group);
	leaving = cohort_group_resolve(group->pool, members, count, words);
	if (IS_ERR(leaving))
		return ERR_CAST(leaving);
	err = check_leaving(group, leaving, count, words);
	member = err ? ERR_PTR(err) : rest(group, leaving, &count, words);
	kvfree(leaving);
	if (IS_ERR(member))
		return ERR_CAST(member);
	return set_members(COHORT_METHOD_GROUP_REMOVE, group, member, count, words);
}
