/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - the differences between the kernels the module is built for.
 *
 * The rest of the module is written for 6.12; what older kernels lack or name
 * otherwise is added here, and nowhere else.
 */
#ifndef COHORT_COMPAT_H
#define COHORT_COMPAT_H

#include <linux/version.h>

/* --- generic netlink --- */

#include <net/genetlink.h>

/* 6.2 split struct genl_ops: what pre_doit and a dump get to see changed. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define genl_split_ops genl_ops
#endif

/* The parsed attributes of a dump request, NULL when its policy has none. */
static inline struct nlattr *const *cohort_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_dumpit_info(cb)->info.attrs;
#endif
}

/* --- bitmaps --- */

#include <linux/bitops.h>

/* Before 6.3 those of little-endian bitmaps took numbers as int. */
static inline bool cohort_test_bit_le(unsigned long nr, const void *bits)
{
	return test_bit(nr ^ BITOP_LE_SWIZZLE, bits);
}

static inline bool cohort_test_and_set_bit_le(unsigned long nr, void *bits)
{
	return test_and_set_bit(nr ^ BITOP_LE_SWIZZLE, bits);
}

/* --- device-mapper and block --- */

#include <linux/blkdev.h>
#include <linux/device-mapper.h>

/* 6.5 gave modes of block devices a type of their own. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define COHORT_OPEN_READ FMODE_READ
#define COHORT_OPEN_WRITE FMODE_WRITE
#else
#define COHORT_OPEN_READ BLK_OPEN_READ
#define COHORT_OPEN_WRITE BLK_OPEN_WRITE
#endif

/* 6.11 moved stable writes from the target to the queue limits. */
static inline void cohort_want_stable_writes(struct dm_target *ti, struct queue_limits *limits)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
	ti->needs_stable_writes = true;
#else
	limits->features |= BLK_FEAT_STABLE_WRITES;
#endif
}

/* 6.10 tells what the hardware takes from what the administrator allows. */
static inline void cohort_cap_discard(struct queue_limits *limits, unsigned int sectors)
{
	limits->max_discard_sectors = min(limits->max_discard_sectors, sectors);
	limits->max_hw_discard_sectors = min(limits->max_hw_discard_sectors, sectors);
}

#endif
