// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recover: lets the kernel recover points that crashlab saved.
 *
 *	recover DIR SEED DISK...
 *
 * DISKs are the members'; the pool goes on slowstore over store, both linear. Each point is
 * put on them, and then: a recovery is cut off at a random moment; the pool is
 * recovered, and what it holds is judged; the power goes again before anything
 * of that reaches the disk, and another recovery must find the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/crc32c.h"
#include "cuts.h"
#include "faulty.h"
#include "recording.h"
#include "stamp.h"

#define MEMBERS_MAX 8
#define POOL "p"
#define POOL_DISK "/dev/mapper/slowstore"
#define SLOW_MS 50
#define RELS_MAX 64
/* What a recovery takes at most, on a slow disk. */
#define RECOVERY_MS 400
#define PIECE (1 << 20)

/* A relationship as it was found. */
struct found {
	char name[CUT_NAME_LEN];
	__u32 state;
	__u32 crc;		/* of its images */
	__u64 epoch;
};

static struct {
	struct cuts cuts;
	struct rng rng;
	struct faulty store, slow;
	char **disks;
	char name[MEMBERS_MAX][8];
	char *members[MEMBERS_MAX];
	int count;
	unsigned int point;
	unsigned int judged, cut_off;
} lab;

static noreturn void violation(const char *what, const char *name)
{
	struct cohort_error e = { 0 };

	cohort_get_error(lab.cuts.ctx, &e);
	die("point %u: %s %s; last words: %s", lab.point, what, name, e.message);
}

/* ---- putting a point on the disks ---- */

static void empty(struct device *dev)
{
	__u64 range[2] = { 0, dev->size };

	if (ioctl(dev->fd, BLKZEROOUT, range))
		die("%s: cannot be emptied: %s", dev->path, strerror(errno));
}

static void put(const struct device *dev, const struct recording_entry *entry, const __u8 *data,
		void *buf)
{
	int err;

	memcpy(buf, data, entry->len);
	err = write_full(dev->fd, buf, entry->len, entry->offset);
	if (err)
		die("%s: %s", dev->path, strerror(-err));
}

/* The pool's disk is the first one that is named "pool", members follow in their order. */
static void restore(const char *path)
{
	struct device devs[RECORDING_DISKS] = { 0 };
	char *buf = alloc_buffer(PIECE);
	struct recording_entry entry;
	struct recording rec;
	const __u8 *data;
	int member = 0;

	recording_load(&rec, path);
	while (recording_next(&rec, &entry, &data)) {
		struct device *dev = &devs[entry.disk];

		if (entry.kind != RECORDING_DISK) {
			put(dev, &entry, data, buf);
			continue;
		}
		if (entry.len == 4 && !memcmp(data, "pool", 4))
			device_open(dev, "/dev/mapper/store", O_RDWR);
		else
			device_open(dev, lab.disks[member++], O_RDWR);
		empty(dev);
	}
	for (int i = 0; i < RECORDING_DISKS; i++)
		if (devs[i].path)
			device_close(&devs[i]);
	free((void *)rec.base);
	free(buf);
}

/* ---- up and down ---- */

static void bring_up(void)
{
	if (cohort_pool_open(lab.cuts.ctx, POOL_DISK, NULL))
		violation("cannot open pool", POOL);
	for (int i = 0; i < lab.count; i++)
		if (cohort_attach(lab.cuts.ctx, POOL, lab.members[i], lab.disks[i], 0,
				  COHORT_WAIT_FOREVER, NULL))
			violation("cannot attach", lab.members[i]);
}

static void take_down(void)
{
	for (int i = 0; i < lab.count; i++)
		if (cohort_detach(lab.cuts.ctx, lab.members[i], COHORT_WAIT_FOREVER, NULL))
			violation("cannot detach", lab.members[i]);
	if (cohort_pool_close(lab.cuts.ctx, POOL))
		violation("cannot close pool", POOL);
}

/* Whatever the pool makes of it; what it writes from some moment on is lost. */
static void cut_off_recovery(void)
{
	const __u64 delay = rng_below(&lab.rng, RECOVERY_MS) * 1000000;
	int status;
	pid_t pid;

	faulty_slow(&lab.slow, SLOW_MS);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (!pid) {
		sleep_ns(delay);
		faulty_drop(&lab.store);
		exit(0);
	}
	if (!cohort_pool_open(lab.cuts.ctx, POOL_DISK, NULL))
		lab.cut_off++;
	if (waitpid(pid, &status, 0) < 0 || status)
		die("the power can not be cut");
	if (!access("/dev/mapper/" POOL, F_OK) && cohort_pool_close(lab.cuts.ctx, POOL))
		violation("cannot close pool", POOL);
	faulty_heal(&lab.store);
	faulty_heal(&lab.slow);
}

/* ---- what there is ---- */

static bool has_images(__u32 state)
{
	return state == COHORT_COPY_STATE_SYNCHRONIZED || state == COHORT_COPY_STATE_SKEWED;
}

static __u32 image_crc(const char *name, int index, __u32 crc)
{
	struct device dev;
	char path[CUT_NAME_LEN + 32], *buf = alloc_buffer(PIECE);

	snprintf(path, sizeof(path), "/dev/mapper/%s_%d", name, index);
	device_open(&dev, path, O_RDONLY);
	for (__u64 at = 0, len; at < dev.size; at += len) {
		len = dev.size - at < PIECE ? dev.size - at : PIECE;
		if (read_full(dev.fd, buf, len, at))
			violation("cannot read", path);
		crc = crc32c(crc, buf, len);
	}
	device_close(&dev);
	free(buf);
	return crc;
}

static int list(struct found *found)
{
	struct cohort_relationship *rels = NULL, *rel;
	int n = 0;

	if (cohort_relationship_list(lab.cuts.ctx, &rels))
		violation("cannot list", "relationships");
	for (rel = rels; rel && n < RELS_MAX; rel = rel->next, n++) {
		memset(&found[n], 0, sizeof(found[n]));
		snprintf(found[n].name, CUT_NAME_LEN, "%s", rel->name);
		found[n].state = rel->copy_state;
		found[n].epoch = rel->epoch;
		found[n].crc = ~0u;
		if (!has_images(rel->copy_state))
			continue;
		for (int i = 1; i <= lab.count; i++)
			found[n].crc = image_crc(rel->name, i, found[n].crc);
	}
	cohort_relationship_free(rels);
	return n;
}

static const struct found *find(const struct found *found, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(found[i].name, name))
			return &found[i];
	return NULL;
}

/* The members, as far as the first @chains can tell. */
static void check_members(int chains)
{
	char before[32], after[32], number[16], path[MEMBERS_MAX][32];
	char *argv[MEMBERS_MAX + 9] = {
		"verify", "--allow-torn", "--chains", number, "--before", before, "--after", after,
	};
	char words[512];
	int argc = 8;

	if (!chains)
		return;
	snprintf(number, sizeof(number), "%d", chains);
	snprintf(before, sizeof(before), "point-%u.before", lab.point);
	snprintf(after, sizeof(after), "point-%u.after", lab.point);
	for (int i = 0; i < lab.count; i++) {
		snprintf(path[i], sizeof(path[i]), "/dev/mapper/%s", lab.members[i]);
		argv[argc++] = path[i];
	}
	if (stamp_verify_forked(argc, argv, words, sizeof(words)))
		violation("the members lack what was acknowledged:", words);
}

static void check_told(const struct found *found, int count)
{
	char path[32], word[16], name[CUT_NAME_LEN];
	FILE *f;

	snprintf(path, sizeof(path), "point-%u.told", lab.point);
	f = fopen(path, "r");
	if (!f)
		die("%s: cannot open", path);
	while (fscanf(f, "%15s %63s", word, name) == 2) {
		const struct found *rel = find(found, count, name);

		if (!strcmp(word, "chains"))
			check_members(atoi(name));
		if (!strcmp(word, "dropped") && rel)
			violation("was deleted, and is there:", name);
		if (!strcmp(word, "taken") && !rel)
			violation("was acknowledged, and is not there:", name);
		if (!strcmp(word, "taken") && !has_images(rel->state))
			violation("was acknowledged, and can not be read:", name);
	}
	fclose(f);
}

static void check_image(const struct found *found)
{
	char after[CUT_NAME_LEN + 8];

	/* crashlab has judged it; here it must be the same twice */
	if (!strcmp(found->name, RECORDING_WRITTEN))
		return;
	if (found->state != COHORT_COPY_STATE_SYNCHRONIZED)
		violation("is not synchronized:", found->name);
	/* nobody was told of this cut: what was issued in the end is a bound too */
	snprintf(after, sizeof(after), "%.*s.after", CUT_NAME_LEN, found->name);
	if (access(after, F_OK) && symlink("last.after", after))
		die("%s: %s", after, strerror(errno));
	if (cuts_judge(&lab.cuts, found->name))
		violation("is not one instant:", found->name);
	lab.judged++;
}

static void recover(const char *path)
{
	struct found first[RELS_MAX], second[RELS_MAX];
	int count;

	restore(path);
	cut_off_recovery();
	bring_up();
	count = list(first);
	check_told(first, count);
	for (int i = 0; i < count; i++)
		check_image(&first[i]);
	faulty_drop(&lab.store);
	take_down();
	faulty_heal(&lab.store);
	bring_up();
	if (list(second) != count || memcmp(first, second, count * sizeof(*first)))
		violation("a second recovery found something else", "");
	take_down();
}

int main(int argc, char **argv)
{
	char path[32];

	tool = "recover";
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4 || argc > 3 + MEMBERS_MAX)
		die("usage: recover DIR SEED DISK...");
	if (chdir(argv[1]))
		die("%s: %s", argv[1], strerror(errno));
	lab.rng.state = parse_number("SEED", argv[2]);
	lab.disks = argv + 3;
	lab.count = argc - 3;
	for (int i = 0; i < lab.count; i++) {
		snprintf(lab.name[i], sizeof(lab.name[i]), "m%d", i + 1);
		lab.members[i] = lab.name[i];
	}
	faulty_open(&lab.store, "store");
	faulty_open(&lab.slow, "slowstore");
	cuts_open(&lab.cuts, "", lab.members, lab.count);
	for (;; lab.point++) {
		snprintf(path, sizeof(path), "point-%u", lab.point);
		if (access(path, F_OK))
			break;
		recover(path);
	}
	cuts_close(&lab.cuts);
	printf("recover: %u points, %u recoveries went on without power, %u snapshots judged\n",
	       lab.point, lab.cut_off, lab.judged);
	return lab.judged ? 0 : 1;
}
