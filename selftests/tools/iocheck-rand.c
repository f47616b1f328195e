// SPDX-License-Identifier: GPL-2.0-or-later
/* iocheck rand-verify, compare: random I/O of every kind against a shadow copy. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "iocheck.h"

#define PIECE (1024 * 1024)

/* What must stand on the device; a discarded sector may hold anything until written. */
struct shadow {
	char *data;
	__u8 *known;		/* per sector */
	__u64 len;
};

enum op {
	OP_WRITE,
	OP_FUA,
	OP_READ,
	OP_FLUSH,
	OP_ZERO,
	OP_DISCARD,
	OPS,
};

static const unsigned int op_share[OPS] = {
	[OP_WRITE] = 50, [OP_FUA] = 10, [OP_READ] = 20, [OP_FLUSH] = 4, [OP_ZERO] = 8,
	[OP_DISCARD] = 8,
};

/* Each worker has a part of the device for itself; neighbours may share a chunk. */
struct worker {
	const struct job *job;
	const struct device *dev;
	const struct shadow *shadow;
	pthread_t thread;
	struct rng rng;
	__u64 first, len;	/* of its part, within the shadow */
	char *buf;
	__u64 done[OPS];
	__u64 refused;		/* discards the device does not do */
	bool wrong;
};

static atomic_bool stop;

static void *map_file(const char *path, __u64 len, bool *fresh)
{
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
	struct stat st = { 0 };
	void *p;

	if (path && (fd < 0 || fstat(fd, &st)))
		die("%s: cannot open: %s", path, strerror(errno));
	*fresh = !st.st_size;
	if (path && *fresh && ftruncate(fd, len))
		die("%s: cannot grow: %s", path, strerror(errno));
	if (!*fresh && (__u64)st.st_size != len)
		die("%s: %llu bytes, not %llu", path, (__u64)st.st_size, len);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, path ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS,
		 fd, 0);
	if (p == MAP_FAILED)
		die("%s: cannot map: %s", path ? path : "memory", strerror(errno));
	if (path)
		close(fd);
	return p;
}

/* True when there was none yet, and the device's content has to be taken over. */
static bool shadow_open(struct shadow *shadow, const char *path, __u64 len)
{
	char name[4096];
	bool fresh, map_fresh;

	if (path && snprintf(name, sizeof(name), "%s.known", path) >= (int)sizeof(name))
		die("%s: name too long", path);
	shadow->len = len;
	shadow->data = map_file(path, len, &fresh);
	shadow->known = map_file(path ? name : NULL, len / SECTOR, &map_fresh);
	if (fresh != map_fresh)
		die("%s and %s.known do not belong together", path, path);
	return fresh;
}

static void shadow_fill(struct shadow *shadow, const struct device *dev, __u64 offset)
{
	char *buf = alloc_buffer(PIECE);

	for (__u64 off = 0; off < shadow->len; off += PIECE) {
		__u64 len = shadow->len - off < PIECE ? shadow->len - off : PIECE;
		int ret = read_full(dev->fd, buf, len, offset + off);

		if (ret)
			die("%s: read at %llu: %s", dev->path, offset + off, strerror(-ret));
		memcpy(shadow->data + off, buf, len);
	}
	memset(shadow->known, 1, shadow->len / SECTOR);
	free(buf);
}

static bool same(const struct shadow *shadow, const char *path, const char *buf, __u64 off,
		 __u64 len, __u64 offset)
{
	for (__u64 i = 0; i < len; i += SECTOR) {
		if (!shadow->known[(off + i) / SECTOR] ||
		    !memcmp(buf + i, shadow->data + off + i, SECTOR))
			continue;
		say("%s: sector %llu is not what was written", path, (offset + off + i) / SECTOR);
		return false;
	}
	return true;
}

struct extent extent_pick(struct rng *rng, __u64 block, __u64 max, __u64 room)
{
	unsigned int classes = 1;
	struct extent e;
	__u64 low;

	if (max > room)
		max = room;
	while (block << classes <= max)
		classes++;
	e.len = block << rng_below(rng, classes);
	if (rng_next(rng) & 1) {
		e.off = rng_below(rng, room / e.len) * e.len;
		return e;
	}
	low = e.len / 2 / block;
	e.len = (low + 1 + rng_below(rng, e.len / block - low)) * block;
	e.off = rng_below(rng, (room - e.len) / block + 1) * block;
	return e;
}

static int do_write(struct worker *w, __u64 off, __u64 len, int flags)
{
	struct iovec iov = { w->buf, len };
	ssize_t n;

	for (__u64 i = 0; i < len; i += 8)
		*(__u64 *)(w->buf + i) = rng_next(&w->rng);
	n = pwritev2(w->dev->fd, &iov, 1, w->job->offset + off, flags);
	if (n != (ssize_t)len)
		return n < 0 ? -errno : -EIO;
	memcpy(w->shadow->data + off, w->buf, len);
	memset(w->shadow->known + off / SECTOR, 1, len / SECTOR);
	return 0;
}

static int do_read(struct worker *w, __u64 off, __u64 len)
{
	int ret = read_full(w->dev->fd, w->buf, len, w->job->offset + off);

	if (!ret && !same(w->shadow, w->dev->path, w->buf, off, len, w->job->offset)) {
		w->wrong = true;
		stop = true;
	}
	return ret;
}

/* A file stands in for a device in user space: there both leave zeroes. */
static int clear_range(const struct device *dev, enum op how, __u64 off, __u64 len)
{
	__u64 range[2] = { off, len };
	struct stat st;

	if (fstat(dev->fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode))
		return fallocate(dev->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len) ?
			-errno : 0;
	return ioctl(dev->fd, how == OP_ZERO ? BLKZEROOUT : BLKDISCARD, range) ? -errno : 0;
}

static int do_clear(struct worker *w, enum op how, __u64 off, __u64 len)
{
	int ret = clear_range(w->dev, how, w->job->offset + off, len);

	if (ret == -EOPNOTSUPP && how == OP_DISCARD) {
		w->refused++;
		return 0;
	}
	if (ret)
		return ret;
	memset(w->shadow->data + off, 0, len);
	memset(w->shadow->known + off / SECTOR, how == OP_ZERO, len / SECTOR);
	return 0;
}

static enum op pick_op(struct worker *w)
{
	unsigned int sum = 0, ball;
	enum op op;

	for (op = 0; op < OPS; op++)
		sum += op_share[op];
	ball = rng_below(&w->rng, sum);
	for (op = 0; ball >= op_share[op]; op++)
		ball -= op_share[op];
	return op == OP_DISCARD && w->job->no_discard ? OP_WRITE : op;
}

static int do_op(struct worker *w, enum op op)
{
	struct extent e = extent_pick(&w->rng, w->dev->block, w->job->size, w->len);
	int ret;

	e.off += w->first;
	switch (op) {
	case OP_WRITE:
		ret = do_write(w, e.off, e.len, 0);
		break;
	case OP_FUA:
		ret = do_write(w, e.off, e.len, RWF_DSYNC);
		break;
	case OP_READ:
		ret = do_read(w, e.off, e.len);
		break;
	case OP_FLUSH:
		ret = fdatasync(w->dev->fd) ? -errno : 0;
		break;
	default:
		ret = do_clear(w, op, e.off, e.len);
	}
	if (ret)
		say("%s: operation %d of %llu bytes at %llu: %s", w->dev->path, op, e.len,
		    w->job->offset + e.off, strerror(-ret));
	w->done[op]++;
	return ret;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	w->buf = alloc_buffer(w->job->size);
	for (__u64 n = 0; !stop && (!w->job->count || n < w->job->count); n++) {
		if (do_op(w, pick_op(w))) {
			w->wrong = true;
			stop = true;
		}
	}
	free(w->buf);
	return NULL;
}

static void start_workers(struct worker *workers, const struct worker *like)
{
	const struct job *job = like->job;
	__u64 part = job->len / job->jobs / like->dev->block * like->dev->block;

	if (!part)
		die("%s: too small for %u jobs", like->dev->path, job->jobs);
	for (__u32 i = 0; i < job->jobs; i++) {
		struct worker *w = &workers[i];

		*w = *like;
		w->rng.state = mix64(job->seed) + i;
		w->first = i * part;
		w->len = part;
		if (pthread_create(&w->thread, NULL, worker_main, w))
			die("cannot start a thread");
	}
}

static bool join_workers(struct worker *workers, __u32 n)
{
	__u64 done[OPS] = { 0 }, refused = 0;
	bool wrong = false;

	for (__u32 i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		for (int op = 0; op < OPS; op++)
			done[op] += workers[i].done[op];
		refused += workers[i].refused;
		wrong |= workers[i].wrong;
	}
	printf("iocheck: %llu writes, %llu FUA, %llu reads, %llu flushes, %llu write-zeroes, ",
	       done[OP_WRITE], done[OP_FUA], done[OP_READ], done[OP_FLUSH], done[OP_ZERO]);
	printf("%llu discards (%llu not supported)\n", done[OP_DISCARD], refused);
	return wrong;
}

static int compare(const struct shadow *shadow, const struct device *dev, __u64 offset)
{
	char *buf = alloc_buffer(PIECE);
	bool good = true;

	for (__u64 off = 0; good && off < shadow->len; off += PIECE) {
		__u64 len = shadow->len - off < PIECE ? shadow->len - off : PIECE;
		int ret = read_full(dev->fd, buf, len, offset + off);

		if (ret)
			die("%s: read at %llu: %s", dev->path, offset + off, strerror(-ret));
		good = same(shadow, dev->path, buf, off, len, offset);
	}
	free(buf);
	return good ? 0 : 1;
}

/* Ends it between two requests, so that what was written is still known. */
static void on_signal(int sig)
{
	(void)sig;
	stop = true;
}

static void run_for(double seconds)
{
	__u64 end = now_ns() + seconds * 1e9;

	while (!stop && now_ns() < end)
		sleep_ns(10000000);
	stop = true;
}

int rand_verify(struct job *job)
{
	struct worker *workers, like = { .job = job };
	struct shadow shadow;
	struct device dev;

	if (!job->size)
		job->size = 4 * PIECE;
	if (!job->jobs || (!job->count && !job->seconds))
		die("rand-verify: say --count or --seconds");
	job_open(&dev, job, O_RDWR);
	if (job->size < dev.block)
		die("--size: less than a block");
	if (shadow_open(&shadow, job->shadow, job->len))
		shadow_fill(&shadow, &dev, job->offset);
	like.dev = &dev;
	like.shadow = &shadow;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	workers = alloc_array(job->jobs, sizeof(*workers));
	start_workers(workers, &like);
	if (job->seconds)
		run_for(job->seconds);
	if (join_workers(workers, job->jobs))
		return 1;
	return compare(&shadow, &dev, job->offset);
}

int compare_main(struct job *job)
{
	struct shadow shadow;
	struct device dev;
	struct stat st;

	if (stat(job->shadow, &st))
		die("%s: cannot open: %s", job->shadow, strerror(errno));
	job->len = st.st_size;
	job_open(&dev, job, O_RDONLY);
	if (shadow_open(&shadow, job->shadow, job->len))
		die("%s: empty", job->shadow);
	return compare(&shadow, &dev, job->offset);
}
