// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cutmany: takes and deletes snapshots whose names are on stdin, one a line.
 *
 *	cutmany take CHUNKS SEED MEMBER...	writes CHUNKS chunks of each behind each
 *	cutmany drop				each name is told when it is gone
 *	cutmany images				the images that are missing are made
 *
 * Taking makes no images: a thousand devices would cost a guest more than all
 * the rest, and snapshots are kept without them anyway. They are made for
 * those that somebody reads.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuts.h"
#include "util.h"

#define CHUNK	4096
/* How long a job is left alone before it is asked for again. */
#define ASK_NS	500000

static struct rng rng;

static int take(struct cuts *cuts, const char *name, __u64 *job)
{
	struct cohort_reply *reply = NULL;
	struct cohort_request request;
	int ret;

	cohort_request_init(&request);
	request.sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	request.relationship_name = name;
	request.source_elements = (const char *const *)cuts->members;
	request.source_elements_count = cuts->nr_members;
	request.timeout_ms = 0;
	ret = cohort_create_group_replica_from_elements(cuts->ctx, &request, &reply);
	if (ret != COHORT_RESULT_JOB_STARTED)
		return ret ? ret : COHORT_RESULT_FAILED;
	*job = reply->job;
	cohort_reply_free(reply);
	return 0;
}

/* Who waits by cohort_job_wait() has the images made. */
static void wait_for(struct cuts *cuts, const char *name, __u64 id)
{
	struct cohort_job *job;
	bool ended = false;

	while (!ended) {
		if (cohort_job_get(cuts->ctx, id, &job))
			cuts_give_up(cuts, "no job of", name);
		ended = job->state >= COHORT_JOB_STATE_COMPLETED;
		if (ended && job->state != COHORT_JOB_STATE_COMPLETED)
			die("no cut %s: %s", name, job->message);
		cohort_job_free(job);
		if (!ended)
			sleep_ns(ASK_NS);
	}
}

/* All at one place: chunks written one by one cost the pool a batch each. */
static void overwrite(struct device *dev, __u64 chunks)
{
	const __u64 len = chunks * CHUNK;
	__u64 *words;

	if (!chunks || len > dev->size)
		return;
	words = alloc_buffer(len);
	for (size_t i = 0; i < len / sizeof(*words); i++)
		words[i] = rng_next(&rng);
	if (write_full(dev->fd, words, len, rng_below(&rng, (dev->size - len) / CHUNK + 1) * CHUNK))
		die("cannot write to %s", dev->path);
	free(words);
}

/* The next line of stdin; false: there are no more. */
static bool next_name(char name[CUT_NAME_LEN])
{
	if (!fgets(name, CUT_NAME_LEN, stdin))
		return false;
	name[strcspn(name, "\n")] = '\0';
	return true;
}

static void take_all(struct cuts *cuts, __u64 chunks)
{
	struct device *dev = alloc_array(cuts->nr_members, sizeof(*dev));
	char name[CUT_NAME_LEN];
	__u64 job;

	for (int i = 0; i < cuts->nr_members; i++)
		device_open(&dev[i], cuts->members[i], O_WRONLY);
	while (next_name(name)) {
		if (take(cuts, name, &job))
			cuts_give_up(cuts, "no cut", name);
		wait_for(cuts, name, job);
		for (int i = 0; i < cuts->nr_members; i++)
			overwrite(&dev[i], chunks);
	}
	for (int i = 0; i < cuts->nr_members; i++)
		device_close(&dev[i]);
	free(dev);
}

static void drop_all(struct cuts *cuts)
{
	char name[CUT_NAME_LEN];

	while (next_name(name)) {
		if (cuts_drop(cuts, name))
			cuts_give_up(cuts, "cannot delete", name);
		puts(name);
		fflush(stdout);
	}
}

static void make_images(struct cuts *cuts)
{
	char name[CUT_NAME_LEN];

	while (next_name(name))
		if (cohort_images_create(cuts->ctx, name))
			cuts_give_up(cuts, "no images of", name);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	const bool takes = !strcmp(verb, "take") && argc > 4;
	struct cuts cuts;

	tool = "cutmany";
	if (!takes && (argc != 2 || (strcmp(verb, "drop") && strcmp(verb, "images"))))
		die("usage: cutmany take CHUNKS SEED MEMBER... | drop | images");
	cuts_open(&cuts, NULL, takes ? argv + 4 : NULL, takes ? argc - 4 : 0);
	if (takes) {
		rng.state = parse_number("SEED", argv[3]);
		take_all(&cuts, parse_number("CHUNKS", argv[2]));
	} else if (!strcmp(verb, "drop")) {
		drop_all(&cuts);
	} else {
		make_images(&cuts);
	}
	cuts_close(&cuts);
	return 0;
}
