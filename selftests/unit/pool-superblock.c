// SPDX-License-Identifier: GPL-2.0-or-later
/* The superblock of a pool: there and back, every damaged byte, every bound. */
#include <stdlib.h>

#include "../../kmod/codec.h"
#include "unit.h"

#define MIB (1ull << 20)
#define DEVICE (64 * MIB)

static u8 copy_a[COHORT_BLOCK], copy_b[COHORT_BLOCK];

static struct cohort_super plain(void)
{
	struct cohort_super sb = { .uuid = "0123456789abcde", .name = "pool" };
	const char *why = NULL;

	CHECK(!cohort_super_layout(&sb, DEVICE, 4096, &why), "%s", why);
	return sb;
}

/* The checksum of a block that was changed on purpose. */
static void seal(void *block, u64 address)
{
	struct cohort_disk_super *d = block;
	const __le64 where = cpu_to_le64(address);
	u32 crc;

	d->crc = 0;
	crc = cohort_crc32c(cohort_pool_seed(d->uuid), &where, sizeof(where));
	d->crc = cpu_to_le32(cohort_crc32c(crc, d, sizeof(*d)));
}

static int decode(const void *block, struct cohort_super *sb, const char **why)
{
	return cohort_super_decode(sb, block, COHORT_SUPER_A, DEVICE, why);
}

static void there_and_back(void)
{
	struct cohort_super sb = plain(), got = { 0 };
	const char *why;

	sb.epoch_high = 0x1122334455667788;
	sb.nonce = 0x99;
	sb.next_seq = 7;
	sb.next_segment = 8;
	sb.catalog_seq = 9;
	sb.flags = COHORT_SB_CLEAN;
	cohort_super_encode(&sb, copy_a);
	CHECK(!decode(copy_a, &got, &why), "%s", why);
	CHECK(!memcmp(sb.uuid, got.uuid, 16), "uuid");
	CHECK_STRING(got.name, "pool");
	CHECK(got.generation == sb.generation && got.size == sb.size, "generation, size");
	CHECK(got.chunk_size == sb.chunk_size && got.segment_size == sb.segment_size, "sizes");
	CHECK(got.table_size == sb.table_size && got.segments_start == sb.segments_start, "table");
	CHECK(got.nr_segments == sb.nr_segments && got.epoch_high == sb.epoch_high, "segments");
	CHECK(got.nonce == 0x99 && got.next_seq == 7 && got.next_segment == 8 &&
	      got.catalog_seq == 9 && got.flags == COHORT_SB_CLEAN, "counters");
}

static void every_bit_counts(void)
{
	struct cohort_super sb = plain(), got;
	const char *why;

	cohort_super_encode(&sb, copy_a);
	for (size_t bit = 0; bit < COHORT_BLOCK * 8; bit += 3) {
		copy_a[bit / 8] ^= 1 << bit % 8;
		CHECK(decode(copy_a, &got, &why) < 0 && why[0], "bit %zu", bit);
		copy_a[bit / 8] ^= 1 << bit % 8;
	}
	CHECK(!decode(copy_a, &got, &why), "whole again");
}

static void a_block_in_the_wrong_place(void)
{
	struct cohort_super sb = plain(), got;
	const char *why;

	cohort_super_encode(&sb, copy_a);
	CHECK(cohort_super_decode(&got, copy_a, COHORT_SUPER_B, DEVICE, &why) == -EUCLEAN,
	      "copy A read at B");
	sb.generation = 2;
	cohort_super_encode(&sb, copy_a);
	CHECK(decode(copy_a, &got, &why) == -EUCLEAN, "copy B read at A");
}

static void nothing_there(void)
{
	struct cohort_super got;
	const char *why;

	memset(copy_a, 0, sizeof(copy_a));
	CHECK(decode(copy_a, &got, &why) == -ENOENT, "zeroes");
	memset(copy_a, 0xff, sizeof(copy_a));
	CHECK(decode(copy_a, &got, &why) == -ENOENT, "ones");
	CHECK(why[0], "words");
}

static void unknown_features(void)
{
	struct cohort_super sb = plain(), got;
	struct cohort_disk_super *d = (void *)copy_a;
	const char *why;

	cohort_super_encode(&sb, copy_a);
	d->incompat = cpu_to_le64(1ull << 63);
	seal(d, COHORT_SUPER_A);
	CHECK(decode(copy_a, &got, &why) == -EOPNOTSUPP, "incompat");
	cohort_super_encode(&sb, copy_a);
	d->version = cpu_to_le32(COHORT_FORMAT_VERSION + 1);
	seal(d, COHORT_SUPER_A);
	CHECK(decode(copy_a, &got, &why) == -EOPNOTSUPP, "version");
	cohort_super_encode(&sb, copy_a);
	d->compat = cpu_to_le64(1ull << 63);
	seal(d, COHORT_SUPER_A);
	CHECK(!decode(copy_a, &got, &why), "compat is no hindrance");
}

/* A pool without runs can be opened by who does not know of them. */
static void start_of_the_log(void)
{
	struct cohort_disk_super *d = (void *)copy_a;
	struct cohort_super sb = plain(), got;
	const char *why;

	cohort_super_encode(&sb, copy_a);
	CHECK_INT(le64_to_cpu(d->incompat), 0, "no feature");
	sb.log_start = 77;
	cohort_super_encode(&sb, copy_a);
	CHECK_INT(le64_to_cpu(d->incompat), COHORT_INCOMPAT_RUNS, "the feature");
	CHECK(!decode(copy_a, &got, &why) && got.log_start == 77, "start");
	d->incompat = 0;
	seal(d, COHORT_SUPER_A);
	CHECK(!decode(copy_a, &got, &why) && got.log_start == 0, "it does not count");
}

/* Nor is one without overlays any hindrance. */
static void overlays(void)
{
	struct cohort_disk_super *d = (void *)copy_a;
	struct cohort_super sb = plain(), got;
	const char *why;

	CHECK(!sb.overlays, "a new pool has none");
	sb.overlays = true;
	cohort_super_encode(&sb, copy_a);
	CHECK_INT(le64_to_cpu(d->incompat), COHORT_INCOMPAT_OVERLAYS, "the feature");
	CHECK(!decode(copy_a, &got, &why) && got.overlays && !got.log_start, "overlays alone");
	sb.log_start = 77;
	cohort_super_encode(&sb, copy_a);
	CHECK_INT(le64_to_cpu(d->incompat), COHORT_INCOMPAT_OVERLAYS | COHORT_INCOMPAT_RUNS,
		  "both features");
	CHECK(!decode(copy_a, &got, &why) && got.overlays && got.log_start == 77, "both");
	sb.overlays = false;
	cohort_super_encode(&sb, copy_a);
	CHECK(!decode(copy_a, &got, &why) && !got.overlays && got.log_start == 77, "runs alone");
}

/* Nor of chunks that were moved. */
static void moves(void)
{
	struct cohort_disk_super *d = (void *)copy_a;
	struct cohort_super sb = plain(), got;
	const char *why;

	CHECK(!sb.moves, "a new pool has none");
	sb.moves = true;
	cohort_super_encode(&sb, copy_a);
	CHECK_INT(le64_to_cpu(d->incompat), COHORT_INCOMPAT_MOVES, "the feature");
	CHECK(!decode(copy_a, &got, &why) && got.moves && !got.overlays, "moves alone");
	sb.moves = false;
	cohort_super_encode(&sb, copy_a);
	CHECK(!decode(copy_a, &got, &why) && !got.moves, "none");
}

/* Nor of clones; and no feature stands for another one. */
static void clones(void)
{
	struct cohort_disk_super *d = (void *)copy_a;
	struct cohort_super sb = plain(), got;
	const char *why;

	CHECK(!sb.clones, "a new pool has none");
	sb.clones = true;
	cohort_super_encode(&sb, copy_a);
	CHECK_INT(le64_to_cpu(d->incompat), COHORT_INCOMPAT_CLONES, "the feature");
	CHECK(!decode(copy_a, &got, &why) && got.clones && !got.overlays && !got.moves &&
	      !got.sides && !got.log_start, "clones alone");
	d->incompat = cpu_to_le64(COHORT_INCOMPAT_KNOWN & ~COHORT_INCOMPAT_CLONES);
	seal(d, COHORT_SUPER_A);
	CHECK(!decode(copy_a, &got, &why) && !got.clones && got.overlays && got.sides,
	      "all but clones");
	d->incompat = cpu_to_le64(COHORT_INCOMPAT_CLONES << 1);
	seal(d, COHORT_SUPER_A);
	CHECK(decode(copy_a, &got, &why) == -EOPNOTSUPP, "the one behind it");
}

/* Whole by its checksum and still impossible: what damage or malice could write. */
static void impossible_fields(void)
{
	static const struct {
		const char *name;
		size_t offset;
		u64 value;
		size_t size;
	} fields[] = {
		{ "chunk size 0", offsetof(struct cohort_disk_super, chunk_size), 0, 4 },
		{ "chunk size 4097", offsetof(struct cohort_disk_super, chunk_size), 4097, 4 },
		{ "chunk size 128K", offsetof(struct cohort_disk_super, chunk_size), 131072, 4 },
		{ "segment size 0", offsetof(struct cohort_disk_super, segment_size), 0, 4 },
		{ "segment size 8M", offsetof(struct cohort_disk_super, segment_size), 8 * MIB, 4 },
		{ "no segments", offsetof(struct cohort_disk_super, nr_segments), 0, 8 },
		{ "too many", offsetof(struct cohort_disk_super, nr_segments), ~0ull, 8 },
		{ "more than fit", offsetof(struct cohort_disk_super, nr_segments), 100000, 8 },
		{ "start 0", offsetof(struct cohort_disk_super, segments_start), 0, 8 },
		{ "start far", offsetof(struct cohort_disk_super, segments_start), ~0ull << 12, 8 },
		{ "table 0", offsetof(struct cohort_disk_super, table_size), 0, 8 },
		{ "table far", offsetof(struct cohort_disk_super, table_size), ~0ull, 8 },
		{ "name unended", offsetof(struct cohort_disk_super, name), 0, 0 },
	};
	struct cohort_super sb = plain(), got;
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		cohort_super_encode(&sb, copy_a);
		if (fields[i].size)
			memcpy(copy_a + fields[i].offset, &fields[i].value, fields[i].size);
		else
			memset(copy_a + fields[i].offset, 'x', COHORT_DISK_NAME);
		seal(copy_a, COHORT_SUPER_A);
		CHECK(decode(copy_a, &got, &why) == -EUCLEAN, "%s", fields[i].name);
	}
}

static void a_smaller_device(void)
{
	struct cohort_super sb = plain(), got;
	const char *why;

	cohort_super_encode(&sb, copy_a);
	CHECK(cohort_super_decode(&got, copy_a, COHORT_SUPER_A, DEVICE - COHORT_BLOCK, &why) ==
	      -ERANGE, "%s", why);
	CHECK(!cohort_super_decode(&got, copy_a, COHORT_SUPER_A, 2 * DEVICE, &why), "grown");
}

/* Two copies with these generations; 0 leaves the copy out. */
static int choose(u64 a, u64 b, struct cohort_super *got, const char **why)
{
	struct cohort_super sb = plain();

	memset(copy_a, 0, sizeof(copy_a));
	memset(copy_b, 0, sizeof(copy_b));
	sb.generation = a;
	if (a)
		cohort_super_encode(&sb, copy_a);
	sb.generation = b;
	if (b)
		cohort_super_encode(&sb, copy_b);
	return cohort_super_choose(got, copy_a, copy_b, DEVICE, why);
}

static void the_newer_copy_wins(void)
{
	struct cohort_super got;
	const char *why;

	CHECK(!choose(1, 0, &got, &why) && got.generation == 1, "first write");
	CHECK(!choose(1, 2, &got, &why) && got.generation == 2, "B is newer");
	CHECK(!choose(3, 2, &got, &why) && got.generation == 3, "A is newer");
	CHECK(!choose(0, 2, &got, &why) && got.generation == 2, "A is lost");
	CHECK(choose(0, 0, &got, &why) == -ENOENT, "none");
}

static void one_damaged_copy_is_survived(void)
{
	struct cohort_super got;
	const char *why;

	choose(3, 2, &got, &why);
	copy_a[200] ^= 1;
	CHECK(!cohort_super_choose(&got, copy_a, copy_b, DEVICE, &why) && got.generation == 2,
	      "torn A");
	copy_b[200] ^= 1;
	CHECK(cohort_super_choose(&got, copy_a, copy_b, DEVICE, &why) == -EUCLEAN, "both torn");
	CHECK(why[0], "words");
}

static void layouts(void)
{
	struct cohort_super sb = plain();
	const char *why = "";

	CHECK(cohort_super_layout(&sb, DEVICE, 4097, &why) == -EINVAL && why[0], "chunk 4097");
	CHECK(cohort_super_layout(&sb, DEVICE, 2048, &why) == -EINVAL, "chunk 2048");
	CHECK(cohort_super_layout(&sb, DEVICE, 131072, &why) == -EINVAL, "chunk 128 KiB");
	CHECK(cohort_super_layout(&sb, MIB, 4096, &why) == -ENOSPC && why[0], "1 MiB device");
	CHECK(cohort_super_layout(&sb, 0, 4096, &why) == -ENOSPC, "empty device");
	for (u64 size = 8 * MIB; size < 1ull << 50; size = size * 3 / 2 + 512) {
		struct cohort_super got;

		CHECK(!cohort_super_layout(&sb, size, 4096, &why), "%llu: %s",
		      (unsigned long long)size, why);
		CHECK(sb.segments_start + sb.nr_segments * sb.segment_size <= size, "%llu",
		      (unsigned long long)size);
		cohort_super_encode(&sb, copy_a);
		CHECK(!cohort_super_decode(&got, copy_a, COHORT_SUPER_A, size, &why), "%s", why);
	}
}

static const struct unit_case cases[] = {
	{ "there_and_back", there_and_back },
	{ "every_bit_counts", every_bit_counts },
	{ "a_block_in_the_wrong_place", a_block_in_the_wrong_place },
	{ "nothing_there", nothing_there },
	{ "unknown_features", unknown_features },
	{ "start_of_the_log", start_of_the_log },
	{ "overlays", overlays },
		{ "moves", moves },
	{ "clones", clones },
	{ "impossible_fields", impossible_fields },
	{ "a_smaller_device", a_smaller_device },
	{ "the_newer_copy_wins", the_newer_copy_wins },
	{ "one_damaged_copy_is_survived", one_damaged_copy_is_survived },
	{ "layouts", layouts },
};

int main(void)
{
	return unit_main(cases, ARRAY_SIZE(cases));
}
