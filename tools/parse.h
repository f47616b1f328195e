/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the command line into values. Pure: no output, no kernel. */
#ifndef COHORTCTL_PARSE_H
#define COHORTCTL_PARSE_H

#include <stddef.h>
#include <stdint.h>

/* Each returns 0, or -EINVAL and leaves *@value alone. */
int parse_size(const char *text, uint64_t *value);	/* 64K, 1MiB, 4096 */
int parse_number(const char *text, uint64_t *value);
int parse_seconds(const char *text, double *value);
int parse_unit(const char *text, char *value);

/* NAME of NAME or /dev/mapper/NAME; a pointer into @text. */
const char *parse_name(const char *text);

#endif
