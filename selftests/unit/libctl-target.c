// SPDX-License-Identifier: GPL-2.0-or-later
/* The looks at the targets of a clone: each refusal and its words, with fake disks. */
#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "../../libctl/private.h"
#include "unit.h"

static struct cohort *ctx;
static int opened;	/* disks that are open */
static bool mute;	/* the module does not answer */

const char *element_name(const char *element)
{
	return strncmp(element, DM_DIR, strlen(DM_DIR)) ? element : element + strlen(DM_DIR);
}

/* What a path says of its disk: /dev/NUMBER, /dev/NUMBER-WORD. */
static bool says(const struct device *d, const char *word)
{
	return strstr(d->path, word);
}

int device_open(struct cohort *c, const char *path, enum device_mode mode, bool exclusive,
		struct device *d)
{
	CHECK(mode == DEVICE_READ && exclusive, "nobody else has it");
	memset(d, 0, sizeof(*d));
	snprintf(d->path, sizeof(d->path), "%s", path);
	d->dev = makedev(8, (unsigned int)strtoul(path + strlen("/dev/"), NULL, 10));
	d->size = says(d, "small") ? 4096 : says(d, "large") ? 1 << 30 : 1 << 20;
	if (says(d, "busy"))
		return fail_errno(c, EBUSY, "Device", "%s is in use: held by s1", path);
	opened++;
	return 0;
}

void device_close(struct device *d)
{
	(void)d;
	opened--;
}

char *device_number(dev_t dev, char *text, size_t size)
{
	snprintf(text, size, "%u:%u", major(dev), minor(dev));
	return text;
}

int device_check_kind(struct cohort *c, const struct device *d)
{
	return says(d, "zoned") ? fail_errno(c, EINVAL, "Device", "zoned") : 0;
}

int device_check_signatures(struct cohort *c, const struct device *d)
{
	return says(d, "ext4") ? fail_errno(c, EEXIST, "Device", "signature") : 0;
}

int pool_check_none(struct cohort *c, const struct device *d)
{
	return says(d, "pool") ? fail_errno(c, EEXIST, "Device", "pool") : 0;
}

void identity_read(const struct device *d, struct identity *id)
{
	memset(id, 0, sizeof(*id));
	snprintf(id->wwn, sizeof(id->wwn), "wwn-%u", minor(d->dev));
	if (says(d, "ours"))
		snprintf(id->dm_uuid, sizeof(id->dm_uuid), "COHORT-SRC-x");
}

int cohort_source_list(struct cohort *c, struct cohort_source **ret)
{
	static struct cohort_source list[] = {
		{ .next = &list[1], .name = (char *)"s1", .size = 1 << 20 },
		{ .name = (char *)"s2", .size = 1 << 10 },
	};

	(void)c;
	*ret = list;
	return 0;
}

void cohort_source_free(struct cohort_source *list)
{
	(void)list;
}

int cohort_group_get(struct cohort *c, const char *name, struct cohort_group **ret)
{
	static struct cohort_member members[] = {
		{ .next = &members[1], .name = (char *)"s1" }, { .name = (char *)"s2" },
	};
	static struct cohort_group group = { .members = members };

	if (strcmp(name, "g"))
		return fail_errno(c, ENOENT, "GroupName", "no group");
	*ret = &group;
	return 0;
}

void cohort_group_free(struct cohort_group *list)
{
	(void)list;
}

/* One relationship, of a snapshot, a disk without a name, and one with. */
int cohort_relationship_list(struct cohort *c, struct cohort_relationship **ret)
{
	static struct cohort_target targets[] = { { 0 }, { .dm_uuid = (char *)"LVM-2" } };
	static struct cohort_member members[] = {
		{ .next = &members[1] }, { .next = &members[2], .target = &targets[0] },
		{ .target = &targets[1] },
	};
	static struct cohort_relationship list = { .members = members };

	if (mute)
		return fail_errno(c, EPERM, NULL, "no");
	*ret = &list;
	return 0;
}

void cohort_relationship_free(struct cohort_relationship *list)
{
	(void)list;
}

/* By elements, or by a group that has the same. */
static struct cohort_request request_of(const char *const *paths, size_t count, bool group)
{
	static const char *const elements[] = { "s1", "/dev/mapper/s2" };
	struct cohort_request r = {
		.size = sizeof(r), .target_elements = paths, .target_elements_count = count,
	};

	if (group) {
		r.source_group_name = "g";
	} else {
		r.source_elements = elements;
		r.source_elements_count = 2;
	}
	return r;
}

static void good_ones_are_learnt(void)
{
	const char *const paths[] = { "/dev/1", "/dev/2-large" };

	for (int group = 0; group < 2; group++) {
		const struct cohort_request r = request_of(paths, 2, group);
		struct target *t = NULL;

		CHECK_INT(targets_learn(ctx, &r, &t), 0, "good");
		CHECK_STRING(t[0].number, "8:1");
		CHECK_STRING(t[1].id.wwn, "wwn-2");
		CHECK(t[1].size == 1 << 30, "all of it");
		CHECK_INT(opened, 0, "the table is to claim them");
		free(t);
	}
}

static void refusals(void)
{
	static const struct {
		const char *path;	/* of the first one; the second one is good */
		int code;
		const char *words;
		bool forced;		/* forced it is taken */
	} rows[] = {
		{ "/dev/1-busy", 6, "held by s1", false },
		{ "/dev/1-zoned", 5, "zoned", false },
		{ "/dev/1-ours", 5, "can not be a target", false },
		{ "/dev/1-small", 5, "less than the 1048576 of source s1", false },
		{ "/dev/1-ext4", 5, "signature", true },
		{ "/dev/1-pool", 5, "pool", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
		const bool force = i % 2;
		const char *const paths[] = { rows[i / 2].path, "/dev/2-small" };
		struct cohort_request r = request_of(paths, 2, false);
		const int want = force && rows[i / 2].forced ? 0 : rows[i / 2].code;
		struct target *t = NULL;
		struct cohort_error e;

		r.force = force;
		CHECK_INT(targets_learn(ctx, &r, &t), want, paths[0]);
		CHECK_INT(opened, 0, "closed");
		free(t);
		if (!want)
			continue;
		cohort_get_error(ctx, &e);
		CHECK_STRING(e.attribute, "TargetElements[0]");
		CHECK(strstr(e.message, rows[i / 2].words), "'%s'", e.message);
	}
}

static void one_disk_of_two_paths(void)
{
	const char *const paths[] = { "/dev/1", "/dev/1-again" };
	const struct cohort_request r = request_of(paths, 2, false);
	struct target *t = NULL;
	struct cohort_error e;

	CHECK_INT(targets_learn(ctx, &r, &t), 5, "the same");
	cohort_get_error(ctx, &e);
	CHECK_STRING(e.attribute, "TargetElements[1]");
	CHECK(strstr(e.message, "the same device"), "'%s'", e.message);
}

static void as_many_as_the_group_has(void)
{
	const char *const paths[] = { "/dev/1", "/dev/2", "/dev/3" };

	for (size_t n = 1; n <= 3; n++) {
		struct cohort_request r = request_of(paths, n, true);
		struct target *t = NULL;
		struct cohort_error e;

		CHECK_INT(targets_learn(ctx, &r, &t), n == 2 ? 0 : 5, "count");
		free(t);
		if (n == 2)
			continue;
		cohort_get_error(ctx, &e);
		CHECK_STRING(e.attribute, "TargetElements");
		CHECK(strstr(e.message, "2 members"), "'%s'", e.message);
	}
}

static void no_such_group(void)
{
	const char *const paths[] = { "/dev/1" };
	struct cohort_request r = request_of(paths, 1, true);
	struct target *t = NULL;

	r.source_group_name = "nope";
	CHECK_INT(targets_learn(ctx, &r, &t), 5, "told");
	CHECK(!t, "nothing");
}

static void sizes_of_the_sources(void)
{
	uint64_t sizes[COHORT_MEMBERS_MAX];
	size_t count;

	for (int group = 0; group < 2; group++) {
		const struct cohort_request r = request_of(NULL, 0, group);

		count = 0;
		CHECK_INT(targets_sizes(ctx, &r, sizes, &count), 0, "both");
		CHECK_INT(count, 2, "members");
		CHECK(sizes[0] == 1 << 20 && sizes[1] == 1 << 10, "in order");
	}
}

static void no_size_without_a_source(void)
{
	static const char *const elements[] = { "s1", "nope" };
	struct cohort_request r = request_of(NULL, 0, true);
	uint64_t sizes[COHORT_MEMBERS_MAX];
	struct cohort_error e;
	size_t count;

	r.source_group_name = "nope";
	CHECK_INT(targets_sizes(ctx, &r, sizes, &count), 5, "no group");
	r.source_elements = elements;
	r.source_elements_count = 2;
	CHECK_INT(targets_sizes(ctx, &r, sizes, &count), 5, "no source");
	cohort_get_error(ctx, &e);
	CHECK_STRING(e.attribute, "SourceElements[1]");
	CHECK_STRING(e.message, "there is no source \"nope\"");
}

static void those_of_a_relationship_are_known(void)
{
	struct target t[] = { { .id.dm_uuid = "LVM-1" }, { .id.dm_uuid = "" } };

	CHECK(!targets_recorded(ctx, t, 2), "neither");
	snprintf(t[1].id.dm_uuid, sizeof(t[1].id.dm_uuid), "LVM-2");
	CHECK(targets_recorded(ctx, t, 2), "the second one");
	CHECK(!targets_recorded(ctx, t, 1), "not the first one");
	mute = true;
	CHECK(targets_recorded(ctx, t, 1), "nobody can tell");
	mute = false;
}

static const struct unit_case cases[] = {
	{ "good_ones_are_learnt", good_ones_are_learnt },
	{ "refusals", refusals },
	{ "one_disk_of_two_paths", one_disk_of_two_paths },
	{ "as_many_as_the_group_has", as_many_as_the_group_has },
	{ "no_such_group", no_such_group },
	{ "sizes_of_the_sources", sizes_of_the_sources },
	{ "no_size_without_a_source", no_size_without_a_source },
	{ "those_of_a_relationship_are_known", those_of_a_relationship_are_known },
};

int main(void)
{
	int status;

	ctx = cohort_new();
	status = unit_main(cases, ARRAY_SIZE(cases));
	cohort_unref(ctx);
	return status;
}
