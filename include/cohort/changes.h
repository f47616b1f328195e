/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* changes.h - the extents that differ between two cuts, or a cut and now */
#ifndef COHORT_CHANGES_H
#define COHORT_CHANGES_H

#ifndef COHORT_COHORT_H
#error "include <cohort/cohort.h>"
#endif

/* --------------------------------------------------------------- changes */

/** struct cohort_diff - a walk over the extents that differ between two cuts */
struct cohort_diff;

/**
 * cohort_diff_new - compare a source at two cuts, or at a cut and now
 * @ctx: context, kept until cohort_diff_free()
 * @relationship: a snapshot that has a cut of @source
 * @other: another one, older or younger; NULL: compare with the source as it is
 * @source: a member of both
 * @ret: the walk, cohort_diff_free()
 *
 * Two cuts are compared as they were, whatever is written meanwhile, before and
 * after a restart or a crash of the machine. "Now" is each extent's own now: a
 * write that ends while the walk is under way may be found or not. To carry on
 * from a comparison, take the younger cut first and compare cuts.
 *
 * 5: no such relationship or source, or one of them is not in the other, or
 * has no cut that can be read (not Synchronized). Reads nothing from a disk.
 * Source: cohort's own; CIM has no such method. Since: 0.1
 */
int cohort_diff_new(struct cohort *ctx, const char *relationship, const char *other,
		    const char *source, struct cohort_diff **ret);

/**
 * cohort_diff_next - the next extent that differs
 * @diff: a walk
 * @offset: bytes from the start of the source
 * @length: bytes; 0: there are no more
 *
 * Ascending, no two adjacent, in whole chunks of the pool but for the end of
 * the source. Outside of the extents both sides are the same, byte for byte;
 * inside something was written, the same bytes perhaps. 4: a cut went while it was
 * compared; 5, errno ESTALE: one was made anew under its name. Since: 0.1
 */
int cohort_diff_next(struct cohort_diff *diff, uint64_t *offset, uint64_t *length);

/** cohort_diff_free - end a walk; NULL is allowed */
void cohort_diff_free(struct cohort_diff *diff);

#endif /* COHORT_CHANGES_H */
