// SPDX-License-Identifier: GPL-2.0-or-later
/* pattern.c - the seeded block pattern: what stands where under a seed */
#include <string.h>

#include "iocheck.h"

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
