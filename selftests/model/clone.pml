/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clone.pml - a target disk becomes a copy of an image while it is read, written and cut off.
 *
 * Invariant: a reader sees what had been written when it began, or what was being
 * written; behind a crash the same holds of what a flush had acknowledged. Nobody
 * ever sees what the target held before, nor an image that was let go; and a target
 * whose relationship is in no record was not touched.
 *
 * Two chunks of two halves. A chunk is the image's or the target's own: a bit in
 * memory says which, and never goes back. Durable are the bits of the copy map's
 * newer valid copy; one block of the map has both bits. A write to a chunk that is
 * the image's takes the chunk, copies what it does not overwrite, and makes the
 * chunk the target's. The hydrator does that to one chunk after the other. What is
 * written to the target is durable at once or with the next flush of it, as its
 * cache likes. The power fails at any moment.
 *
 * good: NO_CRASH=1
 * good: WRITES=2 NO_READER=1
 * mutant: TOUCH_EARLY		the hydrator does not wait for the relationship's record
 * mutant: BIT_FIRST		the bit is set before the data is written
 * mutant: NO_EXCLUSION		the hydrator and a write do not wait for each other
 * mutant: NO_SECOND_LOOK	the hydrator, having the chunk, does not look again whose it is
 * mutant: WRITER_LOOKS_ONCE	a write does not
 * mutant: NO_MERGE		a write of a half does not copy the other
 * mutant: NO_TARGET_FLUSH	the map is written before the target was flushed
 * mutant: BITS_LATE		the map's bits are taken when the target has been flushed
 * mutant: IN_PLACE		the map has one copy
 * mutant: ACK_FIRST		a flush is acknowledged before the map is durable
 * mutant: PASS_ON		a flush goes to the target alone
 * mutant: TWO_COMMITS		two commits at a time
 * mutant: SKIP_WAIT		a flush with no new bits does not wait for the commit that has them
 * mutant: LET_GO_EARLY		the image goes when all bits are set, not when they are durable
 * mutant: NO_DRAIN NO_CRASH=1	it goes while it is read
 * mutant: LOOK_FIRST NO_CRASH=1	a read looks whose the chunk is before it is counted
 */
#ifndef WRITES
#define WRITES 2
#endif
#define CHUNKS	2
#define HALVES	4		/* of all chunks */
#define ALL	3		/* the bits of all chunks */
#define RUBBISH	9		/* what the target held before, and space of others */

bool recorded;
bool dead;			/* no power: nothing has an effect any more */
bool image_there = true;
byte image_reads;

byte own;			/* bits, in memory */
bool taken[CHUNKS];
byte cached[HALVES] = RUBBISH;	/* the target as it is read */
byte disk[HALVES] = RUBBISH;	/* as a crash leaves it */
bool touched;

byte copy[2];			/* bits in the map's copies */
bool valid[2] = true;
byte newer;			/* which one counts, if valid */
bool committing;		/* one commit at a time */
byte noted;			/* the bits that the last one took */

byte issued[HALVES];		/* newest version */
byte acked[HALVES];		/* newest that was acknowledged */
byte flushed[HALVES];		/* newest acknowledged with a flush behind it */

#define CHUNK(half)	((half) / 2)
#define IS_OWN(chunk)	(own & (1 << (chunk)))

/* One write to the target's cache, which may pass it on at once. */
inline put(half, version)
{
	atomic {
		if
		:: dead
		:: !dead ->
			cached[half] = version;
			touched = true;
#ifndef NO_CRASH
			if
			:: disk[half] = version
			:: true
			fi
#endif
		fi
	}
}

inline flush_target()
{
	d_step {
		if
		:: dead
		:: else ->
			disk[0] = cached[0];
			disk[1] = cached[1];
			disk[2] = cached[2];
			disk[3] = cached[3]
		fi
	}
}

inline read_image(value)
{
	if
	:: image_there -> value = 0
	:: else -> value = RUBBISH
	fi
}

inline take(chunk)
{
#ifdef NO_EXCLUSION
	taken[chunk] = true
#else
	atomic { !taken[chunk] -> taken[chunk] = true }
#endif
}

inline give(chunk)
{
	taken[chunk] = false
}

inline make_own(chunk)
{
	own = own | (1 << (chunk))
}

/* The copy map: what it says is what the target had when it was flushed. */
inline commit()
{
#ifndef TWO_COMMITS
	atomic { !committing -> committing = true };
#endif
	bits = own;
	noted = bits;
#ifndef NO_TARGET_FLUSH
	flush_target();
#endif
#ifdef BITS_LATE
	bits = own;
#endif
#ifdef IN_PLACE
	slot = newer;
#else
	slot = 1 - newer;
#endif
	if
	:: bits != copy[newer] ->
		valid[slot] = false;
		d_step { copy[slot] = bits; valid[slot] = true; newer = slot }
	:: else
	fi;
	committing = false
}

/* Of one half, or of a whole chunk. */
proctype writer(byte nr)
{
	byte chunk, first, last, value, bits, slot, n;
	byte mark[HALVES];
	bool merge;

	recorded;
	n = 0;
	do
	:: n == WRITES -> break
	:: else ->
		n++;
		if
		:: chunk = 0
		:: nr == 0 && n == 1 -> chunk = 1
		fi;
		if
		:: first = 2 * chunk; last = first
		:: first = 2 * chunk; last = first + 1
		fi;
		d_step {
			issued[first] = issued[first] + 1;
			if
			:: last > first -> issued[last] = issued[last] + 1
			:: else
			fi
		};
		if
		:: IS_OWN(chunk) ->
			put(first, issued[first]);
			if
			:: last > first -> put(last, issued[last])
			:: else
			fi
		:: else ->
			take(chunk);
#ifdef WRITER_LOOKS_ONCE
			merge = last == first;
#else
			merge = !IS_OWN(chunk) && last == first;
#endif
#ifdef NO_MERGE
			merge = false;
#endif
#ifdef BIT_FIRST
			make_own(chunk);
#endif
			if
			:: merge ->
				read_image(value);
				put(first + 1, value)
			:: else
			fi;
			put(first, issued[first]);
			if
			:: last > first -> put(last, issued[last])
			:: else
			fi;
			make_own(chunk);
			give(chunk)
		fi;
		d_step {
			acked[first] = issued[first];
			acked[last] = issued[last]
		};
		/* and perhaps a flush: what was acknowledged before it is meant */
		if
		:: true
		:: d_step {
				mark[0] = acked[0]; mark[1] = acked[1];
				mark[2] = acked[2]; mark[3] = acked[3]
			};
#if defined(PASS_ON)
			flush_target();
#elif defined(SKIP_WAIT)
			if
			:: noted == own -> flush_target()
			:: else -> commit()
			fi;
#elif !defined(ACK_FIRST)
			commit();
#endif
			atomic {
					flushed[0] = mark[0]; flushed[1] = mark[1];
				flushed[2] = mark[2]; flushed[3] = mark[3]
			};
#ifdef ACK_FIRST
			commit()
#endif
		fi
	od
}

proctype hydrator()
{
	byte chunk, value, bits, slot;

#ifndef TOUCH_EARLY
	recorded;
#endif
	do
	:: chunk == CHUNKS -> break
	:: else ->
		if
		:: IS_OWN(chunk)
		:: else ->
			take(chunk);
			if
#ifndef NO_SECOND_LOOK
			:: IS_OWN(chunk)
#endif
			:: else ->
				read_image(value);
#ifdef BIT_FIRST
				make_own(chunk);
#endif
				put(2 * chunk, value);
				put(2 * chunk + 1, value);
				make_own(chunk)
			fi;
			give(chunk)
		fi;
		chunk++
	od;
	own == ALL;
#ifndef LET_GO_EARLY
	commit();
#endif
#ifndef NO_DRAIN
	image_reads == 0;
#endif
	image_there = false;
#ifdef LET_GO_EARLY
	commit()
#endif
}

/* Sees at least what had been acknowledged when it began, and never rubbish. */
proctype reader()
{
	byte half, least, value;
	bool is_own;

	recorded;
	if :: half = 0 :: half = 1 :: half = 2 fi;
	least = acked[half];
#ifndef LOOK_FIRST
	image_reads++;
#endif
	is_own = IS_OWN(CHUNK(half)) != 0;
#ifdef LOOK_FIRST
	image_reads++;
#endif
	if
	:: is_own -> value = cached[half]
	:: else -> read_image(value)
	fi;
	image_reads--;
	assert(dead || (value != RUBBISH && value >= least))
}

proctype recorder()
{
	recorded = true
}

/* The power fails: what is there when it comes back? */
proctype crash()
{
	byte bits, half, value;

	d_step {
		dead = true;
		if
		:: !recorded -> assert(!touched)
		:: else ->
			if
			:: valid[newer] -> bits = copy[newer]
			:: !valid[newer] && valid[1 - newer] -> bits = copy[1 - newer]
			:: else -> assert(false)	/* no map */
			fi;
			do
			:: half == HALVES -> break
			:: else ->
				if
				:: bits & (1 << CHUNK(half)) -> value = disk[half]
				:: else -> read_image(value)
				fi;
				assert(value != RUBBISH);
				assert(value >= flushed[half]);
				half++
			od
		fi
	}
}

init {
	atomic {
		run recorder();
		run hydrator();
		run writer(0);
#ifndef NO_READER
		run reader();
#endif
#ifndef NO_CRASH
		run crash()
#endif
	}
}
