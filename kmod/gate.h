/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate.h - holds the writes of a group while somebody else takes images of its members.
 *
 * The images are one consistent point if each was taken while the writes of all
 * members were held: a write that misses one of them, as it was under way, ends
 * after the last gate was closed, so what follows it waits until all images are
 * taken. Nothing is drained and reads go on. It says nothing when the hold did not
 * last: the lease ends by itself, in the kernel, and the owner is told.
 */
#ifndef COHORT_GATE_H
#define COHORT_GATE_H

#include <linux/types.h>
#include "defs.h"

struct cohort_volume;

/*
 * Closes the gate of each member of the group; behind it no write begins. @owner is
 * the netlink port that may open it. 0 with its id, or a negative errno with words:
 * -ENOENT, -ENODEV a member is not attached, -EBUSY one is gated or suspended. Caller holds
 * cohort_lock; waits for a grace period. Pairs with one of the next two.
 */
int cohort_gate_close(const char *group, u32 lease_ms, u32 owner, u32 *id,
		      struct cohort_words *words);
/*
 * Opens it. 0 when it held until now, all the @held_ns; -ETIMEDOUT or -ECANCELED with words when
 * it was lost; -ENOENT. May sleep; takes no cohort_lock.
 */
int cohort_gate_open(u32 id, u32 owner, u64 *held_ns, struct cohort_words *words);
/* Opens all gates of an owner that is no more. May sleep. */
void cohort_gate_owner_gone(u32 owner);
/* Those that are left when nobody can ask any more. May sleep. */
void cohort_gate_exit(void);

/*
 * A volume is about to be suspended: its gate, if there is one, is lost, and none
 * can be closed until the other is called. Any context.
 */
void cohort_gate_suspend(struct cohort_volume *vol);
void cohort_gate_resume(struct cohort_volume *vol);
/* A write goes on that a gate held whose lease was to end at @until. Any context. */
void cohort_gate_passed(u64 until);

struct cohort_gate_counts {
	u64 closed;
	u64 lost;
	u64 overrun_ns;			/* longest time a write was held beyond a lease */
};

void cohort_gate_count(struct cohort_gate_counts *counts);

#endif
