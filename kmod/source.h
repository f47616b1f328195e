/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * source.h - a source element: what the catalog knows of it, and its life.
 */
#ifndef COHORT_SOURCE_H
#define COHORT_SOURCE_H

#include <linux/list.h>
#include <linux/kref.h>
#include <linux/uuid.h>
#include <linux/atomic.h>
#include "format.h"
#include "live.h"
#include "space.h"
#include "defs.h"

struct cohort_volume;			/* the part that does I/O, see volume.h */

#define COHORT_SEQ_SHIFT	6	/* chunks that share a slot of insert counters */
#define COHORT_SEQ_SLOTS	1024

struct cohort_source {
	struct list_head list;		/* pool->sources; cohort_lock, as all below */
	struct rcu_head rcu;
	/* held by the registry, tables and jobs; groups and relationships keep it registered */
	struct kref kref;
	struct cohort_pool *pool;
	u32 id;
	uuid_t uuid;
	char name[COHORT_NAME_MAX + 1];
	u64 size;			/* bytes */
	u32 state;			/* enum cohort_source_state */
	bool clean;			/* fingerprint holds */
	bool busy;			/* a job is changing it */
	bool pending;			/* no record yet: not shown */
	u8 fingerprint[COHORT_DISK_FINGERPRINT];
	char dm_uuid[COHORT_DISK_ID];
	char wwn[COHORT_DISK_ID];
	char partuuid[COHORT_DISK_PARTUUID];
	dev_t dev;			/* the disk below while attached */
	dev_t dm_dev;
	u32 rels;			/* relationships it is in */
	u32 groups;			/* groups it is in */
	u32 opens;			/* cohort-source tables */
	struct cohort_volume *vol;	/* while it has tables; also under cohort_cut_mutex */
	struct cohort_live_set live;	/* read anywhere */
	struct cohort_space space;	/* of the live cuts and their eras; any context */
	/*
	 * Raised behind the index insert and before the overwrite is let go: an
	 * image read that finds its slot unchanged has read old data.
	 */
	atomic_t insert_seq[COHORT_SEQ_SLOTS];
};

static inline atomic_t *cohort_source_seq(struct cohort_source *source, u64 chunk)
{
	return &source->insert_seq[(chunk >> COHORT_SEQ_SHIFT) % COHORT_SEQ_SLOTS];
}

struct cohort_attach_args {
	const char *name;
	const char *pool;		/* NULL: the pool that knows the name */
	const u8 *uuid;			/* 16 bytes for a new source, or NULL: made here */
	u64 size;			/* bytes of the disk */
	dev_t dev;
	const char *dm_uuid;		/* each may be NULL */
	const char *wwn;
	const char *partuuid;
	const u8 *fingerprint;		/* COHORT_FINGERPRINT_LEN bytes, or NULL */
	bool force;
};

/* Requests. Caller holds cohort_lock; a started job, or ERR_PTR with words. */
struct cohort_job *cohort_source_attach(const struct cohort_attach_args *args,
					struct cohort_words *words);
struct cohort_job *cohort_source_detach(const char *name, const u8 *fingerprint,
					struct cohort_words *words);
struct cohort_job *cohort_source_remove(const char *name, struct cohort_words *words);

/* Forgets counts of space that nothing refers to. Caller holds cohort_cut_mutex. */
void cohort_source_trim(struct cohort_source *source);

u64 cohort_source_held(const struct cohort_source *source);	/* writes held since attach */
u32 cohort_source_eras(const struct cohort_source *source);	/* not sealed yet */

size_t cohort_source_encode(const struct cohort_source *source, void *buf);
int cohort_source_decode(struct cohort_pool *pool, const void *record);
/* Takes the next id of the pool; not linked. NULL without memory. Caller holds cohort_lock. */
struct cohort_source *cohort_source_alloc(struct cohort_pool *pool, const char *name);
int cohort_source_link(struct cohort_source *source);
void cohort_source_unlink(struct cohort_source *source);
struct cohort_source *cohort_source_by_id(struct cohort_pool *pool, u32 id);
void cohort_source_get(struct cohort_source *source);
void cohort_source_put(struct cohort_source *source);

/* Records that @epoch is needed, and counts its space; or not any more. Holds cohort_cut_mutex. */
int cohort_source_live_add(struct cohort_source *source, u64 epoch);
void cohort_source_live_del(struct cohort_source *source, u64 epoch);

#endif
