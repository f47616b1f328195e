// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: a run whose blocks are changed anywhere, with right checksums, is searched. */
#include "../tools/memrun.h"
#include "fuzz.h"

static void seal(struct memrun *m, u64 addr)
{
	struct cohort_disk_run_block *d = (void *)(m->disk + addr);

	d->crc = cpu_to_le32(cohort_block_crc(m->seed, addr, d, sizeof(*d),
					      offsetof(struct cohort_disk_run_block, crc)));
}

static void build(struct memrun *m, u32 entries, u32 step)
{
	memrun_begin(m, 0);
	for (u32 i = 0; i < entries; i++) {
		const struct cohort_run_entry entry = {
			.key = { 1 + i / 300, i / step, i % step + 1 }, .addr = i,
		};

		PROMISED(!cohort_run_add(&m->builder, &entry));
	}
	PROMISED(!memrun_end(m));
}

static void change(struct memrun *m, struct input *in)
{
	u32 block = take(in, 1) % m->run->blocks, at = take(in, 2) % (COHORT_BLOCK - 8);
	u64 addr = cohort_run_address(m->run, &m->sb, block);

	take_bytes(in, m->disk + addr + at, 1 + take(in, 1) % 8);
	seal(m, addr);
}

/* Ends, answers of the chunk that it was asked for, and holds no block. */
static void search(struct memrun *m, struct input *in)
{
	struct cohort_run_key key = { take(in, 1), take(in, 2), take(in, 1) };
	struct cohort_run_entry entry;
	int ret = cohort_run_search(m->run, &m->reader, &key, &entry);

	PROMISED(ret <= 1 && !m->held);
	if (ret == 1)
		PROMISED(entry.key.source == key.source && entry.key.chunk == key.chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u32 i, changes = take(&in, 1) % 8;
	struct memrun m;

	build(&m, 1 + take(&in, 2) % 900, 1 + take(&in, 1) % 200);
	for (i = 0; i < changes; i++)
		change(&m, &in);
	for (i = 0; i < 16; i++)
		search(&m, &in);
	memrun_free(&m);
	return 0;
}
