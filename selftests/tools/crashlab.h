/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashlab.h - a recorded load up to one point: its disks, and what somebody had been told of. */
#ifndef SELFTESTS_CRASHLAB_H
#define SELFTESTS_CRASHLAB_H

#include <stdnoreturn.h>

#include "recording.h"
#include "stamp.h"

#define LAB_CUTS 4096
#define LAB_NAME 64

/* A write that no flush has followed yet. */
struct loose {
	__u64 offset;
	__u64 len;
	bool fua;
	const __u8 *data;		/* NULL: zeroes */
	__u8 *saved;			/* what it replaced, for a while */
};

struct disk {
	char name[LAB_NAME];
	__u64 size;
	__u8 *live;			/* all that was written */
	__u8 *durable;			/* up to the last flush */
	const __u8 *look;		/* the one that is judged */
	struct loose *loose;
	__u32 nr_loose;
	__u32 room;
};

enum told {
	NOTHING,
	TAKEN,			/* must be there */
	DROPPING,		/* may be there */
	DROPPED,		/* must not be there */
};

struct cut {
	char name[LAB_NAME];
	enum told told;
};

struct lab {
	const char *path;		/* of the recording */
	const char *dir;		/* has the bounds of the cuts */
	struct disk disk[RECORDING_DISKS];
	struct disk *pool;
	struct disk *marks;
	struct disk *member[RECORDING_DISKS];
	__u32 nr_members;
	/* of a clone of all members, or none */
	struct disk *target[RECORDING_DISKS];
	__u32 nr_targets;
	struct cut cut[LAB_CUTS];
	__u32 nr_cuts;
	/* a write was acknowledged when the next of its chain is there */
	struct stamp_geometry geo;	/* of the run that the newest cut belongs to */
	__u8 run[16];			/* whose writes are counted below */
	__u64 issued[STAMP_MAX_CHAINS];
	__u32 durable_chains;		/* so many, the first ones, flush behind each write */
	__u8 *image;			/* of the largest disk */
	/* what somebody was told of writes to an image */
	__u64 written;			/* the last one that had ended */
	__u64 reset;			/* so many had, at the last reset that had */
	bool resetting;
	bool lossy;			/* caches have been lost in what is looked at */
	__u64 torn, lost, loaded, with_runs, judged, sources, saved, overlays;
	/* clones that were judged, their chunks, targets that were all; writes to copy maps */
	__u64 clones, clones_own, clones_image, clones_whole, map_writes;
};

extern struct lab lab;

__printf(2, 3) noreturn void lab_violation(__u64 point, const char *fmt, ...);

/* ---- crashlab-disk.c: what a power cut leaves ---- */

void disk_add(const struct recording_entry *entry, const __u8 *name);
void disk_flush(struct disk *disk);
void disk_write(struct disk *disk, const struct recording_entry *entry, const __u8 *data);
/* Of what was not flushed: nothing, all, or any of it; until it is taken back. */
void disks_lose(struct rng *rng);
void disks_take_back(void);

/* ---- crashlab-told.c: what somebody had been told of ---- */

void told_by_mark(const __u8 *data, __u64 len);
void told_by_write(const __u8 *data, __u64 len);
/* Of the members themselves; how many chains they are for, 0: nothing can be said. */
__u32 told_bounds(struct stamp_bounds *before, struct stamp_bounds *after);
bool told_anything(void);

/* ---- crashlab-check.c: whether a point is as it should be ---- */

void check_point(struct rng *rng, __u64 point);

/* ---- crashlab-written.c: whether what was written to an image is there ---- */

struct store;
struct cohort_disk_rel;
void check_written(struct store *store, const struct cohort_disk_rel *rel, __u64 point);

/* ---- crashlab-clone.c, crashlab-clone-told.c: whether a clone is as it should be ---- */

void check_clone(struct store *store, __u64 point);
void told_of_clone(const char *word, const char *name);
void told_by_target(const struct recording_entry *entry, const __u8 *data);
/* Judges the write as well. */
void told_by_pool(const struct recording_entry *entry, const __u8 *data, __u64 point);

/* ---- crashlab-save.c: what is looked at, for a kernel to recover ---- */

void save_point(void);
/* crashlab-clone-save.c: the same where members are cloned */
void save_clone_point(void);

#endif
