// SPDX-License-Identifier: GPL-2.0-only
/* modify.c - operations on relationships (ModifyReplicaSynchronization) and their jobs. */
#include <linux/slab.h>
#include "copy.h"
#include "copying.h"
#include "cut.h"
#include "epoch.h"
#include "group.h"
#include "job.h"
#include "overlay.h"
#include "pool.h"
#include "registry.h"
#include "relate.h"
#include "replica.h"
#include "source.h"
#include "state.h"
#include "trace.h"

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
	err = cohort_relate_append(r);
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
			if (rel->member[i].epoch)
				cohort_source_live_del(rel->member[i].source, rel->member[i].epoch);
		mutex_unlock(&cohort_cut_mutex);
		cohort_relate_drop_maps(rel);
		cohort_relate_tell(r, COHORT_EVENT_REL_DELETED);
		trace_cohort_rel_state(rel->name, rel->state, COHORT_STATE_NONE);
		cohort_relate_forget(r);
	}
	mutex_unlock(&cohort_lock);
	if (!err)
		cohort_pool_prune(r->pool);
	mutex_unlock(&r->pool->catalog_mutex);
	/* what runs kept for it can be used again, too */
	if (!err)
		cohort_pool_tidy_wait(r->pool);
	cohort_relate_free(r);
	return err;
}

/* A generated group goes with its last relationship. */
static bool goes_too(const struct cohort_group *group)
{
	return (group->flags & COHORT_GROUP_FLAGS_GENERATED) && group->rels == 1;
}

static int check_unused(const struct cohort_rel *rel, struct cohort_words *words)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (rel->member[i].opens)
			return cohort_refuse(words, -EBUSY, "image %s_%u is in use", rel->name,
					     i + 1);
	for (i = 0; i < rel->count; i++)
		if (rel->member[i].copy && rel->member[i].copy->users)
			return cohort_refuse(words, -EBUSY, "clone %s_%u is in use", rel->name,
					     i + 1);
	return 0;
}

static struct cohort_job *start_delete(struct relate *r, struct cohort_words *words)
{
	struct cohort_rel *rel = r->rel;
	struct cohort_job *job;
	int err;

	err = check_unused(rel, words);
	if (err)
		return ERR_PTR(err);
	r->new_source_group = goes_too(rel->source_group);
	r->new_target_group = goes_too(rel->target_group);
	if ((r->new_source_group && rel->source_group->busy) ||
	    (r->new_target_group && rel->target_group->busy))
		return ERR_PTR(cohort_refuse(words, -EBUSY,
					     "a group of relationship \"%s\" is being changed",
					     rel->name));
	job = cohort_relate_job(COHORT_METHOD_RELATIONSHIP_MODIFY, r, run_delete);
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
		cohort_relate_tell(r, COHORT_EVENT_REL_SYNCHRONIZED);
		trace_cohort_rel_state(rel->name, r->from, rel->state);
	}
	mutex_unlock(&cohort_lock);
	if (!err)
		cohort_pool_prune(r->pool);
	mutex_unlock(&r->pool->catalog_mutex);
	cohort_relate_free(r);
	return err;
}

static struct cohort_job *start_reset(struct relate *r, struct cohort_words *words)
{
	struct cohort_job *job = cohort_relate_job(COHORT_METHOD_RELATIONSHIP_MODIFY, r, run_reset);

	if (!job)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the job"));
	cohort_pool_get(r->pool);
	r->rel->busy = true;
	r->rel->progress = COHORT_PROGRESS_STATUS_RESYNCING;
	cohort_job_start(job);
	return job;
}

static void end_copying(struct relate *r)
{
	mutex_lock(&cohort_lock);
	r->rel->busy = false;
	r->rel->progress = r->rel->state == COHORT_COPY_STATE_UNSYNCHRONIZED ?
		COHORT_PROGRESS_STATUS_SYNCHRONIZING : COHORT_PROGRESS_STATUS_COMPLETED;
	mutex_unlock(&cohort_lock);
	cohort_relate_free(r);
}

static int run_copying(struct cohort_job *job)
{
	struct relate *r = job->data;
	int err;

	if (r->state == COHORT_COPY_STATE_SUSPENDED)
		err = cohort_copying_suspend(r->rel, &job->words);
	else if (r->state == COHORT_COPY_STATE_ABORTED)
		err = cohort_copying_abort(r->rel, &job->words);
	else
		err = cohort_copying_resume(r->rel, &job->words);
	end_copying(r);
	return err;
}

/* Suspend, resume and abort of a clone. */
static struct cohort_job *start_copying(struct relate *r, u32 progress,
					struct cohort_words *words)
{
	struct cohort_job *job;
	int err = r->state == COHORT_COPY_STATE_ABORTED ? check_unused(r->rel, words) : 0;

	if (err)
		return ERR_PTR(err);
	job = cohort_relate_job(COHORT_METHOD_RELATIONSHIP_MODIFY, r, run_copying);
	if (!job)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the job"));
	cohort_pool_get(r->pool);
	r->rel->busy = true;
	r->rel->progress = progress;
	cohort_job_start(job);
	return job;
}

/* Another cut in place of the one it has; of a clone, copied where it differs. */
static struct cohort_job *start_renew(struct relate *r, struct cohort_words *words)
{
	int err = check_unused(r->rel, words);

	if (err)
		return ERR_PTR(err);
	r->renew = true;
	return cohort_relate_create(COHORT_METHOD_RELATIONSHIP_MODIFY, r, words);
}

static struct cohort_job *start_operation(struct relate *r, u32 operation,
					  const struct cohort_state_move *move,
					  struct cohort_words *words)
{
	switch (operation) {
	case COHORT_OPERATION_RETURN_TO_POOL:
	case COHORT_OPERATION_DETACH:
	case COHORT_OPERATION_DISSOLVE:
		return start_delete(r, words);
	case COHORT_OPERATION_SUSPEND:
	case COHORT_OPERATION_RESUME:
	case COHORT_OPERATION_ABORT:
		return start_copying(r, move->progress, words);
	case COHORT_OPERATION_RESET_REPLICA:
		return start_reset(r, words);
	case COHORT_OPERATION_RESYNC_REPLICA:
		return start_renew(r, words);
	default:
		return cohort_relate_create(COHORT_METHOD_RELATIONSHIP_MODIFY, r, words);
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
	job = start_operation(r, operation, move, words);
	if (IS_ERR(job)) {
		if (r->cut)
			cohort_cut_free(r->cut);
		kvfree(r->member);
		kfree(r);
	}
	return job;
}
