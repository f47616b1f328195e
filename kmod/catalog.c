// SPDX-License-Identifier: GPL-2.0-only
/* catalog.c - the catalog of a pool in its log: load, checkpoint, break. */
#include <linux/mm.h>
#include <linux/slab.h>
#include "catalog.h"
#include "copy.h"
#include "epoch.h"
#include "group.h"
#include "index.h"
#include "log.h"
#include "overlay.h"
#include "plant.h"
#include "registry.h"
#include "replay.h"
#include "replica.h"
#include "runs.h"
#include "source.h"
#include "trace.h"

void cohort_record_header(void *buf, u16 type, u32 id, u32 len)
{
	struct cohort_disk_record *r = buf;

	r->type = cpu_to_le16(type);
	r->reserved = 0;
	r->len = cpu_to_le32(len);
	r->id = cpu_to_le32(id);
	r->pad = 0;
}

/* ---- load ---- */

struct load {
	struct cohort_pool *pool;
};

static int load_read(void *ctx, u64 addr, void *buf, u32 len)
{
	struct load *load = ctx;

	return cohort_bdev_rw(load->pool->bdev, REQ_OP_READ, addr, buf, len);
}

/* False: what was moved is in a run, if anywhere. */
static bool load_moved(struct cohort_pool *pool, const struct cohort_preserve *p, u64 addr)
{
	u64 from = 0;

	if (!cohort_index_move(pool->index, p->source, p->chunk, p->epoch, &from, addr))
		return false;
	cohort_segments_live(&pool->log->segs, from, -1);
	cohort_segments_live(&pool->log->segs, addr, 1);
	return true;
}

static int load_preserve(void *ctx, const struct cohort_preserve *p, u64 addr)
{
	struct load *load = ctx;
	struct cohort_index_node *node;
	u64 newest;
	int err;

	if (p->moved && load_moved(load->pool, p, addr))
		return 0;
	node = cohort_index_node_new(false);
	if (!node)
		return -ENOMEM;
	cohort_index_node_set(node, p, addr);
	if (cohort_is_overlay(p->source))
		err = cohort_index_supersede(load->pool->index, node,
					     cohort_pool_superseded(load->pool), load->pool);
	else
		err = cohort_index_insert(load->pool->index, node, &newest);
	if (err) {
		/* the same key twice: the first one was there when it was needed */
		cohort_index_node_free(node);
		return 0;
	}
	cohort_segments_live(&load->pool->log->segs, addr, 1);
	return 0;
}

static int delete_object(struct cohort_pool *pool, u16 type, u32 id)
{
	struct cohort_source *source;
	struct cohort_group *group;
	struct cohort_rel *rel;

	switch (type) {
	case COHORT_REC_SOURCE_DEL:
		source = cohort_source_by_id(pool, id);
		if (!source || source->rels || source->groups)
			return -EUCLEAN;
		cohort_source_unlink(source);
		cohort_source_put(source);
		return 0;
	case COHORT_REC_GROUP_DEL:
		group = cohort_group_by_id(pool, id);
		if (!group || group->rels)
			return -EUCLEAN;
		cohort_group_unlink(group);
		cohort_group_free(group);
		return 0;
	default:
		rel = cohort_rel_by_id(pool, id);
		if (!rel)
			return -EUCLEAN;
		/* its id may be used again */
		cohort_overlay_unload_rel(pool, id);
		cohort_copy_unload_rel(pool, id);
		cohort_rel_unlink(rel);
		cohort_rel_put(rel);
		return 0;
	}
}

static void forget_run(struct cohort_pool *pool, struct cohort_runs_item *item)
{
	cohort_runs_del(&pool->runs, item);
	kvfree(item);
}

static int load_run(struct cohort_pool *pool, const void *record)
{
	struct cohort_runs_item *item = cohort_runs_new(cohort_run_record_count(record));
	struct cohort_runs_item *old;
	int err = item ? cohort_run_record_decode(&item->run, record, &pool->sb) : -ENOMEM;

	if (err) {
		kvfree(item);
		return err;
	}
	old = cohort_runs_by_id(&pool->runs, item->run.id);
	if (old)
		forget_run(pool, old);
	pool->next_id = max(pool->next_id, item->run.id + 1);
	cohort_runs_add(&pool->runs, item);
	return 0;
}

static int unload_run(struct cohort_pool *pool, u32 id)
{
	struct cohort_runs_item *item = cohort_runs_by_id(&pool->runs, id);

	if (!item)
		return -EUCLEAN;
	forget_run(pool, item);
	return 0;
}

static int load_record(void *ctx, const void *record, u64 seq, u32 segment)
{
	struct load *load = ctx;
	const struct cohort_disk_record *r = record;
	u16 type = le16_to_cpu(r->type);

	int err;

	cohort_segments_record(&load->pool->log->segs, segment, seq);
	mutex_lock(&cohort_lock);
	switch (type) {
	case COHORT_REC_SOURCE:
		err = cohort_source_decode(load->pool, record);
		break;
	case COHORT_REC_GROUP:
		err = cohort_group_decode(load->pool, record);
		break;
	case COHORT_REC_REL:
		err = cohort_rel_decode(load->pool, record);
		break;
	case COHORT_REC_RUN:
		err = load_run(load->pool, record);
		break;
	case COHORT_REC_RUN_DEL:
		err = unload_run(load->pool, le32_to_cpu(r->id));
		break;
	case COHORT_REC_OVERLAY:
		err = cohort_overlay_decode(load->pool, record);
		break;
	case COHORT_REC_OVERLAY_DEL:
		cohort_overlay_unload(load->pool, le32_to_cpu(r->id));
		err = 0;
		break;
	case COHORT_REC_CLONE:
		err = cohort_copy_decode(load->pool, record);
		break;
	default:
		err = delete_object(load->pool, type, le32_to_cpu(r->id));
	}
	mutex_unlock(&cohort_lock);
	return err;
}

static bool segments_there(const struct cohort_run *run, const struct cohort_segment_entry *table)
{
	u32 i;

	for (i = 0; i < run->count; i++)
		if (!table[run->segment[i]].seq ||
		    table[run->segment[i]].kind != COHORT_SEGMENT_INDEX)
			return false;
	return true;
}

/* Those of a flush that was cut off do not count: the log says all of it. */
static int load_runs(struct cohort_pool *pool, const struct cohort_segment_entry *table)
{
	struct cohort_runs_item *item, *next;
	u32 i;

	list_for_each_entry_safe(item, next, &pool->runs.list, list) {
		if (item->run.to > pool->sb.log_start) {
			forget_run(pool, item);
			continue;
		}
		if (!segments_there(&item->run, table))
			return -EUCLEAN;
		for (i = 0; i < item->run.count; i++)
			cohort_segments_index_live(&pool->log->segs, item->run.segment[i], 1);
	}
	return 0;
}

/* The cuts the catalog knows are what has to be protected. */
static int load_live(struct cohort_pool *pool)
{
	struct cohort_rel *rel;
	int err = 0;
	u32 i;

	mutex_lock(&cohort_cut_mutex);
	list_for_each_entry(rel, &pool->rels, list)
		for (i = 0; i < rel->count && !err; i++)
			if (cohort_member_has_cut(&rel->member[i]))
				err = cohort_source_live_add(rel->member[i].source,
							     rel->member[i].epoch);
	mutex_unlock(&cohort_cut_mutex);
	return err;
}

/* What members have of their own, beside their cuts. */
static int load_of_members(struct cohort_pool *pool, const struct cohort_segment_entry *table)
{
	int err;

	mutex_lock(&cohort_lock);
	err = cohort_overlay_bind(pool);
	if (!err)
		err = cohort_copy_bind(pool, table);
	mutex_unlock(&cohort_lock);
	return err;
}

/* The newer superblock may be lost: no epoch of a cut is used again, whatever it said. */
static u64 newest_cut(const struct cohort_pool *pool)
{
	const struct cohort_runs_item *item;
	const struct cohort_rel *rel;
	u64 epoch = 0;
	u32 i;

	list_for_each_entry(rel, &pool->rels, list)
		for (i = 0; i < rel->count; i++)
			epoch = max(epoch, rel->member[i].epoch);
	list_for_each_entry(item, &pool->runs.list, list)
		epoch = max(epoch, item->run.max_epoch);
	return epoch;
}

/* An entry that is not the newest may become it when those above it are dropped. */
static int load_chunk_space(void *ctx, u32 source_id, u64 epoch, bool newest)
{
	struct cohort_source *source = cohort_source_by_id(ctx, source_id);
	int err;

	if (newest && cohort_is_overlay(source_id) &&
	    cohort_overlay_needs(ctx, source_id, 0, epoch))
		cohort_overlay_count(ctx, source_id, 1);
	/* of a source that was removed: dropped before anybody asks */
	if (!source)
		return 0;
	source->space.loose = source->pool->sb.moves;
	err = cohort_space_open(&source->space, epoch);
	if (!err && newest)
		cohort_space_move(&source->space, 0, epoch);
	return err;
}

/* The newer superblock may be lost: no activation may take an older one's batches for its own. */
static u64 newest_nonce(const struct cohort_pool *pool, const struct cohort_segment_entry *table)
{
	u64 nonce = pool->sb.nonce;
	u64 i;

	for (i = 0; i < pool->sb.nr_segments; i++)
		nonce = max(nonce, table[i].nonce);
	return nonce;
}

int cohort_catalog_load(struct cohort_pool *pool, u64 *last_seq, u32 *last_crc,
			struct cohort_words *words)
{
	struct load load = { .pool = pool };
	struct cohort_replay r = {
		.sb = &pool->sb,
		.ctx = &load,
		.read = load_read,
		.preserve = load_preserve,
		.record = load_record,
	};
	int err;

	r.table = kvcalloc(pool->sb.nr_segments, sizeof(*r.table), GFP_NOIO);
	if (!r.table)
		return cohort_refuse(words, -ENOMEM, "no memory for the segment table");
	err = cohort_replay_run(&r);
	if (!err) {
		err = load_runs(pool, r.table);
		if (err)
			strscpy(r.why, "a segment of an index run is missing", sizeof(r.why));
	}
	if (!err)
		err = load_live(pool);
	if (!err)
		err = load_of_members(pool, r.table);
	if (!err)
		err = cohort_index_each(pool->index, load_chunk_space, pool);
	if (err)
		cohort_refuse(words, err, "pool \"%s\": %s (error %d)", pool->name,
			      r.why[0] ? r.why : "the catalog could not be loaded", err);
	else
		cohort_segments_load(&pool->log->segs, r.table,
				     pool->runs.nr ? pool->sb.log_start : 0);
	pool->sb.nonce = newest_nonce(pool, r.table);
	kvfree(r.table);
	*last_seq = max(r.last_seq, pool->sb.next_seq - 1);
	*last_crc = r.last_crc;
	pool->sb.epoch_high = max3(pool->sb.epoch_high, r.max_epoch + 1, newest_cut(pool) + 1);
	return err;
}

void cohort_catalog_unload(struct cohort_pool *pool)
{
	struct cohort_source *source, *s;
	struct cohort_group *group, *g;
	struct cohort_rel *rel, *r;

	lockdep_assert_held(&cohort_lock);
	list_for_each_entry_safe(rel, r, &pool->rels, list) {
		cohort_rel_unlink(rel);
		cohort_rel_put(rel);
	}
	cohort_overlay_unload_all(pool);
	cohort_copy_unload_all(pool);
	list_for_each_entry_safe(group, g, &pool->groups, list) {
		cohort_group_unlink(group);
		cohort_group_free(group);
	}
	list_for_each_entry_safe(source, s, &pool->sources, list) {
		cohort_source_unlink(source);
		cohort_source_put(source);
	}
}

/* ---- checkpoint ---- */

/* Objects in an order that replay can follow; pending ones have no record to keep. */
struct dump {
	void *buf;
	size_t room;
	size_t len;
};

static void *dump_space(struct dump *d, size_t len)
{
	void *at = d->buf + d->len;

	if (WARN_ON_ONCE(d->len + len > d->room))
		return NULL;
	d->len += len;
	return at;
}

static size_t catalog_size(struct cohort_pool *pool)
{
	struct cohort_overlay *overlay;
	struct cohort_runs_item *item;
	struct cohort_source *source;
	struct cohort_group *group;
	struct cohort_rel *rel;
	unsigned long id;
	size_t len = 0;

	list_for_each_entry(source, &pool->sources, list)
		len += sizeof(struct cohort_disk_source);
	list_for_each_entry(group, &pool->groups, list)
		len += cohort_group_record_len(group);
	list_for_each_entry(rel, &pool->rels, list)
		len += cohort_rel_record_len(rel) + cohort_copy_records_len(rel);
	list_for_each_entry(item, &pool->runs.list, list)
		len += cohort_run_record_len(item->run.count);
	xa_for_each(&pool->overlays, id, overlay)
		len += sizeof(struct cohort_disk_overlay);
	return len;
}

static void dump_runs(struct cohort_pool *pool, struct dump *d)
{
	struct cohort_runs_item *item;
	void *at;

	list_for_each_entry(item, &pool->runs.list, list) {
		at = dump_space(d, cohort_run_record_len(item->run.count));
		if (at)
			cohort_run_record_encode(&item->run, at);
	}
}

static void dump_copies(const struct cohort_rel *rel, struct dump *d)
{
	void *at;
	u32 i;

	for (i = 0; i < rel->count; i++) {
		if (!rel->member[i].copy)
			continue;
		at = dump_space(d, cohort_copy_record_len(rel, i));
		if (at)
			cohort_copy_encode(rel, i, true, at);
	}
}

static void dump_overlays(struct cohort_pool *pool, struct dump *d)
{
	struct cohort_overlay *overlay;
	unsigned long id;
	void *at;

	xa_for_each(&pool->overlays, id, overlay) {
		at = dump_space(d, sizeof(struct cohort_disk_overlay));
		if (at)
			cohort_overlay_encode(overlay, at);
	}
}

static void dump_catalog(struct cohort_pool *pool, struct dump *d)
{
	struct cohort_source *source;
	struct cohort_group *group;
	struct cohort_rel *rel;
	void *at;

	list_for_each_entry(source, &pool->sources, list)
		if (!source->pending) {
			at = dump_space(d, sizeof(struct cohort_disk_source));
			if (at)
				cohort_source_encode(source, at);
		}
	list_for_each_entry(group, &pool->groups, list)
		if (!group->pending) {
			at = dump_space(d, cohort_group_record_len(group));
			if (at)
				cohort_group_encode(group, at);
		}
	list_for_each_entry(rel, &pool->rels, list)
		if (!rel->pending) {
			at = dump_space(d, cohort_rel_record_len(rel));
			if (at)
				cohort_rel_encode(rel, at);
			dump_copies(rel, d);
		}
	dump_overlays(pool, d);
	dump_runs(pool, d);
}

/* As many whole records as fit into a batch. */
static u32 batch_records(const void *buf, size_t left, u32 most)
{
	u32 len = 0;

	while (len < left) {
		const struct cohort_disk_record *r = buf + len;
		u32 n = le32_to_cpu(r->len);

		if (len && len + n > most)
			break;
		len += n;
	}
	return len;
}

static int append_dump(struct cohort_pool *pool, const struct dump *d, u64 *first_seq)
{
	u32 most = min_t(u32, pool->sb.segment_size / 2, 256u << 10);
	size_t at = 0;
	u64 seq;
	int err;

	while (at < d->len) {
		u32 len = batch_records(d->buf + at, d->len - at, most);

		err = cohort_log_append(pool->log, d->buf + at, len, &seq);
		if (err)
			return err;
		if (!at)
			*first_seq = seq;
		at += len;
	}
	return 0;
}

int cohort_catalog_checkpoint(struct cohort_pool *pool)
{
	return cohort_catalog_checkpoint_from(pool, pool->sb.log_start);
}

int cohort_catalog_checkpoint_from(struct cohort_pool *pool, u64 log_start)
{
	struct dump d = { };
	u64 first = 0;
	int err;

	lockdep_assert_held(&pool->catalog_mutex);
	mutex_lock(&cohort_lock);
	d.room = catalog_size(pool);
	d.buf = kvmalloc(d.room + 1, GFP_NOIO);
	if (d.buf)
		dump_catalog(pool, &d);
	mutex_unlock(&cohort_lock);
	if (!d.buf)
		return -ENOMEM;
	err = append_dump(pool, &d, &first);
	kvfree(d.buf);
	if (err)
		return err;
	/* an empty catalog voids everything that was written so far */
	if (!first)
		first = cohort_log_completed(pool->log) + 1;
	/* whatever the disk said: one of the superblocks may be written */
	return cohort_pool_set_catalog_seq(pool, first, log_start) ? -EIO : 0;
}

/* ---- break ---- */

static u64 oldest_epoch(const struct cohort_rel *rel)
{
	u64 epoch = U64_MAX;
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (rel->member[i].epoch && rel->member[i].state != COHORT_COPY_STATE_BROKEN)
			epoch = min(epoch, rel->member[i].epoch);
	return epoch;
}

/* FailedCopyStopsHostIO: rather than that it breaks, writes wait. */
static bool stops_host_io(const struct cohort_rel *rel, unsigned long since)
{
	return (rel->flags & COHORT_RELATIONSHIP_FLAGS_HOLD_ON_FULL) &&
		time_before(jiffies, since + rel->hold_time * HZ);
}

/* A clone that is being copied comes last: it ends by itself, and takes no space. */
static bool goes_first(const struct cohort_rel *rel, const struct cohort_rel *than)
{
	const bool a = rel->sync_type == COHORT_SYNC_TYPE_CLONE;
	const bool b = than->sync_type == COHORT_SYNC_TYPE_CLONE;

	if (a != b)
		return b;
	return oldest_epoch(rel) < oldest_epoch(than);
}

/* NULL and *@hold: there are some, and writes wait for a while before one breaks. */
static struct cohort_rel *oldest_rel(struct cohort_pool *pool, unsigned long since, bool *hold)
{
	struct cohort_rel *rel, *oldest = NULL;

	*hold = false;
	lockdep_assert_held(&cohort_lock);
	list_for_each_entry(rel, &pool->rels, list) {
		if (!cohort_rel_holds_cut(rel))
			continue;
		if (rel->renewing || stops_host_io(rel, since))
			*hold = true;
		else if (!oldest || goes_first(rel, oldest))
			oldest = rel;
	}
	return oldest;
}

/* Flipped, but its job has not made it durable. */
static bool unresolved(const struct cohort_rel *rel)
{
	return rel->pending || rel->requested != COHORT_COPY_STATE_NOT_APPLICABLE;
}

/* Its images answer EIO first, then nothing is preserved for it any more. */
static void break_member(struct cohort_rel *rel, u32 i)
{
	struct cohort_rel_member *m = &rel->member[i];

	lockdep_assert_held(&cohort_cut_mutex);
	if (cohort_member_stands_alone(m))
		return;
	WRITE_ONCE(m->state, COHORT_COPY_STATE_BROKEN);
	/* pairs with the barrier in cohort_image_lost(): broken before its space is used anew */
	smp_wmb();
	if (m->epoch)
		cohort_source_live_del(m->source, m->epoch);
	cohort_overlay_drop(rel, i);
}

static void break_rel(struct cohort_rel *rel, const char *reason)
{
	u32 i, from = rel->state;

	lockdep_assert_held(&cohort_lock);
	mutex_lock(&cohort_cut_mutex);
	for (i = 0; i < rel->count; i++)
		break_member(rel, i);
	mutex_unlock(&cohort_cut_mutex);
	rel->overrun = true;
	rel->reason = reason;
	cohort_rel_update_state(rel);
	trace_cohort_rel_state(rel->name, from, rel->state);
	if (!rel->pending)
		cohort_notify(&(struct cohort_news) {
			.event = COHORT_EVENT_REL_BROKEN, .pool = rel->pool, .rel = rel,
			.group = rel->source_group,
		});
}

/* The record of @rel as it would be with its members broken. */
static void *broken_record(struct cohort_rel *rel, const struct cohort_source *only, size_t *len)
{
	struct cohort_disk_rel *d = kvmalloc(cohort_rel_record_len(rel), GFP_NOIO);
	u32 i;

	lockdep_assert_held(&cohort_lock);
	if (!d)
		return NULL;
	*len = cohort_rel_encode(rel, d);
	for (i = 0; i < rel->count; i++)
		if ((!only || rel->member[i].source == only) &&
		    !cohort_member_stands_alone(&rel->member[i]))
			d->member[i].state = cpu_to_le32(COHORT_COPY_STATE_BROKEN);
	return d;
}

int cohort_catalog_break_oldest(struct cohort_pool *pool, unsigned long since, const char *reason)
{
	struct cohort_rel *rel;
	bool hold;
	int err;

	lockdep_assert_held(&pool->catalog_mutex);
	mutex_lock(&cohort_lock);
	rel = oldest_rel(pool, since, &hold);
	if (rel && unresolved(rel)) {
		/* the cut is not in the catalog: its job finds out and takes it back */
		break_rel(rel, reason);
		mutex_unlock(&cohort_lock);
		return 0;
	}
	if (rel)
		cohort_rel_get(rel);
	mutex_unlock(&cohort_lock);
	if (!rel)
		return hold ? -EBUSY : -ENOENT;
	err = cohort_catalog_break(pool, rel, reason);
	cohort_rel_put(rel);
	return err;
}

int cohort_catalog_break(struct cohort_pool *pool, struct cohort_rel *rel, const char *reason)
{
	void *record;
	size_t len;
	int err;

	lockdep_assert_held(&pool->catalog_mutex);
	mutex_lock(&cohort_lock);
	record = broken_record(rel, NULL, &len);
	if (PLANTED("break-late"))
		break_rel(rel, reason);
	mutex_unlock(&cohort_lock);
	/* durable before the first write that relies on it */
	err = record ? cohort_log_append(pool->log, record, len, NULL) : -ENOMEM;
	kvfree(record);
	if (err)
		return err;
	mutex_lock(&cohort_lock);
	break_rel(rel, reason);
	mutex_unlock(&cohort_lock);
	return 0;
}

void cohort_catalog_break_all(struct cohort_pool *pool, const char *reason)
{
	struct cohort_rel *rel;

	list_for_each_entry(rel, &pool->rels, list)
		if (cohort_rel_holds_cut(rel))
			break_rel(rel, reason);
}

static bool has_member(const struct cohort_rel *rel, const struct cohort_source *source)
{
	u32 i;

	for (i = 0; i < rel->count; i++)
		if (rel->member[i].source == source)
			return true;
	return false;
}

/* Records of every relationship of @source with its members broken, behind @record. */
static int source_records(struct cohort_pool *pool, struct cohort_source *source,
			  struct dump *d, const void *record, size_t len)
{
	struct cohort_rel *rel;

	d->room = catalog_size(pool) + len;
	d->buf = kvmalloc(d->room, GFP_NOIO);
	if (!d->buf)
		return -ENOMEM;
	memcpy(dump_space(d, len), record, len);
	list_for_each_entry(rel, &pool->rels, list) {
		size_t n;
		void *one;

		if (rel->pending || !has_member(rel, source))
			continue;
		one = broken_record(rel, source, &n);
		if (!one)
			return -ENOMEM;
		memcpy(dump_space(d, n), one, n);
		kvfree(one);
	}
	return 0;
}

static void break_source(struct cohort_pool *pool, struct cohort_source *source)
{
	struct cohort_rel *rel;
	u32 i;

	mutex_lock(&cohort_cut_mutex);
	list_for_each_entry(rel, &pool->rels, list)
		for (i = 0; i < rel->count; i++)
			if (rel->member[i].source == source)
				break_member(rel, i);
	mutex_unlock(&cohort_cut_mutex);
	list_for_each_entry(rel, &pool->rels, list) {
		if (rel->pending || !has_member(rel, source))
			continue;
		rel->reason = "the disk of a member was exchanged or written elsewhere";
		cohort_rel_update_state(rel);
		cohort_notify(&(struct cohort_news) {
			.event = COHORT_EVENT_REL_BROKEN, .pool = pool, .rel = rel,
		});
	}
}

int cohort_pool_break_source(struct cohort_pool *pool, struct cohort_source *source,
			     const void *record, size_t len)
{
	struct dump d = { };
	int err;

	lockdep_assert_held(&pool->catalog_mutex);
	mutex_lock(&cohort_lock);
	err = source_records(pool, source, &d, record, len);
	mutex_unlock(&cohort_lock);
	if (!err)
		err = cohort_log_append(pool->log, d.buf, d.len, NULL);
	kvfree(d.buf);
	if (err)
		return err;
	mutex_lock(&cohort_lock);
	break_source(pool, source);
	mutex_unlock(&cohort_lock);
	return 0;
}
