// SPDX-License-Identifier: GPL-2.0-or-later
/* Clones at a terminal: the bar while one is copied, and those that are down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clones.h"
#include "output.h"
#include "progress.h"

/* The job begins, and the state follows its end, without anybody who waits. */
#define LOOK_US		50000
#define LOOKS		100

static uint64_t copy_job(struct app *app, const char *name)
{
	const struct cohort_job *job;
	struct cohort_job *list = NULL;
	uint64_t id = 0;

	if (cohort_job_list(app->ctx, &list))
		return 0;
	cohort_foreach(job, list)
		if (job->method == COHORT_METHOD_RELATIONSHIP_COPY && job->relationship &&
		    !strcmp(job->relationship, name) && job->state < COHORT_JOB_STATE_COMPLETED)
			id = job->id;
	cohort_job_free(list);
	return id;
}

static bool is_whole(const struct cohort_relationship *rel)
{
	return rel && rel->copy_state == COHORT_COPY_STATE_SYNCHRONIZED;
}

/* What it is now, in place of what it was. */
static int look_again(struct app *app, struct cohort_reply *reply)
{
	struct cohort_relationship *rel = NULL;
	int rc = cohort_relationship_get(app->ctx, reply->name, &rel);

	if (rc)
		return rc;
	cohort_relationship_free(reply->synchronization);
	reply->synchronization = rel;
	return 0;
}

int clones_wait_drawn(struct app *app, struct cohort_reply *reply)
{
	struct cohort_job *job = NULL;
	uint64_t id;
	int rc = 0;

	for (int i = 0; !rc && i < LOOKS && !is_whole(reply->synchronization); i++) {
		id = copy_job(app, reply->name);
		if (id) {
			reply->job = id;
			rc = progress_wait(app, id, &job);
			cohort_job_free(job);
			job = NULL;
		} else {
			usleep(LOOK_US);
		}
		if (!rc)
			rc = look_again(app, reply);
	}
	return rc;
}

void clones_say_missing(struct app *app, const char *pool)
{
	const struct cohort_relationship *rel;
	struct cohort_relationship *list = NULL;
	struct cohort_error error;

	if (cohort_relationship_list(app->ctx, &list))
		return;
	cohort_foreach(rel, list) {
		if (rel->sync_type != COHORT_SYNC_TYPE_CLONE || !rel->pool ||
		    strcmp(rel->pool, pool) || !cohort_images_create(app->ctx, rel->name))
			continue;
		cohort_get_error(app->ctx, &error);
		fprintf(stderr, "cohortctl: %s: not all of it is up: %s\n", rel->name,
			error.message);
	}
	cohort_relationship_free(list);
}

static void say_larger(struct app *app, const struct cohort_member *member, const char *path)
{
	char *size = output_size(app, member->target->size);
	char *used = output_size(app, member->size);

	if (size && used)
		printf("%s: target %s has %s, %s of it are used\n", member->name, path, size, used);
	free(size);
	free(used);
}

void clones_say_larger(struct app *app, const struct cohort_relationship *rel)
{
	const struct strings *paths = &app->opts.targets;
	const struct cohort_member *member;
	size_t i = 0;

	cohort_foreach(member, rel->members) {
		if (i < paths->n && member->target && member->target->size > member->size)
			say_larger(app, member, paths->v[i]);
		i++;
	}
}

/* As device-mapper calls it, by which a volume is known to people. */
static void name_of(const char *number, char *name, size_t size)
{
	char path[64], line[200];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/dev/block/%.31s/dm/name", number);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(name, size, "/dev/mapper/%s", line);
	} else {
		snprintf(name, size, "%s", number);
	}
	if (f)
		fclose(f);
}

void clones_say_targets(const struct cohort_relationship *rel)
{
	const struct cohort_member *member;
	char name[256];

	cohort_foreach(member, rel->members) {
		if (!member->target || !member->target->dev)
			continue;
		name_of(member->target->dev, name, sizeof(name));
		printf("%s: target %s\n", member->name, name);
	}
}
