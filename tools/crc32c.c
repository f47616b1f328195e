// SPDX-License-Identifier: GPL-2.0-or-later
/* CRC32C (Castagnoli), eight bytes at a time, with the CPU's own instruction where there is one. */
#include <stdbool.h>
#include <string.h>

#include "crc32c.h"

#define POLY 0x82f63b78u	/* bit-reversed */

static __u32 table[8][256];

static void __attribute__((constructor)) fill_tables(void)
{
	for (__u32 i = 0; i < 256; i++) {
		__u32 c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? (c >> 1) ^ POLY : c >> 1;
		table[0][i] = c;
	}
	for (int t = 1; t < 8; t++)
		for (int i = 0; i < 256; i++)
			table[t][i] = (table[t - 1][i] >> 8) ^ table[0][table[t - 1][i] & 255];
}

static __u32 step8(__u32 state, __u64 word)
{
	word ^= state;
	return table[7][word & 255] ^ table[6][word >> 8 & 255] ^
	       table[5][word >> 16 & 255] ^ table[4][word >> 24 & 255] ^
	       table[3][word >> 32 & 255] ^ table[2][word >> 40 & 255] ^
	       table[1][word >> 48 & 255] ^ table[0][word >> 56];
}

static __u32 table_steps(__u32 state, const unsigned char *p, size_t words)
{
	__u64 word;

	for (; words; words--, p += 8) {
		memcpy(&word, p, 8);
		state = step8(state, word);
	}
	return state;
}

#ifdef __x86_64__
static bool has_step(void)
{
	return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2")))
static __u32 cpu_steps(__u32 state, const unsigned char *p, size_t words)
{
	__u64 word, crc = state;

	for (; words; words--, p += 8) {
		memcpy(&word, p, 8);
		crc = __builtin_ia32_crc32di(crc, word);
	}
	return crc;
}
#else
static bool has_step(void)
{
	return false;
}

#define cpu_steps table_steps
#endif

__u32 crc32c(__u32 state, const void *buf, size_t len)
{
	const unsigned char *p = buf;
	size_t words = len / 8;

	state = has_step() ? cpu_steps(state, p, words) : table_steps(state, p, words);
	for (p += words * 8, len %= 8; len; len--)
		state = (state >> 8) ^ table[0][(state ^ *p++) & 255];
	return state;
}
