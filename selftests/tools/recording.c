// SPDX-License-Identifier: GPL-2.0-or-later
/* recording.c - reads what the recorder wrote down. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "recording.h"
#include "util.h"

void recording_open(struct recording *rec, const char *path)
{
	int fd = open(path, O_RDONLY);
	off_t size;

	if (fd < 0)
		die("cannot open %s", path);
	size = lseek(fd, 0, SEEK_END);
	memset(rec, 0, sizeof(*rec));
	rec->base = size <= 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (rec->base == MAP_FAILED)
		die("%s: is empty, or cannot be mapped", path);
	rec->size = size;
}

void recording_load(struct recording *rec, const char *path)
{
	int fd = open(path, O_RDONLY);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	void *base;

	if (size <= 0)
		die("cannot open %s, or it is empty", path);
	base = alloc_buffer(size);
	if (read_full(fd, base, size, 0))
		die("cannot read %s", path);
	close(fd);
	memset(rec, 0, sizeof(*rec));
	rec->base = base;
	rec->size = size;
}

bool recording_next(struct recording *rec, struct recording_entry *entry, const __u8 **data)
{
	__u64 left = rec->size - rec->at;
	bool has_data;

	if (!left)
		return false;
	if (left < sizeof(*entry))
		die("the recording ends within entry %llu", rec->number);
	memcpy(entry, rec->base + rec->at, sizeof(*entry));
	has_data = entry->kind == RECORDING_WRITE || entry->kind == RECORDING_DISK;
	left -= sizeof(*entry);
	if (entry->magic != RECORDING_MAGIC || entry->disk >= RECORDING_DISKS ||
	    (has_data && entry->len > left))
		die("entry %llu of the recording is none", rec->number);
	rec->at += sizeof(*entry);
	*data = has_data ? rec->base + rec->at : NULL;
	rec->at += has_data ? entry->len : 0;
	rec->number++;
	return true;
}
