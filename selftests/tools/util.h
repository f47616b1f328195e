/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the test tools share: words and exit, numbers, devices, clocks, a PRNG. */
#ifndef SELFTESTS_UTIL_H
#define SELFTESTS_UTIL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdnoreturn.h>

#define SECTOR 512
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Set by main(); the word in front of every message. */
extern const char *tool;

/* Exit code of everything that keeps a tool from doing its work at all. */
#define EXIT_CANNOT 2

#ifndef __printf
#define __printf(fmt, args) __attribute__((__format__(__printf__, fmt, args)))
#endif

__printf(1, 2) noreturn void die(const char *fmt, ...);
__printf(1, 2) void say(const char *fmt, ...);

/* "64K", "1M", "512": a size in bytes; dies with the option's name. */
__u64 parse_size(const char *what, const char *s);
__u64 parse_number(const char *what, const char *s);
double parse_seconds(const char *what, const char *s);

struct device {
	const char *path;
	int fd;
	bool direct;		/* false: O_DIRECT was refused, said so on stderr */
	__u64 size;		/* bytes */
	__u32 block;		/* smallest and alignment unit of an I/O, bytes */
};

/* flags: O_RDONLY, O_WRONLY or O_RDWR; O_DIRECT is added when possible. */
void device_open(struct device *dev, const char *path, int flags);
void device_close(struct device *dev);

/* Whole-length transfers; 0 or a negative errno. */
int read_full(int fd, void *buf, size_t len, __u64 off);
int write_full(int fd, const void *buf, size_t len, __u64 off);

void *alloc_buffer(size_t len);		/* page aligned, zeroed */
void *alloc_array(size_t n, size_t size);

__u64 now_ns(void);
void sleep_ns(__u64 ns);

/* The splitmix64 finaliser: a bijection that spreads any key. */
__u64 mix64(__u64 x);

/* A small seeded generator on top of it. */
struct rng {
	__u64 state;
};

__u64 rng_next(struct rng *rng);
/* Uniform in [0, bound). */
__u64 rng_below(struct rng *rng, __u64 bound);

#endif
