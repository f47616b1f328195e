/* SPDX-License-Identifier: GPL-2.0-only */
/* relate.h - a request for a relationship, and what making and changing one share. */
#ifndef COHORT_RELATE_H
#define COHORT_RELATE_H

#include "defs.h"
#include "map.h"
#include "registry.h"

struct cohort_cut;

/*
 * One request, from its acceptance to the end of its job. The relationship is
 * linked and busy meanwhile, and, while it is new, pending: names are taken
 * but nobody is shown it. In the catalog it appears or goes with one batch.
 */
struct relate {
	struct cohort_pool *pool;
	struct cohort_rel *rel;
	struct cohort_cut *cut;		/* NULL: nothing is cut */
	u32 state;			/* where it leads */
	u32 from;			/* where it was, of one that is not new */
	bool new_rel;
	bool new_source_group;
	bool new_target_group;
	bool go_on;			/* OnGroupOrListError: Continue */
	bool renew;			/* it has a cut, which goes when the new one is durable */
	u32 count;			/* of @member: the relationship may be gone first */
	/* of each member: what it had; and of a clone its other map, first the new one */
	struct relate_member *member;
};

struct relate_member {
	u32 state;
	u64 epoch;
	u64 when;
	bool mixed;
	int err;
	bool compare;
	struct cohort_map map;
};

/* Of a clone. */
bool cohort_relate_is_clone(const struct relate *r);
/* All records of the change, one batch. Caller holds catalog_mutex. */
int cohort_relate_append(struct relate *r);
/* Out of memory with it, and the groups that came with it. Caller holds cohort_lock. */
void cohort_relate_forget(struct relate *r);
/* The segments of its copy maps are free: no record says of them. Any context. */
void cohort_relate_drop_maps(struct cohort_rel *rel);
/* News of the relationship. Caller holds cohort_lock. */
void cohort_relate_tell(struct relate *r, enum cohort_event event);
/* At the end of its job. */
void cohort_relate_free(struct relate *r);
/* A job for it that is not started, or NULL without memory. */
struct cohort_job *cohort_relate_job(u32 method, struct relate *r,
				     int (*run)(struct cohort_job *job));
/*
 * Starts the job that makes or activates it, behind its cut; ERR_PTR with words. Caller
 * holds cohort_lock.
 */
struct cohort_job *cohort_relate_create(u32 method, struct relate *r, struct cohort_words *words);

#endif
