/* SPDX-License-Identifier: GPL-2.0-only */
/* claim.h - which disks are somebody's: a pool's, a source's, or the target of a clone. */
#ifndef COHORT_CLAIM_H
#define COHORT_CLAIM_H

#include "defs.h"

/*
 * device-mapper lets a disk be in as many of its tables as one likes. 0, or -EINVAL,
 * -EBUSY with words about @attr of a request (0: none) if @dev is in use by anybody but @source
 * and @copy, either of which may be NULL. Caller holds cohort_lock.
 */
int cohort_claim_check(dev_t dev, const char *source, const struct cohort_copy *copy, u16 attr,
		       struct cohort_words *words);

#endif
