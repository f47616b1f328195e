// SPDX-License-Identifier: GPL-2.0-or-later
/* iocheck nowait: writes that must not sleep, through io_uring. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iocheck.h"

struct slot {
	void *buf;
	__u64 block;
	bool waits;		/* this is the retry, allowed to wait */
};

struct nowait {
	const struct job *job;
	struct device dev;
	struct io_uring ring;
	struct slot *slots;
	__u8 *written;		/* per block of the range */
	__u8 *busy;		/* never two writes of a block at once */
	__u64 blocks;
	struct rng rng;
	__u64 ok, again, error, retried;
};

static void send_write(struct nowait *n, struct slot *slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&n->ring);
	__u64 off = n->job->offset + slot->block * n->job->size;

	if (!sqe)
		die("io_uring: no entry left");
	io_uring_prep_write(sqe, n->dev.fd, slot->buf, n->job->size, off);
	sqe->rw_flags = slot->waits ? 0 : RWF_NOWAIT;
	io_uring_sqe_set_data(sqe, slot);
	if (io_uring_submit(&n->ring) < 0)
		die("io_uring: cannot submit");
}

static void start_write(struct nowait *n, struct slot *slot)
{
	do {
		slot->block = rng_below(&n->rng, n->blocks);
	} while (n->busy[slot->block]);
	n->busy[slot->block] = 1;
	slot->waits = false;
	pattern_fill(slot->buf, n->job->seed, n->job->offset + slot->block * n->job->size,
		     n->job->size);
	send_write(n, slot);
}

static void count_result(struct nowait *n, const struct slot *slot, int res)
{
	if (res == (int)n->job->size) {
		n->written[slot->block] = 1;
		n->ok += !slot->waits;
		n->retried += slot->waits;
	} else if (res == -EAGAIN && !slot->waits) {
		n->again++;
	} else {
		n->error++;
		say("%s: write at %llu: %s", n->dev.path,
		    n->job->offset + slot->block * n->job->size,
		    res < 0 ? strerror(-res) : "short");
	}
}

static struct slot *reap(struct nowait *n, bool *again)
{
	struct io_uring_cqe *cqe;
	struct slot *slot;
	int ret;

	ret = io_uring_wait_cqe(&n->ring, &cqe);
	if (ret < 0)
		die("io_uring: %s", strerror(-ret));
	slot = io_uring_cqe_get_data(cqe);
	count_result(n, slot, cqe->res);
	*again = cqe->res == -EAGAIN && !slot->waits;
	io_uring_cqe_seen(&n->ring, cqe);
	return slot;
}

static void run(struct nowait *n)
{
	__u64 started = 0, flying = 0;

	for (; started < n->job->depth && started < n->job->count; started++, flying++)
		start_write(n, &n->slots[started]);
	while (flying) {
		bool again;
		struct slot *slot = reap(n, &again);

		if (again && n->job->retry) {
			slot->waits = true;
			send_write(n, slot);
			continue;
		}
		n->busy[slot->block] = 0;
		if (started < n->job->count) {
			start_write(n, slot);
			started++;
		} else {
			flying--;
		}
	}
}

static bool verify(struct nowait *n)
{
	char *buf = n->slots[0].buf;

	for (__u64 b = 0; b < n->blocks; b++) {
		__u64 off = n->job->offset + b * n->job->size, bad;
		int ret;

		if (!n->written[b])
			continue;
		ret = read_full(n->dev.fd, buf, n->job->size, off);
		if (ret)
			die("%s: read at %llu: %s", n->dev.path, off, strerror(-ret));
		bad = pattern_check(buf, n->job->seed, off, n->job->size);
		if (bad != ~0ULL) {
			pattern_explain(n->dev.path, buf + (bad - off), n->job->seed, bad);
			return false;
		}
	}
	return true;
}

static void prepare(struct nowait *n, struct job *job)
{
	int ret;

	if (!job->size)
		job->size = 4096;
	if (!job->count)
		job->count = 1000;
	n->job = job;
	n->rng.state = job->seed;
	job_open(&n->dev, job, O_RDWR);
	n->blocks = job->len / job->size;
	if (job->size % n->dev.block || !job->depth || n->blocks < 2ULL * job->depth)
		die("%s: too small for %u writes of %llu bytes at once", job->path, job->depth,
		    job->size);
	n->written = alloc_array(n->blocks, 1);
	n->busy = alloc_array(n->blocks, 1);
	n->slots = alloc_array(job->depth, sizeof(*n->slots));
	for (__u32 i = 0; i < job->depth; i++)
		n->slots[i].buf = alloc_buffer(job->size);
	ret = io_uring_queue_init(job->depth, &n->ring, 0);
	if (ret)
		die("io_uring: %s", strerror(-ret));
}

int nowait_main(struct job *job)
{
	struct nowait *n = alloc_array(1, sizeof(*n));

	prepare(n, job);
	run(n);
	io_uring_queue_exit(&n->ring);
	printf("ok %llu again %llu error %llu retried %llu\n", n->ok, n->again, n->error,
	       n->retried);
	return !n->error && verify(n) ? 0 : 1;
}
