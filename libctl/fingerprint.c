// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * fingerprint.c - tells whether a disk was written since it was seen last
 *
 * Eight CRC32Cs over the places that almost every write of a system touches:
 * the first mebibyte (partition tables, LVM, most superblocks), the end (GPT,
 * MD), the other places of file systems' superblocks, and 256 blocks spread
 * over the rest, at places that only the size of the disk decides.
 *
 * What it can not tell: a write that touched none of these and a write that
 * left the same bytes there. A raw database that changed one block in the
 * middle is found with a chance of one in (size / 1 MiB) only. It is a check
 * against mistakes, not against malice.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define BLOCK 4096u
#define HEAD (1u << 20)
#define TAIL (64u << 10)
#define SAMPLES 256u

enum lane { LANE_START, LANE_HEAD, LANE_TAIL, LANE_PLACES, LANE_SAMPLES, LANES = 8 };

/* Where superblocks and their first copies lie beyond the first mebibyte. */
static const uint64_t places[] = {
	8193ull << 10,		/* ext, 1 KiB blocks: copy in group 1 */
	16385ull << 11,		/* ext, 2 KiB blocks */
	32768ull << 12,		/* ext, 4 KiB blocks */
	64ull << 20,		/* btrfs copy 1 */
	256ull << 30,		/* btrfs copy 2 */
	2ull << 20,		/* bcachefs and others start here, partitions too */
};

struct sampler {
	int fd;
	uint64_t blocks;	/* whole blocks of the disk */
	uint8_t *buf;		/* HEAD bytes, aligned */
	uint32_t crc[LANES];
};

static uint32_t crc_table[256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_init(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = (c >> 1) ^ (0x82f63b78u & -(c & 1));
		crc_table[i] = c;
	}
}

/* Megabytes are read: the bit by bit version that small structures use is too slow. */
static uint32_t crc32c(uint32_t crc, const uint8_t *p, size_t len)
{
	while (len--)
		crc = (crc >> 8) ^ crc_table[(crc ^ *p++) & 0xff];
	return crc;
}

/* splitmix64: the same places on every machine. */
static uint64_t scatter(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static int sample(struct sampler *s, unsigned int lane, uint64_t offset, size_t len)
{
	int err = device_read(s->fd, s->buf, len, offset);

	if (!err)
		s->crc[lane] = crc32c(s->crc[lane], s->buf, len);
	return err;
}

static int sample_head(struct sampler *s, uint64_t size)
{
	const uint64_t head = size < HEAD ? size : HEAD;
	const size_t start = head < TAIL ? head : TAIL;
	int err = sample(s, LANE_START, 0, start);

	if (!err && head > start)
		err = sample(s, LANE_HEAD, start, head - start);
	return err;
}

/* From a block's start, so that direct I/O takes it, to the very end. */
static int sample_tail(struct sampler *s, uint64_t size)
{
	const uint64_t from = size > TAIL ? (size - TAIL) / BLOCK * BLOCK : 0;

	return sample(s, LANE_TAIL, from, size - from);
}

static int sample_places(struct sampler *s)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(places); i++) {
		const uint64_t block = places[i] / BLOCK;

		if (block < s->blocks)
			err = sample(s, LANE_PLACES, block * BLOCK, BLOCK);
	}
	return err;
}

static int sample_scattered(struct sampler *s)
{
	uint64_t state = s->blocks;
	int err = 0;

	for (unsigned int i = 0; !err && s->blocks && i < SAMPLES; i++)
		err = sample(s, LANE_SAMPLES + i % (LANES - LANE_SAMPLES),
			     scatter(&state) % s->blocks * BLOCK, BLOCK);
	return err;
}

int fingerprint_compute(int fd, uint64_t size, uint8_t fingerprint[COHORT_FINGERPRINT_LEN])
{
	struct sampler s = { .fd = fd, .blocks = size / BLOCK };
	void *buf;
	int err;

	pthread_once(&crc_once, crc_init);
	memset(s.crc, 0xff, sizeof(s.crc));
	/* the tail may begin most of a block early */
	if (posix_memalign(&buf, BLOCK, HEAD + BLOCK))
		return -ENOMEM;
	s.buf = buf;
	err = sample_head(&s, size);
	if (!err)
		err = sample_tail(&s, size);
	if (!err)
		err = sample_places(&s);
	if (!err)
		err = sample_scattered(&s);
	free(buf);
	for (unsigned int i = 0; i < LANES; i++)
		for (unsigned int byte = 0; byte < 4; byte++)
			fingerprint[i * 4 + byte] = (uint8_t)(s.crc[i] >> (8 * byte));
	return err;
}
