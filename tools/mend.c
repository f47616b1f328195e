// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mend.c - lays a repair over a pool: the log ends where it is damaged, and the
 * catalog that was saved is written behind it, as the module's checkpoint does.
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/cohort.h>

#include "audit.h"

struct mend {
	struct audit *audit;
	struct store *store;
	struct cohort_super *sb;
	u32 seed;
	u32 segment;		/* the one that takes the catalog */
	u32 offset;
	u64 first;		/* batch of the catalog */
	u64 seq;		/* of the next batch */
	u32 crc;		/* of the one before */
};

/* Of a clone that has come to its end nothing is left in the pool that could be lost. */
static bool at_end(const struct cohort_disk_rel *rel, u32 member)
{
	const u32 state = le32_to_cpu(rel->member[member].state);

	return store_is_clone(rel) && (state == COHORT_COPY_STATE_SYNCHRONIZED ||
				       state == COHORT_COPY_STATE_ABORTED);
}

/* An image that would miss what was lost must not be read any more; how many there were. */
static u32 break_rel(struct cohort_disk_rel *rel)
{
	u32 i, broken = 0;

	for (i = 0; i < le32_to_cpu(rel->count); i++)
		if (!at_end(rel, i)) {
			audit_break_member(rel, i);
			broken++;
		}
	return broken;
}

static void break_all(struct audit *audit)
{
	struct store *store = audit->store;
	u32 i;

	for (i = 0; i < store->nr_records; i++) {
		struct cohort_disk_rel *rel = store->record[i].data;

		if (store->record[i].type != COHORT_REC_REL ||
		    le32_to_cpu(rel->state) == COHORT_COPY_STATE_BROKEN || !break_rel(rel))
			continue;
		audit_say(audit, FINDING_MENDED,
			  "relationship %s becomes Broken: its images may miss what was lost",
			  store_name(&store->record[i]));
	}
}

static void cut_segments(struct audit *audit)
{
	struct store *store = audit->store;
	u64 i;

	for (i = 0; i < store->sb.nr_segments; i++) {
		if (audit->cut[i] == U32_MAX)
			continue;
		store->table[i].length = audit->cut[i];
		if (!audit->cut[i])
			memset(&store->table[i], 0, sizeof(store->table[i]));
	}
}

/* One that was free before the repair; false: there is none. */
static bool take_segment(struct mend *m)
{
	const struct cohort_segment_entry *entry = m->store->table;
	u64 i, order = m->sb->next_segment;
	bool found = false;

	for (i = 0; i < m->sb->nr_segments; i++) {
		if (entry[i].seq >= order)
			order = entry[i].seq + 1;
		if (entry[i].nonce > m->sb->nonce)
			m->sb->nonce = entry[i].nonce;
		if (!entry[i].seq && m->audit->cut[i] == U32_MAX) {
			m->segment = (u32)i;
			found = true;
		}
	}
	m->sb->nonce++;
	m->sb->next_segment = order + 1;
	if (found)
		m->store->table[m->segment] = (struct cohort_segment_entry){
			.seq = order, .nonce = m->sb->nonce, .kind = COHORT_SEGMENT_LOG,
			.min_seq = m->seq,
		};
	return found;
}

static void lay_range(struct mend *m, u64 addr, const u8 *data, u32 len)
{
	u32 at;

	for (at = 0; at < len; at += COHORT_BLOCK)
		store_lay(m->store, addr + at, data + at);
}

/* One batch of records, @len bytes. */
static void lay_batch(struct mend *m, const u8 *records, u32 len)
{
	const u32 data_len = len <= COHORT_BATCH_PAYLOAD ? 0 :
		(len + COHORT_BLOCK - 1) / COHORT_BLOCK * COHORT_BLOCK;
	u8 *buf = store_alloc(COHORT_BLOCK + data_len);
	struct cohort_disk_batch *header = (void *)buf;
	struct cohort_batch b = {
		.address = m->sb->segments_start + (u64)m->segment * m->sb->segment_size +
			m->offset,
		.nonce = m->sb->nonce, .seq = m->seq, .completed = m->seq - 1,
		.prev_crc = m->crc, .kind = COHORT_BATCH_RECORD, .count = len,
		.data_len = data_len, .data_crc = cohort_crc32c(~0u, records, len),
	};

	m->seq++;
	memcpy(data_len ? buf + COHORT_BLOCK : header->payload, records, len);
	m->crc = cohort_batch_encode(m->seed, &b, buf);
	lay_range(m, b.address, buf, COHORT_BLOCK + data_len);
	m->offset += COHORT_BLOCK + data_len;
	free(buf);
}

static bool lay_catalog(struct mend *m)
{
	const u32 most = m->sb->segment_size / 2;
	u8 *buf = store_alloc(most);
	u32 i, len = 0;
	bool fits = true;

	for (i = 0; i < m->store->nr_records && fits; i++) {
		const struct store_record *record = &m->store->record[i];

		if (len + record->len > most) {
			lay_batch(m, buf, len);
			len = 0;
		}
		fits = record->len <= most &&
			m->offset + 2 * COHORT_BLOCK + len + record->len <= m->sb->segment_size;
		if (fits)
			memcpy(buf + len, record->data, record->len);
		len += record->len;
	}
	if (fits && len)
		lay_batch(m, buf, len);
	free(buf);
	return fits;
}

static void lay_table(struct mend *m)
{
	struct cohort_segment_entry entry[COHORT_TABLE_PER_SECTOR];
	u8 block[COHORT_BLOCK];
	u32 first, i;

	for (first = 0; first < m->sb->nr_segments; first += COHORT_TABLE_PER_SECTOR) {
		const u64 addr = cohort_table_address(first);
		const u64 start = addr & ~(u64)(COHORT_BLOCK - 1);

		memset(entry, 0, sizeof(entry));
		for (i = 0; i < COHORT_TABLE_PER_SECTOR && first + i < m->sb->nr_segments; i++)
			entry[i] = m->store->table[first + i];
		if (store_read(m->store, start, block, COHORT_BLOCK))
			memset(block, 0, sizeof(block));
		cohort_table_encode(m->seed, addr, entry, block + addr % COHORT_BLOCK);
		store_lay(m->store, start, block);
	}
}

static void lay_supers(struct mend *m)
{
	m->sb->next_seq = m->seq;
	m->sb->catalog_seq = m->first;
	if (m->sb->epoch_high <= m->store->max_epoch)
		m->sb->epoch_high = m->store->max_epoch + 1;
	store_lay_supers(m->store);
}

static void refuse(struct audit *audit, const char *why)
{
	audit->refused = true;
	audit_say(audit, FINDING_LEFT, "%s", why);
}

void mend(struct audit *audit)
{
	struct store *store = audit->store;
	struct mend m = {
		.audit = audit, .store = store, .sb = &store->sb,
		.seed = cohort_pool_seed(store->sb.uuid),
		.seq = (store->last_seq >= store->sb.next_seq ? store->last_seq + 1 :
			store->sb.next_seq),
		.crc = store->last_crc,
	};

	m.first = m.seq;
	if (audit->lost)
		break_all(audit);
	cut_segments(audit);
	if (!take_segment(&m)) {
		refuse(audit, "no segment is free to write the catalog to");
		return;
	}
	if (!lay_catalog(&m)) {
		refuse(audit, "the catalog does not fit into a segment");
		return;
	}
	/* an empty catalog voids all that was written so far */
	if (!m.offset)
		memset(&store->table[m.segment], 0, sizeof(*store->table));
	else
		store->table[m.segment].length = m.offset;
	lay_table(&m);
	lay_supers(&m);
}
