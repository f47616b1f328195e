/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit.h - says what is wrong with a pool, and lays over it what repairs it.
 *
 * Nothing is guessed: what is lost for certain is said, and what can not be
 * told from what is left is left alone. Where a batch is lost, nobody knows
 * which chunks were in it, so every relationship of the pool becomes Broken:
 * an image that fails is better than one that lies.
 */
#ifndef COHORTCTL_AUDIT_H
#define COHORTCTL_AUDIT_H

#include "store.h"

enum finding_kind {
	FINDING_NOTE,		/* worth knowing, no damage */
	FINDING_MENDED,		/* damage, and the repair is laid over it */
	FINDING_LEFT,		/* damage that stays */
};

struct finding {
	struct finding *next;
	enum finding_kind kind;
	char words[240];
};

struct audit {
	struct store *store;
	struct finding *first;
	struct finding *last;
	u32 mended;
	u32 left;
	/* what the repair has to do, see mend.c */
	bool lost;		/* a batch: nothing may be trusted to be complete */
	bool rewrite;		/* the catalog as it is in memory goes to the log again */
	u32 *cut;		/* per segment: the log ends there; U32_MAX: it does not */
	struct bad_chunk *bad;	/* see audit-chunks.c, until audit_chunks() has told of them */
	bool refused;		/* the module would not take what the repair leaves */

	u64 chunks;		/* in the index */
	u64 needed;		/* by an image */
	u32 segments_used;
	u32 clones;		/* members that have a target */
	u64 to_copy;		/* chunks that copy maps tell of */
	u64 copied;		/* those that are on their targets */
};

/*
 * Looks at all of @store, whose read, ctx and size are set. 0, or -errno where
 * there is nothing that could be looked at: then a finding has the words, too.
 * Pairs with audit_free(); the store stays the caller's.
 */
int audit_run(struct audit *audit, struct store *store);
void audit_free(struct audit *audit);

void audit_say(struct audit *audit, enum finding_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Bytes that a terminal or JSON would not take become '?'. */
void audit_plain(char *text);

/*
 * The log is read as a whole again, and no run counts: both superblocks are laid
 * without a start of it. Nothing is lost by that, for it still says all that is
 * needed of what runs say.
 */
void audit_without_runs(struct audit *audit);

/* The parts, in the order in which audit_run() calls them. */
int audit_supers(struct audit *audit);		/* audit.c */
int audit_table(struct audit *audit);		/* audit-table.c */
void audit_catalog(struct audit *audit);	/* audit-catalog.c */
void audit_clones(struct audit *audit);		/* audit-clones.c */
void audit_chunks(struct audit *audit);		/* audit-chunks.c */
void mend(struct audit *audit);			/* mend.c */

/*
 * Has @check look at each record of @type; false: it took out that one, and maybe others
 * that went with it, so that those before it are looked at again.
 */
void audit_type(struct audit *audit, u16 type, bool (*check)(struct audit *audit,
							     struct store_record *record));
/* A field of an identity. */
bool audit_text_ok(const u8 *text, size_t size);
void audit_break_member(struct cohort_disk_rel *rel, u32 member);

/* Of a load that failed. */
void audit_forget_chunks(struct audit *audit);
/* A chunk whose checksum was wrong, for audit_chunks(); see there. */
int audit_chunk(struct store *store, const struct cohort_preserve *p, u64 addr);

#endif
