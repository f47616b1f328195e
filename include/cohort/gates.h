/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gates.h - holds the writes of a group while somebody else takes images of it */
#ifndef COHORT_GATES_H
#define COHORT_GATES_H

#ifndef COHORT_COHORT_H
#error "include <cohort/cohort.h>"
#endif

/* ----------------------------------------------------------------- gates */

/**
 * cohort_gate_close - hold the writes of a group while somebody else takes images
 * @ctx: context; its socket owns the gate: if that closes, the gate opens
 * @replication_group: name of a group of attached sources
 * @lease_ms: 1 to COHORT_LEASE_MAX milliseconds after which it opens by itself
 * @gate: its number, for cohort_gate_open()
 *
 * When it returns, no write to a member begins until the gate is opened; those that
 * had begun go on, and so do reads. Images taken of the disks below the
 * members, by whatever means, before cohort_gate_open() are one instant if that
 * returns 0. A write that must not wait is refused (EAGAIN), a discard is answered and
 * not done. The caller must write to no member meanwhile, nor wait for who does.
 *
 * 6: a member is gated already, or suspended. 5: no such group, a member is not attached, or no
 * such lease. Source: cohort's own; CIM has no such method. Since: 0.1
 */
int cohort_gate_close(struct cohort *ctx, const char *replication_group, uint32_t lease_ms,
		      uint32_t *gate);

/**
 * cohort_gate_open - let the writes go on
 * @ctx: the context that closed it
 * @gate: its number
 * @held_ns: may be NULL: nanoseconds for which writes were held at most
 *
 * 0: all writes were held until now. 3, errno ETIMEDOUT: the lease had ended; 4, ECANCELED:
 * a member was suspended: what was taken meanwhile is not consistent. 5: this
 * context has no such gate. 4, ENOMEM: nobody can say whether it held to the end; ask once
 * more, for it may hold until its lease is over. Since: 0.1
 */
int cohort_gate_open(struct cohort *ctx, uint32_t gate, uint64_t *held_ns);

#endif
