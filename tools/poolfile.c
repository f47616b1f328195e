// SPDX-License-Identifier: GPL-2.0-or-later
/* poolfile.c - a device or file with a pool on it that nobody uses. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "poolfile.h"

static int read_file(void *ctx, u64 addr, void *buf, u32 len)
{
	const struct poolfile *file = ctx;
	u8 *at = buf;

	while (len) {
		ssize_t n = pread(file->fd, at, len, (off_t)addr);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		addr += (u64)n;
		len -= (u32)n;
	}
	return 0;
}

static int write_block(const struct poolfile *file, u64 addr, const void *data)
{
	ssize_t n = pwrite(file->fd, data, COHORT_BLOCK, (off_t)addr);

	if (n == COHORT_BLOCK)
		return 0;
	return n < 0 ? -errno : -EIO;
}

static int find_size(struct poolfile *file, const struct stat *st)
{
	uint64_t size;

	if (S_ISREG(st->st_mode)) {
		file->size = (u64)st->st_size;
		return 0;
	}
	if (!S_ISBLK(st->st_mode))
		return -ENOTBLK;
	if (ioctl(file->fd, BLKGETSIZE64, &size))
		return -errno;
	file->size = size;
	return 0;
}

/* A device is claimed by its open, a file by a lock. */
static int claim(const struct poolfile *file, const struct stat *st, bool write)
{
	if (!S_ISREG(st->st_mode))
		return 0;
	return flock(file->fd, (write ? LOCK_EX : LOCK_SH) | LOCK_NB) ? -EBUSY : 0;
}

/*
 * The module writes past the page cache. Who else has the device open keeps what was
 * read there before: the checks would judge that, and a repair write it.
 */
static int forget_cache(const struct poolfile *file, const struct stat *st)
{
	return S_ISBLK(st->st_mode) ? -posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED) : 0;
}

static int open_file(struct poolfile *file, bool write)
{
	struct stat st;
	int flags = (write ? O_RDWR : O_RDONLY) | O_CLOEXEC;
	int err;

	if (stat(file->path, &st))
		return -errno;
	/* the flag claims a device; for a file it means something else */
	file->fd = open(file->path, S_ISBLK(st.st_mode) ? flags | O_EXCL : flags);
	if (file->fd < 0)
		return -errno;
	err = fstat(file->fd, &st) ? -errno : find_size(file, &st);
	if (!err)
		err = claim(file, &st, write);
	return err ? err : forget_cache(file, &st);
}

int poolfile_open(struct app *app, struct poolfile *file, const char *path, bool write,
		  struct store *store)
{
	int err;

	*file = (struct poolfile){ .path = path, .fd = -1 };
	memset(store, 0, sizeof(*store));
	err = open_file(file, write);
	if (!err) {
		store->read = read_file;
		store->ctx = file;
		store->size = file->size;
		return 0;
	}
	poolfile_close(file, store);
	if (err == -EBUSY)
		return fail_errno(app, EBUSY, "%s is in use: close the pool first", path);
	if (err == -ENOTBLK)
		return fail_errno(app, ENOTBLK, "%s is neither a block device nor a file", path);
	return fail_errno(app, err == -ENOENT ? ENODEV : -err, "cannot open %s: %s", path,
			  strerror(-err));
}

void poolfile_close(struct poolfile *file, struct store *store)
{
	store_free(store);
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* ---- writing ---- */

/* In their order on the disk: what is behind the segment table comes first. */
enum part { PART_SEGMENTS, PART_TABLE, PART_SUPERS, PART_COUNT };

static enum part part_of(const struct store *store, u64 addr)
{
	if (addr == COHORT_SUPER_A || addr == COHORT_SUPER_B)
		return PART_SUPERS;
	return addr < store->sb.segments_start ? PART_TABLE : PART_SEGMENTS;
}

static int write_part(const struct poolfile *file, const struct store *store, enum part part)
{
	const struct store_block *b;
	int err = 0;

	for (b = store->over; b && !err; b = b->next)
		if (part_of(store, b->addr) == part)
			err = write_block(file, b->addr, b->data);
	return err || !fsync(file->fd) ? err : -errno;
}

/* The pool as it is on the disk, and that nothing of it may be trusted. */
static int distrust(const struct poolfile *file)
{
	struct store bare = { .read = read_file, .ctx = (void *)(uintptr_t)file,
			      .size = file->size };
	u8 a[COHORT_BLOCK], b[COHORT_BLOCK];
	struct cohort_super sb;
	const char *why;
	int err;

	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	store_read(&bare, COHORT_SUPER_A, a, COHORT_BLOCK);
	store_read(&bare, COHORT_SUPER_B, b, COHORT_BLOCK);
	err = cohort_super_choose(&sb, a, b, file->size, &why);
	if (err)
		return err;
	sb.generation++;
	sb.flags |= COHORT_SB_BREAK_ALL;
	cohort_super_encode(&sb, a);
	err = write_block(file, cohort_super_address(sb.generation), a);
	return err || !fsync(file->fd) ? err : -errno;
}

int poolfile_write(struct poolfile *file, struct store *store, bool lost)
{
	int part, err = lost ? distrust(file) : 0;

	for (part = 0; part < PART_COUNT && !err; part++)
		err = write_part(file, store, part);
	return err;
}
