/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replica.h - relationships between a source group and its replicas (CIM_GroupSynchronized).
 */
#ifndef COHORT_REPLICA_H
#define COHORT_REPLICA_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/uuid.h>
#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "defs.h"

/*
 * Writes to an image under way, in order of arrival. Of the member, for one image
 * may have several tables.
 */
struct cohort_turns {
	spinlock_t lock;		/* irq-safe, nothing inside */
	struct list_head writes;	/* of struct cohort_image_write */
};

struct cohort_rel_member {
	struct cohort_source *source;
	u32 state;			/* enum cohort_copy_state; READ_ONCE by image reads */
	u64 epoch;			/* the cut, 0: none, or not needed any more; READ_ONCE */
	u64 when;			/* realtime of the cut, nanoseconds */
	bool mixed;			/* writes of both eras were in flight at the flip */
	int err;			/* negative errno of a failed member */
	u32 opens;			/* replica tables that refer to it */
	struct cohort_overlay __rcu *overlay;	/* if it is Skewed; changed under cohort_lock */
	struct cohort_turns turns;
	struct cohort_copy *copy;	/* of a clone: what it is copied to */
	dev_t image_dev;		/* of the image, while it has tables; cohort_lock */
};

/* Does a member in this state have the cut, to be protected and read? */
static inline bool cohort_copy_has_cut(u32 state)
{
	return state == COHORT_COPY_STATE_SYNCHRONIZED || state == COHORT_COPY_STATE_SKEWED ||
		state == COHORT_COPY_STATE_UNSYNCHRONIZED || state == COHORT_COPY_STATE_SUSPENDED;
}

/* Does the record of a clone's member in this state say of a cut and a map? */
static inline bool cohort_copy_is_recorded(u32 state)
{
	return cohort_copy_has_cut(state) || state == COHORT_COPY_STATE_BROKEN;
}

/* A clone that is complete needs none. Any context. */
static inline bool cohort_member_has_cut(const struct cohort_rel_member *m)
{
	return cohort_copy_has_cut(READ_ONCE(m->state)) && READ_ONCE(m->epoch);
}

/* Of a clone: before its cut, or with all of it on its target. What breaks a cut is not its. */
static inline bool cohort_member_stands_alone(const struct cohort_rel_member *m)
{
	return m->copy && !READ_ONCE(m->epoch);
}

struct cohort_rel {
	struct list_head list;		/* pool->rels; cohort_lock, as all below */
	struct kref kref;		/* the registry and every replica table */
	struct cohort_pool *pool;
	u32 id;
	uuid_t uuid;
	char name[COHORT_NAME_MAX + 1];
	u32 sync_type;
	u32 mode;
	u32 consistency;
	u32 state;			/* common state of the members, or Mixed */
	u32 requested;			/* state on the way to, or Not Applicable */
	u32 progress;
	u32 flags;			/* COHORT_RELATIONSHIP_FLAGS_… */
	bool busy;			/* a job is changing it */
	bool pending;			/* no record yet */
	bool overrun;			/* the pool was full before the cut was durable */
	bool renewing;			/* it gets another cut: nobody breaks the one it has */
	bool dead;			/* deleted: its tables return EIO */
	struct cohort_group *source_group;
	struct cohort_group *target_group;
	u64 when;
	u64 space_limit;
	u64 remove_after;
	u32 hold_time;			/* seconds that a full pool holds writes for it */
	u64 gp_ns;
	u64 seal_ns;
	const char *reason;		/* why Broken */
	bool copying;			/* a job sees to its copies */
	bool paused;			/* and is suspended: none is copied; READ_ONCE */
	u32 vain_looks;			/* that job's: at nothing to be copied, in a row */
	wait_queue_head_t copies;	/* of that job: news of one */
	u32 count;
	struct cohort_rel_member member[];
};

/* What group-replica-new asks for, as it came; strings may be NULL. */
struct cohort_replicate_args {
	const char *name;
	u32 sync_type;
	u32 mode;
	u32 consistency;		/* 0: the group's own */
	const char *source_group;
	const char *target_group;
	const char *pool;
	const char *const *members;	/* source names */
	u32 count;
	u32 wait_state;			/* enum cohort_copy_state; 0: Synchronized */
	u32 on_error;			/* 0: Stop */
	u32 flags;
	u64 space_limit;
	u64 remove_after;
	u32 hold_time;			/* 0: a minute, if it holds writes at all */
	const struct cohort_target_args *targets;	/* of a clone, see copy.h */
	u32 nr_targets;
};

/*
 * Requests. Caller holds cohort_lock; a started job, or ERR_PTR with words.
 * When cohort_replicate() returns the cut has been made; the job makes it durable.
 */
struct cohort_job *cohort_replicate(const struct cohort_replicate_args *args,
				    struct cohort_words *words);
struct cohort_job *cohort_rel_modify(const char *name, u32 operation, bool force,
				     struct cohort_words *words);

struct cohort_rel *cohort_rel_alloc(struct cohort_pool *pool, const char *name, u32 count);
void cohort_rel_get(struct cohort_rel *rel);
void cohort_rel_put(struct cohort_rel *rel);
/* Into and out of pool->rels, with the counts of groups and sources. Caller holds cohort_lock. */
void cohort_rel_link(struct cohort_rel *rel);
void cohort_rel_unlink(struct cohort_rel *rel);
struct cohort_rel *cohort_rel_by_id(struct cohort_pool *pool, u32 id);
/* Sets every member's state. Caller holds cohort_lock. */
void cohort_rel_set_state(struct cohort_rel *rel, u32 state);
/* Recomputes rel->state from its members. Caller holds cohort_lock. */
void cohort_rel_update_state(struct cohort_rel *rel);

/* Bytes of preserved chunks its images read, shared ones included. Caller holds cohort_lock. */
u64 cohort_rel_space(const struct cohort_rel *rel);
/* Is there a member with a cut that is not Broken? Caller holds cohort_lock. */
bool cohort_rel_holds_cut(const struct cohort_rel *rel);

size_t cohort_rel_record_len(const struct cohort_rel *rel);
size_t cohort_rel_encode(const struct cohort_rel *rel, void *buf);
int cohort_rel_decode(struct cohort_pool *pool, const void *record);

#endif
