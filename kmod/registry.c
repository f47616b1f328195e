// SPDX-License-Identifier: GPL-2.0-only
/* registry.c - finds objects by name, and passes on what happens to them. */
#include <linux/string.h>
#include "args.h"
#include "group.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"

/* See registry.h: all lists of objects, and every field that says nothing else. */
DEFINE_MUTEX(cohort_lock);
LIST_HEAD(cohort_pools);
/* A dump takes 0 for "not set". */
unsigned int cohort_generation = 1;
void (*cohort_notify_hook)(const struct cohort_news *news);

struct cohort_pool *cohort_find_pool(const char *name)
{
	struct cohort_pool *pool;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(pool, &cohort_pools, list)
		if (!strcmp(pool->name, name))
			return pool;
	return NULL;
}

struct cohort_pool *cohort_find_pool_dev(dev_t dm_dev)
{
	struct cohort_pool *pool;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(pool, &cohort_pools, list)
		if (pool->dm_dev == dm_dev)
			return pool;
	return NULL;
}

struct cohort_source *cohort_find_source(const char *name)
{
	struct cohort_source *source;
	struct cohort_pool *pool;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(pool, &cohort_pools, list)
		list_for_each_entry(source, &pool->sources, list)
			if (!strcmp(source->name, name))
				return source;
	return NULL;
}

struct cohort_group *cohort_find_group(const char *name)
{
	struct cohort_group *group;
	struct cohort_pool *pool;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(pool, &cohort_pools, list)
		list_for_each_entry(group, &pool->groups, list)
			if (!strcmp(group->name, name))
				return group;
	return NULL;
}

struct cohort_rel *cohort_find_rel(const char *name)
{
	struct cohort_pool *pool;
	struct cohort_rel *rel;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(pool, &cohort_pools, list)
		list_for_each_entry(rel, &pool->rels, list)
			if (!strcmp(rel->name, name))
				return rel;
	return NULL;
}

int cohort_check_name(const char *what, const char *name, struct cohort_words *words)
{
	switch (cohort_name_fault(name)) {
	case COHORT_NAME_GOOD:
		return 0;
	case COHORT_NAME_EMPTY:
		return cohort_refuse(words, -EINVAL, "the name of a %s must not be empty", what);
	case COHORT_NAME_LONG:
		return cohort_refuse(words, -EINVAL, "the name of a %s has at most %u bytes",
				     what, COHORT_NAME_ROOM);
	case COHORT_NAME_CHARACTERS:
		return cohort_refuse(words, -EINVAL,
				     "\"%s\" is no name for a %s: letters, digits and #+-.:=@_ only",
				     name, what);
	case COHORT_NAME_TAKEN:
		break;
	}
	return cohort_refuse(words, -EINVAL, "\"%s\" is no name for a %s", name, what);
}

__printf(5, 0)
static int refuse(struct cohort_words *words, int err, u16 attr, u16 member, const char *fmt,
		  va_list args)
{
	vscnprintf(words->text, sizeof(words->text), fmt, args);
	words->attr = attr;
	words->member = member;
	return err;
}

int cohort_refuse(struct cohort_words *words, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err = refuse(words, err, 0, 0, fmt, args);
	va_end(args);
	return err;
}

int cohort_refuse_attr(struct cohort_words *words, int err, u16 attr, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err = refuse(words, err, attr, 0, fmt, args);
	va_end(args);
	return err;
}

int cohort_refuse_member(struct cohort_words *words, int err, u32 index, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err = refuse(words, err, 0, index + 1, fmt, args);
	va_end(args);
	return err;
}

void cohort_notify(const struct cohort_news *news)
{
	lockdep_assert_held(&cohort_lock);
	/* jobs are listed by number, which no coming or going disturbs */
	if (news->event != COHORT_EVENT_JOB_CHANGED && !++cohort_generation)
		cohort_generation = 1;
	if (cohort_notify_hook)
		cohort_notify_hook(news);
}
