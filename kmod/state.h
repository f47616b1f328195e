/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * state.h - which operation is legal in which copy state, and where it leads.
 *
 * One const table answers the module, which enforces it, and the library,
 * which answers the capability queries from it. Pure: no allocation, no
 * sleeping, no locks; callable from any context, in the kernel and in user
 * space. All numbers are those of <linux/cohort.h>.
 */
#ifndef COHORT_STATE_H
#define COHORT_STATE_H

#include "portable.h"

/* In place of an operation: the relationship is being made. */
#define COHORT_STATE_CREATE	0u
/* In place of a copy state: there is no relationship, before or after. */
#define COHORT_STATE_NONE	0u

/*
 * One legal move. A WaitForCopyState is legal when it is the end state of a
 * move of that operation.
 */
struct cohort_state_move {
	u8	sync_type;
	u8	operation;	/* or COHORT_STATE_CREATE */
	u8	from;		/* or COHORT_STATE_NONE */
	u8	to;		/* end state, or COHORT_STATE_NONE */
	u8	progress;	/* ProgressStatus while it runs */
	u8	force;		/* legal only with Force */
	u8	controlled_by;	/* CIM ServiceControlling */
};

/* A copy state that relationships of a type can be in. */
struct cohort_state_info {
	u8	sync_type;
	u8	state;
	u8	accessible;	/* the host can use the targets */
	u8	in_flight;	/* nothing can be asked of it until it ends */
};

/*
 * Whether @operation may be asked of a relationship of @sync_type in @state.
 *
 * 0, with the move in *@move: legal. -EOPNOTSUPP: no relationship of the type
 * ever knows the operation, or the type itself is not known. -EINVAL: not in
 * this state, not without force, or a number CIM reserves. -EBUSY: something
 * is in flight, ask again. *@why has the words of a refusal; @move and @why
 * may be NULL.
 */
int cohort_state_operation_legal(u32 sync_type, u32 state, u32 operation, bool force,
				 const struct cohort_state_move **move, const char **why);

/*
 * Whether @wait is a legal WaitForCopyState of @operation, or of creation
 * (COHORT_STATE_CREATE), with the state being @from where that is known
 * (COHORT_STATE_NONE: in any). 0, -EINVAL, or -EOPNOTSUPP: the type is not known.
 */
int cohort_state_wait_legal(u32 sync_type, u32 operation, u32 from, u32 wait);

/* The tables by index, NULL behind the last entry. */
const struct cohort_state_move *cohort_state_move_at(size_t index);
const struct cohort_state_info *cohort_state_info_at(size_t index);

/* Whether relationships of this type can be made. */
bool cohort_state_type_known(u32 sync_type);

/* CIM names of values; NULL for a number that has none. */
const char *cohort_state_copy_name(u32 copy_state);
const char *cohort_state_progress_name(u32 progress_status);
const char *cohort_state_operation_name(u32 operation);
const char *cohort_state_job_name(u32 job_state);

#endif
