// SPDX-License-Identifier: GPL-2.0-only
/* segment.c - the segments of a pool: which are free, what is still needed of the others. */
#include <linux/bio.h>
#include <linux/bitmap.h>
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "segment.h"

/* Table sectors are written by the block: it is the unit of any disk below. */
#define SECTORS_PER_BLOCK (COHORT_BLOCK / COHORT_SECTOR)
#define ENTRIES_PER_BLOCK (SECTORS_PER_BLOCK * COHORT_TABLE_PER_SECTOR)

static struct cohort_segment *segment(const struct cohort_segments *segs, u32 seg)
{
	return &segs->part[seg / ENTRIES_PER_BLOCK][seg % ENTRIES_PER_BLOCK];
}

static u32 blocks_of(u32 nr)
{
	return DIV_ROUND_UP(nr, ENTRIES_PER_BLOCK);
}

static struct bio *bdev_bio(struct block_device *bdev, blk_opf_t opf, u64 addr, void *buf, u32 len)
{
	u32 pages = DIV_ROUND_UP(offset_in_page(buf) + len, PAGE_SIZE);
	struct bio *bio = bio_alloc(bdev, pages, opf, GFP_NOIO);

	bio->bi_iter.bi_sector = addr >> SECTOR_SHIFT;
	while (len) {
		u32 n = min_t(u32, len, PAGE_SIZE - offset_in_page(buf));
		struct page *page = is_vmalloc_addr(buf) ? vmalloc_to_page(buf) : virt_to_page(buf);

		__bio_add_page(bio, page, n, offset_in_page(buf));
		buf += n;
		len -= n;
	}
	return bio;
}

int cohort_bdev_rw(struct block_device *bdev, blk_opf_t opf, u64 addr, void *buf, u32 len)
{
	const u32 most = BIO_MAX_VECS * PAGE_SIZE / 2;

	while (len) {
		u32 n = min(len, most);
		struct bio *bio = bdev_bio(bdev, opf, addr, buf, n);
		int err = submit_bio_wait(bio);

		bio_put(bio);
		if (err)
			return cohort_disk_error(err);
		addr += n;
		buf += n;
		len -= n;
	}
	return 0;
}

/* Encodes table block @block as it is to be; @next gets which of the prepared are in there. */
static void table_block_encode(struct cohort_segments *segs, u32 block,
			       u64 next[COHORT_LOG_HEADS])
{
	struct cohort_segment_entry entry[COHORT_TABLE_PER_SECTOR];
	u32 first = block * ENTRIES_PER_BLOCK;
	unsigned long flags;
	unsigned int s, i;

	spin_lock_irqsave(&segs->lock, flags);
	for (s = 0; s < SECTORS_PER_BLOCK; s++) {
		u32 seg = first + s * COHORT_TABLE_PER_SECTOR;

		memset(entry, 0, sizeof(entry));
		for (i = 0; i < COHORT_TABLE_PER_SECTOR && seg + i < segs->nr; i++)
			entry[i] = segment(segs, seg + i)->entry;
		cohort_table_encode(segs->seed, cohort_table_address(seg), entry,
				    segs->block + s * COHORT_SECTOR);
	}
	for (i = 0; i < COHORT_LOG_HEADS; i++)
		next[i] = segs->next[i].seg / ENTRIES_PER_BLOCK == block ? segs->next[i].use : 0;
	spin_unlock_irqrestore(&segs->lock, flags);
}

/* Those of @next may have been taken and others prepared meanwhile. */
static void table_block_written(struct cohort_segments *segs, const u64 next[COHORT_LOG_HEADS],
				int err)
{
	unsigned long flags;
	bool news = err;
	u32 i;

	spin_lock_irqsave(&segs->lock, flags);
	if (err)
		segs->write_failed = true;
	for (i = 0; i < COHORT_LOG_HEADS && !err; i++) {
		if (!next[i] || next[i] != segs->next[i].use)
			continue;
		segs->next[i].durable = true;
		news = true;
	}
	spin_unlock_irqrestore(&segs->lock, flags);
	if (news)
		segs->ready(segs->ctx);
}

/* The next dirty block; false: there is none. */
static bool write_dirty(struct cohort_segments *segs)
{
	unsigned long block = find_first_bit(segs->dirty, blocks_of(segs->nr));
	u64 next[COHORT_LOG_HEADS];

	lockdep_assert_held(&segs->mutex);
	if (block >= blocks_of(segs->nr))
		return false;
	clear_bit(block, segs->dirty);
	/* the bit before the entries: a change after this sets it again */
	smp_mb__after_atomic();
	table_block_encode(segs, block, next);
	table_block_written(segs, next,
			    cohort_bdev_rw(segs->bdev, REQ_OP_WRITE | REQ_SYNC | REQ_FUA,
					   COHORT_TABLE_START + block * COHORT_BLOCK,
					   segs->block, COHORT_BLOCK));
	return true;
}

static void table_work(struct work_struct *work)
{
	struct cohort_segments *segs = container_of(work, struct cohort_segments, work);
	bool more = true;

	while (more && !READ_ONCE(segs->stopped)) {
		mutex_lock(&segs->mutex);
		more = write_dirty(segs);
		mutex_unlock(&segs->mutex);
	}
}

static void mark_dirty(struct cohort_segments *segs, u32 seg)
{
	lockdep_assert_held(&segs->lock);
	set_bit(seg / ENTRIES_PER_BLOCK, segs->dirty);
}

/* Frees the parts from @from on, and the table of them; may be NULL. */
static void parts_free(struct cohort_segment **part, u32 from, u32 count)
{
	u32 i;

	for (i = from; part && i < count; i++)
		kfree(part[i]);
	kvfree(part);
}

/* A table of @count parts, the first ones as in @old. NULL without memory. */
static struct cohort_segment **parts_new(struct cohort_segment **old, u32 nr_old, u32 count,
					 gfp_t gfp)
{
	struct cohort_segment **part = kvcalloc(count, sizeof(*part), gfp);
	u32 i;

	if (!part)
		return NULL;
	for (i = 0; i < count; i++) {
		part[i] = i < nr_old ? old[i] :
			kcalloc(ENTRIES_PER_BLOCK, sizeof(**part), gfp);
		if (!part[i]) {
			parts_free(part, nr_old, i);
			return NULL;
		}
	}
	return part;
}

int cohort_segments_init(struct cohort_segments *segs, const struct cohort_super *sb,
			 void (*ready)(void *ctx), void *ctx)
{
	if (sb->nr_segments > U32_MAX)
		return -EFBIG;
	segs->nr = sb->nr_segments;
	segs->seed = cohort_pool_seed(sb->uuid);
	segs->size = sb->segment_size;
	segs->start = sb->segments_start;
	segs->free = segs->nr;
	segs->next_seq = sb->next_segment;
	segs->ready = ready;
	segs->ctx = ctx;
	spin_lock_init(&segs->lock);
	INIT_WORK(&segs->work, table_work);
	mutex_init(&segs->mutex);
	segs->part = parts_new(NULL, 0, blocks_of(segs->nr), GFP_KERNEL);
	segs->dirty = bitmap_zalloc(blocks_of(segs->nr), GFP_KERNEL);
	segs->block = (void *)__get_free_page(GFP_KERNEL);
	segs->wq = alloc_workqueue("cohort_table", WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	if (segs->part && segs->dirty && segs->block && segs->wq)
		return 0;
	cohort_segments_exit(segs);
	return -ENOMEM;
}

void cohort_segments_exit(struct cohort_segments *segs)
{
	if (segs->wq)
		destroy_workqueue(segs->wq);
	segs->wq = NULL;
	free_page((unsigned long)segs->block);
	segs->block = NULL;
	bitmap_free(segs->dirty);
	segs->dirty = NULL;
	parts_free(segs->part, 0, blocks_of(segs->nr));
	segs->part = NULL;
}

void cohort_segments_load(struct cohort_segments *segs, const struct cohort_segment_entry *table,
			  u64 log_start)
{
	u32 i;

	for (i = 0; i < segs->nr; i++) {
		segment(segs, i)->entry = table[i];
		if (!table[i].seq)
			continue;
		segment(segs, i)->uncounted = cohort_segment_has_batches(table[i].kind) &&
			table[i].seq < log_start;
		segs->free--;
		segs->next_seq = max(segs->next_seq, table[i].seq + 1);
	}
}

/* ---- growth ---- */

struct cohort_segments_growth {
	u32 nr;
	struct cohort_segment **part;
	unsigned long *dirty;
	void *block;
};

/* An empty block of the table, which nothing reads yet. */
static int write_empty(struct cohort_segments *segs, u32 block, void *buf)
{
	static const struct cohort_segment_entry none[COHORT_TABLE_PER_SECTOR];
	u32 s;

	for (s = 0; s < SECTORS_PER_BLOCK; s++)
		cohort_table_encode(segs->seed,
				    cohort_table_address(block * ENTRIES_PER_BLOCK +
							 s * COHORT_TABLE_PER_SECTOR),
				    none, buf + s * COHORT_SECTOR);
	return cohort_bdev_rw(segs->bdev, REQ_OP_WRITE | REQ_SYNC | REQ_FUA,
			      COHORT_TABLE_START + (u64)block * COHORT_BLOCK, buf, COHORT_BLOCK);
}

static int growth_alloc(struct cohort_segments *segs, struct cohort_segments_growth *g)
{
	g->part = parts_new(segs->part, blocks_of(segs->nr), blocks_of(g->nr), GFP_NOIO);
	g->dirty = bitmap_zalloc(blocks_of(g->nr), GFP_NOIO);
	g->block = (void *)__get_free_page(GFP_NOIO);
	return g->part && g->dirty && g->block ? 0 : -ENOMEM;
}

struct cohort_segments_growth *cohort_segments_grow_begin(struct cohort_segments *segs, u32 nr)
{
	struct cohort_segments_growth *g = kzalloc(sizeof(*g), GFP_NOIO);
	u32 block;
	int err;

	if (!g)
		return ERR_PTR(-ENOMEM);
	g->nr = nr;
	err = growth_alloc(segs, g);
	for (block = blocks_of(segs->nr); !err && block < blocks_of(nr); block++)
		err = write_empty(segs, block, g->block);
	if (!err)
		return g;
	cohort_segments_grow_abort(segs, g);
	return ERR_PTR(err);
}

static void growth_free(struct cohort_segments_growth *g)
{
	free_page((unsigned long)g->block);
	bitmap_free(g->dirty);
	kfree(g);
}

void cohort_segments_grow_abort(struct cohort_segments *segs, struct cohort_segments_growth *g)
{
	parts_free(g->part, blocks_of(segs->nr), blocks_of(g->nr));
	growth_free(g);
}

void cohort_segments_grow_end(struct cohort_segments *segs, struct cohort_segments_growth *g)
{
	unsigned long flags;

	/* the worker looks at the bits without the lock */
	mutex_lock(&segs->mutex);
	spin_lock_irqsave(&segs->lock, flags);
	bitmap_copy(g->dirty, segs->dirty, blocks_of(segs->nr));
	swap(segs->dirty, g->dirty);
	swap(segs->part, g->part);
	segs->free += g->nr - segs->nr;
	segs->nr = g->nr;
	spin_unlock_irqrestore(&segs->lock, flags);
	mutex_unlock(&segs->mutex);
	/* the old table of parts, which live on in the new one */
	kvfree(g->part);
	growth_free(g);
}

void cohort_segments_stop(struct cohort_segments *segs)
{
	flush_work(&segs->work);
	WRITE_ONCE(segs->stopped, true);
	/* one that did not see it */
	flush_work(&segs->work);
}

void cohort_segments_resume(struct cohort_segments *segs, struct block_device *bdev)
{
	segs->bdev = bdev;
	WRITE_ONCE(segs->stopped, false);
	queue_work(segs->wq, &segs->work);
}

int cohort_segments_write_all(struct cohort_segments *segs)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	bitmap_set(segs->dirty, 0, blocks_of(segs->nr));
	spin_unlock_irqrestore(&segs->lock, flags);
	queue_work(segs->wq, &segs->work);
	flush_work(&segs->work);
	return segs->write_failed ? -EIO : 0;
}

static s64 find_free(const struct cohort_segments *segs)
{
	u32 i;

	for (i = 0; i < segs->nr; i++) {
		u32 seg = (segs->hint + i) % segs->nr;

		if (!segment(segs, seg)->entry.seq && !segment(segs, seg)->open)
			return seg;
	}
	return -1;
}

/* As @entry says, which is given the next use. */
static void open_segment(struct cohort_segments *segs, u32 seg,
			 const struct cohort_segment_entry *entry)
{
	struct cohort_segment *s = segment(segs, seg);

	lockdep_assert_held(&segs->lock);
	s->entry = *entry;
	s->entry.seq = segs->next_seq++;
	s->open = true;
	s->stuck = false;
	s->last_record = 0;
	segs->hint = seg + 1;
	segs->free--;
	mark_dirty(segs, seg);
}

static void free_segment(struct cohort_segments *segs, u32 seg)
{
	struct cohort_segment *s = segment(segs, seg);

	lockdep_assert_held(&segs->lock);
	memset(&s->entry, 0, sizeof(s->entry));
	s->open = false;
	segs->free++;
	mark_dirty(segs, seg);
}

int cohort_segments_prepare(struct cohort_segments *segs, u32 head,
			    const struct cohort_segment_entry *entry, u32 leave)
{
	struct cohort_segments_next *next = &segs->next[head];
	unsigned long flags;
	bool fresh = false;
	int err = 0;

	spin_lock_irqsave(&segs->lock, flags);
	if (!next->use) {
		s64 seg = -1;

		if (segs->free > leave)
			seg = find_free(segs);
		err = seg < 0 ? -ENOSPC : 0;
		fresh = !err;
		if (fresh) {
			open_segment(segs, seg, entry);
			next->seg = seg;
			next->use = segment(segs, seg)->entry.seq;
			next->durable = false;
		}
	}
	spin_unlock_irqrestore(&segs->lock, flags);
	if (fresh)
		queue_work(segs->wq, &segs->work);
	return err;
}

s64 cohort_segments_take(struct cohort_segments *segs, u32 head)
{
	struct cohort_segments_next *next = &segs->next[head];
	unsigned long flags;
	s64 seg = -EAGAIN;

	spin_lock_irqsave(&segs->lock, flags);
	if (segs->write_failed) {
		seg = -EIO;
	} else if (next->use && next->durable) {
		seg = next->seg;
		next->use = 0;
	}
	spin_unlock_irqrestore(&segs->lock, flags);
	return seg;
}

void cohort_segments_unprepare(struct cohort_segments *segs, u32 head)
{
	struct cohort_segments_next *next = &segs->next[head];
	unsigned long flags;
	bool freed;

	spin_lock_irqsave(&segs->lock, flags);
	freed = next->use;
	if (freed)
		free_segment(segs, next->seg);
	next->use = 0;
	spin_unlock_irqrestore(&segs->lock, flags);
	if (freed)
		queue_work(segs->wq, &segs->work);
}

void cohort_segments_close(struct cohort_segments *segs, u32 seg, u32 length)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	if (length) {
		segment(segs, seg)->open = false;
		segment(segs, seg)->entry.length = length;
		mark_dirty(segs, seg);
	} else {
		free_segment(segs, seg);
	}
	spin_unlock_irqrestore(&segs->lock, flags);
	queue_work(segs->wq, &segs->work);
}

u32 cohort_segment_of(const struct cohort_segments *segs, u64 addr)
{
	return (addr - segs->start) / segs->size;
}

bool cohort_segments_entry(struct cohort_segments *segs, u32 seg,
			   struct cohort_segment_entry *entry)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	*entry = segment(segs, seg)->entry;
	spin_unlock_irqrestore(&segs->lock, flags);
	return entry->seq;
}

void cohort_segments_live(struct cohort_segments *segs, u64 addr, int by)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	segment(segs, cohort_segment_of(segs, addr))->live += by;
	spin_unlock_irqrestore(&segs->lock, flags);
}

void cohort_segments_record(struct cohort_segments *segs, u32 seg, u64 seq)
{
	struct cohort_segment *s;
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	s = segment(segs, seg);
	s->last_record = max(s->last_record, seq);
	spin_unlock_irqrestore(&segs->lock, flags);
}

static bool closed_and_dead(const struct cohort_segment *s)
{
	return s->entry.seq && !s->open && !s->live && !s->in_runs && !s->uncounted && !s->pinned;
}

/* ---- runs ---- */

void cohort_segments_to_runs(struct cohort_segments *segs, u64 addr)
{
	struct cohort_segment *s;
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	s = segment(segs, cohort_segment_of(segs, addr));
	s->live--;
	s->in_runs++;
	spin_unlock_irqrestore(&segs->lock, flags);
}

void cohort_segments_from_runs(struct cohort_segments *segs, u64 addr)
{
	struct cohort_segment *s;
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	s = segment(segs, cohort_segment_of(segs, addr));
	/* counted later it is not needed there */
	if (s->in_runs)
		s->in_runs--;
	spin_unlock_irqrestore(&segs->lock, flags);
}

void cohort_segments_counted(struct cohort_segments *segs, const u32 *in_runs, u32 nr)
{
	unsigned long flags;
	u32 i;

	for (i = 0; i < nr; i++) {
		spin_lock_irqsave(&segs->lock, flags);
		segment(segs, i)->in_runs = in_runs[i];
		segment(segs, i)->uncounted = false;
		segment(segs, i)->stuck = false;
		spin_unlock_irqrestore(&segs->lock, flags);
	}
}

int cohort_segments_take_index(struct cohort_segments *segs, u32 nr, u32 keep, u32 kind, u64 nonce,
			       u32 *seg)
{
	const struct cohort_segment_entry entry = {
		.nonce = nonce, .length = segs->size, .kind = kind,
	};
	unsigned long flags;
	int err = 0;
	u32 i;

	spin_lock_irqsave(&segs->lock, flags);
	if (segs->free < (u64)nr + keep)
		err = -ENOSPC;
	for (i = 0; i < nr && !err; i++) {
		seg[i] = find_free(segs);
		open_segment(segs, seg[i], &entry);
	}
	spin_unlock_irqrestore(&segs->lock, flags);
	return err;
}

void cohort_segments_index_live(struct cohort_segments *segs, u32 seg, int by)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	segment(segs, seg)->live += by;
	spin_unlock_irqrestore(&segs->lock, flags);
}

void cohort_segments_index_close(struct cohort_segments *segs, u32 seg)
{
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	segment(segs, seg)->open = false;
	spin_unlock_irqrestore(&segs->lock, flags);
}

int cohort_segments_sync(struct cohort_segments *segs)
{
	queue_work(segs->wq, &segs->work);
	flush_work(&segs->work);
	if (READ_ONCE(segs->stopped))
		return -EAGAIN;
	return READ_ONCE(segs->write_failed) ? -EIO : 0;
}

u64 cohort_segments_next_use(struct cohort_segments *segs, u32 head)
{
	unsigned long flags;
	u64 use;

	spin_lock_irqsave(&segs->lock, flags);
	use = segs->next[head].use ?: segs->next_seq;
	spin_unlock_irqrestore(&segs->lock, flags);
	return use;
}

/* ---- cleaning ---- */

/* Chunks to be moved out of it; 0: it is no victim. */
static u32 to_move(const struct cohort_segment *s, u64 catalog_seq)
{
	if (!cohort_segment_has_batches(s->entry.kind) || !s->entry.seq || s->open ||
	    s->uncounted || s->stuck || s->last_record >= catalog_seq)
		return 0;
	return s->live + s->in_runs;
}

s64 cohort_segments_victim(struct cohort_segments *segs, u32 most, u64 catalog_seq)
{
	u32 i, best = most + 1;
	unsigned long flags;
	s64 victim = -1;

	for (i = 0; i < READ_ONCE(segs->nr); i++) {
		u32 n;

		spin_lock_irqsave(&segs->lock, flags);
		n = to_move(segment(segs, i), catalog_seq);
		spin_unlock_irqrestore(&segs->lock, flags);
		if (!n || n >= best)
			continue;
		best = n;
		victim = i;
	}
	return victim;
}

bool cohort_segments_pin(struct cohort_segments *segs, u32 seg, u64 catalog_seq)
{
	unsigned long flags;
	bool pinned;

	spin_lock_irqsave(&segs->lock, flags);
	pinned = to_move(segment(segs, seg), catalog_seq);
	segment(segs, seg)->pinned = pinned;
	spin_unlock_irqrestore(&segs->lock, flags);
	return pinned;
}

void cohort_segments_unpin(struct cohort_segments *segs, u32 seg, bool moved)
{
	struct cohort_segment *s;
	unsigned long flags;

	spin_lock_irqsave(&segs->lock, flags);
	s = segment(segs, seg);
	s->pinned = false;
	s->stuck = moved && (s->live || s->in_runs);
	spin_unlock_irqrestore(&segs->lock, flags);
}

/* ---- reclaim ---- */

u32 cohort_segments_reclaim(struct cohort_segments *segs, u64 catalog_seq)
{
	unsigned long flags;
	u32 i, freed = 0;

	for (i = 0; i < segs->nr; i++) {
		struct cohort_segment *s;

		spin_lock_irqsave(&segs->lock, flags);
		s = segment(segs, i);
		if (closed_and_dead(s) && s->last_record < catalog_seq) {
			free_segment(segs, i);
			freed++;
		}
		spin_unlock_irqrestore(&segs->lock, flags);
	}
	if (freed)
		queue_work(segs->wq, &segs->work);
	return freed;
}

u32 cohort_segments_blocked(struct cohort_segments *segs, u64 catalog_seq)
{
	u32 i, blocked = 0;

	for (i = 0; i < segs->nr; i++)
		if (closed_and_dead(segment(segs, i)) &&
		    segment(segs, i)->last_record >= catalog_seq)
			blocked++;
	return blocked;
}

u32 cohort_segments_free(struct cohort_segments *segs)
{
	return READ_ONCE(segs->free);
}
