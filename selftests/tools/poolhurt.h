/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poolhurt.h - a copy of a pool in memory that is about to be damaged. */
#ifndef SELFTESTS_POOLHURT_H
#define SELFTESTS_POOLHURT_H

#include "../../tools/store.h"

#define HURT_BATCHES 4096

struct hurt_batch {
	struct cohort_batch b;
	u32 segment;
};

struct hurt {
	const char *path;
	u8 *base;
	u64 size;
	u32 seed;
	struct store store;		/* as it was */
	struct cohort_super sb;
	struct hurt_batch batch[HURT_BATCHES];	/* in the order of the log */
	u32 nr_batches;
};

extern struct hurt hurt;

struct hurt_way {
	const char *name;
	void (*run)(void);
};

extern const struct hurt_way hurt_ways[];

u8 *hurt_segment(u32 segment);
/* Batch @i was changed in place: it and all behind it get their checksums anew. */
void hurt_rechain(u32 i);
/* Writes one entry of the segment table, checksum and all. */
void hurt_table(u32 segment, const struct cohort_segment_entry *entry);
/* Writes both superblocks as @hurt.sb is. */
void hurt_lay_supers(void);
/* A free segment; *@order is the newest use of any. */
u32 hurt_free_segment(u64 *order);
/* The newest record of that name, in place, and the number of its batch. */
struct cohort_disk_record *hurt_record(u16 type, const char *name, u32 *batch);
struct cohort_disk_record *hurt_record_of(u16 type, u32 id, u32 *batch);

/* Says the log again in two index runs; needs the chunks of the store noted. */
int hurt_note_chunk(struct store *store, const struct cohort_preserve *p, u64 addr);
void hurt_flush(void);

/* Ways to damage such a pool, see poolhurt-runs.c. */
void run_leaf_flip(void);
void run_root_flip(void);
void run_block_zero(void);
void run_block_foreign(void);
void run_entry_outside(void);
void run_entries_few(void);
void run_segment_free(void);
void run_segment_log(void);
void run_chunk_flip(void);
void run_not_counted(void);

/* Write to the images of the golden pool, and again once that was flushed. */
void hurt_write(void);
void hurt_rewrite(void);

/* Ways to damage such a pool, see poolhurt-overlays.c. */
void overlay_no_rel(void);
void overlay_member(void);
void overlay_broken(void);
void overlay_twice(void);
void overlay_id(void);
void overlay_source_id(void);
void overlay_rel_id(void);
void overlay_floor(void);
void overlay_skewed(void);
void overlay_no_feature(void);
void overlay_no_record(void);
void overlay_epoch(void);
void overlay_chunk_flip(void);
void overlay_chunk_newer_flip(void);
void overlay_chunk_older_flip(void);
void overlay_chunk_former_flip(void);
void overlay_chunk_below_flip(void);
void overlay_moved(void);
void overlay_moved_no_feature(void);
void overlay_moved_flip(void);
void overlay_moved_early(void);
void overlay_moved_old(void);

/* Side logs, and ways to damage them, see poolhurt-sides.c. */
void side_log(void);
void side_no_feature(void);
void side_first_flip(void);
void side_torn(void);
void side_closed_flip(void);
void side_table_zero(void);
void side_overlay(void);

/* Ways to damage the clones of a generated pool, see poolhurt-clones.c. */
void clone_log_flip(void);
void clone_no_rel(void);
void clone_of_snapshot(void);
void clone_member(void);
void clone_small(void);
void clone_size(void);
void clone_identity(void);
void clone_count(void);
void clone_no_uuid(void);
void clone_uuid(void);
void clone_segment_outside(void);
void clone_segment_twice(void);
void clone_segment_later(void);
void clone_segment_earlier(void);
void clone_state(void);
void clone_no_cut(void);
void clone_cut(void);
void clone_no_map(void);
void clone_map(void);
void clone_broken(void);
void clone_broken_no_map(void);
void clone_no_feature(void);
void clone_segment_index(void);
void clone_segment_free(void);
void clone_segment_unnamed(void);
void clone_segment_written(void);
void clone_copy_flip(void);
void clone_copy_zero(void);
void clone_copies_flip(void);
void clone_copy_older(void);
void clone_copies_foreign(void);
void clone_copies_tail(void);
void clone_chunk_flip(void);
void clone_chunk_copied_flip(void);

#endif
