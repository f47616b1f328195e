// SPDX-License-Identifier: LGPL-2.1-or-later
/* object.c - attributes to the structs of objects.h: a table per object */
#include <stdlib.h>
#include <string.h>

#include "private.h"

enum field_type { STR, U32, U64, INT, BOOL, FINGERPRINT, MEMBERS, TARGET };

struct field {
	uint16_t attr;
	uint8_t type;
	uint16_t offset;
};

#define F(set, attr, type, object, member) \
	{ COHORT_A_##set##_##attr, type, offsetof(struct cohort_##object, member) }

static const struct field module_fields[] = {
	F(MODULE, VERSION, STR, module, version),
	F(MODULE, ABI, U32, module, abi),
	F(MODULE, EPOCH, U64, module, epoch),
	F(MODULE, CUTS, U64, module, cuts),
	F(MODULE, CUTS_MIXED, U64, module, cuts_mixed),
	F(MODULE, JOBS, U32, module, jobs),
	F(MODULE, GATES, U64, module, gates),
	F(MODULE, GATES_LOST, U64, module, gates_lost),
	F(MODULE, GATE_OVERRUN, U64, module, gate_overrun),
};

static const struct field pool_fields[] = {
	F(POOL, NAME, STR, pool, name),
	F(POOL, UUID, STR, pool, uuid),
	F(POOL, DEV, STR, pool, dev),
	F(POOL, DM_DEV, STR, pool, dm_dev),
	F(POOL, STATE, U32, pool, state),
	F(POOL, SIZE, U64, pool, size),
	F(POOL, USED, U64, pool, used),
	F(POOL, CHUNK_SIZE, U32, pool, chunk_size),
	F(POOL, SEGMENT_SIZE, U32, pool, segment_size),
	F(POOL, SOURCES, U32, pool, sources),
	F(POOL, RELATIONSHIPS, U32, pool, relationships),
	F(POOL, PRESERVED, U64, pool, preserved),
	F(POOL, BATCHES, U64, pool, batches),
	F(POOL, LOG_BYTES, U64, pool, log_bytes),
	F(POOL, REASON, STR, pool, reason),
	F(POOL, GENERATION, U64, pool, generation),
	F(POOL, DAMAGED, U64, pool, damaged),
	F(POOL, INDEX_RUNS, U32, pool, index_runs),
	F(POOL, INDEX_MEMORY, U64, pool, index_memory),
	F(POOL, INDEX_LIMIT, U64, pool, index_limit),
	F(POOL, LOG_START, U64, pool, log_start),
	F(POOL, MOVED, U64, pool, moved),
};

static const struct field source_fields[] = {
	F(SOURCE, NAME, STR, source, name),
	F(SOURCE, UUID, STR, source, uuid),
	F(SOURCE, POOL, STR, source, pool),
	F(SOURCE, ID, U32, source, id),
	F(SOURCE, STATE, U32, source, state),
	F(SOURCE, SIZE, U64, source, size),
	F(SOURCE, CLEAN, BOOL, source, clean),
	F(SOURCE, DEV, STR, source, dev),
	F(SOURCE, DM_DEV, STR, source, dm_dev),
	F(SOURCE, DM_UUID, STR, source, dm_uuid),
	F(SOURCE, WWN, STR, source, wwn),
	F(SOURCE, PARTUUID, STR, source, partuuid),
	F(SOURCE, FINGERPRINT, FINGERPRINT, source, fingerprint),
	F(SOURCE, HELD, U64, source, held),
	F(SOURCE, RELATIONSHIPS, U32, source, relationships),
	F(SOURCE, ERAS, U32, source, eras),
};

static const struct field target_fields[] = {
	F(TARGET, DEV, STR, target, dev),
	F(TARGET, SIZE, U64, target, size),
	F(TARGET, DM_UUID, STR, target, dm_uuid),
	F(TARGET, WWN, STR, target, wwn),
	F(TARGET, PARTUUID, STR, target, partuuid),
	F(TARGET, COPIED, U64, target, copied),
	F(TARGET, UNREADABLE, U64, target, unreadable),
};

static const struct field member_fields[] = {
	F(MEMBER, INDEX, U32, member, index),
	F(MEMBER, NAME, STR, member, name),
	F(MEMBER, SOURCE, STR, member, source),
	F(MEMBER, COPY_STATE, U32, member, copy_state),
	F(MEMBER, EPOCH, U64, member, epoch),
	F(MEMBER, TIME, U64, member, time),
	F(MEMBER, ERRNO, INT, member, err),
	F(MEMBER, MIXED, BOOL, member, mixed),
	F(MEMBER, SIZE, U64, member, size),
	F(MEMBER, TARGET, TARGET, member, target),
};

static const struct field group_fields[] = {
	F(GROUP, NAME, STR, group, name),
	F(GROUP, POOL, STR, group, pool),
	F(GROUP, KIND, U32, group, kind),
	F(GROUP, FLAGS, U32, group, flags),
	F(GROUP, MEMBER, MEMBERS, group, members),
	F(GROUP, RELATIONSHIPS, U32, group, relationships),
};

static const struct field relationship_fields[] = {
	F(RELATIONSHIP, NAME, STR, relationship, name),
	F(RELATIONSHIP, UUID, STR, relationship, uuid),
	F(RELATIONSHIP, POOL, STR, relationship, pool),
	F(RELATIONSHIP, SYNC_TYPE, U32, relationship, sync_type),
	F(RELATIONSHIP, MODE, U32, relationship, mode),
	F(RELATIONSHIP, CONSISTENCY, U32, relationship, consistency),
	F(RELATIONSHIP, COPY_STATE, U32, relationship, copy_state),
	F(RELATIONSHIP, REQUESTED_COPY_STATE, U32, relationship, requested_copy_state),
	F(RELATIONSHIP, PROGRESS_STATUS, U32, relationship, progress_status),
	F(RELATIONSHIP, PERCENT_SYNCED, U32, relationship, percent_synced),
	F(RELATIONSHIP, SOURCE_GROUP, STR, relationship, source_group),
	F(RELATIONSHIP, TARGET_GROUP, STR, relationship, target_group),
	F(RELATIONSHIP, MEMBER, MEMBERS, relationship, members),
	F(RELATIONSHIP, FLAGS, U32, relationship, flags),
	F(RELATIONSHIP, SPACE_LIMIT, U64, relationship, space_limit),
	F(RELATIONSHIP, REMOVE_AFTER, U64, relationship, remove_after),
	F(RELATIONSHIP, HOLD_TIME, U32, relationship, hold_time),
	F(RELATIONSHIP, EPOCH, U64, relationship, epoch),
	F(RELATIONSHIP, WHEN_SYNCED, U64, relationship, when_synced),
	F(RELATIONSHIP, MIXED, U32, relationship, mixed),
	F(RELATIONSHIP, SEAL_NS, U64, relationship, seal_ns),
	F(RELATIONSHIP, GP_NS, U64, relationship, gp_ns),
	F(RELATIONSHIP, REASON, STR, relationship, reason),
	F(RELATIONSHIP, SPACE_CONSUMED, U64, relationship, space_consumed),
};

static const struct field job_fields[] = {
	F(JOB, ID, U64, job, id),
	F(JOB, METHOD, U32, job, method),
	F(JOB, STATE, U32, job, state),
	F(JOB, PERCENT, U32, job, percent),
	F(JOB, RESULT, U32, job, result),
	F(JOB, ERRNO, INT, job, err),
	F(JOB, MESSAGE, STR, job, message),
	F(JOB, POOL, STR, job, pool),
	F(JOB, SOURCE, STR, job, source),
	F(JOB, SOURCE_GROUP, STR, job, source_group),
	F(JOB, TARGET_GROUP, STR, job, target_group),
	F(JOB, RELATIONSHIP, STR, job, relationship),
	F(JOB, MEMBER, MEMBERS, job, members),
	F(JOB, TIME_SUBMITTED, U64, job, time_submitted),
	F(JOB, ELAPSED, U64, job, elapsed),
	F(JOB, DONE, U64, job, done),
	F(JOB, TOTAL, U64, job, total),
	F(JOB, SUSPENDED, U64, job, suspended),
};

struct layout {
	const struct field *fields;
	uint16_t count;
	uint16_t size;
	uint16_t alive;		/* attribute that only an object that exists has */
	uint8_t get;
	bool list;		/* begins with a pointer to the next */
};

#define L(kind, object, alive, get, list) \
	[OBJECT_##kind] = { object##_fields, ARRAY_SIZE(object##_fields), \
			    sizeof(struct cohort_##object), alive, get, list }

static const struct layout layouts[] = {
	L(MODULE, module, COHORT_A_MODULE_ABI, COHORT_CMD_MODULE_GET, false),
	L(POOL, pool, COHORT_A_POOL_STATE, COHORT_CMD_POOL_GET, true),
	L(SOURCE, source, COHORT_A_SOURCE_STATE, COHORT_CMD_SOURCE_GET, true),
	L(GROUP, group, COHORT_A_GROUP_KIND, COHORT_CMD_GROUP_GET, true),
	L(RELATIONSHIP, relationship, COHORT_A_RELATIONSHIP_COPY_STATE,
	  COHORT_CMD_RELATIONSHIP_GET, true),
	L(JOB, job, COHORT_A_JOB_STATE, COHORT_CMD_JOB_GET, true),
};

static const struct layout member_layout = {
	member_fields, ARRAY_SIZE(member_fields), sizeof(struct cohort_member), 0, 0, true,
};

static const struct layout target_layout = {
	target_fields, ARRAY_SIZE(target_fields), sizeof(struct cohort_target), 0, 0, false,
};

int object_get_cmd(enum object_kind kind)
{
	return layouts[kind].get;
}

int object_kind_of(int cmd)
{
	switch (cmd) {
	case COHORT_CMD_MODULE_GET:
		return OBJECT_MODULE;
	case COHORT_CMD_POOL_GET ... COHORT_CMD_POOL_SCRUB:
		return OBJECT_POOL;
	case COHORT_CMD_SOURCE_GET ... COHORT_CMD_SOURCE_REMOVE:
		return OBJECT_SOURCE;
	case COHORT_CMD_GROUP_GET ... COHORT_CMD_GROUP_REMOVE:
		return OBJECT_GROUP;
	case COHORT_CMD_RELATIONSHIP_GET ... COHORT_CMD_RELATIONSHIP_MODIFY:
		return OBJECT_RELATIONSHIP;
	case COHORT_CMD_JOB_GET ... COHORT_CMD_JOB_NTF:
	case COHORT_CMD_JOB_MODIFY:
		return OBJECT_JOB;
	}
	return -1;
}

static void layout_free(const struct layout *l, void *list);

static void field_free(const struct field *f, void *object)
{
	void *at = (char *)object + f->offset;

	if (f->type == STR)
		free(*(char **)at);
	else if (f->type == MEMBERS)
		layout_free(&member_layout, *(struct cohort_member **)at);
	else if (f->type == TARGET)
		layout_free(&target_layout, *(struct cohort_target **)at);
}

static void layout_free(const struct layout *l, void *list)
{
	while (list) {
		void *next = l->list ? *(void **)list : NULL;

		for (unsigned int i = 0; i < l->count; i++)
			field_free(&l->fields[i], list);
		free(list);
		list = next;
	}
}

void object_free(enum object_kind kind, void *list)
{
	layout_free(&layouts[kind], list);
}

/* Numbers are taken in whatever width the kernel sends: it may widen one. */
static uint64_t number(const struct nlattr *attr)
{
	if (nla_len(attr) >= (int)sizeof(uint64_t))
		return nla_get_u64(attr);
	return nla_len(attr) >= (int)sizeof(uint32_t) ? nla_get_u32(attr) : 0;
}

static void *layout_parse(const struct layout *l, const struct nlattr *attr, int len,
			  bool *alive);

static int member_append(const struct nlattr *nest, struct cohort_member **tail)
{
	bool alive;

	/* already a list: go to its end, order is what the kernel sent */
	while (*tail)
		tail = &(*tail)->next;
	*tail = layout_parse(&member_layout, nla_data(nest), nla_len(nest), &alive);
	return *tail ? 0 : -1;
}

static int target_set(const struct nlattr *nest, struct cohort_target **at)
{
	bool alive;

	/* the last one counts, as of every field */
	layout_free(&target_layout, *at);
	*at = layout_parse(&target_layout, nla_data(nest), nla_len(nest), &alive);
	return *at ? 0 : -1;
}

int attr_string(const struct nlattr *attr, char **at)
{
	free(*at);
	*at = strndup(nla_data(attr), (size_t)nla_len(attr));
	return *at ? 0 : -1;
}

static int field_set(const struct field *f, const struct nlattr *attr, void *object)
{
	void *at = (char *)object + f->offset;

	switch (f->type) {
	case STR:
		return attr_string(attr, at);
	case U32:
		*(uint32_t *)at = (uint32_t)number(attr);
		break;
	case U64:
		*(uint64_t *)at = number(attr);
		break;
	case INT:
		*(int *)at = (int)number(attr);
		break;
	case BOOL:
		*(bool *)at = number(attr) != 0;
		break;
	case FINGERPRINT:
		if (nla_len(attr) == COHORT_FINGERPRINT_LEN)
			memcpy(at, nla_data(attr), COHORT_FINGERPRINT_LEN);
		break;
	case MEMBERS:
		return member_append(attr, at);
	case TARGET:
		return target_set(attr, at);
	}
	return 0;
}

static const struct field *field_find(const struct layout *l, int attr)
{
	for (unsigned int i = 0; i < l->count; i++)
		if (l->fields[i].attr == attr)
			return &l->fields[i];
	return NULL;
}

static void *layout_parse(const struct layout *l, const struct nlattr *attr, int len, bool *alive)
{
	void *object = calloc(1, l->size);

	*alive = false;
	for (; object && nla_ok(attr, len); attr = nla_next(attr, &len)) {
		const struct field *f = field_find(l, nla_type(attr));

		*alive |= nla_type(attr) == l->alive;
		if (f && field_set(f, attr, object)) {
			layout_free(l, object);
			return NULL;
		}
	}
	return object;
}

void *object_parse(enum object_kind kind, const struct nlattr *attrs, int len, bool *complete)
{
	return layout_parse(&layouts[kind], attrs, len, complete);
}
