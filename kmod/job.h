/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * job.h - work that has to wait for I/O: accepted at once, reported by events.
 *
 * A job is made under cohort_lock, runs on a workqueue of its own and stays
 * readable for five minutes after its end (CIM_ConcreteJob.TimeBeforeRemoval),
 * or until 1024 younger ones have ended.
 *
 * One that works for long is controllable: it may be suspended, go on, and be
 * terminated. That takes place between two pieces of its work, where its runner
 * asks cohort_job_go_on(), and at no other.
 */
#ifndef COHORT_JOB_H
#define COHORT_JOB_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/workqueue.h>
#include <linux/ktime.h>
#include <linux/wait.h>
#include "defs.h"

struct cohort_job_member {
	char name[COHORT_NAME_MAX + 1];
	u32 state;			/* enum cohort_job_state */
	int err;			/* negative errno */
};

struct cohort_job {
	struct list_head list;		/* cohort_lock */
	struct kref kref;
	struct work_struct work;
	u64 id;
	u32 method;			/* enum cohort_method */
	u32 state;			/* enum cohort_job_state; cohort_lock */
	u32 percent;
	u64 done;			/* bytes of @total; cohort_lock, as the next one */
	u64 total;
	bool controllable;		/* may be asked; cohort_lock, as the next one */
	u32 request;			/* enum cohort_job_request, 0: to go on; READ_ONCE */
	bool resting;			/* its runner sleeps; cohort_lock, as the next two */
	ktime_t suspended;		/* since when, while it is */
	s64 suspended_ns;		/* before that */
	wait_queue_head_t wait;		/* for another request */
	int err;			/* negative errno once ended */
	struct cohort_words words;	/* why it failed */
	char pool[COHORT_NAME_MAX + 1];
	char source[COHORT_NAME_MAX + 1];
	char source_group[COHORT_NAME_MAX + 1];
	char target_group[COHORT_NAME_MAX + 1];
	char rel[COHORT_NAME_MAX + 1];
	ktime_t submitted;		/* realtime */
	ktime_t started;		/* monotonic */
	ktime_t ended;
	u32 count;
	struct cohort_job_member *member;	/* count of them, kvfree'd with the job */
	/*
	 * Runs in a worker without cohort_lock; returns 0 or a negative errno
	 * after having set job->words. The job is freed later: @data is the runner's to free.
	 */
	int (*run)(struct cohort_job *job);
	void *data;
};

int cohort_job_init(void);
void cohort_job_exit(void);		/* waits for all jobs */

/* A new job in state New with room for @count members; NULL without memory. May sleep. */
struct cohort_job *cohort_job_new(u32 method, u32 count,
				  int (*run)(struct cohort_job *job), void *data);
/* Makes it visible and queues it. Caller holds cohort_lock; the module is pinned until the end. */
void cohort_job_start(struct cohort_job *job);
/* Frees one that was never started. */
void cohort_job_discard(struct cohort_job *job);
/* Percent or a member's state changed: tells user space. Takes cohort_lock. */
void cohort_job_progress(struct cohort_job *job, u32 percent);
/* So far it has come; tells user space of each twentieth. Takes cohort_lock. */
void cohort_job_advance(struct cohort_job *job, u64 done, u64 total);
/*
 * From the runner of one that is controllable, which holds nothing that others wait for:
 * sleeps while it is suspended. -ECANCELED: it is terminated, and run() is to return that.
 * While @request is 0 there is no need to ask.
 */
int cohort_job_go_on(struct cohort_job *job);

/* Asks it for what @request says, enum cohort_job_request; ERR_PTR. Caller holds cohort_lock. */
struct cohort_job *cohort_job_request(u64 id, u32 request, struct cohort_words *words);
/* One of @method on @pool that has not ended, or NULL. Caller holds cohort_lock. */
struct cohort_job *cohort_job_of_pool(u32 method, const char *pool);
/* @pool goes and waits for its jobs: none can be suspended any more. Caller holds cohort_lock. */
void cohort_job_release(const char *pool);

/* Caller holds cohort_lock. */
struct cohort_job *cohort_job_find(u64 id);
struct cohort_job *cohort_job_next(u64 after_id);	/* for dumps: smallest id above */
u32 cohort_job_count(void);

/* Nanoseconds for which it has not worked since it was started. Caller holds cohort_lock. */
s64 cohort_job_suspended_ns(const struct cohort_job *job);

/* Its outcome is known and stays. Caller holds cohort_lock. */
static inline bool cohort_job_ended(const struct cohort_job *job)
{
	return job->state >= COHORT_JOB_STATE_COMPLETED;
}

/* CIM return code of a negative errno, COHORT_RESULT_*. */
u32 cohort_result(int err);

#endif
