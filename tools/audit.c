// SPDX-License-Identifier: GPL-2.0-or-later
/* audit.c - says what is wrong with a pool: superblocks, log, and the rest in order. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit.h"

void audit_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
			*text = '?';
}

void audit_say(struct audit *audit, enum finding_kind kind, const char *fmt, ...)
{
	struct finding *f = store_alloc(sizeof(*f));
	va_list ap;

	f->kind = kind;
	va_start(ap, fmt);
	vsnprintf(f->words, sizeof(f->words), fmt, ap);
	va_end(ap);
	audit_plain(f->words);
	if (audit->last)
		audit->last->next = f;
	else
		audit->first = f;
	audit->last = f;
	audit->mended += kind == FINDING_MENDED;
	audit->left += kind == FINDING_LEFT;
}

/* ---- superblocks ---- */

struct copy {
	char letter;
	u64 address;
	u8 block[COHORT_BLOCK];
	struct cohort_super sb;
	const char *why;
	int err;
};

static void read_copy(struct store *store, struct copy *copy, char letter, u64 address)
{
	copy->letter = letter;
	copy->address = address;
	copy->why = "";
	memset(copy->block, 0, sizeof(copy->block));
	copy->err = store_read(store, address, copy->block, COHORT_BLOCK);
	if (copy->err)
		copy->why = "it can not be read";
	else
		copy->err = cohort_super_decode(&copy->sb, copy->block, address, store->size,
						&copy->why);
}

/* A pool that was never opened has only the first one, and no table. */
static bool never_opened(struct store *store, const struct copy *good, const struct copy *other)
{
	static const u8 zero[COHORT_BLOCK];
	u8 table[COHORT_BLOCK];

	return good->sb.generation == 1 && other->err == -ENOENT &&
	       !memcmp(other->block, zero, sizeof(zero)) &&
	       !store_read(store, COHORT_TABLE_START, table, sizeof(table)) &&
	       cohort_table_blank(table);
}

static int one_copy(struct audit *audit, struct copy *good, const struct copy *bad)
{
	u8 block[COHORT_BLOCK];

	if (bad->err == -EOPNOTSUPP) {
		audit_say(audit, FINDING_LEFT, "superblock %c: %s", bad->letter, bad->why);
		return -EOPNOTSUPP;
	}
	if (never_opened(audit->store, good, bad))
		return 0;
	audit_say(audit, FINDING_MENDED, "superblock %c is lost (%s), the other one is good",
		  bad->letter, bad->why);
	good->sb.generation++;
	cohort_super_encode(&good->sb, block);
	store_lay(audit->store, bad->address, block);
	return 0;
}

static int no_copy(struct audit *audit, const struct copy *a, const struct copy *b)
{
	if (a->err == -ENOENT && b->err == -ENOENT) {
		audit_say(audit, FINDING_LEFT, "%s", a->why);
		return -ENOENT;
	}
	audit_say(audit, FINDING_LEFT, "both superblocks are lost (A: %s; B: %s)", a->why, b->why);
	return -EUCLEAN;
}

int audit_supers(struct audit *audit)
{
	static struct copy a, b;

	read_copy(audit->store, &a, 'A', COHORT_SUPER_A);
	read_copy(audit->store, &b, 'B', COHORT_SUPER_B);
	if (a.err && b.err)
		return no_copy(audit, &a, &b);
	if (a.err)
		return one_copy(audit, &b, &a);
	if (b.err)
		return one_copy(audit, &a, &b);
	if (!memcmp(a.sb.uuid, b.sb.uuid, sizeof(a.sb.uuid)))
		return 0;
	audit_say(audit, FINDING_LEFT, "the two superblocks are of different pools");
	return -EUCLEAN;
}

void audit_without_runs(struct audit *audit)
{
	if (store_super(audit->store))
		return;
	audit->store->sb.log_start = 0;
	store_lay_supers(audit->store);
}

/* ---- the log ---- */

/* The log of this segment ends at @offset, whatever is behind it. */
static void cut_at(struct audit *audit, u32 segment, u32 offset)
{
	if (offset < audit->cut[segment])
		audit->cut[segment] = offset;
	audit->lost = true;
	audit->rewrite = true;
}

static int on_damage(struct store *store, const struct cohort_damage *d)
{
	static const u8 zero[COHORT_BLOCK];
	struct audit *audit = store->user;

	switch (d->kind) {
	case COHORT_DAMAGE_TABLE:
		/* audit_table() has looked at it: what could not be rebuilt is an end */
		return d->err;
	case COHORT_DAMAGE_READ:
		audit_say(audit, FINDING_MENDED, "segment %u can not be read: it is given up",
			  d->segment);
		cut_at(audit, d->segment, 0);
		return 0;
	case COHORT_DAMAGE_RECORD:
		audit_say(audit, FINDING_MENDED,
			  "segment %u, byte %u: a record of the catalog is malformed", d->segment,
			  d->offset);
		audit->lost = true;
		audit->rewrite = true;
		return 0;
	case COHORT_DAMAGE_END:
		audit_say(audit, FINDING_MENDED,
			  "segment %u: the log was closed behind what can be read of it",
			  d->segment);
		audit->lost = true;
		audit->rewrite = true;
		return 0;
	case COHORT_DAMAGE_ENTRY:
		audit_say(audit, FINDING_MENDED,
			  "segment %u, byte %u: an entry has an impossible epoch", d->segment,
			  d->offset);
		/* the batch is whole: it must not be found again */
		store_lay(store, store->sb.segments_start +
			  (u64)d->segment * store->sb.segment_size + d->offset, zero);
		break;
	case COHORT_DAMAGE_BATCH:
		audit_say(audit, FINDING_MENDED,
			  "segment %u, byte %u: a batch is damaged, what it held is lost",
			  d->segment, d->offset);
		break;
	}
	cut_at(audit, d->segment, d->offset);
	return 0;
}

static int pass_over(struct store *store, const struct cohort_damage *d)
{
	(void)store;
	return d->kind == COHORT_DAMAGE_TABLE ? d->err : 0;
}

static int on_bad_run(struct store *store, u32 id, int err)
{
	(void)id;
	(void)err;
	audit_say(store->user, FINDING_MENDED, "%s: what it says is taken from the log again",
		  store->why);
	return -EAGAIN;
}

/* Before the log is judged: a run that is damaged tells how much of it there is to judge. */
static void audit_runs(struct audit *audit)
{
	struct store *store = audit->store;
	int err;

	store->damage = pass_over;
	store->bad_run = on_bad_run;
	err = store_load(store);
	store->damage = NULL;
	store->bad_run = NULL;
	store_forget(store);
	if (err == -EAGAIN)
		audit_without_runs(audit);
}

static int load(struct audit *audit)
{
	struct store *store = audit->store;
	int err;

	store->damage = on_damage;
	store->chunk = audit_chunk;
	err = store_load(store);
	store->damage = NULL;
	store->chunk = NULL;
	if (err)
		audit_say(audit, FINDING_LEFT, "%s", store->why[0] ? store->why :
			  strerror(-err));
	return err;
}

static u32 *no_cuts(const struct store *store)
{
	u32 *cut = store_alloc(store->sb.nr_segments * sizeof(*cut));
	u64 i;

	for (i = 0; i < store->sb.nr_segments; i++)
		cut[i] = U32_MAX;
	return cut;
}

static bool lacks(struct audit *audit, bool there, bool *feature, const char *what)
{
	if (!there || *feature)
		return false;
	audit_say(audit, FINDING_MENDED, "the pool has %s its superblock does not tell of", what);
	*feature = true;
	return true;
}

/*
 * The bits are what keeps older versions from taking overlays for sources that are
 * gone, batches of moved chunks for the end of the log, and side logs or copy maps for
 * damage.
 */
static void audit_features(struct audit *audit)
{
	struct store *store = audit->store;
	bool lay = lacks(audit, store->overlays, &store->sb.overlays, "overlays");

	lay |= lacks(audit, store->moves, &store->sb.moves, "moved chunks");
	lay |= lacks(audit, store->sides, &store->sb.sides, "side logs");
	lay |= lacks(audit, store->clones, &store->sb.clones, "clones");
	if (lay && !audit->rewrite)
		store_lay_supers(store);
}

/* What is left after the repair is what the module takes. */
static void prove(struct audit *audit)
{
	struct store *store = audit->store;
	int err;

	store_forget(store);
	err = store_load(store);
	if (!err)
		return;
	audit->refused = true;
	audit_say(audit, FINDING_LEFT, "the pool can not be repaired: %s",
		  store->why[0] ? store->why : strerror(-err));
}

int audit_run(struct audit *audit, struct store *store)
{
	int err;

	memset(audit, 0, sizeof(*audit));
	audit->store = store;
	err = audit_supers(audit);
	if (!err)
		err = audit_table(audit);
	if (err)
		return err;
	store->user = audit;
	if (store->sb.log_start)
		audit_runs(audit);
	audit->cut = no_cuts(store);
	err = load(audit);
	if (err)
		return err;
	audit_catalog(audit);
	audit_clones(audit);
	audit_chunks(audit);
	audit_features(audit);
	if (audit->rewrite)
		mend(audit);
	prove(audit);
	return 0;
}

void audit_free(struct audit *audit)
{
	struct finding *f, *next;

	for (f = audit->first; f; f = next) {
		next = f->next;
		free(f);
	}
	audit_forget_chunks(audit);
	free(audit->cut);
	memset(audit, 0, sizeof(*audit));
}
