/* SPDX-License-Identifier: GPL-2.0-only */
/* defs.h - words every file of the module shares: limits, forward declarations, error texts. */
#ifndef COHORT_DEFS_H
#define COHORT_DEFS_H

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/printk.h>
#include <uapi/linux/cohort.h>

#define COHORT_VERSION		"0.1.0"
#define DM_MSG_PREFIX		"cohort"

/* Eras of one source that may wait for their seal at a time. */
#define COHORT_MAX_ERAS		4
/* Bytes of old chunks one source may have between read and log write. */
#define COHORT_PRESERVE_BUDGET	(4u << 20)
/* Epochs reserved by one superblock write. */
#define COHORT_EPOCH_RESERVE	4096

struct cohort_copy;
struct cohort_era;
struct cohort_group;
struct cohort_index;
struct cohort_job;
struct cohort_log;
struct cohort_pool;
struct cohort_rel;
struct cohort_source;

/*
 * Words for a refusal. Layers below netlink and the targets fill it in; those
 * two carry it to extack, or to the kernel log.
 */
struct cohort_words {
	char text[192];
	u16 attr;		/* attribute of the request they are about, 0: its name */
	u16 member;		/* from 1: that member of the request's list instead */
};

/* Sets the words and returns @err, so that a refusal is one statement. */
__printf(3, 4)
int cohort_refuse(struct cohort_words *words, int err, const char *fmt, ...);
/* The same about COHORT_A_… @attr of the request. */
__printf(4, 5)
int cohort_refuse_attr(struct cohort_words *words, int err, u16 attr, const char *fmt, ...);
/* The same about the member at @index, from 0, of the request's list. */
__printf(4, 5)
int cohort_refuse_member(struct cohort_words *words, int err, u32 index, const char *fmt, ...);

#endif
