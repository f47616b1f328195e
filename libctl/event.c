// SPDX-License-Identifier: LGPL-2.1-or-later
/* event.c - a subscription to the module's events */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* Public events carry no next pointer: a datagram may hold several. */
struct queued {
	struct cohort_event event;	/* first: freed as what the caller got */
	struct queued *next;
};

struct cohort_events {
	struct cohort *ctx;
	struct nl_sock *sock;
	struct queued *first;
	struct queued **last;
};

EXPORT int cohort_events_new(struct cohort *ctx, struct cohort_events **ret)
{
	struct cohort_events *events = calloc(1, sizeof(*events));

	if (!events)
		return fail_memory(ctx);
	events->sock = events_socket(ctx);
	if (!events->sock) {
		free(events);
		return failed(ctx);
	}
	events->ctx = cohort_ref(ctx);
	events->last = &events->first;
	*ret = events;
	return 0;
}

EXPORT void cohort_event_free(struct cohort_event *event)
{
	if (!event)
		return;
	cohort_pool_free(event->pool);
	cohort_source_free(event->source);
	cohort_group_free(event->group);
	cohort_relationship_free(event->relationship);
	cohort_job_free(event->job);
	free(event);
}

static struct cohort_event *pop(struct cohort_events *events)
{
	struct queued *q = events->first;

	if (!q)
		return NULL;
	events->first = q->next;
	if (!events->first)
		events->last = &events->first;
	return &q->event;
}

static void push(struct cohort_events *events, struct queued *q)
{
	*events->last = q;
	events->last = &q->next;
}

EXPORT void cohort_events_free(struct cohort_events *events)
{
	struct cohort_event *event;

	if (!events)
		return;
	while ((event = pop(events)))
		cohort_event_free(event);
	nl_socket_free(events->sock);
	cohort_unref(events->ctx);
	free(events);
}

EXPORT int cohort_events_fd(struct cohort_events *events)
{
	return nl_socket_get_fd(events->sock);
}

/* Type of an event message; COHORT_EVENT_LOST for a message that is none. */
static enum cohort_event_type type_of(int cmd)
{
	switch (cmd) {
	case COHORT_CMD_POOL_NTF:
		return COHORT_EVENT_POOL;
	case COHORT_CMD_SOURCE_NTF:
		return COHORT_EVENT_SOURCE;
	case COHORT_CMD_GROUP_NTF:
		return COHORT_EVENT_GROUP;
	case COHORT_CMD_RELATIONSHIP_NTF:
		return COHORT_EVENT_RELATIONSHIP;
	case COHORT_CMD_JOB_NTF:
		return COHORT_EVENT_JOB;
	}
	return COHORT_EVENT_LOST;
}

static void attach_object(struct cohort_event *event, void *object)
{
	switch (event->type) {
	case COHORT_EVENT_POOL:
		event->pool = object;
		break;
	case COHORT_EVENT_SOURCE:
		event->source = object;
		break;
	case COHORT_EVENT_GROUP:
		event->group = object;
		break;
	case COHORT_EVENT_RELATIONSHIP:
		event->relationship = object;
		break;
	case COHORT_EVENT_JOB:
		event->job = object;
		break;
	}
}

static int enqueue(int cmd, const struct nlattr *attrs, int len, void *data)
{
	const enum cohort_event_type type = type_of(cmd);
	struct queued *q;
	bool complete;
	void *object;

	if (type == COHORT_EVENT_LOST)
		return 0;
	q = calloc(1, sizeof(*q));
	object = q ? object_parse((enum object_kind)object_kind_of(cmd), attrs, len, &complete)
		   : NULL;
	if (!object) {
		free(q);
		return -ENOMEM;
	}
	q->event.type = type;
	q->event.gone = !complete;
	attach_object(&q->event, object);
	push(data, q);
	return 0;
}

static int enqueue_lost(struct cohort_events *events)
{
	struct queued *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->event.type = COHORT_EVENT_LOST;
	push(events, q);
	return 0;
}

/* Reads what is there; 0 also when that was nothing. */
static int fill(struct cohort_events *events)
{
	int err = events_receive(events->sock, enqueue, events);

	if (err == -ENOBUFS)
		err = enqueue_lost(events);
	return err == -EAGAIN ? 0 : err;
}

/* Waits for one datagram; 0 also when time was over. */
static int wait_and_fill(struct cohort_events *events, int timeout_ms)
{
	struct pollfd p = { .fd = nl_socket_get_fd(events->sock), .events = POLLIN };
	const int n = poll(&p, 1, timeout_ms);

	if (n < 0)
		return -errno;
	return n ? fill(events) : 0;
}

EXPORT int cohort_events_next(struct cohort_events *events, int timeout_ms,
			      struct cohort_event **ret)
{
	const int64_t end = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
	int64_t left = timeout_ms;
	int err = 0;

	/* a datagram need not hold an event: anyone may write to the port */
	while (!events->first && !err) {
		err = wait_and_fill(events, (int)left);
		if (timeout_ms >= 0)
			left = end - now_ms();
		if (left <= 0 && timeout_ms >= 0)
			break;
	}
	if (err)
		return fail_errno(events->ctx, -err, NULL, "cannot read events: %s",
				  strerror(-err));
	*ret = pop(events);
	return *ret ? 0 : fail_errno(events->ctx, ETIMEDOUT, NULL, "there was no event");
}
