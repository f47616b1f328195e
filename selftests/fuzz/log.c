// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: a pool's log, written as the input says, loaded and read as the module would. */
#include "../tools/memstore.h"
#include "logsteps.h"

static u8 disk[SOURCE_MAX], image[SOURCE_MAX];

static void read_image(struct store *store, const struct cohort_disk_rel *rel, u32 member)
{
	const struct cohort_disk_source *source =
		store_source(store, le32_to_cpu(rel->member[member].source));
	const u64 size = source ? le64_to_cpu(source->size) : 0;

	if (source && size <= SOURCE_MAX)
		store_image(store, rel, member, disk, size, image);
	store_clone_copied(store, rel, member, size / CHUNK / 2);
}

static void read_images(struct store *store)
{
	u32 r, m;

	for (r = 0; r < store->nr_records; r++) {
		const struct cohort_disk_rel *rel = store->record[r].data;

		if (store->record[r].type != COHORT_REC_REL)
			continue;
		for (m = 0; m < le32_to_cpu(rel->count); m++)
			read_image(store, rel, m);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct store store;
	int err;

	write_log(&in);
	err = memstore_load(&store, pool.disk, SIZE);
	PROMISED(err <= 0 && (!err || store.why[0] || err == -ENOENT));
	if (!err)
		read_images(&store);
	store_free(&store);
	return 0;
}
