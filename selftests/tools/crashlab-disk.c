// SPDX-License-Identifier: GPL-2.0-or-later
/* crashlab-disk.c - the disks of a recording: what was written, what was flushed, what is lost */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashlab.h"

void disk_add(const struct recording_entry *entry, const __u8 *name)
{
	struct disk *disk = &lab.disk[entry->disk];

	snprintf(disk->name, sizeof(disk->name), "%.*s", (int)entry->len, name);
	disk->size = entry->offset;
	disk->live = alloc_buffer(disk->size);
	disk->durable = alloc_buffer(disk->size);
	disk->look = disk->live;
	if (!strcmp(disk->name, "pool"))
		lab.pool = disk;
	else if (!strcmp(disk->name, "marks"))
		lab.marks = disk;
	else if (disk->name[0] == 't')
		lab.target[lab.nr_targets++] = disk;
	else
		lab.member[lab.nr_members++] = disk;
}

static void put_data(__u8 *at, const __u8 *data, __u64 len)
{
	if (data)
		memcpy(at, data, len);
	else
		memset(at, 0, len);
}

static void add_loose(struct disk *disk, const struct recording_entry *entry, const __u8 *data)
{
	if (disk->nr_loose == disk->room) {
		disk->room = disk->room ? disk->room * 2 : 64;
		disk->loose = realloc(disk->loose, disk->room * sizeof(*disk->loose));
		if (!disk->loose)
			die("no memory");
	}
	disk->loose[disk->nr_loose++] = (struct loose){
		.offset = entry->offset, .len = entry->len, .fua = entry->fua, .data = data,
	};
}

void disk_write(struct disk *disk, const struct recording_entry *entry, const __u8 *data)
{
	if (entry->offset > disk->size || entry->len > disk->size - entry->offset)
		die("the recording writes behind the end of %s", disk->name);
	put_data(disk->live + entry->offset, data, entry->len);
	add_loose(disk, entry, data);
}

void disk_flush(struct disk *disk)
{
	for (__u32 i = 0; i < disk->nr_loose; i++) {
		const struct loose *l = &disk->loose[i];

		put_data(disk->durable + l->offset, l->data, l->len);
	}
	disk->nr_loose = 0;
}

static void lose_some(struct disk *disk, struct rng *rng)
{
	__u64 mode = rng_below(rng, 3);

	for (__u32 i = 0; i < disk->nr_loose; i++) {
		struct loose *l = &disk->loose[i];
		bool stays = l->fua || mode == 1 || (mode == 2 && rng_below(rng, 2));

		l->saved = NULL;
		if (!stays)
			continue;
		l->saved = alloc_array(1, l->len);
		memcpy(l->saved, disk->durable + l->offset, l->len);
		put_data(disk->durable + l->offset, l->data, l->len);
	}
	disk->look = disk->durable;
}

static void take_back(struct disk *disk)
{
	for (__u32 i = disk->nr_loose; i-- > 0;) {
		struct loose *l = &disk->loose[i];

		if (!l->saved)
			continue;
		memcpy(disk->durable + l->offset, l->saved, l->len);
		free(l->saved);
	}
	disk->look = disk->live;
}

void disks_lose(struct rng *rng)
{
	for (__u32 i = 0; i < RECORDING_DISKS; i++)
		lose_some(&lab.disk[i], rng);
	lab.lossy = true;
}

void disks_take_back(void)
{
	for (__u32 i = 0; i < RECORDING_DISKS; i++)
		take_back(&lab.disk[i]);
	lab.lossy = false;
}
