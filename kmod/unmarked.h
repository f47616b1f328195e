/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unmarked.h - pools that failed and whose device took not even the mark of it.
 *
 * What they hold would look whole when they come up again, although their
 * sources were written unprotected meanwhile. Remembered for as long as the
 * module is loaded; what must outlast that, the event tells user space to keep.
 */
#ifndef COHORT_UNMARKED_H
#define COHORT_UNMARKED_H

#include <linux/types.h>
#include <linux/uuid.h>

/* Process context; sleeps until there is memory. */
void cohort_unmarked_add(const uuid_t *uuid);
/* Any of these from process context. */
bool cohort_unmarked_has(const uuid_t *uuid);
/* Its catalog says it now. */
void cohort_unmarked_del(const uuid_t *uuid);
/* At the module's end. */
void cohort_unmarked_exit(void);

#endif
