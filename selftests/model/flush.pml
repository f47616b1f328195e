/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flush.pml - entries of the index go into runs while others look for them, and a crash comes.
 *
 * Invariants: a look finds every chunk whose preserve was acknowledged; so does a
 * restart from either superblock copy that is whole, at every instant; and one
 * of them always is.
 *
 * Each batch of the log preserves one chunk and has a segment of its own, so that
 * number, chunk and use of the segment are one. Batches reach the disk in any
 * order and complete in theirs. Two flushes and a merge run beside that, a
 * reader looks, and a crash may come between any two steps. With LOGS=2 each batch
 * goes by the main log or a side log, which complete each in its own order.
 *
 * good: BATCHES=4
 * good: BATCHES=5
 * good: BATCHES=4 LOGS=2
 * mutant: RUNS_FIRST	a look asks the runs, then the index
 * mutant: UNLINK_EARLY	an entry leaves the index before its run is in the list
 * mutant: START_LATE	the log begins behind batches that are under way
 * mutant: START_OF_MAIN LOGS=2	the log begins where the main one does
 * mutant: NO_FLUSH	superblocks are written while a run is in the disk's cache
 * mutant: ONE_COPY	the old catalog is written over when one superblock is new
 * mutant: ANY_RUN	a restart takes a run that the superblock's log_start does not cover
 * mutant: MERGE_TWO	a merge tells the catalog of what goes before what comes
 * mutant: OUT_FIRST	a look may come when what went in is out, and what comes out is not in
 * mutant: FREE_EARLY	a merge writes over its inputs before the catalog has the new run
 */
#ifndef BATCHES
#define BATCHES 4
#endif
#define RUNS	3		/* two flushed, one merged */
#ifndef LOGS
#define LOGS	1
#endif
#define DEPTH	(LOGS + 1)	/* batches in flight */

#define GONE	0		/* what a run is on the disk */
#define CACHED	1
#define STABLE	2

byte issued;
byte oldest;			/* that is not complete, or @issued */
byte log[BATCHES];		/* that a batch goes by */
bool durable[BATCHES];
bool complete[BATCHES];
bool indexed[BATCHES];

bool said[RUNS * BATCHES];	/* by run and chunk */
byte to[RUNS];
byte disk[RUNS];
bool listed[RUNS];
bool recorded[RUNS];		/* in the catalog */

byte start[2];			/* of the superblock copies */
byte catalog[2];
bool torn[2];
bool gone[RUNS + 1];		/* a catalog that was written over */

#define AT(r, c)	((r) * BATCHES + (c))

#ifdef ANY_RUN
#define COUNTS(r, copy)	(recorded[r] && disk[r] == STABLE)
#else
#define COUNTS(r, copy)	(recorded[r] && disk[r] == STABLE && to[r] <= start[copy])
#endif

#define RUN_SAYS(r, copy, c)	(COUNTS(r, copy) && said[AT(r, c)])
#define REPLAYED(copy, c)	(durable[c] && c >= start[copy])
/* exactly one of log and runs may say a chunk */
#define TIMES(copy, c)	(REPLAYED(copy, c) + RUN_SAYS(0, copy, c) + RUN_SAYS(1, copy, c) + \
			 RUN_SAYS(2, copy, c))

inline put_super(copy)
{
	torn[copy] = true;
	d_step { start[copy] = s; catalog[copy] = n + 1; torn[copy] = false }
}

inline take_out()
{
	c = 0;
	do
	:: c == BATCHES -> break
	:: else ->
		d_step {
			if
			:: said[AT(n, c)] -> indexed[c] = false
			:: else
			fi;
			c++
		}
	od
}

inline flush()
{
	d_step {
#ifdef START_LATE
		s = issued;
#elif defined(START_OF_MAIN)
		s = 0;
		do
		:: s < issued && (complete[s] || log[s] != 0) -> s++
		:: else -> break
		od;
#else
		s = oldest;
#endif
		c = 0;
		do
		:: c == s -> break
		:: else -> said[AT(n, c)] = indexed[c]; c++
		od;
		to[n] = s;
		disk[n] = CACHED
	}
#ifndef NO_FLUSH
	disk[n] = STABLE;
#endif
#ifdef UNLINK_EARLY
	take_out();
#endif
	listed[n] = true;
	recorded[n] = true;
	put_super(0);
#ifndef ONE_COPY
	put_super(1);
#endif
	gone[n] = true;
	take_out();
	n++
}

inline merge()
{
	d_step {
		c = 0;
		do
		:: c == BATCHES -> break
		:: else -> said[AT(2, c)] = said[AT(0, c)] || said[AT(1, c)]; c++
		od;
		to[2] = to[1];
		disk[2] = STABLE
	}
#ifdef FREE_EARLY
	d_step { disk[0] = GONE; disk[1] = GONE }
#endif
#ifdef MERGE_TWO
	d_step { recorded[0] = false; recorded[1] = false }
	recorded[2] = true;
#else
	d_step { recorded[2] = true; recorded[0] = false; recorded[1] = false }
#endif
#ifdef OUT_FIRST
	d_step { listed[0] = false; listed[1] = false }
	listed[2] = true;
#else
	d_step { listed[2] = true; listed[0] = false; listed[1] = false }
#endif
	d_step { disk[0] = GONE; disk[1] = GONE }
}

active proctype tidy()
{
	byte n, s, c;

	do
	:: n < 2 && oldest > start[0] -> flush()
	:: n == 2 -> break
	:: n < 2 && oldest == BATCHES && start[0] == BATCHES -> goto end
	od;
	merge();
end:	skip
}

/* Not of the same log in front of @c, or complete. */
#define BEFORE(i, c)	((i) >= (c) || complete[i] || log[i] != log[c])
#define IN_TURN(c)	(BEFORE(oldest, c) && BEFORE(oldest + 1, c))
#define MAY_WRITE(c)	((c) < issued && !durable[c])
#define MAY_COMPLETE(c)	((c) < issued && durable[c] && !complete[c] && IN_TURN(c))

inline issue(l)
{
	log[issued] = l;
	issued++
}

inline finish(i)
{
	c = i;
	indexed[c] = true;
	complete[c] = true;
	do
	:: oldest < issued && complete[oldest] -> oldest++
	:: else -> break
	od;
	c = 0
}

active proctype disk_and_host()
{
	byte c;

	do
	:: d_step { issued < BATCHES && issued - oldest < DEPTH -> issue(0) }
	:: d_step { MAY_WRITE(oldest) -> durable[oldest] = true }
	:: d_step { MAY_WRITE(oldest + 1) -> durable[oldest + 1] = true }
	:: d_step { MAY_COMPLETE(oldest) -> finish(oldest) }
#if LOGS > 1
	:: d_step { issued < BATCHES && issued - oldest < DEPTH -> issue(1) }
	:: d_step { MAY_WRITE(oldest + 2) -> durable[oldest + 2] = true }
	:: d_step { MAY_COMPLETE(oldest + 1) -> finish(oldest + 1) }
	:: d_step { MAY_COMPLETE(oldest + 2) -> finish(oldest + 2) }
#endif
	:: oldest == BATCHES -> break
	od
}

#define IN_RUNS(c)	((listed[0] && said[AT(0, c)]) || (listed[1] && said[AT(1, c)]) || \
			 (listed[2] && said[AT(2, c)]))

active proctype look()
{
	byte c;
	bool found;

	do
	:: c < BATCHES - 1 -> c++
	:: break
	od;
	complete[c];
#ifdef RUNS_FIRST
	found = IN_RUNS(c);
	found = found || indexed[c];
#else
	found = indexed[c];
	found = found || IN_RUNS(c);
#endif
	assert(found)
}

inline recover(copy)
{
	if
	:: torn[copy]
	:: else ->
		assert(!gone[catalog[copy]]);
		c = 0;
		do
		:: c == BATCHES -> break
		:: else -> assert(!complete[c] || TIMES(copy, c) == 1); c++
		od
	fi
}

active proctype crash()
{
	byte c;

	d_step {
		assert(!torn[0] || !torn[1]);
		recover(0);
		c = 0;
		recover(1)
	}
}
