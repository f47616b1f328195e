// SPDX-License-Identifier: LGPL-2.1-or-later
/* device.c - block devices: open, size, who uses them, what they carry */
#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "private.h"

char *device_number(dev_t dev, char *text, size_t size)
{
	snprintf(text, size, "%u:%u", major(dev), minor(dev));
	return text;
}

/* "mounted on X" from the mount table of this process. */
static bool mounted(dev_t dev, char *words, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096], where[1024];
	unsigned int maj, min;
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*d %*d %u:%u %*s %1023s", &maj, &min, where) == 3 &&
			makedev(maj, min) == dev;
	if (found)
		snprintf(words, size, "mounted on %s", where);
	if (f)
		fclose(f);
	return found;
}

static bool swapping(dev_t dev, char *words, size_t size)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[4096], path[1024];
	bool found = false;
	struct stat st;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%1023s", path) == 1 && !stat(path, &st) &&
			S_ISBLK(st.st_mode) && st.st_rdev == dev;
	if (found)
		snprintf(words, size, "swap space");
	if (f)
		fclose(f);
	return found;
}

/* Name of a device for people: device-mapper's own if it has one. */
static void display_name(const char *sysname, char *name, size_t size)
{
	char path[512];
	FILE *f;

	snprintf(name, size, "%s", sysname);
	snprintf(path, sizeof(path), "/sys/class/block/%s/dm/name", sysname);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(name, (int)size, f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
}

static bool held(dev_t dev, char *words, size_t size)
{
	char path[128], name[256];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders", major(dev), minor(dev));
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		found = true;
		display_name(e->d_name, name, sizeof(name));
		snprintf(words, size, "held by %s", name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool used(dev_t dev, char *words, size_t size)
{
	return mounted(dev, words, size) || swapping(dev, words, size) || held(dev, words, size);
}

/* Number of the partition in directory @name of a disk, 0 if it is none. */
static dev_t partition_of(const char *disk, const char *name)
{
	char path[512];
	unsigned int maj, min;
	dev_t dev = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.200s/partition", disk, name);
	if (name[0] == '.' || access(path, F_OK))
		return 0;
	snprintf(path, sizeof(path), "%s/%.200s/dev", disk, name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%u:%u", &maj, &min) == 2)
		dev = makedev(maj, min);
	fclose(f);
	return dev;
}

/* A disk is in use when a partition of it is. */
static void partition_user(dev_t dev, char *words, size_t size)
{
	char disk[128], user[200] = "";
	struct dirent *e;
	DIR *dir;

	snprintf(disk, sizeof(disk), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	dir = opendir(disk);
	while (dir && !words[0] && (e = readdir(dir))) {
		const dev_t part = partition_of(disk, e->d_name);

		if (part && used(part, user, sizeof(user)))
			snprintf(words, size, "%.40s is %s", e->d_name, user);
	}
	if (dir)
		closedir(dir);
}

void device_user(dev_t dev, char *words, size_t size)
{
	words[0] = '\0';
	if (!used(dev, words, size))
		partition_user(dev, words, size);
}

static int device_geometry(struct cohort *ctx, struct device *d, const struct stat *st)
{
	if (!S_ISBLK(st->st_mode))
		return fail_errno(ctx, EINVAL, "Device", "%s is not a block device", d->path);
	d->dev = st->st_rdev;
	if (ioctl(d->fd, BLKGETSIZE64, &d->size))
		return fail_errno(ctx, errno, "Device", "cannot ask the size of %s: %s", d->path,
				  strerror(errno));
	return 0;
}

static int open_failed(struct cohort *ctx, const char *path, const struct stat *st)
{
	const int err = errno;
	char user[256];

	if (err != EBUSY)
		return fail_errno(ctx, err, "Device", "cannot open %s: %s", path, strerror(err));
	device_user(st->st_rdev, user, sizeof(user));
	return fail_errno(ctx, EBUSY, "Device", "%s is in use%s%s", path, user[0] ? ": " : "",
			  user);
}

int device_open(struct cohort *ctx, const char *path, enum device_mode mode, bool exclusive,
		struct device *d)
{
	const int flags = O_CLOEXEC | O_DIRECT | (mode == DEVICE_WRITE ? O_RDWR : O_RDONLY) |
			  (exclusive ? O_EXCL : 0);
	struct stat st;
	int ret;

	memset(d, 0, sizeof(*d));
	d->fd = -1;
	if (!path || !*path)
		return fail_errno(ctx, EINVAL, "Device", "no device is named");
	snprintf(d->path, sizeof(d->path), "%s", path);
	if (stat(path, &st))
		return fail_errno(ctx, errno, "Device", "%s: %s", path, strerror(errno));
	/* told before it is opened: a pipe would block, a file would open */
	if (!S_ISBLK(st.st_mode))
		return fail_errno(ctx, EINVAL, "Device", "%s is not a block device", path);
	d->fd = open(path, flags);
	if (d->fd < 0)
		return open_failed(ctx, path, &st);
	ret = fstat(d->fd, &st) ? fail_errno(ctx, errno, "Device", "%s: %s", path, strerror(errno))
				: device_geometry(ctx, d, &st);
	if (ret)
		device_close(d);
	return ret;
}

/* The node of a device by its number, which works without udev's links. */
int device_open_number(struct cohort *ctx, const char *number, struct device *d)
{
	char path[128], line[256], node[300] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/dev/block/%s/uevent", number ? number : "");
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "DEVNAME=", 8))
			snprintf(node, sizeof(node), "/dev/%s", line + 8);
	}
	if (f)
		fclose(f);
	if (!node[0])
		return fail_errno(ctx, ENODEV, "Device", "there is no block device %s",
				  number ? number : "");
	return device_open(ctx, node, DEVICE_READ, false, d);
}

void device_close(struct device *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

int device_read(int fd, void *buf, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pread(fd, buf, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		buf = (char *)buf + n;
		offset += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int device_write(int fd, const void *buf, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, buf, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		buf = (const char *)buf + n;
		offset += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* The slow way, for what is no block device or knows no zeroing. */
static int write_zeroes(int fd, uint64_t offset, uint64_t len)
{
	const size_t piece = 1u << 20;
	void *zero;
	int err = 0;

	if (posix_memalign(&zero, DEVICE_ALIGN, piece))
		return -ENOMEM;
	memset(zero, 0, piece);
	for (; !err && len; offset += len < piece ? len : piece, len -= len < piece ? len : piece)
		err = device_write(fd, zero, len < piece ? len : piece, offset);
	free(zero);
	return err;
}

int device_zero(int fd, uint64_t offset, uint64_t len)
{
	uint64_t range[2] = { offset, len };

	if (!ioctl(fd, BLKZEROOUT, range))
		return 0;
	return write_zeroes(fd, offset, len);
}

static blkid_probe probe_new(struct cohort *ctx, const struct device *d, int fd)
{
	blkid_probe pr = blkid_new_probe();

	if (!pr || blkid_probe_set_device(pr, fd, 0, 0)) {
		blkid_free_probe(pr);
		fail_errno(ctx, EIO, "Device", "cannot probe %s", d->path);
		return NULL;
	}
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_TYPE |
					  BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC);
	return pr;
}

/* libblkid reads as it likes: O_DIRECT would refuse it. */
static int open_buffered(struct cohort *ctx, const struct device *d, int flags)
{
	int fd = open(d->path, flags | O_CLOEXEC);

	if (fd < 0)
		fail_errno(ctx, errno, "Device", "cannot open %s: %s", d->path, strerror(errno));
	return fd;
}

static int found_words(struct cohort *ctx, const struct device *d, blkid_probe pr)
{
	const char *type = NULL;

	if (blkid_probe_lookup_value(pr, "TYPE", &type, NULL))
		blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL);
	return fail_errno(ctx, EEXIST, "Device",
			  "%s carries a signature (%s), which would be lost", d->path,
			  type ? type : "of unknown type");
}

/* An attribute of the disk that holds @dev; empty where there is none. */
static void disk_attribute(dev_t dev, const char *name, char *value, size_t size)
{
	char path[128];
	FILE *f;

	value[0] = '\0';
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(dev), minor(dev), name);
	f = fopen(path, "re");
	if (!f) {
		/* of a partition the attributes are the disk's */
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../%s", major(dev), minor(dev),
			 name);
		f = fopen(path, "re");
	}
	if (!f)
		return;
	if (fgets(value, (int)size, f))
		value[strcspn(value, "\n")] = '\0';
	fclose(f);
}

int device_check_kind(struct cohort *ctx, const struct device *d)
{
	static const struct {
		const char *attribute;
		const char *fine;
		const char *words;
	} kinds[] = {
		{ "queue/zoned", "none", "is a zoned device, which can not be a member" },
		{ "queue/dax", "0", "is a DAX device, which can not be a member" },
		{ "integrity/format", "none", "has an integrity profile and can not be a member" },
		{ "queue/crypto/max_dun_bits", "", "encrypts inline and can not be a member" },
		{ "ro", "0", "is read-only" },
	};
	char value[64];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		disk_attribute(d->dev, kinds[i].attribute, value, sizeof(value));
		if (value[0] && strcmp(value, kinds[i].fine))
			return fail_errno(ctx, EINVAL, "Device", "%s %s", d->path, kinds[i].words);
	}
	return 0;
}

int device_check_signatures(struct cohort *ctx, const struct device *d)
{
	int ret, fd = open_buffered(ctx, d, O_RDONLY);
	blkid_probe pr;

	if (fd < 0)
		return failed(ctx);
	pr = probe_new(ctx, d, fd);
	ret = pr ? blkid_do_safeprobe(pr) : -1;
	if (!pr)
		ret = failed(ctx);
	else if (ret == 1)
		ret = 0;
	else if (ret == 0)
		ret = found_words(ctx, d, pr);
	else if (ret == -2)
		ret = fail_errno(ctx, EEXIST, "Device",
				 "%s carries several signatures, which would be lost", d->path);
	else
		ret = fail_errno(ctx, EIO, "Device", "cannot probe %s", d->path);
	blkid_free_probe(pr);
	close(fd);
	return ret;
}

int device_wipe_signatures(struct cohort *ctx, const struct device *d)
{
	int ret = 0, fd = open_buffered(ctx, d, O_RDWR);
	blkid_probe pr;

	if (fd < 0)
		return failed(ctx);
	pr = probe_new(ctx, d, fd);
	if (!pr)
		ret = failed(ctx);
	/* each wipe uncovers what the one before hid, as wipefs does it */
	while (!ret && blkid_do_probe(pr) == 0)
		if (blkid_do_wipe(pr, 0))
			ret = fail_errno(ctx, EIO, "Device", "cannot wipe the signatures of %s",
					 d->path);
	if (!ret && fsync(fd))
		ret = fail_errno(ctx, errno, "Device", "cannot write to %s: %s", d->path,
				 strerror(errno));
	blkid_free_probe(pr);
	close(fd);
	return ret;
}
