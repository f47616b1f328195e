/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRC32C (Castagnoli), eight bytes at a time. */
#ifndef COHORTCTL_CRC32C_H
#define COHORTCTL_CRC32C_H

#include <linux/types.h>
#include <stddef.h>

/*
 * Raw state, without the inversions: crc32c(crc32c(s, a), b) is the state over
 * ab, so that a common prefix is summed once. Start with ~0.
 */
__u32 crc32c(__u32 state, const void *buf, size_t len);

#endif
