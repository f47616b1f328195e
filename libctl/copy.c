// SPDX-License-Identifier: LGPL-2.1-or-later
/* copy.c - waits until all of a clone is on its targets */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "private.h"

/* Between two looks where there is no job to wait for, in milliseconds. */
#define LOOK_MS 100
/* Looks in a row at a clone that nobody copies. */
#define LOOKS_IN_VAIN 100

static bool member_goes_on(const struct cohort_member *member)
{
	return member->copy_state == COHORT_COPY_STATE_UNSYNCHRONIZED ||
	       member->copy_state == COHORT_COPY_STATE_SUSPENDED;
}

/* Of one that is Mixed some members may have gone ahead of others. */
static bool goes_on(const struct cohort_relationship *rel)
{
	const struct cohort_member *m;

	if (rel->copy_state == COHORT_COPY_STATE_UNSYNCHRONIZED ||
	    rel->copy_state == COHORT_COPY_STATE_SUSPENDED)
		return true;
	if (rel->copy_state != COHORT_COPY_STATE_MIXED)
		return false;
	cohort_foreach(m, rel->members)
		if (member_goes_on(m))
			return true;
	return false;
}

static int lost(struct cohort *ctx, const struct cohort_relationship *rel)
{
	const bool broken = rel->copy_state == COHORT_COPY_STATE_BROKEN;

	return fail(ctx, COHORT_RESULT_FAILED, broken ? EIO : ECANCELED, "Synchronization",
		    "%s is %s before all of it was copied%s%s", rel->name,
		    cohort_copy_state_name(rel->copy_state), rel->reason ? ": " : "",
		    rel->reason ? rel->reason : "");
}

/* 0, with the state in *@state, or why it will never be Synchronized. */
static int look(struct cohort *ctx, const char *name, uint32_t *state)
{
	struct cohort_relationship *rel = NULL;
	struct cohort_error e;
	int ret = cohort_relationship_get(ctx, name, &rel);

	if (ret) {
		cohort_get_error(ctx, &e);
		return e.err != ENOENT ? ret :
			fail(ctx, COHORT_RESULT_FAILED, ECANCELED, "Synchronization",
			     "%s went before all of it was copied", name);
	}
	*state = rel->copy_state;
	if (*state != COHORT_COPY_STATE_SYNCHRONIZED && !goes_on(rel))
		ret = lost(ctx, rel);
	cohort_relationship_free(rel);
	return ret;
}

/* The job that copies now, 0 if there is none. */
static int find_job(struct cohort *ctx, const char *name, uint64_t *id)
{
	struct cohort_job *list = NULL;
	const struct cohort_job *job;
	int ret = cohort_job_list(ctx, &list);

	*id = 0;
	cohort_foreach(job, list)
		if (job->method == COHORT_METHOD_RELATIONSHIP_COPY && job->relationship &&
		    !strcmp(job->relationship, name) && job->state < COHORT_JOB_STATE_COMPLETED)
			*id = job->id;
	cohort_job_free(list);
	return ret;
}

static int left_ms(int64_t end)
{
	const int64_t left = end - now_ms();

	if (end == INT64_MAX)
		return COHORT_WAIT_FOREVER;
	return left > 0 ? (int)left : 0;
}

/* Without a job; *@vain counts the looks in a row. */
static int rest(struct cohort *ctx, const char *name, uint32_t state, int64_t end, int *vain)
{
	if (!left_ms(end))
		return fail_errno(ctx, ETIMEDOUT, NULL, "%s is still copied", name);
	if (state == COHORT_COPY_STATE_SUSPENDED)
		*vain = 0;
	if ((*vain)++ >= LOOKS_IN_VAIN)
		return fail(ctx, COHORT_RESULT_FAILED, ENXIO, "Synchronization",
			    "nobody copies %s, its devices are not there", name);
	poll(NULL, 0, LOOK_MS);
	return 0;
}

/* The job may end because the relationship changed, which says more. */
static int job_failed(struct cohort *ctx, const char *name, int result)
{
	struct cohort_error e;
	uint32_t state;
	int ret;

	if (result == COHORT_RESULT_TIMEOUT)
		return result;
	cohort_get_error(ctx, &e);
	ret = look(ctx, name, &state);
	if (ret || state == COHORT_COPY_STATE_SYNCHRONIZED)
		return ret;
	/* it was not stopped by what failed: it rests, or its job is too old to be known */
	if (state == COHORT_COPY_STATE_SUSPENDED || e.err == ENOENT)
		return 0;
	e.code = COHORT_RESULT_FAILED;
	return fail_again(ctx, &e);
}

int copy_wait(struct cohort *ctx, const char *name, int timeout_ms, uint64_t *job)
{
	const int64_t end = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
	uint32_t state = COHORT_COPY_STATE_UNSYNCHRONIZED;
	int ret, vain = 0;

	for (;;) {
		uint64_t id;

		ret = look(ctx, name, &state);
		if (ret || state == COHORT_COPY_STATE_SYNCHRONIZED)
			return ret;
		ret = find_job(ctx, name, &id);
		if (!ret && id) {
			*job = id;
			vain = 0;
			ret = cohort_job_wait(ctx, id, left_ms(end), NULL);
			ret = ret ? job_failed(ctx, name, ret) : 0;
		} else if (!ret) {
			ret = rest(ctx, name, state, end, &vain);
		}
		if (ret)
			return ret;
	}
}
