// SPDX-License-Identifier: GPL-2.0-only
/* epoch.c - the one word every write reads, and the lock of those who change it. */
#include <linux/cache.h>
#include "epoch.h"

u64 cohort_epoch ____cacheline_aligned_in_smp = 1;
/* serialises flips, protects eras and live cuts; epoch.h says how */
DEFINE_MUTEX(cohort_cut_mutex);

void cohort_epoch_raise(u64 epoch)
{
	mutex_lock(&cohort_cut_mutex);
	if (cohort_epoch < epoch) {
		/* nothing was published for it: any order would do */
		smp_store_release(&cohort_epoch, epoch);
	}
	mutex_unlock(&cohort_cut_mutex);
}
