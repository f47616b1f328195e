// SPDX-License-Identifier: GPL-2.0-or-later
/* iocheck: the seeded block pattern, and hashes of what a device holds. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../tools/crc32c.h"
#include "iocheck.h"

#define PIECE (1024 * 1024)
#define WORDS (SECTOR / 8)

/* A sector names itself in its first two words, so that a wrong one can be explained. */
static void fill_sector(__u64 *words, __u64 seed, __u64 lba)
{
	__u64 key = mix64(seed ^ mix64(lba));

	words[0] = lba;
	words[1] = seed;
	for (int i = 2; i < WORDS; i++)
		words[i] = key ^ (key >> 31) * i;
}

void pattern_fill(void *buf, __u64 seed, __u64 off, __u64 len)
{
	for (__u64 i = 0; i < len; i += SECTOR)
		fill_sector((__u64 *)((char *)buf + i), seed, (off + i) / SECTOR);
}

__u64 pattern_check(const void *buf, __u64 seed, __u64 off, __u64 len)
{
	__u64 want[WORDS];

	for (__u64 i = 0; i < len; i += SECTOR) {
		fill_sector(want, seed, (off + i) / SECTOR);
		if (memcmp((const char *)buf + i, want, SECTOR))
			return off + i;
	}
	return ~0ULL;
}

void pattern_explain(const char *path, const void *sector, __u64 seed, __u64 off)
{
	__u64 words[WORDS], want[WORDS];

	memcpy(words, sector, SECTOR);
	fill_sector(want, words[1], words[0]);
	if (!memcmp(words, want, SECTOR))
		say("%s: sector %llu should be of seed %llu, but is sector %llu of seed %llu", path,
		    off / SECTOR, seed, words[0], words[1]);
	else
		say("%s: sector %llu should be of seed %llu, but begins %016llx %016llx", path,
		    off / SECTOR, seed, words[0], words[1]);
}

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
