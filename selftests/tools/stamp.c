// SPDX-License-Identifier: GPL-2.0-or-later
/* stamp: proves or refutes that a set of images is one instant of many devices. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "stamp.h"

static const char usage[] =
"usage: stamp write --state FILE [--chains N] [--seconds S | --until-file FILE]\n"
"                   [--size-mix MIN..MAX] [--slots N] [--base BYTES]\n"
"                   [--interval S] [--dsync PERCENT] [--dsync-chains N]\n"
"                   [--retry] DEVICE...\n"
"                                     chains of dependent writers, until told to stop\n"
"       stamp wait STATE WRITES [S]   until so many more are acknowledged, S seconds at most\n"
"       stamp pause STATE             returns when nothing is in flight any more\n"
"       stamp resume STATE\n"
"       stamp stop STATE              returns when the writers have ended\n"
"       stamp status STATE\n"
"       stamp mark --acked STATE      the lower bound: print it before the call\n"
"       stamp mark --issued STATE     the upper bound: print it after the return\n"
"       stamp window STATE NAME       latencies go to this window from now on\n"
"       stamp latency [--json] STATE [WINDOW...]\n"
"       stamp verify --before FILE --after FILE [--allow-torn] [--chains N]\n"
"                    [--json] IMAGE...\n"
"                                     images in member order; 0 consistent, 1 violation,\n"
"                                     2 cannot judge\n";

static struct stamp_state *only_state(int argc, char **argv)
{
	if (argc != 2)
		die("usage: stamp %s STATE", argv[0]);
	return stamp_state_open(argv[1]);
}

/* 0 when all chains are parked, 1 when the writers are gone. */
static int wait_busy(struct stamp_state *st)
{
	while (st->busy) {
		if (!stamp_writers_alive()) {
			say("the writers are gone");
			return 1;
		}
		sleep_ns(1000000);
	}
	return 0;
}

static int pause_main(int argc, char **argv)
{
	struct stamp_state *st = only_state(argc, argv);

	if (st->control == STAMP_STOP)
		die("the writers have ended");
	st->control = STAMP_PAUSE;
	return wait_busy(st);
}

static int resume_main(int argc, char **argv)
{
	struct stamp_state *st = only_state(argc, argv);
	__u32 paused = STAMP_PAUSE;

	if (!atomic_compare_exchange_strong(&st->control, &paused, STAMP_RUN))
		die("the writers are not paused");
	return 0;
}

static int stop_main(int argc, char **argv)
{
	struct stamp_state *st = only_state(argc, argv);

	st->control = STAMP_STOP;
	while (stamp_writers_alive())
		sleep_ns(1000000);
	return st->failed ? 1 : 0;
}

static int status_main(int argc, char **argv)
{
	static const char * const words[] = { "running", "paused", "ended" };
	struct stamp_state *st = only_state(argc, argv);

	printf("%s, %u chains over %u devices, %u slots, ",
	       words[stamp_writers_alive() ? st->control : STAMP_STOP], st->geo.chains,
	       st->geo.members, st->geo.slots);
	printf("%llu writes acknowledged, %u chains failed\n", stamp_acked(st), st->failed);
	return 0;
}

/* The writers may not have started yet: their state file is waited for as well. */
static struct stamp_state *await_state(const char *path, __u64 deadline)
{
	struct stamp_state *st;

	while (!(st = stamp_state_try(path))) {
		if (now_ns() > deadline)
			die("%s: no such state file", path);
		sleep_ns(5000000);
	}
	return st;
}

static int wait_main(int argc, char **argv)
{
	struct stamp_state *st;
	__u64 deadline, goal;

	if (argc != 3 && argc != 4)
		die("usage: stamp wait STATE WRITES [SECONDS]");
	deadline = now_ns() + (argc == 4 ? parse_seconds("SECONDS", argv[3]) : 60) * 1e9;
	st = await_state(argv[1], deadline);
	goal = stamp_acked(st) + parse_number("WRITES", argv[2]);
	while (stamp_acked(st) < goal) {
		if (st->control == STAMP_STOP || !stamp_writers_alive())
			die("the writers have ended");
		if (now_ns() > deadline)
			die("%s writes were not made in time", argv[2]);
		sleep_ns(1000000);
	}
	return 0;
}

static int mark_main(int argc, char **argv)
{
	struct stamp_bounds bounds = { 0 };
	struct stamp_state *st;
	enum stamp_bound kind;

	if (argc != 3 || (strcmp(argv[1], "--acked") && strcmp(argv[1], "--issued")))
		die("usage: stamp mark --acked|--issued STATE");
	kind = strcmp(argv[1], "--acked") ? STAMP_ISSUED : STAMP_ACKED;
	st = stamp_state_open(argv[2]);
	stamp_bounds_take(&bounds, st, kind);
	stamp_bounds_print(&bounds, stdout);
	if (fflush(stdout))
		die("cannot write the bounds");
	return 0;
}

static int help_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fputs(usage, stdout);
	return 0;
}

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "write", stamp_write_main },
	{ "wait", wait_main },
	{ "pause", pause_main },
	{ "resume", resume_main },
	{ "stop", stop_main },
	{ "status", status_main },
	{ "mark", mark_main },
	{ "window", stamp_window_main },
	{ "latency", stamp_latency_main },
	{ "verify", stamp_verify_main },
	{ "--help", help_main },
};

int main(int argc, char **argv)
{
	tool = "stamp";
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	fputs(usage, stderr);
	return EXIT_CANNOT;
}
