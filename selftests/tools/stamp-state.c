// SPDX-License-Identifier: GPL-2.0-or-later
/* stamp: the mapped state file of a run, and the bounds taken from it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tools/crc32c.h"
#include "stamp.h"

static const char *temporary_name(const char *path)
{
	static char name[4096];

	if (snprintf(name, sizeof(name), "%s.new", path) >= (int)sizeof(name))
		die("%s: name too long", path);
	return name;
}

/* Stays open for the lock on it: the writers hold it for as long as they live. */
static int state_fd = -1;

static struct stamp_state *map_state(const char *path, int fd)
{
	struct stamp_state *st = mmap(NULL, sizeof(*st), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (st == MAP_FAILED)
		die("%s: cannot map the state file: %s", path, strerror(errno));
	state_fd = fd;
	return st;
}

struct stamp_state *stamp_state_create(const char *path, const struct stamp_geometry *geo)
{
	const char *name = temporary_name(path);
	struct stamp_state *st;
	int fd;

	/* What an earlier run left must not be taken for this one. */
	if (unlink(path) && errno != ENOENT)
		die("%s: cannot remove: %s", path, strerror(errno));
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, sizeof(*st)))
		die("%s: cannot create: %s", name, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		die("%s: cannot lock: %s", name, strerror(errno));
	st = map_state(name, fd);
	st->magic = STAMP_MAGIC;
	st->geo = *geo;
	st->windows = 1;
	snprintf(st->win[0].name, sizeof(st->win[0].name), "base");
	return st;
}

void stamp_state_publish(const char *path)
{
	if (rename(temporary_name(path), path))
		die("%s: cannot create: %s", path, strerror(errno));
}

struct stamp_state *stamp_state_try(const char *path)
{
	struct stamp_state *st;
	struct stat sb;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &sb))
		die("%s: cannot open: %s", path, strerror(errno));
	if (sb.st_size != sizeof(*st))
		die("%s: not a state file", path);
	st = map_state(path, fd);
	if (st->magic != STAMP_MAGIC)
		die("%s: not a state file", path);
	return st;
}

struct stamp_state *stamp_state_open(const char *path)
{
	struct stamp_state *st = stamp_state_try(path);

	if (!st)
		die("%s: no such state file", path);
	return st;
}

__u64 stamp_acked(const struct stamp_state *st)
{
	__u64 sum = 0;

	for (__u32 c = 0; c < st->geo.chains; c++)
		sum += st->chain[c].acked;
	return sum;
}

bool stamp_writers_alive(void)
{
	if (flock(state_fd, LOCK_SH | LOCK_NB))
		return true;
	flock(state_fd, LOCK_UN);
	return false;
}

void stamp_bounds_take(struct stamp_bounds *b, const struct stamp_state *st, enum stamp_bound kind)
{
	b->kind = kind;
	b->geo = st->geo;
	for (__u32 c = 0; c < st->geo.chains; c++)
		b->seq[c] = kind == STAMP_ACKED ? st->chain[c].acked : st->chain[c].issued;
}

static const char * const kind_names[] = {
	[STAMP_ACKED] = "acked",
	[STAMP_ISSUED] = "issued",
};

static __u32 bounds_crc(const struct stamp_bounds *b)
{
	__u32 crc = crc32c(~0u, &b->kind, sizeof(b->kind));

	crc = crc32c(crc, &b->geo, sizeof(b->geo));
	return ~crc32c(crc, b->seq, b->geo.chains * sizeof(b->seq[0]));
}

void stamp_bounds_print(const struct stamp_bounds *b, FILE *f)
{
	const struct stamp_geometry *g = &b->geo;

	fprintf(f, "stamp-bounds 1\nkind %s\nrun ", kind_names[b->kind]);
	for (size_t i = 0; i < sizeof(g->run); i++)
		fprintf(f, "%02x", g->run[i]);
	fprintf(f, "\nchains %u\nmembers %u\nslots %u\nblock %u\nmin %u\nmax %u\nbase %llu\n",
		g->chains, g->members, g->slots, g->block, g->min, g->max, g->base);
	for (__u32 c = 0; c < g->chains; c++)
		fprintf(f, "seq %u %llu\n", c, b->seq[c]);
	fprintf(f, "crc %08x\n", bounds_crc(b));
}

static bool geometry_sane(const struct stamp_geometry *g)
{
	return g->chains && g->chains <= STAMP_MAX_CHAINS &&
	       g->members && g->members <= STAMP_MAX_MEMBERS &&
	       g->slots && g->block && g->min && g->max >= g->min &&
	       stamp_arena(g) < 1ULL << 32;
}

static bool read_geometry(struct stamp_geometry *g, FILE *f)
{
	for (size_t i = 0; i < sizeof(g->run); i++) {
		unsigned int byte;

		if (fscanf(f, "%2x", &byte) != 1)
			return false;
		g->run[i] = byte;
	}
	return fscanf(f, " chains %u members %u slots %u block %u min %u max %u base %llu",
		      &g->chains, &g->members, &g->slots, &g->block, &g->min, &g->max,
		      &g->base) == 7 && geometry_sane(g);
}

static bool read_bounds(struct stamp_bounds *b, FILE *f)
{
	char kind[8];
	__u32 n, crc;

	if (fscanf(f, "stamp-bounds 1 kind %7s run ", kind) != 1 || !read_geometry(&b->geo, f))
		return false;
	b->kind = strcmp(kind, "acked") ? STAMP_ISSUED : STAMP_ACKED;
	for (__u32 c = 0; c < b->geo.chains; c++)
		if (fscanf(f, " seq %u %llu", &n, &b->seq[c]) != 2 || n != c)
			return false;
	return fscanf(f, " crc %x", &crc) == 1 && crc == bounds_crc(b);
}

void stamp_bounds_read(struct stamp_bounds *b, const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f)
		die("%s: cannot open: %s", path, strerror(errno));
	memset(b, 0, sizeof(*b));
	if (!read_bounds(b, f))
		die("%s: not a bounds file, or a damaged one", path);
	fclose(f);
}
