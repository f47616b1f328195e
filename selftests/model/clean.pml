/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clean.pml - a chunk is copied out of a segment that is to be free, while it is read and written anew.
 *
 * Invariants: who reads the chunk gets what it promises, its present version or,
 * of an image that is written, one that was the present one while it read; at
 * every instant a restart finds the newest version that was acknowledged, whole.
 *
 * Each place is the one chunk of a segment of its own. Version 1 lies at place 0,
 * where a run says it is, or the index; it is moved twice, flushed at some time,
 * and a write may bring version 2. A place nobody counts is written over.
 *
 * good: RUN=0
 * good: RUN=1
 * good: WRITE=1
 * good: RUN=1 WRITE=1
 * mutant: NO_LOOK	a read is content with what it found, whatever moved meanwhile
 * mutant: EARLY	the index says the new place before the copy is durable
 * mutant: BLIND WRITE=1	the index takes the copy although the chunk was written anew
 * mutant: LAST WRITE=1	a restart takes what is last in the log for the newest
 * mutant: LOG_FIRST WRITE=1	a restart believes the log without asking the runs
 * mutant: OLD_RUN RUN=1	of two runs that say the same key the older one is believed
 * mutant: COUNT_FIRST	the old place is free before reads are told that it moved
 */
#ifndef RUN
#define RUN	0
#endif
#ifndef WRITE
#define WRITE	0
#endif
#define PLACES	4
#define NONE	PLACES

#define OTHER	0		/* what a place holds; else the version */

byte holds[PLACES];
byte order[PLACES];		/* of its entry in the log, 0: it is not durable */
byte appended;
bool in_log[PLACES];		/* a restart reads it */
bool counted[PLACES];
bool open[PLACES];		/* the log is at it */

byte in_index = NONE;
byte says[2];			/* the place that each says, the older first */
byte version = 1;		/* the newest that was acknowledged */
byte moves;

#ifdef OLD_RUN
#define IN_RUNS	(says[0] != NONE -> says[0] : says[1])
#else
#define IN_RUNS	(says[1] != NONE -> says[1] : says[0])
#endif
#define PLACE	(in_index != NONE -> in_index : IN_RUNS)

init
{
	d_step {
		says[0] = NONE;
		says[1] = NONE;
		holds[0] = 1;
		counted[0] = true;
		appended = 1;
		order[0] = 1;
		if
		:: RUN -> says[0] = 0
		:: else -> in_index = 0; in_log[0] = true
		fi
	}
	atomic { run clean(); run flush(); run write(); run reuse(); run read(); run crash() }
}

inline append(place, what)
{
	d_step { open[place] = true; holds[place] = what }
	d_step { appended++; order[place] = appended; in_log[place] = true }
}

inline relocate()
{
	d_step {
		if
#ifdef BLIND
		:: true ->
#else
		:: PLACE == from ->
#endif
			in_index = to;
			counted[to] = true;
#ifdef COUNT_FIRST
			counted[from] = false
#else
			moves++;
			counted[from] = false
#endif
		:: else
		fi;
		open[to] = false
	}
#ifdef COUNT_FIRST
	moves++
#endif
}

proctype clean()
{
	byte from, to, what;

	do
	:: to < 2 ->
		from = PLACE;
		to++;
		what = holds[from];
		/* its checksum, and that nobody wrote over it */
		if
		:: what == 1 && PLACE == from
		:: else -> break
		fi;
#ifdef EARLY
		open[to] = true;
		relocate();
#endif
		append(to, what);
#ifndef EARLY
		relocate();
#endif
	:: else -> break
	od
}

/* The log is kept from the oldest batch on that is under way. */
inline flush_from(place)
{
	says[1] = place;
	start = order[place];
	p = 0;
	do
	:: p == PLACES -> break
	:: else ->
		if
		:: open[p] && order[p] && order[p] <= start -> start = order[p] - 1
		:: else
		fi;
		p++
	od;
	p = 0;
	do
	:: p == PLACES -> break
	:: else ->
		if
		:: order[p] <= start -> in_log[p] = false
		:: else
		fi;
		p++
	od
}

/*
 * The index goes into a run that is younger than what there is, and the log begins
 * behind. A copy that was not taken may still be in it.
 */
proctype flush()
{
	byte place, p, start;

	if
	:: d_step { in_index == 1 || in_index == 3 -> place = in_index; flush_from(place) };
		d_step {
			if
			:: in_index == place -> in_index = NONE
			:: else
			fi
		}
	:: true
	fi
}

proctype write()
{
	byte old;

	if
	:: WRITE ->
		append(3, 2);
		d_step {
			old = PLACE;
			in_index = 3;
			counted[3] = true;
			open[3] = false;
			counted[old] = false;
			moves++;
			version = 2
		}
	:: else
	fi
}

/* Once each: what is written over it there is not the chunk any more. */
proctype reuse()
{
	byte p;

	do
	:: p < PLACES ->
		if
		:: atomic { holds[p] && order[p] && !counted[p] && !open[p] ->
			in_log[p] = false; holds[p] = OTHER }
		:: true
		fi;
		p++
	:: else -> break
	od
}

proctype read()
{
	byte at, got, before, seen;

again:	skip;
	d_step { before = moves; seen = version }
	at = PLACE;
	got = holds[at];
#ifndef NO_LOOK
	if
	:: moves != before -> goto again
	:: else
	fi;
#endif
	assert(got == 1 || got == 2);
	assert(got >= seen)
}

/* Where a restart finds the chunk: the runs, and what the log has on top. */
inline recover()
{
	at = NONE;
	p = 0;
	do
	:: p == PLACES -> break
	:: else ->
		if
#ifdef LAST
		:: in_log[p] && (at == NONE || order[p] > order[at]) -> at = p
#else
		:: in_log[p] && (at == NONE || holds[p] > holds[at]) -> at = p
#endif
		:: else
		fi;
		p++
	od;
	if
	:: at == NONE -> at = IN_RUNS
#ifndef LOG_FIRST
	:: at != NONE && IN_RUNS != NONE && holds[IN_RUNS] > holds[at] -> at = IN_RUNS
#endif
	:: else
	fi
}

proctype crash()
{
	byte at, p;

	d_step {
		recover();
		assert(at != NONE && holds[at] >= version)
	}
}
