/* SPDX-License-Identifier: GPL-2.0-only */
/* target.h - the four device-mapper targets, and what their constructors share. */
#ifndef COHORT_TARGET_H
#define COHORT_TARGET_H

#include "args.h"
#include "compat.h"
#include "defs.h"

int cohort_target_pool_init(void);
void cohort_target_pool_exit(void);
int cohort_target_source_init(void);
void cohort_target_source_exit(void);
int cohort_target_replica_init(void);
void cohort_target_replica_exit(void);
int cohort_target_clone_init(void);
void cohort_target_clone_exit(void);

/* As cohort_args_parse(), with ti->error. */
int cohort_target_args(struct dm_target *ti, enum cohort_target target, unsigned int argc,
		       char **argv, struct cohort_args *args);

/* Logs the words with the device's name and sets ti->error; returns @err. */
int cohort_target_refuse(struct dm_target *ti, int err, const struct cohort_words *words);

/*
 * The pool behind @dev, referenced, or ERR_PTR with words. May sleep.
 * The pool device itself stays open through @dev.
 */
struct cohort_pool *cohort_target_pool(struct dm_dev *dev, struct cohort_words *words);

/* What can be no member: zoned, DAX, integrity, inline encryption, read-only (-EROFS). */
int cohort_target_check_disk(struct dm_dev *dev, bool writable, struct cohort_words *words);

#endif
