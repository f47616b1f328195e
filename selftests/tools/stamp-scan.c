// SPDX-License-Identifier: GPL-2.0-or-later
/* stamp verify: reads the images and notes what stands on each sector. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "stamp.h"

#define PIECE (1024 * 1024)

/* The sectors of a write follow each other: its plan is made once. */
struct plan_cache {
	__u32 chain;
	__u64 seq;
	struct stamp_place place;
};

static bool is_planned(const struct stamp_geometry *geo, const struct stamp_sector *s,
		       __u64 lba, struct plan_cache *cache)
{
	if (s->chain >= geo->chains || !s->seq)
		return false;
	if (cache->chain != s->chain || cache->seq != s->seq) {
		cache->chain = s->chain;
		cache->seq = s->seq;
		stamp_plan(geo, s->chain, s->seq, &cache->place);
	}
	return s->lba == lba && s->member == cache->place.member &&
	       s->count == cache->place.count && s->index < s->count &&
	       s->lba == cache->place.lba + s->index;
}

static enum stamp_found classify(const struct stamp_scan *scan, const struct stamp_sector *s,
				 __u64 lba, struct plan_cache *cache)
{
	if (s->magic != STAMP_MAGIC)
		return FOUND_NOTHING;
	if (memcmp(s->run, scan->geo->run, sizeof(s->run)))
		return FOUND_STRANGER;
	if (!stamp_crc_good(s))
		return FOUND_TORN;
	if (s->member != scan->member)
		return FOUND_SWAPPED;
	return is_planned(scan->geo, s, lba, cache) ? FOUND_OURS : FOUND_MISPLACED;
}

static void note_write(struct stamp_scan *scan, const struct stamp_sector *s)
{
	if (s->seq > scan->newest[s->chain]) {
		scan->newest[s->chain] = s->seq;
		scan->newest_lba[s->chain] = s->lba;
	}
	for (__u32 c = 0; c < scan->geo->chains; c++) {
		struct stamp_witness *w = &scan->witness[c];

		if (s->seen[c] <= w->seen)
			continue;
		*w = (struct stamp_witness){
			.seen = s->seen[c],
			.seq = s->seq,
			.lba = s->lba,
			.chain = s->chain,
			.member = s->member,
		};
	}
}

static void note_sector(struct stamp_scan *scan, const struct stamp_sector *s, __u64 lba,
			struct plan_cache *cache)
{
	enum stamp_found found = classify(scan, s, lba, cache);

	if (!scan->found[found]++) {
		scan->odd_lba[found] = lba;
		if (found == FOUND_SWAPPED)
			scan->swapped_with = s->member;
	}
	if (found != FOUND_OURS || s->chain >= scan->chains)
		return;
	scan->seq[lba - scan->geo->base] = s->seq;
	note_write(scan, s);
}

/* Direct I/O wants aligned addresses, so a piece may begin before the arena and end behind it. */
static int read_piece(struct stamp_scan *scan, char *buf, __u64 off)
{
	__u64 len = PIECE;

	if (off + len > scan->dev.size)
		len = scan->dev.size - off;
	return read_full(scan->dev.fd, buf, len, off);
}

static void *scan_image(void *arg)
{
	struct stamp_scan *scan = arg;
	__u64 first = scan->geo->base;
	__u64 end = first + stamp_arena(scan->geo);
	struct plan_cache cache = { 0 };
	char *buf = alloc_buffer(PIECE);

	for (__u64 off = first * SECTOR / 4096 * 4096; off < end * SECTOR; off += PIECE) {
		scan->error = read_piece(scan, buf, off);
		scan->error_lba = off / SECTOR;
		for (__u64 i = 0; !scan->error && i < PIECE / SECTOR; i++)
			if (off / SECTOR + i >= first && off / SECTOR + i < end)
				note_sector(scan, (void *)(buf + i * SECTOR), off / SECTOR + i,
					    &cache);
		if (scan->error)
			break;
	}
	free(buf);
	return NULL;
}

static void prepare(struct stamp_scan *scan, const struct stamp_geometry *geo, __u32 chains,
		    __u32 member, const char *path)
{
	__u64 need = (geo->base + stamp_arena(geo)) * SECTOR;

	scan->geo = geo;
	scan->chains = chains;
	scan->member = member;
	device_open(&scan->dev, path, O_RDONLY);
	if (scan->dev.size < need)
		die("%s: %llu bytes, but the run wrote up to %llu", path,
		    scan->dev.size, need);
	scan->seq = alloc_array(stamp_arena(geo), sizeof(scan->seq[0]));
}

void stamp_scan_all(struct stamp_scan *scans, const struct stamp_geometry *geo, __u32 chains,
		    char **paths)
{
	pthread_t *threads = alloc_array(geo->members, sizeof(*threads));

	for (__u32 m = 0; m < geo->members; m++)
		prepare(&scans[m], geo, chains, m, paths[m]);
	for (__u32 m = 0; m < geo->members; m++)
		if (pthread_create(&threads[m], NULL, scan_image, &scans[m]))
			die("cannot start a thread");
	for (__u32 m = 0; m < geo->members; m++) {
		pthread_join(threads[m], NULL);
		device_close(&scans[m].dev);
	}
	free(threads);
}
