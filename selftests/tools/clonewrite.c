// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * clonewrite: writes numbered data to odd places of a device until it is told to stop.
 *
 *	clonewrite DEV MARKS RUN MEMBER PAUSE_MS FLUSH_EVERY
 *
 * The places are those of clone-plan.h. One of FLUSH_EVERY writes is flushed, with all before
 * it, or is written with FUA alone; 0: none is. What has been acknowledged of that is written
 * to MARKS: "flushed:RUN.MEMBER.THREAD.N" or "fua:RUN.MEMBER.THREAD.N". SIGTERM ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clone-plan.h"
#include "iocheck.h"

#define BYTES_MAX (64 << 10)
#define MS 1000000ull

static struct {
	struct device dev, marks;
	__u32 run, member, every;
	__u64 pause;
	atomic_bool stop;
} writer;

static void on_term(int sig)
{
	(void)sig;
	writer.stop = true;
}

static void mark(const char *word, __u32 thread, __u32 n)
{
	char *text = alloc_buffer(SECTOR);

	snprintf(text, SECTOR, "%s:%u.%u.%u.%u", word, writer.run, writer.member, thread, n);
	if (write_full(writer.marks.fd, text, SECTOR, (thread + 1) * SECTOR))
		die("%s: no mark", writer.marks.path);
	free(text);
}

static void put(const struct plan_place *place, void *buf, int flags)
{
	const struct iovec iov = { .iov_base = buf, .iov_len = place->count * SECTOR };

	if (pwritev2(writer.dev.fd, &iov, 1, place->sector * SECTOR, flags) !=
	    (ssize_t)iov.iov_len)
		die("%s: write at %llu: %s", writer.dev.path, place->sector * SECTOR,
		    strerror(errno));
}

static void write_one(__u32 thread, __u32 n, void *buf)
{
	const __u64 seed = plan_seed(writer.run, writer.member, thread, n);
	const struct plan_place place = plan_place(seed, writer.dev.size / SECTOR);
	const __u64 turn = writer.every ? mix64(~seed) % (2 * writer.every) : ~0ull;

	pattern_fill(buf, seed, place.sector * SECTOR, place.count * SECTOR);
	put(&place, buf, turn == 1 ? RWF_DSYNC : 0);
	if (turn == 1)
		mark("fua", thread, n);
	if (turn)
		return;
	if (fdatasync(writer.dev.fd))
		die("%s: flush: %s", writer.dev.path, strerror(errno));
	mark("flushed", thread, n);
}

static void *write_all(void *arg)
{
	const __u32 thread = *(__u32 *)arg;
	void *buf = alloc_buffer(BYTES_MAX);

	for (__u32 n = 1; !writer.stop; n++) {
		write_one(thread, n, buf);
		sleep_ns(writer.pause);
	}
	free(buf);
	return NULL;
}

int main(int argc, char **argv)
{
	__u32 number[PLAN_THREADS];
	pthread_t thread[PLAN_THREADS];

	tool = "clonewrite";
	if (argc != 7)
		die("usage: clonewrite DEV MARKS RUN MEMBER PAUSE_MS FLUSH_EVERY");
	device_open(&writer.dev, argv[1], O_RDWR);
	device_open(&writer.marks, argv[2], O_RDWR);
	writer.run = parse_number("RUN", argv[3]);
	writer.member = parse_number("MEMBER", argv[4]);
	writer.pause = parse_number("PAUSE_MS", argv[5]) * MS;
	writer.every = parse_number("FLUSH_EVERY", argv[6]);
	signal(SIGTERM, on_term);
	for (__u32 i = 0; i < PLAN_THREADS; i++) {
		number[i] = i;
		if (pthread_create(&thread[i], NULL, write_all, &number[i]))
			die("no thread");
	}
	for (int i = 0; i < PLAN_THREADS; i++)
		pthread_join(thread[i], NULL);
	device_close(&writer.dev);
	device_close(&writer.marks);
	return 0;
}
