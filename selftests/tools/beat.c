// SPDX-License-Identifier: GPL-2.0-or-later
/* beat - asks each device again and again, from each CPU, so that no queue stands still. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "util.h"

#define PERIOD_NS 500000000
#define READ 4096

static const char usage[] =
	"usage: beat FILE...             a disk is read, of another file its file system is asked;\n"
	"                                a process for each, until it is killed\n";

/* What it says does not matter: a disk may fail, or be gone. */
static void ask(int fd, bool disk, void *buf)
{
	struct statfs st;

	if (disk ? pread(fd, buf, READ, 0) < 0 : fstatfs(fd, &st) < 0)
		sleep_ns(PERIOD_NS);
}

static noreturn void beat(const char *path)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	void *buf = alloc_buffer(READ);
	struct stat st;
	bool disk;
	int fd;

	if (stat(path, &st))
		die("%s: %s", path, strerror(errno));
	disk = S_ISBLK(st.st_mode);
	fd = open(path, O_RDONLY | (disk ? O_DIRECT : 0));
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	for (long cpu = 0;; cpu = (cpu + 1) % cpus) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		/* each CPU has a queue of its own */
		if (sched_setaffinity(0, sizeof(one), &one))
			die("CPU %ld: %s", cpu, strerror(errno));
		ask(fd, disk, buf);
		sleep_ns(PERIOD_NS);
	}
}

int main(int argc, char **argv)
{
	tool = "beat";
	if (argc < 2) {
		say("%s", usage);
		return EXIT_CANNOT;
	}
	for (int i = 2; i < argc; i++) {
		const pid_t pid = fork();

		if (pid < 0)
			die("cannot fork: %s", strerror(errno));
		if (!pid)
			beat(argv[i]);
	}
	beat(argv[1]);
}
