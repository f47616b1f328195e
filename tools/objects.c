// SPDX-License-Identifier: GPL-2.0-or-later
/* The fields of every object that libcohort knows. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cohort/cohort.h>

#include "objects.h"
#include "progress.h"

#define SECTOR_SIZE	512
#define NS_PER_S	1e9

#define ROW(key, head, kind, type, m, fn) \
	{ key, head, kind, offsetof(struct type, m), fn, NULL }
#define TEXT(key, head, type, m)	ROW(key, head, FIELD_TEXT, type, m, NULL)
#define ENUM(key, head, type, m, fn)	ROW(key, head, FIELD_ENUM, type, m, fn)
#define NUMBER(key, head, type, m)	ROW(key, head, FIELD_NUMBER, type, m, NULL)
#define NUMBER64(key, head, type, m)	ROW(key, head, FIELD_NUMBER64, type, m, NULL)
#define SIZE(key, head, type, m)	ROW(key, head, FIELD_SIZE, type, m, NULL)
#define SIZE32(key, head, type, m)	ROW(key, head, FIELD_SIZE32, type, m, NULL)
#define TIME(key, head, type, m)	ROW(key, head, FIELD_TIME, type, m, NULL)
#define BOOL(key, head, type, m)	ROW(key, head, FIELD_BOOL, type, m, NULL)
#define MADE(key, head, kind, fn)	{ key, head, kind, 0, NULL, fn }
#define FIELD_END			{ NULL, NULL, FIELD_TEXT, 0, NULL, NULL }

static json_t *device_path(const char *name)
{
	return name ? json_sprintf("/dev/mapper/%s", name) : NULL;
}

static json_t *pool_path(const void *object)
{
	return device_path(((const struct cohort_pool *)object)->name);
}

static json_t *pool_free(const void *object)
{
	const struct cohort_pool *pool = object;

	return json_integer((json_int_t)(pool->size - pool->used));
}

const struct field pool_stat_fields[] = {
	TEXT("ElementName", "NAME", cohort_pool, name),
	NUMBER64("PreservedChunks", "CHUNKS", cohort_pool, preserved),
	NUMBER("IndexRuns", "RUNS", cohort_pool, index_runs),
	SIZE("IndexMemory", "INDEX", cohort_pool, index_memory),
	SIZE("IndexMemoryLimit", "LIMIT", cohort_pool, index_limit),
	NUMBER64("LogBatches", "BATCHES", cohort_pool, batches),
	SIZE("LogBytes", "LOGGED", cohort_pool, log_bytes),
	NUMBER64("MovedChunks", "MOVED", cohort_pool, moved),
	NUMBER64("DamagedChunks", "DAMAGED", cohort_pool, damaged),
	FIELD_END
};

const struct field pool_fields[] = {
	TEXT("ElementName", "NAME", cohort_pool, name),
	ENUM("State", "STATE", cohort_pool, state, cohort_pool_state_name),
	SIZE("TotalManagedSpace", "SIZE", cohort_pool, size),
	SIZE("UsedManagedSpace", "USED", cohort_pool, used),
	MADE("RemainingManagedSpace", "FREE", FIELD_SIZE, pool_free),
	SIZE32("ChunkSize", "CHUNK", cohort_pool, chunk_size),
	NUMBER("Sources", "SOURCES", cohort_pool, sources),
	NUMBER("Relationships", "RELATIONSHIPS", cohort_pool, relationships),
	TEXT("PoolID", NULL, cohort_pool, uuid),
	MADE("DevicePath", NULL, FIELD_TEXT, pool_path),
	TEXT("Device", NULL, cohort_pool, dm_dev),
	TEXT("DeviceBelow", NULL, cohort_pool, dev),
	SIZE32("SegmentSize", NULL, cohort_pool, segment_size),
	NUMBER64("PreservedChunks", NULL, cohort_pool, preserved),
	NUMBER64("LogBatches", NULL, cohort_pool, batches),
	SIZE("LogBytes", NULL, cohort_pool, log_bytes),
	NUMBER64("Generation", NULL, cohort_pool, generation),
	NUMBER64("MovedChunks", NULL, cohort_pool, moved),
	NUMBER64("DamagedChunks", NULL, cohort_pool, damaged),
	NUMBER("IndexRuns", NULL, cohort_pool, index_runs),
	SIZE("IndexMemory", NULL, cohort_pool, index_memory),
	SIZE("IndexMemoryLimit", NULL, cohort_pool, index_limit),
	TEXT("Reason", NULL, cohort_pool, reason),
	FIELD_END
};

static json_t *source_path(const void *object)
{
	const struct cohort_source *source = object;

	return source->dm_dev ? device_path(source->name) : NULL;
}

static json_t *source_blocks(const void *object)
{
	const struct cohort_source *source = object;

	return json_integer((json_int_t)(source->size / SECTOR_SIZE));
}

static json_t *source_block_size(const void *object)
{
	(void)object;
	return json_integer(SECTOR_SIZE);
}

const struct field source_fields[] = {
	TEXT("ElementName", "NAME", cohort_source, name),
	TEXT("Pool", "POOL", cohort_source, pool),
	ENUM("State", "STATE", cohort_source, state, cohort_source_state_name),
	SIZE("Size", "SIZE", cohort_source, size),
	TEXT("DeviceID", NULL, cohort_source, uuid),
	MADE("DevicePath", NULL, FIELD_TEXT, source_path),
	TEXT("Device", NULL, cohort_source, dm_dev),
	TEXT("DeviceBelow", NULL, cohort_source, dev),
	MADE("BlockSize", NULL, FIELD_NUMBER, source_block_size),
	MADE("NumberOfBlocks", NULL, FIELD_NUMBER64, source_blocks),
	BOOL("DetachedClean", NULL, cohort_source, clean),
	TEXT("DMUUIDBelow", NULL, cohort_source, dm_uuid),
	TEXT("WWNBelow", NULL, cohort_source, wwn),
	TEXT("PARTUUIDBelow", NULL, cohort_source, partuuid),
	NUMBER64("HeldWrites", NULL, cohort_source, held),
	NUMBER("Relationships", NULL, cohort_source, relationships),
	NUMBER("Eras", NULL, cohort_source, eras),
	FIELD_END
};

static json_t *group_members(const void *object)
{
	const struct cohort_member *member;
	json_t *names = json_array();

	cohort_foreach(member, ((const struct cohort_group *)object)->members)
		json_array_append_new(names, json_string(member->name));
	return names;
}

static json_t *group_generated(const void *object)
{
	const struct cohort_group *group = object;

	return json_boolean(group->flags & COHORT_GROUP_FLAGS_GENERATED);
}

static json_t *group_consistency(const void *object)
{
	const struct cohort_group *group = object;
	bool none = group->flags & COHORT_GROUP_FLAGS_NO_CONSISTENCY;

	return json_string(cohort_consistency_name(none ?
			   COHORT_CONSISTENCY_NONE :
			   COHORT_CONSISTENCY_SEQUENTIAL));
}

const struct field group_fields[] = {
	TEXT("ElementName", "NAME", cohort_group, name),
	TEXT("Pool", "POOL", cohort_group, pool),
	ENUM("ReservedAs", "KIND", cohort_group, kind, cohort_group_kind_name),
	NUMBER("Relationships", "RELATIONSHIPS", cohort_group, relationships),
	MADE("Members", "MEMBERS", FIELD_NAMES, group_members),
	MADE("DefaultConsistency", NULL, FIELD_TEXT, group_consistency),
	MADE("DeleteOnUnassociated", NULL, FIELD_BOOL, group_generated),
	FIELD_END
};

static json_t *member_path(const void *object)
{
	return device_path(((const struct cohort_member *)object)->name);
}

static json_t *member_error(const void *object)
{
	const struct cohort_member *member = object;

	return member->err ? json_integer(member->err) : NULL;
}

/* A job's members need not have a copy state. */
static json_t *member_state(const void *object)
{
	const struct cohort_member *member = object;

	return member->copy_state ?
		json_string(cohort_copy_state_name(member->copy_state)) : NULL;
}

static const struct cohort_target *target_of(const void *object)
{
	return ((const struct cohort_member *)object)->target;
}

/* Node of a device number, as far as sysfs knows it. */
static json_t *node_of(const char *number)
{
	char link[64], to[256];
	ssize_t len;
	char *name;

	snprintf(link, sizeof(link), "/sys/dev/block/%.31s", number);
	len = readlink(link, to, sizeof(to) - 1);
	if (len < 0)
		return json_string(number);
	to[len] = '\0';
	name = strrchr(to, '/');
	name = name ? name + 1 : to;
	for (char *c = name; *c; c++)
		*c = *c == '!' ? '/' : *c;
	return json_sprintf("/dev/%s", name);
}

/* While its clone is down, what it is known by. */
static json_t *target_element(const void *object)
{
	const struct cohort_target *target = target_of(object);

	if (!target)
		return NULL;
	if (target->dev)
		return node_of(target->dev);
	return json_string(target->wwn ?: target->partuuid ?: target->dm_uuid ?: "?");
}

#define TARGET_TEXT(what) \
	static json_t *target_##what(const void *object) \
	{ \
		const struct cohort_target *target = target_of(object); \
		\
		return target && target->what ? json_string(target->what) : NULL; \
	}

#define TARGET_NUMBER(what) \
	static json_t *target_##what(const void *object) \
	{ \
		const struct cohort_target *target = target_of(object); \
		\
		return target ? json_integer((json_int_t)target->what) : NULL; \
	}

TARGET_TEXT(dev)
TARGET_TEXT(dm_uuid)
TARGET_TEXT(wwn)
TARGET_TEXT(partuuid)
TARGET_NUMBER(size)
TARGET_NUMBER(copied)
TARGET_NUMBER(unreadable)

/* Columns for people, whose keys are some of those below. */
const struct field clone_fields[] = {
	NUMBER("AssignedSequence", "#", cohort_member, index),
	TEXT("ElementName", "CLONE", cohort_member, name),
	TEXT("SystemElement", "SOURCE", cohort_member, source),
	MADE("CopyState", "STATE", FIELD_TEXT, member_state),
	TIME("WhenSynced", "CUT (UTC)", cohort_member, time),
	SIZE("Size", "SIZE", cohort_member, size),
	MADE("BytesCopied", "COPIED", FIELD_SIZE, target_copied),
	MADE("TargetElement", "TARGET", FIELD_TEXT, target_element),
	FIELD_END
};

const struct field image_fields[] = {
	NUMBER("AssignedSequence", "#", cohort_member, index),
	TEXT("ElementName", "IMAGE", cohort_member, name),
	TEXT("SystemElement", "SOURCE", cohort_member, source),
	MADE("CopyState", "STATE", FIELD_TEXT, member_state),
	TIME("WhenSynced", "CUT (UTC)", cohort_member, time),
	SIZE("Size", "SIZE", cohort_member, size),
	MADE("DevicePath", NULL, FIELD_TEXT, member_path),
	NUMBER64("Epoch", NULL, cohort_member, epoch),
	BOOL("Mixed", NULL, cohort_member, mixed),
	MADE("ErrorCode", NULL, FIELD_NUMBER, member_error),
	MADE("TargetElement", NULL, FIELD_TEXT, target_element),
	MADE("BytesCopied", NULL, FIELD_SIZE, target_copied),
	MADE("BytesUnreadable", NULL, FIELD_SIZE, target_unreadable),
	MADE("DeviceBelow", NULL, FIELD_TEXT, target_dev),
	MADE("SizeBelow", NULL, FIELD_SIZE, target_size),
	MADE("DMUUIDBelow", NULL, FIELD_TEXT, target_dm_uuid),
	MADE("WWNBelow", NULL, FIELD_TEXT, target_wwn),
	MADE("PARTUUIDBelow", NULL, FIELD_TEXT, target_partuuid),
	FIELD_END
};

bool relationship_is_consistent(const struct cohort_relationship *rel)
{
	return rel->consistency != COHORT_CONSISTENCY_NONE;
}

static json_t *rel_enabled(const void *object)
{
	return json_boolean(relationship_is_consistent(object));
}

/* CIM's property has other numbers than its parameter: 2 is Sequential. */
static json_t *rel_consistency_type(const void *object)
{
	return relationship_is_consistent(object) ?
		json_string("Sequentially Consistent") : NULL;
}

static json_t *rel_consistency_state(const void *object)
{
	const struct cohort_relationship *rel = object;

	if (!rel->when_synced)
		return json_string("Not Applicable");
	return json_string(relationship_is_consistent(rel) ?
			   "Consistent" : "Inconsistent");
}

static json_t *rel_read_only(const void *object)
{
	const struct cohort_relationship *rel = object;

	return rel->flags & COHORT_RELATIONSHIP_FLAGS_READ_ONLY ?
		json_string("SyncedElement") : NULL;
}

static json_t *rel_udev_visible(const void *object)
{
	const struct cohort_relationship *rel = object;

	return json_boolean(rel->flags & COHORT_RELATIONSHIP_FLAGS_UDEV_VISIBLE);
}

static json_t *rel_hold_on_full(const void *object)
{
	const struct cohort_relationship *rel = object;

	return json_boolean(rel->flags & COHORT_RELATIONSHIP_FLAGS_HOLD_ON_FULL);
}

static json_t *rel_members(const void *object)
{
	const struct cohort_relationship *rel = object;

	return record_list(image_fields, rel->members);
}

const struct field relationship_fields[] = {
	TEXT("RelationshipName", "NAME", cohort_relationship, name),
	ENUM("SyncType", "TYPE", cohort_relationship, sync_type,
	     cohort_sync_type_name),
	ENUM("CopyState", "STATE", cohort_relationship, copy_state,
	     cohort_copy_state_name),
	TEXT("SystemElement", "GROUP", cohort_relationship, source_group),
	TEXT("SyncedElement", "REPLICAS", cohort_relationship, target_group),
	TIME("WhenSynced", "CUT (UTC)", cohort_relationship, when_synced),
	MADE("ConsistencyState", "CONSISTENCY", FIELD_TEXT,
	     rel_consistency_state),
	MADE("ConsistencyEnabled", NULL, FIELD_BOOL, rel_enabled),
	MADE("ConsistencyType", NULL, FIELD_TEXT, rel_consistency_type),
	TEXT("InstanceID", NULL, cohort_relationship, uuid),
	TEXT("Pool", NULL, cohort_relationship, pool),
	ENUM("Mode", NULL, cohort_relationship, mode, cohort_mode_name),
	ENUM("RequestedCopyState", NULL, cohort_relationship,
	     requested_copy_state, cohort_copy_state_name),
	ENUM("ProgressStatus", NULL, cohort_relationship, progress_status,
	     cohort_progress_status_name),
	NUMBER("PercentSynced", NULL, cohort_relationship, percent_synced),
	MADE("ReadOnly", NULL, FIELD_TEXT, rel_read_only),
	MADE("UdevVisible", NULL, FIELD_BOOL, rel_udev_visible),
	MADE("FailedCopyStopsHostIO", NULL, FIELD_BOOL, rel_hold_on_full),
	SIZE("SpaceConsumed", "USED", cohort_relationship, space_consumed),
	SIZE("SpaceLimit", NULL, cohort_relationship, space_limit),
	NUMBER64("TimeBeforeRemoval", NULL, cohort_relationship, remove_after),
	NUMBER("HoldTime", NULL, cohort_relationship, hold_time),
	NUMBER64("Epoch", NULL, cohort_relationship, epoch),
	NUMBER("MixedMembers", NULL, cohort_relationship, mixed),
	NUMBER64("SealNanoseconds", NULL, cohort_relationship, seal_ns),
	NUMBER64("GracePeriodNanoseconds", NULL, cohort_relationship, gp_ns),
	TEXT("Reason", NULL, cohort_relationship, reason),
	MADE("Members", NULL, FIELD_OBJECTS, rel_members),
	FIELD_END
};

const struct field job_member_fields[] = {
	NUMBER("AssignedSequence", "#", cohort_member, index),
	TEXT("ElementName", "MEMBER", cohort_member, name),
	MADE("CopyState", "STATE", FIELD_TEXT, member_state),
	MADE("ErrorCode", "ERRNO", FIELD_NUMBER, member_error),
	TEXT("SystemElement", NULL, cohort_member, source),
	FIELD_END
};

/* An identifier, not a quantity: a string, as all ids in JSON. */
static json_t *job_id(const void *object)
{
	const struct cohort_job *job = object;

	return json_sprintf("%llu", (unsigned long long)job->id);
}

static bool job_has_ended(const struct cohort_job *job)
{
	return job->state >= COHORT_JOB_STATE_COMPLETED;
}

static json_t *job_result(const void *object)
{
	const struct cohort_job *job = object;

	return job_has_ended(job) ? json_integer(job->result) : NULL;
}

static json_t *job_error(const void *object)
{
	const struct cohort_job *job = object;

	return json_integer(job->err);
}

static json_t *job_seconds(const void *object)
{
	const struct cohort_job *job = object;

	return json_sprintf("%.6f", (double)job->elapsed / NS_PER_S);
}

static json_t *job_suspended(const void *object)
{
	const struct cohort_job *job = object;

	return job->suspended ? json_sprintf("%.6f", (double)job->suspended / NS_PER_S) : NULL;
}

static json_t *job_done(const void *object)
{
	const struct cohort_job *job = object;

	return job->total ? json_integer((json_int_t)job->done) : NULL;
}

static json_t *job_total(const void *object)
{
	const struct cohort_job *job = object;

	return job->total ? json_integer((json_int_t)job->total) : NULL;
}

static json_t *job_rate(const void *object)
{
	const struct cohort_job *job = object;

	return job->total ? json_integer((json_int_t)progress_rate(job)) : NULL;
}

static json_t *job_left(const void *object)
{
	const struct cohort_job *job = object;
	const double left = progress_seconds_left(job);

	return !job->total || job_has_ended(job) || left < 0 ? NULL : json_sprintf("%.6f", left);
}

static json_t *job_members(const void *object)
{
	const struct cohort_job *job = object;

	return job->members ? record_list(job_member_fields, job->members) :
		NULL;
}

const struct field job_fields[] = {
	MADE("InstanceID", "JOB", FIELD_TEXT, job_id),
	ENUM("Name", "METHOD", cohort_job, method, cohort_method_name),
	ENUM("JobState", "STATE", cohort_job, state, cohort_job_state_name),
	NUMBER("PercentComplete", "%", cohort_job, percent),
	MADE("ReturnValue", "RESULT", FIELD_NUMBER, job_result),
	TIME("TimeSubmitted", "SUBMITTED (UTC)", cohort_job, time_submitted),
	MADE("ElapsedTime", "SECONDS", FIELD_TEXT, job_seconds),
	TEXT("RelationshipName", "RELATIONSHIP", cohort_job, relationship),
	TEXT("SourceElement", "SOURCE", cohort_job, source),
	TEXT("SourceGroup", "GROUP", cohort_job, source_group),
	TEXT("TargetGroup", NULL, cohort_job, target_group),
	TEXT("Pool", NULL, cohort_job, pool),
	MADE("BytesDone", NULL, FIELD_SIZE, job_done),
	MADE("BytesTotal", NULL, FIELD_SIZE, job_total),
	MADE("BytesPerSecond", NULL, FIELD_SIZE, job_rate),
	MADE("SecondsLeft", NULL, FIELD_TEXT, job_left),
	MADE("SuspendedTime", NULL, FIELD_TEXT, job_suspended),
	MADE("ErrorCode", NULL, FIELD_NUMBER, job_error),
	TEXT("ErrorDescription", NULL, cohort_job, message),
	MADE("Members", NULL, FIELD_OBJECTS, job_members),
	FIELD_END
};

const struct field module_fields[] = {
	TEXT("Version", NULL, cohort_module, version),
	NUMBER("ABI", NULL, cohort_module, abi),
	NUMBER64("Epoch", NULL, cohort_module, epoch),
	NUMBER64("Cuts", NULL, cohort_module, cuts),
	NUMBER64("CutsMixed", NULL, cohort_module, cuts_mixed),
	NUMBER("Jobs", NULL, cohort_module, jobs),
	NUMBER64("Gates", NULL, cohort_module, gates),
	NUMBER64("GatesLost", NULL, cohort_module, gates_lost),
	NUMBER64("GateOverrun", NULL, cohort_module, gate_overrun),
	FIELD_END
};
