// SPDX-License-Identifier: GPL-2.0-or-later
/* iocheck: I/O of every kind on a device, with its content checked. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iocheck.h"

static const char usage[] =
"usage: iocheck pattern-write  [--seed N] [--offset B] [--len B] DEVICE\n"
"       iocheck pattern-verify [--seed N] [--offset B] [--len B] DEVICE\n"
"       iocheck hash [--offset B] [--len B] DEVICE\n"
"       iocheck rand-verify [--seed N] [--count N | --seconds S] [--size MAX] [--jobs N]\n"
"                           [--shadow FILE] [--no-discard] [--offset B] [--len B] DEVICE\n"
"                       writes, FUA, flushes, discards, write-zeroes, reads, all checked\n"
"                       against the shadow; an existing FILE goes on where it ended\n"
"       iocheck compare --shadow FILE [--offset B] DEVICE\n"
"       iocheck nowait [--seed N] [--count N] [--size B] [--depth N] [--retry] DEVICE\n"
"                       io_uring writes with RWF_NOWAIT; prints ok, again and error\n"
"       iocheck mmap-write --state FILE --seconds S [--jobs N] [--len B] DEVICE\n"
"                       changes mapped pages while they are written back\n"
"       iocheck bounds FILE\n"
"                       newest value stored by mmap-write so far\n"
"       iocheck mmap-check --after N [--len B] DEVICE\n"
"                       no value beyond N, no page changed while it was written\n"
"exit: 0 good, 1 wrong content, 2 could not be done\n";

enum {
	OPT_SEED,
	OPT_OFFSET,
	OPT_LEN,
	OPT_COUNT,
	OPT_SIZE,
	OPT_AFTER,
	OPT_JOBS,
	OPT_DEPTH,
	OPT_SECONDS,
	OPT_SHADOW,
	OPT_STATE,
	OPT_NO_DISCARD,
	OPT_RETRY,
};

static const struct option options[] = {
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "offset", required_argument, NULL, OPT_OFFSET },
	{ "len", required_argument, NULL, OPT_LEN },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "depth", required_argument, NULL, OPT_DEPTH },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "shadow", required_argument, NULL, OPT_SHADOW },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "no-discard", no_argument, NULL, OPT_NO_DISCARD },
	{ "retry", no_argument, NULL, OPT_RETRY },
	{ }
};

#define ON(letter) (1u << (letter))
#define RANGE (ON(OPT_OFFSET) | ON(OPT_LEN))

static const struct command {
	const char *name;
	int (*run)(struct job *job);
	unsigned int takes;
	unsigned int needs;
} commands[] = {
	{ "pattern-write", pattern_write, RANGE | ON(OPT_SEED), 0 },
	{ "pattern-verify", pattern_verify, RANGE | ON(OPT_SEED), 0 },
	{ "hash", hash_main, RANGE, 0 },
	{ "rand-verify", rand_verify, RANGE | ON(OPT_SEED) | ON(OPT_COUNT) | ON(OPT_SECONDS) |
	  ON(OPT_SIZE) | ON(OPT_JOBS) | ON(OPT_SHADOW) | ON(OPT_NO_DISCARD), 0 },
	{ "compare", compare_main, ON(OPT_SHADOW) | ON(OPT_OFFSET), ON(OPT_SHADOW) },
	{ "nowait", nowait_main, RANGE | ON(OPT_SEED) | ON(OPT_COUNT) | ON(OPT_SIZE) |
	  ON(OPT_DEPTH) | ON(OPT_RETRY), 0 },
	{ "mmap-write", mmap_write, ON(OPT_STATE) | ON(OPT_SECONDS) | ON(OPT_JOBS) | ON(OPT_LEN) |
	  ON(OPT_SEED), ON(OPT_STATE) | ON(OPT_SECONDS) },
	{ "mmap-check", mmap_check, ON(OPT_AFTER) | ON(OPT_LEN), ON(OPT_AFTER) },
	{ "bounds", bounds_main, 0, 0 },
};

static const char *option_name(int option)
{
	const struct option *o = options;

	while (o->val != option)
		o++;
	return o->name;
}

static void take_number(struct job *job, int option, const char *arg)
{
	__u64 v;

	if (option == OPT_OFFSET || option == OPT_LEN || option == OPT_SIZE)
		v = parse_size(option_name(option), arg);
	else
		v = parse_number(option_name(option), arg);
	switch (option) {
	case OPT_SEED:
		job->seed = v;
		break;
	case OPT_OFFSET:
		job->offset = v;
		break;
	case OPT_LEN:
		job->len = v;
		break;
	case OPT_COUNT:
		job->count = v;
		break;
	case OPT_SIZE:
		job->size = v;
		break;
	case OPT_AFTER:
		job->after = v;
		break;
	case OPT_JOBS:
		job->jobs = v;
		break;
	case OPT_DEPTH:
		job->depth = v;
		break;
	}
}

static void take_option(struct job *job, int option, const char *arg)
{
	switch (option) {
	case OPT_SECONDS:
		job->seconds = parse_seconds("seconds", arg);
		break;
	case OPT_SHADOW:
		job->shadow = arg;
		break;
	case OPT_STATE:
		job->state = arg;
		break;
	case OPT_NO_DISCARD:
		job->no_discard = true;
		break;
	case OPT_RETRY:
		job->retry = true;
		break;
	default:
		take_number(job, option, arg);
	}
}

static void parse(const struct command *cmd, struct job *job, int argc, char **argv)
{
	unsigned int given = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			exit(EXIT_CANNOT);
		if (!(cmd->takes & ON(option)))
			die("%s takes no --%s", cmd->name, option_name(option));
		given |= ON(option);
		take_option(job, option, optarg);
	}
	for (const struct option *o = options; o->name; o++)
		if (cmd->needs & ~given & ON(o->val))
			die("%s needs --%s", cmd->name, o->name);
	if (optind != argc - 1)
		die("%s: give one device", cmd->name);
	job->path = argv[optind];
}

void job_open(struct device *dev, struct job *job, int flags)
{
	device_open(dev, job->path, flags);
	if (job->offset >= dev->size || job->offset % dev->block)
		die("%s: no block begins at %llu", dev->path, job->offset);
	if (!job->len)
		job->len = (dev->size - job->offset) / dev->block * dev->block;
	if (job->len > dev->size - job->offset || job->len % dev->block)
		die("%s: no %llu bytes in whole blocks there", dev->path, job->len);
}

int main(int argc, char **argv)
{
	struct job job = { .seed = 1, .jobs = 1, .depth = 32 };

	tool = "iocheck";
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		parse(&commands[i], &job, argc - 1, argv + 1);
		return commands[i].run(&job);
	}
	if (argc > 1 && !strcmp(argv[1], "--help"))
		return fputs(usage, stdout) < 0 ? EXIT_CANNOT : 0;
	fputs(usage, stderr);
	return EXIT_CANNOT;
}
