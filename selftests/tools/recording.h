/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording.h - what the recorder writes down: writes and flushes of several disks, in one order.
 *
 * The recorder (recorder.c, a plugin of nbdkit) serves memory as disks. A
 * request is noted after it was issued and before it is answered, so of two
 * requests of which one was answered before the other was issued the first
 * stands before the second, whatever disks they go to. What of it a power cut
 * would leave is for the reader to decide: a write is durable from its disk's
 * next flush on.
 */
#ifndef SELFTESTS_RECORDING_H
#define SELFTESTS_RECORDING_H

#include <linux/types.h>
#include <stdbool.h>

#define RECORDING_MAGIC 0x434f5245U
/* The relationship whose first image is written meanwhile. */
#define RECORDING_WRITTEN "w"
#define RECORDING_DISKS 16
#define RECORDING_NAME 32

enum recording_kind {
	RECORDING_DISK = 1,	/* a disk: name as data, its size as offset */
	RECORDING_WRITE,
	RECORDING_ZERO,		/* no data */
	RECORDING_FLUSH,
};

/* In the machine's byte order; data follows at once. */
struct recording_entry {
	__u32 magic;
	__u8 kind;
	__u8 disk;
	__u8 fua;
	__u8 reserved;
	__u64 offset;
	__u64 len;
};

struct recording {
	const __u8 *base;
	__u64 size;
	__u64 at;		/* byte offset of the next entry */
	__u64 number;		/* of the next entry */
};

/* Maps the recording at @path and dies where that is none. */
void recording_open(struct recording *rec, const char *path);
/* The same in memory, for one that lies where mapping is slow; free @rec->base. */
void recording_load(struct recording *rec, const char *path);
/* The next entry and its data; false behind the last one. */
bool recording_next(struct recording *rec, struct recording_entry *entry, const __u8 **data);

#endif
