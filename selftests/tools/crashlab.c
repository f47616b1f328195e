// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crashlab: cuts a recorded load off at many points and checks what each would leave.
 *
 *	crashlab RECORDING DIR POINTS SEED
 *
 * RECORDING has the disks "pool", "marks" and the members, in member order, in
 * one order of all their writes and flushes. DIR has the bounds of each cut,
 * NAME.before and NAME.after. What is written to "marks", "taken:NAME",
 * "dropping:NAME" and "dropped:NAME", says what somebody had been told of by
 * then; "end:" ends it.
 *
 * A power cut leaves one of three: all that was written so far; the same with
 * some sectors of one more write; or what was flushed and, of what was not, on
 * each disk by itself nothing, all, or anything. At each point: the pool
 * loads; a snapshot is there for all members or not at all; each one that was
 * acknowledged is there, no one that was deleted; what its images hold is one
 * instant between its bounds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/cohort.h>

#include "poolview.h"
#include "recording.h"
#include "stamp.h"

#define CUTS_MAX 4096
#define NAME_LEN 64

enum told {
	NOTHING,
	TAKEN,			/* must be there */
	DROPPING,		/* may be there */
	DROPPED,		/* must not be there */
};

struct cut {
	char name[NAME_LEN];
	enum told told;
};

/* A write that no flush has followed yet. */
struct loose {
	__u64 offset;
	__u64 len;
	bool fua;
	const __u8 *data;		/* NULL: zeroes */
	__u8 *saved;			/* what it replaced, for a while */
};

struct disk {
	char name[NAME_LEN];
	__u64 size;
	__u8 *live;			/* all that was written */
	__u8 *durable;			/* up to the last flush */
	const __u8 *look;		/* the one that is judged */
	struct loose *loose;
	__u32 nr_loose;
	__u32 room;
};

static struct {
	const char *path;
	const char *dir;
	struct disk disk[RECORDING_DISKS];
	struct disk *pool;
	struct disk *marks;
	struct disk *member[RECORDING_DISKS];
	__u32 nr_members;
	struct cut cut[CUTS_MAX];
	__u32 nr_cuts;
	__u8 *image;			/* of the largest disk */
	__u64 torn, lossy, loaded, judged;
} lab;

/* ---- disks ---- */

static void add_disk(const struct recording_entry *entry, const __u8 *name)
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

static void flush(struct disk *disk)
{
	for (__u32 i = 0; i < disk->nr_loose; i++) {
		const struct loose *l = &disk->loose[i];

		put_data(disk->durable + l->offset, l->data, l->len);
	}
	disk->nr_loose = 0;
}

/* ---- what had been told ---- */

static struct cut *cut_of(const char *name)
{
	for (__u32 i = 0; i < lab.nr_cuts; i++)
		if (!strcmp(lab.cut[i].name, name))
			return &lab.cut[i];
	if (lab.nr_cuts == CUTS_MAX)
		die("too many cuts");
	snprintf(lab.cut[lab.nr_cuts].name, NAME_LEN, "%s", name);
	return &lab.cut[lab.nr_cuts++];
}

static void note_mark(const __u8 *data, __u64 len)
{
	static const struct {
		const char *word;
		enum told told;
	} words[] = { { "taken", TAKEN }, { "dropping", DROPPING }, { "dropped", DROPPED } };
	char text[256], word[16], name[NAME_LEN];

	snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)data);
	if (sscanf(text, "%15[^:]:%63[^\n]", word, name) != 2)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(word, words[i].word))
			cut_of(name)->told = words[i].told;
}

static void apply(const struct recording_entry *entry, const __u8 *data)
{
	struct disk *disk = &lab.disk[entry->disk];

	if (entry->kind == RECORDING_FLUSH) {
		flush(disk);
	} else if (disk == lab.marks) {
		if (data)
			note_mark(data, entry->len);
	} else {
		if (entry->offset > disk->size || entry->len > disk->size - entry->offset)
			die("the recording writes behind the end of %s", disk->name);
		put_data(disk->live + entry->offset, data, entry->len);
		add_loose(disk, entry, data);
	}
}

/* ---- one point ---- */

__printf(2, 3) static noreturn void violation(__u64 point, const char *fmt, ...)
{
	va_list ap;

	printf("crashlab: violation behind entry %llu: ", point);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

static const struct disk *member_of(const char *name)
{
	for (__u32 i = 0; i < lab.nr_members; i++)
		if (!strcmp(lab.member[i]->name, name))
			return lab.member[i];
	return NULL;
}

static void image_path(char *path, size_t size, __u32 i)
{
	snprintf(path, size, "%s/image%u", lab.dir, i);
}

static void write_image(__u32 i, __u64 size)
{
	char path[512];
	int fd;

	image_path(path, sizeof(path), i);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, size) || write_full(fd, lab.image, size, 0))
		die("cannot write %s", path);
	close(fd);
}

static void make_images(const struct poolview *view, const struct poolview_rel *rel, __u64 point)
{
	for (__u32 i = 0; i < rel->count; i++) {
		const struct poolview_source *source = poolview_source(view, rel->member[i].source);
		const struct disk *disk = source ? member_of(source->name) : NULL;

		if (!disk || source->size != disk->size)
			violation(point, "%s: member %u is no source of this pool", rel->name, i);
		if (poolview_image(view, &rel->member[i], disk->look, disk->size, lab.image))
			violation(point, "%s: a chunk of member %u is damaged", rel->name, i);
		write_image(i, disk->size);
	}
}

/* In a child: it maps and keeps much, and its words matter only when it refuses. */
static noreturn void verify(const char *name, __u32 count, int out)
{
	char before[512], after[512], path[RECORDING_DISKS][512];
	char *argv[RECORDING_DISKS + 6];
	int argc = 0;

	snprintf(before, sizeof(before), "%s/%s.before", lab.dir, name);
	snprintf(after, sizeof(after), "%s/%s.after", lab.dir, name);
	/* nobody was told of this cut: what was issued in the end is a bound too */
	if (access(after, R_OK))
		snprintf(after, sizeof(after), "%s/last.after", lab.dir);
	argv[argc++] = "verify";
	argv[argc++] = "--before";
	argv[argc++] = before;
	argv[argc++] = "--after";
	argv[argc++] = after;
	for (__u32 i = 0; i < count; i++) {
		image_path(path[i], sizeof(path[i]), i);
		argv[argc++] = path[i];
	}
	argv[argc] = NULL;
	if (dup2(out, STDOUT_FILENO) < 0)
		die("no output");
	exit(stamp_verify_main(argc, argv));
}

static void judge(const struct poolview *view, const struct poolview_rel *rel, __u64 point)
{
	int status, out[2];
	char words[512] = "";
	ssize_t n;
	pid_t pid;

	make_images(view, rel, point);
	fflush(stdout);
	if (pipe(out))
		die("no pipe");
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (!pid)
		verify(rel->name, rel->count, out[1]);
	close(out[1]);
	n = read(out[0], words, sizeof(words) - 1);
	close(out[0]);
	if (waitpid(pid, &status, 0) < 0)
		die("the judge is gone");
	lab.judged++;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		violation(point, "%s: %.*s", rel->name, n > 0 ? (int)n : 0, words);
}

static void check_whole(const struct poolview_rel *rel, __u64 point)
{
	if (rel->count != lab.nr_members)
		violation(point, "%s has %u of %u members", rel->name, rel->count, lab.nr_members);
	for (__u32 i = 0; i < rel->count; i++)
		if (rel->member[i].state != rel->state || !rel->member[i].epoch)
			violation(point, "%s: member %u is not as the others", rel->name, i);
}

static void check_told(const struct poolview *view, const struct cut *cut, __u64 point)
{
	const struct poolview_rel *rel = poolview_rel(view, cut->name);

	if (cut->told == TAKEN && !rel)
		violation(point, "%s was acknowledged and is not there", cut->name);
	if (cut->told == TAKEN && rel->state != COHORT_COPY_STATE_SYNCHRONIZED)
		violation(point, "%s was acknowledged and is in state %u", cut->name, rel->state);
	if (cut->told == DROPPED && rel)
		violation(point, "%s was deleted and is there", cut->name);
}

/* All that are there are looked at; the images of the newest and of one other are judged. */
static void check_images(const struct poolview *view, struct rng *rng, __u64 point)
{
	const struct poolview_rel *newest = NULL, *other = NULL;

	for (__u32 i = 0; i < view->nr_rels; i++) {
		const struct poolview_rel *rel = &view->rel[i];

		if (rel->state != COHORT_COPY_STATE_SYNCHRONIZED)
			continue;
		check_whole(rel, point);
		if (!newest || rel->id > newest->id)
			newest = rel;
	}
	if (view->nr_rels)
		other = &view->rel[rng_next(rng) % view->nr_rels];
	if (newest)
		judge(view, newest, point);
	if (other && other != newest && other->state == COHORT_COPY_STATE_SYNCHRONIZED)
		judge(view, other, point);
}

static void check_point(struct rng *rng, __u64 point)
{
	bool promised = false;
	struct poolview view;
	int err = poolview_load(&view, lab.pool->look, lab.pool->size);

	for (__u32 i = 0; i < lab.nr_cuts; i++)
		promised |= lab.cut[i].told != NOTHING;
	if (err && (err != -ENOENT || promised))
		violation(point, "the pool does not load: %s (%d)", view.why, err);
	if (!err) {
		lab.loaded++;
		for (__u32 i = 0; i < lab.nr_cuts; i++)
			check_told(&view, &lab.cut[i], point);
		check_images(&view, rng, point);
	}
	poolview_free(&view);
}

/* The write that the power cut met: any of its sectors may be there. */
static void check_torn(struct rng *rng, const struct recording_entry *entry, const __u8 *data,
		       __u64 point)
{
	struct disk *disk = &lab.disk[entry->disk];
	__u8 *saved = alloc_buffer(entry->len);

	memcpy(saved, disk->live + entry->offset, entry->len);
	for (__u64 at = 0; at < entry->len; at += SECTOR)
		if (rng_next(rng) & 1)
			memcpy(disk->live + entry->offset + at, data + at, SECTOR);
	lab.torn++;
	check_point(rng, point);
	memcpy(disk->live + entry->offset, saved, entry->len);
	free(saved);
}

/* Of what was not flushed: nothing, all, or any of it. */
static void lose_some(struct disk *disk, struct rng *rng)
{
	__u64 mode = rng_below(rng, 3);

	for (__u32 i = 0; i < disk->nr_loose; i++) {
		struct loose *l = &disk->loose[i];
		bool stays = l->fua || mode == 1 || (mode == 2 && rng_below(rng, 2));

		l->saved = NULL;
		if (!stays)
			continue;
		l->saved = alloc_buffer(l->len);
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

static void check_lossy(struct rng *rng, __u64 point)
{
	for (__u32 i = 0; i < RECORDING_DISKS; i++)
		lose_some(&lab.disk[i], rng);
	lab.lossy++;
	check_point(rng, point);
	for (__u32 i = 0; i < RECORDING_DISKS; i++)
		take_back(&lab.disk[i]);
}

static void check_before(struct rng *rng, const struct recording_entry *entry, const __u8 *data,
			 __u64 point)
{
	bool can_tear = entry->kind == RECORDING_WRITE && entry->len > SECTOR &&
			&lab.disk[entry->disk] != lab.marks;

	if (rng_below(rng, 2))
		check_lossy(rng, point);
	else if (can_tear && rng_below(rng, 2))
		check_torn(rng, entry, data, point);
	else
		check_point(rng, point);
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

/* Meets the disks, too. */
static __u64 count_entries(void)
{
	struct recording_entry entry;
	struct recording rec;
	const __u8 *data;
	__u64 disks = 0;

	recording_open(&rec, lab.path);
	while (next_entry(&rec, &entry, &data)) {
		if (entry.kind != RECORDING_DISK)
			continue;
		add_disk(&entry, data);
		disks++;
	}
	if (!lab.pool || !lab.marks || !lab.nr_members || rec.number <= disks)
		die("%s: no recording of a pool, marks and members", lab.path);
	lab.image = alloc_buffer(lab.pool->size);
	return rec.number - disks;
}

/* Out of @left candidates, @wanted are still to be taken. */
static bool chosen(struct rng *rng, __u64 *left, __u64 *wanted)
{
	bool yes = *left && rng_next(rng) % *left < *wanted;

	*left -= !!*left;
	*wanted -= yes;
	return yes;
}

static void run(__u64 points, struct rng *rng)
{
	__u64 entries = count_entries(), left = entries, wanted = points;
	struct recording_entry entry;
	struct recording rec;
	const __u8 *data;

	recording_open(&rec, lab.path);
	while (next_entry(&rec, &entry, &data)) {
		if (entry.kind == RECORDING_DISK)
			continue;
		if (chosen(rng, &left, &wanted))
			check_before(rng, &entry, data, rec.number - 1);
		apply(&entry, data);
	}
	check_point(rng, rec.number);
	printf("crashlab: %llu points of %llu entries, ", points - wanted + 1, entries);
	printf("%llu within a write, %llu with caches lost; ", lab.torn, lab.lossy);
	printf("%llu with a pool, %llu snapshots judged, 0 violations\n", lab.loaded, lab.judged);
}

int main(int argc, char **argv)
{
	struct rng rng;

	tool = "crashlab";
	if (argc != 5)
		die("usage: crashlab RECORDING DIR POINTS SEED");
	lab.path = argv[1];
	lab.dir = argv[2];
	rng.state = parse_number("SEED", argv[4]);
	run(parse_number("POINTS", argv[3]), &rng);
	return lab.judged ? 0 : EXIT_CANNOT;
}
