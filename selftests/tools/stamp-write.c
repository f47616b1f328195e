// SPDX-License-Identifier: GPL-2.0-or-later
/* stamp write: the chains of dependent writers. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include "stamp.h"

#define RETRY_NS 5000000

struct options {
	const char *state;
	const char *until;
	double seconds;
	__u64 interval_ns;
	__u64 dsync;			/* per cent of the writes */
	__u64 dsync_chains;		/* of the first ones, all writes */
	__u64 min, max, base;	/* bytes */
	__u32 chains, slots;
	bool retry;
};

struct writer {
	struct stamp_state *st;
	const struct options *opt;
	struct device *devs;
	struct stamp_sector *buf;
	pthread_t thread;
	__u32 chain;
	struct rng rng;
};

static atomic_bool interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = true;
}

/* Parked chains have nothing in flight: who sees busy at 0 may copy the devices. */
static void park(struct stamp_state *st)
{
	st->busy--;
	while (st->control == STAMP_PAUSE)
		sleep_ns(1000000);
	st->busy++;
}

static void look_around(const struct stamp_state *st, __u64 *seen)
{
	for (__u32 c = 0; c < st->geo.chains; c++)
		seen[c] = st->chain[c].acked;
}

/* A write that straddles two windows counts in the one that is not the base. */
static void note_latency(struct stamp_state *st, __u32 window, __u64 ns)
{
	stamp_latency_add(st, window ? window : st->window, ns);
}

static int submit(struct writer *w, const struct stamp_place *place)
{
	struct iovec iov = { w->buf, (size_t)place->count * SECTOR };
	bool dsync = w->chain < w->opt->dsync_chains || rng_below(&w->rng, 100) < w->opt->dsync;
	int flags = dsync ? RWF_DSYNC : 0;
	ssize_t n = pwritev2(w->devs[place->member].fd, &iov, 1, place->lba * SECTOR, flags);

	if (n == (ssize_t)iov.iov_len)
		return 0;
	return n < 0 ? -errno : -EIO;
}

/* A write that failed and is made again is one that took long: the plan stays the same. */
static int submit_until_done(struct writer *w, const struct stamp_place *place)
{
	int ret;

	while ((ret = submit(w, place)) && w->opt->retry && w->st->control != STAMP_STOP) {
		w->st->errors[place->member]++;
		sleep_ns(RETRY_NS);
	}
	return ret;
}

static int write_one(struct writer *w)
{
	struct stamp_state *st = w->st;
	struct stamp_chain *chain = &st->chain[w->chain];
	__u64 seen[STAMP_MAX_CHAINS];
	__u64 seq = chain->acked + 1;
	struct stamp_place place;
	__u32 window;
	__u64 start;
	int ret;

	stamp_plan(&st->geo, w->chain, seq, &place);
	look_around(st, seen);
	stamp_fill(w->buf, &st->geo, w->chain, seq, &place, seen);
	chain->issued = seq;
	window = st->window;
	start = now_ns();
	ret = submit_until_done(w, &place);
	if (ret) {
		say("chain %u, write %llu: %s at sector %llu: %s", w->chain, seq,
		    w->devs[place.member].path, place.lba, strerror(-ret));
		return ret;
	}
	note_latency(st, window, now_ns() - start);
	chain->acked = seq;
	return 0;
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	struct stamp_state *st = w->st;

	while (st->control != STAMP_STOP) {
		if (st->control == STAMP_PAUSE) {
			park(st);
			continue;
		}
		if (write_one(w)) {
			st->failed++;
			st->control = STAMP_STOP;
			break;
		}
		if (w->opt->interval_ns)
			sleep_ns(w->opt->interval_ns);
	}
	st->busy--;
	return NULL;
}

static void open_devices(struct device *devs, char **paths, __u32 n)
{
	for (__u32 i = 0; i < n; i++) {
		for (__u32 j = 0; j < i; j++)
			if (!strcmp(paths[i], paths[j]))
				die("%s: named twice", paths[i]);
		device_open(&devs[i], paths[i], O_RDWR);
	}
}

/* As many slots as the smallest device holds, but few enough to be scanned fast. */
static void fit_slots(struct stamp_geometry *geo, const struct options *opt,
		      const struct device *devs)
{
	__u64 lap = (__u64)geo->chains * geo->max * SECTOR;
	__u64 fits = ~0ULL;
	__u32 smallest = 0;

	for (__u32 i = 0; i < geo->members; i++) {
		__u64 room = devs[i].size < opt->base ? 0 : (devs[i].size - opt->base) / lap;

		if (room < fits) {
			fits = room;
			smallest = i;
		}
	}
	geo->slots = opt->slots;
	if (!geo->slots)
		geo->slots = fits < 8 ? fits : 8;
	if (!geo->slots || geo->slots > fits)
		die("%s: too small: %llu bytes needed", devs[smallest].path,
		    opt->base + (geo->slots ? geo->slots : 1) * lap);
}

static void make_geometry(struct stamp_geometry *geo, const struct options *opt,
			  const struct device *devs, __u32 members)
{
	__u32 block = SECTOR;

	for (__u32 i = 0; i < members; i++)
		if (devs[i].block > block)
			block = devs[i].block;
	memset(geo, 0, sizeof(*geo));
	geo->chains = opt->chains;
	geo->members = members;
	geo->block = block / SECTOR;
	geo->min = (opt->min > block ? opt->min : block) / SECTOR;
	geo->max = (opt->max > block ? opt->max : block) / SECTOR;
	geo->base = opt->base / SECTOR;
	if (opt->min % block && opt->min > block)
		die("--size-mix: not a multiple of the block size %u", block);
	if (opt->max % block && opt->max > block)
		die("--size-mix: not a multiple of the block size %u", block);
	if (opt->base % block)
		die("--base: not a multiple of the block size %u", block);
	fit_slots(geo, opt, devs);
	if (getrandom(geo->run, sizeof(geo->run), 0) != sizeof(geo->run))
		die("no random numbers: %s", strerror(errno));
}

static void start_writers(struct writer *writers, struct stamp_state *st,
			  const struct options *opt, struct device *devs)
{
	st->busy = opt->chains;
	for (__u32 c = 0; c < opt->chains; c++) {
		struct writer *w = &writers[c];

		w->st = st;
		w->opt = opt;
		w->devs = devs;
		w->chain = c;
		w->rng.state = c;
		w->buf = alloc_buffer((size_t)st->geo.max * SECTOR);
		if (pthread_create(&w->thread, NULL, writer_main, w))
			die("cannot start a thread");
	}
}

static void wait_for_end(struct stamp_state *st, const struct options *opt)
{
	__u64 start = now_ns();

	while (st->control != STAMP_STOP) {
		if (interrupted || (opt->until && !access(opt->until, F_OK)) ||
		    (opt->seconds && now_ns() - start >= opt->seconds * 1e9))
			st->control = STAMP_STOP;
		else
			sleep_ns(20000000);
	}
}

static int run(struct stamp_state *st, const struct options *opt, struct device *devs)
{
	struct writer *writers = alloc_array(opt->chains, sizeof(*writers));
	__u64 start = now_ns();
	double seconds;

	start_writers(writers, st, opt, devs);
	stamp_state_publish(opt->state);
	wait_for_end(st, opt);
	for (__u32 c = 0; c < opt->chains; c++)
		pthread_join(writers[c].thread, NULL);
	seconds = (now_ns() - start) / 1e9;
	printf("stamp: %llu writes by %u chains over %u devices in %.1f s, %.0f per second\n",
	       stamp_acked(st), opt->chains, st->geo.members, seconds,
	       stamp_acked(st) / seconds);
	free(writers);
	return st->failed ? 1 : 0;
}

static void parse_mix(struct options *opt, char *arg)
{
	char *dots = strstr(arg, "..");

	if (dots)
		*dots = '\0';
	opt->min = parse_size("--size-mix", arg);
	opt->max = dots ? parse_size("--size-mix", dots + 2) : opt->min;
	if (opt->min < SECTOR || opt->min % SECTOR || opt->max % SECTOR || opt->max < opt->min ||
	    opt->max > 64 << 20)
		die("--size-mix: give MIN..MAX in whole sectors, at most 64M");
}

static const struct option long_options[] = {
	{ "state", required_argument, NULL, 's' },
	{ "chains", required_argument, NULL, 'c' },
	{ "seconds", required_argument, NULL, 't' },
	{ "until-file", required_argument, NULL, 'u' },
	{ "size-mix", required_argument, NULL, 'm' },
	{ "slots", required_argument, NULL, 'n' },
	{ "base", required_argument, NULL, 'b' },
	{ "interval", required_argument, NULL, 'i' },
	{ "dsync", required_argument, NULL, 'd' },
	{ "dsync-chains", required_argument, NULL, 'D' },
	{ "retry", no_argument, NULL, 'r' },
	{ }
};

static void parse_option(struct options *opt, int c)
{
	switch (c) {
	case 's':
		opt->state = optarg;
		break;
	case 'c':
		opt->chains = parse_number("--chains", optarg);
		break;
	case 't':
		opt->seconds = parse_seconds("--seconds", optarg);
		break;
	case 'u':
		opt->until = optarg;
		break;
	case 'm':
		parse_mix(opt, optarg);
		break;
	case 'n':
		opt->slots = parse_number("--slots", optarg);
		break;
	case 'b':
		opt->base = parse_size("--base", optarg);
		break;
	case 'i':
		opt->interval_ns = parse_seconds("--interval", optarg) * 1e9;
		break;
	case 'd':
		opt->dsync = parse_number("--dsync", optarg);
		break;
	case 'D':
		opt->dsync_chains = parse_number("--dsync-chains", optarg);
		break;
	case 'r':
		opt->retry = true;
		break;
	default:
		exit(EXIT_CANNOT);
	}
}

static void check_options(const struct options *opt, int devices)
{
	if (!opt->state)
		die("write: --state FILE is missing");
	if (opt->chains < STAMP_MIN_CHAINS || opt->chains > STAMP_MAX_CHAINS)
		die("--chains: %d to %d", STAMP_MIN_CHAINS, STAMP_MAX_CHAINS);
	if (devices < 1 || devices > STAMP_MAX_MEMBERS)
		die("write: give 1 to %d devices", STAMP_MAX_MEMBERS);
}

int stamp_write_main(int argc, char **argv)
{
	struct options opt = { .chains = STAMP_MIN_CHAINS, .min = SECTOR, .max = 65536 };
	struct stamp_geometry geo;
	struct device *devs;
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		parse_option(&opt, c);
	check_options(&opt, argc - optind);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	devs = alloc_array(argc - optind, sizeof(*devs));
	open_devices(devs, argv + optind, argc - optind);
	make_geometry(&geo, &opt, devs, argc - optind);
	return run(stamp_state_create(opt.state, &geo), &opt, devs);
}
