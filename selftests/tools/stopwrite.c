// SPDX-License-Identifier: GPL-2.0-or-later
/* stopwrite.c - preloaded: the process ends in place of its STOP_AT-th write to a file's place. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

typedef ssize_t (*pwrite_call)(int fd, const void *buf, size_t len, off_t at);

static ssize_t counted(const char *symbol, int fd, const void *buf, size_t len, off_t at)
{
	static long left;
	pwrite_call real = (pwrite_call)dlsym(RTLD_NEXT, symbol);
	const char *stop = getenv("STOP_AT");

	if (!left)
		left = stop ? atol(stop) : -1;
	if (!--left)
		_exit(99);
	return real(fd, buf, len, at);
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t at)
{
	return counted("pwrite", fd, buf, len, at);
}

ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t at)
{
	return counted("pwrite64", fd, buf, len, at);
}
