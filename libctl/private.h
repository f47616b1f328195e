/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* private.h - what the files of the library share: context, errors, requests, devices */
#ifndef LIBCTL_PRIVATE_H
#define LIBCTL_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include <cohort/cohort.h>

#define EXPORT __attribute__((visibility("default")))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#define SECTOR 512u
#define DM_DIR "/dev/mapper/"
#define UUID_POOL "COHORT-POOL-"
#define UUID_SOURCE "COHORT-SRC-"
#define UUID_IMAGE "COHORT-IMG-"
#define UUID_CLONE "COHORT-CLONE-"
#define UUID_OURS "COHORT-"

/*
 * @lock protects the request socket during one exchange, and what was learnt
 * when it was opened; @error_lock protects @error alone and is taken last.
 */
struct cohort {
	atomic_uint refs;
	unsigned long serial;	/* tells contexts apart when memory is reused */
	pthread_mutex_t lock;
	struct nl_sock *sock;	/* NULL until the module was reached */
	int family;
	int events_group;
	pthread_mutex_t error_lock;
	struct cohort_error error;
};

/* ---- errors (ctx.c) */

/* CIM result of an errno, the same mapping as the module's. */
int result_of(int err);
/* Keeps the words and returns @code. @attribute may be NULL. */
int fail(struct cohort *ctx, int code, int err, const char *attribute, const char *fmt, ...)
	PRINTF(5, 6);
/* As fail(), with the code that belongs to @err (positive). */
int fail_errno(struct cohort *ctx, int err, const char *attribute, const char *fmt, ...)
	PRINTF(4, 5);
int fail_memory(struct cohort *ctx);
/* The code of this thread's last error, where a callee could only say that it failed. */
int failed(struct cohort *ctx);
/* Keeps an error that was copied before later calls replaced it. */
int fail_again(struct cohort *ctx, const struct cohort_error *error);

/* ---- messages (msg.c): one request under construction */

struct request {
	struct nl_msg *msg;	/* NULL: out of memory */
	int cmd;
	int err;		/* first failure, 0 or a libnl code */
};

void request_new(struct request *r, int cmd, size_t room);
void request_free(struct request *r);
/* Each leaves the attribute out when the value is NULL, or unset. */
void request_str(struct request *r, int attr, const char *value);
void request_u32(struct request *r, int attr, int64_t value);
void request_u64(struct request *r, int attr, uint64_t value);
void request_bin(struct request *r, int attr, const void *data, size_t len);
/* NULL where there is no room; what is put goes into it until the end. */
struct nlattr *request_nest(struct request *r, int attr);
void request_nest_end(struct request *r, struct nlattr *nest);
/* One nest with the member's index and name. */
void request_member(struct request *r, int attr, uint32_t index, const char *name);

/*
 * Parameter, in CIM spelling, that byte @offset of the request @hdr belongs to,
 * or attribute @type of its top level when @offset is 0. Writes "" if unknown.
 */
void request_attribute_name(const struct nlmsghdr *hdr, int cmd, uint32_t offset, uint32_t type,
			    char *name, size_t size);

/* What the reply to a request that started a job carries. */
int reply_parse(int cmd, const struct nlattr *attrs, int len, struct cohort_reply *reply);

/* ---- objects from attributes (object.c) */

enum object_kind {
	OBJECT_MODULE, OBJECT_POOL, OBJECT_SOURCE, OBJECT_GROUP, OBJECT_RELATIONSHIP, OBJECT_JOB,
};

/* A new object; NULL without memory. @complete: its state was there. */
void *object_parse(enum object_kind kind, const struct nlattr *attrs, int len, bool *complete);
/* Frees a list. */
void object_free(enum object_kind kind, void *list);
/* Replaces *@at by a copy of the attribute's text, which need not be terminated. -1: no memory. */
int attr_string(const struct nlattr *attr, char **at);
/* Kind of the object that a command or event is about, -1 if none. */
int object_kind_of(int cmd);
int object_get_cmd(enum object_kind kind);

/* ---- pages of a comparison (diff.c) */

struct diff_extent {
	uint64_t offset;
	uint64_t length;
};

/* One answer of the module. */
struct diff_page {
	struct diff_extent *extents;	/* @count of them, the caller's to free */
	size_t count;
	size_t room;
	uint64_t next;
	uint64_t size;
	uint64_t epoch;
	uint64_t other_epoch;
};

/* Adds what an answer says to @page; 0 or a negative errno. */
int diff_page_parse(const struct nlattr *attrs, int len, struct diff_page *page);

/* ---- sockets (socket.c) */

/* Called for every message of the reply; returns 0 or a negative errno that ends it. */
typedef int (*reply_fn)(int cmd, const struct nlattr *attrs, int len, void *data);

/*
 * Sends the request, reads the whole answer and frees the request.
 * Returns a CIM result, words kept; 4096 for a dump that was interrupted.
 */
int exchange(struct cohort *ctx, struct request *r, bool dump, reply_fn fn, void *data);
/* A socket that listens to the events group, or NULL with words. */
struct nl_sock *events_socket(struct cohort *ctx);
/*
 * One datagram from the events socket, @fn per message. 0; -EAGAIN: none there;
 * -ENOBUFS: events were lost; other negative errno.
 */
int events_receive(struct nl_sock *sock, reply_fn fn, void *data);

/* ---- requests (validate.c): pure, touch nothing but the words */

bool name_valid(const char *name, size_t max);
/* The name of an element given as a name or a /dev/mapper path; NULL if it is neither. */
const char *element_name(const char *element);
/* 0 or 5: a required name. */
int check_name(struct cohort *ctx, const char *attribute, const char *name);
/* 0 or 5: names of elements, no two the same. */
int check_elements(struct cohort *ctx, const char *attribute, const char *const *elements,
		   size_t count);

/* A CreateGroupReplica request after validation, in the words of the module. */
struct replica_args {
	struct cohort_request req;	/* a copy, as this version knows it */
	int32_t consistency;
	int32_t on_error;
	uint32_t flags;
	uint64_t space_limit;
	uint64_t remove_after;
	int32_t hold_time;
	int32_t wait_state;	/* at the end of the job */
	bool wait_copied;	/* and behind it, of a clone */
};

int validate_replica(struct cohort *ctx, const struct cohort_request *request, bool elements,
		     struct replica_args *args);
int validate_modify(struct cohort *ctx, const struct cohort_modify_request *request,
		    struct cohort_modify_request *copy);
int validate_group(struct cohort *ctx, const struct cohort_group_request *request,
		   struct cohort_group_request *copy);
/*
 * Copies a request of @size bytes into one of @known bytes that was initialised;
 * 5 or 1 with words when the size can not be right.
 */
int request_copy(struct cohort *ctx, void *copy, size_t known, const void *request, size_t size);

/* ---- settings (settings.c) */

/* 0, or 1 or 5 with words for a property that is not honoured for a replica of the type. */
int check_setting_data(struct cohort *ctx, uint32_t sync_type,
		       const struct cohort_replication_setting_data *data,
		       struct cohort_replication_setting_data *copy);
/* 1 with words if any property is set at all. */
int check_no_setting_data(struct cohort *ctx,
			  const struct cohort_replication_setting_data *data);
int check_goal(struct cohort *ctx, const struct cohort_target_setting_goal *goal,
	       struct cohort_target_setting_goal *copy);

/* ---- names (names.c) */

/* Equal but for case, blanks, '-' and '_'. */
bool words_equal(const char *a, const char *b);

/* ---- jobs (job.c) */

/* Takes back what a completed job did when its devices could not be made. */
typedef void (*undo_fn)(struct cohort *ctx, const struct cohort_reply *reply, void *data);

/*
 * Sends a request that starts a job, waits as @timeout_ms says and makes the
 * job's devices. *@ret is a reply, also on 3 and 4096. Frees the request. When
 * devices can not be made @undo is called, if there is one, and the error stays
 * the first one.
 */
int job_run(struct cohort *ctx, struct request *r, int timeout_ms, undo_fn undo, void *data,
	    struct cohort_reply **ret);
/* Milliseconds of the monotonic clock. */
int64_t now_ms(void);
/* Hands a reply to a caller who may not want it, on results that have one. */
int reply_return(int result, struct cohort_reply *reply, struct cohort_reply **ret);

/* ---- device-mapper (dm.c) */

struct dm_table {
	const char *name;
	const char *uuid;
	const char *target;
	const char *params;
	uint64_t sectors;
	bool read_only;
	uint16_t udev_flags;	/* DM_UDEV_* */
};

struct dm_device {
	bool exists;
	int open_count;
	dev_t dev;
	char uuid[129];
};

/*
 * CIM results, words kept. Without @batch they return when udev is done with
 * the device; with one, made by { 0 }, dm_finish() waits for all of the batch.
 */
struct dm_batch {
	uint32_t cookie;
};

int dm_create(struct cohort *ctx, const struct dm_table *table, struct dm_batch *batch);
/* Another table for a device that is there, in use or not. */
int dm_replace(struct cohort *ctx, const struct dm_table *table);
int dm_remove(struct cohort *ctx, const char *name, struct dm_batch *batch);
void dm_finish(struct dm_batch *batch);
int dm_find(struct cohort *ctx, const char *name, struct dm_device *found);
/* 6 with words naming the user when the device is open and stays open. */
int dm_check_unused(struct cohort *ctx, const char *name);
/* 5 (EEXIST) when there is a device of that name; @attribute for the words. */
int dm_check_free(struct cohort *ctx, const char *name, const char *attribute);

/* ---- block devices (device.c) */

#define DEVICE_ALIGN 4096u

struct device {
	int fd;
	char path[256];
	dev_t dev;
	uint64_t size;		/* bytes */
};

enum device_mode { DEVICE_READ, DEVICE_WRITE };

/*
 * Opens a block device with O_DIRECT, exclusively if @exclusive. 5: not a block
 * device; 6: in use, with words naming the user. Pairs with device_close().
 */
int device_open(struct cohort *ctx, const char *path, enum device_mode mode, bool exclusive,
		struct device *d);
int device_open_number(struct cohort *ctx, const char *number, struct device *d);
void device_close(struct device *d);
/* Reads or writes all of @len bytes, aligned as O_DIRECT wants; 0 or -errno. */
int device_read(int fd, void *buf, size_t len, uint64_t offset);
int device_write(int fd, const void *buf, size_t len, uint64_t offset);
int device_zero(int fd, uint64_t offset, uint64_t len);
/* "major:minor"; the buffer is @text. */
char *device_number(dev_t dev, char *text, size_t size);
/* Who uses it, such as "mounted on /home", or "". */
void device_user(dev_t dev, char *words, size_t size);
/* 5: zoned, DAX, integrity, inline encryption or read-only: the module would refuse it. */
int device_check_kind(struct cohort *ctx, const struct device *d);
/* 5 with words when libblkid finds anything; @fd at its start. */
int device_check_signatures(struct cohort *ctx, const struct device *d);
int device_wipe_signatures(struct cohort *ctx, const struct device *d);

/* ---- identity (identity.c, fingerprint.c) */

struct identity {
	char dm_uuid[129];
	char wwn[129];
	char partuuid[37];
};

/* What a catalog has of a disk, and the words when that disk is not there. */
struct recorded {
	uint64_t size;
	const char *dm_uuid;	/* NULL or "": it has none; as are the next two */
	const char *wwn;
	const char *partuuid;
	const uint8_t *fingerprint;	/* NULL: none that holds */
	const char *attribute;
	const char *name;	/* of what it is the disk of */
	const char *hint;	/* what can be done, behind the words */
};

void identity_read(const struct device *d, struct identity *id);
/* Path of the unused disk that fits; 5 with words when none or several do. */
int identity_find(struct cohort *ctx, const struct recorded *recorded, char *path, size_t size);
/* Whether the device of a number, with its path, may be that disk: one without names may. */
bool identity_is_known(struct cohort *ctx, const struct recorded *recorded, const char *number,
		       char *path, size_t size);
/*
 * 32 bytes that differ when one of the sampled blocks does. Reads about 2.2 MiB
 * in 4 KiB-aligned pieces. 0 or -errno.
 */
int fingerprint_compute(int fd, uint64_t size, uint8_t fingerprint[COHORT_FINGERPRINT_LEN]);

/* ---- devices of sources and relationships (image.c, clone.c, source.c) */

/* Makes the source's device, images and clones unless they are there. */
int source_make_devices(struct cohort *ctx, const char *name);
/* Images and clones of the relationships that a source is in. */
int source_make_images(struct cohort *ctx, const char *name);

/*
 * The devices of a relationship, images or clones. A target that is not there, or in
 * use, is told when all others have been made: target_missing().
 */
int images_make(struct cohort *ctx, const struct cohort_relationship *rel);
/* Whether that was the last error: its attribute is TargetElements[n]. */
bool target_missing(struct cohort *ctx);
/* As images_make(), where a target that is not there is no error. */
int images_make_found(struct cohort *ctx, const struct cohort_relationship *rel);
/* 6 with words when one is open. @source: only those that need it; NULL: all. */
int images_check_unused(struct cohort *ctx, const struct cohort_relationship *rel,
			const char *source);
int images_remove(struct cohort *ctx, const struct cohort_relationship *rel, const char *source);

/* Of one image, which for a clone is its hidden half. */
void image_name(const struct cohort_relationship *rel, const struct cohort_member *member,
		char *name, size_t size);
uint16_t image_udev_flags(const struct cohort_relationship *rel);
/* 5 when the name belongs to another device. */
int image_find(struct cohort *ctx, const struct cohort_relationship *rel,
	       const struct cohort_member *member, struct dm_device *found);
/* Unless it is there, which *@made tells. @source is attached. */
int image_make(struct cohort *ctx, const struct cohort_relationship *rel,
	       const struct cohort_member *member, const struct cohort_source *source,
	       const char *pool_dev, struct dm_batch *batch, bool *made);
int image_remove(struct cohort *ctx, const struct cohort_relationship *rel,
		 const struct cohort_member *member, struct dm_batch *batch);

int clones_make(struct cohort *ctx, const struct cohort_relationship *rel);
int clones_check_unused(struct cohort *ctx, const struct cohort_relationship *rel,
			const char *source);
int clones_remove(struct cohort *ctx, const struct cohort_relationship *rel, const char *source);

typedef int (*rel_fn)(struct cohort *ctx, const struct cohort_relationship *rel,
		      const char *source);

/* Calls @fn for the clones of a pool, with no source, until one fails. */
int pool_each_clone(struct cohort *ctx, const char *pool, rel_fn fn);
/* Refuses a device that carries a pool, whole or damaged. */
int pool_check_none(struct cohort *ctx, const struct device *d);

/* ---- targets of a clone (target.c) */

/* One disk, as it was found before anything happens. */
struct target {
	char number[32];	/* "major:minor" */
	uint64_t size;
	struct identity id;
};

/*
 * Looks at the targets of a validated request: there, unused, large enough, without
 * a signature unless forced, no two the same. *@ret is an array, the caller's to free().
 */
int targets_learn(struct cohort *ctx, const struct cohort_request *req, struct target **ret);
void targets_put(struct request *r, const struct target *targets, size_t count);
/* Bytes of each source of a validated request; 5 when there is no such source or group. */
int targets_sizes(struct cohort *ctx, const struct cohort_request *req,
		  uint64_t sizes[COHORT_MEMBERS_MAX], size_t *count);
/* Whether a relationship has one of them, by its DM UUID; true where nobody can tell. */
bool targets_recorded(struct cohort *ctx, const struct target *targets, size_t count);

/* ---- volumes of LVM as targets (lvm.c) */

/* What one call has made, of a volume group. */
struct volumes {
	const char *vg;
	const char **paths;	/* @count of them */
	size_t count;
};

/* Name of the volume group that TargetPool means, NULL where it means a pool. */
const char *lvm_vg(const char *target_pool);
bool lvm_vg_valid(const char *vg);
/*
 * Makes a volume for each of @sizes bytes, all or none. 5: LVM has no such group, or has
 * such a volume already; 4: no space, no LVM, or anything else that LVM says.
 */
int lvm_make(struct cohort *ctx, const char *vg, const char *relationship,
	     const uint64_t *sizes, size_t count, struct volumes *volumes);
/* Removes them again. The last error stays, and says which could not be removed. */
void lvm_take_back(struct cohort *ctx, struct volumes *volumes);
/* The last error says that they stay. */
void lvm_say_left(struct cohort *ctx, const struct volumes *volumes);
void lvm_free(struct volumes *volumes);

/* ---- the end of copying (copy.c) */

/*
 * Waits until all of a clone is on its targets. 3: time is over; 4: it will not be.
 * *@job: the job that copies, where there is one.
 */
int copy_wait(struct cohort *ctx, const char *name, int timeout_ms, uint64_t *job);

#endif
