/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * group.h - ordered sets of sources, and target groups, as CIM_ReplicationGroup.
 *
 * Groups may overlap. A source group's members are sources of its pool; a
 * target group has no list of its own, its members are the replicas of the
 * relationship it is the target of.
 */
#ifndef COHORT_GROUP_H
#define COHORT_GROUP_H

#include <linux/list.h>
#include "defs.h"

struct cohort_group {
	struct list_head list;		/* pool->groups; cohort_lock, as all below */
	struct cohort_pool *pool;
	u32 id;
	char name[COHORT_NAME_MAX + 1];
	u32 kind;			/* enum cohort_group_kind */
	u32 flags;			/* COHORT_GROUP_FLAGS_… */
	u32 rels;			/* relationships it is source or target of */
	bool busy;			/* a job is changing it */
	bool pending;			/* its record is not written yet: not shown */
	u32 count;
	struct cohort_source **member;
};

/*
 * Memory only; caller holds cohort_lock. ERR_PTR(-ENOMEM). Not linked, id taken
 * from the pool. Linking counts the group in its members' source->groups.
 */
struct cohort_group *cohort_group_alloc(struct cohort_pool *pool, const char *name, u32 kind,
					u32 flags, struct cohort_source **member, u32 count);
void cohort_group_free(struct cohort_group *group);
void cohort_group_link(struct cohort_group *group);	/* into pool->groups */
void cohort_group_unlink(struct cohort_group *group);
/* NULL when there is none. Caller holds cohort_lock. */
struct cohort_group *cohort_group_by_id(struct cohort_pool *pool, u32 id);

/* Encodes its record into @buf, which has room for record_len bytes; returns the length. */
size_t cohort_group_record_len(const struct cohort_group *group);
size_t cohort_group_encode(const struct cohort_group *group, void *buf);
/*
 * Replay: takes a checked GROUP record, caller holds cohort_lock. The group of
 * that id is changed in place or made. -EUCLEAN: unknown sources, impossible
 * fields; -EEXIST: another pool has a group of that name.
 */
int cohort_group_decode(struct cohort_pool *pool, const void *record);

/* Member lists. Caller holds cohort_lock. */
void cohort_members_count(struct cohort_source **member, u32 count, int by); /* source->groups */
bool cohort_members_have(struct cohort_source *const *member, u32 count,
			 const struct cohort_source *source);
/* Gives the group another list, which is kvfree'd with it. */
void cohort_group_set_members(struct cohort_group *group, struct cohort_source **member, u32 count);
/* The group's record as it will be with another list. */
size_t cohort_group_len_with(u32 count);
size_t cohort_group_encode_with(const struct cohort_group *group,
				struct cohort_source *const *member, u32 count, void *buf);
/* As cohort_group_resolve(), but @twice lets a name come again: it is skipped, *@count is less. */
struct cohort_source **cohort_members_resolve(struct cohort_pool *pool, const char *const *names,
					      u32 *count, bool twice, struct cohort_words *words);
/*
 * Finds the member sources by name, none twice, none busy, all of @pool, or of
 * one pool when it is NULL. The array is kvmalloc'ed, caller kvfree's it.
 * ERR_PTR with words about the member. Caller holds cohort_lock.
 */
struct cohort_source **cohort_group_resolve(struct cohort_pool *pool, const char *const *names,
					    u32 count, struct cohort_words *words);

/*
 * Requests. Caller holds cohort_lock; a started job, or ERR_PTR with words.
 * @name and @pool of a new group may be NULL: made up, and that of the members.
 */
struct cohort_job *cohort_group_new(const char *name, const char *pool, u32 kind, u32 flags,
				    const char *const *members, u32 count,
				    struct cohort_words *words);
struct cohort_job *cohort_group_del(const char *name, bool remove_elements,
				    struct cohort_words *words);
struct cohort_job *cohort_group_add(const char *name, const char *const *members, u32 count,
				    struct cohort_words *words);
struct cohort_job *cohort_group_remove(const char *name, const char *const *members, u32 count,
				       struct cohort_words *words);

#endif
