/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashlab-clone.h - a clone whose copying was recorded: what it must be, what is known of it. */
#ifndef SELFTESTS_CRASHLAB_CLONE_H
#define SELFTESTS_CRASHLAB_CLONE_H

#include "clone-plan.h"
#include "crashlab.h"

/* Of each sector the newest write that counts (plan_order()), or 0. */
struct clone_member {
	__u8 *was;			/* its target, before it began */
	__u8 *cut;
	__u8 *expect;			/* what must be read of it at the point that is judged */
	__u64 *flushed;			/* by a flush that was acknowledged */
	__u64 *acked;			/* itself */
	/* of each thread in this run, up to here */
	__u32 run;
	__u32 nr_flushed[PLAN_THREADS];
	__u32 nr_acked[PLAN_THREADS];
	__u32 nr_issued[PLAN_THREADS];
};

struct clone {
	char name[LAB_NAME];
	__u32 number;			/* of its name; 0: there was none yet */
	enum told told;
	bool suspended;
	bool resumed;
	bool synchronized;
	bool forced;			/* its end: its targets are what they happen to be */
	bool over;			/* its targets are something else's */
	bool there;			/* in the catalog, at the point that is judged */
	__u32 state;			/* of it there */
	struct clone_member member[RECORDING_DISKS];
};

extern struct clone clone_now;

/* The number that those 512 bytes have when they were written to @sector; 0: none. */
__u64 clone_seed_of(const __u8 *data, __u64 sector);

#endif
