// SPDX-License-Identifier: GPL-2.0-or-later
/* iocheck: writes and verifies the seeded block pattern, and hashes of what a device holds. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../tools/crc32c.h"
#include "iocheck.h"

#define PIECE (1024 * 1024)

static __u64 piece_len(const struct job *job, __u64 done)
{
	return job->len - done < PIECE ? job->len - done : PIECE;
}

int pattern_write(struct job *job)
{
	void *buf = alloc_buffer(PIECE);
	struct device dev;
	int ret;

	job_open(&dev, job, O_RDWR);
	for (__u64 done = 0; done < job->len; done += PIECE) {
		__u64 off = job->offset + done;

		pattern_fill(buf, job->seed, off, piece_len(job, done));
		ret = write_full(dev.fd, buf, piece_len(job, done), off);
		if (ret)
			die("%s: write at %llu: %s", dev.path, off, strerror(-ret));
	}
	if (fsync(dev.fd))
		die("%s: flush: %s", dev.path, strerror(errno));
	device_close(&dev);
	free(buf);
	return 0;
}

int pattern_verify(struct job *job)
{
	char *buf = alloc_buffer(PIECE);
	struct device dev;
	int ret;

	job_open(&dev, job, O_RDONLY);
	for (__u64 done = 0; done < job->len; done += PIECE) {
		__u64 off = job->offset + done, bad;

		ret = read_full(dev.fd, buf, piece_len(job, done), off);
		if (ret)
			die("%s: read at %llu: %s", dev.path, off, strerror(-ret));
		bad = pattern_check(buf, job->seed, off, piece_len(job, done));
		if (bad != ~0ULL) {
			pattern_explain(dev.path, buf + (bad - off), job->seed, bad);
			return 1;
		}
	}
	device_close(&dev);
	free(buf);
	return 0;
}

int hash_main(struct job *job)
{
	char *buf = alloc_buffer(PIECE);
	struct device dev;
	__u32 crc = ~0u;
	__u64 sum = 0;
	int ret;

	job_open(&dev, job, O_RDONLY);
	for (__u64 done = 0; done < job->len; done += PIECE) {
		__u64 len = piece_len(job, done);

		ret = read_full(dev.fd, buf, len, job->offset + done);
		if (ret)
			die("%s: read at %llu: %s", dev.path, job->offset + done, strerror(-ret));
		crc = crc32c(crc, buf, len);
		for (__u64 i = 0; i < len / 8; i++)
			sum = mix64(sum ^ ((__u64 *)buf)[i]);
	}
	printf("%08x-%016llx %llu\n", ~crc, sum, job->len);
	device_close(&dev);
	free(buf);
	return 0;
}
