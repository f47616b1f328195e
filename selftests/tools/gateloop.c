// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gateloop: closes the gate of a group again and again, and leaves it in every way there is.
 *
 *	gateloop GROUP COUNT SEED
 *
 * Drawn by lot: it is opened at once; in time; when its lease is over; the owner
 * dies with it closed; the owner's socket is closed. Who opens it must be told that
 * it held or that the lease was over; anything else ends the loop with an error. Says
 * how many there were of each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cohort/cohort.h>

#include "util.h"

#define LEASE_MOST	20
#define NS_PER_MS	1000000ull

enum way { AT_ONCE, IN_TIME, TOO_LATE, OWNER_DIES, SOCKET_CLOSES, WAYS };

static const char *const words[] = {
	"opened at once", "opened in time", "lost", "left by the dead", "left with the socket",
};

static struct cohort *context(void)
{
	struct cohort *ctx = cohort_new();

	if (!ctx)
		die("no memory");
	return ctx;
}

static noreturn void give_up(struct cohort *ctx, const char *what)
{
	struct cohort_error e;

	cohort_get_error(ctx, &e);
	die("%s: %s", what, e.message);
}

static __u32 close_gate(struct cohort *ctx, const char *group, __u32 lease)
{
	__u32 gate;

	if (cohort_gate_close(ctx, group, lease, &gate))
		give_up(ctx, "no gate");
	return gate;
}

/* Only a lease that is over may say no. */
static bool open_gate(struct cohort *ctx, __u32 gate)
{
	struct cohort_error e;

	if (!cohort_gate_open(ctx, gate, NULL))
		return true;
	cohort_get_error(ctx, &e);
	if (e.err != ETIMEDOUT)
		give_up(ctx, "does not open");
	return false;
}

/* How it ended: OWNER_DIES and SOCKET_CLOSES stand for themselves, the others for what was said. */
static enum way leave(struct cohort *ctx, __u32 gate, enum way way, __u32 lease)
{
	switch (way) {
	case OWNER_DIES:
		_exit(0);
	case IN_TIME:
		sleep_ns(lease * NS_PER_MS / 2);
		break;
	case TOO_LATE:
		/* a CPU that stands still has its timer late: it is a matter of many */
		sleep_ns((lease + 1) * NS_PER_MS);
		return open_gate(ctx, gate) ? IN_TIME : TOO_LATE;
	default:
		break;
	}
	return open_gate(ctx, gate) ? way : TOO_LATE;
}

static void die_with_it(const char *group, __u32 lease)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("cannot fork");
	if (!pid) {
		struct cohort *ctx = context();

		leave(ctx, close_gate(ctx, group, lease), OWNER_DIES, lease);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("the one that was to die ended with %d", status);
}

static enum way one(struct cohort *ctx, const char *group, enum way way, __u32 lease)
{
	struct cohort *other;

	if (way == OWNER_DIES) {
		die_with_it(group, lease);
		return way;
	}
	if (way != SOCKET_CLOSES)
		return leave(ctx, close_gate(ctx, group, lease), way, lease);
	other = context();
	close_gate(other, group, lease);
	cohort_unref(other);
	return way;
}

int main(int argc, char **argv)
{
	unsigned int count, ended[WAYS] = { 0 };
	struct cohort *ctx = context();
	struct rng rng;

	tool = "gateloop";
	if (argc != 4)
		die("usage: gateloop GROUP COUNT SEED");
	count = parse_number("COUNT", argv[2]);
	rng.state = parse_number("SEED", argv[3]);
	for (unsigned int i = 0; i < count; i++) {
		enum way way = rng_below(&rng, WAYS);

		ended[one(ctx, argv[1], way, 1 + rng_below(&rng, LEASE_MOST))]++;
	}
	for (enum way way = 0; way < WAYS; way++)
		printf("%u %s\n", ended[way], words[way]);
	cohort_unref(ctx);
	return 0;
}
