/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* objects.h - what libcohort returns: pools, sources, groups, relationships, jobs */
#ifndef COHORT_OBJECTS_H
#define COHORT_OBJECTS_H

#ifndef COHORT_COHORT_H
#error "include <cohort/cohort.h>"
#endif

/* ----------------------------------------------------------------- objects */

/**
 * cohort_foreach - walk a list returned by the library
 * @item: a pointer of the list's type
 * @list: what the call returned
 */
#define cohort_foreach(item, list) \
	for ((item) = (list); (item); (item) = (item)->next)

/**
 * struct cohort_module - version and counters of the module
 * @version: for people
 * @abi: compared with COHORT_ABI_VERSION by cohort_open()
 * @epoch: the epoch, one per cut
 * @cuts: cuts flipped since the module was loaded
 * @cuts_mixed: cuts with writes of both eras in flight on two members or more
 * @jobs: jobs known
 * @gates: gates closed since the module was loaded
 * @gates_lost: those that did not hold until they were opened
 * @gate_overrun: nanoseconds, the longest that a write was held beyond a lease
 */
struct cohort_module {
	char *version;
	uint32_t abi;
	uint64_t epoch;
	uint64_t cuts;
	uint64_t cuts_mixed;
	uint32_t jobs;
	uint64_t gates;
	uint64_t gates_lost;
	uint64_t gate_overrun;
};

/**
 * struct cohort_pool - a pool that is active (CIM_StoragePool)
 * @next: next of the list
 * @name: device-mapper name, /dev/mapper/NAME
 * @uuid: of the superblock
 * @dev: "major:minor" of the device below
 * @dm_dev: "major:minor" of the pool device
 * @state: enum cohort_pool_state
 * @size: bytes
 * @used: bytes in segments that are in use
 * @chunk_size: bytes
 * @segment_size: bytes
 * @sources: sources in its catalog
 * @relationships: relationships in its catalog
 * @preserved: preserved chunks in the index
 * @batches: log batches written since activation
 * @log_bytes: bytes written to the log since activation
 * @reason: why it is failed, or NULL
 * @generation: superblock generation
 * @damaged: preserved chunks found damaged since activation
 * @index_runs: index runs, each of which says an older part of the log
 * @index_memory: bytes of memory that the index takes: entries, cached blocks of runs
 * @index_limit: bytes that it may take; of a pool that needs no runs it takes less
 * @log_start: a restart reads the log from the segment of this use on, 0: all of it
 * @moved: chunks moved out of mostly dead segments since the pool is in use
 */
struct cohort_pool {
	struct cohort_pool *next;
	char *name;
	char *uuid;
	char *dev;
	char *dm_dev;
	uint32_t state;
	uint64_t size;
	uint64_t used;
	uint32_t chunk_size;
	uint32_t segment_size;
	uint32_t sources;
	uint32_t relationships;
	uint64_t preserved;
	uint64_t batches;
	uint64_t log_bytes;
	char *reason;
	uint64_t generation;
	uint64_t damaged;
	uint32_t index_runs;
	uint64_t index_memory;
	uint64_t index_limit;
	uint64_t log_start;
	uint64_t moved;
};

/**
 * struct cohort_source - a source element (CIM_StorageVolume)
 * @next: next of the list
 * @name: device-mapper name, /dev/mapper/NAME
 * @uuid: of the source
 * @pool: name of its pool
 * @id: number in the pool's catalog
 * @state: enum cohort_source_state
 * @size: bytes
 * @clean: the fingerprint was taken at a clean detach and holds
 * @dev: "major:minor" of the disk below, or NULL when detached
 * @dm_dev: "major:minor" of the source device, or NULL
 * @dm_uuid: recorded DM UUID of the disk below, or NULL
 * @wwn: recorded WWN or serial of the disk below, or NULL
 * @partuuid: recorded PARTUUID of the disk below, or NULL
 * @fingerprint: recorded fingerprint, valid when @clean
 * @held: writes held for preservation since attach
 * @relationships: relationships it is in
 * @eras: eras not sealed yet
 */
struct cohort_source {
	struct cohort_source *next;
	char *name;
	char *uuid;
	char *pool;
	uint32_t id;
	uint32_t state;
	uint64_t size;
	bool clean;
	char *dev;
	char *dm_dev;
	char *dm_uuid;
	char *wwn;
	char *partuuid;
	uint8_t fingerprint[COHORT_FINGERPRINT_LEN];
	uint64_t held;
	uint32_t relationships;
	uint32_t eras;
};

/**
 * struct cohort_target - the disk that a member of a clone is copied to
 * @dev: "major:minor" of the disk, or NULL while nobody has found it
 * @size: bytes; the member's own size or more
 * @dm_uuid: recorded DM UUID of the disk, or NULL
 * @wwn: recorded WWN or serial of the disk, or NULL
 * @partuuid: recorded PARTUUID of the disk, or NULL
 * @copied: bytes of the member that are on it
 * @unreadable: bytes that could not be read from the image, since the clone's
 *   device is there
 *
 * Goes with its member. Since: 0.1. Source: the SyncedElement of CIM_StorageSynchronized
 */
struct cohort_target {
	char *dev;
	uint64_t size;
	char *dm_uuid;
	char *wwn;
	char *partuuid;
	uint64_t copied;
	uint64_t unreadable;
};

/**
 * struct cohort_member - one element of a group, relationship or job
 * @next: next of the list, in member order
 * @index: place in the group, from 1
 * @name: the source, or the image or clone (/dev/mapper/NAME); may be NULL
 * @source: the source an image or a clone is of, or NULL
 * @copy_state: enum cohort_copy_state, 0 when it does not apply
 * @epoch: the cut this member's image is at
 * @time: realtime of the cut, nanoseconds since 1970 UTC
 * @err: errno: why this member failed, or 0
 * @mixed: writes of both eras were in flight at the flip
 * @size: bytes
 * @target: of a clone: the disk it is copied to; else NULL
 */
struct cohort_member {
	struct cohort_member *next;
	uint32_t index;
	char *name;
	char *source;
	uint32_t copy_state;
	uint64_t epoch;
	uint64_t time;
	int err;
	bool mixed;
	uint64_t size;
	struct cohort_target *target;
};

/**
 * struct cohort_group - a group (CIM_ReplicationGroup)
 * @next: next of the list
 * @name: of the group
 * @pool: name of its pool
 * @kind: enum cohort_group_kind
 * @flags: enum cohort_group_flags
 * @relationships: relationships it is in
 * @members: in order; may be empty (NULL)
 */
struct cohort_group {
	struct cohort_group *next;
	char *name;
	char *pool;
	uint32_t kind;
	uint32_t flags;
	uint32_t relationships;
	struct cohort_member *members;
};

/**
 * struct cohort_relationship - a group relationship (CIM_GroupSynchronized)
 * @next: next of the list
 * @name: RelationshipName
 * @uuid: of the relationship
 * @pool: name of its pool
 * @sync_type: enum cohort_sync_type
 * @mode: enum cohort_mode
 * @consistency: enum cohort_consistency: of the parameter, not the property
 * @copy_state: enum cohort_copy_state
 * @requested_copy_state: COHORT_COPY_STATE_NOT_APPLICABLE when nothing runs
 * @progress_status: enum cohort_progress_status
 * @percent_synced: 0 to 100: how much of a clone is on its targets
 * @source_group: SystemElement
 * @target_group: SyncedElement
 * @flags: enum cohort_relationship_flags
 * @space_limit: bytes of preserved chunks its images may read, 0 is no limit
 * @remove_after: seconds to keep it, 0 is for ever (TimeBeforeRemoval)
 * @hold_time: seconds that a full pool holds writes before it breaks, with
 *   COHORT_RELATIONSHIP_FLAGS_HOLD_ON_FULL in @flags; else 0
 * @epoch: the cut
 * @when_synced: WhenSynced: realtime of the cut, nanoseconds since 1970 UTC,
 *   0 before the cut
 * @mixed: members with writes of both eras in flight at the flip
 * @seal_ns: from the flip to the seal, nanoseconds
 * @gp_ns: the grace period after the flip, nanoseconds
 * @reason: why it is Broken, or NULL
 * @space_consumed: SpaceConsumed: bytes of preserved chunks its images read from
 *   the pool; a chunk that several relationships read counts for each
 * @members: the images or clones, in member order
 */
struct cohort_relationship {
	struct cohort_relationship *next;
	char *name;
	char *uuid;
	char *pool;
	uint32_t sync_type;
	uint32_t mode;
	uint32_t consistency;
	uint32_t copy_state;
	uint32_t requested_copy_state;
	uint32_t progress_status;
	uint32_t percent_synced;
	char *source_group;
	char *target_group;
	uint32_t flags;
	uint64_t space_limit;
	uint64_t remove_after;
	uint32_t hold_time;
	uint64_t epoch;
	uint64_t when_synced;
	uint32_t mixed;
	uint64_t seal_ns;
	uint64_t gp_ns;
	char *reason;
	uint64_t space_consumed;
	struct cohort_member *members;
};

/**
 * struct cohort_job - a job (CIM_ConcreteJob)
 * @next: next of the list
 * @id: InstanceID, never 0
 * @method: enum cohort_method: what it does
 * @state: enum cohort_job_state (JobState)
 * @percent: PercentComplete
 * @result: CIM result, valid once the job has ended
 * @err: errno, 0 or why it failed
 * @message: why it failed in words, or NULL
 * @pool: what it concerns, or NULL; as are the next four
 * @source: .
 * @source_group: .
 * @target_group: .
 * @relationship: .
 * @members: status per member
 * @time_submitted: realtime, nanoseconds since 1970 UTC
 * @elapsed: nanoseconds
 * @done: bytes of @total, of a job that can be suspended
 * @total: bytes; 0: nobody can say
 * @suspended: nanoseconds of @elapsed for which it did not work
 */
struct cohort_job {
	struct cohort_job *next;
	uint64_t id;
	uint32_t method;
	uint32_t state;
	uint32_t percent;
	uint32_t result;
	int err;
	char *message;
	char *pool;
	char *source;
	char *source_group;
	char *target_group;
	char *relationship;
	struct cohort_member *members;
	uint64_t time_submitted;
	uint64_t elapsed;
	uint64_t done;
	uint64_t total;
	uint64_t suspended;
};

void cohort_module_free(struct cohort_module *module);
void cohort_pool_free(struct cohort_pool *list);
void cohort_source_free(struct cohort_source *list);
void cohort_group_free(struct cohort_group *list);
void cohort_relationship_free(struct cohort_relationship *list);
void cohort_job_free(struct cohort_job *list);

/**
 * cohort_module_get - version and counters of the module
 * @ctx: context
 * @ret: one object, cohort_module_free()
 * Since: 0.1
 */
int cohort_module_get(struct cohort *ctx, struct cohort_module **ret);

/*
 * cohort_..._list - all objects of a kind, as one list
 *
 * *ret is NULL when there are none. The list is one consistent state: a dump
 * that the kernel says was interrupted is taken again.
 *
 * cohort_..._get - one object by name
 *
 * 5 (errno ENOENT) when there is none of that name. The object has no next.
 * Since: 0.1
 */
int cohort_pool_list(struct cohort *ctx, struct cohort_pool **ret);
int cohort_pool_get(struct cohort *ctx, const char *name,
		    struct cohort_pool **ret);
int cohort_source_list(struct cohort *ctx, struct cohort_source **ret);
int cohort_source_get(struct cohort *ctx, const char *name,
		      struct cohort_source **ret);
int cohort_group_list(struct cohort *ctx, struct cohort_group **ret);
int cohort_group_get(struct cohort *ctx, const char *name,
		     struct cohort_group **ret);
int cohort_relationship_list(struct cohort *ctx,
			     struct cohort_relationship **ret);
int cohort_relationship_get(struct cohort *ctx, const char *name,
			    struct cohort_relationship **ret);
int cohort_job_list(struct cohort *ctx, struct cohort_job **ret);
int cohort_job_get(struct cohort *ctx, uint64_t id, struct cohort_job **ret);

#endif /* COHORT_OBJECTS_H */
