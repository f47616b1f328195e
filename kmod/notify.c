// SPDX-License-Identifier: GPL-2.0-only
/* notify.c - carries news to user space: netlink events and uevents. */
#include <linux/blkdev.h>
#include <linux/kobject.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "group.h"
#include "job.h"
#include "netlink.h"
#include "notify.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

#define UEVENTS_PER_SECOND	20
#define UEVENTS_WAITING		64
/* event, pool, source, group, relationship, job, suppressed */
#define UEVENT_VARS		7

enum subject { POOL, SOURCE, GROUP, REL, JOB };

/* What an event is called, what it is about, and whether that is gone now. */
static const struct {
	const char *name;
	enum subject subject;
	bool gone;
} events[] = {
	[COHORT_EVENT_POOL_ACTIVE] = { "pool-active", POOL },
	[COHORT_EVENT_POOL_GONE] = { "pool-gone", POOL, true },
	[COHORT_EVENT_POOL_FAILED] = { "pool-failed", POOL },
	[COHORT_EVENT_POOL_LOW] = { "pool-low", POOL },
	[COHORT_EVENT_POOL_FULL] = { "pool-full", POOL },
	[COHORT_EVENT_POOL_GROWN] = { "pool-grown", POOL },
	[COHORT_EVENT_POOL_DAMAGED] = { "pool-damaged", POOL },
	[COHORT_EVENT_SOURCE_ATTACHED] = { "source-attached", SOURCE },
	[COHORT_EVENT_SOURCE_DETACHED] = { "source-detached", SOURCE },
	[COHORT_EVENT_SOURCE_REMOVED] = { "source-removed", SOURCE, true },
	[COHORT_EVENT_GROUP_CREATED] = { "group-created", GROUP },
	[COHORT_EVENT_GROUP_CHANGED] = { "group-changed", GROUP },
	[COHORT_EVENT_GROUP_DELETED] = { "group-deleted", GROUP, true },
	[COHORT_EVENT_REL_CREATED] = { "relationship-created", REL },
	[COHORT_EVENT_REL_SYNCHRONIZED] = { "relationship-synchronized", REL },
	[COHORT_EVENT_REL_SKEWED] = { "relationship-skewed", REL },
	[COHORT_EVENT_REL_SUSPENDED] = { "relationship-suspended", REL },
	[COHORT_EVENT_REL_RESUMED] = { "relationship-resumed", REL },
	[COHORT_EVENT_REL_ABORTED] = { "relationship-aborted", REL },
	[COHORT_EVENT_REL_BROKEN] = { "relationship-broken", REL },
	[COHORT_EVENT_REL_DELETED] = { "relationship-deleted", REL, true },
	[COHORT_EVENT_REL_FAILED] = { "relationship-failed", REL, true },
	[COHORT_EVENT_REL_EXPIRED] = { "relationship-expired", REL },
	[COHORT_EVENT_JOB_CHANGED] = { "job-completed", JOB },
};

/* --- netlink --- */

static const void *subject_of(const struct cohort_news *news, const struct cohort_nl_kind **kind)
{
	switch (events[news->event].subject) {
	case POOL:
		*kind = &cohort_nl_pool;
		return news->pool;
	case SOURCE:
		*kind = &cohort_nl_source;
		return news->source;
	case GROUP:
		*kind = &cohort_nl_group;
		return news->group;
	case REL:
		*kind = &cohort_nl_rel;
		return news->rel;
	case JOB:
		*kind = &cohort_nl_job;
		return news->job;
	}
	return NULL;
}

static int put_event(struct sk_buff *skb, const struct cohort_nl_kind *kind, const void *object,
		     bool gone, bool members)
{
	void *hdr = genlmsg_put(skb, 0, 0, &cohort_nl_family, 0, kind->ntf);

	if (!hdr)
		return -EMSGSIZE;
	if (gone ? kind->put_name(skb, object) : kind->put(skb, object, members))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

/*
 * An event that can not be sent is lost, and so is one that a listener has no
 * room for; the listener is told of that by the next read and lists anew.
 */
static void multicast(const struct cohort_news *news)
{
	const struct cohort_nl_kind *kind = NULL;
	const void *object = subject_of(news, &kind);
	struct sk_buff *skb;
	bool members;
	size_t size;

	if (!object || !genl_has_listeners(&cohort_nl_family, &init_net, COHORT_NLGRP_EVENTS))
		return;
	size = kind->size(object);
	members = size <= COHORT_NL_EVENT_MAX;
	skb = genlmsg_new(min_t(size_t, size, COHORT_NL_EVENT_MAX), GFP_NOIO);
	if (!skb)
		return;
	if (put_event(skb, kind, object, events[news->event].gone, members)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_multicast(&cohort_nl_family, skb, 0, COHORT_NLGRP_EVENTS, GFP_NOIO);
}

/* --- uevents --- */

/*
 * The uevents of one pool. Made with the first one, gone when the pool goes,
 * so that the device is there whenever one is sent.
 */
struct channel {
	struct list_head list;		/* channels */
	const struct cohort_pool *pool;
	struct device *dev;
	struct delayed_work work;
	spinlock_t lock;		/* protects waiting, nr_waiting, suppressed */
	struct list_head waiting;
	u32 nr_waiting;
	u32 suppressed;			/* dropped behind the last one that waits */
	/* the worker's */
	unsigned long since;		/* jiffies at which sent began to count */
	u32 sent;
};

struct uevent {
	struct list_head list;
	char var[UEVENT_VARS][COHORT_NAME_MAX + 24];
	u32 vars;
};

static LIST_HEAD(channels);		/* cohort_lock */
static struct workqueue_struct *uevent_wq;

__printf(2, 3)
static void add_var(struct uevent *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(e->var[e->vars++], sizeof(e->var[0]), fmt, args);
	va_end(args);
}

static void send_uevent(struct channel *c, struct uevent *e)
{
	char *env[UEVENT_VARS + 1] = {};
	u32 i;

	for (i = 0; i < e->vars; i++)
		env[i] = e->var[i];
	kobject_uevent_env(&c->dev->kobj, KOBJ_CHANGE, env);
	kfree(e);
}

static struct uevent *next_uevent(struct channel *c)
{
	struct uevent *e;

	spin_lock(&c->lock);
	e = list_first_entry_or_null(&c->waiting, struct uevent, list);
	if (e) {
		list_del(&e->list);
		c->nr_waiting--;
	}
	spin_unlock(&c->lock);
	return e;
}

/* How long to wait before one more may be sent; 0: it is counted. */
static unsigned long take_turn(struct channel *c)
{
	unsigned long next = c->since + HZ;

	if (!c->sent || time_after_eq(jiffies, next)) {
		c->since = jiffies;
		c->sent = 0;
	}
	if (c->sent == UEVENTS_PER_SECOND)
		return next - jiffies;
	c->sent++;
	return 0;
}

static void send_waiting(struct channel *c, bool all)
{
	/* whoever waits for this worker may hold cohort_lock: see notify_uevent() */
	unsigned int noio = memalloc_noio_save();
	unsigned long wait = 0;
	struct uevent *e;

	while (all || !(wait = take_turn(c))) {
		e = next_uevent(c);
		if (!e)
			break;
		send_uevent(c, e);
	}
	memalloc_noio_restore(noio);
	if (wait)
		queue_delayed_work(uevent_wq, &c->work, wait);
}

static void uevent_work(struct work_struct *work)
{
	send_waiting(container_of(to_delayed_work(work), struct channel, work), false);
}

static struct channel *new_channel(const struct cohort_pool *pool)
{
	struct channel *c = kzalloc(sizeof(*c), GFP_NOIO);

	if (!c)
		return NULL;
	c->pool = pool;
	c->dev = get_device(disk_to_dev(pool->disk));
	INIT_DELAYED_WORK(&c->work, uevent_work);
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->waiting);
	list_add(&c->list, &channels);
	return c;
}

static void close_channel(struct channel *c)
{
	list_del(&c->list);
	cancel_delayed_work_sync(&c->work);
	send_waiting(c, true);
	put_device(c->dev);
	kfree(c);
}

static struct channel *find_channel(const struct cohort_pool *pool)
{
	struct channel *c;

	list_for_each_entry(c, &channels, list)
		if (c->pool == pool)
			return c;
	return NULL;
}

/* Jobs outlive the pool they worked for, and a pool may go while one ends. */
static bool pool_is_there(const struct cohort_pool *pool)
{
	const struct cohort_pool *p;

	list_for_each_entry(p, &cohort_pools, list)
		if (p == pool)
			return pool->disk;
	return false;
}

static const char *event_name(const struct cohort_news *news)
{
	if (news->event == COHORT_EVENT_JOB_CHANGED && news->job->err)
		return "job-failed";
	return events[news->event].name;
}

static void add_job(struct uevent *e, const struct cohort_job *job)
{
	const char *group = *job->source_group ? job->source_group : job->target_group;

	add_var(e, "COHORT_JOB=%llu", job->id);
	if (*job->source)
		add_var(e, "COHORT_SOURCE=%s", job->source);
	if (*group)
		add_var(e, "COHORT_GROUP=%s", group);
	if (*job->rel)
		add_var(e, "COHORT_RELATIONSHIP=%s", job->rel);
}

static void add_objects(struct uevent *e, const struct cohort_news *news)
{
	const struct cohort_group *group = news->group;

	if (news->rel && !group)
		group = news->rel->source_group;
	if (news->source)
		add_var(e, "COHORT_SOURCE=%s", news->source->name);
	if (group)
		add_var(e, "COHORT_GROUP=%s", group->name);
	if (news->rel)
		add_var(e, "COHORT_RELATIONSHIP=%s", news->rel->name);
}

static struct uevent *new_uevent(const struct cohort_news *news, const struct cohort_pool *pool)
{
	struct uevent *e = kzalloc(sizeof(*e), GFP_NOIO);

	if (!e)
		return NULL;
	add_var(e, "COHORT_EVENT=%s", event_name(news));
	add_var(e, "COHORT_POOL=%s", pool->name);
	if (news->event == COHORT_EVENT_JOB_CHANGED)
		add_job(e, news->job);
	else
		add_objects(e, news);
	return e;
}

/* Takes over @e, NULL when there was no memory for it. */
static void enqueue(struct channel *c, struct uevent *e)
{
	spin_lock(&c->lock);
	if (!e || c->nr_waiting == UEVENTS_WAITING) {
		c->suppressed++;
		kfree(e);
	} else {
		if (c->suppressed)
			add_var(e, "COHORT_SUPPRESSED=%u", c->suppressed);
		c->suppressed = 0;
		list_add_tail(&e->list, &c->waiting);
		c->nr_waiting++;
	}
	spin_unlock(&c->lock);
	queue_delayed_work(uevent_wq, &c->work, 0);
}

static const struct cohort_pool *pool_of(const struct cohort_news *news)
{
	if (news->pool)
		return news->pool;
	if (news->source)
		return news->source->pool;
	if (news->group)
		return news->group->pool;
	return news->rel ? news->rel->pool : NULL;
}

/*
 * A worker sends, because sending allocates memory and has to be slowed down;
 * only the pool's end waits for it, under cohort_lock.
 */
static void notify_uevent(const struct cohort_news *news)
{
	const struct cohort_pool *pool = pool_of(news);
	struct channel *c = pool ? find_channel(pool) : NULL;

	if (news->event == COHORT_EVENT_POOL_GONE) {
		if (c)
			close_channel(c);
		return;
	}
	if (news->event == COHORT_EVENT_JOB_CHANGED && !cohort_job_ended(news->job))
		return;
	if (!c && pool && pool_is_there(pool))
		c = new_channel(pool);
	if (c)
		enqueue(c, new_uevent(news, pool));
}

static void notify(const struct cohort_news *news)
{
	multicast(news);
	notify_uevent(news);
}

int cohort_notify_init(void)
{
	uevent_wq = alloc_workqueue("cohort_uevent", WQ_UNBOUND, 0);
	if (!uevent_wq)
		return -ENOMEM;
	cohort_notify_hook = notify;
	return 0;
}

void cohort_notify_exit(void)
{
	struct channel *c, *next;

	mutex_lock(&cohort_lock);
	cohort_notify_hook = NULL;
	/* a pool that goes says so; this is for one that never came up */
	list_for_each_entry_safe(c, next, &channels, list)
		close_channel(c);
	mutex_unlock(&cohort_lock);
	destroy_workqueue(uevent_wq);
}
