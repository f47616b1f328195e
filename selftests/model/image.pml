/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.pml - reads of an image against overwrites and against its break.
 *
 * Invariant: a read of the image that returns data returns the data of the
 * cut. It may return an error, but only when the image is broken.
 *
 * One chunk, content OLD at the cut. Writers overwrite it, the first one
 * preserving it; another chunk of the same hash group is inserted meanwhile;
 * the image breaks, which lowers protection and gives its segment to others.
 *
 * good: W=2 R=1
 * good: W=2 R=2
 * mutant: NO_SECOND_LOOK	the insert sequence is not compared after the read
 * mutant: NOTE_LATE	the insert sequence is noted after the index was asked
 * mutant: COUNT_FIRST	the insert is counted before it can be found
 * mutant: RELEASE_FIRST	the overwrite is issued before the insert
 * mutant: FREE_FIRST	the segment is free before the image is broken
 * mutant: LOWER_FIRST	writes stop preserving before the image is broken
 * mutant: NO_BROKEN_CHECK	a read that has ended does not look at the image again
 */
#ifndef W
#define W 2
#endif
#ifndef R
#define R 1
#endif
#define OLD	0
#define NEW	1
#define FOREIGN	2

byte source = OLD;
byte segment = FOREIGN;		/* what its place in the pool holds */
bool entry;			/* the index knows the chunk */
byte inserts;			/* hashed insert sequence */
bool held;			/* chunk table */
bool protect = true;
bool broken;

proctype writer()
{
	byte data;

	atomic { !held -> held = true }
	if
	:: entry || !protect
	:: else ->
		data = source;
		segment = data;
#ifdef RELEASE_FIRST
		source = NEW;
#endif
#ifdef COUNT_FIRST
		inserts++;
		entry = true;
#else
		entry = true;
		inserts++;
#endif
	fi;
	held = false;
	source = NEW
}

proctype neighbour()
{
	inserts++
}

/* Takes the chunk's entry out of the index and gives its segment to another. */
inline free_segment()
{
	atomic { !held -> held = true }
	entry = false;
	segment = FOREIGN;
	held = false
}

proctype breaker()
{
#ifdef LOWER_FIRST
	protect = false;
#endif
#ifdef FREE_FIRST
	free_segment();
#endif
	broken = true;
	protect = false;
	free_segment()
}

proctype reader()
{
	byte data, seen;
	bool pool;

	do
	::
#ifndef NOTE_LATE
		seen = inserts;
#endif
		pool = entry;
#ifdef NOTE_LATE
		seen = inserts;
#endif
		if
		:: pool -> data = segment
		:: else -> data = source
		fi;
#ifndef NO_BROKEN_CHECK
		if
		:: broken -> break
		:: else
		fi;
#endif
#ifndef NO_SECOND_LOOK
		if
		:: !pool && seen != inserts -> goto again
		:: else
		fi;
#endif
		assert(data == OLD);
		break;
again:
		skip
	od
}

init {
	byte i;

	atomic {
		do
		:: i == W -> break
		:: else -> run writer(); i++
		od;
		i = 0;
		do
		:: i == R -> break
		:: else -> run reader(); i++
		od;
		run neighbour();
		run breaker()
	}
}
