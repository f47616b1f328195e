// SPDX-License-Identifier: GPL-2.0-or-later
/* audit-catalog.c - the rules of the catalog; what breaks one is taken out of it. */
#include <stdio.h>
#include <stdlib.h>

#include <linux/cohort.h>

#include "../kmod/state.h"
#include "audit.h"

static bool bad_id(u32 id)
{
	return !id || id == U32_MAX;
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

static bool text_ok(const u8 *text, size_t size)
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
	if (!text_ok(d->dm_uuid, sizeof(d->dm_uuid)) || !text_ok(d->wwn, sizeof(d->wwn)) ||
	    !text_ok(d->partuuid, sizeof(d->partuuid)))
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

static const char *member_wrong(const struct store *store, const struct cohort_disk_rel_member *m)
{
	const u32 state = le32_to_cpu(m->state);

	if (!store_source(store, le32_to_cpu(m->source)))
		return "has a member that is not in the catalog";
	if (!cohort_state_copy_name(state) || state == COHORT_COPY_STATE_MIXED)
		return "has a member in an impossible state";
	if (state == COHORT_COPY_STATE_SYNCHRONIZED && !m->epoch)
		return "has a member without a cut";
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
		why = member_wrong(store, &d->member[i]);
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

void audit_catalog(struct audit *audit)
{
	static const u16 order[] = { COHORT_REC_SOURCE, COHORT_REC_GROUP, COHORT_REC_REL };
	struct store *store = audit->store;
	size_t t;
	u32 i;

	for (t = 0; t < ARRAY_SIZE(order); t++)
		for (i = 0; i < store->nr_records;)
			if (store->record[i].type != order[t] ||
			    check_record(audit, &store->record[i]))
				i++;
}
