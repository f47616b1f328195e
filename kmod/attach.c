// SPDX-License-Identifier: GPL-2.0-only
/* attach.c - takes sources into the catalog and lets go of them: requests and their jobs. */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "claim.h"
#include "job.h"
#include "pool.h"
#include "registry.h"
#include "replica.h"
#include "source.h"
#include "volume.h"

/*
 * One request, from its acceptance to the end of its job. The source is busy
 * meanwhile; @next is what it becomes when the record is durable.
 */
struct attach {
	struct cohort_pool *pool;
	struct cohort_source *source;
	struct cohort_source *next;	/* the fields that change; NULL: it is removed */
	u32 method;
	bool breaks;			/* older snapshots are not of this disk */
};

/* ---- is it the disk it was? ---- */

static bool differs(const char *recorded, const char *given)
{
	return recorded[0] && given && given[0] && strcmp(recorded, given);
}

static int check_identity(const struct cohort_source *source, const struct cohort_attach_args *a,
			  struct cohort_words *words)
{
	if (source->size != a->size)
		return cohort_refuse_attr(words, -ESTALE, COHORT_A_SOURCE_SIZE,
					  "source \"%s\" has %llu bytes, the disk has %llu",
					  source->name, source->size, a->size);
	if (differs(source->wwn, a->wwn))
		return cohort_refuse_attr(words, -ESTALE, COHORT_A_SOURCE_WWN,
					  "source \"%s\" is on disk %s, this is %s", source->name,
					  source->wwn, a->wwn);
	if (differs(source->partuuid, a->partuuid))
		return cohort_refuse_attr(words, -ESTALE, COHORT_A_SOURCE_PARTUUID,
					  "source \"%s\" is on partition %s, this is %s",
					  source->name, source->partuuid, a->partuuid);
	if (differs(source->dm_uuid, a->dm_uuid))
		return cohort_refuse_attr(words, -ESTALE, COHORT_A_SOURCE_DM_UUID,
					  "source \"%s\" is on device %s, this is %s",
					  source->name, source->dm_uuid, a->dm_uuid);
	if (source->clean && (!a->fingerprint || memcmp(source->fingerprint, a->fingerprint,
							sizeof(source->fingerprint))))
		return cohort_refuse_attr(words, -ESTALE, COHORT_A_SOURCE_FINGERPRINT,
					  "the disk of source \"%s\" is another one or was written since it was detached",
					  source->name);
	return 0;
}

static int check_disk(const struct cohort_pool *pool, const struct cohort_attach_args *a,
		      struct cohort_words *words)
{
	if (a->size < pool->sb.chunk_size)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_SOURCE_SIZE,
					  "the disk is smaller than a chunk of pool \"%s\"",
					  pool->name);
	if (a->size % SECTOR_SIZE)
		return cohort_refuse_attr(words, -EINVAL, COHORT_A_SOURCE_SIZE,
					  "the size of a disk is a multiple of 512");
	return a->dev ? cohort_claim_check(a->dev, a->name, NULL, COHORT_A_SOURCE_DEV, words) : 0;
}

/* ---- the job ---- */

static void copy_fields(struct cohort_source *to, const struct cohort_source *from)
{
	to->size = from->size;
	to->clean = from->clean;
	to->dev = from->dev;
	to->state = from->state;
	memcpy(to->fingerprint, from->fingerprint, sizeof(to->fingerprint));
	memcpy(to->dm_uuid, from->dm_uuid, sizeof(to->dm_uuid));
	memcpy(to->wwn, from->wwn, sizeof(to->wwn));
	memcpy(to->partuuid, from->partuuid, sizeof(to->partuuid));
}

/* Breaks every cut of the source, as one batch with its record. */
static int append_attach(struct attach *at)
{
	u8 buf[sizeof(struct cohort_disk_source)];
	size_t len = sizeof(buf);

	if (at->next) {
		cohort_source_encode(at->next, buf);
	} else {
		len = sizeof(struct cohort_disk_record);
		cohort_record_header(buf, COHORT_REC_SOURCE_DEL, at->source->id, len);
	}
	if (at->breaks)
		return cohort_pool_break_source(at->pool, at->source, buf, len);
	return cohort_pool_append(at->pool, buf, len);
}

static void commit(struct attach *at)
{
	static const enum cohort_event event[] = {
		[COHORT_METHOD_SOURCE_ATTACH] = COHORT_EVENT_SOURCE_ATTACHED,
		[COHORT_METHOD_SOURCE_DETACH] = COHORT_EVENT_SOURCE_DETACHED,
		[COHORT_METHOD_SOURCE_REMOVE] = COHORT_EVENT_SOURCE_REMOVED,
	};
	struct cohort_source *source = at->source;

	if (at->next)
		copy_fields(source, at->next);
	source->pending = false;
	cohort_notify(&(struct cohort_news) {
		.event = event[at->method], .pool = at->pool, .source = source,
	});
	if (!at->next) {
		cohort_source_unlink(source);
		cohort_source_put(source);
	}
}

static void roll_back(struct attach *at)
{
	if (at->source->pending) {
		cohort_source_unlink(at->source);
		cohort_source_put(at->source);
	}
}

static void free_attach(struct attach *at)
{
	if (at->next)
		cohort_source_put(at->next);
	cohort_source_put(at->source);
	cohort_pool_put(at->pool);
	kfree(at);
}

static int run_attach(struct cohort_job *job)
{
	struct attach *at = job->data;
	int err;

	mutex_lock(&at->pool->catalog_mutex);
	err = append_attach(at);
	mutex_lock(&cohort_lock);
	at->source->busy = false;
	if (err)
		roll_back(at);
	else
		commit(at);
	mutex_unlock(&cohort_lock);
	if (!err && at->breaks)
		cohort_pool_prune(at->pool);
	mutex_unlock(&at->pool->catalog_mutex);
	if (err)
		cohort_refuse_append(&job->words, err, at->pool->name);
	free_attach(at);
	return err;
}

/* Frees @next in any case that does not start the job. */
static struct cohort_job *start(u32 method, struct cohort_source *source,
				struct cohort_source *next, bool breaks,
				struct cohort_words *words)
{
	struct attach *at = kzalloc(sizeof(*at), GFP_NOIO);
	struct cohort_job *job = at ? cohort_job_new(method, 0, run_attach, at) : NULL;

	if (!job) {
		kfree(at);
		if (next)
			cohort_source_put(next);
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the job"));
	}
	at->pool = source->pool;
	at->source = source;
	at->next = next;
	at->method = method;
	at->breaks = breaks;
	cohort_pool_get(at->pool);
	cohort_source_get(source);
	source->busy = true;
	strscpy(job->pool, at->pool->name, sizeof(job->pool));
	strscpy(job->source, source->name, sizeof(job->source));
	cohort_job_start(job);
	return job;
}

/* ---- requests ---- */

static struct cohort_source *next_of(struct cohort_source *source)
{
	struct cohort_source *next = cohort_source_alloc(source->pool, source->name);

	if (!next)
		return NULL;
	next->id = source->id;
	next->uuid = source->uuid;
	copy_fields(next, source);
	return next;
}

static void set_text(char *to, const char *from, size_t size)
{
	if (from && from[0])
		strscpy(to, from, size);
}

static void take_identity(struct cohort_source *next, const struct cohort_attach_args *a)
{
	next->size = a->size;
	next->dev = a->dev;
	next->clean = false;
	next->state = COHORT_SOURCE_STATE_ATTACHING;
	set_text(next->dm_uuid, a->dm_uuid, sizeof(next->dm_uuid));
	set_text(next->wwn, a->wwn, sizeof(next->wwn));
	set_text(next->partuuid, a->partuuid, sizeof(next->partuuid));
	if (a->fingerprint)
		memcpy(next->fingerprint, a->fingerprint, sizeof(next->fingerprint));
}

static int check_idle(const struct cohort_source *source, struct cohort_words *words)
{
	if (source->busy || source->pending)
		return cohort_refuse(words, -EBUSY, "source \"%s\" is being changed", source->name);
	if (source->opens)
		return cohort_refuse(words, -EBUSY, "source \"%s\" is attached", source->name);
	return 0;
}

/* One that is being made or renewed would be of two disks. */
static int check_cuts_idle(const struct cohort_source *source, struct cohort_words *words)
{
	const struct cohort_rel *rel;
	u32 i;

	list_for_each_entry(rel, &source->pool->rels, list)
		for (i = 0; i < rel->count; i++)
			if (rel->member[i].source == source && rel->busy)
				return cohort_refuse(words, -EBUSY,
						     "relationship \"%s\" is being changed",
						     rel->name);
	return 0;
}

static struct cohort_source *new_source(struct cohort_pool *pool,
					const struct cohort_attach_args *a,
					struct cohort_words *words)
{
	struct cohort_source *source;
	int err = cohort_check_name("source", a->name, words);

	if (err)
		return ERR_PTR(err);
	source = cohort_source_alloc(pool, a->name);
	if (!source)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the source"));
	source->pending = true;
	if (a->uuid)
		import_uuid(&source->uuid, a->uuid);
	else
		uuid_gen(&source->uuid);
	if (cohort_source_link(source)) {
		cohort_source_put(source);
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the source"));
	}
	return source;
}

static struct cohort_pool *attach_pool(const struct cohort_source *source,
				       const struct cohort_attach_args *a,
				       struct cohort_words *words)
{
	struct cohort_pool *pool = a->pool ? cohort_find_pool(a->pool) : NULL;

	if (a->pool && !pool)
		return ERR_PTR(cohort_refuse_attr(words, -ENOENT, COHORT_A_SOURCE_POOL,
						  "there is no pool \"%s\"", a->pool));
	if (source && pool && source->pool != pool)
		return ERR_PTR(cohort_refuse(words, -EEXIST, "source \"%s\" exists in pool \"%s\"",
					     a->name, source->pool->name));
	if (source)
		pool = source->pool;
	if (!pool)
		return ERR_PTR(cohort_refuse(words, -ENOENT, "no pool knows source \"%s\"",
					     a->name));
	if (READ_ONCE(pool->state) == COHORT_POOL_STATE_FAILED)
		return ERR_PTR(cohort_refuse_attr(words, -EIO, COHORT_A_SOURCE_POOL,
						  "pool \"%s\" has failed: %s", pool->name,
						  pool->reason));
	return pool;
}

struct cohort_job *cohort_source_attach(const struct cohort_attach_args *a,
					struct cohort_words *words)
{
	struct cohort_source *source = cohort_find_source(a->name), *next;
	struct cohort_pool *pool = attach_pool(source, a, words);
	bool known = source, breaks = false;
	struct cohort_job *job;
	int err;

	lockdep_assert_held(&cohort_lock);
	if (IS_ERR(pool))
		return ERR_CAST(pool);
	err = check_disk(pool, a, words);
	if (!err && known)
		err = check_idle(source, words);
	if (!err && known && (source->rels || source->clean)) {
		err = check_identity(source, a, words);
		/* another size can not be taken for it by any force */
		if (err && a->force && (source->size == a->size || !source->rels)) {
			breaks = source->rels;
			err = 0;
		}
	}
	if (!err && breaks)
		err = check_cuts_idle(source, words);
	if (err)
		return ERR_PTR(err);
	if (!known)
		source = new_source(pool, a, words);
	if (IS_ERR(source))
		return ERR_CAST(source);
	next = next_of(source);
	if (next) {
		take_identity(next, a);
		job = start(COHORT_METHOD_SOURCE_ATTACH, source, next, breaks, words);
	} else {
		job = ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the source"));
	}
	if (IS_ERR(job) && !known) {
		cohort_source_unlink(source);
		cohort_source_put(source);
	}
	return job;
}

static struct cohort_source *find_idle(const char *name, struct cohort_words *words)
{
	struct cohort_source *source = cohort_find_source(name);
	int err;

	lockdep_assert_held(&cohort_lock);
	if (!source)
		return ERR_PTR(cohort_refuse(words, -ENOENT, "there is no source \"%s\"", name));
	err = check_idle(source, words);
	return err ? ERR_PTR(err) : source;
}

struct cohort_job *cohort_source_detach(const char *name, const u8 *fingerprint,
					struct cohort_words *words)
{
	struct cohort_source *source = find_idle(name, words), *next;

	if (IS_ERR(source))
		return ERR_CAST(source);
	next = next_of(source);
	if (!next)
		return ERR_PTR(cohort_refuse(words, -ENOMEM, "no memory for the source"));
	next->state = COHORT_SOURCE_STATE_DETACHED;
	next->dev = 0;
	next->clean = fingerprint;
	if (fingerprint)
		memcpy(next->fingerprint, fingerprint, sizeof(next->fingerprint));
	return start(COHORT_METHOD_SOURCE_DETACH, source, next, false, words);
}

struct cohort_job *cohort_source_remove(const char *name, struct cohort_words *words)
{
	struct cohort_source *source = find_idle(name, words);

	if (IS_ERR(source))
		return ERR_CAST(source);
	if (source->rels)
		return ERR_PTR(cohort_refuse(words, -EBUSY, "source \"%s\" has %u relationships",
					     name, source->rels));
	if (source->groups)
		return ERR_PTR(cohort_refuse(words, -EBUSY, "source \"%s\" is in %u groups", name,
					     source->groups));
	return start(COHORT_METHOD_SOURCE_REMOVE, source, NULL, false, words);
}
