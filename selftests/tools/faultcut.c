// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * faultcut: breaks a disk of a group at a random moment of a cut, heals it, looks at what there is.
 *
 *	faultcut members|pool TRIALS SEED COUNT
 *
 * The stage: sources m1 to mCOUNT on slow1... on slice1...; their pool p on
 * slowstore on store. It is the slices, or the store, that fail: what is above
 * them takes its time, so that each phase of a cut lasts, and what was on its
 * way meets the fault. The moments are spread over as long as a cut takes here, or
 * twice as long for the pool, half of them over the first quarter: what members are
 * asked for is over soon, while a pool has to fail behind a cut, too.
 *
 * Chains of writes go on all the time. A cut that was refused must have left
 * nothing; one that was taken must be one instant on all members, or broken on
 * all if the pool failed, also when the pool comes up again. No chain may stop,
 * and none may see an error that its own disk did not make.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cuts.h"
#include "faulty.h"
#include "stamp.h"

#define MEMBERS_MAX 8
#define NAME_LEN 24
#define STATE "state"
#define POOL "p"
#define POOL_DISK "/dev/mapper/slowstore"
#define CUT "r"
#define WARM_WRITES 50
#define MEASURED_CUTS 5
#define HOLD_MS 300
#define PATIENCE_NS 60000000000ULL
#define POLL_NS 5000000

struct lab {
	struct cuts cuts;
	struct stamp_state *st;
	struct rng rng;
	bool pool;			/* it is the victim */
	struct faulty device[MEMBERS_MAX];	/* members, or only the pool's */
	char slice[MEMBERS_MAX][NAME_LEN], disk[MEMBERS_MAX][NAME_LEN + 12];
	char member[MEMBERS_MAX][NAME_LEN], *members[MEMBERS_MAX];
	unsigned int count;
	bool can[FAULTS_MAX];			/* per fault: this kernel has it */
	unsigned int taken, refused, lost, failed;
	unsigned int trials;
	__u64 cut_ns;				/* how long one takes when all is well */
	pid_t writers;
};

struct trial {
	unsigned int number;
	unsigned int victim;		/* of lab->device */
	const struct fault *fault;
	unsigned int delay_ms, hold_ms;
	__u64 errors[MEMBERS_MAX];	/* that the chains had met before */
};

static noreturn void violation(struct lab *lab, const struct trial *t, const char *what)
{
	struct cohort_error e = { 0 };

	cohort_get_error(lab->cuts.ctx, &e);
	die("trial %u, %s of %s: %s; last words: %s", t->number, t->fault->name,
	    lab->device[t->victim].name, what, e.message);
}

/* ---- the chains ---- */

static void wait_for_writes(struct lab *lab, __u64 writes)
{
	const __u64 deadline = now_ns() + PATIENCE_NS;

	lab->st = NULL;
	while (!lab->st || stamp_acked(lab->st) < writes) {
		if (now_ns() > deadline)
			die("the writers do not begin");
		sleep_ns(POLL_NS);
		if (!lab->st)
			lab->st = stamp_state_try(STATE);
	}
}

static void start_writers(struct lab *lab)
{
	static const char *const options[] = {
		"write", "--state", STATE, "--chains", "8", "--slots", "2", "--dsync", "10",
		"--retry", "--size-mix", "512..16K",
	};
	char *argv[ARRAY_SIZE(options) + MEMBERS_MAX + 1] = { 0 };
	int argc = 0;

	for (; argc < (int)ARRAY_SIZE(options); argc++)
		argv[argc] = strdup(options[argc]);
	for (unsigned int i = 0; i < lab->count; i++)
		if (asprintf(&argv[argc++], "/dev/mapper/%s", lab->members[i]) < 0)
			die("no memory");
	if (unlink(STATE) && lab->st)
		die("%s: cannot be removed", STATE);
	fflush(stdout);
	lab->writers = fork();
	if (lab->writers < 0)
		die("cannot fork");
	if (!lab->writers) {
		/* a violation must not leave them behind */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		exit(stamp_write_main(argc, argv));
	}
	while (argc--)
		free(argv[argc]);
	wait_for_writes(lab, WARM_WRITES);
}

static void stop_writers(struct lab *lab)
{
	int status;

	lab->st->control = STAMP_STOP;
	if (waitpid(lab->writers, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		die("the writers did not end well");
}

/* Each chain has begun another write since, and ended it. */
static bool all_went_on(const struct lab *lab, const __u64 *acked)
{
	for (__u32 c = 0; c < lab->st->geo.chains; c++)
		if (lab->st->chain[c].acked < acked[c] + 2)
			return false;
	return true;
}

static void wait_for_all(struct lab *lab, const struct trial *t)
{
	const __u64 deadline = now_ns() + PATIENCE_NS;
	__u64 acked[STAMP_MAX_CHAINS];

	for (__u32 c = 0; c < lab->st->geo.chains; c++)
		acked[c] = lab->st->chain[c].acked;
	while (!all_went_on(lab, acked)) {
		if (now_ns() > deadline)
			violation(lab, t, "a chain of writes does not go on");
		sleep_ns(POLL_NS);
	}
}

static void check_errors(struct lab *lab, const struct trial *t)
{
	for (unsigned int i = 0; i < lab->count; i++) {
		const bool may_fail = !lab->pool && i == t->victim && t->fault->writes;

		if (!may_fail && lab->st->errors[i] != t->errors[i])
			violation(lab, t, "a write failed that had no reason to");
	}
}

/* ---- the fault ---- */

/* In a child: the call that takes the cut blocks. */
static pid_t begin_fault(struct lab *lab, const struct trial *t)
{
	const struct faulty *device = &lab->device[t->victim];
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (pid)
		return pid;
	sleep_ns(t->delay_ms * 1000000ULL);
	faulty_break(device, t->fault, &lab->rng);
	sleep_ns(t->hold_ms * 1000000ULL);
	faulty_heal(device);
	exit(0);
}

static void end_fault(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0 || status)
		die("a table could not be exchanged");
}

/* ---- what there is ---- */

static bool device_there(const char *name, unsigned int i)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/mapper/%s_%u", name, i);
	return !access(path, F_OK);
}

static void check_absent(struct lab *lab, const struct trial *t)
{
	struct cohort_relationship *rels = NULL;
	struct cohort_group *groups = NULL;

	if (cohort_relationship_list(lab->cuts.ctx, &rels) ||
	    cohort_group_list(lab->cuts.ctx, &groups))
		violation(lab, t, "cannot look");
	if (rels || groups)
		violation(lab, t, "a cut that was refused is there");
	for (unsigned int i = 1; i <= lab->count; i++)
		if (device_there(CUT, i))
			violation(lab, t, "a cut that was refused has an image");
}

static bool is_there(struct lab *lab)
{
	struct cohort_relationship *rel = NULL;

	if (cohort_relationship_get(lab->cuts.ctx, CUT, &rel))
		return false;
	cohort_relationship_free(rel);
	return true;
}

static void check_broken(struct lab *lab, const struct trial *t)
{
	struct cohort_relationship *rel = NULL;
	const struct cohort_member *member;

	if (cohort_relationship_get(lab->cuts.ctx, CUT, &rel))
		violation(lab, t, "a cut that was taken is gone");
	for (member = rel->members; member; member = member->next)
		if (member->copy_state != COHORT_COPY_STATE_BROKEN)
			violation(lab, t, "a member is not broken, and its pool failed");
	cohort_relationship_free(rel);
}

static bool can_be_read(const char *name, unsigned int i)
{
	struct device dev;
	char path[64], *buf = alloc_buffer(1 << 16);
	bool good = true;

	snprintf(path, sizeof(path), "/dev/mapper/%s_%u", name, i);
	device_open(&dev, path, O_RDONLY);
	for (__u64 off = 0; good && off < dev.size; off += 1 << 16)
		good = !read_full(dev.fd, buf, 1 << 16, off);
	device_close(&dev);
	free(buf);
	return good;
}

/* What could not be read when it was about to be overwritten is missing, on that member alone. */
static void check_readable(struct lab *lab, const struct trial *t)
{
	for (unsigned int i = 0; i < lab->count; i++)
		if (i != t->victim && !can_be_read(CUT, i + 1))
			violation(lab, t, "an image can not be read, and its disk is good");
	lab->lost++;
}

static bool pool_failed(struct lab *lab)
{
	struct cohort_pool *pool = NULL;
	bool failed;

	if (cohort_pool_get(lab->cuts.ctx, POOL, &pool))
		cuts_give_up(&lab->cuts, "no pool", POOL);
	failed = pool->state == COHORT_POOL_STATE_FAILED;
	cohort_pool_free(pool);
	return failed;
}

/* Of a cut that was taken. Not consistent is right only where something of it can not be read. */
static void check_taken(struct lab *lab, const struct trial *t)
{
	const int status = cuts_judge(&lab->cuts, CUT);

	if (!status || (lab->pool && status == EXIT_CANNOT && pool_failed(lab)))
		return;
	if (lab->pool || status != EXIT_CANNOT || !t->fault->reads)
		violation(lab, t, "a cut that was taken is not one instant");
	check_readable(lab, t);
}

static void drop(struct lab *lab, const struct trial *t)
{
	if (cuts_drop(&lab->cuts, CUT))
		violation(lab, t, "can not be deleted");
	check_absent(lab, t);
}

/* ---- a pool that failed ---- */

/* A failed pool can not note that its sources went; that they go is what counts. */
static void detach_all(struct lab *lab, const struct trial *t)
{
	char path[64];

	for (unsigned int i = 0; i < lab->count; i++) {
		cohort_detach(lab->cuts.ctx, lab->members[i], COHORT_WAIT_FOREVER, NULL);
		snprintf(path, sizeof(path), "/dev/mapper/%s", lab->members[i]);
		if (!access(path, F_OK))
			violation(lab, t, "a source can not be detached");
	}
}

static void restart(struct lab *lab, const struct trial *t)
{
	stop_writers(lab);
	detach_all(lab, t);
	if (cohort_pool_close(lab->cuts.ctx, POOL) ||
	    cohort_pool_open(lab->cuts.ctx, POOL_DISK, NULL))
		violation(lab, t, "the pool does not come up again");
	for (unsigned int i = 0; i < lab->count; i++)
		if (cohort_attach(lab->cuts.ctx, POOL, lab->members[i], lab->disk[i], 0,
				  COHORT_WAIT_FOREVER, NULL))
			violation(lab, t, "a source can not be attached again");
}

/*
 * A cut whose images could no longer be made was refused, and is there, broken:
 * a pool that has failed can not note that it goes.
 */
static void check_failed(struct lab *lab, const struct trial *t, bool taken)
{
	if (taken || is_there(lab))
		check_broken(lab, t);
	else
		check_absent(lab, t);
}

static void bring_up_again(struct lab *lab, const struct trial *t, bool taken)
{
	lab->failed++;
	check_failed(lab, t, taken);
	restart(lab, t);
	check_failed(lab, t, taken);
	if (is_there(lab))
		drop(lab, t);
	start_writers(lab);
}

/* ---- one trial ---- */

static int compare(const void *a, const void *b)
{
	const __u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return (x > y) - (x < y);
}

/* The median of a few. */
static void measure(struct lab *lab)
{
	__u64 took[MEASURED_CUTS];

	for (int i = 0; i < MEASURED_CUTS; i++) {
		const __u64 begin = now_ns();

		if (cuts_take(&lab->cuts, CUT))
			cuts_give_up(&lab->cuts, "no cut", CUT);
		took[i] = now_ns() - begin;
		if (cuts_drop(&lab->cuts, CUT))
			cuts_give_up(&lab->cuts, "cannot delete", CUT);
	}
	qsort(took, MEASURED_CUTS, sizeof(*took), compare);
	lab->cut_ns = took[MEASURED_CUTS / 2];
	printf("faultcut: a cut takes %llu ms\n", lab->cut_ns / 1000000);
}

/* Each trial has a part of the span for itself. */
static unsigned int draw_delay_ms(struct lab *lab, unsigned int number)
{
	const double at = (number - 1 + rng_below(&lab->rng, 1000) / 1000.0) / lab->trials;

	return (lab->pool ? 2 : 1) * lab->cut_ns * at * at / 1000000;
}

static const struct fault *draw_fault(struct lab *lab)
{
	unsigned int i;

	do {
		i = rng_below(&lab->rng, nr_faults);
	} while (!lab->can[i] || (lab->pool && !faults[i].writes));
	return &faults[i];
}

static void draw(struct lab *lab, struct trial *t, unsigned int number)
{
	t->number = number;
	t->victim = lab->pool ? 0 : rng_below(&lab->rng, lab->count);
	t->fault = draw_fault(lab);
	t->delay_ms = draw_delay_ms(lab, number);
	t->hold_ms = rng_below(&lab->rng, HOLD_MS);
	for (unsigned int i = 0; i < lab->count; i++)
		t->errors[i] = lab->st->errors[i];
}

static void report(struct lab *lab, const struct trial *t, bool taken)
{
	struct cohort_error e = { 0 };

	cohort_get_error(lab->cuts.ctx, &e);
	printf("faultcut: %u: %s of %s after %u ms for %u ms: %s%s\n", t->number, t->fault->name,
	       lab->device[t->victim].name, t->delay_ms, t->hold_ms, taken ? "taken" : "refused: ",
	       taken ? "" : e.message);
	lab->taken += taken;
	lab->refused += !taken;
}

static void run_trial(struct lab *lab, unsigned int number)
{
	struct trial t;
	bool taken;
	pid_t pid;

	draw(lab, &t, number);
	pid = begin_fault(lab, &t);
	taken = !cuts_take(&lab->cuts, CUT);
	report(lab, &t, taken);
	end_fault(pid);
	wait_for_all(lab, &t);
	check_errors(lab, &t);
	if (lab->pool && pool_failed(lab)) {
		bring_up_again(lab, &t, taken);
		return;
	}
	if (!taken) {
		check_absent(lab, &t);
		return;
	}
	check_taken(lab, &t);
	if (lab->pool && pool_failed(lab))
		bring_up_again(lab, &t, taken);
	else
		drop(lab, &t);
}

static void open_lab(struct lab *lab, const char *victim, unsigned int count)
{
	lab->pool = !strcmp(victim, "pool");
	if (!lab->pool && strcmp(victim, "members"))
		die("%s: neither members nor pool", victim);
	if (!count || count > MEMBERS_MAX)
		die("COUNT: 1 to %u", MEMBERS_MAX);
	lab->count = count;
	for (unsigned int i = 0; i < count; i++) {
		snprintf(lab->member[i], NAME_LEN, "m%u", i + 1);
		snprintf(lab->slice[i], NAME_LEN, "slice%u", i + 1);
		snprintf(lab->disk[i], sizeof(lab->disk[i]), "/dev/mapper/slow%u", i + 1);
		lab->members[i] = lab->member[i];
		if (!lab->pool)
			faulty_open(&lab->device[i], lab->slice[i]);
	}
	if (lab->pool)
		faulty_open(&lab->device[0], "store");
	for (unsigned int i = 0; i < nr_faults; i++) {
		lab->can[i] = faulty_can(&lab->device[0], &faults[i]);
		if (!lab->can[i])
			say("not on this kernel: %s", faults[i].name);
	}
	cuts_open(&lab->cuts, STATE, lab->members, count);
}

int main(int argc, char **argv)
{
	static struct lab lab;

	tool = "faultcut";
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 5)
		die("usage: faultcut members|pool TRIALS SEED COUNT");
	lab.trials = parse_number("TRIALS", argv[2]);
	if (!lab.trials)
		die("TRIALS: at least 1");
	lab.rng.state = parse_number("SEED", argv[3]);
	open_lab(&lab, argv[1], parse_number("COUNT", argv[4]));
	start_writers(&lab);
	measure(&lab);
	for (unsigned int i = 1; i <= lab.trials; i++)
		run_trial(&lab, i);
	stop_writers(&lab);
	cuts_close(&lab.cuts);
	printf("faultcut: %u taken, %u refused, %u with a part lost, %u of a pool that failed\n",
	       lab.taken, lab.refused, lab.lost, lab.failed);
	printf("figure: io-faults %u\n", lab.trials);
	return 0;
}
