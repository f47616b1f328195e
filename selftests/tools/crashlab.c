// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crashlab: cuts a recorded load off at many points and checks what each would leave.
 *
 *	crashlab RECORDING DIR POINTS SEED [SAVED]
 *
 * RECORDING has the disks "pool", "marks" and the members, in member order, in
 * one order of all their writes and flushes. DIR has the bounds of each cut,
 * NAME.before and NAME.after. What is written to "marks", "taken:NAME",
 * "dropping:NAME" and "dropped:NAME", says what somebody had been told of by
 * then; "wrote:N", "resetting:N" and "reset:N" the same of writes to an image, see
 * crashlab-written.c; "durable:N" that the first N chains flush behind each write; "end:" ends it.
 *
 * A power cut leaves one of three: all that was written so far; the same with
 * some sectors of one more write; or what was flushed and, of what was not, on
 * each disk by itself nothing, all, or anything. At each point: the pool
 * loads; a snapshot is there for all members or not at all; each one that was
 * acknowledged is there, no one that was deleted; what its images hold is one
 * instant between its bounds; the members hold what was acknowledged, too.
 *
 * Where there are disks "t1" and so on, too, the members are cloned to them; crashlab-clone.c
 * says what then must be.
 *
 * SAVED of the points are written to DIR for a kernel to recover.
 */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashlab.h"

#define KEEP	(1 << 30)
#define TOP_PAD	(64 << 20)
/* A batch of records, or a block: so long at most. */
#define POOL_RECORD (8 << 10)

struct lab lab;

noreturn void lab_violation(__u64 point, const char *fmt, ...)
{
	va_list ap;

	printf("crashlab: violation behind entry %llu%s: ", point,
	       lab.lossy ? ", caches lost" : "");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

static bool is_target(const struct disk *disk)
{
	return lab.nr_targets && disk->name[0] == 't';
}

static void apply(const struct recording_entry *entry, const __u8 *data, __u64 point)
{
	struct disk *disk = &lab.disk[entry->disk];

	if (entry->kind == RECORDING_FLUSH) {
		disk_flush(disk);
	} else if (disk == lab.marks) {
		if (data)
			told_by_mark(data, entry->len);
	} else {
		if (data && disk == lab.pool && lab.nr_targets)
			told_by_pool(entry, data, point);
		disk_write(disk, entry, data);
		if (data && is_target(disk))
			told_by_target(entry, data);
		else if (data && disk != lab.pool)
			told_by_write(data, entry->len);
	}
}

/* ---- one point ---- */

/* Each point has its turn; @save: and is kept, unless nothing would be missed there. */
static void look(struct rng *rng, __u64 point, bool save)
{
	check_point(rng, point);
	if (save && told_anything())
		save_point();
}

/* The write that the power cut met: any of its sectors may be there. */
static void look_torn(struct rng *rng, const struct recording_entry *entry, const __u8 *data,
		      __u64 point, bool save)
{
	struct disk *disk = &lab.disk[entry->disk];
	__u8 *saved = alloc_buffer(entry->len);

	memcpy(saved, disk->live + entry->offset, entry->len);
	for (__u64 at = 0; at < entry->len; at += SECTOR)
		if (rng_next(rng) & 1)
			memcpy(disk->live + entry->offset + at, data + at, SECTOR);
	lab.torn++;
	look(rng, point, save);
	memcpy(disk->live + entry->offset, saved, entry->len);
	free(saved);
}

static void look_lossy(struct rng *rng, __u64 point, bool save)
{
	disks_lose(rng);
	lab.lost++;
	look(rng, point, save);
	disks_take_back();
}

static void look_before(struct rng *rng, const struct recording_entry *entry, const __u8 *data,
			__u64 point, bool save)
{
	bool can_tear = entry->kind == RECORDING_WRITE && entry->len > SECTOR &&
			&lab.disk[entry->disk] != lab.marks;

	if (rng_below(rng, 2))
		look_lossy(rng, point, save);
	else if (can_tear && rng_below(rng, 2))
		look_torn(rng, entry, data, point, save);
	else
		look(rng, point, save);
}

/* ---- which points ---- */

/* The next entry, up to the mark "end": behind it all is taken down. */
static bool next_entry(struct recording *rec, struct recording_entry *entry, const __u8 **data)
{
	static const char end[] = "end:";

	if (!recording_next(rec, entry, data))
		return false;
	return entry->kind != RECORDING_WRITE || &lab.disk[entry->disk] != lab.marks ||
	       entry->len < sizeof(end) || memcmp(*data, end, sizeof(end) - 1);
}

/* What a clone says on its pool and flushes on its targets is little among what is written. */
static __u64 weight_of(const struct recording_entry *entry)
{
	const struct disk *disk = &lab.disk[entry->disk];

	if (!lab.nr_targets)
		return 1;
	if (disk == lab.pool && entry->kind == RECORDING_WRITE && entry->len <= POOL_RECORD)
		return 6;
	return disk == lab.pool || entry->kind == RECORDING_FLUSH ? 2 : 1;
}

/* Of all entries the weights. Meets the disks, too. */
static __u64 weigh_entries(void)
{
	struct recording_entry entry;
	struct recording rec;
	const __u8 *data;
	__u64 sum = 0;

	recording_open(&rec, lab.path);
	while (next_entry(&rec, &entry, &data)) {
		if (entry.kind == RECORDING_DISK)
			disk_add(&entry, data);
		else
			sum += weight_of(&entry);
	}
	if (!lab.pool || !lab.marks || !lab.nr_members || !sum)
		die("%s: no recording of a pool, marks and members", lab.path);
	if (lab.nr_targets && lab.nr_targets != lab.nr_members)
		die("%s: not as many targets as members", lab.path);
	lab.image = alloc_buffer(lab.pool->size);
	return sum;
}

/* Out of @left candidates, @wanted are still to be taken; this one counts for @weight. */
static bool chosen(struct rng *rng, __u64 left, __u64 wanted, __u64 weight)
{
	return left && rng_next(rng) % left < wanted * weight;
}

static void print_clones(void)
{
	printf("crashlab: %llu times a clone, %llu chunks of it on targets and %llu not, ",
	       lab.clones, lab.clones_own, lab.clones_image);
	printf("%llu whole targets judged; %llu writes to copy maps, 0 violations\n",
	       lab.clones_whole, lab.map_writes);
}

static void run(__u64 points, __u64 saved, struct rng *rng)
{
	__u64 left = weigh_entries(), wanted = points;
	struct recording_entry entry;
	struct recording rec;
	const __u8 *data;

	recording_open(&rec, lab.path);
	while (next_entry(&rec, &entry, &data)) {
		if (entry.kind == RECORDING_DISK)
			continue;
		if (wanted && chosen(rng, left, wanted, weight_of(&entry))) {
			look_before(rng, &entry, data, rec.number - 1,
				    chosen(rng, wanted, saved - lab.saved, 1));
			wanted--;
		}
		left -= weight_of(&entry);
		apply(&entry, data, rec.number - 1);
	}
	check_point(rng, rec.number);
	printf("crashlab: %llu points of %llu entries, ", points - wanted + 1, rec.number);
	printf("%llu within a write, %llu with caches lost; ", lab.torn, lab.lost);
	printf("%llu with a pool, %llu of them with index runs, ", lab.loaded, lab.with_runs);
	printf("%llu snapshots, %llu times the members and %llu times a written image judged, ",
	       lab.judged, lab.sources, lab.overlays);
	puts("0 violations");
	if (lab.nr_targets)
		print_clones();
}

/* A recording without one of them is not what it should be. */
static bool was_worth_it(void)
{
	if (lab.nr_targets)
		return lab.clones_own && lab.clones_image && lab.clones_whole && lab.map_writes;
	return lab.judged && lab.sources && lab.overlays;
}

int main(int argc, char **argv)
{
	struct rng rng;

	tool = "crashlab";
	/* Each point allocates what the last one freed: the kernel need not see it each time. */
	mallopt(M_TRIM_THRESHOLD, KEEP);
	mallopt(M_MMAP_THRESHOLD, KEEP);
	mallopt(M_TOP_PAD, TOP_PAD);
	if (argc != 5 && argc != 6)
		die("usage: crashlab RECORDING DIR POINTS SEED [SAVED]");
	lab.path = argv[1];
	lab.dir = argv[2];
	rng.state = parse_number("SEED", argv[4]);
	run(parse_number("POINTS", argv[3]), argc == 6 ? parse_number("SAVED", argv[5]) : 0, &rng);
	return was_worth_it() ? 0 : EXIT_CANNOT;
}
