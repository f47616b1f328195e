// SPDX-License-Identifier: GPL-2.0-or-later
/* Records of the catalog that have one length, and what ids and numbers of overlays mean. */
#include "../../kmod/codec.h"
#include "unit.h"

static u8 buf[1024];

static int check(u16 type, u32 len, size_t room)
{
	struct cohort_disk_record *r = (void *)buf;

	r->type = cpu_to_le16(type);
	r->len = cpu_to_le32(len);
	r->id = cpu_to_le32(7);
	return cohort_record_check(buf, room);
}

/* Just so long, and all of it there. */
static void length_of(u16 type, int len, const char *what)
{
	CHECK_INT(check(type, len, sizeof(buf)), len, what);
	CHECK_INT(check(type, len, len), len, what);
	CHECK_INT(check(type, len, len - 1), -EUCLEAN, what);
	CHECK_INT(check(type, len - 8, sizeof(buf)), -EUCLEAN, what);
	CHECK_INT(check(type, len + 8, sizeof(buf)), -EUCLEAN, what);
	CHECK_INT(check(type, 0, sizeof(buf)), -EUCLEAN, what);
}

static void lengths(void)
{
	length_of(COHORT_REC_SOURCE, 520, "source");
	length_of(COHORT_REC_SOURCE_DEL, 16, "source that goes");
	length_of(COHORT_REC_GROUP_DEL, 16, "group that goes");
	length_of(COHORT_REC_REL_DEL, 16, "relationship that goes");
	length_of(COHORT_REC_RUN_DEL, 16, "run that goes");
	length_of(COHORT_REC_OVERLAY, 32, "overlay");
	length_of(COHORT_REC_OVERLAY_DEL, 16, "overlay that goes");
}

static void unknown_types(void)
{
	CHECK_INT(check(0, 16, sizeof(buf)), -EUCLEAN, "type 0");
	CHECK_INT(check(COHORT_REC_OVERLAY_DEL + 1, 16, sizeof(buf)), -EUCLEAN, "the next one");
	CHECK_INT(check(0xffff, 16, sizeof(buf)), -EUCLEAN, "the last one");
}

static void fields_of_an_overlay(void)
{
	CHECK_INT(offsetof(struct cohort_disk_overlay, rel), 16, "relationship");
	CHECK_INT(offsetof(struct cohort_disk_overlay, member), 20, "member");
	CHECK_INT(offsetof(struct cohort_disk_overlay, floor), 24, "floor");
}

static void numbers_of_overlays(void)
{
	CHECK(!cohort_is_overlay(1) && !cohort_is_overlay(0x7fffffff), "ids of sources");
	CHECK(cohort_is_overlay(0x80000001) && cohort_is_overlay(U32_MAX), "ids of overlays");
	CHECK_INT(cohort_overlay_epoch(1), (1ll << 62) - 1, "of the first batch");
	CHECK_INT(cohort_overlay_seq(cohort_overlay_epoch(4711)), 4711, "there and back");
	CHECK(cohort_overlay_epoch(8) < cohort_overlay_epoch(7), "the newer is the smaller");
}

static const struct unit_case cases[] = {
	{ "lengths", lengths },
	{ "unknown_types", unknown_types },
	{ "fields_of_an_overlay", fields_of_an_overlay },
	{ "numbers_of_overlays", numbers_of_overlays },
};

int main(void)
{
	return unit_main(cases, ARRAY_SIZE(cases));
}
