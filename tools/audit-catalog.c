// SPDX-License-Identifier: GPL-2.0-or-later
/* audit-catalog.c - the rules of the catalog; what breaks one is taken out of it. */
#include <stdio.h>
#include <stdlib.h>

#include <linux/cohort.h>

#include "../kmod/state.h"
#include "audit.h"

static bool bad_id(u32 id)
{
	return !id || cohort_is_overlay(id);
}

/* An object of the same type in front of @record has its name. */
static bool name_taken(const struct store *store, const struct store_record *record)
{
	const struct store_record *other;

	for (other = store->record; other < record; other++)
		if (other->type == record->type && !strcmp(store_name(other), store_name(record)))
			return true;
	return false;
}

bool audit_text_ok(const u8 *text, size_t size)
{
	char copy[COHORT_DISK_ID];

	return !cohort_name_decode(copy, text, size);
}

static const char *source_wrong(const struct store *store, struct store_record *record)
{
	const struct cohort_disk_source *d = record->data;
	const u64 size = le64_to_cpu(d->size);

	(void)store;
	if (!size || size % COHORT_SECTOR || size > 1ull << 60)
		return "has an impossible size";
	if (!audit_text_ok(d->dm_uuid, sizeof(d->dm_uuid)) ||
	    !audit_text_ok(d->wwn, sizeof(d->wwn)) ||
	    !audit_text_ok(d->partuuid, sizeof(d->partuuid)))
		return "has an impossible identity";
	return NULL;
}

static bool member_twice(const struct cohort_disk_group *d, u32 i)
{
	u32 k;

	for (k = 0; k < i; k++)
		if (d->member[k] == d->member[i])
			return true;
	return false;
}

static const char *group_wrong(const struct store *store, struct store_record *record)
{
	const struct cohort_disk_group *d = record->data;
	const u32 kind = le32_to_cpu(d->kind), count = le32_to_cpu(d->count);
	u32 i;

	if (count > COHORT_MEMBERS_MAX)
		return "has too many members";
	if (kind != COHORT_GROUP_KIND_SOURCE && (kind != COHORT_GROUP_KIND_TARGET || count))
		return "is of no known kind";
	for (i = 0; i < count; i++) {
		if (!store_source(store, le32_to_cpu(d->member[i])))
			return "has a member that is not in the catalog";
		if (member_twice(d, i))
			return "has a member twice";
	}
	return NULL;
}

static bool state_of_type(u32 sync_type, u32 state)
{
	const struct cohort_state_info *info;
	size_t i;

	for (i = 0; (info = cohort_state_info_at(i)); i++)
		if (info->sync_type == sync_type && info->state == state)
			return true;
	return false;
}

/* What a clone has copied, or has not begun to, needs no cut; what is broken may have one. */
static bool needs_no_cut(u32 state)
{
	return state != COHORT_COPY_STATE_UNSYNCHRONIZED && state != COHORT_COPY_STATE_SUSPENDED &&
	       state != COHORT_COPY_STATE_BROKEN;
}

static const char *member_wrong(const struct store *store, const struct cohort_disk_rel *rel,
				u32 member)
{
	const struct cohort_disk_rel_member *m = &rel->member[member];
	const u32 state = le32_to_cpu(m->state);

	if (!store_source(store, le32_to_cpu(m->source)))
		return "has a member that is not in the catalog";
	if (!cohort_state_copy_name(state) || state == COHORT_COPY_STATE_MIXED ||
	    state == COHORT_COPY_STATE_SKEWED)
		return "has a member in an impossible state";
	if (store_is_clone(rel) && !state_of_type(COHORT_SYNC_TYPE_CLONE, state))
		return "has a member in a state that clones do not know";
	if (store_cut_live(rel, member) && !m->epoch)
		return "has a member without a cut";
	if (store_is_clone(rel) && needs_no_cut(state) && m->epoch)
		return "has a member with a cut that it does not need";
	if (le64_to_cpu(m->epoch) > COHORT_EPOCH_MAX)
		return "has an impossible cut";
	return NULL;
}

static const char *rel_wrong(const struct store *store, struct store_record *record)
{
	const struct cohort_disk_rel *d = record->data;
	const u32 count = le32_to_cpu(d->count);
	const char *why = NULL;
	u32 i;

	if (!count || count > COHORT_MEMBERS_MAX)
		return "has an impossible number of members";
	if (!cohort_state_type_known(le32_to_cpu(d->sync_type)))
		return "is of no known type";
	if (!store_find(store, COHORT_REC_GROUP, le32_to_cpu(d->source_group)) ||
	    !store_find(store, COHORT_REC_GROUP, le32_to_cpu(d->target_group)))
		return "has a group that is not in the catalog";
	for (i = 0; i < count && !why; i++)
		why = member_wrong(store, d, i);
	return why;
}

static const char *record_wrong(const struct store *store, struct store_record *record)
{
	if (bad_id(record->id))
		return "has an impossible number";
	if (name_taken(store, record))
		return "has the name of another one";
	switch (record->type) {
	case COHORT_REC_SOURCE:
		return source_wrong(store, record);
	case COHORT_REC_GROUP:
		return group_wrong(store, record);
	default:
		return rel_wrong(store, record);
	}
}

static const char *kind_name(u16 type)
{
	return type == COHORT_REC_SOURCE ? "source" :
	       type == COHORT_REC_GROUP ? "group" : "relationship";
}

/* A group goes on without those that are not there; true if that makes it whole. */
static bool trim_group(const struct store *store, struct store_record *record)
{
	struct cohort_disk_group *d = record->data;
	u32 i, n = 0, count = le32_to_cpu(d->count);

	if (count > COHORT_MEMBERS_MAX)
		return false;
	for (i = 0; i < count; i++)
		if (store_source(store, le32_to_cpu(d->member[i])) && !member_twice(d, i))
			d->member[n++] = d->member[i];
	d->count = cpu_to_le32(n);
	record->len = (u32)((sizeof(*d) + n * sizeof(d->member[0]) + 7) & ~7ul);
	if (n % 2)
		d->member[n] = 0;
	d->hdr.len = cpu_to_le32(record->len);
	return !group_wrong(store, record);
}

/* True if the object is still there. */
static bool check_record(struct audit *audit, struct store_record *record)
{
	struct store *store = audit->store;
	const char *why = record_wrong(store, record);

	if (!why)
		return true;
	audit->rewrite = true;
	if (record->type == COHORT_REC_GROUP && !bad_id(record->id) &&
	    !name_taken(store, record) && trim_group(store, record)) {
		audit_say(audit, FINDING_MENDED, "group %s %s: it is taken out",
			  store_name(record), why);
		return true;
	}
	audit_say(audit, FINDING_MENDED, "%s %s %s: it is given up", kind_name(record->type),
		  store_name(record), why);
	store_drop(store, record->type, record->id);
	return false;
}

/* ---- overlays ---- */

static bool has_twin(const struct store *store, const struct store_record *record)
{
	const struct cohort_disk_overlay *d = record->data, *other;
	u32 i;

	for (i = 0; i < store->nr_records; i++) {
		other = store->record[i].data;
		if (store->record[i].type == COHORT_REC_OVERLAY && other != d &&
		    other->rel == d->rel && other->member == d->member &&
		    store_overlay_live(store, other))
			return true;
	}
	return false;
}

static const char *overlay_wrong(const struct store *store, const struct store_record *record)
{
	const struct cohort_disk_overlay *d = record->data;

	if (!store_find(store, COHORT_REC_REL, le32_to_cpu(d->rel)))
		return "is of a relationship that is not in the catalog";
	if (!cohort_is_overlay(record->id) || record->id == U32_MAX)
		return "has an impossible number";
	if (!store_overlay_member(store, d))
		return "is of an image that there is not";
	if (le64_to_cpu(d->floor) > COHORT_EPOCH_MAX)
		return "has an impossible floor";
	if (store_overlay_live(store, d) && has_twin(store, record))
		return "is of an image that has another one";
	return NULL;
}

void audit_break_member(struct cohort_disk_rel *rel, u32 member)
{
	u32 i;

	rel->member[member].state = cpu_to_le32(COHORT_COPY_STATE_BROKEN);
	rel->state = rel->member[0].state;
	for (i = 1; i < le32_to_cpu(rel->count); i++)
		if (rel->member[i].state != rel->state)
			rel->state = cpu_to_le32(COHORT_COPY_STATE_MIXED);
}

/* Without what was written to it an image would lie: the one that it was, or may have been. */
static void break_images(struct audit *audit, const struct cohort_disk_overlay *d)
{
	struct store_record *record = store_find(audit->store, COHORT_REC_REL,
						 le32_to_cpu(d->rel));
	const bool known = store_overlay_member(audit->store, d);
	struct cohort_disk_rel *rel = record ? record->data : NULL;
	u32 i;

	for (i = 0; rel && i < le32_to_cpu(rel->count); i++) {
		if ((known && i != le32_to_cpu(d->member)) || store_is_clone(rel) ||
		    !store_cut_live(rel, i))
			continue;
		audit_say(audit, FINDING_MENDED,
			  "image %s_%u becomes Broken: it may miss what was written to it",
			  store_name(record), i + 1);
		audit_break_member(rel, i);
	}
}

/*
 * One whose relationship is gone, which goes with it, and one of an image that is
 * Broken are read by nobody: the former is never left behind, the latter may be.
 */
static bool check_overlay(struct audit *audit, struct store_record *record)
{
	const char *why = overlay_wrong(audit->store, record);

	if (!why)
		return true;
	audit->rewrite = true;
	audit_say(audit, FINDING_MENDED, "overlay %u %s: it is given up",
		  record->id & ~COHORT_OVERLAY_ID, why);
	break_images(audit, record->data);
	store_drop(audit->store, record->type, record->id);
	return false;
}

void audit_type(struct audit *audit, u16 type, bool (*check)(struct audit *audit,
							     struct store_record *record))
{
	struct store *store = audit->store;
	u32 i = 0;

	while (i < store->nr_records)
		if (store->record[i].type != type || check(audit, &store->record[i]))
			i++;
		else
			i = 0;
}

void audit_catalog(struct audit *audit)
{
	audit_type(audit, COHORT_REC_SOURCE, check_record);
	audit_type(audit, COHORT_REC_GROUP, check_record);
	audit_type(audit, COHORT_REC_REL, check_record);
	audit_type(audit, COHORT_REC_OVERLAY, check_overlay);
}
