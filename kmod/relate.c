// SPDX-License-Identifier: GPL-2.0-only
/* relate.c - makes and activates relationships: requests and their jobs. */
#include <linux/mm.h>
#include <linux/slab.h>
#include "claim.h"
#include "copy.h"
#include "cut.h"
#include "epoch.h"
#include "group.h"
#include "job.h"
#include "log.h"
#include "overlay.h"
#include "pool.h"
#include "registry.h"
#include "relate.h"
#include "replica.h"
#include "source.h"
#include "state.h"
#include "trace.h"

/* Seconds that writes wait for space when nobody says how long. */
#define HOLD_TIME	60

/* ---- what is asked for ---- */

static int check_values(const struct cohort_replicate_args *a, struct cohort_words *words)
{
	const char *why = NULL;

	if (a->sync_type < COHORT_SYNC_TYPE_MIRROR || a->sync_type > COHORT_SYNC_TYPE_CLONE)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_SYNC_TYPE,
					  "sync type %u is reserved", a->sync_type);
	if (!cohort_state_type_known(a->sync_type))
		return cohort_refuse_attr(words, -EOPNOTSUPP, COHORT_A_RELATIONSHIP_SYNC_TYPE,
					  "this module makes snapshots and clones only");
	if (a->wait_state && cohort_state_wait_legal(a->sync_type, COHORT_STATE_CREATE,
						     COHORT_STATE_NONE, a->wait_state)) {
		why = cohort_state_copy_name(a->wait_state);
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_WAIT_STATE,
					  "creation can not end in state %s",
					  why ? why : "reserved");
	}
	if (a->sync_type != COHORT_SYNC_TYPE_CLONE && a->nr_targets)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_TARGET,
					  "a snapshot has no targets");
	if (a->sync_type == COHORT_SYNC_TYPE_CLONE && a->remove_after)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_REMOVE_AFTER,
					  "a clone is not removed by itself");
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

/* ---- targets of a clone ---- */

static int check_target(const struct cohort_replicate_args *a, const struct cohort_group *source,
			u32 i, struct cohort_words *words)
{
	const struct cohort_target_args *t = &a->targets[i];
	u32 k;

	if (t->size < source->member[i]->size)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_TARGET,
					  "target %u has %llu bytes, source \"%s\" has %llu", i + 1,
					  t->size, source->member[i]->name,
					  source->member[i]->size);
	for (k = 0; k < i; k++)
		if (a->targets[k].dev == t->dev)
			return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_TARGET,
						  "targets %u and %u are one disk", k + 1, i + 1);
	for (k = 0; k < source->count; k++)
		if (source->member[k]->dm_dev == t->dev)
			return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_TARGET,
						  "target %u is source \"%s\"", i + 1,
						  source->member[k]->name);
	return cohort_claim_check(t->dev, NULL, NULL, COHORT_A_RELATIONSHIP_TARGET, words);
}

/* All of a clone is one batch of the log. */
static int check_records(struct cohort_pool *pool, const struct cohort_group *source,
			 struct cohort_words *words)
{
	const u32 shift = pool->chunk_shift + SECTOR_SHIFT;
	size_t len = 2 * cohort_group_record_len(source) +
		struct_size((struct cohort_disk_rel *)NULL, member, source->count);
	u64 chunks;
	u32 i;

	for (i = 0; i < source->count; i++) {
		chunks = DIV_ROUND_UP_ULL(source->member[i]->size, 1ull << shift);
		if (chunks > COHORT_MAP_CHUNKS_MAX)
			return cohort_refuse(words, -EINVAL,
					     "source \"%s\" has more chunks than can be cloned, %llu",
					     source->member[i]->name, COHORT_MAP_CHUNKS_MAX);
		len += cohort_copy_len_with(cohort_map_segments(chunks, pool->sb.segment_size));
	}
	if (len <= cohort_log_append_max(pool->log))
		return 0;
	return cohort_refuse(words, -EINVAL, "the records of %u clones do not fit into a batch",
			     source->count);
}

static int check_targets(struct cohort_pool *pool, const struct cohort_replicate_args *a,
			 const struct cohort_group *source, struct cohort_words *words)
{
	int err;
	u32 i;

	if (a->sync_type != COHORT_SYNC_TYPE_CLONE)
		return 0;
	err = check_records(pool, source, words);
	if (a->nr_targets != source->count)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_RELATIONSHIP_TARGET,
					  "a clone of %u sources needs as many targets, not %u",
					  source->count, a->nr_targets);
	for (i = 0; i < source->count && !err; i++)
		err = check_target(a, source, i, words);
	return err;
}

/* False without memory. */
static bool give_targets(struct cohort_rel *rel, const struct cohort_replicate_args *a)
{
	u32 i;

	for (i = 0; i < a->nr_targets; i++) {
		struct cohort_copy *copy = cohort_copy_new(&a->targets[i]);

		if (!copy)
			return false;
		cohort_copy_give(copy, rel, i);
	}
	return true;
}

void cohort_relate_drop_maps(struct cohort_rel *rel)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (rel->member[i].copy)
			cohort_copy_drop_map(rel->pool, &rel->member[i].copy->map);
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

static void *put_copies(void *at, const struct cohort_rel *rel)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (rel->member[i].copy)
			at += cohort_copy_encode(rel, i, true, at);
	return at;
}

/* A version that does not know clones must not come to read of one. */
static int allow_clones(struct relate *r)
{
	bool *clones = &r->pool->sb.clones;

	lockdep_assert_held(&r->pool->catalog_mutex);
	return r->rel->member[0].copy && !*clones ? cohort_pool_set_feature(r->pool, clones) : 0;
}

/* All records of the change, one batch. Caller holds catalog_mutex. */
int cohort_relate_append(struct relate *r)
{
	struct cohort_rel *rel = r->rel;
	size_t room = cohort_rel_record_len(rel) + cohort_group_record_len(rel->source_group) +
		cohort_group_record_len(rel->target_group) + cohort_copy_records_len(rel) +
		(3 + rel->count) * sizeof(struct cohort_disk_record);
	void *buf = kvzalloc(room, GFP_NOIO), *at = buf;
	bool del = r->state == COHORT_STATE_NONE;
	int err = buf ? allow_clones(r) : -ENOMEM;

	if (err) {
		kvfree(buf);
		return err;
	}
	mutex_lock(&cohort_lock);
	at = put_group(at, rel->source_group, r->new_source_group && !del);
	at = put_group(at, rel->target_group, r->new_target_group && !del);
	if (!del)
		at = put_copies(at + cohort_rel_encode(rel, at), rel);
	if (r->renew)
		at += cohort_overlay_put_dels(rel, at);
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
void cohort_relate_forget(struct relate *r)
{
	struct cohort_group *source = r->rel->source_group, *target = r->rel->target_group;

	cohort_rel_unlink(r->rel);
	drop_group(target, r->new_target_group);
	drop_group(source, r->new_source_group);
	cohort_rel_put(r->rel);
}

void cohort_relate_tell(struct relate *r, enum cohort_event event)
{
	cohort_notify(&(struct cohort_news) {
		.event = event, .pool = r->pool, .rel = r->rel, .group = r->rel->source_group,
	});
}

/* ---- create and activate ---- */

/* What a member has, for what it had: once more and it is undone. */
static void exchange(struct relate *r, u32 i)
{
	struct cohort_rel_member *m = &r->rel->member[i];
	struct relate_member *old = &r->member[i];
	u64 epoch = m->epoch;
	u32 state = m->state;

	WRITE_ONCE(m->epoch, old->epoch);
	old->epoch = epoch;
	swap(m->when, old->when);
	swap(m->mixed, old->mixed);
	swap(m->err, old->err);
	WRITE_ONCE(m->state, old->state);
	old->state = state;
	if (!m->copy)
		return;
	swap(m->copy->map, old->map);
	swap(m->copy->compare, old->compare);
}

static void take_cut(struct relate *r)
{
	struct cohort_rel *rel = r->rel;
	u32 i;

	rel->gp_ns = r->cut->gp_ns;
	rel->seal_ns = r->cut->seal_ns;
	for (i = 0; i < rel->count; i++) {
		struct cohort_cut_member *c = &r->cut->member[i];
		struct relate_member *m = &r->member[i];

		m->err = c->err;
		m->epoch = c->err ? 0 : c->epoch;
		m->when = c->when;
		m->mixed = c->mixed;
		m->state = c->err ? COHORT_COPY_STATE_BROKEN : r->state;
		m->compare = r->renew;
		exchange(r, i);
		if (rel->member[i].copy)
			rel->member[i].copy->copied = 0;
	}
	cohort_rel_update_state(rel);
}

static void note_members(const struct relate *r, struct cohort_job *job)
{
	u32 i;

	mutex_lock(&cohort_lock);
	for (i = 0; i < r->cut->count; i++) {
		job->member[i].err = r->cut->member[i].err;
		job->member[i].state = job->member[i].err ? COHORT_JOB_STATE_EXCEPTION :
			COHORT_JOB_STATE_COMPLETED;
	}
	mutex_unlock(&cohort_lock);
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
	note_members(r, job);
	return err;
}

/* The pool ran out of space and took this cut back before it was durable. */
static int check_overrun(struct relate *r, struct cohort_job *job)
{
	if (!READ_ONCE(r->rel->overrun))
		return 0;
	return cohort_refuse(&job->words, -ENOSPC, "pool \"%s\" is full", r->pool->name);
}

bool cohort_relate_is_clone(const struct relate *r)
{
	return r->rel->sync_type == COHORT_SYNC_TYPE_CLONE;
}

/* What it had before is nobody's any more. */
static void leave_old_cut(struct relate *r)
{
	u32 i;

	/* no longer the epoch, then what was kept for it: pairs with cohort_diff_holds() */
	smp_wmb();
	mutex_lock(&cohort_cut_mutex);
	for (i = 0; i < r->rel->count; i++)
		if (cohort_copy_has_cut(r->member[i].state) && r->member[i].epoch)
			cohort_source_live_del(r->rel->member[i].source, r->member[i].epoch);
	mutex_unlock(&cohort_cut_mutex);
	for (i = 0; i < r->rel->count; i++)
		cohort_overlay_drop(r->rel, i);
}

static void commit(struct relate *r)
{
	if (r->renew)
		leave_old_cut(r);
	r->rel->renewing = false;
	r->rel->reason = NULL;
	r->rel->requested = COHORT_COPY_STATE_NOT_APPLICABLE;
	r->rel->progress = !r->cut ? COHORT_PROGRESS_STATUS_DORMANT :
		cohort_relate_is_clone(r) ? COHORT_PROGRESS_STATUS_SYNCHRONIZING :
		COHORT_PROGRESS_STATUS_COMPLETED;
	r->rel->busy = false;
	r->rel->pending = false;
	if (r->new_source_group)
		r->rel->source_group->pending = false;
	if (r->new_target_group)
		r->rel->target_group->pending = false;
	if (r->new_rel)
		cohort_relate_tell(r, COHORT_EVENT_REL_CREATED);
	if (r->cut && !cohort_relate_is_clone(r))
		cohort_relate_tell(r, COHORT_EVENT_REL_SYNCHRONIZED);
	else if (r->renew)
		cohort_relate_tell(r, COHORT_EVENT_REL_RESUMED);
	cohort_pool_look(r->pool);
	trace_cohort_rel_state(r->rel->name, r->from, r->rel->state);
}

/* The log failed, and broke what it had meanwhile. */
static void break_old_cut(struct relate *r)
{
	u32 i;

	mutex_lock(&cohort_cut_mutex);
	for (i = 0; i < r->rel->count; i++) {
		struct cohort_rel_member *m = &r->rel->member[i];

		if (!cohort_member_has_cut(m))
			continue;
		WRITE_ONCE(m->state, COHORT_COPY_STATE_BROKEN);
		/* as break_member() */
		smp_wmb();
		cohort_source_live_del(m->source, m->epoch);
		cohort_overlay_drop(r->rel, i);
	}
	mutex_unlock(&cohort_cut_mutex);
}

/* To the cut that it had; @taken: it had the new one already. */
static void keep_old_cut(struct relate *r, bool taken)
{
	u32 i;

	for (i = 0; taken && i < r->rel->count; i++)
		exchange(r, i);
	if (r->rel->overrun)
		break_old_cut(r);
	cohort_rel_update_state(r->rel);
	r->rel->progress = COHORT_PROGRESS_STATUS_COMPLETED;
}

/* To where nothing had been cut. */
static void uncut(struct relate *r, bool taken)
{
	u32 i;

	for (i = 0; i < r->rel->count; i++) {
		if (taken)
			exchange(r, i);
		r->rel->member[i].epoch = 0;
	}
	cohort_rel_set_state(r->rel, r->from);
	r->rel->progress = COHORT_PROGRESS_STATUS_DORMANT;
}

/* As if it never was asked for: nothing of it is in the catalog. */
static void roll_back(struct relate *r, bool taken)
{
	r->rel->busy = false;
	r->rel->renewing = false;
	cohort_relate_tell(r, COHORT_EVENT_REL_FAILED);
	r->rel->requested = COHORT_COPY_STATE_NOT_APPLICABLE;
	if (r->renew)
		keep_old_cut(r, taken);
	else
		uncut(r, taken);
	if (r->new_rel)
		cohort_relate_forget(r);
	/* what was busy was looked at by nobody */
	cohort_pool_look(r->pool);
}

/*
 * Those of maps that it did not come to use, or has done with. Where the log failed
 * nobody knows which record is there, and which map it names.
 */
static void drop_other_maps(struct relate *r)
{
	u32 i;

	for (i = 0; i < r->count; i++) {
		if (!READ_ONCE(r->pool->log->failed))
			cohort_copy_drop_map(r->pool, &r->member[i].map);
		else
			kvfree(r->member[i].map.segment);
	}
}

void cohort_relate_free(struct relate *r)
{
	if (r->cut)
		cohort_cut_free(r->cut);
	cohort_pool_put(r->pool);
	kvfree(r->member);
	kfree(r);
}

/* Of members that were cut one by one, or failed, it is known now. */
static bool has_new_cut(void *ctx, u32 member)
{
	const struct relate *r = ctx;

	return !r->cut->member[member].err && r->cut->member[member].epoch;
}

/* Before the record that says of them: a crash leaves segments that nobody names. */
static int make_maps(struct relate *r, struct cohort_job *job)
{
	int err;

	mutex_lock(&r->pool->catalog_mutex);
	err = allow_clones(r);
	mutex_unlock(&r->pool->catalog_mutex);
	if (!err) {
		struct cohort_map *maps = kvcalloc(r->rel->count, sizeof(*maps), GFP_NOIO);
		u32 i;

		err = maps ? cohort_copy_make_maps(r->rel, has_new_cut, r, maps) : -ENOMEM;
		for (i = 0; maps && i < r->rel->count; i++)
			r->member[i].map = maps[i];
		kvfree(maps);
	}
	if (err == -ENOSPC)
		return cohort_refuse(&job->words, err, "pool \"%s\" has no room for copy maps",
				     r->pool->name);
	if (err)
		cohort_refuse_append(&job->words, err, r->pool->name);
	return err;
}

/* The records, and what they say in memory. Caller holds catalog_mutex. */
static int make_durable(struct relate *r, struct cohort_job *job)
{
	int err;

	if (r->cut) {
		mutex_lock(&cohort_lock);
		take_cut(r);
		mutex_unlock(&cohort_lock);
	}
	err = cohort_relate_append(r);
	if (err)
		cohort_refuse_append(&job->words, err, r->pool->name);
	return err;
}

static int run_create(struct cohort_job *job)
{
	struct relate *r = job->data;
	int err = r->cut ? seal_cut(r, job) : 0;
	bool taken = false;

	if (!err && r->cut && cohort_relate_is_clone(r))
		err = make_maps(r, job);
	if (!err)
		cohort_job_progress(job, 50);
	/* from here to the end no checkpoint sees what is not decided */
	mutex_lock(&r->pool->catalog_mutex);
	if (!err)
		err = check_overrun(r, job);
	if (!err) {
		err = make_durable(r, job);
		taken = r->cut;
	}
	if (err)
		cohort_pool_settle(r->pool);
	if (err && r->cut)
		cohort_cut_abort(r->cut);
	mutex_lock(&cohort_lock);
	if (err)
		roll_back(r, taken);
	else
		commit(r);
	mutex_unlock(&cohort_lock);
	drop_other_maps(r);
	/* also of a cut that came to nothing: before the old one breaks for want of room */
	if (r->renew && !READ_ONCE(r->pool->log->failed)) {
		cohort_pool_prune(r->pool);
		r->pool->holding = false;
	}
	mutex_unlock(&r->pool->catalog_mutex);
	cohort_relate_free(r);
	return err;
}

struct cohort_job *cohort_relate_job(u32 method, struct relate *r,
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

	if (!cohort_copy_has_cut(r->state))
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
	/* so that a full pool can break it; one that has a cut is left in peace meanwhile */
	for (i = 0; i < rel->count && !err && !r->renew; i++)
		rel->member[i].epoch = r->cut->member[i].epoch;
	rel->renewing = r->renew && !err;
	return err;
}

/* Last of all the cut: behind it nothing may fail. */
struct cohort_job *cohort_relate_create(u32 method, struct relate *r, struct cohort_words *words)
{
	struct cohort_job *job = cohort_relate_job(method, r, run_create);
	int err;

	if (!job)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the job"));
	r->count = r->rel->count;
	r->member = kvcalloc(r->count, sizeof(*r->member), GFP_NOIO);
	err = r->member ? cut_now(r, words) :
		cohort_refuse(words, -ENOMEM, "no memory for the members");
	if (err) {
		cohort_job_discard(job);
		return ERR_PTR(err);
	}
	cohort_pool_get(r->pool);
	r->rel->busy = true;
	r->rel->requested = r->state;
	r->rel->progress = r->renew ? COHORT_PROGRESS_STATUS_RESYNCING :
		COHORT_PROGRESS_STATUS_INITIALIZING;
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
	if (!give_targets(rel, a)) {
		cohort_rel_put(rel);
		return NULL;
	}
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
	int err = check_targets(r->pool, a, source, words);

	if (err)
		return ERR_PTR(err);
	target = target_group(r->pool, a, &r->new_target_group, words);
	if (IS_ERR(target))
		return ERR_CAST(target);
	r->rel = new_rel(r->pool, a, source, target);
	if (!r->rel) {
		if (r->new_target_group)
			cohort_group_free(target);
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the relationship"));
	}
	if (!cohort_copy_has_cut(r->state))
		cohort_rel_set_state(r->rel, r->state);
	link_all(r);
	job = cohort_relate_create(COHORT_METHOD_GROUP_REPLICA_NEW, r, words);
	if (IS_ERR(job)) {
		bool keep = r->new_source_group;

		/* the caller frees the source group it may have made */
		if (keep)
			cohort_group_unlink(source);
		r->new_source_group = false;
		cohort_relate_forget(r);
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
	/* that is where it gets when all has been copied */
	if (a->sync_type == COHORT_SYNC_TYPE_CLONE && r->state == COHORT_COPY_STATE_SYNCHRONIZED)
		r->state = COHORT_COPY_STATE_UNSYNCHRONIZED;
	group = source_group(pool, group, a, &r->new_source_group, words);
	job = IS_ERR(group) ? ERR_CAST(group) : create(r, a, group, words);
	if (IS_ERR(job)) {
		if (r->cut)
			cohort_cut_free(r->cut);
		if (r->new_source_group)
			cohort_group_free(group);
		kvfree(r->member);
		kfree(r);
	}
	return job;
}
