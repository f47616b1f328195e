// SPDX-License-Identifier: LGPL-2.1-or-later
/* dm.c - device-mapper devices through libdevmapper, with the udev cookie always waited for */
#include <errno.h>
#include <libdevmapper.h>
#include <libudev.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "private.h"

/* udev's probes open a device for a moment after it has come up: 10 s at most. */
#define SETTLE_TRIES 100
#define SETTLE_US 100000

/* libdevmapper keeps its control descriptor and its node list per process. */
static pthread_mutex_t dm_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread char dm_words[256];

static void PRINTF(5, 6)
keep_words(int level, const char *file, int line, int dm_errno, const char *fmt, ...)
{
	va_list ap;

	(void)file;
	(void)line;
	(void)dm_errno;
	if (level != 2 && level != 3)	/* fatal, error */
		return;
	va_start(ap, fmt);
	vsnprintf(dm_words, sizeof(dm_words), fmt, ap);
	va_end(ap);
}

/* libdevmapper would print; a program that has its own log function keeps it. */
static void enter(void)
{
	pthread_mutex_lock(&dm_lock);
	dm_words[0] = '\0';
	if (!dm_log_is_non_default())
		dm_log_with_errno_init(keep_words);
}

static void leave(void)
{
	pthread_mutex_unlock(&dm_lock);
}

#define ERRNO_MAX 133

/* What failed last in a task of several steps is only in the words. */
static int errno_of_words(void)
{
	const size_t len = strlen(dm_words);

	for (int err = 1; err <= ERRNO_MAX; err++) {
		const char *text = strerror(err);
		const size_t n = strlen(text);

		if (n <= len && !strcmp(dm_words + len - n, text))
			return err;
	}
	return EIO;
}

static int task_errno(struct dm_task *task)
{
	const int err = task ? dm_task_get_errno(task) : ENOMEM;

	return err ? err : errno_of_words();
}

/*
 * Runs a task that makes or removes a device. The cookie is a semaphore of the
 * system: waiting for it, whatever happened, is what frees it.
 */
static int run_with_cookie(struct dm_task *task, uint16_t flags, struct dm_batch *batch)
{
	struct dm_batch own = { 0 }, *b = batch ? batch : &own;
	int err = 0;

	if (!dm_task_set_cookie(task, &b->cookie, flags))
		return task_errno(task);
	if (!dm_task_run(task))
		err = task_errno(task);
	if (!batch && !dm_udev_wait(own.cookie) && !err)
		err = EIO;
	return err;
}

void dm_finish(struct dm_batch *batch)
{
	enter();
	dm_udev_wait(batch->cookie);
	batch->cookie = 0;
	leave();
}

static int create_task(struct dm_task *task, const struct dm_table *t, struct dm_batch *batch)
{
	if (!dm_task_set_name(task, t->name) || !dm_task_set_uuid(task, t->uuid) ||
	    !dm_task_add_target(task, 0, t->sectors, t->target, t->params) ||
	    (t->read_only && !dm_task_set_ro(task)))
		return ENOMEM;
	return run_with_cookie(task, t->udev_flags, batch);
}

/* libdevmapper's words where errno says nothing; a refused table is in the kernel's log. */
static int dm_fail(struct cohort *ctx, int err, const char *what, const char *name)
{
	const bool vague = err == EIO && dm_words[0];

	return fail_errno(ctx, err, NULL, "cannot %s %s%s: %s%s", what, DM_DIR, name,
			  vague ? dm_words : strerror(err),
			  err == EINVAL ? " (the kernel's log says why)" : "");
}

int dm_create(struct cohort *ctx, const struct dm_table *table, struct dm_batch *batch)
{
	struct dm_task *task;
	int err;

	enter();
	task = dm_task_create(DM_DEVICE_CREATE);
	err = task ? create_task(task, table, batch) : ENOMEM;
	if (task)
		dm_task_destroy(task);
	err = err ? dm_fail(ctx, err, "make", table->name) : 0;
	leave();
	return err;
}

static int load_task(struct dm_task *task, const struct dm_table *t)
{
	if (!dm_task_set_name(task, t->name) ||
	    !dm_task_add_target(task, 0, t->sectors, t->target, t->params))
		return ENOMEM;
	return dm_task_run(task) ? 0 : task_errno(task);
}

static int resume_task(struct dm_task *task, const struct dm_table *t)
{
	if (!dm_task_set_name(task, t->name) || !dm_task_skip_lockfs(task))
		return ENOMEM;
	return run_with_cookie(task, t->udev_flags, NULL);
}

int dm_replace(struct cohort *ctx, const struct dm_table *table)
{
	struct dm_task *load, *resume;
	int err;

	enter();
	load = dm_task_create(DM_DEVICE_RELOAD);
	resume = dm_task_create(DM_DEVICE_RESUME);
	err = load && resume ? load_task(load, table) : ENOMEM;
	if (!err)
		err = resume_task(resume, table);
	if (load)
		dm_task_destroy(load);
	if (resume)
		dm_task_destroy(resume);
	err = err ? dm_fail(ctx, err, "resize", table->name) : 0;
	leave();
	return err;
}

static int info_task(struct dm_task *task, const char *name, struct dm_device *found)
{
	struct dm_info info;
	const char *uuid;

	if (!dm_task_set_name(task, name))
		return ENOMEM;
	if (!dm_task_run(task))
		return task_errno(task);
	if (!dm_task_get_info(task, &info))
		return EIO;
	uuid = dm_task_get_uuid(task);
	found->exists = info.exists;
	found->open_count = info.open_count;
	found->dev = makedev(info.major, info.minor);
	snprintf(found->uuid, sizeof(found->uuid), "%s", uuid ? uuid : "");
	return 0;
}

int dm_find(struct cohort *ctx, const char *name, struct dm_device *found)
{
	struct dm_task *task;
	int err;

	memset(found, 0, sizeof(*found));
	enter();
	task = dm_task_create(DM_DEVICE_INFO);
	err = task ? info_task(task, name, found) : ENOMEM;
	if (task)
		dm_task_destroy(task);
	err = err ? dm_fail(ctx, err, "look up", name) : 0;
	leave();
	return err;
}

/* Whether udev has events before it: an open may be one of its probes. */
static bool udev_is_busy(void)
{
	struct udev *udev;
	struct udev_queue *queue;
	bool busy;

	if (access("/run/udev/control", F_OK))
		return false;
	udev = udev_new();
	queue = udev ? udev_queue_new(udev) : NULL;
	busy = queue && !udev_queue_get_queue_is_empty(queue);
	udev_queue_unref(queue);
	udev_unref(udev);
	return busy;
}

int dm_check_unused(struct cohort *ctx, const char *name)
{
	struct dm_device d;
	char user[256];
	int ret;

	for (int i = 0; ; i++) {
		/* asked first: what is open when udev has nothing to do is not udev's */
		const bool settled = i == SETTLE_TRIES || !udev_is_busy();

		ret = dm_find(ctx, name, &d);
		if (ret || !d.exists || !d.open_count)
			return ret;
		/* a mount does not go by itself */
		device_user(d.dev, user, sizeof(user));
		if (settled || user[0])
			break;
		usleep(SETTLE_US);
	}
	return fail_errno(ctx, EBUSY, NULL, "%s%s is in use: %s", DM_DIR, name,
			  user[0] ? user : "it is open");
}

int dm_check_free(struct cohort *ctx, const char *name, const char *attribute)
{
	struct dm_device d;
	int ret = dm_find(ctx, name, &d);

	if (ret || !d.exists)
		return ret;
	return fail_errno(ctx, EEXIST, attribute, "%s%s is there already", DM_DIR, name);
}

static int remove_task(struct dm_task *task, const char *name, struct dm_batch *batch)
{
	if (!dm_task_set_name(task, name))
		return ENOMEM;
	return run_with_cookie(task, 0, batch);
}

int dm_remove(struct cohort *ctx, const char *name, struct dm_batch *batch)
{
	struct dm_task *task;
	int err, ret = dm_check_unused(ctx, name);

	if (ret)
		return ret;
	enter();
	task = dm_task_create(DM_DEVICE_REMOVE);
	err = task ? remove_task(task, name, batch) : ENOMEM;
	if (task)
		dm_task_destroy(task);
	/* somebody else was faster */
	if (err == ENXIO)
		err = 0;
	ret = err ? dm_fail(ctx, err, "remove", name) : 0;
	leave();
	return ret;
}
