/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * registry.h - finds pools, sources, groups and relationships by name.
 *
 * All objects hang off their pool. cohort_lock (a mutex) protects every list
 * of objects and every field of an object that says nothing else. It is held
 * for memory operations only, never across I/O. Names are unique over all
 * active pools, per kind.
 */
#ifndef COHORT_REGISTRY_H
#define COHORT_REGISTRY_H

#include <linux/mutex.h>
#include <linux/list.h>
#include "defs.h"

extern struct mutex cohort_lock;
extern struct list_head cohort_pools;	/* of struct cohort_pool.list, under cohort_lock */
/* Raised at every change of the object lists: the generation of a dump. */
extern unsigned int cohort_generation;

/* All: caller holds cohort_lock; NULL when there is none. */
struct cohort_pool *cohort_find_pool(const char *name);
struct cohort_pool *cohort_find_pool_dev(dev_t dm_dev);
struct cohort_source *cohort_find_source(const char *name);
struct cohort_group *cohort_find_group(const char *name);
struct cohort_rel *cohort_find_rel(const char *name);

/* 0, or -EINVAL with words: empty, too long, or not fit for /dev/mapper. */
int cohort_check_name(const char *what, const char *name, struct cohort_words *words);

/*
 * News for user space. Implemented by notify.c, set by main.c, so that layers
 * below it need not know netlink. Callable from process context; may sleep.
 * Caller holds cohort_lock.
 */
enum cohort_event {
	COHORT_EVENT_POOL_ACTIVE, COHORT_EVENT_POOL_GONE, COHORT_EVENT_POOL_FAILED,
	COHORT_EVENT_POOL_LOW, COHORT_EVENT_POOL_FULL, COHORT_EVENT_POOL_GROWN,
	COHORT_EVENT_POOL_DAMAGED,
	COHORT_EVENT_SOURCE_ATTACHED, COHORT_EVENT_SOURCE_DETACHED, COHORT_EVENT_SOURCE_REMOVED,
	COHORT_EVENT_GROUP_CREATED, COHORT_EVENT_GROUP_CHANGED, COHORT_EVENT_GROUP_DELETED,
	COHORT_EVENT_REL_CREATED, COHORT_EVENT_REL_SYNCHRONIZED, COHORT_EVENT_REL_BROKEN,
	COHORT_EVENT_REL_SKEWED, COHORT_EVENT_REL_SUSPENDED, COHORT_EVENT_REL_RESUMED,
	COHORT_EVENT_REL_ABORTED,
	COHORT_EVENT_REL_DELETED, COHORT_EVENT_REL_FAILED, COHORT_EVENT_REL_EXPIRED,
	COHORT_EVENT_JOB_CHANGED,
};

struct cohort_news {
	enum cohort_event event;
	struct cohort_pool *pool;	/* each may be NULL */
	struct cohort_source *source;
	struct cohort_group *group;
	struct cohort_rel *rel;
	struct cohort_job *job;
};

extern void (*cohort_notify_hook)(const struct cohort_news *news);
void cohort_notify(const struct cohort_news *news);

#endif
