// SPDX-License-Identifier: GPL-2.0-or-later
/* The wait until a clone is whole: what it makes of states and jobs, told by a script. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "../../libctl/private.h"
#include "unit.h"

/* What one look finds; the last step stays. */
struct step {
	uint32_t state;		/* 0: there is no such relationship */
	uint32_t member;	/* copy state of its only member */
	uint64_t job;		/* that copies, 0: none */
	int result;		/* of waiting for it */
	int err;
};

static struct cohort *ctx;
static const struct step *step;
static size_t steps;
static int64_t clock_ms;
static int looks;

static void next(void)
{
	if (steps > 1) {
		step++;
		steps--;
	}
}

int64_t now_ms(void)
{
	return clock_ms;
}

int poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
	(void)fds;
	(void)nfds;
	clock_ms += timeout;
	next();
	return 0;
}

int cohort_relationship_get(struct cohort *c, const char *name, struct cohort_relationship **ret)
{
	static struct cohort_relationship rel;
	static struct cohort_member member;

	CHECK_STRING(name, "r");
	looks++;
	if (!step->state)
		return fail_errno(c, ENOENT, "Synchronization", "no such thing");
	member = (struct cohort_member){ .copy_state = step->member };
	rel = (struct cohort_relationship){
		.name = (char *)"r", .copy_state = step->state, .members = &member,
		.reason = step->state == COHORT_COPY_STATE_BROKEN ? (char *)"why" : NULL,
	};
	*ret = &rel;
	return 0;
}

void cohort_relationship_free(struct cohort_relationship *list)
{
	(void)list;
}

int cohort_job_list(struct cohort *c, struct cohort_job **ret)
{
	static struct cohort_job jobs[] = {
		{ .next = &jobs[1], .id = 90, .method = COHORT_METHOD_RELATIONSHIP_MODIFY,
		  .relationship = (char *)"r", .state = COHORT_JOB_STATE_RUNNING },
		{ .next = &jobs[2], .id = 91, .method = COHORT_METHOD_RELATIONSHIP_COPY,
		  .relationship = (char *)"other", .state = COHORT_JOB_STATE_RUNNING },
		{ .next = &jobs[3], .id = 92, .method = COHORT_METHOD_RELATIONSHIP_COPY,
		  .relationship = (char *)"r", .state = COHORT_JOB_STATE_TERMINATED },
		{ .method = COHORT_METHOD_RELATIONSHIP_COPY,
		  .relationship = (char *)"r", .state = COHORT_JOB_STATE_RUNNING },
	};

	(void)c;
	jobs[3].id = step->job;
	jobs[2].next = step->job ? &jobs[3] : NULL;
	*ret = jobs;
	return 0;
}

void cohort_job_free(struct cohort_job *list)
{
	(void)list;
}

int cohort_job_wait(struct cohort *c, uint64_t id, int timeout_ms, struct cohort_job **ret)
{
	const struct step *s = step;

	(void)ret;
	CHECK_INT((long long)id, (long long)s->job, "the job that copies");
	clock_ms += timeout_ms > 0 ? timeout_ms : 1;
	next();
	return s->result ? fail(c, s->result, s->err, NULL, "job failed") : 0;
}

#define UNSYNC COHORT_COPY_STATE_UNSYNCHRONIZED
#define SYNC COHORT_COPY_STATE_SYNCHRONIZED
#define BROKEN COHORT_COPY_STATE_BROKEN
#define SUSPENDED COHORT_COPY_STATE_SUSPENDED
#define MIXED COHORT_COPY_STATE_MIXED
#define ABORTED COHORT_COPY_STATE_ABORTED

/* The errno of the words where it failed. */
static int wait_for(const struct step *script, size_t count, int timeout_ms, int want)
{
	struct cohort_error e = { 0 };
	uint64_t job = 0;
	int ret;

	step = script;
	steps = count;
	clock_ms = 1000;
	looks = 0;
	ret = copy_wait(ctx, "r", timeout_ms, &job);
	if (ret)
		cohort_get_error(ctx, &e);
	CHECK_INT(ret, want, e.message);
	return e.err;
}

#define WAIT(timeout_ms, want, ...) \
	({ \
		const struct step script_[] = { __VA_ARGS__ }; \
		\
		wait_for(script_, ARRAY_SIZE(script_), timeout_ms, want); \
	})

static void to_the_end(void)
{
	WAIT(-1, 0, { SYNC, SYNC, 0, 0, 0 });
	WAIT(-1, 0, { UNSYNC, UNSYNC, 7, 0, 0 }, { SYNC, SYNC, 0, 0, 0 });
	/* the job comes later, and its end before that of the state */
	WAIT(-1, 0, { UNSYNC, UNSYNC, 0, 0, 0 }, { UNSYNC, UNSYNC, 7, 0, 0 },
	     { UNSYNC, UNSYNC, 0, 0, 0 }, { SYNC, SYNC, 0, 0, 0 });
	/* another member is behind */
	WAIT(-1, 0, { MIXED, UNSYNC, 7, 0, 0 }, { SYNC, SYNC, 0, 0, 0 });
}

static void it_rests_and_goes_on(void)
{
	struct step script[1000];

	for (size_t i = 0; i < ARRAY_SIZE(script); i++)
		script[i] = (struct step){ SUSPENDED, SUSPENDED, 0, 0, 0 };
	script[999] = (struct step){ SYNC, SYNC, 0, 0, 0 };
	wait_for(script, ARRAY_SIZE(script), -1, 0);
	/* the job ended when it was suspended */
	WAIT(-1, 0, { UNSYNC, UNSYNC, 7, 4, ECANCELED }, { SUSPENDED, SUSPENDED, 0, 0, 0 },
	     { UNSYNC, UNSYNC, 8, 0, 0 }, { SYNC, SYNC, 0, 0, 0 });
}

static void it_will_not_be(void)
{
	CHECK_INT(WAIT(-1, 4, { BROKEN, BROKEN, 0, 0, 0 }), EIO, "errno");
	CHECK_INT(WAIT(-1, 4, { UNSYNC, UNSYNC, 7, 4, ENODATA }, { BROKEN, BROKEN, 0, 0, 0 }), EIO,
		  "the relationship says more than the job");
	CHECK_INT(WAIT(-1, 4, { UNSYNC, UNSYNC, 7, 4, ENODATA }, { UNSYNC, UNSYNC, 0, 0, 0 }),
		  ENODATA, "the job's own");
	CHECK_INT(WAIT(-1, 4, { UNSYNC, UNSYNC, 7, 4, ECANCELED }, { ABORTED, ABORTED, 0, 0, 0 }),
		  ECANCELED, "aborted");
	CHECK_INT(WAIT(-1, 4, { UNSYNC, UNSYNC, 7, 0, 0 }, { 0, 0, 0, 0, 0 }), ECANCELED, "gone");
	CHECK_INT(WAIT(-1, 4, { MIXED, BROKEN, 0, 0, 0 }), ECANCELED, "mixed for good");
}

static void nobody_copies(void)
{
	CHECK_INT(WAIT(-1, 4, { UNSYNC, UNSYNC, 0, 0, 0 }), ENXIO, "errno");
	CHECK(looks > 50 && looks < 200, "%d looks", looks);
}

static void time_is_over(void)
{
	CHECK_INT(WAIT(500, 3, { UNSYNC, UNSYNC, 7, 3, ETIMEDOUT }), ETIMEDOUT, "of the job");
	CHECK_INT(WAIT(500, 3, { SUSPENDED, SUSPENDED, 0, 0, 0 }), ETIMEDOUT, "of the rest");
	CHECK_INT(looks, 6, "looks");
	WAIT(0, 3, { UNSYNC, UNSYNC, 0, 0, 0 });
	WAIT(0, 0, { SYNC, SYNC, 0, 0, 0 });
}

static const struct unit_case cases[] = {
	{ "to_the_end", to_the_end },
	{ "it_rests_and_goes_on", it_rests_and_goes_on },
	{ "it_will_not_be", it_will_not_be },
	{ "nobody_copies", nobody_copies },
	{ "time_is_over", time_is_over },
};

int main(void)
{
	int status;

	ctx = cohort_new();
	status = unit_main(cases, ARRAY_SIZE(cases));
	cohort_unref(ctx);
	return status;
}
