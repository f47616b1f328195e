// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * faultnth: fails the first, second, third... allocation of each operation of the library.
 *
 *	faultnth STRIDE SEED [OPERATION...]
 *
 * It stands between the library and the kernel: the system calls that carry
 * requests to the module, netlink's and device-mapper's, run with
 * /proc/thread-self/fail-nth set. Whatever an operation says then, its effect
 * must be wholly there or wholly absent, it must be possible to undo it, and to
 * do it again. An operation is through when it ends with no fault met. Behind
 * the first EACH, which are mostly the module's own, it takes one in STRIDE by lot.
 *
 * Needs a kernel with fault injection, and a pool "p" with sources m1 and m2.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faultnth.h"
#include "util.h"

#define EACH 24
/* An operation that goes on failing for so long never gets through. */
#define NTH_MAX 5000

static struct rng rng;
static __u64 stride;
static int control = -1;
static int left;		/* allocations until the fault; 0: none is to come */
static bool hit;

/* ---- between the library and the kernel ---- */

static void arm(void)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", left);

	if (left && pwrite(control, text, len, 0) != len)
		die("fail-nth: %s", strerror(errno));
}

/* The caller's errno stays what its system call said. */
static void disarm(void)
{
	const int saved = errno;
	char text[16] = "";

	if (!left)
		return;
	if (pread(control, text, sizeof(text) - 1, 0) <= 0 || pwrite(control, "0", 1, 0) != 1)
		die("fail-nth: %s", strerror(errno));
	left = atoi(text);
	hit |= !left;
	errno = saved;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t ret;

	arm();
	ret = syscall(SYS_sendmsg, fd, msg, flags);
	disarm();
	return ret;
}

ssize_t recvfrom(int fd, void *restrict buf, size_t len, int flags,
		 struct sockaddr *restrict from, socklen_t *restrict from_len)
{
	ssize_t ret;

	arm();
	ret = syscall(SYS_recvfrom, fd, buf, len, flags, from, from_len);
	disarm();
	return ret;
}

/* Devices come and go unharmed: how device-mapper makes them is not what this is about. */
static bool concerns_us(unsigned long request)
{
	return request == DM_TABLE_LOAD || request == DM_DEV_SUSPEND ||
	       request == DM_TABLE_STATUS || request == DM_TARGET_MSG;
}

int ioctl(int fd, unsigned long request, ...)
{
	const bool ours = concerns_us(request);
	va_list ap;
	void *arg;
	int ret;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (ours)
		arm();
	ret = syscall(SYS_ioctl, fd, request, arg);
	if (ours)
		disarm();
	return ret;
}

/* ---- one operation ---- */

static noreturn void violation(struct cohort *ctx, const struct operation *op, int nth,
			       const char *what)
{
	struct cohort_error e = { 0 };

	cohort_get_error(ctx, &e);
	die("%s, allocation %d failed: %s; last words: %s", op->name, nth, what, e.message);
}

static void judge(struct cohort *ctx, const struct operation *op, int nth, int ret)
{
	enum effect effect;

	if (ret && !hit)
		violation(ctx, op, nth, "failed with no fault met");
	if (!op->effect)
		return;
	effect = op->effect(ctx);
	if (effect == PARTLY)
		violation(ctx, op, nth, "is done in part");
	if (!ret && effect == ABSENT)
		violation(ctx, op, nth, "is done, and has no effect");
	if (effect == PRESENT && op->undo(ctx))
		violation(ctx, op, nth, "can not be undone");
	if (op->effect(ctx) != ABSENT)
		violation(ctx, op, nth, "has been undone, and is there");
}

static int next(int nth)
{
	return nth + 1 + (nth < EACH ? 0 : rng_below(&rng, 2 * stride - 1));
}

/* Number of faults it went through. */
static int fail_each(struct cohort *ctx, const struct operation *op)
{
	int faults = 0, refused = 0, ret;

	if (op->begin && op->begin(ctx))
		violation(ctx, op, 0, "can not begin");
	for (int nth = 1; nth < NTH_MAX; nth = next(nth)) {
		hit = false;
		left = nth;
		ret = op->run(ctx);
		left = 0;
		refused += !!ret;
		judge(ctx, op, nth, ret);
		faults += hit;
		if (hit)
			continue;
		if (op->end && op->end(ctx))
			violation(ctx, op, nth, "can not be cleaned up");
		printf("faultnth: %s: %d faults, %d refused\n", op->name, faults, refused);
		return faults;
	}
	die("%s: does not get through", op->name);
}

static void set_attribute(const char *path, const char *value)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		die("%s: %s", path, strerror(errno));
	close(fd);
}

/* Without these, only allocations that do not wait would fail. */
static void prepare(void)
{
	set_attribute("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	set_attribute("/sys/kernel/debug/failslab/verbose", "0");
	set_attribute("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	set_attribute("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	set_attribute("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	control = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (control < 0)
		die("fail-nth: %s", strerror(errno));
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 3; i < argc; i++)
		if (!strcmp(name, argv[i]))
			return true;
	return argc < 4;
}

int main(int argc, char **argv)
{
	struct cohort *ctx = cohort_new();
	int faults = 0;

	tool = "faultnth";
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3)
		die("usage: faultnth STRIDE SEED [OPERATION...]");
	stride = parse_number("STRIDE", argv[1]);
	rng.state = parse_number("SEED", argv[2]);
	if (!stride)
		die("STRIDE: at least 1");
	prepare();
	if (!ctx || cohort_open(ctx))
		die("no module");
	for (unsigned int i = 0; i < nr_operations; i++)
		if (wanted(operations[i].name, argc, argv))
			faults += fail_each(ctx, &operations[i]);
	for (unsigned int i = 0; i < nr_clone_operations; i++)
		if (wanted(clone_operations[i].name, argc, argv))
			faults += fail_each(ctx, &clone_operations[i]);
	printf("figure: alloc-faults %d\n", faults);
	cohort_unref(ctx);
	return faults ? 0 : 1;
}
