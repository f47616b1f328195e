// SPDX-License-Identifier: LGPL-2.1-or-later
/* job.c - starts jobs, waits for their end and makes the devices they call for */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "private.h"

/* An event can be lost: ask at least this often, in milliseconds. */
#define ASK_MS 1000
/* Without events: this often. */
#define ASK_OFTEN_MS 50
/* Times in a row that there is no memory to ask. */
#define ASK_IN_VAIN 20

EXPORT void cohort_reply_free(struct cohort_reply *reply)
{
	if (!reply)
		return;
	free(reply->name);
	free(reply->source_group_name);
	free(reply->target_group);
	cohort_relationship_free(reply->synchronization);
	free(reply);
}

int reply_return(int result, struct cohort_reply *reply, struct cohort_reply **ret)
{
	const bool useful = !result || result == COHORT_RESULT_TIMEOUT ||
			    result == COHORT_RESULT_JOB_STARTED;

	if (ret && useful)
		*ret = reply;
	else
		cohort_reply_free(reply);
	return result;
}

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static bool ended(const struct cohort_job *job)
{
	return job->state >= COHORT_JOB_STATE_COMPLETED;
}

struct sighting {
	uint64_t id;
	bool seen;
};

static int look(int cmd, const struct nlattr *attrs, int len, void *data)
{
	struct sighting *s = data;
	struct cohort_job *job;
	bool complete;

	if (cmd != COHORT_CMD_JOB_NTF)
		return 0;
	job = object_parse(OBJECT_JOB, attrs, len, &complete);
	/* without memory to look: ask at once */
	s->seen |= !job || job->id == s->id;
	object_free(OBJECT_JOB, job);
	return 0;
}

/* Sleeps until there is news of the job, or until @until; @sock may be NULL. */
static void sleep_until_news(struct nl_sock *sock, uint64_t id, int64_t until)
{
	struct pollfd p = { .fd = sock ? nl_socket_get_fd(sock) : -1, .events = POLLIN };
	struct sighting s = { .id = id };
	int64_t left;

	if (!sock) {
		left = until - now_ms();
		if (left > 0)
			poll(NULL, 0, left < ASK_OFTEN_MS ? (int)left : ASK_OFTEN_MS);
		return;
	}
	while (!s.seen && (left = until - now_ms()) > 0) {
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		/* lost events are as good as news */
		if (events_receive(sock, look, &s) == -ENOBUFS)
			return;
	}
}

/* The job runs whether or not there is memory to ask for it. */
static int ask(struct cohort *ctx, uint64_t id, struct cohort_job **ret)
{
	struct cohort_error e;
	int result;

	for (int i = 0; i < ASK_IN_VAIN; i++) {
		result = cohort_job_get(ctx, id, ret);
		if (!result)
			return 0;
		cohort_get_error(ctx, &e);
		if (e.err != ENOMEM)
			return result;
		poll(NULL, 0, ASK_OFTEN_MS);
	}
	return result;
}

/* 0 with the job ended in *@ret, 3 with the job as it is, or an error without one. */
static int wait_end(struct cohort *ctx, struct nl_sock *sock, uint64_t id, int timeout_ms,
		    struct cohort_job **ret)
{
	const int64_t end = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;

	for (;;) {
		int64_t until;
		int result = ask(ctx, id, ret);

		if (result || ended(*ret))
			return result;
		until = now_ms() + ASK_MS;
		if (now_ms() >= end)
			return fail_errno(ctx, ETIMEDOUT, NULL, "job %" PRIu64 " still runs (%s)",
					  id, cohort_job_state_name((*ret)->state));
		sleep_until_news(sock, id, until < end ? until : end);
		cohort_job_free(*ret);
		*ret = NULL;
	}
}

/* The result of a job that has ended, as the result of a call. */
static int job_result(struct cohort *ctx, const struct cohort_job *job)
{
	int code = (int)job->result;

	if (job->state == COHORT_JOB_STATE_COMPLETED && !code)
		return 0;
	if (!code)
		code = job->err ? result_of(job->err) : COHORT_RESULT_FAILED;
	return fail(ctx, code, job->err, NULL, "%s",
		    job->message ? job->message : cohort_result_name((uint32_t)code));
}

static int make_images(struct cohort *ctx, const char *name)
{
	struct cohort_relationship *rel = NULL;
	struct cohort_error e;
	int ret = cohort_relationship_get(ctx, name, &rel);

	if (ret) {
		/* gone: that was the job, or it was deleted since */
		cohort_get_error(ctx, &e);
		return e.err == ENOENT ? 0 : ret;
	}
	ret = images_make(ctx, rel);
	cohort_relationship_free(rel);
	return ret;
}

static int make_devices(struct cohort *ctx, const struct cohort_job *job)
{
	if (job->method == COHORT_METHOD_SOURCE_ATTACH && job->source)
		return source_make_devices(ctx, job->source);
	/* clones that went with it, and need it no longer: it has gone, whatever becomes of them */
	if (job->method == COHORT_METHOD_SOURCE_DETACH && job->source)
		source_make_images(ctx, job->source);
	if ((job->method == COHORT_METHOD_GROUP_REPLICA_NEW ||
	     job->method == COHORT_METHOD_RELATIONSHIP_MODIFY ||
	     job->method == COHORT_METHOD_RELATIONSHIP_COPY) && job->relationship)
		return make_images(ctx, job->relationship);
	return 0;
}

/* As cohort_job_wait(); *@completed: an error is that of the devices. */
static int wait_and_make(struct cohort *ctx, uint64_t id, int timeout_ms, struct cohort_job **job,
			 bool *completed)
{
	/* without it news comes later, and that is all */
	struct nl_sock *sock = events_socket(ctx);
	int ret;

	*completed = false;
	ret = wait_end(ctx, sock, id, timeout_ms, job);
	if (sock)
		nl_socket_free(sock);
	if (!ret)
		ret = job_result(ctx, *job);
	if (ret)
		return ret;
	*completed = true;
	return make_devices(ctx, *job);
}

EXPORT int cohort_job_wait(struct cohort *ctx, uint64_t id, int timeout_ms, struct cohort_job **ret)
{
	struct cohort_job *job = NULL;
	bool completed;
	int result = wait_and_make(ctx, id, timeout_ms, &job, &completed);

	if (ret && job)
		*ret = job;
	else
		cohort_job_free(job);
	return result;
}

EXPORT int cohort_job_request_state_change(struct cohort *ctx, uint64_t id,
					   uint32_t requested_state)
{
	struct request r;

	request_new(&r, COHORT_CMD_JOB_MODIFY, 0);
	request_u64(&r, COHORT_A_JOB_ID, id);
	request_u32(&r, COHORT_A_JOB_REQUEST, requested_state);
	return exchange(ctx, &r, false, NULL, NULL);
}

struct reply_sink {
	int cmd;
	struct cohort_reply *reply;
};

static int take_reply(int cmd, const struct nlattr *attrs, int len, void *data)
{
	struct reply_sink *sink = data;

	(void)cmd;
	return reply_parse(sink->cmd, attrs, len, sink->reply) ? -ENOMEM : 0;
}

static int start(struct cohort *ctx, struct request *r, struct cohort_reply **reply)
{
	struct reply_sink sink = { .cmd = r->cmd };
	int ret;

	sink.reply = calloc(1, sizeof(*sink.reply));
	if (!sink.reply) {
		request_free(r);
		return fail_memory(ctx);
	}
	ret = exchange(ctx, r, false, take_reply, &sink);
	if (ret)
		cohort_reply_free(sink.reply);
	else
		*reply = sink.reply;
	return ret;
}

int job_run(struct cohort *ctx, struct request *r, int timeout_ms, undo_fn undo, void *data,
	    struct cohort_reply **ret)
{
	struct cohort_job *job = NULL;
	struct cohort_reply *reply = NULL;
	struct cohort_error e;
	bool completed;
	int result = start(ctx, r, &reply);

	if (result)
		return result;
	if (!timeout_ms)
		return reply_return(COHORT_RESULT_JOB_STARTED, reply, ret);
	result = wait_and_make(ctx, reply->job, timeout_ms, &job, &completed);
	cohort_job_free(job);
	if (result && completed && undo) {
		cohort_get_error(ctx, &e);
		undo(ctx, reply, data);
		fail_again(ctx, &e);
	}
	return reply_return(result, reply, ret);
}
