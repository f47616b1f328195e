/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linear devices that fail for a while: dm-error, dm-flakey or dm-dust takes their place. */
#ifndef SELFTESTS_FAULTY_H
#define SELFTESTS_FAULTY_H

#include <linux/types.h>
#include <stdbool.h>

#include "util.h"

struct fault {
	const char *name;
	bool reads;		/* fail, or some of them do */
	bool writes;
	const char *target;
	const char *params;	/* behind the device and the offset; NULL: not even these */
};

#define FAULTS_MAX 8

extern const struct fault faults[];
extern const unsigned int nr_faults;

struct faulty {
	const char *name;
	__u64 sectors;
	char below[64];		/* "DEV OFFSET" of its linear table */
};

/* @name: a device with one linear table. What can not be done here kills the program. */
void faulty_open(struct faulty *device, const char *name);
/* false: this kernel can not make such a fault */
bool faulty_can(const struct faulty *device, const struct fault *fault);
void faulty_break(const struct faulty *device, const struct fault *fault, struct rng *rng);
void faulty_heal(const struct faulty *device);
/* From now on writes are acknowledged and lost, until it is healed: as if the power had gone. */
void faulty_drop(const struct faulty *device);

/* From now on its writes take so long, at least 50. */
void faulty_slow(const struct faulty *device, unsigned int ms);

#endif
