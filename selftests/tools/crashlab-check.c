// SPDX-License-Identifier: GPL-2.0-or-later
/* crashlab-check.c - judges one point: the pool, the images, the members themselves */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/cohort.h>

#include "crashlab.h"
#include "crashlab-clone.h"
#include "memstore.h"

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

static void write_image(__u32 i, const __u8 *data, __u64 size)
{
	char path[512];
	int fd;

	image_path(path, sizeof(path), i);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, size) || write_full(fd, data, size, 0))
		die("cannot write %s", path);
	close(fd);
}

static void make_images(struct store *store, const struct cohort_disk_rel *rel, __u64 point)
{
	for (__u32 i = 0; i < le32_to_cpu(rel->count); i++) {
		const struct cohort_disk_source *source =
			store_source(store, le32_to_cpu(rel->member[i].source));
		const struct disk *disk = source ? member_of((const char *)source->name) : NULL;

		if (!disk || le64_to_cpu(source->size) != disk->size)
			lab_violation(point, "%s: member %u is no source of this pool", rel->name,
				      i);
		if (store_image(store, rel, i, disk->look, disk->size, lab.image))
			lab_violation(point, "%s: a chunk of member %u is damaged", rel->name, i);
		write_image(i, lab.image, disk->size);
	}
}

/* The images that were written, against two files of bounds; @more: options, up to a NULL. */
static void verify(const char *what, const char *before, const char *after, __u32 count,
		   const char *const *more, __u64 point)
{
	char path[RECORDING_DISKS][512], words[512];
	const char *argv[RECORDING_DISKS + 12] = {
		"verify", "--before", before, "--after", after,
	};
	int argc = 5;

	while (*more)
		argv[argc++] = *more++;
	for (__u32 i = 0; i < count; i++) {
		image_path(path[i], sizeof(path[i]), i);
		argv[argc++] = path[i];
	}
	if (stamp_verify_forked(argc, (char **)argv, words, sizeof(words)))
		lab_violation(point, "%s: %s", what, words);
}

static void judge(struct store *store, const struct cohort_disk_rel *rel, __u64 point)
{
	static const char *const no_more[] = { NULL };
	char before[512], after[512];

	make_images(store, rel, point);
	snprintf(before, sizeof(before), "%s/%s.before", lab.dir, rel->name);
	snprintf(after, sizeof(after), "%s/%s.after", lab.dir, rel->name);
	/* nobody was told of this cut: what was issued in the end is a bound too */
	if (access(after, R_OK))
		snprintf(after, sizeof(after), "%s/last.after", lab.dir);
	lab.judged++;
	verify((const char *)rel->name, before, after, le32_to_cpu(rel->count), no_more, point);
}

static bool is_written(const struct cohort_disk_rel *rel)
{
	return !strcmp((const char *)rel->name, RECORDING_WRITTEN);
}

static __u32 state_of(const struct cohort_disk_rel *rel)
{
	return le32_to_cpu(rel->state);
}

static void check_whole(const struct cohort_disk_rel *rel, __u64 point)
{
	const __u32 count = le32_to_cpu(rel->count);

	if (count != lab.nr_members)
		lab_violation(point, "%s has %u of %u members", rel->name, count,
			      lab.nr_members);
	for (__u32 i = 0; i < count; i++)
		if (rel->member[i].state != rel->state || !rel->member[i].epoch)
			lab_violation(point, "%s: member %u is not as the others", rel->name, i);
}

static void check_told(const struct store *store, const struct cut *cut, __u64 point)
{
	const struct store_record *rel = store_find_rel(store, cut->name);

	if (cut->told == TAKEN && !rel)
		lab_violation(point, "%s was acknowledged and is not there", cut->name);
	if (cut->told == TAKEN && state_of(rel->data) != COHORT_COPY_STATE_SYNCHRONIZED)
		lab_violation(point, "%s was acknowledged and is in state %u", cut->name,
			      state_of(rel->data));
	if (cut->told == DROPPED && rel)
		lab_violation(point, "%s was deleted and is there", cut->name);
}

/* Number @nth of the relationships, NULL behind the last. */
static const struct store_record *nth_rel(const struct store *store, __u64 nth)
{
	for (__u32 i = 0; i < store->nr_records; i++)
		if (store->record[i].type == COHORT_REC_REL && !nth--)
			return &store->record[i];
	return NULL;
}

/* All that are there are looked at; the images of the newest and of one other are judged. */
static void check_images(struct store *store, struct rng *rng, __u64 point)
{
	const struct store_record *newest = NULL, *other = NULL, *rel;
	__u64 count;

	for (count = 0; (rel = nth_rel(store, count)); count++) {
		if (state_of(rel->data) != COHORT_COPY_STATE_SYNCHRONIZED ||
		    store_is_clone(rel->data))
			continue;
		check_whole(rel->data, point);
		if (is_written(rel->data)) {
			check_written(store, rel->data, point);
			continue;
		}
		if (!newest || rel->id > newest->id)
			newest = rel;
	}
	if (count)
		other = nth_rel(store, rng_next(rng) % count);
	if (newest)
		judge(store, newest->data, point);
	if (other && other != newest && !is_written(other->data) &&
	    !store_is_clone(other->data) &&
	    state_of(other->data) == COHORT_COPY_STATE_SYNCHRONIZED)
		judge(store, other->data, point);
}

static void write_bounds(const char *path, const struct stamp_bounds *bounds)
{
	FILE *f = fopen(path, "w");

	if (!f)
		die("cannot write %s", path);
	stamp_bounds_print(bounds, f);
	if (fclose(f))
		die("cannot write %s", path);
}

/* The members hold what was acknowledged: all of it, or with caches lost what was flushed too. */
static void check_sources(__u64 point)
{
	char before[512], after[512], chains[16];
	const char *const more[] = { "--allow-torn", "--chains", chains, NULL };
	struct stamp_bounds acked, issued;
	const __u32 count = told_bounds(&acked, &issued);

	if (!count)
		return;
	snprintf(chains, sizeof(chains), "%u", count);
	snprintf(before, sizeof(before), "%s/sources.before", lab.dir);
	snprintf(after, sizeof(after), "%s/sources.after", lab.dir);
	write_bounds(before, &acked);
	write_bounds(after, &issued);
	for (__u32 i = 0; i < lab.nr_members; i++)
		write_image(i, lab.member[i]->look, lab.member[i]->size);
	lab.sources++;
	verify("the sources", before, after, lab.nr_members, more, point);
}

void check_point(struct rng *rng, __u64 point)
{
	struct store store;
	int err = memstore_load(&store, lab.pool->look, lab.pool->size);

	if (err && (err != -ENOENT || lab.nr_cuts || clone_now.number))
		lab_violation(point, "the pool does not load: %s (%d)", store.why, err);
	if (!err) {
		lab.loaded++;
		lab.with_runs += store.sb.log_start > 0;
		for (__u32 i = 0; i < lab.nr_cuts; i++)
			check_told(&store, &lab.cut[i], point);
		check_images(&store, rng, point);
		if (lab.nr_targets)
			check_clone(&store, point);
	}
	store_free(&store);
	check_sources(point);
}
