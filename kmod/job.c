// SPDX-License-Identifier: GPL-2.0-only
/* job.c - work that has to wait for I/O: queues it, runs it, keeps its outcome readable. */
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "job.h"
#include "registry.h"

#define KEEP_MS		(300 * MSEC_PER_SEC)
#define EXPIRY_PERIOD	(5 * HZ)
/*
 * Finished jobs kept at most: a script that takes a snapshot a second must not
 * fill the memory with what nobody will read.
 */
#define KEEP_MAX	1024
/* An event for so much progress. */
#define TOLD_PERCENT	5

static LIST_HEAD(jobs);			/* by id; cohort_lock, as the next three */
static u32 nr_jobs;
static u32 nr_ended;
static u64 last_id;
static struct workqueue_struct *job_wq;
/* Of those that may sleep for as long as somebody likes: nobody's memory waits for them. */
static struct workqueue_struct *long_wq;

static void expire_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(expiry, expire_work);

static void free_job(struct kref *kref)
{
	struct cohort_job *job = container_of(kref, struct cohort_job, kref);

	kvfree(job->member);
	kfree(job);
}

static void forget(struct cohort_job *job)
{
	list_del(&job->list);
	nr_jobs--;
	if (cohort_job_ended(job))
		nr_ended--;
	kref_put(&job->kref, free_job);
}

static bool expired(const struct cohort_job *job, ktime_t now)
{
	return nr_ended > KEEP_MAX || ktime_compare(now, ktime_add_ms(job->ended, KEEP_MS)) >= 0;
}

static void expire_jobs(void)
{
	ktime_t now = ktime_get();
	struct cohort_job *job, *next;

	list_for_each_entry_safe(job, next, &jobs, list)
		if (cohort_job_ended(job) && expired(job, now))
			forget(job);
}

static void expire_work(struct work_struct *work)
{
	mutex_lock(&cohort_lock);
	expire_jobs();
	if (nr_ended)
		queue_delayed_work(job_wq, &expiry, EXPIRY_PERIOD);
	mutex_unlock(&cohort_lock);
}

static void tell(struct cohort_job *job)
{
	const struct cohort_news news = {
		.event = COHORT_EVENT_JOB_CHANGED,
		.pool = cohort_find_pool(job->pool),
		.job = job,
	};

	cohort_notify(&news);
}

static void begin(struct cohort_job *job)
{
	mutex_lock(&cohort_lock);
	job->started = ktime_get();
	if (job->request != COHORT_JOB_REQUEST_TERMINATE) {
		job->state = COHORT_JOB_STATE_RUNNING;
		tell(job);
	}
	mutex_unlock(&cohort_lock);
}

static bool was_terminated(const struct cohort_job *job, int err)
{
	return err == -ECANCELED && job->request == COHORT_JOB_REQUEST_TERMINATE;
}

static void end(struct cohort_job *job, int err)
{
	mutex_lock(&cohort_lock);
	job->err = err;
	job->ended = ktime_get();
	job->state = err ? COHORT_JOB_STATE_EXCEPTION : COHORT_JOB_STATE_COMPLETED;
	if (was_terminated(job, err)) {
		job->state = COHORT_JOB_STATE_TERMINATED;
		cohort_refuse(&job->words, err, "job %llu was terminated", job->id);
	}
	if (!err)
		job->percent = 100;
	nr_ended++;
	tell(job);
	expire_jobs();
	queue_delayed_work(job_wq, &expiry, EXPIRY_PERIOD);
	mutex_unlock(&cohort_lock);
}

static void job_work(struct work_struct *work)
{
	struct cohort_job *job = container_of(work, struct cohort_job, work);
	/* it takes locks that making room in a full pool needs */
	unsigned int noio = memalloc_noio_save();

	begin(job);
	end(job, job->run(job));
	memalloc_noio_restore(noio);
	kref_put(&job->kref, free_job);
	/*
	 * From here on the module may go. Its exit destroys the queue, which
	 * waits until this function has returned.
	 */
	module_put(THIS_MODULE);
}

struct cohort_job *cohort_job_new(u32 method, u32 count, int (*run)(struct cohort_job *job),
				  void *data)
{
	/* cohort_lock may be held: reclaim must not wait for a device of ours */
	const gfp_t gfp = GFP_NOIO | __GFP_ZERO | __GFP_ACCOUNT;
	struct cohort_job *job = kmalloc(sizeof(*job), gfp);

	if (!job)
		return NULL;
	if (count) {
		job->member = kvmalloc_array(count, sizeof(*job->member), gfp);
		if (!job->member) {
			kfree(job);
			return NULL;
		}
	}
	kref_init(&job->kref);
	INIT_LIST_HEAD(&job->list);
	INIT_WORK(&job->work, job_work);
	init_waitqueue_head(&job->wait);
	job->method = method;
	job->state = COHORT_JOB_STATE_NEW;
	job->count = count;
	job->run = run;
	job->data = data;
	return job;
}

void cohort_job_start(struct cohort_job *job)
{
	lockdep_assert_held(&cohort_lock);
	/*
	 * The caller runs inside the module, so a module that is going can not
	 * be missed here: its exit would still wait for the job.
	 */
	__module_get(THIS_MODULE);
	job->id = ++last_id;
	job->submitted = ktime_get_real();
	job->state = COHORT_JOB_STATE_STARTING;
	kref_get(&job->kref);		/* the worker's */
	list_add_tail(&job->list, &jobs);
	nr_jobs++;
	tell(job);
	queue_work(job->controllable ? long_wq : job_wq, &job->work);
}

void cohort_job_discard(struct cohort_job *job)
{
	kref_put(&job->kref, free_job);
}

void cohort_job_progress(struct cohort_job *job, u32 percent)
{
	mutex_lock(&cohort_lock);
	job->percent = min(percent, 100u);
	tell(job);
	mutex_unlock(&cohort_lock);
}

void cohort_job_advance(struct cohort_job *job, u64 done, u64 total)
{
	u32 percent = total ? div64_u64(100 * done, total) : 0, before;

	mutex_lock(&cohort_lock);
	before = job->percent;
	job->done = done;
	job->total = total;
	job->percent = percent;
	if (percent / TOLD_PERCENT != before / TOLD_PERCENT)
		tell(job);
	mutex_unlock(&cohort_lock);
}

/* ---- suspended and terminated ---- */

static bool is_suspended(const struct cohort_job *job)
{
	return READ_ONCE(job->request) == COHORT_JOB_REQUEST_SUSPEND;
}

static void set_suspended(struct cohort_job *job)
{
	lockdep_assert_held(&cohort_lock);
	if (job->state == COHORT_JOB_STATE_SUSPENDED)
		return;
	job->state = COHORT_JOB_STATE_SUSPENDED;
	job->suspended = ktime_get();
	tell(job);
}

/* To @state, which it tells of. */
static void end_suspended(struct cohort_job *job, u32 state)
{
	lockdep_assert_held(&cohort_lock);
	job->suspended_ns = cohort_job_suspended_ns(job);
	job->suspended = 0;
	job->state = state;
	tell(job);
}

/* Who asks for something else says so himself: the sleeper need not wake for it. */
static void rest(struct cohort_job *job)
{
	mutex_lock(&cohort_lock);
	while (is_suspended(job)) {
		job->resting = true;
		set_suspended(job);
		mutex_unlock(&cohort_lock);
		/* as long as somebody likes: not a task that hangs */
		wait_event_idle(job->wait, !is_suspended(job));
		mutex_lock(&cohort_lock);
		job->resting = false;
	}
	mutex_unlock(&cohort_lock);
}

int cohort_job_go_on(struct cohort_job *job)
{
	if (is_suspended(job))
		rest(job);
	return READ_ONCE(job->request) == COHORT_JOB_REQUEST_TERMINATE ? -ECANCELED : 0;
}

s64 cohort_job_suspended_ns(const struct cohort_job *job)
{
	lockdep_assert_held(&cohort_lock);
	return job->suspended_ns +
		(job->suspended ? ktime_to_ns(ktime_sub(ktime_get(), job->suspended)) : 0);
}

/* Why a job can not be asked for that now; NULL if it can. */
static const char *cannot(const struct cohort_job *job, u32 request)
{
	if (cohort_job_ended(job))
		return "has ended";
	if (job->request == COHORT_JOB_REQUEST_TERMINATE)
		return "is being terminated";
	if (request == COHORT_JOB_REQUEST_SUSPEND && is_suspended(job))
		return "is suspended already";
	if (request == COHORT_JOB_REQUEST_START && !is_suspended(job))
		return "is not suspended";
	return NULL;
}

static int check_request(const struct cohort_job *job, u64 id, u32 request,
			 struct cohort_words *words)
{
	const char *why;

	if (!job)
		return cohort_refuse(words, -ENOENT, "there is no job %llu", id);
	why = cannot(job, request);
	if (why)
		return cohort_refuse(words, -EINVAL, "job %llu %s", id, why);
	if (!job->controllable)
		return cohort_refuse(words, -EOPNOTSUPP,
				     "job %llu can be neither suspended nor terminated", id);
	return 0;
}

struct cohort_job *cohort_job_request(u64 id, u32 request, struct cohort_words *words)
{
	struct cohort_job *job = cohort_job_find(id);
	int err = check_request(job, id, request, words);

	if (err)
		return ERR_PTR(err);
	WRITE_ONCE(job->request, request == COHORT_JOB_REQUEST_START ? 0 : request);
	if (request == COHORT_JOB_REQUEST_TERMINATE)
		end_suspended(job, COHORT_JOB_STATE_SHUTTING_DOWN);
	else if (job->resting && is_suspended(job))
		set_suspended(job);
	else if (job->resting)
		end_suspended(job, COHORT_JOB_STATE_RUNNING);
	wake_up_all(&job->wait);
	return job;
}

void cohort_job_release(const char *pool)
{
	struct cohort_job *job;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(job, &jobs, list) {
		if (strcmp(job->pool, pool))
			continue;
		job->controllable = false;
		if (is_suspended(job))
			WRITE_ONCE(job->request, 0);
		if (job->state == COHORT_JOB_STATE_SUSPENDED)
			end_suspended(job, COHORT_JOB_STATE_RUNNING);
		wake_up_all(&job->wait);
	}
}

struct cohort_job *cohort_job_of_pool(u32 method, const char *pool)
{
	struct cohort_job *job;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(job, &jobs, list)
		if (job->method == method && !cohort_job_ended(job) && !strcmp(job->pool, pool))
			return job;
	return NULL;
}

/* ---- to be found ---- */

struct cohort_job *cohort_job_find(u64 id)
{
	struct cohort_job *job = id ? cohort_job_next(id - 1) : NULL;

	return job && job->id == id ? job : NULL;
}

struct cohort_job *cohort_job_next(u64 after_id)
{
	struct cohort_job *job;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(job, &jobs, list)
		if (job->id > after_id)
			return job;
	return NULL;
}

u32 cohort_job_count(void)
{
	lockdep_assert_held(&cohort_lock);
	return nr_jobs;
}

u32 cohort_result(int err)
{
	switch (err) {
	case 0:
		return COHORT_RESULT_COMPLETED;
	case -EOPNOTSUPP:
		return COHORT_RESULT_NOT_SUPPORTED;
	case -ETIMEDOUT:
		return COHORT_RESULT_TIMEOUT;
	case -EINVAL:
	case -ENODEV:
	case -ENOENT:
	case -EEXIST:
	case -ERANGE:
		return COHORT_RESULT_INVALID_PARAMETER;
	case -EBUSY:
		return COHORT_RESULT_IN_USE;
	}
	return COHORT_RESULT_FAILED;
}

int cohort_job_init(void)
{
	/*
	 * Writes to a full pool wait until a cut that is under way is resolved.
	 * Jobs wait for each other's log writes, so many must be able to run.
	 */
	job_wq = alloc_workqueue("cohort_job", WQ_UNBOUND | WQ_MEM_RECLAIM, WQ_MAX_ACTIVE);
	long_wq = alloc_workqueue("cohort_long_job", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (job_wq && long_wq)
		return 0;
	if (job_wq)
		destroy_workqueue(job_wq);
	if (long_wq)
		destroy_workqueue(long_wq);
	return -ENOMEM;
}

void cohort_job_exit(void)
{
	struct cohort_job *job, *next;

	/*
	 * The module is pinned by every job that has not ended, so what is
	 * left are the tails of workers, and jobs that nobody will read.
	 */
	cancel_delayed_work_sync(&expiry);
	destroy_workqueue(long_wq);
	destroy_workqueue(job_wq);
	mutex_lock(&cohort_lock);
	list_for_each_entry_safe(job, next, &jobs, list)
		forget(job);
	mutex_unlock(&cohort_lock);
}
