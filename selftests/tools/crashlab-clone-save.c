// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crashlab-clone-save.c - writes down what a power cut leaves of a clone, for a kernel to recover
 *
 * point-N.DISK has what is on that disk, point-N.expect1 and so on what must be read
 * of the clone, and point-N.told "NAME STATE" of it, or "none 0".
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crashlab.h"
#include "crashlab-clone.h"

#define BLOCK 4096

/* What is zero becomes a hole. */
static void save(const char *suffix, const __u8 *data, __u64 size)
{
	static const __u8 empty[BLOCK];
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/point-%llu.%s", lab.dir, lab.saved, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, size))
		die("cannot write %s", path);
	for (__u64 at = 0; at < size; at += BLOCK) {
		const __u64 len = size - at < BLOCK ? size - at : BLOCK;

		if (memcmp(data + at, empty, len) && write_full(fd, data + at, len, at))
			die("cannot write %s", path);
	}
	close(fd);
}

void save_clone_point(void)
{
	char text[LAB_NAME + 16], suffix[32];
	int len = snprintf(text, sizeof(text), "%s %u\n",
			   clone_now.there ? clone_now.name : "none",
			   clone_now.there ? clone_now.state : 0);

	save("told", (const __u8 *)text, len);
	save("pool", lab.pool->look, lab.pool->size);
	for (__u32 i = 0; i < lab.nr_targets; i++) {
		save(lab.member[i]->name, lab.member[i]->look, lab.member[i]->size);
		save(lab.target[i]->name, lab.target[i]->look, lab.target[i]->size);
		if (!clone_now.there)
			continue;
		snprintf(suffix, sizeof(suffix), "expect%u", i + 1);
		save(suffix, clone_now.member[i].expect, lab.member[i]->size);
	}
	lab.saved++;
}
