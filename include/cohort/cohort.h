/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cohort.h - the public interface of libcohort
 *
 * One instant across many block devices: groups of devices, their replicas,
 * and the devices of both, with the names and numbers of
 * CIM_ReplicationService. Where a call is a method of that class, "Source:"
 * names it.
 *
 * Return value. Every call that returns int and says nothing else returns a
 * CIM result (enum cohort_result): 0 done, 4096 a job was started and goes on,
 * 1 to 6 an error. The words behind an error are kept in the context, see
 * cohort_get_error(). Out parameters are written only on 0 and 4096, unless
 * a call says otherwise.
 *
 * Waiting. Calls that start a job take timeout_ms: COHORT_WAIT_FOREVER waits
 * for the end of the job, 0 does not wait (result 4096), any other value waits
 * that many milliseconds and then returns 3 (Timeout); the job goes on. After
 * 4096 or 3 cohort_job_wait() takes up the wait. It also makes the devices
 * that the job calls for: a caller that never waits makes no devices.
 *
 * Ownership. Strings and structs in requests stay the caller's, nothing of
 * them is kept. What the library returns through a pointer to a pointer is
 * the caller's, freed with the cohort_..._free() of its type; these accept
 * NULL. Never declare an object of a returned type: fields are added at the
 * end. Request structs carry their size, set by their ..._init() call.
 *
 * Threads. A context may be used by several threads at once; each sees the
 * words of its own last error. An event object belongs to one thread at a time.
 *
 * The library never exits, prints, changes signal handling or reads the
 * environment, but for DM_DISABLE_UDEV, which libdevmapper obeys.
 */
#ifndef COHORT_COHORT_H
#define COHORT_COHORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value maps: COHORT_SYNC_TYPE_*, COHORT_COPY_STATE_*, COHORT_RESULT_*... */
#include <linux/cohort.h>

#ifdef __cplusplus
extern "C" {
#endif

/** COHORT_UNSET - a 32-bit field that was not given (NULL in CIM) */
#define COHORT_UNSET		(-1)
/** COHORT_UNSET64 - a 64-bit field that was not given (NULL in CIM) */
#define COHORT_UNSET64		UINT64_MAX
/** COHORT_WAIT_FOREVER - timeout_ms: wait for the end of the job */
#define COHORT_WAIT_FOREVER	(-1)

/**
 * enum cohort_flags - flags of calls that take devices
 * @COHORT_FORCE: pool_create: wipe what is found on the device. attach: take
 *   a disk that differs from the recorded one; its older snapshots become
 *   Broken.
 */
enum cohort_flags {
	COHORT_FORCE = 1,
};

/* ---------------------------------------------------------------- context */

/** struct cohort - a context: sockets, and the words of the last error */
struct cohort;

/**
 * cohort_new - make a context
 *
 * Touches neither the module nor a device. Fails with NULL and errno ENOMEM
 * only. Pairs with cohort_unref(). Since: 0.1
 */
struct cohort *cohort_new(void);

/** cohort_ref - take a reference; returns @ctx. Since: 0.1 */
struct cohort *cohort_ref(struct cohort *ctx);

/**
 * cohort_unref - drop a reference, NULL is allowed
 *
 * Returns NULL always: ctx = cohort_unref(ctx). Since: 0.1
 */
struct cohort *cohort_unref(struct cohort *ctx);

/**
 * cohort_open - reach the module and compare its ABI
 *
 * Optional: every call that needs the module does it once. Errors (all with
 * words): 4 the module is not loaded (errno ENOENT), the caller has no
 * CAP_SYS_ADMIN (EPERM); 1 the module is older or newer than this library
 * (EPROTO). Since: 0.1
 */
int cohort_open(struct cohort *ctx);

/** cohort_version - version of the library, a static string. Since: 0.1 */
const char *cohort_version(void);

/**
 * struct cohort_error - why the last failed call of a context failed
 * @code: the CIM result the call returned (1 to 6)
 * @err: errno behind it, or 0
 * @message: one line in words without a newline, the kernel's or the
 *   library's own
 * @attribute: the parameter at fault in CIM spelling, such as "SyncType" or
 *   "SourceElements[2]", or ""
 */
struct cohort_error {
	int code;
	int err;
	char message[512];
	char attribute[128];
};

/**
 * cohort_get_error - copy the last error of a context
 *
 * The calling thread's own last error; in a thread without one, the last of
 * any thread. All fields are zero when no call has failed yet. A call that
 * succeeds leaves the last error as it is. Since: 0.1
 */
void cohort_get_error(struct cohort *ctx, struct cohort_error *error);

#include <cohort/objects.h>

/* --------------------------------------------------------------- settings */

/**
 * struct cohort_replication_setting_data - CIM_ReplicationSettingData
 *
 * Every field unset means the default of the SyncType. Honoured for a
 * snapshot are, with their values:
 * @size: set by cohort_replication_setting_data_init()
 * @consistent_point_in_time: 1 asks for one instant over all members, which is
 *   what Consistency 3 gives; with Consistency 2 it is refused (5). 0 asks for
 *   nothing.
 * @on_group_or_list_error: COHORT_ON_ERROR_CONTINUE, COHORT_ON_ERROR_STOP
 *   (default): what to do when one member fails
 * @desired_copy_methodology: 2 implementation decides, 6 copy on write; other
 *   methodologies are not supported (1)
 * @read_only: 3 SyncedElement, which is the default and contradicts a goal's
 *   read_only of 0 (5); 2 and 4 would make the source read-only and are not
 *   supported (1)
 * @time_before_removal: seconds to keep the relationship, 0 is for ever
 * @failed_copy_stops_host_io: 1: when the pool is full, writes to the sources
 *   wait, for the goal's hold_time, before the relationship breaks; 0 (default):
 *   it breaks at once
 *
 * Of a clone they are the same, but for @desired_copy_methodology, 2 or 9 snap and
 * clone, and for @read_only and @time_before_removal, which are not honoured.
 * Any other field that is set is refused with 1 and named.
 */
struct cohort_replication_setting_data {
	size_t size;
	int32_t consistent_point_in_time;
	int32_t on_group_or_list_error;
	int32_t desired_copy_methodology;
	int32_t read_only;
	uint64_t time_before_removal;
	int32_t pairing;
	int32_t unequal_groups_action;
	int32_t unequal_lists_action;
	int32_t target_element_supplier;
	int32_t thin_provisioning_policy;
	int32_t storage_compression_policy;
	int32_t consistent_async_copy;
	int32_t consistency_exempt;
	uint64_t delta_update_interval;
	uint64_t delta_update_blocks;
	int32_t multihop;
	int32_t copy_priority;
	int32_t copy_recovery_mode;
	int32_t failed_copy_stops_host_io;
	int32_t target_element_goal;
	int32_t target_element_resource_pool;
	int32_t auto_delete;
	uint64_t desired_rpo;
	uint64_t maximum_skew;
	int32_t rrc_hardware_compression_enabled;
	int32_t rrc_software_compression_enabled;
};

/** cohort_replication_setting_data_init - all fields unset. Since: 0.1 */
void cohort_replication_setting_data_init(struct cohort_replication_setting_data *data);

/**
 * cohort_replication_setting_data_set - set one property from words
 * @ctx: context, for the words of an error
 * @data: initialised
 * @property: CIM name in any case, such as "ConsistentPointInTime"
 * @value: a number, true or false, or the value's CIM name in any case, such
 *   as "Continue" or "Copy-On-Write"; TimeBeforeRemoval and other intervals
 *   are seconds, with an optional suffix s, m, h, d or w
 *
 * 5: no such property, or not a value. Since: 0.1
 */
int cohort_replication_setting_data_set(struct cohort *ctx,
					struct cohort_replication_setting_data *data,
					const char *property, const char *value);

/**
 * struct cohort_target_setting_goal - TargetSettingGoal
 * @size: set by cohort_target_setting_goal_init()
 * @read_only: 1 (default): images refuse writes. 0: they can be written; what is
 *   written takes space of the pool, makes the relationship Skewed, and goes with
 *   operation COHORT_OPERATION_RESET_REPLICA, for which no image may be open.
 *   A clone can always be written: 1 is refused (5)
 * @udev_visible: 1: udev may probe the images and link them, with a low
 *   priority; 0 (default): no by-uuid or by-label link ever points to an image
 * @space_limit: bytes of preserved chunks the images may read, 0 is no limit
 *   (SpaceLimit); beyond it the relationship breaks, as a whole
 * @hold_time: seconds that writes wait for space, 1 to COHORT_HOLD_TIME_MAX
 *   (HoldTime); unset: 60. Only with FailedCopyStopsHostIO
 */
struct cohort_target_setting_goal {
	size_t size;
	int32_t read_only;
	int32_t udev_visible;
	uint64_t space_limit;
	uint64_t hold_time;
};

/** cohort_target_setting_goal_init - all fields unset. Since: 0.1 */
void cohort_target_setting_goal_init(struct cohort_target_setting_goal *goal);

/**
 * cohort_target_setting_goal_set - set one field from words
 * @ctx: context, for the words of an error
 * @goal: initialised
 * @key: ReadOnly, UdevVisible, SpaceLimit or HoldTime, in any case, or the C
 *   names
 * @value: true or false, 1 or 0; SpaceLimit: bytes, with an optional suffix
 *   K, M, G, T (powers of 1024); HoldTime: seconds, with one of s, m, h
 *
 * 5: no such key, or not a value. Since: 0.1
 */
int cohort_target_setting_goal_set(struct cohort *ctx,
				   struct cohort_target_setting_goal *goal,
				   const char *key, const char *value);

/* ----------------------------------------------------------- replication */

/**
 * struct cohort_reply - what a call made or started
 * @job: Job: id of the job, 0 when none was needed
 * @name: what the call named: source, group or relationship
 * @source_group_name: SourceGroupName, given or assigned, or NULL
 * @target_group: TargetGroup, given or created, or NULL
 * @synchronization: Synchronization: the relationship as it was on return, or
 *   NULL while the job goes on and after Return To ResourcePool
 */
struct cohort_reply {
	uint64_t job;
	char *name;
	char *source_group_name;
	char *target_group;
	struct cohort_relationship *synchronization;
};

void cohort_reply_free(struct cohort_reply *reply);

/**
 * struct cohort_request - parameters of CreateGroupReplicaFromElements
 *
 * The order and the names are the method's; Job and Synchronization, and the
 * out sides of SourceGroupName and TargetGroup, are in struct cohort_reply.
 * @size: set by cohort_request_init()
 * @relationship_name: RelationshipName; NULL: assigned. Images are called
 *   RelationshipName_1, RelationshipName_2... in member order
 * @sync_type: SyncType, required: COHORT_SYNC_TYPE_SNAPSHOT or CLONE. MIRROR and
 *   vendor values (0x8000 and up) are not supported (1), others invalid (5)
 * @mode: Mode. A snapshot has no updates to send: NULL, 2 and 3 are accepted,
 *   make the same snapshot, and are recorded (NULL as 2)
 * @source_elements: SourceElements, names of attached sources or their
 *   /dev/mapper paths, no two the same, all sources of one pool
 * @source_elements_count: 1 to COHORT_MEMBERS_MAX
 * @source_group_name: SourceGroupName; NULL: a group is generated that goes
 *   with its last relationship. A given group is created, or must have just
 *   these members in this order
 * @source_access_point: must be NULL (1)
 * @target_group: TargetGroup; NULL: created. A given group must be empty or
 *   have as many members as there are source elements (5)
 * @target_access_point: must be NULL (1)
 * @consistency: Consistency: 3 one cut over all members, 2 the members are cut
 *   one by one; NULL: the group's own, which is 3 unless it was made otherwise
 * @replication_setting_data: ReplicationSettingData or NULL
 * @target_setting_goal: TargetSettingGoal or NULL; with TargetGroup 5
 * @target_pool: TargetPool, name of the pool; NULL: the sources' pool. With
 *   TargetGroup 5. Of a clone also "vg:NAME", an LVM volume group in which a volume is
 *   made for each member by LVM's own programs, RelationshipName_t1 and so on, or
 *   clone-XXXXXXXX_t1 where no RelationshipName is given; what LVM takes in no name is
 *   +XX. All are made before the cut or none, and go again when the call fails; on 3 and
 *   4096 they stay. With target_elements or force 5. 5: no such volume group, or the
 *   name is taken; 4: no space (ENOSPC), no LVM (ENOPKG), others. Since: 0.1. Source: the
 *   resource pool of CIM_ReplicationService.CreateGroupReplica's TargetPool
 * @wait_for_copy_state: WaitForCopyState: 4 Synchronized (default; of a clone:
 *   all of it is on its targets), 8 Inactive: prepared, cut later by Activate; 2
 *   Initialized; of a clone 3 Unsynchronized, too: it can be used. Others 5
 * @timeout_ms: see "Waiting" above; COHORT_WAIT_FOREVER by default
 * @target_elements: TargetElements, required of a clone without a volume group as
 *   target_pool, and of no other:
 *   paths of block devices, one for each member, in member order, none smaller than
 *   the source (5) and none in use (6). What is on them is lost
 * @target_elements_count: as many as there are members
 * @force: of a clone: take targets that carry a signature of something, too. Not of
 *   the method
 */
struct cohort_request {
	size_t size;
	const char *relationship_name;
	int32_t sync_type;
	int32_t mode;
	const char *const *source_elements;
	size_t source_elements_count;
	const char *source_group_name;
	const char *source_access_point;
	const char *target_group;
	const char *target_access_point;
	int32_t consistency;
	const struct cohort_replication_setting_data *replication_setting_data;
	const struct cohort_target_setting_goal *target_setting_goal;
	const char *target_pool;
	int32_t wait_for_copy_state;
	int32_t timeout_ms;
	const char *const *target_elements;
	size_t target_elements_count;
	bool force;
};

/** cohort_request_init - all parameters unset. Since: 0.1 */
void cohort_request_init(struct cohort_request *request);

/**
 * cohort_create_group_replica_from_elements - replicate a list of elements
 * @ctx: context
 * @request: all parameters
 * @result: cohort_reply_free(); may be NULL
 *
 * Takes one instant over all source elements and makes the images. On 0 the
 * relationship has the state that was waited for, would survive a power cut,
 * and the images are there. Everything completed before the call is in them,
 * nothing issued after its return is. No parameter error changes anything.
 *
 * A clone can be used, and is copied to its targets meanwhile, from the state
 * Unsynchronized on; it has devices of its own names, as images have. When the time is
 * over while it is copied, @result has the job of method relationship-copy. One that
 * could not be copied to its end (4) stays: Detach ends it.
 *
 * 1 not supported, 3 timeout (the job goes on), 4 failed, 5 invalid parameter,
 * 6 in use, 4096 job started (timeout_ms is 0). @result is set on 0, 3 and
 * 4096. Source: CIM_ReplicationService.CreateGroupReplicaFromElements.
 * Since: 0.1
 */
int cohort_create_group_replica_from_elements(struct cohort *ctx,
					      const struct cohort_request *request,
					      struct cohort_reply **result);

/**
 * cohort_create_group_replica - replicate a group that exists
 *
 * As above, with source_group_name required and source_elements empty.
 * Source: CIM_ReplicationService.CreateGroupReplica. Since: 0.1
 */
int cohort_create_group_replica(struct cohort *ctx,
				const struct cohort_request *request,
				struct cohort_reply **result);

/**
 * struct cohort_modify_request - parameters of ModifyReplicaSynchronization
 * @size: set by cohort_modify_request_init()
 * @operation: Operation, required: COHORT_OPERATION_ACTIVATE takes the cut of an
 *   Inactive or Initialized relationship; COHORT_OPERATION_RETURN_TO_POOL deletes
 *   a snapshot with its images. Of a clone, SUSPEND and RESUME stop the copying
 *   and let it go on, DETACH and DISSOLVE end the relationship and leave the
 *   targets as disks of their own, ABORT gives the copying up. Which is legal
 *   when: cohort_get_supported_operations()
 * @synchronization: Synchronization, required: name of the relationship
 * @replication_setting_data: must be NULL or have nothing set (1)
 * @sync_pair: must be NULL (1)
 * @force: Force: Detach although not all of a clone is on its targets
 * @wait_for_copy_state: WaitForCopyState: unset, or an end state of the
 *   operation
 * @timeout_ms: see "Waiting" above
 */
struct cohort_modify_request {
	size_t size;
	int32_t operation;
	const char *synchronization;
	const struct cohort_replication_setting_data *replication_setting_data;
	const char *sync_pair;
	bool force;
	int32_t wait_for_copy_state;
	int32_t timeout_ms;
};

/** cohort_modify_request_init - all parameters unset. Since: 0.1 */
void cohort_modify_request_init(struct cohort_modify_request *request);

/**
 * cohort_modify_replica_synchronization - operate on a relationship
 *
 * 1: no relationship of this type knows the operation; 5: it is not legal in
 * this state, or there is no such relationship; 6: an image or clone is open
 * (Return To ResourcePool, Abort, Detach, Dissolve), or a cut is going on. Nothing is
 * changed then. @result as
 * above. Source: CIM_ReplicationService.ModifyReplicaSynchronization.
 * Since: 0.1
 */
int cohort_modify_replica_synchronization(struct cohort *ctx,
					  const struct cohort_modify_request *request,
					  struct cohort_reply **result);

/**
 * struct cohort_group_request - parameters of CreateGroup
 * @size: set by cohort_group_request_init()
 * @group_name: GroupName; NULL: assigned
 * @members: Members, names of sources or /dev/mapper paths, in order
 * @members_count: may be 0 when @pool is given
 * @persistent: Persistent: 1 (default); 0 not supported (1)
 * @delete_on_empty_element: DeleteOnEmptyElement: 0 (default); 1 not
 *   supported (1)
 * @delete_on_unassociated: DeleteOnUnassociated: the group goes with its last
 *   relationship; 0 by default
 * @service_access_point: must be NULL (1)
 * @replication_setting_data: must be NULL or have nothing set (1)
 * @reserved_as: ReservedAs: 2 source group (default), 3 target group; 4 not
 *   supported (1)
 * @pool: name of the pool; NULL: the members'. Not of the method
 * @consistency: the group's default: 3 (default) or 2. Not of the method
 * @timeout_ms: see "Waiting" above
 */
struct cohort_group_request {
	size_t size;
	const char *group_name;
	const char *const *members;
	size_t members_count;
	int32_t persistent;
	int32_t delete_on_empty_element;
	int32_t delete_on_unassociated;
	const char *service_access_point;
	const struct cohort_replication_setting_data *replication_setting_data;
	int32_t reserved_as;
	const char *pool;
	int32_t consistency;
	int32_t timeout_ms;
};

/** cohort_group_request_init - all parameters unset. Since: 0.1 */
void cohort_group_request_init(struct cohort_group_request *request);

/**
 * cohort_create_group - make a group
 *
 * Source: CIM_ReplicationService.CreateGroup. Since: 0.1
 */
int cohort_create_group(struct cohort *ctx,
			const struct cohort_group_request *request,
			struct cohort_reply **result);

/**
 * cohort_delete_group - delete a group, its members stay
 * @ctx: context
 * @replication_group: ReplicationGroup: name
 * @remove_elements: RemoveElements: delete although it has members
 * @timeout_ms: see "Waiting" above
 * @result: may be NULL
 *
 * 6: it is in a relationship, or has members and @remove_elements is false.
 * Source: CIM_ReplicationService.DeleteGroup. Since: 0.1
 */
int cohort_delete_group(struct cohort *ctx, const char *replication_group,
			bool remove_elements, int timeout_ms,
			struct cohort_reply **result);

/**
 * cohort_add_members - append sources to a group
 * @ctx: context
 * @replication_group: ReplicationGroup: name
 * @members: Members, appended in this order; one that is in already is no error
 * @count: at least 1
 * @timeout_ms: see "Waiting" above
 * @result: may be NULL
 *
 * Relationships that exist are not changed.
 * Source: CIM_ReplicationService.AddMembers. Since: 0.1
 */
int cohort_add_members(struct cohort *ctx, const char *replication_group,
		       const char *const *members, size_t count,
		       int timeout_ms, struct cohort_reply **result);

/**
 * cohort_remove_members - take sources out of a group
 *
 * 6: the group is in a relationship. 5: not a member.
 * Source: CIM_ReplicationService.RemoveMembers. Since: 0.1
 */
int cohort_remove_members(struct cohort *ctx, const char *replication_group,
			  const char *const *members, size_t count,
			  int timeout_ms, struct cohort_reply **result);

#include <cohort/changes.h>
#include <cohort/gates.h>

/* ------------------------------------------------------------------ jobs */

/**
 * cohort_job_wait - wait for the end of a job and make its devices
 * @ctx: context
 * @id: of the job, from struct cohort_reply
 * @timeout_ms: COHORT_WAIT_FOREVER, or milliseconds
 * @ret: the job as it was last seen, cohort_job_free(); may be NULL. Set
 *   whenever the job was found, also when it failed or the time was over
 *
 * Listens to events and asks now and then, so that a lost event costs no
 * more than a moment. Returns the result of the job; 3 when the time was over;
 * 5 (errno ENOENT) when no such job is known any more: it is readable for five
 * minutes after its end. Since: 0.1
 */
int cohort_job_wait(struct cohort *ctx, uint64_t id, int timeout_ms,
		    struct cohort_job **ret);

/**
 * cohort_job_request_state_change - suspend a job, let it go on, or terminate it
 * @ctx: context
 * @id: of the job, from struct cohort_reply
 * @requested_state: RequestedState, enum cohort_job_request
 *
 * For jobs that work for long: COHORT_METHOD_POOL_SCRUB. Returns when the job has been
 * asked; it follows between two pieces of its work, and an event tells when. A job
 * that was terminated ends in state Terminated, with result 4 and errno ECANCELED.
 *
 * 1: a job of that kind can be neither suspended nor terminated. 5: there is no such job
 * (ENOENT), or it is not in a state for that. Source:
 * CIM_ConcreteJob.RequestStateChange(). Since: 0.1
 */
int cohort_job_request_state_change(struct cohort *ctx, uint64_t id, uint32_t requested_state);

/* --------------------------------------------------------------- devices */

/**
 * cohort_pool_create - format a device as a pool and make the pool
 * @ctx: context
 * @name: of the pool, also of its device: /dev/mapper/NAME
 * @device: path of a block device, at least 8 MiB
 * @chunk_size: bytes, a power of two from 4 KiB to 64 KiB; 0: 4 KiB
 * @flags: COHORT_FORCE: wipe what is found on the device
 * @ret: the pool, cohort_pool_free(); may be NULL
 *
 * 5: @device carries the signature of something (named in the words) and
 * COHORT_FORCE is not given, is too small, or the name is taken. 6: @device is
 * in use (by whom is in the words), forced or not. Since: 0.1
 */
int cohort_pool_create(struct cohort *ctx, const char *name,
		       const char *device, uint32_t chunk_size,
		       unsigned int flags, struct cohort_pool **ret);

/**
 * cohort_pool_probe - what the superblock of a device says
 * @ctx: context; no module is needed
 * @device: path of a block device, which may be in use
 * @ret: the pool as recorded, cohort_pool_free(); fields the superblock does
 *	not hold are 0 or NULL
 *
 * 5: no pool (errno ENOENT), a damaged superblock, or features this version
 * does not know, with words. Since: 0.1
 */
int cohort_pool_probe(struct cohort *ctx, const char *device,
		      struct cohort_pool **ret);

/**
 * cohort_pool_open - make the pool that a device carries
 * @ctx: context
 * @device: path of a block device that cohort_pool_create() formatted
 * @ret: the pool, cohort_pool_free(); may be NULL
 *
 * Also makes the clones that need no source, as far as their targets are found.
 * 5: no pool, a damaged superblock, or one with features this version does
 * not know, with words. Since: 0.1
 */
int cohort_pool_open(struct cohort *ctx, const char *device,
		     struct cohort_pool **ret);

/**
 * cohort_pool_close - take a pool down, leaving it on its device
 *
 * Also removes the clones that are there without a source. 6 while sources are
 * attached, or a clone is open. Since: 0.1
 */
int cohort_pool_close(struct cohort *ctx, const char *name);

/**
 * cohort_pool_extend - take the space into use by which a pool's device has grown
 * @ctx: context
 * @name: an active pool
 * @ret: the pool as it is then, the caller's to free; may be NULL
 *
 * Sources and images go on meanwhile; writes that a full pool holds go on when
 * it returns. A pool can become about sixteen times as large as it was made.
 * 2: no such pool; 4: its device or its table could not be written; 5: the
 * device has no room for another segment. Sleeps. Since: 0.1
 * Source: CIM_StorageConfigurationService.CreateOrModifyStoragePool
 */
int cohort_pool_extend(struct cohort *ctx, const char *name, struct cohort_pool **ret);

/**
 * cohort_pool_scrub - read the whole log of an active pool and verify it
 * @ctx: context
 * @name: an active pool
 * @timeout_ms: see "Waiting" above
 * @result: may be NULL
 *
 * Sources and images go on meanwhile. Damaged chunks are counted in the pool's
 * @damaged, the event pool-damaged tells of each; images that read one have an
 * error there, as before. 4, errno EUCLEAN: there is damage; ECANCELED: the job was
 * terminated. 6: it is being scrubbed already. Sleeps. Since: 0.1
 */
int cohort_pool_scrub(struct cohort *ctx, const char *name, int timeout_ms,
		      struct cohort_reply **result);

/**
 * cohort_pool_remove - close a pool and wipe it from its device
 *
 * All its snapshots are gone for ever. 6 while sources are attached.
 * Since: 0.1
 */
int cohort_pool_remove(struct cohort *ctx, const char *name);

/**
 * cohort_attach - put a source in front of a disk
 * @ctx: context
 * @pool: name of the pool
 * @name: of the source: /dev/mapper/NAME is made
 * @device: the disk, or NULL: find the one recorded for @name by its DM UUID,
 *   WWN or serial, PARTUUID, size and fingerprint
 * @flags: COHORT_FORCE: accept a disk that differs from the recorded one; the
 *   older snapshots of the source become Broken
 * @timeout_ms: see "Waiting" above
 * @result: may be NULL
 *
 * Also makes the images of its snapshots, and its clones as far as their targets are
 * found. A disk is known by what was recorded
 * of it and, after a clean detach, by a fingerprint: checksums of the usual
 * places of superblocks and of sampled blocks. A write elsewhere that touched
 * none of them, or any write elsewhere after a crash, can not be detected.
 *
 * 5: not a block device, not the recorded disk, written since it was
 * detached, or no disk found. 6: the disk is in use. Since: 0.1
 */
int cohort_attach(struct cohort *ctx, const char *pool, const char *name,
		  const char *device, unsigned int flags, int timeout_ms,
		  struct cohort_reply **result);

/**
 * cohort_detach - take a source down, its disk becomes a plain device
 * @ctx: context
 * @name: of the source
 * @timeout_ms: see "Waiting" above
 * @result: may be NULL
 *
 * Removes its images first (they come back with the next attach), then the
 * source, then records the fingerprint of the disk. 6: the source or an
 * image is open; nothing is changed then. Since: 0.1
 */
int cohort_detach(struct cohort *ctx, const char *name, int timeout_ms,
		  struct cohort_reply **result);

/**
 * cohort_source_remove - forget a detached source
 *
 * 6: it is attached or in a relationship. Since: 0.1
 */
int cohort_source_remove(struct cohort *ctx, const char *name, int timeout_ms,
			 struct cohort_reply **result);

/**
 * cohort_images_create - make the images or clones of a relationship that are missing
 *
 * What cohort_job_wait() does for a relationship; images whose source is not
 * attached are left out. 5, attribute "TargetElements[n]": the disk that a member
 * of a clone is copied to is not there, or in use; all other devices are made.
 * Since: 0.1
 */
int cohort_images_create(struct cohort *ctx, const char *relationship);

/* ---------------------------------------------------------------- events */

/** struct cohort_events - a subscription to the events of the module */
struct cohort_events;

/**
 * enum cohort_event_type - what an event is about
 * @COHORT_EVENT_LOST: events were lost, list everything again
 */
enum cohort_event_type {
	COHORT_EVENT_LOST = 0,
	COHORT_EVENT_POOL,
	COHORT_EVENT_SOURCE,
	COHORT_EVENT_GROUP,
	COHORT_EVENT_RELATIONSHIP,
	COHORT_EVENT_JOB,
};

/**
 * struct cohort_event - one event
 * @type: enum cohort_event_type
 * @gone: the object does not exist any more, of it only the name is known
 * @pool: set for COHORT_EVENT_POOL; as the next four, one per type
 * @source: .
 * @group: .
 * @relationship: .
 * @job: .
 */
struct cohort_event {
	uint32_t type;
	bool gone;
	struct cohort_pool *pool;
	struct cohort_source *source;
	struct cohort_group *group;
	struct cohort_relationship *relationship;
	struct cohort_job *job;
};

/**
 * cohort_events_new - subscribe
 * @ctx: context; a reference is kept
 * @ret: cohort_events_free()
 *
 * To follow without a gap: subscribe first, list then. Since: 0.1
 */
int cohort_events_new(struct cohort *ctx, struct cohort_events **ret);
void cohort_events_free(struct cohort_events *events);

/**
 * cohort_events_fd - the file descriptor, readable when an event is there
 *
 * For poll() only; it stays the library's. Drain with cohort_events_next() and
 * a timeout of 0 until it returns 3. Since: 0.1
 */
int cohort_events_fd(struct cohort_events *events);

/**
 * cohort_events_next - next event
 * @events: the subscription
 * @timeout_ms: 0 does not wait, COHORT_WAIT_FOREVER waits
 * @ret: cohort_event_free()
 *
 * 3 (Timeout) when there was none; 4 with errno EINTR when a signal came.
 * Since: 0.1
 */
int cohort_events_next(struct cohort_events *events, int timeout_ms,
		       struct cohort_event **ret);
void cohort_event_free(struct cohort_event *event);

/* ---------------------------------------------------------- capabilities */

/**
 * enum cohort_replication_type - ReplicationType: SyncType, Mode and locality
 */
enum cohort_replication_type {
	COHORT_REPLICATION_TYPE_SYNC_MIRROR_LOCAL = 2,
	COHORT_REPLICATION_TYPE_ASYNC_MIRROR_LOCAL = 3,
	COHORT_REPLICATION_TYPE_SYNC_SNAPSHOT_LOCAL = 6,
	COHORT_REPLICATION_TYPE_ASYNC_SNAPSHOT_LOCAL = 7,
	COHORT_REPLICATION_TYPE_SYNC_CLONE_LOCAL = 10,
	COHORT_REPLICATION_TYPE_ASYNC_CLONE_LOCAL = 11,
};

/**
 * struct cohort_supported_operation - one legal operation
 * @operation: enum cohort_operation
 * @service_controlling: 2 source only, 3 target only, 4 either, 5 both
 * @requires_force: Force has to be true
 * @updates_synchronized_path: the relationship's key changes
 */
struct cohort_supported_operation {
	int32_t operation;
	int32_t service_controlling;
	bool requires_force;
	bool updates_synchronized_path;
};

/**
 * struct cohort_supported_copy_state - one state a relationship can be in
 * @copy_state: enum cohort_copy_state
 * @host_accessible: the host can use the targets in this state
 */
struct cohort_supported_copy_state {
	int32_t copy_state;
	bool host_accessible;
};

/*
 * The capability queries answer from the table that also enforces the rules,
 * without the module. *count: in: room in the array, out: how many there are,
 * which may be more than fitted. 1: the replication type is not supported,
 * 5: it is not a replication type.
 */

/**
 * cohort_get_supported_operations - operations of a type, or legal in a state
 * @ctx: context
 * @replication_type: enum cohort_replication_type
 * @copy_state: enum cohort_copy_state, or COHORT_UNSET for all states
 * @ret: array, may be NULL when *count is 0
 * @count: see above
 * Source: CIM_ReplicationServiceCapabilities.GetSupportedOperations and
 * GetSupportedGroupOperations. Since: 0.1
 */
int cohort_get_supported_operations(struct cohort *ctx,
				    int32_t replication_type,
				    int32_t copy_state,
				    struct cohort_supported_operation *ret,
				    size_t *count);

/**
 * cohort_get_supported_copy_states - states of a type, or where one may operate
 * @ctx: context
 * @replication_type: enum cohort_replication_type
 * @operation: enum cohort_operation, or COHORT_UNSET for all states
 * @ret: array, may be NULL when *count is 0
 * @count: see above
 * Source: CIM_ReplicationServiceCapabilities.GetSupportedCopyStates and
 * GetSupportedGroupCopyStates. Since: 0.1
 */
int cohort_get_supported_copy_states(struct cohort *ctx,
				     int32_t replication_type,
				     int32_t operation,
				     struct cohort_supported_copy_state *ret,
				     size_t *count);

/**
 * cohort_get_supported_wait_for_copy_states - legal values of WaitForCopyState
 * @ctx: context
 * @replication_type: enum cohort_replication_type
 * @operation: enum cohort_operation, or COHORT_UNSET for the create methods
 * @ret: array of enum cohort_copy_state, may be NULL when *count is 0
 * @count: see above
 * Source: CIM_ReplicationServiceCapabilities.GetSupportedWaitForCopyStates.
 * Since: 0.1
 */
int cohort_get_supported_wait_for_copy_states(struct cohort *ctx,
					      int32_t replication_type,
					      int32_t operation, int32_t *ret,
					      size_t *count);

/* ----------------------------------------------------------------- names */

/*
 * cohort_..._name - the CIM name of a value, a static string
 *
 * "Unknown" for a value that has none; never NULL. Since: 0.1
 */
const char *cohort_result_name(uint32_t value);
const char *cohort_sync_type_name(uint32_t value);
const char *cohort_mode_name(uint32_t value);
const char *cohort_consistency_name(uint32_t value);
const char *cohort_copy_state_name(uint32_t value);
const char *cohort_progress_status_name(uint32_t value);
const char *cohort_operation_name(uint32_t value);
const char *cohort_job_state_name(uint32_t value);
const char *cohort_method_name(uint32_t value);
const char *cohort_pool_state_name(uint32_t value);
const char *cohort_source_state_name(uint32_t value);
const char *cohort_group_kind_name(uint32_t value);

/*
 * cohort_..._parse - the value of a CIM name in any case, or of a number
 *
 * COHORT_UNSET when it is neither. Blanks, '-' and '_' in names do not count.
 * Since: 0.1
 */
int32_t cohort_sync_type_parse(const char *name);
int32_t cohort_mode_parse(const char *name);
int32_t cohort_consistency_parse(const char *name);
int32_t cohort_copy_state_parse(const char *name);
int32_t cohort_operation_parse(const char *name);

#ifdef __cplusplus
}
#endif

#endif /* COHORT_COHORT_H */
