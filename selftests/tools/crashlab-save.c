// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crashlab-save.c - writes down what a power cut leaves, for recover to put on disks of a guest
 *
 * point-N has the blocks that are not empty, as a recording; point-N.told a line
 * "taken NAME" or "dropped NAME" for each cut of which that was told, and
 * "chains N", the first ones of which the members must hold all that is between
 * point-N.before and point-N.after.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashlab.h"

#define BLOCK 4096
/* recover has a buffer of that size */
#define SAVE_PIECE (1 << 20)

static FILE *create(const char *suffix)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/point-%llu%s", lab.dir, lab.saved, suffix);
	f = fopen(path, "w");
	if (!f)
		die("cannot write %s", path);
	return f;
}

static void finish(FILE *f)
{
	if (ferror(f) || fclose(f))
		die("cannot save a point");
}

static void put_entry(FILE *f, enum recording_kind kind, __u8 disk, __u64 offset,
		      const void *data, __u64 len)
{
	const struct recording_entry entry = {
		.magic = RECORDING_MAGIC, .kind = kind, .disk = disk, .offset = offset, .len = len,
	};

	fwrite(&entry, sizeof(entry), 1, f);
	fwrite(data, len, 1, f);
}

static bool is_empty(const struct disk *disk, __u64 at)
{
	static const __u8 empty[BLOCK];

	return !memcmp(disk->look + at, empty, BLOCK);
}

/* In few, long pieces. */
static void put_disk(FILE *f, __u8 number, const struct disk *disk)
{
	__u64 at = 0, end;

	put_entry(f, RECORDING_DISK, number, disk->size, disk->name, strlen(disk->name));
	while (at < disk->size) {
		for (end = at; end < disk->size && end - at < SAVE_PIECE; end += BLOCK)
			if (is_empty(disk, end))
				break;
		if (end > at)
			put_entry(f, RECORDING_WRITE, number, at, disk->look + at, end - at);
		at = end > at ? end : at + BLOCK;
	}
}

static void put_told(FILE *f, __u32 chains)
{
	for (__u32 i = 0; i < lab.nr_cuts; i++) {
		if (lab.cut[i].told == TAKEN)
			fprintf(f, "taken %s\n", lab.cut[i].name);
		if (lab.cut[i].told == DROPPED)
			fprintf(f, "dropped %s\n", lab.cut[i].name);
	}
	fprintf(f, "chains %u\n", chains);
}

void save_point(void)
{
	struct stamp_bounds acked, issued;
	__u32 chains;
	FILE *f;

	if (lab.nr_targets) {
		save_clone_point();
		return;
	}
	chains = told_bounds(&acked, &issued);
	f = create("");
	for (__u32 i = 0; i < RECORDING_DISKS; i++)
		if (lab.disk[i].size && &lab.disk[i] != lab.marks)
			put_disk(f, i, &lab.disk[i]);
	finish(f);
	f = create(".told");
	put_told(f, chains);
	finish(f);
	if (chains) {
		f = create(".before");
		stamp_bounds_print(&acked, f);
		finish(f);
		f = create(".after");
		stamp_bounds_print(&issued, f);
		finish(f);
	}
	lab.saved++;
}
