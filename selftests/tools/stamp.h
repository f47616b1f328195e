/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stamp: what the writers put on disk, what they share, and what the verifier gets. */
#ifndef SELFTESTS_STAMP_H
#define SELFTESTS_STAMP_H

#include <assert.h>
#include <linux/types.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "util.h"

/*
 * How the checker works
 *
 * A chain is a row of writes 1, 2, 3 ...; each goes to a member picked at
 * random and is issued only after the one before it was acknowledged. So write
 * k depends on every earlier write of its chain, and on every write of the
 * other chains that was acknowledged when k was issued; k carries that vector
 * ("seen"). An image set is one instant iff it is closed under "depends on".
 *
 * Where write k of chain c goes (member, address, length) is a function of the
 * run id, c and k alone. The verifier computes it too: it takes the newest
 * write found of each chain, walks the plan backwards from there, and knows for
 * every sector which write must be on it. Nothing but the images and two rows
 * of numbers (the bounds) is needed.
 *
 * Each chain owns its slots on every member, so a sector is only ever
 * overwritten by a later write of the same chain.
 */

#define STAMP_MAGIC 0x31706d6174536f63ULL	/* "coStamp1" */
#define STAMP_MIN_CHAINS 8
#define STAMP_MAX_CHAINS 56
#define STAMP_MAX_MEMBERS 1024

/*
 * One sector on disk, in the machine's byte order. What differs between the
 * sectors of one write stands at the end, so that the rest is summed once.
 */
struct stamp_sector {
	__u64 magic;
	__u8 run[16];
	__u16 chain;
	__u16 member;
	__u16 chains;
	__u16 members;
	__u64 seq;
	__u32 count;			/* sectors of this write */
	__u32 reserved;
	__u64 seen[STAMP_MAX_CHAINS];	/* unused ones repeat seq */
	__u64 lba;
	__u32 index;			/* of this sector within its write */
	__u32 crc;
};

#define STAMP_COMMON offsetof(struct stamp_sector, lba)
#define STAMP_SUMMED offsetof(struct stamp_sector, crc)

static_assert(sizeof(struct stamp_sector) == SECTOR, "a stamp fills its sector");
static_assert(offsetof(struct stamp_sector, lba) == SECTOR - 16, "varying fields stand at the end");

/* Everything the plan depends on; lengths and addresses in sectors. */
struct stamp_geometry {
	__u8 run[16];
	__u32 chains;
	__u32 members;
	__u32 slots;			/* per chain and member */
	__u32 block;			/* unit of address and length */
	__u32 min;			/* shortest write */
	__u32 max;			/* longest write = length of a slot */
	__u64 base;			/* where the slots begin, on each member */
};

/* ---- stamp-plan.c: where a write goes, and its stamps ---- */

struct stamp_place {
	__u32 member;
	__u32 count;
	__u64 lba;
};

void stamp_plan(const struct stamp_geometry *geo, __u32 chain, __u64 seq,
		struct stamp_place *place);
/* Sectors per member between base and the end of the last slot. */
__u64 stamp_arena(const struct stamp_geometry *geo);
/* Chain that owns the sector this far behind base. */
__u32 stamp_owner(const struct stamp_geometry *geo, __u64 offset);
void stamp_fill(struct stamp_sector *buf, const struct stamp_geometry *geo, __u32 chain,
		__u64 seq, const struct stamp_place *place, const __u64 *seen);
bool stamp_crc_good(const struct stamp_sector *s);

/* ---- stamp-state.c: the state file and the bounds taken from it ---- */

/* Log-linear buckets: 16 to the octave, so a value is known to 6 %. */
#define STAMP_BUCKETS 976
#define STAMP_WINDOWS 64
#define STAMP_NAME 32

struct stamp_window {
	char name[STAMP_NAME];
	atomic_ullong max;
	atomic_ullong bucket[STAMP_BUCKETS];
};

struct stamp_chain {
	alignas(64) atomic_ullong issued;	/* stored before the write is submitted */
	atomic_ullong acked;			/* stored after it was acknowledged */
};

enum stamp_control {
	STAMP_RUN,
	STAMP_PAUSE,
	STAMP_STOP,
};

/* The state file, mapped shared by the writers and by every other command. */
struct stamp_state {
	__u64 magic;
	atomic_uint control;
	atomic_uint busy;		/* chains that are neither parked nor ended */
	atomic_uint failed;	/* chains that ended on an error */
	atomic_uint window;	/* the one that is filled now; 0 is the base */
	atomic_uint windows;
	struct stamp_geometry geo;
	struct stamp_chain chain[STAMP_MAX_CHAINS];
	atomic_ullong errors[STAMP_MAX_MEMBERS];	/* writes that were made again */
	struct stamp_window win[STAMP_WINDOWS];
};

struct stamp_state *stamp_state_create(const char *path, const struct stamp_geometry *geo);
/* The file appears under its name only when the writers are about to start. */
void stamp_state_publish(const char *path);
struct stamp_state *stamp_state_open(const char *path);
/* NULL while there is no such file. */
struct stamp_state *stamp_state_try(const char *path);
__u64 stamp_acked(const struct stamp_state *st);
/* Asks about the state file opened last. */
bool stamp_writers_alive(void);

enum stamp_bound {
	STAMP_ACKED,		/* taken before the call: all of these must be in */
	STAMP_ISSUED,		/* taken after the return: none beyond these may be */
};

struct stamp_bounds {
	enum stamp_bound kind;
	struct stamp_geometry geo;
	__u64 seq[STAMP_MAX_CHAINS];
};

void stamp_bounds_take(struct stamp_bounds *b, const struct stamp_state *st,
		       enum stamp_bound kind);
void stamp_bounds_print(const struct stamp_bounds *b, FILE *f);
void stamp_bounds_read(struct stamp_bounds *b, const char *path);

/* ---- stamp-scan.c: what is on one image ---- */

enum stamp_found {
	FOUND_NOTHING,		/* no stamp */
	FOUND_STRANGER,		/* a stamp of another run */
	FOUND_OURS,
	FOUND_TORN,		/* a stamp whose checksum is wrong */
	FOUND_SWAPPED,		/* of this run, for another member */
	FOUND_MISPLACED,	/* of this run and member, but not planned here */
};

/* Where a write was met that had seen so much of one chain. */
struct stamp_witness {
	__u64 seen;
	__u64 seq;
	__u64 lba;
	__u32 chain;
	__u32 member;
};

struct stamp_scan {
	const struct stamp_geometry *geo;
	struct device dev;
	__u32 member;
	__u32 chains;			/* others are not looked at */
	int error;			/* reading failed at error_lba */
	__u64 error_lba;
	__u64 found[FOUND_MISPLACED + 1];
	__u64 odd_lba[FOUND_MISPLACED + 1];	/* first of each kind */
	__u32 swapped_with;
	__u64 *seq;			/* per sector of the arena; 0: not ours */
	__u64 newest[STAMP_MAX_CHAINS];
	__u64 newest_lba[STAMP_MAX_CHAINS];
	struct stamp_witness witness[STAMP_MAX_CHAINS];
};

/* Reads all images at once, a thread each; of the chains, the first @chains count. */
void stamp_scan_all(struct stamp_scan *scans, const struct stamp_geometry *geo, __u32 chains,
		    char **paths);

/* ---- the commands; each returns the exit code ---- */

int stamp_write_main(int argc, char **argv);
int stamp_verify_main(int argc, char **argv);
/* In a child, which may keep what it reads and die as it likes. @words: what it says, or NULL. */
int stamp_verify_forked(int argc, char **argv, char *words, size_t size);
int stamp_window_main(int argc, char **argv);
int stamp_latency_main(int argc, char **argv);

void stamp_latency_add(struct stamp_state *st, __u32 window, __u64 ns);
/* ns below which this share (0..1) of the window's writes lie; 0 without writes. */
__u64 stamp_latency_quantile(const struct stamp_window *win, double share);
__u64 stamp_latency_count(const struct stamp_window *win);

#endif
