// SPDX-License-Identifier: GPL-2.0-or-later
/* Contexts and errors, and what the calls say when the module or the device is not there. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../libctl/private.h"
#include "unit.h"

static struct cohort *ctx;

static bool module_is_loaded(void)
{
	return !access("/sys/module/dm_cohort", F_OK);
}

static void a_new_context_has_no_error(void)
{
	struct cohort *c = cohort_ref(cohort_new());
	struct cohort_error e;

	memset(&e, 0xff, sizeof(e));
	CHECK(!cohort_unref(c), "still referenced");
	cohort_get_error(c, &e);
	CHECK(!e.code && !e.err && !e.message[0] && !e.attribute[0], "empty");
	CHECK(!cohort_unref(c), "always NULL");
	CHECK(!cohort_unref(NULL), "NULL is allowed");
}

static void results_of_errnos(void)
{
	static const int table[][2] = {
		{ 0, 0 }, { EOPNOTSUPP, 1 }, { ETIMEDOUT, 3 }, { EINVAL, 5 }, { ENODEV, 5 },
		{ ENOENT, 5 }, { EEXIST, 5 }, { ERANGE, 5 }, { ESTALE, 5 }, { EBUSY, 6 },
		{ ENOTEMPTY, 6 }, { EIO, 4 },
		{ ENOMEM, 4 }, { EPERM, 4 }, { ENOSPC, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		CHECK_INT(result_of(table[i][0]), table[i][1], "errno");
}

static void words_are_one_line(void)
{
	struct cohort_error e;

	fail_errno(ctx, EIO, "Thing", "two\nlines\n\n");
	cohort_get_error(ctx, &e);
	CHECK_STRING(e.message, "two lines");
	CHECK_STRING(e.attribute, "Thing");
	CHECK_INT(e.code, 4, "code");
	CHECK_INT(e.err, EIO, "errno");
}

static void *other_thread(void *data)
{
	struct cohort_error e;

	cohort_get_error(ctx, &e);
	*(bool *)data = !strcmp(e.message, "first");
	fail_errno(ctx, EBUSY, NULL, "second");
	cohort_get_error(ctx, &e);
	*(bool *)data &= !strcmp(e.message, "second");
	return NULL;
}

static void threads_see_their_own_words(void)
{
	struct cohort_error e;
	bool good = false;
	pthread_t t;

	fail_errno(ctx, EIO, NULL, "first");
	CHECK(!pthread_create(&t, NULL, other_thread, &good), "thread");
	pthread_join(t, NULL);
	CHECK(good, "the other thread");
	cohort_get_error(ctx, &e);
	CHECK_STRING(e.message, "first");
}

static void contexts_do_not_share_words(void)
{
	struct cohort *c = cohort_new();
	struct cohort_error e;

	fail_errno(ctx, EIO, NULL, "of ctx");
	cohort_get_error(c, &e);
	CHECK_STRING(e.message, "");
	cohort_unref(c);
}

static void an_absent_module_is_said(void)
{
	struct cohort_pool *pools = NULL;
	struct cohort_events *events = NULL;
	struct cohort_error e;

	if (module_is_loaded())
		return;
	CHECK_INT(cohort_open(ctx), 4, "open");
	cohort_get_error(ctx, &e);
	CHECK_INT(e.err, ENOENT, "errno");
	CHECK(strstr(e.message, "not loaded"), "'%s'", e.message);
	CHECK_INT(cohort_pool_list(ctx, &pools), 4, "list");
	CHECK(!pools, "untouched");
	CHECK_INT(cohort_events_new(ctx, &events), 4, "events");
	CHECK_INT(cohort_job_wait(ctx, 1, 0, NULL), 4, "wait");
	CHECK_INT(cohort_attach(ctx, "p", "s", "/dev/null", 0, 0, NULL), 4, "attach");
	CHECK_INT(cohort_pool_open(ctx, "/dev/null", NULL), 4, "pool open");
	CHECK_INT(cohort_pool_create(ctx, "p", "/dev/null", 0, 0, NULL), 4, "pool create");
}

/* 5 and not 4: wrong parameters are told before the module is asked. */
static void parameters_come_first(void)
{
	const char *const two[] = { "a", "a" };
	struct cohort_request r;
	struct cohort_reply *reply = NULL;

	cohort_request_init(&r);
	r.sync_type = 5;
	CHECK_INT(cohort_create_group_replica_from_elements(ctx, &r, &reply), 5, "SyncType");
	r.sync_type = 8;
	CHECK_INT(cohort_create_group_replica_from_elements(ctx, &r, NULL), 5, "clone");
	r.sync_type = 6;
	CHECK_INT(cohort_create_group_replica_from_elements(ctx, &r, NULL), 1, "mirror");
	CHECK(!reply, "untouched");
	CHECK_INT(cohort_add_members(ctx, "g", two, 2, 0, NULL), 5, "twice");
	CHECK_INT(cohort_remove_members(ctx, "g", two, 0, 0, NULL), 5, "none");
	CHECK_INT(cohort_delete_group(ctx, NULL, false, 0, NULL), 5, "no name");
	CHECK_INT(cohort_delete_group(ctx, "a b", false, 0, NULL), 5, "no name");
	CHECK_INT(cohort_pool_close(ctx, ""), 5, "no name");
	CHECK_INT(cohort_pool_remove(ctx, NULL), 5, "no name");
	CHECK_INT(cohort_pool_create(ctx, "-f", "/dev/null", 0, 0, NULL), 5, "no name");
	CHECK_INT(cohort_attach(ctx, "p", "", NULL, 0, 0, NULL), 5, "no name");
	CHECK_INT(cohort_detach(ctx, "a/b", 0, NULL), 5, "no name");
	CHECK_INT(cohort_source_remove(ctx, NULL, 0, NULL), 5, "no name");
}

static void no_block_device(void)
{
	static const char file[] = "/proc/self/exe";
	struct cohort_error e;
	struct device d;

	CHECK_INT(device_open(ctx, "/dev/null", DEVICE_READ, true, &d), 5, "character device");
	CHECK_INT(device_open(ctx, file, DEVICE_READ, true, &d), 5, "file");
	cohort_get_error(ctx, &e);
	CHECK(strstr(e.message, "not a block device") && strstr(e.message, file), "'%s'",
	      e.message);
	CHECK_INT(device_open(ctx, "/nonexistent", DEVICE_READ, true, &d), 5, "nothing");
	CHECK_INT(device_open(ctx, NULL, DEVICE_READ, true, &d), 5, "NULL");
	CHECK_INT(device_open_number(ctx, "4095:1048575", &d), 5, "no such number");
}

static void nothing_is_left_open(void)
{
	int before = dup(0), after;

	close(before);
	for (int i = 0; i < 20; i++) {
		struct cohort *c = cohort_new();

		cohort_open(c);
		cohort_unref(c);
	}
	after = dup(0);
	CHECK_INT(after, before, "lowest free descriptor");
	close(after);
}

static void null_can_be_freed(void)
{
	cohort_module_free(NULL);
	cohort_pool_free(NULL);
	cohort_source_free(NULL);
	cohort_group_free(NULL);
	cohort_relationship_free(NULL);
	cohort_job_free(NULL);
	cohort_reply_free(NULL);
	cohort_event_free(NULL);
	cohort_events_free(NULL);
	CHECK(cohort_version()[0], "version");
}

static const struct unit_case cases[] = {
	{ "a_new_context_has_no_error", a_new_context_has_no_error },
	{ "results_of_errnos", results_of_errnos },
	{ "words_are_one_line", words_are_one_line },
	{ "threads_see_their_own_words", threads_see_their_own_words },
	{ "contexts_do_not_share_words", contexts_do_not_share_words },
	{ "an_absent_module_is_said", an_absent_module_is_said },
	{ "parameters_come_first", parameters_come_first },
	{ "no_block_device", no_block_device },
	{ "nothing_is_left_open", nothing_is_left_open },
	{ "null_can_be_freed", null_can_be_freed },
};

int main(void)
{
	int status;

	ctx = cohort_new();
	status = unit_main(cases, ARRAY_SIZE(cases));
	cohort_unref(ctx);
	return status;
}
