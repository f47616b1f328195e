// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* codec.c - disk blocks to host structures and back, every field checked. */
#include "codec.h"

u32 cohort_pool_seed(const u8 uuid[16])
{
	return cohort_crc32c(~0u, uuid, 16);
}

u32 cohort_block_crc(u32 seed, u64 address, const void *block, size_t len, size_t at)
{
	const __le64 where = cpu_to_le64(address);
	const u32 zero = 0;
	const u8 *p = block;
	u32 crc = cohort_crc32c(seed, &where, sizeof(where));

	crc = cohort_crc32c(crc, p, at);
	crc = cohort_crc32c(crc, &zero, sizeof(zero));
	return cohort_crc32c(crc, p + at + 4, len - at - 4);
}

static bool power_of_2(u64 n)
{
	return n && !(n & (n - 1));
}

static u64 table_bytes(u64 segments)
{
	u64 sectors = (segments + COHORT_TABLE_PER_SECTOR - 1) / COHORT_TABLE_PER_SECTOR;
	u64 bytes = sectors * COHORT_SECTOR;

	return (bytes + COHORT_BLOCK - 1) & ~(u64)(COHORT_BLOCK - 1);
}

/* About 256 segments on a small pool, the full size from 1 GiB on. */
static u32 segment_size_for(u64 size)
{
	u32 seg = COHORT_SEGMENT_MIN;

	while (seg < COHORT_SEGMENT_MAX && size / seg > 256)
		seg <<= 1;
	return seg;
}

int cohort_super_layout(struct cohort_super *sb, u64 size, u32 chunk_size, const char **why)
{
	u64 room, align = 1ull << 20;

	if (!power_of_2(chunk_size) || chunk_size < COHORT_CHUNK_MIN ||
	    chunk_size > COHORT_CHUNK_MAX) {
		*why = "chunk size must be a power of two from 4 KiB to 64 KiB";
		return -EINVAL;
	}
	size &= ~(u64)(COHORT_BLOCK - 1);
	sb->segment_size = segment_size_for(size);
	sb->chunk_size = chunk_size;
	/* room for the table of a device grown sixteen times */
	sb->table_size = table_bytes(size / sb->segment_size * 16 + 1024);
	sb->segments_start = (COHORT_TABLE_START + sb->table_size + align - 1) & ~(align - 1);
	room = size > sb->segments_start ? size - sb->segments_start : 0;
	sb->nr_segments = room / sb->segment_size;
	if (sb->nr_segments < COHORT_MIN_SEGMENTS) {
		*why = "device is too small for a pool, 8 MiB is the least";
		return -ENOSPC;
	}
	sb->size = size;
	sb->generation = 1;
	sb->epoch_high = 1;
	sb->nonce = 0;
	sb->next_seq = 1;
	sb->next_segment = 1;
	sb->catalog_seq = 0;
	sb->log_start = 0;
	sb->overlays = false;
	sb->moves = false;
	sb->sides = false;
	sb->clones = false;
	sb->flags = COHORT_SB_CLEAN;
	return 0;
}

u64 cohort_super_capacity(const struct cohort_super *sb, u64 size)
{
	u64 table = sb->table_size / COHORT_SECTOR * COHORT_TABLE_PER_SECTOR;
	u64 room = size > sb->segments_start ? (size - sb->segments_start) / sb->segment_size : 0;

	if (table > U32_MAX)
		table = U32_MAX;
	return room < table ? room : table;
}

u64 cohort_super_address(u64 generation)
{
	return generation & 1 ? COHORT_SUPER_A : COHORT_SUPER_B;
}

void cohort_super_encode(const struct cohort_super *sb, void *block)
{
	struct cohort_disk_super *d = block;
	u64 address = cohort_super_address(sb->generation);

	memset(d, 0, sizeof(*d));
	memcpy(d->magic, COHORT_SUPER_MAGIC, sizeof(d->magic));
	d->version = cpu_to_le32(COHORT_FORMAT_VERSION);
	memcpy(d->uuid, sb->uuid, sizeof(d->uuid));
	d->generation = cpu_to_le64(sb->generation);
	d->address = cpu_to_le64(address);
	d->size = cpu_to_le64(sb->size);
	d->chunk_size = cpu_to_le32(sb->chunk_size);
	d->segment_size = cpu_to_le32(sb->segment_size);
	d->table_size = cpu_to_le64(sb->table_size);
	d->segments_start = cpu_to_le64(sb->segments_start);
	d->nr_segments = cpu_to_le64(sb->nr_segments);
	d->epoch_high = cpu_to_le64(sb->epoch_high);
	d->nonce = cpu_to_le64(sb->nonce);
	d->next_seq = cpu_to_le64(sb->next_seq);
	d->next_segment = cpu_to_le64(sb->next_segment);
	d->catalog_seq = cpu_to_le64(sb->catalog_seq);
	d->log_start = cpu_to_le64(sb->log_start);
	d->incompat = cpu_to_le64((sb->log_start ? COHORT_INCOMPAT_RUNS : 0) |
				  (sb->overlays ? COHORT_INCOMPAT_OVERLAYS : 0) |
				  (sb->moves ? COHORT_INCOMPAT_MOVES : 0) |
				  (sb->sides ? COHORT_INCOMPAT_SIDES : 0) |
				  (sb->clones ? COHORT_INCOMPAT_CLONES : 0));
	d->flags = cpu_to_le32(sb->flags);
	memcpy(d->name, sb->name, sizeof(d->name));
	d->crc = cpu_to_le32(cohort_block_crc(cohort_pool_seed(sb->uuid), address, d, sizeof(*d),
					      offsetof(struct cohort_disk_super, crc)));
}

int cohort_name_decode(char *name, const u8 *disk, size_t size)
{
	size_t i;

	for (i = 0; i < size && disk[i]; i++)
		if (disk[i] < 0x20 || disk[i] == 0x7f)
			return -EUCLEAN;
	if (i == size)
		return -EUCLEAN;
	memset(name, 0, size);
	memcpy(name, disk, i);
	return 0;
}

static bool super_geometry_ok(const struct cohort_super *sb)
{
	u64 end;

	if (!power_of_2(sb->chunk_size) || sb->chunk_size < COHORT_CHUNK_MIN ||
	    sb->chunk_size > COHORT_CHUNK_MAX)
		return false;
	if (!power_of_2(sb->segment_size) || sb->segment_size < COHORT_SEGMENT_MIN ||
	    sb->segment_size > COHORT_SEGMENT_MAX)
		return false;
	if (sb->nr_segments < COHORT_MIN_SEGMENTS || sb->nr_segments > U32_MAX ||
	    sb->segments_start > (1ull << 50) || sb->segments_start % COHORT_BLOCK ||
	    sb->table_size > (1ull << 50))
		return false;
	if (table_bytes(sb->nr_segments) > sb->table_size ||
	    COHORT_TABLE_START + sb->table_size > sb->segments_start)
		return false;
	end = sb->segments_start + sb->nr_segments * sb->segment_size;
	return end <= sb->size;
}

static void super_fields(struct cohort_super *sb, const struct cohort_disk_super *d)
{
	memcpy(sb->uuid, d->uuid, sizeof(sb->uuid));
	sb->generation = le64_to_cpu(d->generation);
	sb->size = le64_to_cpu(d->size);
	sb->chunk_size = le32_to_cpu(d->chunk_size);
	sb->segment_size = le32_to_cpu(d->segment_size);
	sb->table_size = le64_to_cpu(d->table_size);
	sb->segments_start = le64_to_cpu(d->segments_start);
	sb->nr_segments = le64_to_cpu(d->nr_segments);
	sb->epoch_high = le64_to_cpu(d->epoch_high);
	sb->nonce = le64_to_cpu(d->nonce);
	sb->next_seq = le64_to_cpu(d->next_seq);
	sb->next_segment = le64_to_cpu(d->next_segment);
	sb->catalog_seq = le64_to_cpu(d->catalog_seq);
	sb->log_start = 0;
	if (le64_to_cpu(d->incompat) & COHORT_INCOMPAT_RUNS)
		sb->log_start = le64_to_cpu(d->log_start);
	sb->overlays = le64_to_cpu(d->incompat) & COHORT_INCOMPAT_OVERLAYS;
	sb->moves = le64_to_cpu(d->incompat) & COHORT_INCOMPAT_MOVES;
	sb->sides = le64_to_cpu(d->incompat) & COHORT_INCOMPAT_SIDES;
	sb->clones = le64_to_cpu(d->incompat) & COHORT_INCOMPAT_CLONES;
	sb->flags = le32_to_cpu(d->flags);
}

int cohort_super_decode(struct cohort_super *sb, const void *block, u64 address, u64 dev_size,
			const char **why)
{
	const struct cohort_disk_super *d = block;
	u32 crc;

	*why = "no cohort pool on the device";
	if (memcmp(d->magic, COHORT_SUPER_MAGIC, sizeof(d->magic)))
		return -ENOENT;
	crc = cohort_block_crc(cohort_pool_seed(d->uuid), address, d, sizeof(*d),
			       offsetof(struct cohort_disk_super, crc));
	*why = "pool superblock is damaged";
	if (crc != le32_to_cpu(d->crc) || le64_to_cpu(d->address) != address)
		return -EUCLEAN;
	*why = "pool has features this version does not know";
	if (le32_to_cpu(d->version) != COHORT_FORMAT_VERSION ||
	    (le64_to_cpu(d->incompat) & ~COHORT_INCOMPAT_KNOWN) ||
	    (le64_to_cpu(d->ro_compat) & ~COHORT_RO_COMPAT_KNOWN))
		return -EOPNOTSUPP;
	super_fields(sb, d);
	*why = "pool superblock has impossible fields";
	if (cohort_name_decode(sb->name, d->name, sizeof(d->name)) || !super_geometry_ok(sb))
		return -EUCLEAN;
	*why = "device is smaller than the pool on it";
	if (sb->size > dev_size)
		return -ERANGE;
	*why = "";
	return 0;
}

int cohort_super_choose(struct cohort_super *sb, const void *a, const void *b, u64 dev_size,
			const char **why)
{
	struct cohort_super other;
	const char *why_b;
	int ra = cohort_super_decode(sb, a, COHORT_SUPER_A, dev_size, why);
	int rb = cohort_super_decode(&other, b, COHORT_SUPER_B, dev_size, &why_b);

	/* an unknown feature in either copy speaks for both */
	if (ra == -EOPNOTSUPP || rb == -EOPNOTSUPP) {
		*why = ra == -EOPNOTSUPP ? *why : why_b;
		return -EOPNOTSUPP;
	}
	if (ra && rb) {
		if (ra == -ENOENT) {
			*why = why_b;
			return rb;
		}
		return ra;
	}
	if (ra || (!rb && other.generation > sb->generation))
		*sb = other;
	*why = "";
	return 0;
}

u64 cohort_table_address(u64 segment)
{
	return COHORT_TABLE_START + segment / COHORT_TABLE_PER_SECTOR * COHORT_SECTOR;
}

void cohort_table_encode(u32 seed, u64 address, const struct cohort_segment_entry *seg,
			 void *sector)
{
	struct cohort_disk_table *d = sector;
	unsigned int i;

	memset(d, 0, sizeof(*d));
	d->magic = cpu_to_le32(COHORT_TABLE_MAGIC);
	d->address = cpu_to_le64(address);
	for (i = 0; i < COHORT_TABLE_PER_SECTOR; i++) {
		d->seg[i].seq = cpu_to_le64(seg[i].seq);
		d->seg[i].nonce = cpu_to_le64(seg[i].nonce);
		d->seg[i].length = cpu_to_le32(seg[i].length);
		d->seg[i].kind = cpu_to_le32(seg[i].kind);
		d->seg[i].min_seq = cpu_to_le64(seg[i].min_seq);
	}
	d->crc = cpu_to_le32(cohort_block_crc(seed, address, d, sizeof(*d),
					      offsetof(struct cohort_disk_table, crc)));
}

static bool all_zero(const void *p, size_t len)
{
	const u8 *c = p;

	return !c[0] && !memcmp(c, c + 1, len - 1);
}

bool cohort_table_blank(const void *sector)
{
	return all_zero(sector, COHORT_SECTOR);
}

int cohort_table_decode(u32 seed, u64 address, const void *sector,
			struct cohort_segment_entry *seg)
{
	const struct cohort_disk_table *d = sector;
	unsigned int i;

	/* never written: all of its segments are free */
	if (cohort_table_blank(sector)) {
		memset(seg, 0, COHORT_TABLE_PER_SECTOR * sizeof(*seg));
		return 0;
	}
	if (le32_to_cpu(d->magic) != COHORT_TABLE_MAGIC || le64_to_cpu(d->address) != address ||
	    le32_to_cpu(d->crc) != cohort_block_crc(seed, address, d, sizeof(*d),
						    offsetof(struct cohort_disk_table, crc)))
		return -EUCLEAN;
	for (i = 0; i < COHORT_TABLE_PER_SECTOR; i++) {
		seg[i].seq = le64_to_cpu(d->seg[i].seq);
		seg[i].nonce = le64_to_cpu(d->seg[i].nonce);
		seg[i].length = le32_to_cpu(d->seg[i].length);
		seg[i].kind = le32_to_cpu(d->seg[i].kind);
		seg[i].min_seq = le64_to_cpu(d->seg[i].min_seq);
		if (seg[i].seq && !cohort_segment_has_batches(seg[i].kind) &&
		    seg[i].kind != COHORT_SEGMENT_INDEX && seg[i].kind != COHORT_SEGMENT_MAP)
			return -EUCLEAN;
	}
	return 0;
}

u32 cohort_batch_encode(u32 seed, struct cohort_batch *b, void *block)
{
	struct cohort_disk_batch *d = block;

	d->magic = cpu_to_le32(COHORT_BATCH_MAGIC);
	d->address = cpu_to_le64(b->address);
	d->nonce = cpu_to_le64(b->nonce);
	d->seq = cpu_to_le64(b->seq);
	d->completed = cpu_to_le64(b->completed);
	d->prev_crc = cpu_to_le32(b->prev_crc);
	d->kind = cpu_to_le32(b->kind);
	d->count = cpu_to_le32(b->count);
	d->data_len = cpu_to_le32(b->data_len);
	d->data_crc = cpu_to_le32(b->data_crc);
	memset(d->reserved, 0, sizeof(d->reserved));
	b->crc = cohort_block_crc(seed, b->address, d, sizeof(*d),
				  offsetof(struct cohort_disk_batch, crc));
	d->crc = cpu_to_le32(b->crc);
	return b->crc;
}

static bool batch_lengths_ok(const struct cohort_batch *b, u64 room, u32 chunk_size)
{
	if (b->data_len % COHORT_BLOCK || room < COHORT_BLOCK || b->data_len > room - COHORT_BLOCK)
		return false;
	if (cohort_batch_has_chunks(b->kind))
		return b->count && b->count <= COHORT_BATCH_ENTRIES &&
		       (u64)b->count * chunk_size == b->data_len;
	if (b->kind != COHORT_BATCH_RECORD || !b->count)
		return false;
	/* small ones lie in the header, others behind it */
	return b->data_len ? b->count <= b->data_len : b->count <= COHORT_BATCH_PAYLOAD;
}

int cohort_batch_decode(u32 seed, u64 address, u64 room, u32 chunk_size, const void *block,
			struct cohort_batch *b)
{
	const struct cohort_disk_batch *d = block;

	if (le32_to_cpu(d->magic) != COHORT_BATCH_MAGIC || le64_to_cpu(d->address) != address)
		return -ENOENT;
	b->crc = cohort_block_crc(seed, address, d, sizeof(*d),
				  offsetof(struct cohort_disk_batch, crc));
	if (b->crc != le32_to_cpu(d->crc))
		return -ENOENT;
	b->address = address;
	b->nonce = le64_to_cpu(d->nonce);
	b->seq = le64_to_cpu(d->seq);
	b->completed = le64_to_cpu(d->completed);
	b->prev_crc = le32_to_cpu(d->prev_crc);
	b->kind = le32_to_cpu(d->kind);
	b->count = le32_to_cpu(d->count);
	b->data_len = le32_to_cpu(d->data_len);
	b->data_crc = le32_to_cpu(d->data_crc);
	return batch_lengths_ok(b, room, chunk_size) ? 0 : -EUCLEAN;
}

void cohort_preserve_encode(void *block, u32 index, const struct cohort_preserve *p)
{
	struct cohort_disk_batch *d = block;
	struct cohort_disk_preserve *e = (void *)d->payload;

	e += index;
	e->source = cpu_to_le32(p->source);
	e->crc = cpu_to_le32(p->crc);
	e->chunk = cpu_to_le64(p->chunk);
	e->epoch = cpu_to_le64(p->epoch);
	e->unreadable = cpu_to_le64(p->unreadable);
}

void cohort_preserve_decode(const void *block, u32 index, struct cohort_preserve *p)
{
	const struct cohort_disk_batch *d = block;
	const struct cohort_disk_preserve *e = (const void *)d->payload;

	e += index;
	p->source = le32_to_cpu(e->source);
	p->crc = le32_to_cpu(e->crc);
	p->chunk = le64_to_cpu(e->chunk);
	p->epoch = le64_to_cpu(e->epoch);
	p->unreadable = le64_to_cpu(e->unreadable);
}

static u64 round8(u64 n)
{
	return (n + 7) & ~7ull;
}

static u64 run_length(const struct cohort_disk_run *d, u64 len)
{
	return len < sizeof(*d) ? 0 : round8(sizeof(*d) + 4ull * le32_to_cpu(d->count));
}

static u64 clone_length(const struct cohort_disk_clone *d, u64 len)
{
	return len < sizeof(*d) ? 0 : round8(sizeof(*d) + 4ull * le32_to_cpu(d->count));
}

/* The exact length a record of this type must have, 0 if it can not be one. */
static u64 record_length(const void *buf, u64 len)
{
	const struct cohort_disk_record *r = buf;
	const struct cohort_disk_group *g = buf;
	const struct cohort_disk_rel *rel = buf;

	switch (le16_to_cpu(r->type)) {
	case COHORT_REC_SOURCE:
		return sizeof(struct cohort_disk_source);
	case COHORT_REC_GROUP:
		if (len < sizeof(*g))
			return 0;
		return round8(sizeof(*g) + 4ull * le32_to_cpu(g->count));
	case COHORT_REC_REL:
		if (len < sizeof(*rel))
			return 0;
		return sizeof(*rel) + (u64)le32_to_cpu(rel->count) * sizeof(rel->member[0]);
	case COHORT_REC_RUN:
		return run_length(buf, len);
	case COHORT_REC_OVERLAY:
		return sizeof(struct cohort_disk_overlay);
	case COHORT_REC_CLONE:
		return clone_length(buf, len);
	case COHORT_REC_SOURCE_DEL:
	case COHORT_REC_GROUP_DEL:
	case COHORT_REC_REL_DEL:
	case COHORT_REC_RUN_DEL:
	case COHORT_REC_OVERLAY_DEL:
		return sizeof(*r);
	}
	return 0;
}

int cohort_record_check(const void *buf, size_t len)
{
	const struct cohort_disk_record *r = buf;
	u64 want;

	if (len < sizeof(*r) || le32_to_cpu(r->len) > len)
		return -EUCLEAN;
	want = record_length(buf, le32_to_cpu(r->len));
	if (!want || want != le32_to_cpu(r->len) || want > (1u << 20))
		return -EUCLEAN;
	return (int)want;
}
