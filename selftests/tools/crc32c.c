// SPDX-License-Identifier: GPL-2.0-or-later
/* CRC32C (Castagnoli), eight bytes at a time. */
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

__u32 crc32c(__u32 state, const void *buf, size_t len)
{
	const unsigned char *p = buf;
	__u64 word;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		state = step8(state, word);
	}
	while (len--)
		state = (state >> 8) ^ table[0][(state ^ *p++) & 255];
	return state;
}
