/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poolfile.h - a device or file with a pool on it that nobody uses: opened, read, written. */
#ifndef COHORTCTL_POOLFILE_H
#define COHORTCTL_POOLFILE_H

#include "store.h"
#include "verb.h"

struct poolfile {
	const char *path;
	int fd;
	u64 size;
};

/*
 * An exit code, 0 when it is open: then nobody else has it until
 * poolfile_close(), which also ends @store. A file may stand for a device.
 */
int poolfile_open(struct app *app, struct poolfile *file, const char *path, bool write,
		  struct store *store);
void poolfile_close(struct poolfile *file, struct store *store);

/*
 * Writes what is laid over @store, in an order that leaves either the damage or
 * the repair whenever it is cut off. @lost: until all is there, the pool says
 * that none of its relationships can be trusted. 0 or -errno.
 */
int poolfile_write(struct poolfile *file, struct store *store, bool lost);

#endif
