/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz.h - what the fuzz targets share: taking values from the input, and promises to be kept. */
#ifndef SELFTESTS_FUZZ_H
#define SELFTESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

/* Zeroes behind the end. */
static inline uint64_t take(struct input *in, unsigned int bytes)
{
	uint64_t value = 0;

	for (; bytes && in->left; bytes--, in->left--)
		value = value << 8 | *in->data++;
	return value;
}

/* Fills @buf as far as there is something left. */
static inline void take_bytes(struct input *in, void *buf, size_t len)
{
	size_t n = len < in->left ? len : in->left;

	memcpy(buf, in->data, n);
	in->data += n;
	in->left -= n;
}

/* Behind a decoder that said yes. */
#define PROMISED(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "not kept: %s\n", #condition); \
			abort(); \
		} \
	} while (0)

#endif
