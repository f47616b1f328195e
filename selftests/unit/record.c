// SPDX-License-Identifier: GPL-2.0-or-later
/* Records of the catalog: how long they are, and what ids and numbers of overlays mean. */
#include "../../kmod/codec.h"
#include "unit.h"

static u8 buf[2 << 20];

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
	CHECK_INT(check(COHORT_REC_CLONE + 1, 16, sizeof(buf)), -EUCLEAN, "the next one");
	CHECK_INT(check(0xffff, 16, sizeof(buf)), -EUCLEAN, "the last one");
}

static void set_segments(u32 count)
{
	((struct cohort_disk_clone *)buf)->count = cpu_to_le32(count);
}

/* As long as the segments of its map need it. */
static void lengths_of_a_clone(void)
{
	const u32 most = ((1 << 20) - 368) / 4;

	set_segments(0);
	length_of(COHORT_REC_CLONE, 368, "without a map");
	CHECK_INT(check(COHORT_REC_CLONE, 16, sizeof(buf)), -EUCLEAN, "a header alone");
	set_segments(1);
	length_of(COHORT_REC_CLONE, 376, "one segment");
	set_segments(2);
	length_of(COHORT_REC_CLONE, 376, "two segments");
	set_segments(3);
	length_of(COHORT_REC_CLONE, 384, "three segments");
	set_segments(most);
	CHECK_INT(check(COHORT_REC_CLONE, 1 << 20, sizeof(buf)), 1 << 20, "the longest");
	set_segments(most + 1);
	CHECK_INT(check(COHORT_REC_CLONE, (1 << 20) + 8, sizeof(buf)), -EUCLEAN, "one more");
	set_segments(U32_MAX);
	CHECK_INT(check(COHORT_REC_CLONE, 352, sizeof(buf)), -EUCLEAN, "all there are");
	CHECK_INT(check(COHORT_REC_CLONE, 368, sizeof(buf)), -EUCLEAN, "all there are");
}

static void fields_of_a_clone(void)
{
	CHECK_INT(offsetof(struct cohort_disk_clone, member), 16, "member");
	CHECK_INT(offsetof(struct cohort_disk_clone, count), 20, "segments");
	CHECK_INT(offsetof(struct cohort_disk_clone, map), 24, "map");
	CHECK_INT(offsetof(struct cohort_disk_clone, size), 40, "size");
	CHECK_INT(offsetof(struct cohort_disk_clone, dm_uuid), 56, "dm uuid");
	CHECK_INT(offsetof(struct cohort_disk_clone, wwn), 192, "WWN");
	CHECK_INT(offsetof(struct cohort_disk_clone, partuuid), 328, "partition uuid");
	CHECK_INT(offsetof(struct cohort_disk_clone, segment), 368, "segments");
}

static void fields_of_a_map_block(void)
{
	CHECK_INT(offsetof(struct cohort_disk_map_block, crc), 4, "crc");
	CHECK_INT(offsetof(struct cohort_disk_map_block, address), 8, "address");
	CHECK_INT(offsetof(struct cohort_disk_map_block, map), 16, "map");
	CHECK_INT(offsetof(struct cohort_disk_map_block, seq), 32, "seq");
	CHECK_INT(offsetof(struct cohort_disk_map_block, block), 40, "block");
	CHECK_INT(offsetof(struct cohort_disk_map_block, bits), 64, "bits");
	CHECK_INT(sizeof(struct cohort_disk_map_block), COHORT_BLOCK, "all of it");
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
	{ "lengths_of_a_clone", lengths_of_a_clone },
	{ "fields_of_a_clone", fields_of_a_clone },
	{ "fields_of_a_map_block", fields_of_a_map_block },
	{ "fields_of_an_overlay", fields_of_an_overlay },
	{ "numbers_of_overlays", numbers_of_overlays },
};

int main(void)
{
	return unit_main(cases, ARRAY_SIZE(cases));
}
