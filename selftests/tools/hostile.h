/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to the module that no sane program would send: how they are made. */
#ifndef SELFTESTS_HOSTILE_H
#define SELFTESTS_HOSTILE_H

#include <linux/netlink.h>

#include "util.h"

#define MESSAGE_MAX (192 << 10)

struct message {
	union {
		struct nlmsghdr hdr;
		__u8 bytes[MESSAGE_MAX];
	};
	bool sane;		/* nothing was done to it */
	const char *op;
	const char *attr;	/* what was done, and to which */
	const char *what;
};

/* The n-th, below the count, of all "one attribute, one thing wrong with it". */
__u64 hostile_count(void);
void hostile_systematic(struct message *m, __u64 n);

/* Anything. */
void hostile_random(struct message *m, struct rng *rng);

#endif
