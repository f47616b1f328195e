// SPDX-License-Identifier: GPL-2.0-or-later
/* iocheck mmap-write, mmap-check: pages that change while they are written back. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iocheck.h"

#define PAGE 4096
#define WORDS (PAGE / 8)

/*
 * Every store of a page takes the next value and fills the page with it, word by
 * word upwards. Whatever instant of the page reaches the disk is then "new value
 * up to some word, the value before behind it": more steps, or a value that did
 * not exist when the bound was taken, mean that the page changed under the I/O.
 */
struct changer {
	atomic_ullong *newest;
	atomic_ullong *pages;
	__u64 count;
	__u32 first, step;	/* its pages: first, first + step ... */
	struct rng rng;
	pthread_t thread;
};

static atomic_bool stop;

static atomic_ullong *map_state(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0644);
	void *p;

	if (fd < 0 || (flags && ftruncate(fd, PAGE)))
		die("%s: cannot open: %s", path, strerror(errno));
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("%s: cannot map: %s", path, strerror(errno));
	close(fd);
	return p;
}

static void *change_pages(void *arg)
{
	struct changer *c = arg;
	__u64 mine = (c->count - c->first + c->step - 1) / c->step;

	while (!stop) {
		__u64 page = c->first + rng_below(&c->rng, mine) * c->step;
		__u64 value = ++*c->newest;

		for (int i = 0; i < WORDS; i++)
			atomic_store_explicit(&c->pages[page * WORDS + i], value,
					      memory_order_release);
	}
	return NULL;
}

/* Starts writeback all the time, and now and then waits for it, as databases do. */
static void write_back(const struct device *dev, double seconds)
{
	__u64 end = now_ns() + seconds * 1e9;

	for (unsigned int n = 0; now_ns() < end; n++) {
		int ret = n % 8 ? sync_file_range(dev->fd, 0, 0, SYNC_FILE_RANGE_WRITE) :
				  fdatasync(dev->fd);

		if (ret)
			die("%s: writeback: %s", dev->path, strerror(errno));
		sleep_ns(1000000);
	}
}

static void start_changers(struct changer *changers, const struct job *job,
			   const struct changer *like)
{
	for (__u32 i = 0; i < job->jobs; i++) {
		changers[i] = *like;
		changers[i].first = i;
		changers[i].step = job->jobs;
		changers[i].rng.state = mix64(job->seed) + i;
		if (pthread_create(&changers[i].thread, NULL, change_pages, &changers[i]))
			die("cannot start a thread");
	}
}

/* The cache is what this is about, so the device is opened without O_DIRECT. */
static atomic_ullong *map_device(struct device *dev, struct job *job)
{
	void *p;

	job_open(dev, job, O_RDWR);
	if (fcntl(dev->fd, F_SETFL, fcntl(dev->fd, F_GETFL) & ~O_DIRECT))
		die("%s: cannot leave O_DIRECT: %s", dev->path, strerror(errno));
	job->len -= job->len % PAGE;
	if (job->len / PAGE < job->jobs || !job->jobs)
		die("%s: too small for %u jobs", dev->path, job->jobs);
	p = mmap(NULL, job->len, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, 0);
	if (p == MAP_FAILED)
		die("%s: cannot map: %s", dev->path, strerror(errno));
	memset(p, 0, job->len);
	if (fdatasync(dev->fd))
		die("%s: flush: %s", dev->path, strerror(errno));
	return p;
}

int mmap_write(struct job *job)
{
	struct changer *changers, like = { 0 };
	struct device dev;

	if (!job->len)
		job->len = 16ULL * 1024 * 1024;
	like.pages = map_device(&dev, job);
	like.count = job->len / PAGE;
	like.newest = map_state(job->state, O_CREAT | O_TRUNC);
	changers = alloc_array(job->jobs, sizeof(*changers));
	start_changers(changers, job, &like);
	write_back(&dev, job->seconds);
	stop = true;
	for (__u32 i = 0; i < job->jobs; i++)
		pthread_join(changers[i].thread, NULL);
	if (fdatasync(dev.fd))
		die("%s: flush: %s", dev.path, strerror(errno));
	printf("iocheck: %llu pages changed\n", *like.newest);
	return 0;
}

int bounds_main(struct job *job)
{
	printf("%llu\n", *map_state(job->path, 0));
	return 0;
}

static bool page_good(const char *path, const __u64 *words, __u64 page, __u64 after)
{
	unsigned int steps = 0;

	for (int i = 0; i < WORDS; i++) {
		if (words[i] > after) {
			say("%s: page %llu holds %llu, stored after the return (newest then: %llu)",
			    path, page, words[i], after);
			return false;
		}
		if (!i || words[i] == words[i - 1])
			continue;
		steps++;
		if (words[i] > words[i - 1] || steps > 1) {
			say("%s: page %llu changed while it was written", path, page);
			return false;
		}
	}
	return true;
}

int mmap_check(struct job *job)
{
	__u64 *words = alloc_buffer(PAGE), stored = 0;
	struct device dev;
	bool good = true;

	if (!job->len)
		job->len = 16ULL * 1024 * 1024;
	job_open(&dev, job, O_RDONLY);
	for (__u64 page = 0; page < job->len / PAGE; page++) {
		int ret = read_full(dev.fd, words, PAGE, page * PAGE);

		if (ret)
			die("%s: read at %llu: %s", dev.path, page * PAGE, strerror(-ret));
		good &= page_good(dev.path, words, page, job->after);
		stored += !!words[0];
	}
	printf("iocheck: %llu of %llu pages hold a value\n", stored, job->len / PAGE);
	if (!stored)
		die("%s: never written", dev.path);
	return good ? 0 : 1;
}
