/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/* portable.h - lets the pure files of this directory build in the kernel and in user space. */
#ifndef COHORT_PORTABLE_H
#define COHORT_PORTABLE_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/overflow.h>
#include <linux/limits.h>

/* CRC32C of @len bytes at @data, continued from @seed. */
static inline u32 cohort_crc32c(u32 seed, const void *data, size_t len)
{
	return crc32c(seed, data, len);
}

#else /* user space */

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define cpu_to_le16(x) ((__le16)htole16(x))
#define cpu_to_le32(x) ((__le32)htole32(x))
#define cpu_to_le64(x) ((__le64)htole64(x))
#define le16_to_cpu(x) le16toh((uint16_t)(x))
#define le32_to_cpu(x) le32toh((uint32_t)(x))
#define le64_to_cpu(x) le64toh((uint64_t)(x))
#ifndef EUCLEAN
#define EUCLEAN 117
#endif
#ifndef __packed
#define __packed __attribute__((packed))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif
#ifndef U64_MAX
#define U64_MAX UINT64_MAX
#endif
#ifndef U32_MAX
#define U32_MAX UINT32_MAX
#endif

#ifdef COHORT_FAST_CRC32C	/* who reads gigabytes brings one */
u32 cohort_crc32c(u32 seed, const void *data, size_t len);
#else
/* CRC32C of @len bytes at @data, continued from @seed. */
static inline u32 cohort_crc32c(u32 seed, const void *data, size_t len)
{
	const u8 *p = data;
	u32 crc = seed;
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0x82f63b78 & -(crc & 1));
	}
	return crc;
}
#endif

#endif /* __KERNEL__ */

#endif
