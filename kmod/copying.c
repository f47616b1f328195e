// SPDX-License-Identifier: GPL-2.0-only
/* copying.c - copies the members of a clone as a job, and lets their cuts go when that is done. */
#include <linux/mm.h>
#include <linux/slab.h>
#include "copy.h"
#include "copying.h"
#include "epoch.h"
#include "group.h"
#include "job.h"
#include "log.h"
#include "plant.h"
#include "pool.h"
#include "registry.h"
#include "source.h"
#include "state.h"
#include "trace.h"

/* A request to the job is seen after so long at the latest. */
#define LOOK_EVERY	(HZ / 4)
/* So many looks in a row find tables of complete members alone: the others are not coming. */
#define LOOKS_IN_VAIN	40

static bool is_unsynchronized(const struct cohort_rel *rel, u32 member)
{
	return READ_ONCE(rel->member[member].state) == COHORT_COPY_STATE_UNSYNCHRONIZED;
}

/* ---- the hydrators ---- */

static void hydrated(void *data, int err)
{
	struct cohort_copy *copy = data;

	WRITE_ONCE(copy->failed, cohort_hydrator_failed(copy->hydrator));
	WRITE_ONCE(copy->outcome, err ? err : 1);
	wake_up_all(&copy->owner->copies);
}

static void start_copy(struct cohort_rel *rel, u32 member)
{
	struct cohort_copy *copy = rel->member[member].copy;

	lockdep_assert_held(&copy->mutex);
	if (!copy->hydrator || copy->running || READ_ONCE(rel->paused) ||
	    !is_unsynchronized(rel, member))
		return;
	WRITE_ONCE(copy->running, true);
	WRITE_ONCE(copy->outcome, 0);
	cohort_hydrator_start(copy->hydrator, hydrated, copy);
}

static void stop_copy(struct cohort_copy *copy)
{
	lockdep_assert_held(&copy->mutex);
	if (!copy->running)
		return;
	cohort_hydrator_stop(copy->hydrator);
	WRITE_ONCE(copy->failed, cohort_hydrator_failed(copy->hydrator));
	WRITE_ONCE(copy->running, false);
}

static void start_all(struct cohort_rel *rel)
{
	u32 i;

	for (i = 0; i < rel->count; i++) {
		mutex_lock(&rel->member[i].copy->mutex);
		start_copy(rel, i);
		mutex_unlock(&rel->member[i].copy->mutex);
	}
}

static void stop_all(struct cohort_rel *rel)
{
	u32 i;

	for (i = 0; i < rel->count; i++) {
		mutex_lock(&rel->member[i].copy->mutex);
		stop_copy(rel->member[i].copy);
		mutex_unlock(&rel->member[i].copy->mutex);
	}
}

/* ---- changes in the catalog ---- */

/* What members become of which @needs says so. */
struct change {
	bool (*needs)(const struct cohort_rel_member *m);
	u32 state;
	bool alone;			/* cut and map go */
	u32 only;			/* this member, or U32_MAX: all */
};

static bool concerns(const struct change *c, const struct cohort_rel *rel, u32 i)
{
	return (c->only == U32_MAX || c->only == i) && c->needs(&rel->member[i]);
}

static size_t change_len(const struct cohort_rel *rel)
{
	size_t len = cohort_rel_record_len(rel);
	u32 i;

	for (i = 0; i < rel->count; i++)
		len += cohort_copy_record_len(rel, i);
	return len;
}

/* The records as they would be. */
static size_t encode_change(const struct change *c, const struct cohort_rel *rel, void *buf)
{
	struct cohort_disk_rel *d = buf;
	size_t len = cohort_rel_encode(rel, d);
	u32 i;

	for (i = 0; i < rel->count; i++) {
		if (!concerns(c, rel, i))
			continue;
		d->member[i].state = cpu_to_le32(c->state);
		if (!c->alone)
			continue;
		d->member[i].epoch = 0;
		len += cohort_copy_encode(rel, i, false, buf + len);
	}
	return len;
}

static int append_change(const struct change *c, struct cohort_rel *rel)
{
	size_t len = 0;
	void *buf;
	int err;

	lockdep_assert_held(&rel->pool->catalog_mutex);
	mutex_lock(&cohort_lock);
	buf = kvzalloc(change_len(rel), GFP_NOIO);
	if (buf)
		len = encode_change(c, rel, buf);
	mutex_unlock(&cohort_lock);
	err = buf ? cohort_pool_append(rel->pool, buf, len) : -ENOMEM;
	kvfree(buf);
	return err;
}

static void let_go(struct cohort_rel *rel, struct cohort_rel_member *m)
{
	const u64 epoch = cohort_member_has_cut(m) ? m->epoch : 0;

	WRITE_ONCE(m->epoch, 0);
	/* pairs with the barrier in cohort_image_lost(): lost before its space is used anew */
	smp_wmb();
	mutex_lock(&cohort_cut_mutex);
	if (epoch)
		cohort_source_live_del(m->source, epoch);
	mutex_unlock(&cohort_cut_mutex);
	cohort_copy_drop_map(rel->pool, &m->copy->map);
}

static enum cohort_event event_of(u32 state)
{
	switch (state) {
	case COHORT_COPY_STATE_SYNCHRONIZED:
		return COHORT_EVENT_REL_SYNCHRONIZED;
	case COHORT_COPY_STATE_SUSPENDED:
		return COHORT_EVENT_REL_SUSPENDED;
	case COHORT_COPY_STATE_ABORTED:
		return COHORT_EVENT_REL_ABORTED;
	default:
		return COHORT_EVENT_REL_RESUMED;
	}
}

static void apply_change(const struct change *c, struct cohort_rel *rel)
{
	u32 from = rel->state, i;

	lockdep_assert_held(&cohort_lock);
	for (i = 0; i < rel->count; i++) {
		if (!concerns(c, rel, i))
			continue;
		if (c->alone)
			let_go(rel, &rel->member[i]);
		WRITE_ONCE(rel->member[i].state, c->state);
	}
	cohort_rel_update_state(rel);
	if (rel->state == from)
		return;
	rel->progress = rel->state == COHORT_COPY_STATE_UNSYNCHRONIZED ?
		COHORT_PROGRESS_STATUS_SYNCHRONIZING : COHORT_PROGRESS_STATUS_COMPLETED;
	trace_cohort_rel_state(rel->name, from, rel->state);
	cohort_notify(&(struct cohort_news) {
		.event = event_of(rel->state), .pool = rel->pool, .rel = rel,
		.group = rel->source_group,
	});
}

/* It may have become whole, or broken, since it was asked for. */
static bool concerns_any(const struct change *c, const struct cohort_rel *rel)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (concerns(c, rel, i))
			return true;
	return false;
}

static int change_locked(const struct change *c, struct cohort_rel *rel)
{
	int err;

	/* deleted meanwhile: it must not come back */
	if (READ_ONCE(rel->dead))
		return -ENODEV;
	if (!concerns_any(c, rel))
		return -EINVAL;
	err = append_change(c, rel);
	if (err)
		return err;
	mutex_lock(&cohort_lock);
	apply_change(c, rel);
	mutex_unlock(&cohort_lock);
	if (c->alone)
		cohort_pool_prune(rel->pool);
	return 0;
}

/* While the pool is suspended its device may be exchanged; waited for before the mutex. */
static int change(const struct change *c, struct cohort_rel *rel, struct cohort_words *words)
{
	int err;

	if (!cohort_pool_read_begin_wait(rel->pool))
		return cohort_refuse(words, -EIO, "pool \"%s\" is gone", rel->pool->name);
	mutex_lock(&rel->pool->catalog_mutex);
	err = change_locked(c, rel);
	mutex_unlock(&rel->pool->catalog_mutex);
	cohort_pool_read_end(rel->pool);
	if (err == -ENODEV)
		cohort_refuse(words, err, "relationship \"%s\" went", rel->name);
	else if (err == -EINVAL)
		cohort_refuse(words, err, "relationship \"%s\" is %s by now", rel->name,
			      cohort_state_copy_name(READ_ONCE(rel->state)));
	else if (err)
		cohort_refuse_append(words, err, rel->pool->name);
	return err;
}

static bool any(const struct cohort_rel_member *m)
{
	return true;
}

static bool being_copied(const struct cohort_rel_member *m)
{
	return m->state == COHORT_COPY_STATE_UNSYNCHRONIZED;
}

static bool resting(const struct cohort_rel_member *m)
{
	return m->state == COHORT_COPY_STATE_SUSPENDED;
}

int cohort_copying_suspend(struct cohort_rel *rel, struct cohort_words *words)
{
	const struct change c = {
		.needs = being_copied, .state = COHORT_COPY_STATE_SUSPENDED, .only = U32_MAX,
	};
	int err = change(&c, rel, words);

	if (err)
		return err;
	stop_all(rel);
	wake_up_all(&rel->copies);
	return 0;
}

int cohort_copying_abort(struct cohort_rel *rel, struct cohort_words *words)
{
	const struct change c = {
		.needs = any, .state = COHORT_COPY_STATE_ABORTED, .alone = true,
		.only = U32_MAX,
	};

	return change(&c, rel, words);
}

/* ---- one is complete ---- */

/* All of it is on its target, and nobody has said so yet. */
static bool is_copied(const struct cohort_rel_member *m)
{
	return READ_ONCE(m->copy->running) && READ_ONCE(m->copy->outcome) == 1 &&
		!cohort_member_stands_alone(m);
}

/* Nothing of the image is needed any more. */
static int complete_copy(struct cohort_rel *rel, u32 member)
{
	struct cohort_words words = { };
	const struct change c = {
		.needs = any, .state = COHORT_COPY_STATE_SYNCHRONIZED, .alone = true,
		.only = member,
	};
	struct cohort_copy *copy = rel->member[member].copy;
	int err = 0;

	lockdep_assert_held(&copy->mutex);
	if (!PLANTED("image-gone-early"))
		err = cohort_copymap_commit(copy->live, copy->clone->target);
	if (err)
		return err;
	cohort_copymap_end(copy->live);
	cohort_clone_leave_image(copy->clone);
	return change(&c, rel, &words);
}

/* A record that found no room or no memory is written later. */
static bool is_passing(int err)
{
	return err == -ENOMEM || err == -ENOSPC || err == -EAGAIN;
}

static void complete_copies(struct cohort_rel *rel)
{
	int err;
	u32 i;

	for (i = 0; i < rel->count; i++) {
		struct cohort_copy *copy = rel->member[i].copy;

		mutex_lock(&copy->mutex);
		err = is_copied(&rel->member[i]) ? complete_copy(rel, i) : 0;
		if (err && !is_passing(err))
			WRITE_ONCE(copy->outcome, err);
		mutex_unlock(&copy->mutex);
	}
}

/* ---- the job ---- */

struct sum {
	u64 done;			/* bytes */
	u64 total;
	u32 complete;			/* members */
	u32 tables;			/* have one */
	u32 active;
	u32 resting;
	u32 broken;
	u32 failed;			/* the first one from 1, or 0 */
	int err;			/* its */
};

static void add_member(struct cohort_rel *rel, u32 i, struct sum *sum)
{
	const struct cohort_rel_member *m = &rel->member[i];
	u64 chunks = cohort_copy_copied(rel, i);

	sum->total += m->source->size;
	if (chunks != U64_MAX)
		sum->done += min(chunks << (rel->pool->chunk_shift + SECTOR_SHIFT),
				 m->source->size);
	sum->tables += !!m->copy->users;
	sum->complete += m->state == COHORT_COPY_STATE_SYNCHRONIZED;
	sum->resting += m->state == COHORT_COPY_STATE_SUSPENDED;
	sum->broken += m->state == COHORT_COPY_STATE_BROKEN;
	if (m->state != COHORT_COPY_STATE_UNSYNCHRONIZED || !m->copy->users)
		return;
	if (READ_ONCE(m->copy->outcome) >= 0) {
		sum->active++;
	} else if (!sum->failed) {
		sum->failed = i + 1;
		sum->err = READ_ONCE(m->copy->outcome);
	}
}

static void note_member(struct cohort_job *job, const struct cohort_rel *rel, u32 i)
{
	const struct cohort_rel_member *m = &rel->member[i];
	int outcome = READ_ONCE(m->copy->outcome);

	job->member[i].err = outcome < 0 ? outcome : 0;
	job->member[i].state = m->state == COHORT_COPY_STATE_SYNCHRONIZED ?
		COHORT_JOB_STATE_COMPLETED : outcome < 0 ? COHORT_JOB_STATE_EXCEPTION :
		COHORT_JOB_STATE_RUNNING;
}

static void add_up(struct cohort_job *job, struct cohort_rel *rel, struct sum *sum)
{
	u32 i;

	memset(sum, 0, sizeof(*sum));
	mutex_lock(&cohort_lock);
	/* of one that is dead the sources may be gone */
	for (i = 0; i < rel->count && !rel->dead; i++) {
		add_member(rel, i, sum);
		note_member(job, rel, i);
	}
	mutex_unlock(&cohort_lock);
}

/* -EAGAIN: it goes on. */
static int judge(struct cohort_job *job, struct cohort_rel *rel, const struct sum *sum)
{
	if (READ_ONCE(rel->dead))
		return cohort_refuse(&job->words, -ENODEV, "relationship \"%s\" went", rel->name);
	if (sum->complete == rel->count)
		return 0;
	if (sum->active) {
		rel->vain_looks = 0;
		return -EAGAIN;
	}
	if (sum->resting)
		return cohort_refuse(&job->words, -ECANCELED, "relationship \"%s\" was suspended",
				     rel->name);
	if (sum->broken)
		return cohort_refuse(&job->words, -EIO, "relationship \"%s\" is broken: %s",
				     rel->name, rel->reason ? rel->reason : "its cut is lost");
	if (sum->failed)
		return cohort_refuse(&job->words, sum->err,
				     "member %u of \"%s\" could not be copied to its end",
				     sum->failed, rel->name);
	/* those that are complete have theirs: the others' may be on their way */
	if (sum->tables && ++rel->vain_looks < LOOKS_IN_VAIN)
		return -EAGAIN;
	return cohort_refuse(&job->words, -ENODEV,
			     "the devices of \"%s\" went: copying goes on when they come back",
			     rel->name);
}

/* Suspended it copies nothing; terminated the relationship is Suspended. */
static int obey(struct cohort_job *job, struct cohort_rel *rel)
{
	int err, ret;

	WRITE_ONCE(rel->paused, true);
	stop_all(rel);
	err = cohort_job_go_on(job);
	WRITE_ONCE(rel->paused, false);
	if (!err) {
		start_all(rel);
		return 0;
	}
	ret = cohort_copying_suspend(rel, &job->words);
	/* whole or broken by now: there is nothing to suspend */
	if (!ret || ret == -EINVAL)
		return err;
	/* not Suspended: a job that begins anew sees to it */
	start_all(rel);
	return ret;
}

static bool has_news(const struct cohort_rel *rel)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (is_copied(&rel->member[i]))
			return true;
	return false;
}

/* What could not be completed for the moment is news all the time: not too often. */
static void await_news(struct cohort_job *job, struct cohort_rel *rel)
{
	if (has_news(rel))
		schedule_timeout_idle(LOOK_EVERY);
	else
		wait_event_idle_timeout(rel->copies, has_news(rel) || READ_ONCE(job->request),
					LOOK_EVERY);
}

/* Each of the rest would fail by itself. */
static void stop_broken(struct cohort_rel *rel)
{
	u32 i;

	for (i = 0; i < rel->count; i++) {
		if (READ_ONCE(rel->member[i].state) != COHORT_COPY_STATE_BROKEN)
			continue;
		mutex_lock(&rel->member[i].copy->mutex);
		stop_copy(rel->member[i].copy);
		mutex_unlock(&rel->member[i].copy->mutex);
	}
}

static int copy_step(struct cohort_job *job, struct cohort_rel *rel)
{
	struct sum sum;
	int err;

	if (READ_ONCE(job->request)) {
		err = obey(job, rel);
		if (err)
			return err;
	}
	complete_copies(rel);
	stop_broken(rel);
	add_up(job, rel, &sum);
	cohort_job_advance(job, sum.done, sum.total);
	err = judge(job, rel, &sum);
	if (err == -EAGAIN)
		await_news(job, rel);
	return err;
}

/* Begun anew by a table or a request that saw this job under way, at its end. */
static bool was_begun(const struct cohort_rel *rel)
{
	u32 i;

	for (i = 0; i < rel->count && !rel->dead; i++) {
		const struct cohort_copy *copy = rel->member[i].copy;

		if (is_unsynchronized(rel, i) && READ_ONCE(copy->running) &&
		    READ_ONCE(copy->outcome) >= 0)
			return true;
	}
	return false;
}

static void see_to_it(struct cohort_rel *rel);

static int run_copy(struct cohort_job *job)
{
	struct cohort_rel *rel = job->data;
	struct cohort_pool *pool = rel->pool;
	bool again;
	int err;

	rel->vain_looks = 0;
	do
		err = copy_step(job, rel);
	while (err == -EAGAIN);
	mutex_lock(&cohort_lock);
	rel->copying = false;
	again = was_begun(rel);
	mutex_unlock(&cohort_lock);
	if (again)
		see_to_it(rel);
	cohort_rel_put(rel);
	cohort_pool_put(pool);
	return err;
}

static struct cohort_job *new_job(struct cohort_rel *rel)
{
	struct cohort_job *job = cohort_job_new(COHORT_METHOD_RELATIONSHIP_COPY, rel->count,
						run_copy, rel);
	u32 i;

	if (!job)
		return NULL;
	job->controllable = true;
	strscpy(job->pool, rel->pool->name, sizeof(job->pool));
	strscpy(job->rel, rel->name, sizeof(job->rel));
	strscpy(job->source_group, rel->source_group->name, sizeof(job->source_group));
	strscpy(job->target_group, rel->target_group->name, sizeof(job->target_group));
	for (i = 0; i < rel->count; i++)
		strscpy(job->member[i].name, rel->member[i].source->name,
			sizeof(job->member[i].name));
	return job;
}

/* One for all members, whichever table comes first. */
static void see_to_it(struct cohort_rel *rel)
{
	struct cohort_job *job;

	mutex_lock(&cohort_lock);
	if (!rel->copying && !rel->dead) {
		job = new_job(rel);
		if (job) {
			rel->copying = true;
			cohort_rel_get(rel);
			cohort_pool_get(rel->pool);
			cohort_job_start(job);
		} else {
			pr_warn("%s: no memory to copy %s: resume its devices once more\n",
				DM_MSG_PREFIX, rel->name);
		}
	}
	mutex_unlock(&cohort_lock);
	wake_up_all(&rel->copies);
}

/* ---- from tables and requests ---- */

void cohort_copying_begin(struct cohort_rel *rel, u32 member, struct cohort_clone *clone,
			  struct cohort_hydrator *hydrator)
{
	struct cohort_copy *copy = rel->member[member].copy;
	bool running;

	mutex_lock(&copy->mutex);
	copy->clone = clone;
	copy->hydrator = hydrator;
	start_copy(rel, member);
	running = copy->running;
	mutex_unlock(&copy->mutex);
	if (running)
		see_to_it(rel);
}

void cohort_copying_end(struct cohort_rel *rel, u32 member, struct cohort_clone *clone)
{
	struct cohort_copy *copy = rel->member[member].copy;

	mutex_lock(&copy->mutex);
	if (copy->clone == clone) {
		stop_copy(copy);
		copy->clone = NULL;
		copy->hydrator = NULL;
	}
	mutex_unlock(&copy->mutex);
}

int cohort_copying_resume(struct cohort_rel *rel, struct cohort_words *words)
{
	const struct change c = {
		.needs = resting, .state = COHORT_COPY_STATE_UNSYNCHRONIZED, .only = U32_MAX,
	};
	int err = change(&c, rel, words);
	bool tables = false;
	u32 i;

	if (err)
		return err;
	start_all(rel);
	mutex_lock(&cohort_lock);
	for (i = 0; i < rel->count; i++)
		tables |= rel->member[i].copy->users;
	mutex_unlock(&cohort_lock);
	if (tables)
		see_to_it(rel);
	return 0;
}
