/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of every object that libcohort knows. */
#ifndef COHORTCTL_OBJECTS_H
#define COHORTCTL_OBJECTS_H

#include "record.h"

extern const struct field pool_fields[];
extern const struct field pool_stat_fields[];	/* other columns of the same */
extern const struct field source_fields[];
extern const struct field group_fields[];
extern const struct field relationship_fields[];
extern const struct field image_fields[];	/* members of a relationship */
extern const struct field clone_fields[];	/* other columns of the same, of a clone */
extern const struct field job_fields[];
extern const struct field job_member_fields[];
extern const struct field module_fields[];

struct cohort_relationship;

/* False when its members were cut one by one. */
bool relationship_is_consistent(const struct cohort_relationship *rel);

#endif
