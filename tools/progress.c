// SPDX-License-Identifier: GPL-2.0-or-later
/* A bar at a terminal while a job works. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define SLICE_MS	200	/* between two looks at the progress */
#define BAR_WIDTH	40
#define NS_PER_S	1e9

bool progress_is_drawn(const struct app *app)
{
	return isatty(STDERR_FILENO) && !app->opts.json;
}

double progress_rate(const struct cohort_job *job)
{
	const uint64_t worked = job->elapsed > job->suspended ? job->elapsed - job->suspended : 0;

	return worked ? (double)job->done * NS_PER_S / (double)worked : 0;
}

double progress_seconds_left(const struct cohort_job *job)
{
	const double rate = progress_rate(job);

	return rate > 0 && job->total >= job->done ? (double)(job->total - job->done) / rate : -1;
}

static void draw_bar(const struct cohort_job *job)
{
	const unsigned int percent = job->percent > 100 ? 100 : job->percent;
	const double left = progress_seconds_left(job);

	fprintf(stderr, "\r[%-*.*s] %3u %%", BAR_WIDTH, (int)percent * BAR_WIDTH / 100,
		"########################################", percent);
	if (job->state == COHORT_JOB_STATE_SUSPENDED)
		fputs(", suspended", stderr);
	else if (left >= 0)
		fprintf(stderr, ", %.0f MB/s, %.0f s left", progress_rate(job) / 1e6, left);
	fputs("\033[K", stderr);
}

int64_t progress_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int wait_drawn(struct app *app, uint64_t id, struct cohort_job **job)
{
	int64_t end = progress_ms() + app->timeout_ms;
	int64_t left = SLICE_MS;
	int rc;

	do {
		cohort_job_free(*job);
		*job = NULL;
		if (app->timeout_ms >= 0)
			left = end - progress_ms();
		if (left > SLICE_MS)
			left = SLICE_MS;
		rc = cohort_job_wait(app->ctx, id, left > 0 ? (int)left : 0, job);
		if (*job)
			draw_bar(*job);
	} while ((rc == COHORT_RESULT_TIMEOUT || rc == COHORT_RESULT_JOB_STARTED) && left > 0 &&
		 !(*job && (*job)->state >= COHORT_JOB_STATE_COMPLETED));
	fputs("\r\033[K", stderr);
	return rc;
}

int progress_wait(struct app *app, uint64_t id, struct cohort_job **job)
{
	return progress_is_drawn(app) ? wait_drawn(app, id, job) :
		cohort_job_wait(app->ctx, id, app->timeout_ms, job);
}
