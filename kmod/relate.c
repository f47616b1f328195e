// SPDX-License-Identifier: GPL-2.0-only
/* relate.c - makes, activates and deletes relationships: requests and their jobs. */
#include <linux/mm.h>
#include <linux/slab.h>
#include "cut.h"
#include "epoch.h"
#include "group.h"
#include "job.h"
#include "overlay.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"
#include "state.h"
#include "trace.h"

/* Seconds that writes wait for space when nobody says how long. */
#define HOLD_TIME	60

/*
 * One request, from its acceptance to the end of its job. The relationship is
 * linked and busy meanwhile, and, while it is new, pending: names are taken
 * but nobody is shown it. In the catalog it appears or goes with one batch.
 */
struct relate {
	struct cohort_pool *pool;
	struct cohort_rel *rel;
	struct cohort_cut *cut;		/* NULL: nothing is cut */
	u32 state;			/* where it leads */
	u32 from;			/* where it was, of one that is not new */
	bool new_rel;
	bool new_source_group;
	bool new_target_group;
	bool go_on;			/* OnGroupOrListError: Continue */
};

/* ---- what is asked for ---- */

static int check_values(const struct cohort_replicate_args *a, struct cohort_words *words)
{
	const char *why = NULL;

	if (a->sync_type < COHORT_SYNC_TYPE_MIRROR || a->sync_type > COHORT_SYNC_TYPE_CLONE)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_SYNC_TYPE,
					  "sync type %u is reserved", a->sync_type);
	if (!cohort_state_type_known(a->sync_type))
		return cohort_refuse_attr(words, -EOPNOTSUPP, COHORT_A_RELATIONSHIP_SYNC_TYPE,
					  "this module makes snapshots only");
	if (a->wait_state && cohort_state_wait_legal(a->sync_type, COHORT_STATE_CREATE,
						     COHORT_STATE_NONE, a->wait_state)) {
		why = cohort_state_copy_name(a->wait_state);
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_WAIT_STATE,
					  "creation can not end in state %s",
					  why ? why : "reserved");
	}
	if (a->hold_time && !(a->flags & COHORT_RELATIONSHIP_FLAGS_HOLD_ON_FULL))
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_HOLD_TIME,
					  "a time to hold writes needs FailedCopyStopsHostIO");
	return 0;
}

static bool same_members(const struct cohort_group *group, struct cohort_source **member, u32 count)
{
	u32 i;

	if (group->count != count)
		return false;
	for (i = 0; i < count; i++)
		if (group->member[i] != member[i])
			return false;
	return true;
}

static struct cohort_pool *pick_pool(const struct cohort_replicate_args *a,
				     struct cohort_group *group, struct cohort_words *words)
{
	struct cohort_pool *pool = group ? group->pool : NULL;
	struct cohort_source *source;

	if (!pool && a->count) {
		source = cohort_find_source(a->members[0]);
		if (!source)
			return ERR_PTR(cohort_refuse_member(words, -ENOENT, 0,
							    "there is no source \"%s\"",
							    a->members[0]));
		pool = source->pool;
	}
	if (!pool)
		return ERR_PTR(cohort_refuse(words, -EINVAL, "no source was named"));
	if (a->pool && strcmp(a->pool, pool->name))
		return ERR_PTR(cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_POOL,
						  "the sources are in pool \"%s\", not in \"%s\"",
						  pool->name, a->pool));
	if (READ_ONCE(pool->state) == COHORT_POOL_STATE_FAILED)
		return ERR_PTR(cohort_refuse(words, -EIO, "pool \"%s\" has failed: %s", pool->name,
					     pool->reason));
	return pool;
}

/* A name nobody has: @stem and the first free number from the pool's ids. */
static void make_name(char *name, const char *stem, u32 from, bool (*taken)(const char *name))
{
	do {
		snprintf(name, COHORT_NAME_MAX + 1, "%s%u", stem, from++);
	} while (taken(name));
}

static bool rel_taken(const char *name)
{
	return cohort_find_rel(name);
}

static bool group_taken(const char *name)
{
	return cohort_find_group(name);
}

/* The source group that is there, or a new one for the members. */
static struct cohort_group *source_group(struct cohort_pool *pool, struct cohort_group *group,
					 const struct cohort_replicate_args *a, bool *made,
					 struct cohort_words *words)
{
	struct cohort_source **member = NULL;
	char name[COHORT_NAME_MAX + 1];
	u32 flags = a->source_group ? 0 : COHORT_GROUP_FLAGS_GENERATED;

	if (a->count) {
		member = cohort_group_resolve(pool, a->members, a->count, words);
		if (IS_ERR(member))
			return ERR_CAST(member);
	}
	if (group) {
		bool same = !member || same_members(group, member, a->count);

		kvfree(member);
		if (!same)
			return ERR_PTR(cohort_refuse_attr(words, -EINVAL,
							  COHORT_A_RELATIONSHIP_SOURCE_GROUP,
							  "group \"%s\" has other members",
							  group->name));
		return group;
	}
	if (a->source_group)
		strscpy(name, a->source_group, sizeof(name));
	else
		make_name(name, "group", pool->next_id, group_taken);
	group = cohort_group_alloc(pool, name, COHORT_GROUP_KIND_SOURCE, flags, member, a->count);
	kvfree(member);
	if (!IS_ERR(group))
		*made = true;
	return group;
}

static int check_source_group(const struct cohort_group *group, struct cohort_words *words)
{
	if (group->kind != COHORT_GROUP_KIND_SOURCE)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_SOURCE_GROUP,
					  "group \"%s\" is a target group", group->name);
	if (group->busy || group->pending)
		return cohort_refuse_attr(words, -EBUSY, COHORT_A_RELATIONSHIP_SOURCE_GROUP,
					  "group \"%s\" is being changed", group->name);
	if (!group->count)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_SOURCE_GROUP,
					  "group \"%s\" is empty", group->name);
	return 0;
}

static struct cohort_group *target_group(struct cohort_pool *pool,
					 const struct cohort_replicate_args *a, bool *made,
					 struct cohort_words *words)
{
	struct cohort_group *group = a->target_group ? cohort_find_group(a->target_group) : NULL;
	char name[COHORT_NAME_MAX + 1];

	if (!group) {
		if (a->target_group)
			return ERR_PTR(cohort_refuse_attr(words, -ENOENT,
							  COHORT_A_RELATIONSHIP_TARGET_GROUP,
							  "there is no group \"%s\"",
							  a->target_group));
		make_name(name, "targets", pool->next_id, group_taken);
		group = cohort_group_alloc(pool, name, COHORT_GROUP_KIND_TARGET,
					   COHORT_GROUP_FLAGS_GENERATED, NULL, 0);
		if (!IS_ERR(group))
			*made = true;
		return group;
	}
	if (group->kind != COHORT_GROUP_KIND_TARGET || group->pool != pool)
		return ERR_PTR(cohort_refuse_attr(words, -EINVAL,
						  COHORT_A_RELATIONSHIP_TARGET_GROUP,
						  "group \"%s\" can not take replicas of pool \"%s\"",
						  group->name, pool->name));
	if (group->rels || group->busy || group->pending)
		return ERR_PTR(cohort_refuse_attr(words, -EBUSY,
						  COHORT_A_RELATIONSHIP_TARGET_GROUP,
						  "group \"%s\" holds the replicas of another relationship",
						  group->name));
	return group;
}

/* ---- records ---- */

static void *put_group(void *at, const struct cohort_group *group, bool yes)
{
	return yes ? at + cohort_group_encode(group, at) : at;
}

static void *put_del(void *at, u16 type, u32 id, bool yes)
{
	if (!yes)
		return at;
	cohort_record_header(at, type, id, sizeof(struct cohort_disk_record));
	return at + sizeof(struct cohort_disk_record);
}

/* All records of the change, one batch. Caller holds catalog_mutex. */
static int append_change(struct relate *r)
{
	struct cohort_rel *rel = r->rel;
	size_t room = cohort_rel_record_len(rel) + cohort_group_record_len(rel->source_group) +
		cohort_group_record_len(rel->target_group) + 3 * sizeof(struct cohort_disk_record);
	void *buf = kvzalloc(room, GFP_NOIO), *at = buf;
	bool del = r->state == COHORT_STATE_NONE;
	int err;

	if (!buf)
		return -ENOMEM;
	mutex_lock(&cohort_lock);
	at = put_group(at, rel->source_group, r->new_source_group && !del);
	at = put_group(at, rel->target_group, r->new_target_group && !del);
	if (!del)
		at += cohort_rel_encode(rel, at);
	at = put_del(at, COHORT_REC_REL_DEL, rel->id, del);
	at = put_del(at, COHORT_REC_GROUP_DEL, rel->source_group->id, del && r->new_source_group);
	at = put_del(at, COHORT_REC_GROUP_DEL, rel->target_group->id, del && r->new_target_group);
	mutex_unlock(&cohort_lock);
	err = cohort_pool_append(r->pool, buf, at - buf);
	kvfree(buf);
	return err;
}

static void drop_group(struct cohort_group *group, bool yes)
{
	if (!yes)
		return;
	cohort_group_unlink(group);
	cohort_group_free(group);
}

/* Takes the relationship, and the groups that came with it, out of memory. */
static void forget(struct relate *r)
{
	struct cohort_group *source = r->rel->source_group, *target = r->rel->target_group;

	cohort_rel_unlink(r->rel);
	drop_group(target, r->new_target_group);
	drop_group(source, r->new_source_group);
	cohort_rel_put(r->rel);
}

static void tell(struct relate *r, enum cohort_event event)
{
	cohort_notify(&(struct cohort_news) {
		.event = event, .pool = r->pool, .rel = r->rel, .group = r->rel->source_group,
	});
}

/* ---- create and activate ---- */

static void take_cut(struct relate *r, struct cohort_job *job)
{
	struct cohort_rel *rel = r->rel;
	u32 i;

	rel->gp_ns = r->cut->gp_ns;
	rel->seal_ns = r->cut->seal_ns;
	for (i = 0; i < rel->count; i++) {
		struct cohort_cut_member *c = &r->cut->member[i];
		struct cohort_rel_member *m = &rel->member[i];

		m->err = c->err;
		m->epoch = c->err ? 0 : c->epoch;
		m->when = c->when;
		m->mixed = c->mixed;
		WRITE_ONCE(m->state, c->err ? COHORT_COPY_STATE_BROKEN : r->state);
		job->member[i].err = c->err;
		job->member[i].state = c->err ? COHORT_JOB_STATE_EXCEPTION :
			COHORT_JOB_STATE_COMPLETED;
	}
	cohort_rel_update_state(rel);
}

/* Continue: members that failed are Broken, the others have their cut. */
static int seal_cut(struct relate *r, struct cohort_job *job)
{
	u32 i, good = 0;
	int err = cohort_cut_seal(r->cut, &job->words);

	for (i = 0; i < r->cut->count; i++)
		good += !r->cut->member[i].err;
	if (err && r->go_on && good) {
		for (i = 0; i < r->cut->count; i++)
			if (r->cut->member[i].err)
				cohort_cut_drop_member(r->cut, i);
		err = 0;
	}
	return err;
}

/* The pool ran out of space and took this cut back before it was durable. */
static int check_overrun(struct relate *r, struct cohort_job *job)
{
	if (!READ_ONCE(r->rel->overrun))
		return 0;
	return cohort_refuse(&job->words, -ENOSPC, "pool \"%s\" is full", r->pool->name);
}

static void commit(struct relate *r)
{
	r->rel->requested = COHORT_COPY_STATE_NOT_APPLICABLE;
	r->rel->progress = r->cut ? COHORT_PROGRESS_STATUS_COMPLETED :
		COHORT_PROGRESS_STATUS_DORMANT;
	r->rel->busy = false;
	r->rel->pending = false;
	if (r->new_source_group)
		r->rel->source_group->pending = false;
	if (r->new_target_group)
		r->rel->target_group->pending = false;
	if (r->new_rel)
		tell(r, COHORT_EVENT_REL_CREATED);
	if (r->cut)
		tell(r, COHORT_EVENT_REL_SYNCHRONIZED);
	cohort_pool_look(r->pool);
	trace_cohort_rel_state(r->rel->name, r->from, r->rel->state);
}

/* As if it never was asked for: nothing of it is in the catalog. */
static void roll_back(struct relate *r)
{
	u32 i;

	r->rel->busy = false;
	tell(r, COHORT_EVENT_REL_FAILED);
	if (r->new_rel) {
		forget(r);
		return;
	}
	for (i = 0; i < r->rel->count; i++)
		r->rel->member[i].epoch = 0;
	cohort_rel_set_state(r->rel, r->from);
	r->rel->requested = COHORT_COPY_STATE_NOT_APPLICABLE;
	r->rel->progress = COHORT_PROGRESS_STATUS_DORMANT;
}

static void free_relate(struct relate *r)
{
	if (r->cut)
		cohort_cut_free(r->cut);
	cohort_pool_put(r->pool);
	kfree(r);
}

static int run_create(struct cohort_job *job)
{
	struct relate *r = job->data;
	int err = r->cut ? seal_cut(r, job) : 0;

	if (!err)
		cohort_job_progress(job, 50);
	/* from here to the end no checkpoint sees what is not decided */
	mutex_lock(&r->pool->catalog_mutex);
	if (!err)
		err = check_overrun(r, job);
	if (r->cut) {
		mutex_lock(&cohort_lock);
		take_cut(r, job);
		mutex_unlock(&cohort_lock);
	}
	if (!err) {
		err = append_change(r);
		if (err)
			cohort_refuse_append(&job->words, err, r->pool->name);
	}
	if (err)
		cohort_pool_settle(r->pool);
	if (err && r->cut)
		cohort_cut_abort(r->cut);
	mutex_lock(&cohort_lock);
	if (err)
		roll_back(r);
	else
		commit(r);
	mutex_unlock(&cohort_lock);
	mutex_unlock(&r->pool->catalog_mutex);
	free_relate(r);
	return err;
}

static struct cohort_job *new_job(u32 method, struct relate *r,
				  int (*run)(struct cohort_job *job))
{
	struct cohort_rel *rel = r->rel;
	struct cohort_job *job = cohort_job_new(method, rel->count, run, r);
	u32 i;

	if (!job)
		return NULL;
	strscpy(job->pool, r->pool->name, sizeof(job->pool));
	strscpy(job->rel, rel->name, sizeof(job->rel));
	strscpy(job->source_group, rel->source_group->name, sizeof(job->source_group));
	strscpy(job->target_group, rel->target_group->name, sizeof(job->target_group));
	for (i = 0; i < rel->count; i++) {
		strscpy(job->member[i].name, rel->member[i].source->name,
			sizeof(job->member[i].name));
		job->member[i].state = COHORT_JOB_STATE_RUNNING;
	}
	return job;
}

/* The cut itself, if one is asked for. */
static int cut_now(struct relate *r, struct cohort_words *words)
{
	struct cohort_rel *rel = r->rel;
	int err;
	u32 i;

	if (r->state != COHORT_COPY_STATE_SYNCHRONIZED)
		return 0;
	rel->overrun = false;
	r->cut = cohort_cut_prepare(r->pool, &rel->member[0].source, sizeof(rel->member[0]),
				    rel->count, rel->consistency == COHORT_CONSISTENCY_SEQUENTIAL,
				    words);
	if (IS_ERR(r->cut)) {
		err = PTR_ERR(r->cut);
		r->cut = NULL;
		return err;
	}
	err = cohort_cut_flip(r->cut, words);
	for (i = 0; i < rel->count && !err; i++)
		rel->member[i].epoch = r->cut->member[i].epoch;
	return err;
}

/* Last of all the cut: behind it nothing may fail. */
static struct cohort_job *start_create(u32 method, struct relate *r, struct cohort_words *words)
{
	struct cohort_job *job = new_job(method, r, run_create);
	int err;

	if (!job)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the job"));
	err = cut_now(r, words);
	if (err) {
		cohort_job_discard(job);
		return ERR_PTR(err);
	}
	cohort_pool_get(r->pool);
	r->rel->busy = true;
	r->rel->requested = r->state;
	r->rel->progress = COHORT_PROGRESS_STATUS_INITIALIZING;
	cohort_job_start(job);
	return job;
}

static struct cohort_rel *new_rel(struct cohort_pool *pool, const struct cohort_replicate_args *a,
				  struct cohort_group *source, struct cohort_group *target)
{
	char name[COHORT_NAME_MAX + 1];
	struct cohort_rel *rel;
	u32 i;

	if (a->name)
		strscpy(name, a->name, sizeof(name));
	else
		make_name(name, "rel", pool->next_id, rel_taken);
	rel = cohort_rel_alloc(pool, name, source->count);
	if (!rel)
		return NULL;
	rel->sync_type = a->sync_type;
	rel->mode = a->mode ? a->mode : COHORT_MODE_SYNCHRONOUS;
	rel->consistency = a->consistency;
	if (!rel->consistency)
		rel->consistency = source->flags & COHORT_GROUP_FLAGS_NO_CONSISTENCY ?
			COHORT_CONSISTENCY_NONE : COHORT_CONSISTENCY_SEQUENTIAL;
	rel->flags = a->flags;
	rel->space_limit = a->space_limit;
	rel->remove_after = a->remove_after;
	if (a->flags & COHORT_RELATIONSHIP_FLAGS_HOLD_ON_FULL)
		rel->hold_time = a->hold_time ? a->hold_time : HOLD_TIME;
	rel->source_group = source;
	rel->target_group = target;
	for (i = 0; i < rel->count; i++) {
		rel->member[i].source = source->member[i];
		rel->member[i].state = COHORT_COPY_STATE_INITIALIZED;
	}
	rel->pending = true;
	cohort_rel_update_state(rel);
	return rel;
}

static void link_all(struct relate *r)
{
	if (r->new_source_group) {
		r->rel->source_group->pending = true;
		cohort_group_link(r->rel->source_group);
	}
	if (r->new_target_group) {
		r->rel->target_group->pending = true;
		cohort_group_link(r->rel->target_group);
	}
	cohort_rel_link(r->rel);
}

static struct cohort_job *create(struct relate *r, const struct cohort_replicate_args *a,
				 struct cohort_group *source, struct cohort_words *words)
{
	struct cohort_group *target;
	struct cohort_job *job;

	target = target_group(r->pool, a, &r->new_target_group, words);
	if (IS_ERR(target))
		return ERR_CAST(target);
	r->rel = new_rel(r->pool, a, source, target);
	if (!r->rel) {
		if (r->new_target_group)
			cohort_group_free(target);
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the relationship"));
	}
	if (r->state != COHORT_COPY_STATE_SYNCHRONIZED)
		cohort_rel_set_state(r->rel, r->state);
	link_all(r);
	job = start_create(COHORT_METHOD_GROUP_REPLICA_NEW, r, words);
	if (IS_ERR(job)) {
		bool keep = r->new_source_group;

		/* the caller frees the source group it may have made */
		if (keep)
			cohort_group_unlink(source);
		r->new_source_group = false;
		forget(r);
		r->new_source_group = keep;
	}
	return job;
}

struct cohort_job *cohort_replicate(const struct cohort_replicate_args *a,
				    struct cohort_words *words)
{
	struct cohort_group *group = a->source_group ? cohort_find_group(a->source_group) : NULL;
	struct cohort_pool *pool;
	struct cohort_job *job;
	struct relate *r;
	int err;

	lockdep_assert_held(&cohort_lock);
	err = check_values(a, words);
	if (!err && a->name)
		err = cohort_check_name("relationship", a->name, words);
	if (!err && a->name && cohort_find_rel(a->name))
		err = cohort_refuse(words, -EEXIST, "relationship \"%s\" exists", a->name);
	if (!err && a->source_group && !group)
		err = a->count ? cohort_check_name("group", a->source_group, words) :
			cohort_refuse_attr(words, -ENOENT, COHORT_A_RELATIONSHIP_SOURCE_GROUP,
					   "there is no group \"%s\"", a->source_group);
	if (!err && group)
		err = check_source_group(group, words);
	if (err)
		return ERR_PTR(err);
	pool = pick_pool(a, group, words);
	if (IS_ERR(pool))
		return ERR_CAST(pool);
	r = kzalloc(sizeof(*r), GFP_NOIO);
	if (!r)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the request"));
	r->pool = pool;
	r->new_rel = true;
	r->go_on = a->on_error == COHORT_ON_ERROR_CONTINUE;
	r->state = a->wait_state ? a->wait_state : COHORT_COPY_STATE_SYNCHRONIZED;
	group = source_group(pool, group, a, &r->new_source_group, words);
	job = IS_ERR(group) ? ERR_CAST(group) : create(r, a, group, words);
	if (IS_ERR(job)) {
		if (r->cut)
			cohort_cut_free(r->cut);
		if (r->new_source_group)
			cohort_group_free(group);
		kfree(r);
	}
	return job;
}

/* ---- modify ---- */

/* Those that go with the relationship: nobody may use them until it is gone, or stays. */
static void set_groups_busy(struct relate *r, bool busy)
{
	if (r->new_source_group)
		r->rel->source_group->busy = busy;
	if (r->new_target_group)
		r->rel->target_group->busy = busy;
}

static int run_delete(struct cohort_job *job)
{
	struct relate *r = job->data;
	struct cohort_rel *rel = r->rel;
	int err;
	u32 i;

	mutex_lock(&r->pool->catalog_mutex);
	err = append_change(r);
	mutex_lock(&cohort_lock);
	rel->busy = false;
	if (err) {
		rel->progress = COHORT_PROGRESS_STATUS_COMPLETED;
		set_groups_busy(r, false);
		cohort_refuse_append(&job->words, err, r->pool->name);
	} else {
		/* durable: now, not before, nothing needs to be preserved for it */
		mutex_lock(&cohort_cut_mutex);
		for (i = 0; i < rel->count; i++)
			cohort_source_live_del(rel->member[i].source, rel->member[i].epoch);
		mutex_unlock(&cohort_cut_mutex);
		tell(r, COHORT_EVENT_REL_DELETED);
		trace_cohort_rel_state(rel->name, rel->state, COHORT_STATE_NONE);
		forget(r);
	}
	mutex_unlock(&cohort_lock);
	if (!err)
		cohort_pool_prune(r->pool);
	mutex_unlock(&r->pool->catalog_mutex);
	/* what runs kept for it can be used again, too */
	if (!err)
		cohort_pool_tidy_wait(r->pool);
	free_relate(r);
	return err;
}

/* A generated group goes with its last relationship. */
static bool goes_too(const struct cohort_group *group)
{
	return (group->flags & COHORT_GROUP_FLAGS_GENERATED) && group->rels == 1;
}

static struct cohort_job *start_delete(struct relate *r, struct cohort_words *words)
{
	struct cohort_rel *rel = r->rel;
	struct cohort_job *job;
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (rel->member[i].opens)
			return ERR_PTR(cohort_refuse(words, -EBUSY, "image %s_%u is in use",
						     rel->name, i + 1));
	r->new_source_group = goes_too(rel->source_group);
	r->new_target_group = goes_too(rel->target_group);
	if ((r->new_source_group && rel->source_group->busy) ||
	    (r->new_target_group && rel->target_group->busy))
		return ERR_PTR(cohort_refuse(words, -EBUSY,
					     "a group of relationship \"%s\" is being changed",
					     rel->name));
	job = new_job(COHORT_METHOD_RELATIONSHIP_MODIFY, r, run_delete);
	if (!job)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the job"));
	set_groups_busy(r, true);
	cohort_pool_get(r->pool);
	rel->busy = true;
	rel->progress = COHORT_PROGRESS_STATUS_TERMINATING;
	cohort_job_start(job);
	return job;
}

static int reset(struct relate *r, struct cohort_words *words)
{
	int err;

	lockdep_assert_held(&r->pool->catalog_mutex);
	/* it may have broken before this came to its turn; nothing breaks it now */
	if (!cohort_copy_has_cut(READ_ONCE(r->rel->state)))
		return cohort_refuse(words, -EIO, "relationship \"%s\" is %s", r->rel->name,
				     cohort_state_copy_name(r->rel->state));
	err = cohort_overlay_reset(r->rel);
	if (err)
		cohort_refuse_append(words, err, r->pool->name);
	return err;
}

static int run_reset(struct cohort_job *job)
{
	struct relate *r = job->data;
	struct cohort_rel *rel = r->rel;
	int err;

	mutex_lock(&r->pool->catalog_mutex);
	err = reset(r, &job->words);
	mutex_lock(&cohort_lock);
	rel->busy = false;
	rel->progress = COHORT_PROGRESS_STATUS_COMPLETED;
	if (!err) {
		tell(r, COHORT_EVENT_REL_SYNCHRONIZED);
		trace_cohort_rel_state(rel->name, r->from, rel->state);
	}
	mutex_unlock(&cohort_lock);
	if (!err)
		cohort_pool_prune(r->pool);
	mutex_unlock(&r->pool->catalog_mutex);
	free_relate(r);
	return err;
}

static struct cohort_job *start_reset(struct relate *r, struct cohort_words *words)
{
	struct cohort_job *job = new_job(COHORT_METHOD_RELATIONSHIP_MODIFY, r, run_reset);

	if (!job)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the job"));
	cohort_pool_get(r->pool);
	r->rel->busy = true;
	r->rel->progress = COHORT_PROGRESS_STATUS_RESYNCING;
	cohort_job_start(job);
	return job;
}

static struct cohort_job *start_operation(struct relate *r, u32 operation,
					  struct cohort_words *words)
{
	switch (operation) {
	case COHORT_OPERATION_RETURN_TO_POOL:
		return start_delete(r, words);
	case COHORT_OPERATION_RESET_REPLICA:
		return start_reset(r, words);
	default:
		return start_create(COHORT_METHOD_RELATIONSHIP_MODIFY, r, words);
	}
}

struct cohort_job *cohort_rel_modify(const char *name, u32 operation, bool force,
				     struct cohort_words *words)
{
	struct cohort_rel *rel = cohort_find_rel(name);
	const struct cohort_state_move *move;
	struct cohort_job *job;
	struct relate *r;
	const char *why;
	int err;

	lockdep_assert_held(&cohort_lock);
	if (!rel)
		return ERR_PTR(cohort_refuse(words, -ENOENT, "there is no relationship \"%s\"",
					     name));
	if (rel->busy || rel->pending)
		return ERR_PTR(cohort_refuse(words, -EBUSY, "relationship \"%s\" is being changed",
					     name));
	err = cohort_state_operation_legal(rel->sync_type, rel->state, operation, force, &move,
					   &why);
	if (err)
		return ERR_PTR(cohort_refuse_attr(words, err, COHORT_A_RELATIONSHIP_OPERATION,
						  "relationship \"%s\": %s", name, why));
	r = kzalloc(sizeof(*r), GFP_NOIO);
	if (!r)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the request"));
	r->pool = rel->pool;
	r->rel = rel;
	r->state = move->to;
	r->from = rel->state;
	job = start_operation(r, operation, words);
	if (IS_ERR(job)) {
		if (r->cut)
			cohort_cut_free(r->cut);
		kfree(r);
	}
	return job;
}
