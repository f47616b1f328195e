// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recorder - disks of memory, for nbdkit, whose writes and flushes are written down in one order
 *
 *	nbdkit recorder.so log=FILE disk=NAME:BYTES...
 *
 * Each disk is an export of that name. See recording.h.
 */
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recording.h"

/* One request at a time, over all disks: that is the order. */
#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS

struct disk {
	char name[RECORDING_NAME];
	__u64 size;
	__u8 *data;
};

static struct disk disks[RECORDING_DISKS];
static unsigned int nr_disks;
static char *log_path;
static FILE *log_file;

static int add_disk(const char *text)
{
	struct disk *disk = &disks[nr_disks];
	unsigned long long size;

	if (nr_disks == RECORDING_DISKS ||
	    sscanf(text, "%31[^:]:%llu", disk->name, &size) != 2) {
		nbdkit_error("disk=%s: not NAME:BYTES, or too many", text);
		return -1;
	}
	disk->size = size;
	nr_disks++;
	return 0;
}

static int recorder_config(const char *key, const char *value)
{
	if (!strcmp(key, "disk"))
		return add_disk(value);
	if (!strcmp(key, "log")) {
		log_path = nbdkit_absolute_path(value);
		return log_path ? 0 : -1;
	}
	nbdkit_error("unknown parameter %s", key);
	return -1;
}

static int note(const struct disk *disk, enum recording_kind kind, __u64 offset, __u64 len,
		const void *data, uint32_t flags)
{
	struct recording_entry entry = {
		.magic = RECORDING_MAGIC, .kind = kind, .disk = disk - disks,
		.fua = !!(flags & NBDKIT_FLAG_FUA), .offset = offset, .len = len,
	};

	if (fwrite(&entry, sizeof(entry), 1, log_file) == 1 &&
	    (!data || fwrite(data, len, 1, log_file) == 1))
		return 0;
	nbdkit_error("%s: %m", log_path);
	return -1;
}

static int recorder_get_ready(void)
{
	log_file = log_path ? fopen(log_path, "w") : NULL;
	if (!log_file) {
		nbdkit_error("log=FILE: cannot be written");
		return -1;
	}
	for (unsigned int i = 0; i < nr_disks; i++) {
		struct disk *disk = &disks[i];

		disk->data = calloc(1, disk->size);
		if (!disk->data || note(disk, RECORDING_DISK, disk->size, strlen(disk->name),
					disk->name, 0))
			return -1;
	}
	return 0;
}

static void recorder_unload(void)
{
	if (log_file)
		fclose(log_file);
	free(log_path);
}

static void *recorder_open(int readonly)
{
	const char *name = nbdkit_export_name();

	(void)readonly;
	for (unsigned int i = 0; name && i < nr_disks; i++)
		if (!strcmp(name, disks[i].name))
			return &disks[i];
	nbdkit_error("no disk \"%s\"", name ? name : "");
	return NULL;
}

static int64_t recorder_get_size(void *handle)
{
	return ((struct disk *)handle)->size;
}

static int recorder_can_fua(void *handle)
{
	(void)handle;
	return NBDKIT_FUA_NATIVE;
}

static int recorder_can_multi_conn(void *handle)
{
	(void)handle;
	return 1;
}

static int recorder_pread(void *handle, void *buf, uint32_t count, uint64_t offset,
			  uint32_t flags)
{
	(void)flags;
	memcpy(buf, ((struct disk *)handle)->data + offset, count);
	return 0;
}

static int recorder_pwrite(void *handle, const void *buf, uint32_t count, uint64_t offset,
			   uint32_t flags)
{
	struct disk *disk = handle;

	memcpy(disk->data + offset, buf, count);
	return note(disk, RECORDING_WRITE, offset, count, buf, flags);
}

static int recorder_zero(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	struct disk *disk = handle;

	memset(disk->data + offset, 0, count);
	return note(disk, RECORDING_ZERO, offset, count, NULL, flags);
}

static int recorder_flush(void *handle, uint32_t flags)
{
	return note(handle, RECORDING_FLUSH, 0, 0, NULL, flags);
}

static struct nbdkit_plugin plugin = {
	.name = "recorder",
	.config = recorder_config,
	.get_ready = recorder_get_ready,
	.unload = recorder_unload,
	.open = recorder_open,
	.get_size = recorder_get_size,
	.can_fua = recorder_can_fua,
	.can_multi_conn = recorder_can_multi_conn,
	.pread = recorder_pread,
	.pwrite = recorder_pwrite,
	.zero = recorder_zero,
	.trim = recorder_zero,
	.flush = recorder_flush,
};

NBDKIT_REGISTER_PLUGIN(plugin)
