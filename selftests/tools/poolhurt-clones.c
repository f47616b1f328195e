// SPDX-License-Identifier: GPL-2.0-or-later
/* poolhurt-clones.c - damages the clones of a pool that poolgen made: records and copy maps. */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <linux/cohort.h>

#include "poolhurt.h"

/* As poolgen has them. */
#define OLD	4u
#define COPY	8u
#define REST	10u
#define DONE	12u

/* ---- records ---- */

static u32 changed;

static struct cohort_disk_clone *clone_of(u32 rel)
{
	return (void *)hurt_record_of(COHORT_REC_CLONE, rel, &changed);
}

static void set_state(u32 id, u32 state, u64 epoch)
{
	struct cohort_disk_rel *d = (void *)hurt_record_of(COHORT_REC_REL, id, &changed);

	d->state = cpu_to_le32(state);
	d->member[0].state = d->state;
	d->member[0].epoch = cpu_to_le64(epoch);
	hurt_rechain(changed);
}

#define LIE(way, what) void way(void) { what; hurt_rechain(changed); }

LIE(clone_no_rel, clone_of(DONE)->hdr.id = cpu_to_le32(4711))
LIE(clone_of_snapshot, clone_of(DONE)->hdr.id = cpu_to_le32(OLD))
LIE(clone_member, clone_of(COPY)->member = cpu_to_le32(7))
LIE(clone_small, clone_of(COPY)->size = cpu_to_le64(1 << 20))
LIE(clone_size, clone_of(DONE)->size = cpu_to_le64(U64_MAX))
LIE(clone_identity, memset(clone_of(REST)->partuuid, 'x', COHORT_DISK_PARTUUID))
LIE(clone_count, clone_of(COPY)->count = cpu_to_le32(1))
LIE(clone_no_uuid, memset(clone_of(COPY)->map, 0, 16))
LIE(clone_uuid, clone_of(DONE)->map[0] = 1)
LIE(clone_segment_outside, clone_of(COPY)->segment[1] = cpu_to_le32((u32)hurt.sb.nr_segments))
LIE(clone_segment_twice, clone_of(COPY)->segment[1] = clone_of(COPY)->segment[0])
LIE(clone_segment_later, clone_of(REST)->segment[1] = clone_of(COPY)->segment[1])
LIE(clone_segment_earlier, clone_of(COPY)->segment[1] = clone_of(REST)->segment[1])

void clone_state(void) { set_state(COPY, COHORT_COPY_STATE_FRACTURED, 1); }
void clone_no_cut(void) { set_state(COPY, COHORT_COPY_STATE_UNSYNCHRONIZED, 0); }
void clone_cut(void) { set_state(DONE, COHORT_COPY_STATE_SYNCHRONIZED, 1); }
void clone_no_map(void) { set_state(DONE, COHORT_COPY_STATE_SUSPENDED, 1); }
void clone_map(void) { set_state(COPY, COHORT_COPY_STATE_ABORTED, 0); }
/* This may be: with a map or without. */
void clone_broken(void) { set_state(COPY, COHORT_COPY_STATE_BROKEN, 1); }
void clone_broken_no_map(void) { set_state(DONE, COHORT_COPY_STATE_BROKEN, 0); }

void clone_no_feature(void)
{
	hurt.sb.clones = false;
	hurt_lay_supers();
}

/* ---- segments ---- */

static void set_entry(u32 kind, bool used)
{
	const u32 segment = le32_to_cpu(clone_of(COPY)->segment[1]);
	struct cohort_segment_entry entry = hurt.store.table[segment];

	entry.kind = kind;
	if (!used)
		memset(&entry, 0, sizeof(entry));
	hurt_table(segment, &entry);
}

void clone_segment_index(void) { set_entry(COHORT_SEGMENT_INDEX, true); }
void clone_segment_free(void) { set_entry(0, false); }

/* Of a clone that was cut off while it was made: free again at the next start. */
void clone_segment_unnamed(void)
{
	u64 order;
	const u32 segment = hurt_free_segment(&order);

	hurt_table(segment, &(struct cohort_segment_entry){
		.seq = order + 1, .nonce = hurt.sb.nonce, .length = hurt.sb.segment_size,
		.kind = COHORT_SEGMENT_MAP,
	});
}

/* ---- blocks of copy maps ---- */

static struct cohort_disk_map_block *block_at(u32 id, u64 block, u32 copy)
{
	struct cohort_map *map = store_map(&hurt.store, clone_of(id));

	if (!map || block >= cohort_map_blocks(map->chunks))
		errx(2, "no such block of a map");
	block = cohort_map_address(map, &hurt.sb, block, copy);
	free(map);
	return (void *)(hurt.base + block);
}

static void seal(struct cohort_disk_map_block *d)
{
	d->crc = cpu_to_le32(cohort_block_crc(hurt.seed, (u64)((u8 *)d - hurt.base), d, sizeof(*d),
					      offsetof(struct cohort_disk_map_block, crc)));
}

static u64 last_block(void)
{
	return cohort_map_blocks(store_clone_chunks(&hurt.store, clone_of(COPY))) - 1;
}

void clone_copy_flip(void) { block_at(COPY, 0, 0)->bits[100] ^= 4; }
void clone_copy_zero(void) { memset(block_at(COPY, 3, 1), 0, COHORT_BLOCK); }

void clone_copies_flip(void)
{
	clone_copy_flip();
	block_at(COPY, 0, 1)->bits[3000] ^= 1;
}

/* Whole, and older: that it says less is no damage. */
void clone_copy_older(void)
{
	struct cohort_disk_map_block *d = block_at(COPY, 0, 0);

	d->seq = cpu_to_le64(2);
	seal(d);
	d = block_at(COPY, 0, 1);
	d->bits[0] = 0;
	seal(d);
}

/* One of another map, and one of another block, both with good checksums. */
void clone_copies_foreign(void)
{
	struct cohort_disk_map_block *d = block_at(COPY, 1, 0);

	d->map[0] ^= 1;
	seal(d);
	d = block_at(COPY, 1, 1);
	d->block = cpu_to_le32(2);
	seal(d);
}

/* Chunks behind the end of the image. */
void clone_copies_tail(void)
{
	for (u32 copy = 0; copy < COHORT_MAP_COPIES; copy++) {
		struct cohort_disk_map_block *d = block_at(COPY, last_block(), copy);

		d->bits[COHORT_MAP_BYTES - 1] = 0x80;
		seal(d);
	}
}

/* Taken for free by the table, and written since. */
void clone_segment_written(void)
{
	clone_segment_free();
	clone_copies_tail();
}

/* ---- chunks ---- */

/* A batch of the log is lost, and nobody knows what was in it. */
void clone_log_flip(void) { hurt.base[hurt.batch[hurt.nr_batches - 1].b.address + 50] ^= 1; }

static void flip_chunk(u64 chunk)
{
	struct cohort_mapping map;

	if (!cohort_index_lookup(hurt.store.index, 1, chunk, 1, &map))
		errx(2, "no such chunk");
	hurt.base[map.addr + 99] ^= 4;
}

void clone_chunk_flip(void) { flip_chunk(100); }
/* One that only a clone without it still needs. */
void clone_chunk_copied_flip(void) { flip_chunk(1); }
