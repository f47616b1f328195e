// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crashlab-clone-told.c - what had been told of a clone: by the marks, and by what was written next
 *
 * Also judges each write to a copy map by itself: it may spoil the copy that it goes to, so
 * the other one must be whole, and as new.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashlab.h"
#include "crashlab-clone.h"
#include "iocheck.h"
#include "memstore.h"

#define MAPS_MAX 256

/* ---- writes to the clone ---- */

__u64 clone_seed_of(const __u8 *data, __u64 sector)
{
	__u64 words[2];

	memcpy(words, data, sizeof(words));
	if (words[0] != sector || !words[1] ||
	    pattern_check(data, words[1], sector * SECTOR, SECTOR) != ~0ull)
		return 0;
	return words[1];
}

static void raise(__u64 *floor, __u32 i, __u64 seed)
{
	const struct plan_place place = plan_place(seed, lab.member[i]->size / SECTOR);

	for (__u32 s = 0; s < place.count; s++)
		if (floor[place.sector + s] < plan_order(seed))
			floor[place.sector + s] = plan_order(seed);
}

/* All of a thread up to number @to of them. */
static void raise_all(__u64 *floor, __u32 *from, __u32 i, __u64 seed, __u32 to)
{
	const __u32 run = plan_run(seed), thread = plan_thread(seed);

	for (; *from < to; (*from)++)
		raise(floor, i, plan_seed(run, i, thread, *from + 1));
}

static void forget_run(struct clone_member *m, __u32 run)
{
	m->run = run;
	memset(m->nr_flushed, 0, sizeof(m->nr_flushed));
	memset(m->nr_acked, 0, sizeof(m->nr_acked));
	memset(m->nr_issued, 0, sizeof(m->nr_issued));
}

/* The writers of a run have ended when the next one begins. */
static void begin_run(struct clone_member *m, __u32 i, __u32 run)
{
	for (__u32 t = 0; t < PLAN_THREADS; t++)
		raise_all(m->acked, &m->nr_acked[t], i, plan_seed(m->run, i, t, 0),
			  m->nr_issued[t]);
	forget_run(m, run);
}

/* Of this clone, and in a run that goes on? */
static struct clone_member *writer_of(__u64 seed)
{
	const __u32 run = plan_run(seed), i = plan_member(seed);
	struct clone_member *m = &clone_now.member[i];

	if (!clone_now.number || run / PLAN_RUNS != clone_now.number || i >= lab.nr_targets ||
	    plan_thread(seed) >= PLAN_THREADS || run < m->run)
		return NULL;
	if (run > m->run)
		begin_run(m, i, run);
	return m;
}

/* One that is on its way to the disk: those before it had been acknowledged. */
static void told_by_sector(__u64 seed)
{
	struct clone_member *m = writer_of(seed);
	const __u32 thread = plan_thread(seed);

	if (!m || plan_n(seed) <= m->nr_issued[thread])
		return;
	m->nr_issued[thread] = plan_n(seed);
	raise_all(m->acked, &m->nr_acked[thread], plan_member(seed), seed, plan_n(seed) - 1);
}

void told_by_target(const struct recording_entry *entry, const __u8 *data)
{
	for (__u64 at = 0; at + SECTOR <= entry->len; at += SECTOR) {
		const __u64 seed = clone_seed_of(data + at, (entry->offset + at) / SECTOR);

		if (seed)
			told_by_sector(seed);
	}
}

/* ---- marks ---- */

static void told_of_flush(const char *text, bool fua)
{
	__u32 run, i, thread, n;
	struct clone_member *m;
	__u64 seed;

	if (sscanf(text, "%u.%u.%u.%u", &run, &i, &thread, &n) != 4)
		return;
	seed = plan_seed(run, i, thread, n);
	m = writer_of(seed);
	if (!m)
		return;
	if (fua)
		raise(m->flushed, i, seed);
	else
		raise_all(m->flushed, &m->nr_flushed[thread], i, seed, n);
	raise_all(m->acked, &m->nr_acked[thread], i, seed, n);
}

static void *again(void *old, __u64 n, __u64 size)
{
	free(old);
	return alloc_array(n, size);
}

static void begin_member(struct clone_member *m, __u32 i)
{
	const struct disk *source = lab.member[i], *target = lab.target[i];
	const __u64 sectors = source->size / SECTOR;

	m->was = again(m->was, 1, target->size);
	m->cut = again(m->cut, 1, source->size);
	m->expect = again(m->expect, 1, source->size);
	m->flushed = again(m->flushed, sectors, sizeof(*m->flushed));
	m->acked = again(m->acked, sectors, sizeof(*m->acked));
	memcpy(m->was, target->live, target->size);
	memcpy(m->cut, source->live, source->size);
	forget_run(m, 0);
}

static void begin_clone(const char *name)
{
	struct clone *c = &clone_now;

	snprintf(c->name, sizeof(c->name), "%s", name);
	c->number = atoi(name + 1);
	c->told = NOTHING;
	c->suspended = false;
	c->resumed = false;
	c->synchronized = false;
	c->forced = false;
	c->over = false;
	for (__u32 i = 0; i < lab.nr_targets; i++)
		begin_member(&c->member[i], i);
}

void told_of_clone(const char *word, const char *name)
{
	struct clone *c = &clone_now;

	if (!strcmp(word, "cloning"))
		begin_clone(name);
	else if (!strcmp(word, "cloned"))
		c->told = TAKEN;
	else if (!strcmp(word, "suspending"))
		c->resumed = false;
	else if (!strcmp(word, "suspended"))
		c->suspended = true;
	else if (!strcmp(word, "resuming"))
		c->suspended = false;
	else if (!strcmp(word, "resumed"))
		c->resumed = true;
	else if (!strcmp(word, "synchronized"))
		c->synchronized = true;
	else if (!strcmp(word, "forcing"))
		c->forced = true;
	else if (!strcmp(word, "detaching"))
		c->told = DROPPING;
	else if (!strcmp(word, "detached"))
		c->told = DROPPED;
	else if (!strcmp(word, "filling"))
		c->over = true;
	else if (!strcmp(word, "flushed") || !strcmp(word, "fua"))
		told_of_flush(name, !strcmp(word, "fua"));
}

/* ---- writes to a map ---- */

/* A block of a map, and where its copies have been seen. */
struct seen {
	__u8 map[16];
	__u32 block;
	__u64 address[COHORT_MAP_COPIES];
	__u32 copies;
};

static struct seen *seen_block(const struct cohort_disk_map_block *d)
{
	static struct seen seen[MAPS_MAX];
	static __u32 count;
	struct seen *s;

	for (s = seen; s < seen + count; s++)
		if (!memcmp(s->map, d->map, sizeof(s->map)) && s->block == le32_to_cpu(d->block))
			return s;
	if (count == MAPS_MAX)
		die("too many copy maps");
	count++;
	memcpy(s->map, d->map, sizeof(s->map));
	s->block = le32_to_cpu(d->block);
	return s;
}

static __u32 pool_seed(void)
{
	struct store store;
	__u32 seed;

	memset(&store, 0, sizeof(store));
	store.read = memstore_read;
	store.ctx = lab.pool->live;
	store.size = lab.pool->size;
	if (store_super(&store))
		die("a copy map, but no superblock");
	seed = cohort_pool_seed(store.sb.uuid);
	store_free(&store);
	return seed;
}

/* The sequence number of what is at @address; 0: that is no whole block of it. */
static __u64 seq_at(const struct seen *s, __u64 address)
{
	struct cohort_map map = { .chunks = ~0ull };
	u64 seq;

	memcpy(map.uuid, s->map, sizeof(map.uuid));
	if (cohort_map_block_check(&map, pool_seed(), address, s->block, lab.pool->live + address,
				   &seq))
		return 0;
	return seq;
}

static void check_map_write(struct seen *s, __u64 address, __u64 point)
{
	__u64 old, other;
	__u32 i;

	for (i = 0; i < s->copies && s->address[i] != address; i++)
		;
	if (i == s->copies) {
		if (i == COHORT_MAP_COPIES)
			lab_violation(point, "a block of a copy map has a third copy");
		s->address[s->copies++] = address;
		return;
	}
	if (s->copies < COHORT_MAP_COPIES)
		return;
	old = seq_at(s, address);
	other = seq_at(s, s->address[!i]);
	if (!other || other < old)
		lab_violation(point, "a write to copy %u of a map, %llu, and the other one is %llu",
			      i, old, other);
	lab.map_writes++;
}

void told_by_pool(const struct recording_entry *entry, const __u8 *data, __u64 point)
{
	const struct cohort_disk_map_block *d = (const void *)data;

	if (entry->len == COHORT_BLOCK && le32_to_cpu(d->magic) == COHORT_MAP_MAGIC)
		check_map_write(seen_block(d), entry->offset, point);
}
