// SPDX-License-Identifier: GPL-2.0-only
/* unmarked.c - pools that failed and whose device took not even the mark of it. */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "unmarked.h"

struct unmarked {
	struct list_head list;
	uuid_t uuid;
};

/* protects the list alone; nothing is taken inside */
static DEFINE_MUTEX(unmarked_lock);
static LIST_HEAD(unmarked_pools);

static struct unmarked *find(const uuid_t *uuid)
{
	struct unmarked *u;

	lockdep_assert_held(&unmarked_lock);
	list_for_each_entry(u, &unmarked_pools, list)
		if (uuid_equal(&u->uuid, uuid))
			return u;
	return NULL;
}

void cohort_unmarked_add(const uuid_t *uuid)
{
	struct unmarked *u = kmalloc(sizeof(*u), GFP_NOIO | __GFP_NOFAIL);

	uuid_copy(&u->uuid, uuid);
	mutex_lock(&unmarked_lock);
	if (find(uuid))
		kfree(u);
	else
		list_add(&u->list, &unmarked_pools);
	mutex_unlock(&unmarked_lock);
}

bool cohort_unmarked_has(const uuid_t *uuid)
{
	bool has;

	mutex_lock(&unmarked_lock);
	has = find(uuid);
	mutex_unlock(&unmarked_lock);
	return has;
}

void cohort_unmarked_del(const uuid_t *uuid)
{
	struct unmarked *u;

	mutex_lock(&unmarked_lock);
	u = find(uuid);
	if (u)
		list_del(&u->list);
	mutex_unlock(&unmarked_lock);
	kfree(u);
}

void cohort_unmarked_exit(void)
{
	struct unmarked *u, *next;

	list_for_each_entry_safe(u, next, &unmarked_pools, list)
		kfree(u);
}
