// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * audit-clones.c - clones: has each member its target, and a whole copy map where it needs one?
 *
 * A bit that is set and should not be would be believed, and one that is lost would have
 * what was written to the target copied over: a map of which nothing certain is left
 * is not made up. Where its segments are not its own the member becomes Broken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/cohort.h>

#include "audit.h"

/* ---- records ---- */

static bool size_ok(u64 size)
{
	return size && !(size % COHORT_SECTOR) && size <= 1ull << 60;
}

static u64 source_size(const struct store *store, const struct cohort_disk_clone *d)
{
	const struct cohort_disk_rel *rel = store_clone_rel(store, d);
	const u32 source = le32_to_cpu(rel->member[le32_to_cpu(d->member)].source);

	return le64_to_cpu(store_source(store, source)->size);
}

static const char *clone_wrong(const struct store *store, const struct store_record *record)
{
	const struct cohort_disk_clone *d = record->data;
	const struct store_record *rel = store_find(store, COHORT_REC_REL, record->id);

	if (!rel)
		return "is of a relationship that is not in the catalog";
	if (!store_is_clone(rel->data))
		return "is of a relationship that is no clone";
	if (!store_clone_rel(store, d))
		return "is of a member that there is not";
	if (!size_ok(le64_to_cpu(d->size)))
		return "has an impossible size";
	if (le64_to_cpu(d->size) < source_size(store, d))
		return "is smaller than its source";
	if (!audit_text_ok(d->dm_uuid, sizeof(d->dm_uuid)) ||
	    !audit_text_ok(d->wwn, sizeof(d->wwn)) ||
	    !audit_text_ok(d->partuuid, sizeof(d->partuuid)))
		return "has an impossible identity";
	return NULL;
}

static bool check_clone(struct audit *audit, struct store_record *record)
{
	const struct cohort_disk_clone *d = record->data;
	const char *why = clone_wrong(audit->store, record);

	if (!why)
		return true;
	audit->rewrite = true;
	audit_say(audit, FINDING_MENDED,
		  "target of member %u of relationship %u %s: it is given up",
		  le32_to_cpu(d->member), record->id, why);
	store_drop_record(audit->store, record);
	return false;
}

/* Nobody knows what a member without one is to be copied to, or was. */
static bool check_rel(struct audit *audit, struct store_record *record)
{
	const struct cohort_disk_rel *rel = record->data;
	u32 i, count = le32_to_cpu(rel->count);

	for (i = 0; i < count; i++)
		if (store_is_clone(rel) && !store_find_clone(audit->store, record->id, i))
			break;
	if (i == count)
		return true;
	audit->rewrite = true;
	audit_say(audit, FINDING_MENDED,
		  "relationship %s has a member without a target: it is given up",
		  store_name(record));
	store_drop(audit->store, record->type, record->id);
	return false;
}

/* ---- copy maps ---- */

struct maps {
	struct audit *audit;
	struct store *store;
	u32 *owner;		/* per segment: the clone whose map has it, from 1; 0: none */
};

/* One that is looked at. */
struct clone {
	u32 number;		/* from 1 */
	struct store_record *record;
	struct cohort_disk_clone *d;
	struct cohort_disk_rel *rel;
	u32 member;
	char name[COHORT_DISK_NAME + 16];
};

static void mended(struct maps *m, const struct clone *c, const char *what)
{
	m->audit->rewrite = true;
	audit_say(m->audit, FINDING_MENDED, "clone %s %s", c->name, what);
}

static bool has_uuid(const struct cohort_disk_clone *d)
{
	static const u8 none[sizeof(d->map)];

	return memcmp(d->map, none, sizeof(none));
}

static void take_off(struct maps *m, struct clone *c)
{
	u32 i;

	for (i = 0; i < m->store->sb.nr_segments; i++)
		if (m->owner[i] == c->number)
			m->owner[i] = 0;
	c->d->count = 0;
	memset(c->d->map, 0, sizeof(c->d->map));
	c->record->len = sizeof(*c->d);
	c->d->hdr.len = cpu_to_le32(c->record->len);
}

static void give_up(struct maps *m, struct clone *c, const char *why)
{
	m->audit->rewrite = true;
	audit_say(m->audit, FINDING_MENDED, "clone %s has %s: it is Broken, without a map", c->name,
		  why);
	take_off(m, c);
	audit_break_member(c->rel, c->member);
}

static const char *segment_wrong(struct maps *m, const struct clone *c, u32 segment)
{
	const struct cohort_segment_entry *entry;

	if (segment >= m->store->sb.nr_segments)
		return "a copy map outside of the pool";
	if (m->owner[segment] == c->number)
		return "a copy map with a segment twice";
	if (m->owner[segment])
		return "a copy map in a segment of another one";
	entry = &m->store->table[segment];
	if (entry->seq && entry->kind != COHORT_SEGMENT_MAP)
		return "a copy map in a segment of another kind";
	m->owner[segment] = c->number;
	return NULL;
}

static const char *map_wrong(struct maps *m, const struct clone *c)
{
	const u32 count = le32_to_cpu(c->d->count);
	const u64 chunks = store_clone_chunks(m->store, c->d);
	const char *why = NULL;
	u32 i;

	if (count != cohort_map_segments(chunks, m->store->sb.segment_size))
		return "a copy map of a wrong size";
	if (!has_uuid(c->d))
		return "a copy map without a UUID";
	for (i = 0; i < count && !why; i++)
		why = segment_wrong(m, c, le32_to_cpu(c->d->segment[i]));
	return why;
}

/* What its blocks say, and which of its segments the table has for free. */
struct look {
	u64 blocks;
	u64 single;		/* have one good copy alone */
	u64 lost;
	u32 free;
};

/* The other copy is as new: both are durable before anybody is told so. */
static void lay_copy(struct maps *m, const struct cohort_map *map, u64 block,
		     struct store_map_block *b)
{
	const u32 bad = !b->which;
	const u64 addr = cohort_map_address(map, &m->store->sb, block, bad);

	cohort_map_block_encode(map, cohort_pool_seed(m->store->sb.uuid), addr, block,
				b->seq[b->which], b->copy[b->which]);
	store_lay(m->store, addr, b->copy[b->which]);
}

static void look_at(struct maps *m, const struct cohort_map *map, struct look *look, bool lay)
{
	struct store_map_block b;
	u64 block;

	look->blocks = cohort_map_blocks(map->chunks);
	for (block = 0; block < look->blocks; block++) {
		store_map_read(m->store, map, block, &b);
		look->lost += b.which < 0;
		if (b.which >= 0 && (!b.seq[0] || !b.seq[1])) {
			look->single++;
			if (lay)
				lay_copy(m, map, block, &b);
		}
		m->audit->copied += lay ? b.copied : 0;
	}
	for (u32 i = 0; i < map->count; i++)
		look->free += !m->store->table[map->segment[i]].seq;
}

/* A later one has a segment of @c: one of them lies. */
static bool is_claimed(const struct maps *m, const struct clone *c)
{
	const struct store *store = m->store;
	const struct store_record *other;
	u32 i;

	for (other = c->record + 1; other < store->record + store->nr_records; other++) {
		const struct cohort_disk_clone *d = other->data;

		for (i = 0; other->type == COHORT_REC_CLONE && i < le32_to_cpu(d->count); i++)
			if (le32_to_cpu(d->segment[i]) < store->sb.nr_segments &&
			    m->owner[le32_to_cpu(d->segment[i])] == c->number)
				return true;
	}
	return false;
}

/* The record came behind the table, and went before: it is the table that lost them. */
static void take_again(struct maps *m, const struct cohort_map *map)
{
	struct cohort_segment_entry *entry = m->store->table;
	u64 order = 0;
	u32 i;

	for (i = 0; i < m->store->sb.nr_segments; i++)
		if (entry[i].seq > order)
			order = entry[i].seq;
	for (i = 0; i < map->count; i++)
		if (!entry[map->segment[i]].seq)
			entry[map->segment[i]] = (struct cohort_segment_entry){
				.seq = ++order, .nonce = m->store->sb.nonce,
				.length = m->store->sb.segment_size, .kind = COHORT_SEGMENT_MAP,
			};
}

static void tell_look(struct maps *m, const struct clone *c, const struct look *look)
{
	const unsigned long long blocks = look->blocks, single = look->single, lost = look->lost;

	if (single)
		audit_say(m->audit, FINDING_MENDED,
			  "clone %s: %llu of %llu blocks of its copy map have one good copy alone",
			  c->name, single, blocks);
	if (lost)
		audit_say(m->audit, FINDING_LEFT,
			  "clone %s: %llu of %llu blocks of its copy map are lost: which chunks are on its target is not known",
			  c->name, lost, blocks);
}

static void check_blocks(struct maps *m, struct clone *c)
{
	struct cohort_map *map = store_map(m->store, c->d);
	struct look look = { 0 }, again = { 0 };

	look_at(m, map, &look, false);
	if ((look.lost && look.free) || ((look.lost || look.single) && is_claimed(m, c))) {
		give_up(m, c, "a copy map that is not in its segments");
	} else {
		if (look.free) {
			mended(m, c, "has its copy map in segments that the table has for free");
			take_again(m, map);
		}
		look_at(m, map, &again, true);
		tell_look(m, c, &look);
		m->audit->to_copy += map->chunks;
	}
	free(map);
}

static void check_map(struct maps *m, struct clone *c)
{
	const u32 state = le32_to_cpu(c->rel->member[c->member].state);
	const bool needed = store_cut_live(c->rel, c->member);
	const char *why;

	if (!c->d->count && !has_uuid(c->d)) {
		if (needed)
			give_up(m, c, "no copy map");
		return;
	}
	if (!needed && state != COHORT_COPY_STATE_BROKEN) {
		mended(m, c, "has a copy map that it does not need: it is taken off");
		take_off(m, c);
		return;
	}
	why = map_wrong(m, c);
	if (why)
		give_up(m, c, why);
	else
		check_blocks(m, c);
}

static void check_maps(struct audit *audit)
{
	struct store *store = audit->store;
	struct maps m = {
		.audit = audit, .store = store,
		.owner = store_alloc(store->sb.nr_segments * sizeof(*m.owner)),
	};
	u32 i;

	for (i = 0; i < store->nr_records; i++) {
		struct clone c = { .record = &store->record[i], .d = store->record[i].data };

		if (c.record->type != COHORT_REC_CLONE)
			continue;
		c.number = ++audit->clones;
		c.rel = store_clone_rel(store, c.d);
		c.member = le32_to_cpu(c.d->member);
		snprintf(c.name, sizeof(c.name), "%s_%u", (const char *)c.rel->name, c.member + 1);
		check_map(&m, &c);
	}
	free(m.owner);
}

void audit_clones(struct audit *audit)
{
	audit_type(audit, COHORT_REC_CLONE, check_clone);
	audit_type(audit, COHORT_REC_REL, check_rel);
	check_maps(audit);
}
