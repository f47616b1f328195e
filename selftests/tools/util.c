// SPDX-License-Identifier: GPL-2.0-or-later
/* What the test tools share: words and exit, numbers, devices, clocks, a PRNG. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

const char *tool = "?";

static void vsay(const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", tool);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	exit(EXIT_CANNOT);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

static unsigned int suffix_shift(const char *end)
{
	static const char units[] = "KMGT";
	const char *unit;

	if (!*end)
		return 0;
	unit = strchr(units, *end & ~0x20);
	if (!unit || !*unit || end[1])
		return 64;
	return 10 * (unit - units + 1);
}

__u64 parse_size(const char *what, const char *s)
{
	unsigned long long v;
	unsigned int shift;
	char *end;

	errno = 0;
	v = strtoull(s, &end, 0);
	shift = suffix_shift(end);
	if (errno || end == s || *s == '-' || shift > 40 || v > ~0ULL >> shift)
		die("%s: not a size: '%s'", what, s);
	return v << shift;
}

__u64 parse_number(const char *what, const char *s)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(s, &end, 0);
	if (errno || end == s || *end || *s == '-')
		die("%s: not a number: '%s'", what, s);
	return v;
}

double parse_seconds(const char *what, const char *s)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || *end || !(v >= 0))
		die("%s: not a number of seconds: '%s'", what, s);
	return v;
}

static void block_geometry(struct device *dev)
{
	int block;

	if (ioctl(dev->fd, BLKGETSIZE64, &dev->size) || ioctl(dev->fd, BLKSSZGET, &block))
		die("%s: cannot read its geometry: %s", dev->path, strerror(errno));
	dev->block = block;
}

static void file_geometry(struct device *dev, __u64 size)
{
	struct statx stx = { 0 };

	dev->size = size;
	dev->block = SECTOR;
	if (!dev->direct)
		return;
	/* A kernel or file system that says nothing gets the page size. */
	dev->block = 4096;
#ifdef STATX_DIOALIGN
	if (!statx(dev->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) &&
	    (stx.stx_mask & STATX_DIOALIGN) && stx.stx_dio_offset_align)
		dev->block = stx.stx_dio_offset_align;
#else
	(void)stx;
#endif
	if (dev->block < SECTOR)
		dev->block = SECTOR;
}

void device_open(struct device *dev, const char *path, int flags)
{
	struct stat st;

	dev->path = path;
	dev->direct = true;
	dev->fd = open(path, flags | O_DIRECT | O_CLOEXEC);
	if (dev->fd < 0 && errno == EINVAL) {
		dev->direct = false;
		dev->fd = open(path, flags | O_CLOEXEC);
		if (dev->fd >= 0)
			say("%s: O_DIRECT is refused, its I/O is buffered", path);
	}
	if (dev->fd < 0 || fstat(dev->fd, &st))
		die("%s: cannot open: %s", path, strerror(errno));
	if (S_ISBLK(st.st_mode))
		block_geometry(dev);
	else if (S_ISREG(st.st_mode))
		file_geometry(dev, st.st_size);
	else
		die("%s: neither a block device nor a file", path);
}

void device_close(struct device *dev)
{
	if (close(dev->fd))
		die("%s: close: %s", dev->path, strerror(errno));
	dev->fd = -1;
}

int read_full(int fd, void *buf, size_t len, __u64 off)
{
	while (len) {
		ssize_t n = pread(fd, buf, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		buf = (char *)buf + n;
		len -= n;
		off += n;
	}
	return 0;
}

int write_full(int fd, const void *buf, size_t len, __u64 off)
{
	while (len) {
		ssize_t n = pwrite(fd, buf, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		buf = (const char *)buf + n;
		len -= n;
		off += n;
	}
	return 0;
}

void *alloc_buffer(size_t len)
{
	void *buf;

	if (posix_memalign(&buf, 4096, len))
		die("out of memory");
	memset(buf, 0, len);
	return buf;
}

void *alloc_array(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		die("out of memory");
	return p;
}

__u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void sleep_ns(__u64 ns)
{
	struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	nanosleep(&ts, NULL);
}

__u64 mix64(__u64 x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

__u64 rng_next(struct rng *rng)
{
	rng->state += 0x9e3779b97f4a7c15ULL;
	return mix64(rng->state);
}

__u64 rng_below(struct rng *rng, __u64 bound)
{
	return ((__uint128_t)rng_next(rng) * bound) >> 64;
}
