// SPDX-License-Identifier: GPL-2.0-or-later
/* The devices of a clone: which are made and removed when, in a table of fake devices. */
#include <errno.h>
#include <stdlib.h>

#include "../../libctl/private.h"
#include "unit.h"

#define DEVICES 16

/* What device-mapper has. */
static struct fake {
	char name[128];
	char uuid[129];
	char params[256];
	bool read_only;
	int open_count;
} devices[DEVICES];

static struct cohort *ctx;
static struct cohort_source sources[2];
static struct cohort_target targets[2];
static struct cohort_member members[2];
static struct cohort_relationship rel;
static const char *lost;	/* WWN of a target that is away */
static const char *refused;	/* name of a device that can not be made */

static struct fake *fake_find(const char *name)
{
	for (size_t i = 0; i < DEVICES; i++)
		if (!strcmp(devices[i].name, name))
			return &devices[i];
	return NULL;
}

static int fake_count(void)
{
	int n = 0;

	for (size_t i = 0; i < DEVICES; i++)
		n += devices[i].name[0] != '\0';
	return n;
}

int dm_create(struct cohort *c, const struct dm_table *t, struct dm_batch *batch)
{
	struct fake *d = fake_find("");

	(void)batch;
	if (refused && !strcmp(refused, t->name))
		return fail_errno(c, EIO, NULL, "refused");
	CHECK(d && !fake_find(t->name), "%s is new", t->name);
	snprintf(d->name, sizeof(d->name), "%s", t->name);
	snprintf(d->uuid, sizeof(d->uuid), "%s", t->uuid);
	snprintf(d->params, sizeof(d->params), "%s %s", t->target, t->params);
	d->read_only = t->read_only;
	d->open_count = 0;
	return 0;
}

int dm_replace(struct cohort *c, const struct dm_table *t)
{
	struct fake *d = fake_find(t->name);

	if (refused && !strcmp(refused, t->name))
		return fail_errno(c, EIO, NULL, "refused");
	CHECK(d && !strcmp(d->uuid, t->uuid), "%s is there", t->name);
	snprintf(d->params, sizeof(d->params), "%s %s", t->target, t->params);
	return 0;
}

int dm_find(struct cohort *c, const char *name, struct dm_device *found)
{
	const struct fake *d = fake_find(name);

	(void)c;
	memset(found, 0, sizeof(*found));
	if (!d)
		return 0;
	found->exists = true;
	found->dev = (dev_t)(d - devices + 1);
	snprintf(found->uuid, sizeof(found->uuid), "%s", d->uuid);
	return 0;
}

int dm_check_unused(struct cohort *c, const char *name)
{
	return fake_find(name)->open_count ? fail_errno(c, EBUSY, NULL, "%s is in use", name) : 0;
}

int dm_remove(struct cohort *c, const char *name, struct dm_batch *batch)
{
	(void)c;
	(void)batch;
	CHECK(fake_find(name), "%s is there", name);
	memset(fake_find(name), 0, sizeof(struct fake));
	return 0;
}

void dm_finish(struct dm_batch *batch)
{
	(void)batch;
}

char *device_number(dev_t dev, char *text, size_t size)
{
	snprintf(text, size, "d:%u", (unsigned int)dev);
	return text;
}

int device_open(struct cohort *c, const char *path, enum device_mode mode, bool exclusive,
		struct device *d)
{
	(void)mode;
	if (!strcmp(path, "/dev/busy"))
		return fail_errno(c, EBUSY, "Device", "%s is in use", path);
	CHECK(exclusive, "it is to be claimed next");
	memset(d, 0, sizeof(*d));
	d->dev = (dev_t)strtoul(path + strlen("/dev/"), NULL, 10);
	return 0;
}

void device_close(struct device *d)
{
	(void)d;
}

bool identity_is_known(struct cohort *c, const struct recorded *r, const char *number, char *path,
		       size_t size)
{
	(void)c;
	(void)r;
	snprintf(path, size, "/dev/%s", number);
	return strcmp(number, "wrong");
}

int identity_find(struct cohort *c, const struct recorded *r, char *path, size_t size)
{
	if (lost && !strcmp(lost, r->wwn))
		return fail_errno(c, ENODEV, r->attribute, "no %s", r->name);
	snprintf(path, size, "/dev/%s", r->wwn);
	return 0;
}

int cohort_pool_get(struct cohort *c, const char *name, struct cohort_pool **ret)
{
	static struct cohort_pool pool = { .dm_dev = (char *)"p:0" };

	(void)c;
	(void)name;
	*ret = &pool;
	return 0;
}

void cohort_pool_free(struct cohort_pool *list)
{
	(void)list;
}

int cohort_source_get(struct cohort *c, const char *name, struct cohort_source **ret)
{
	(void)c;
	*ret = &sources[name[1] - '1'];
	return 0;
}

void cohort_source_free(struct cohort_source *list)
{
	(void)list;
}

int cohort_relationship_get(struct cohort *c, const char *name, struct cohort_relationship **ret)
{
	(void)c;
	(void)name;
	*ret = &rel;
	return 0;
}

int cohort_relationship_list(struct cohort *c, struct cohort_relationship **ret)
{
	(void)c;
	*ret = &rel;
	return 0;
}

void cohort_relationship_free(struct cohort_relationship *list)
{
	(void)list;
}

/* Two members, both in @state, with attached sources; no devices. */
static void set_up(uint32_t state)
{
	static char *const names[] = { (char *)"s1", (char *)"s2" };
	static char *const clones[] = { (char *)"r_1", (char *)"r_2" };
	static char *const wwns[] = { (char *)"101", (char *)"102" };
	static char *const disks[] = { (char *)"s:1", (char *)"s:2" };

	memset(devices, 0, sizeof(devices));
	lost = NULL;
	refused = NULL;
	rel = (struct cohort_relationship){
		.name = (char *)"r", .uuid = (char *)"U", .pool = (char *)"p",
		.sync_type = COHORT_SYNC_TYPE_CLONE, .copy_state = state, .members = members,
	};
	for (uint32_t i = 0; i < 2; i++) {
		targets[i] = (struct cohort_target){ .wwn = wwns[i], .size = 1 << 20 };
		sources[i] = (struct cohort_source){
			.name = names[i], .state = COHORT_SOURCE_STATE_ATTACHED, .dev = disks[i],
			.size = 1 << 20,
		};
		members[i] = (struct cohort_member){
			.next = i ? NULL : &members[1], .index = i + 1, .name = clones[i],
			.source = names[i], .copy_state = state, .target = &targets[i],
		};
	}
}

static const char *params(const char *name)
{
	const struct fake *d = fake_find(name);

	return d ? d->params : "none";
}

static void both_while_it_is_copied(void)
{
	static const uint32_t states[] = {
		COHORT_COPY_STATE_UNSYNCHRONIZED, COHORT_COPY_STATE_SUSPENDED,
	};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		set_up(states[i]);
		CHECK_INT(images_make(ctx, &rel), 0, "make");
		CHECK_INT(fake_count(), 4, "devices");
		CHECK_STRING(params("cohort-U-1"), "cohort-replica p:0 r 1 s:1");
		CHECK_STRING(params("r_1"), "cohort-clone p:0 r 1 d:1 d:101");
		CHECK_STRING(params("r_2"), "cohort-clone p:0 r 2 d:3 d:102");
		CHECK_STRING(fake_find("cohort-U-2")->uuid, "COHORT-IMG-U-2");
		CHECK_STRING(fake_find("r_2")->uuid, "COHORT-CLONE-U-2");
		CHECK(fake_find("cohort-U-1")->read_only && !fake_find("r_1")->read_only, "modes");
		CHECK_INT(images_make(ctx, &rel), 0, "once more");
		CHECK_INT(fake_count(), 4, "devices");
	}
}

static void one_when_nothing_more_is_copied(void)
{
	static const uint32_t states[] = {
		COHORT_COPY_STATE_SYNCHRONIZED, COHORT_COPY_STATE_BROKEN,
	};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		set_up(states[i]);
		sources[0].state = COHORT_SOURCE_STATE_DETACHED;
		CHECK_INT(images_make(ctx, &rel), 0, "make");
		CHECK_INT(fake_count(), 2, "devices");
		CHECK_STRING(params("r_1"), "cohort-clone p:0 r 1 - d:101");
	}
}

static void become_whole(void)
{
	static char *const numbers[] = { (char *)"d:101", (char *)"d:102" };

	set_up(COHORT_COPY_STATE_UNSYNCHRONIZED);
	CHECK_INT(images_make(ctx, &rel), 0, "make");
	rel.copy_state = COHORT_COPY_STATE_SYNCHRONIZED;
	for (uint32_t i = 0; i < 2; i++) {
		members[i].copy_state = COHORT_COPY_STATE_SYNCHRONIZED;
		targets[i].dev = numbers[i];
	}
}

static void images_go_when_it_is_whole(void)
{
	become_whole();
	fake_find("r_1")->open_count = 1;
	CHECK_INT(images_make(ctx, &rel), 0, "once more");
	CHECK_INT(fake_count(), 2, "clones");
	CHECK_STRING(params("r_1"), "cohort-clone p:0 r 1 - d:101");
	CHECK_STRING(params("r_2"), "cohort-clone p:0 r 2 - d:102");
}

static void an_image_stays_below_a_clone_that_can_not_be_changed(void)
{
	become_whole();
	refused = "r_2";
	CHECK(images_make(ctx, &rel), "it is told");
	CHECK_STRING(params("r_1"), "cohort-clone p:0 r 1 - d:101");
	CHECK_STRING(params("r_2"), "cohort-clone p:0 r 2 d:3 d:102");
	CHECK_INT(fake_count(), 3, "two clones and an image");
}

static void none_before_and_after(void)
{
	static const uint32_t states[] = {
		COHORT_COPY_STATE_INITIALIZED, COHORT_COPY_STATE_INACTIVE,
		COHORT_COPY_STATE_ABORTED,
	};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		set_up(states[i]);
		CHECK_INT(images_make(ctx, &rel), 0, "make");
		CHECK_INT(fake_count(), 0, "devices");
	}
}

static void none_without_the_source(void)
{
	set_up(COHORT_COPY_STATE_UNSYNCHRONIZED);
	sources[0].state = COHORT_SOURCE_STATE_DETACHED;
	CHECK_INT(images_make(ctx, &rel), 0, "make");
	CHECK_INT(fake_count(), 2, "of the other member");
	CHECK_STRING(params("r_1"), "none");
	CHECK_STRING(params("cohort-U-1"), "none");
}

static void a_target_that_is_away(void)
{
	struct cohort_error e;

	set_up(COHORT_COPY_STATE_UNSYNCHRONIZED);
	lost = "101";
	CHECK_INT(images_make(ctx, &rel), 5, "told");
	cohort_get_error(ctx, &e);
	CHECK_STRING(e.attribute, "TargetElements[0]");
	CHECK(strstr(e.message, "r_1"), "'%s'", e.message);
	CHECK_INT(fake_count(), 3, "all others");
	CHECK_STRING(params("r_1"), "none");
	CHECK_INT(images_make_found(ctx, &rel), 0, "no error where it must not be one");
	lost = NULL;
	CHECK_INT(images_make(ctx, &rel), 0, "it is back");
	CHECK_STRING(params("r_1"), "cohort-clone p:0 r 1 d:1 d:101");
}

static void a_target_in_use_is_as_good_as_away(void)
{
	struct cohort_error e;

	set_up(COHORT_COPY_STATE_SYNCHRONIZED);
	targets[0].dev = (char *)"busy";
	CHECK_INT(images_make(ctx, &rel), 6, "told");
	cohort_get_error(ctx, &e);
	CHECK_STRING(e.attribute, "TargetElements[0]");
	CHECK_INT(images_make_found(ctx, &rel), 0, "no error where it must not be one");
	CHECK_INT(fake_count(), 1, "the other one");
}

static void the_number_that_is_known_comes_first(void)
{
	set_up(COHORT_COPY_STATE_SYNCHRONIZED);
	targets[0].dev = (char *)"7";
	targets[1].dev = (char *)"wrong";
	CHECK_INT(images_make(ctx, &rel), 0, "make");
	CHECK_STRING(params("r_1"), "cohort-clone p:0 r 1 - d:7");
	CHECK_STRING(params("r_2"), "cohort-clone p:0 r 2 - d:102");
}

static void a_failure_takes_back_what_was_made(void)
{
	struct cohort_error e;

	set_up(COHORT_COPY_STATE_UNSYNCHRONIZED);
	refused = "r_2";
	CHECK_INT(images_make(ctx, &rel), 4, "told");
	cohort_get_error(ctx, &e);
	CHECK_STRING(e.message, "refused");
	CHECK_INT(fake_count(), 0, "devices");
}

static void in_use(void)
{
	set_up(COHORT_COPY_STATE_UNSYNCHRONIZED);
	images_make(ctx, &rel);
	/* the clone has its image open, which is no use */
	fake_find("cohort-U-1")->open_count = 1;
	CHECK_INT(images_check_unused(ctx, &rel, NULL), 0, "unused");
	fake_find("r_1")->open_count = 1;
	CHECK_INT(images_check_unused(ctx, &rel, NULL), 6, "used");
	CHECK_INT(images_check_unused(ctx, &rel, "s2"), 0, "by another member");
	CHECK_INT(images_check_unused(ctx, &rel, "s1"), 6, "by this one");
}

static void a_source_goes(void)
{
	set_up(COHORT_COPY_STATE_UNSYNCHRONIZED);
	members[1].copy_state = COHORT_COPY_STATE_SYNCHRONIZED;
	images_make(ctx, &rel);
	CHECK_INT(fake_count(), 3, "devices");
	CHECK_INT(images_remove(ctx, &rel, "s2"), 0, "what stands by itself");
	CHECK_INT(fake_count(), 3, "devices");
	CHECK_INT(images_remove(ctx, &rel, "s1"), 0, "what is copied");
	CHECK_INT(fake_count(), 1, "devices");
	CHECK_INT(images_remove(ctx, &rel, NULL), 0, "all");
	CHECK_INT(fake_count(), 0, "devices");
}

static void devices_of_others_stay(void)
{
	set_up(COHORT_COPY_STATE_UNSYNCHRONIZED);
	snprintf(devices[0].name, sizeof(devices[0].name), "r_1");
	snprintf(devices[0].uuid, sizeof(devices[0].uuid), "LVM-x");
	devices[0].open_count = 1;
	CHECK_INT(images_make(ctx, &rel), 5, "the name is taken");
	CHECK_INT(images_check_unused(ctx, &rel, NULL), 0, "it is in nobody's way");
	CHECK_INT(images_remove(ctx, &rel, NULL), 0, "remove");
	CHECK_INT(fake_count(), 1, "devices");
}

static int count_call(struct cohort *c, const struct cohort_relationship *r, const char *source)
{
	CHECK(c && r == &rel && !source, "for the clone");
	devices[0].open_count++;
	return 0;
}

static void clones_of_a_pool(void)
{
	set_up(COHORT_COPY_STATE_SYNCHRONIZED);
	pool_each_clone(ctx, "p", count_call);
	pool_each_clone(ctx, "q", count_call);
	rel.sync_type = COHORT_SYNC_TYPE_SNAPSHOT;
	pool_each_clone(ctx, "p", count_call);
	CHECK_INT(devices[0].open_count, 1, "calls");
}

static const struct unit_case cases[] = {
	{ "both_while_it_is_copied", both_while_it_is_copied },
	{ "one_when_nothing_more_is_copied", one_when_nothing_more_is_copied },
	{ "images_go_when_it_is_whole", images_go_when_it_is_whole },
	{ "an_image_stays_below_a_clone_that_can_not_be_changed",
	  an_image_stays_below_a_clone_that_can_not_be_changed },
	{ "none_before_and_after", none_before_and_after },
	{ "none_without_the_source", none_without_the_source },
	{ "a_target_that_is_away", a_target_that_is_away },
	{ "a_target_in_use_is_as_good_as_away", a_target_in_use_is_as_good_as_away },
	{ "the_number_that_is_known_comes_first", the_number_that_is_known_comes_first },
	{ "a_failure_takes_back_what_was_made", a_failure_takes_back_what_was_made },
	{ "in_use", in_use },
	{ "a_source_goes", a_source_goes },
	{ "devices_of_others_stay", devices_of_others_stay },
	{ "clones_of_a_pool", clones_of_a_pool },
};

int main(void)
{
	int status;

	ctx = cohort_new();
	status = unit_main(cases, ARRAY_SIZE(cases));
	cohort_unref(ctx);
	return status;
}
