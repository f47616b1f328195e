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
#include "poolview.h"

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

static void make_images(const struct poolview *view, const struct poolview_rel *rel, __u64 point)
{
	for (__u32 i = 0; i < rel->count; i++) {
		const struct poolview_source *source = poolview_source(view, rel->member[i].source);
		const struct disk *disk = source ? member_of(source->name) : NULL;

		if (!disk || source->size != disk->size)
			lab_violation(point, "%s: member %u is no source of this pool", rel->name,
				      i);
		if (poolview_image(view, &rel->member[i], disk->look, disk->size, lab.image))
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

static void judge(const struct poolview *view, const struct poolview_rel *rel, __u64 point)
{
	static const char *const no_more[] = { NULL };
	char before[512], after[512];

	make_images(view, rel, point);
	snprintf(before, sizeof(before), "%s/%s.before", lab.dir, rel->name);
	snprintf(after, sizeof(after), "%s/%s.after", lab.dir, rel->name);
	/* nobody was told of this cut: what was issued in the end is a bound too */
	if (access(after, R_OK))
		snprintf(after, sizeof(after), "%s/last.after", lab.dir);
	lab.judged++;
	verify(rel->name, before, after, rel->count, no_more, point);
}

static void check_whole(const struct poolview_rel *rel, __u64 point)
{
	if (rel->count != lab.nr_members)
		lab_violation(point, "%s has %u of %u members", rel->name, rel->count,
			      lab.nr_members);
	for (__u32 i = 0; i < rel->count; i++)
		if (rel->member[i].state != rel->state || !rel->member[i].epoch)
			lab_violation(point, "%s: member %u is not as the others", rel->name, i);
}

static void check_told(const struct poolview *view, const struct cut *cut, __u64 point)
{
	const struct poolview_rel *rel = poolview_rel(view, cut->name);

	if (cut->told == TAKEN && !rel)
		lab_violation(point, "%s was acknowledged and is not there", cut->name);
	if (cut->told == TAKEN && rel->state != COHORT_COPY_STATE_SYNCHRONIZED)
		lab_violation(point, "%s was acknowledged and is in state %u", cut->name,
			      rel->state);
	if (cut->told == DROPPED && rel)
		lab_violation(point, "%s was deleted and is there", cut->name);
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
	struct poolview view;
	int err = poolview_load(&view, lab.pool->look, lab.pool->size);

	if (err && (err != -ENOENT || lab.nr_cuts))
		lab_violation(point, "the pool does not load: %s (%d)", view.why, err);
	if (!err) {
		lab.loaded++;
		for (__u32 i = 0; i < lab.nr_cuts; i++)
			check_told(&view, &lab.cut[i], point);
		check_images(&view, rng, point);
	}
	poolview_free(&view);
	check_sources(point);
}
