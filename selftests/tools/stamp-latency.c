// SPDX-License-Identifier: GPL-2.0-or-later
/* stamp window, stamp latency: how long the writers waited, window by window. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "stamp.h"

static __u32 bucket_of(__u64 ns)
{
	__u32 octave;

	if (ns < 16)
		return ns;
	octave = 63 - __builtin_clzll(ns);
	return (octave - 3) * 16 + (ns >> (octave - 4) & 15);
}

/* Largest value that falls into the bucket. */
static __u64 bucket_end(__u32 bucket)
{
	__u32 octave = bucket / 16 + 3;

	if (bucket < 16)
		return bucket;
	return ((16ULL + bucket % 16 + 1) << (octave - 4)) - 1;
}

void stamp_latency_add(struct stamp_state *st, __u32 window, __u64 ns)
{
	struct stamp_window *win = &st->win[window];
	__u64 max = win->max;

	win->bucket[bucket_of(ns)]++;
	while (ns > max && !atomic_compare_exchange_weak(&win->max, &max, ns))
		;
}

__u64 stamp_latency_count(const struct stamp_window *win)
{
	__u64 n = 0;

	for (__u32 b = 0; b < STAMP_BUCKETS; b++)
		n += win->bucket[b];
	return n;
}

__u64 stamp_latency_quantile(const struct stamp_window *win, double share)
{
	__u64 left = stamp_latency_count(win) * share;
	__u64 max = win->max;

	for (__u32 b = 0; b < STAMP_BUCKETS; b++) {
		__u64 n = win->bucket[b];

		if (n > left)
			return bucket_end(b) < max ? bucket_end(b) : max;
		left -= n;
	}
	return max;
}

static struct stamp_window *find_window(struct stamp_state *st, const char *name)
{
	for (__u32 i = 0; i < st->windows; i++)
		if (!strcmp(st->win[i].name, name))
			return &st->win[i];
	return NULL;
}

static struct stamp_window *add_window(struct stamp_state *st, const char *name)
{
	struct stamp_window *win;

	if (st->windows == STAMP_WINDOWS)
		die("window %s: %d windows are all there is", name, STAMP_WINDOWS);
	if (!*name || strlen(name) >= STAMP_NAME || strpbrk(name, "\"\\\n\t "))
		die("window '%s': 1 to %d characters, no blanks and quotes", name, STAMP_NAME - 1);
	win = &st->win[st->windows];
	snprintf(win->name, sizeof(win->name), "%s", name);
	st->windows++;
	return win;
}

int stamp_window_main(int argc, char **argv)
{
	struct stamp_window *win;
	struct stamp_state *st;

	if (argc != 3)
		die("usage: stamp window STATE NAME");
	st = stamp_state_open(argv[1]);
	win = find_window(st, argv[2]);
	if (!win)
		win = add_window(st, argv[2]);
	st->window = win - st->win;
	return 0;
}

static void print_row(const struct stamp_window *win)
{
	printf("%-16s %10llu %10.3f %10.3f %10.3f %10.3f\n", win->name,
	       stamp_latency_count(win), stamp_latency_quantile(win, 0.5) / 1e6,
	       stamp_latency_quantile(win, 0.99) / 1e6, stamp_latency_quantile(win, 0.999) / 1e6,
	       win->max / 1e6);
}

static void print_json(const struct stamp_window *win)
{
	printf("{\"window\":\"%s\",\"writes\":%llu,\"p50_ns\":%llu,", win->name,
	       stamp_latency_count(win), stamp_latency_quantile(win, 0.5));
	printf("\"p99_ns\":%llu,\"p999_ns\":%llu,\"max_ns\":%llu}\n",
	       stamp_latency_quantile(win, 0.99), stamp_latency_quantile(win, 0.999), win->max);
}

static void print_windows(struct stamp_state *st, char **names, bool json)
{
	if (!json)
		printf("%-16s %10s %10s %10s %10s %10s\n", "window", "writes", "p50 ms", "p99 ms",
		       "p99.9 ms", "max ms");
	for (__u32 i = 0; !*names && i < st->windows; i++)
		(json ? print_json : print_row)(&st->win[i]);
	for (; *names; names++) {
		const struct stamp_window *win = find_window(st, *names);

		if (!win)
			die("no window %s", *names);
		(json ? print_json : print_row)(win);
	}
}

int stamp_latency_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return EXIT_CANNOT;
		json = true;
	}
	if (optind >= argc)
		die("usage: stamp latency [--json] STATE [WINDOW...]");
	print_windows(stamp_state_open(argv[optind]), argv + optind + 1, json);
	return 0;
}
