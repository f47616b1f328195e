// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: the two superblocks of a pool, changed anywhere, with right checksums or not. */
#include "../../kmod/codec.h"
#include "fuzz.h"

#define DEVICE (64ull << 20)

static u8 copy[2][COHORT_BLOCK];

static void seal(void *block, u64 address)
{
	struct cohort_disk_super *d = block;
	const __le64 where = cpu_to_le64(address);
	u32 crc;

	d->crc = 0;
	crc = cohort_crc32c(cohort_pool_seed(d->uuid), &where, sizeof(where));
	d->crc = cpu_to_le32(cohort_crc32c(crc, d, sizeof(*d)));
}

static void change(struct input *in)
{
	u64 what = take(in, 1);
	u8 *block = copy[what & 1];
	u32 at = take(in, 2) % COHORT_BLOCK, len = 1u << ((what >> 1) & 3);

	if (at + len > COHORT_BLOCK)
		return;
	/* fields lie in the first few hundred bytes */
	if (what & 8)
		at %= 304;
	take_bytes(in, block + at, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cohort_super sb = { .uuid = "0123456789abcde", .name = "pool" };
	struct input in = { data, size };
	u64 how = take(&in, 1);
	const char *why = "";

	if (cohort_super_layout(&sb, DEVICE, 4096u << how % 5, &why))
		return 0;
	cohort_super_encode(&sb, copy[0]);
	sb.generation++;
	cohort_super_encode(&sb, copy[1]);
	while (in.left)
		change(&in);
	if (how & 0x40)
		seal(copy[0], COHORT_SUPER_A);
	if (how & 0x80)
		seal(copy[1], COHORT_SUPER_B);
	why = "";
	if (cohort_super_choose(&sb, copy[0], copy[1], DEVICE, &why)) {
		PROMISED(why[0]);
		return 0;
	}
	PROMISED(sb.size <= DEVICE && sb.nr_segments);
	PROMISED(sb.chunk_size >= COHORT_CHUNK_MIN && sb.chunk_size <= COHORT_CHUNK_MAX);
	PROMISED(sb.segments_start <= sb.size && sb.segment_size);
	PROMISED(sb.nr_segments <= (sb.size - sb.segments_start) / sb.segment_size);
	PROMISED(cohort_table_address(sb.nr_segments - 1) + COHORT_SECTOR <= sb.segments_start);
	PROMISED(memchr(sb.name, 0, sizeof(sb.name)));
	return 0;
}
