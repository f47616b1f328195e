// SPDX-License-Identifier: GPL-2.0-only
/* copymap.c - which chunks of a clone are its target's own, in memory and on the pool. */
#include <linux/bitops.h>
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uuid.h>
#include "compat.h"
#include "copymap.h"
#include "log.h"
#include "plant.h"

/* Blocks that one flush of the target stands for. */
#define NOTED 64

static u64 blocks_of(const struct cohort_copymap *cm)
{
	return cohort_map_blocks(cm->map.chunks);
}

static void *noted(const struct cohort_copymap *cm, u32 i)
{
	return cm->noted + i * COHORT_BLOCK;
}

static void *bits_of(const struct cohort_copymap *cm, u64 block)
{
	return cm->bits + block * COHORT_MAP_BYTES;
}

static u8 *bits_in(void *block)
{
	return ((struct cohort_disk_map_block *)block)->bits;
}

/* ---- memory ---- */

void cohort_copymap_free(struct cohort_copymap *cm)
{
	if (!cm)
		return;
	kvfree(cm->map.segment);
	kvfree(cm->bits);
	kvfree(cm->dirty);
	kvfree(cm->second_first);
	kvfree(cm->noted);
	kfree(cm->which);
	kfree(cm);
}

static bool allocate(struct cohort_copymap *cm)
{
	const u64 blocks = blocks_of(cm);
	const gfp_t gfp = GFP_KERNEL | __GFP_ZERO;

	cm->map.segment = kvmalloc_array(cm->map.count, sizeof(*cm->map.segment), gfp);
	cm->bits = kvmalloc_array(blocks, COHORT_MAP_BYTES, gfp);
	cm->dirty = kvmalloc_array(BITS_TO_LONGS(blocks), sizeof(long), gfp);
	cm->second_first = kvmalloc_array(BITS_TO_LONGS(blocks), sizeof(long), gfp);
	cm->noted = kvmalloc_array(NOTED, COHORT_BLOCK, gfp);
	cm->which = kmalloc_array(NOTED, sizeof(*cm->which), gfp);
	return cm->map.segment && cm->bits && cm->dirty && cm->second_first &&
		cm->noted && cm->which;
}

struct cohort_copymap *cohort_copymap_new(struct cohort_pool *pool, u64 chunks)
{
	struct cohort_copymap *cm = kzalloc(sizeof(*cm), GFP_KERNEL);

	if (!cm)
		return NULL;
	cm->pool = pool;
	cm->map.chunks = chunks;
	cm->map.count = cohort_map_segments(chunks, pool->sb.segment_size);
	atomic64_set(&cm->left, chunks);
	mutex_init(&cm->mutex);
	if (allocate(cm))
		return cm;
	cohort_copymap_free(cm);
	return NULL;
}

/* ---- asked and set ---- */

u64 cohort_copymap_alike(const struct cohort_copymap *cm, u64 first, u64 end, bool *own)
{
	u64 next;

	/* looked at once: it may be set meanwhile */
	*own = cohort_test_bit_le(first, cm->bits);
	next = *own ? find_next_zero_bit_le(cm->bits, end, first + 1) :
		find_next_bit_le(cm->bits, end, first + 1);
	/* the data behind a bit that was seen; pairs with cohort_copymap_set() */
	smp_rmb();
	return next - first;
}

void cohort_copymap_set(struct cohort_copymap *cm, u64 first, u64 end)
{
	u64 chunk, n = 0;

	/* the data, then the bit; pairs with cohort_copymap_alike() */
	smp_wmb();
	for (chunk = first; chunk < end; chunk++)
		n += !cohort_test_and_set_bit_le(chunk, cm->bits);
	/* the bits, then that they are new; pairs with note() */
	smp_mb();
	for (chunk = first; chunk < end; chunk += COHORT_MAP_BITS)
		set_bit(div_u64(chunk, COHORT_MAP_BITS), cm->dirty);
	set_bit(div_u64(end - 1, COHORT_MAP_BITS), cm->dirty);
	/* who sees that nothing is left commits all of it */
	smp_mb__before_atomic();
	atomic64_sub(n, &cm->left);
}

/* ---- commit ---- */

/* A copy of what is set now of at most NOTED blocks that have news, from *@from on. */
static u32 note(struct cohort_copymap *cm, u64 *from)
{
	const u64 blocks = blocks_of(cm);
	u64 block = *from;
	u32 n = 0;

	lockdep_assert_held(&cm->mutex);
	for_each_set_bit_from(block, cm->dirty, blocks) {
		if (n == NOTED)
			break;
		clear_bit(block, cm->dirty);
		/* news that comes now is dirty again; pairs with cohort_copymap_set() */
		smp_mb__after_atomic();
		memcpy(bits_in(noted(cm, n)), bits_of(cm, block), COHORT_MAP_BYTES);
		cm->which[n++] = block;
	}
	*from = block;
	return n;
}

/* The copy to be written first, or second: while it is the other one is whole. */
static u32 copy_at(const struct cohort_copymap *cm, u64 block, u32 turn)
{
	return test_bit(block, cm->second_first) ^ turn;
}

static int write_copy(struct cohort_copymap *cm, u32 n, u32 turn)
{
	struct cohort_pool *pool = cm->pool;
	int err = 0;
	u32 i;

	for (i = 0; i < n && !err; i++) {
		u64 address = cohort_map_address(&cm->map, &pool->sb, cm->which[i],
						 copy_at(cm, cm->which[i], turn));

		cohort_map_block_encode(&cm->map, pool->seed, address, cm->which[i], cm->seq,
					noted(cm, i));
		err = cohort_bdev_rw(pool->bdev, REQ_OP_WRITE, address, noted(cm, i),
				     COHORT_BLOCK);
	}
	return err ? err : cohort_disk_error(blkdev_issue_flush(pool->bdev));
}

/* One copy is whole all the time, and both are when it returns 0. */
static int write_noted(struct cohort_copymap *cm, u32 n)
{
	int err;
	u32 i;

	cm->seq++;
	err = write_copy(cm, n, 0);
	if (err)
		return err;
	err = write_copy(cm, n, 1);
	for (i = 0; err && i < n; i++)
		change_bit(cm->which[i], cm->second_first);
	return err;
}

static void take_back(struct cohort_copymap *cm, u32 n)
{
	while (n--)
		set_bit(cm->which[n], cm->dirty);
}

/* The pool is held for what is written to it alone: a target that hangs is its own affair. */
static int commit_some(struct cohort_copymap *cm, struct block_device *target, u64 *from)
{
	u32 n = note(cm, from);
	int err;

	if (!PLANTED("map-before-target") && blkdev_issue_flush(target)) {
		cm->failed = true;
		return -EIO;
	}
	/* all had been noted before it was over */
	if (!n || cm->over)
		return 0;
	if (!cohort_pool_read_begin_wait(cm->pool)) {
		take_back(cm, n);
		return -EIO;
	}
	err = write_noted(cm, n);
	cohort_pool_read_end(cm->pool);
	if (err)
		take_back(cm, n);
	return err;
}

int cohort_copymap_commit(struct cohort_copymap *cm, struct block_device *target)
{
	unsigned int noio = memalloc_noio_save();
	u64 from = 0;
	int err = 0;

	/* once over the map: what comes meanwhile in blocks behind is somebody else's commit */
	mutex_lock(&cm->mutex);
	do
		err = cm->failed ? -EIO : commit_some(cm, target, &from);
	while (from < blocks_of(cm) && !err);
	mutex_unlock(&cm->mutex);
	memalloc_noio_restore(noio);
	return err;
}

void cohort_copymap_end(struct cohort_copymap *cm)
{
	mutex_lock(&cm->mutex);
	WRITE_ONCE(cm->over, true);
	mutex_unlock(&cm->mutex);
}

/* ---- on the pool ---- */

/* Of a new one no bit is set: all of its blocks have to be there, in both copies. */
static int write_all(struct cohort_copymap *cm)
{
	const u64 blocks = blocks_of(cm);
	int err = 0;
	u64 block;
	u32 n;

	for (block = 0; block < blocks && !err; block += n) {
		for (n = 0; n < NOTED && block + n < blocks; n++)
			cm->which[n] = block + n;
		memset(cm->noted, 0, n * COHORT_BLOCK);
		err = write_noted(cm, n);
	}
	return err;
}

/* They are the map's, or free. */
static void close_segments(struct cohort_copymap *cm, bool keep)
{
	struct cohort_segments *segs = &cm->pool->log->segs;
	u32 i;

	for (i = 0; i < cm->map.count; i++) {
		if (keep)
			cohort_segments_index_live(segs, cm->map.segment[i], 1);
		cohort_segments_index_close(segs, cm->map.segment[i]);
	}
}

int cohort_copymap_make(struct cohort_copymap *cm)
{
	struct cohort_pool *pool = cm->pool;
	int err = cohort_segments_take_index(&pool->log->segs, cm->map.count,
					     2 * COHORT_RESERVED_SEGMENTS, COHORT_SEGMENT_MAP,
					     pool->log->nonce, cm->map.segment);

	if (err)
		return err;
	generate_random_uuid(cm->map.uuid);
	/* not the log's any more, before a block of it is overwritten */
	err = cohort_segments_sync(&pool->log->segs);
	if (!err)
		err = write_all(cm);
	close_segments(cm, !err);
	return err;
}

/* Both copies of it, into the first two places for blocks on their way. */
static int read_copies(struct cohort_copymap *cm, u64 block)
{
	int err = 0;
	u32 copy;

	/* one that can not be read is one that is not whole */
	for (copy = 0; copy < COHORT_MAP_COPIES && err != -ENOMEM; copy++) {
		err = cohort_bdev_rw(cm->pool->bdev, REQ_OP_READ,
				     cohort_map_address(&cm->map, &cm->pool->sb, block, copy),
				     noted(cm, copy), COHORT_BLOCK);
		if (err)
			memset(noted(cm, copy), 0, COHORT_BLOCK);
	}
	return err == -ENOMEM ? err : 0;
}

static int load_block(struct cohort_copymap *cm, u64 block)
{
	const void *const copies[COHORT_MAP_COPIES] = { noted(cm, 0), noted(cm, 1) };
	const struct cohort_disk_map_block *d;
	int which = read_copies(cm, block);
	bool whole;

	if (which)
		return which;
	which = cohort_map_choose(&cm->map, &cm->pool->sb, cm->pool->seed, block, copies, &whole);
	if (which < 0)
		return which;
	d = copies[which];
	memcpy(bits_of(cm, block), d->bits, COHORT_MAP_BYTES);
	atomic64_sub(memweight(d->bits, COHORT_MAP_BYTES), &cm->left);
	cm->seq = max(cm->seq, le64_to_cpu(d->seq));
	/* the next commit has two again, and leaves this one until it has */
	if (!whole)
		set_bit(block, cm->dirty);
	if (!which)
		set_bit(block, cm->second_first);
	return 0;
}

int cohort_copymap_load(struct cohort_copymap *cm)
{
	const u64 blocks = blocks_of(cm);
	/* who is told that it is durable must not have it from a cache alone */
	int err = cohort_disk_error(blkdev_issue_flush(cm->pool->bdev));
	u64 block;

	for (block = 0; block < blocks && !err; block++)
		err = load_block(cm, block);
	return err;
}
