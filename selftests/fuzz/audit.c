// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: a pool's log, written as the input says, is checked and repaired. */
#include <linux/cohort.h>

#include "../../tools/audit.h"
#include "../tools/memstore.h"
#include "logsteps.h"

static u8 disk[SOURCE_MAX], old[SOURCE_MAX], new[SOURCE_MAX];

/* 0: the image is in @out. */
static int read_image(struct store *store, const struct cohort_disk_rel *rel, u32 member,
		      u64 *size, u8 *out)
{
	const struct cohort_disk_rel_member *m = &rel->member[member];
	const struct cohort_disk_source *source = store_source(store, le32_to_cpu(m->source));

	*size = source ? le64_to_cpu(source->size) : 0;
	if (!*size || *size > SOURCE_MAX || !store_cut_live(rel, member))
		return -1;
	return store_image(store, rel, member, disk, *size, out);
}

/* A bit of a copy map is neither made up nor lost. */
static void same_bits(struct store *before, struct store *after, const struct cohort_disk_rel *rel,
		      u32 member, u64 chunks)
{
	for (u64 chunk = 0; chunk < chunks; chunk++)
		PROMISED(store_clone_copied(before, rel, member, chunk) ==
			 store_clone_copied(after, rel, member, chunk));
}

/* What is left after a repair of a pool that the module took is what it was. */
static void same_images(struct store *before, struct store *after)
{
	for (u32 r = 0; r < after->nr_records; r++) {
		const struct cohort_disk_rel *rel = after->record[r].data, *was;
		const struct store_record *record;
		u64 size, old_size;

		if (after->record[r].type != COHORT_REC_REL)
			continue;
		record = store_find(before, COHORT_REC_REL, after->record[r].id);
		PROMISED(record && record->len == after->record[r].len);
		was = record->data;
		for (u32 i = 0; i < le32_to_cpu(rel->count); i++) {
			if (read_image(after, rel, i, &size, new))
				continue;
			PROMISED(!read_image(before, was, i, &old_size, old));
			PROMISED(size == old_size && !memcmp(old, new, size));
			if (store_is_clone(rel))
				same_bits(before, after, rel, i, 2 * size / CHUNK);
		}
	}
}

/* What comes back behind a wrong end of a segment is news. */
static bool has_news(const struct audit *audit)
{
	const struct finding *f;

	for (f = audit->first; f; f = f->next)
		if (strstr(f->words, "goes on behind"))
			return true;
	return false;
}

/* A second look finds nothing to repair. */
static void look_again(struct store *store, u32 left)
{
	struct audit again;

	store_forget(store);
	PROMISED(!audit_run(&again, store));
	PROMISED(!again.mended && again.left <= left && !again.refused);
	audit_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct store before, store = { .read = memstore_read, .ctx = pool.disk, .size = SIZE };
	struct audit audit;
	int good;

	write_log(&in);
	good = !memstore_load(&before, pool.disk, SIZE);
	if (!audit_run(&audit, &store) && !audit.refused) {
		PROMISED(good || audit.mended);
		if (good && !has_news(&audit))
			same_images(&before, &store);
		look_again(&store, audit.left);
	}
	audit_free(&audit);
	store_free(&before);
	store_free(&store);
	return 0;
}
