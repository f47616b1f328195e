// SPDX-License-Identifier: GPL-2.0-or-later
/* A run of the index: built, read back, searched, and damaged, against a plain list. */
#include "../tools/memrun.h"
#include "unit.h"

#define LEAF COHORT_RUN_ENTRIES
#define KEYS COHORT_RUN_KEYS

static struct cohort_run_entry list[160000];
static u32 nr;

/* Chunks with one epoch, with a few, and with more than a leaf has. */
static void fill(u32 count, u32 seed)
{
	u32 chunk = 0, source = 1, left = 0;
	u64 epoch = 0;

	srand(seed);
	for (nr = 0; nr < count; nr++) {
		if (!left--) {
			left = rand() % 50 ? rand() % 4 : rand() % 300;
			chunk += 1 + rand() % 3;
			epoch = 10 * (rand() % 5);
			if (!(rand() % 500)) {
				source += 1 + rand() % 2;
				chunk = 0;
			}
		}
		epoch += 10 * (1 + rand() % 3);
		list[nr] = (struct cohort_run_entry){
			.key = { source, chunk, epoch }, .crc = (u32)rand(),
			.addr = 4096ull * nr, .unreadable = (u64)rand() << 33,
		};
	}
}

static int build(struct memrun *m, u32 start)
{
	int err = 0;

	memrun_begin(m, start);
	for (u32 i = 0; i < nr && !err; i++)
		err = cohort_run_add(&m->builder, &list[i]);
	return err ? err : memrun_end(m);
}

/* What the plain list says: index of the first entry not below, of the same chunk; or -1. */
static int expected(const struct cohort_run_key *key)
{
	u32 low = 0, high = nr;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (cohort_run_key_cmp(&list[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < nr && list[low].key.source == key->source &&
		list[low].key.chunk == key->chunk ? (int)low : -1;
}

static void look(struct memrun *m, const struct cohort_run_key *key)
{
	struct cohort_run_entry got;
	int at = expected(key), ret = cohort_run_search(m->run, &m->reader, key, &got);

	CHECK_INT(ret, at >= 0, "found");
	if (ret == 1 && at >= 0)
		CHECK(!cohort_run_key_cmp(&got.key, &list[at].key) &&
		      got.addr == list[at].addr && got.crc == list[at].crc &&
		      got.unreadable == list[at].unreadable, "another entry");
	CHECK_INT(m->held, 0, "blocks that are still held");
}

static void search_all(struct memrun *m, u32 step)
{
	struct cohort_run_key key;

	for (u32 i = 0; i < nr && !unit_broken; i += step) {
		key = list[i].key;
		look(m, &key);
		key.epoch--;
		look(m, &key);
		key.epoch += 2;
		look(m, &key);
		key.epoch = 0;
		key.chunk++;
		look(m, &key);
		key.chunk += 2;
		look(m, &key);
	}
	key = (struct cohort_run_key){ 0 };
	look(m, &key);
	key = (struct cohort_run_key){ U32_MAX, U64_MAX, U64_MAX };
	look(m, &key);
}

/* Read from its first block to its last one, a run gives its entries in order. */
static void read_through(struct memrun *m)
{
	u32 at = 0, level, count;

	for (u32 block = 0; block < m->run->blocks; block++) {
		u64 addr = cohort_run_address(m->run, &m->sb, block);
		struct cohort_run_entry entry;

		CHECK_INT(cohort_run_block_check(m->run, m->seed, addr, m->disk + addr, &level,
						 &count), 0, "block");
		for (u32 i = 0; !level && i < count; i++, at++) {
			cohort_run_entry_decode(m->disk + addr, i, &entry);
			CHECK(at < nr && entry.addr == list[at].addr, "entry %u", at);
		}
	}
	CHECK_INT(at, nr, "entries");
}

static void sizes(void)
{
	static const u32 size[] = {
		1, 2, LEAF - 1, LEAF, LEAF + 1, 2 * LEAF, LEAF * KEYS - 1, LEAF * KEYS,
		LEAF * KEYS + 1, 2 * LEAF * KEYS, 2 * LEAF * KEYS + 1, 100000,
	};
	struct memrun m;

	for (size_t i = 0; i < ARRAY_SIZE(size); i++) {
		fill(size[i], size[i]);
		CHECK_INT(build(&m, i * 5), 0, "build");
		CHECK_INT(m.run->entries, size[i], "entries");
		CHECK_INT(m.run->blocks, cohort_run_blocks(size[i]), "blocks");
		read_through(&m);
		search_all(&m, size[i] > 1000 ? 37 : 1);
		memrun_free(&m);
	}
}

static void record(void)
{
	u8 buf[1024], again_buf[sizeof(struct cohort_run) + MEMRUN_SEGMENTS * sizeof(u32)] = { 0 };
	struct cohort_run *again = (void *)again_buf;
	struct cohort_disk_run *d = (void *)buf;
	struct memrun m;

	fill(30000, 1);
	CHECK_INT(build(&m, 63), 0, "build");
	cohort_run_record_encode(m.run, buf);
	CHECK_INT(cohort_record_check(buf, sizeof(buf)), cohort_run_record_len(m.run->count),
		  "length");
	CHECK_INT(cohort_run_record_count(buf), m.run->count, "segments");
	CHECK_INT(cohort_run_record_decode(again, buf, &m.sb), 0, "decode");
	CHECK(!memcmp(again, m.run, offsetof(struct cohort_run, segment[m.run->count])),
	      "another run");

	d->segment[1] = cpu_to_le32(MEMRUN_SEGMENTS);
	CHECK_INT(cohort_run_record_decode(again, buf, &m.sb), -EUCLEAN, "segment");
	cohort_run_record_encode(m.run, buf);
	d->blocks = cpu_to_le32(m.run->blocks + 64);
	d->root = cpu_to_le32(m.run->blocks + 63);
	CHECK_INT(cohort_run_record_decode(again, buf, &m.sb), -EUCLEAN, "blocks");
	cohort_run_record_encode(m.run, buf);
	d->to = d->from;
	CHECK_INT(cohort_run_record_decode(again, buf, &m.sb), -EUCLEAN, "range");
	cohort_run_record_encode(m.run, buf);
	d->levels = cpu_to_le32(COHORT_RUN_LEVELS + 1);
	CHECK_INT(cohort_run_record_decode(again, buf, &m.sb), -EUCLEAN, "levels");
	memrun_free(&m);
}

/* Their entries come behind those of sources, and have no epochs. */
static void overlays(void)
{
	struct memrun m;

	for (nr = 0; nr < 300; nr++)
		list[nr] = (struct cohort_run_entry){
			.key = { nr / 100, nr / 2 % 50, 1 + nr % 2 }, .addr = 4096ull * nr,
		};
	for (; nr < 600; nr++)
		list[nr] = (struct cohort_run_entry){
			.key = { COHORT_OVERLAY_ID | nr / 100, nr / 2 % 50,
				 cohort_overlay_epoch(1000 - nr) }, .addr = 4096ull * nr,
		};
	CHECK_INT(build(&m, 0), 0, "build");
	CHECK_INT(m.run->max_epoch, 2, "largest epoch");
	read_through(&m);
	search_all(&m, 1);
	memrun_free(&m);
}

/* A bit anywhere in a block, or a block of another run or place: never another answer. */
static void damage(void)
{
	struct memrun m;

	fill(LEAF * KEYS + 500, 3);
	CHECK_INT(build(&m, 0), 0, "build");
	for (u32 block = 0; block < m.run->blocks; block += 11) {
		u64 addr = cohort_run_address(m.run, &m.sb, block);
		u32 at = (u32)rand() % COHORT_BLOCK, level, count;

		m.disk[addr + at] ^= 1u << (rand() % 8);
		CHECK_INT(cohort_run_block_check(m.run, m.seed, addr, m.disk + addr, &level,
						 &count), -EUCLEAN, "check");
	}
	for (u32 i = 0; i < nr; i += 7) {
		struct cohort_run_entry got;
		int ret = cohort_run_search(m.run, &m.reader, &list[i].key, &got);

		CHECK(ret == -EUCLEAN || (ret == 1 && got.addr == list[i].addr), "entry %u: %d",
		      i, ret);
	}
	m.run->id++;
	CHECK_INT(cohort_run_search(m.run, &m.reader, &list[0].key, &list[1]), -EUCLEAN,
		  "of another run");
	memrun_free(&m);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "sizes", sizes },
		{ "record", record },
		{ "overlays", overlays },
		{ "damage", damage },
	};

	return unit_main(cases, ARRAY_SIZE(cases));
}
