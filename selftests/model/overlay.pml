/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overlay.pml - writes of an image against its reads, pruning, reset, break and a crash.
 *
 * Invariants: a write that was acknowledged is there, whole, until the image is
 * reset; a read returns what the chunk was at some instant while it ran; a
 * restart at any instant finds the same, with what was under way done or not
 * done; nothing of one overlay is in the next, whatever its id.
 *
 * One chunk of two halves. Writer 0 writes its half WRITES times, writer 1 its
 * own once; a neighbour begins an overlay for another chunk. Each batch of the
 * log has a place of its own, so that number, place and mapping are one; the
 * batches complete in order (restart.pml). The first of them is a chunk of a
 * former life of the first id. The crash changes nothing: at every instant it
 * asks what a restart would find, and what the next overlay would.
 *
 * good: RESET WRITES=2
 * good: RESET NEIGHBOUR
 * good: RESET CHECKPOINT
 * good: BREAK
 * mutant: RESET NO_TURNS	writes of parts of a chunk do not exclude each other
 * mutant: RESET ACK_FIRST	a write is acknowledged before the index has it
 * mutant: RESET ACK_VOLATILE	a write is inserted and acknowledged before it is durable
 * mutant: RESET NO_RETRY	a wrong checksum is taken for good
 * mutant: RESET NO_SECOND_ASK	a wrong checksum is damage without asking again
 * mutant: RESET PRUNE_NEWEST	pruning drops the version that counts
 * mutant: RESET NO_FLOOR	entries of a former life of the id count
 * mutant: RESET RECORD_LATE	a chunk is appended before the record of its overlay
 * mutant: RESET RESET_VOLATILE	memory forgets the overlay before the log does
 * mutant: RESET OUTDATED	a read that has ended does not look whether its overlay counts
 * mutant: RESET NEIGHBOUR ID_REUSED	the next overlay of an activation has the same id
 * mutant: RESET NEIGHBOUR ID_TWICE	a write asks which overlay counts again when it appends
 * mutant: RESET CHECKPOINT FLOOR_OF_BATCH	the floor is the number of the record's batch
 * mutant: RESET CHECKPOINT DROP_EARLY	replay drops chunks whose record comes later
 * mutant: BREAK NO_BROKEN_CHECK	a read that has ended does not look whether the image is broken
 * mutant: BREAK FREE_FIRST	the overlay is gone before the image is broken
 * mutant: BREAK BREAK_TWO	the overlay's end and the break are two batches
 */
#ifndef WRITES
#define WRITES	1
#endif
#define SLOTS	9		/* batches, from 1 on */

/* Content: half 0 is 0 to 2, half 1 is 0 or 1, and 0 is the base. */
#define BASE	0
#define STALE	5		/* of the former life */
#define FOREIGN	6
#define FAILED	7		/* EIO */
#define HALF(c, h)	((h) -> (c) / 3 : (c) % 3)
#define WITH(c, h, v)	((h) -> (c) % 3 + 3 * (v) : (c) / 3 * 3 + (v))

#define HELD	0		/* a place in the log: of a batch that is not in the index */
#define INDEXED	1
#define REUSED	2

#define CHUNK	1		/* a batch */
#define OVERLAY	2
#define GONE	3		/* OVERLAY_DEL */
#define CATALOG	4		/* all records again */
#define BROKEN	5		/* the relationship is, and so no overlay counts */
#define BROKE	6		/* the same, and nothing said of the overlay */

/* the log, by number of batch */
byte kind[SLOTS];
byte id[SLOTS];
byte low[SLOTS];		/* floor in the record */
byte data[SLOTS];		/* as the checksum has it */
byte place[SLOTS];
byte next = 2;
byte completed = 1;
byte catalog_from;		/* records of batches below it are void */

/* in memory */
byte overlay;			/* id, 0: none */
byte bottom;			/* its floor */
byte next_id = 1;
bool broken;
bool base_lost;
bool catalog_mutex;
bool turn;			/* of the chunk */

/* what is right */
byte truth = BASE;
byte seen;			/* contents since the read began, a bit each */
byte writing[2];		/* value under way, 0: none */
bool ending;			/* a reset or break is under way */

inline lock()
{
	atomic { !catalog_mutex -> catalog_mutex = true }
}

inline set_truth(content)
{
	truth = content;
	seen = seen | (1 << truth)
}

inline append(what, o, f, content)
{
	n = next;
	kind[n] = what;
	id[n] = o;
	low[n] = f;
	data[n] = content;
	next++
}

#ifdef NO_FLOOR
#define ABOVE(s, f)	true
#else
#define ABOVE(s, f)	((s) > (f))
#endif
#define COUNTS(s)	(place[s] == INDEXED && id[s] == o && ABOVE(s, f))

/* The newest entry of overlay o, 0: none. */
inline ask(s)
{
	d_step {
		s = SLOTS - 1;
		do
		:: s && !(o && COUNTS(s)) -> s--
		:: else -> break
		od;
		skip
	}
}

/* What the chunk is for who saw overlay o, which may be gone by now. */
inline get()
{
	ask(m);
	do
	:: m == 0 -> got = (base_lost -> FOREIGN : BASE); break
	:: m && place[m] != REUSED -> got = data[m]; break
	:: m && place[m] == REUSED ->
#ifdef NO_RETRY
		got = FOREIGN;
		break
#elif defined(NO_SECOND_ASK)
		got = FAILED;
		break
#else
		ask(k);
		if
		:: k == m -> got = FAILED; break
		:: else -> m = k
		fi
#endif
	od;
	skip
}

#ifdef ID_REUSED
#define TAKE_ID()	o = 1
#else
#define TAKE_ID()	o = next_id; next_id++
#endif

/* For who saw none; o stays 0 if the image is broken. */
inline create()
{
	atomic {
		!catalog_mutex;
		if
		:: overlay || broken -> o = overlay; f = bottom
		:: else ->
			catalog_mutex = true;
			TAKE_ID();
			f = completed;
#ifdef RECORD_LATE
			late = true;
#else
			append(OVERLAY, o, f, 0);
			completed >= n;
#endif
			overlay = o;
			bottom = f;
			catalog_mutex = false;
			n = 0
		fi
	}
}

/* From now on, unless it is one of those that a reset undid. */
inline count()
{
	if
	:: !counted && o == overlay && f == bottom -> got = WITH(truth, h, v); set_truth(got); got = 0
	:: else
	fi;
	counted = true
}

inline acknowledge()
{
	count();
	writing[h] = 0
}

inline insert()
{
	place[n] = INDEXED;
	count()
}

#ifdef NO_TURNS
#define TAKEN	false
#else
#define TAKEN	turn
#endif

proctype writer(byte h)
{
	byte v, o, f, got, m, k, n;
	bool counted, late;

	do
	:: v == (h -> 1 : WRITES) -> break
	:: else ->
		v++;
		counted = false;
		d_step { !TAKEN -> turn = true; writing[h] = v; o = overlay; f = bottom }
		if
		:: o == 0 -> create()
		:: else
		fi;
		if
		:: o == 0 -> d_step { turn = false; writing[h] = 0 }; break
		:: else
		fi;
		get();
#ifdef ID_TWICE
		d_step {
			if
			:: overlay -> o = overlay; f = bottom
			:: else
			fi
		}
#endif
		d_step {
			assert(got != FAILED);
			got = WITH(got, h, v);
			append(CHUNK, o, 0, got);
#ifdef RECORD_LATE
			if
			:: late -> append(OVERLAY, o, f, 0); n--; late = false
			:: else
			fi;
#endif
			got = 0; m = 0; k = 0
		}
#ifdef ACK_VOLATILE
		d_step { insert(); acknowledge() }
		completed >= n;
#elif defined(ACK_FIRST)
		d_step { completed >= n -> acknowledge() }
		d_step { insert() }
#else
		d_step { completed >= n -> insert(); acknowledge() }
#endif
		d_step { turn = false; n = 0; o = 0; f = 0 }
	od
}

#ifdef NEIGHBOUR
proctype neighbour()
{
	byte o, f, n;

end:	overlay == 0;
	create();
	d_step { o = 0; f = 0; n = 0 }
}
#endif

#ifdef OUTDATED
#define ENDED	false
#else
#define ENDED	(o && o != overlay)
#endif
#ifdef NO_BROKEN_CHECK
#define LOST	false
#else
#define LOST	broken
#endif

proctype reader()
{
	byte o, f, got, m, k;
	bool done;

	seen = 1 << truth;
	do
	:: done -> break
	:: else ->
		d_step { o = overlay; f = bottom }
		get();
		d_step {
			if
			:: LOST -> done = true
			:: !LOST && ENDED		/* once more */
			:: else -> assert(got < FOREIGN && (seen & (1 << got))); done = true
			fi;
			o = 0; f = 0; got = 0; m = 0; k = 0;
			seen = (done -> 0 : seen)
		}
	od
}

proctype log()
{
end:	do
	:: d_step { completed + 1 < next -> completed++ }
	od
}

/* An entry is needed if it is the newest in the index of an overlay that counts. */
#ifdef PRUNE_NEWEST
#define UNNEEDED(s)	true
#else
#define UNNEEDED(s)	(id[s] != overlay || s <= bottom || NEWER(s))
#endif
#define BEHIND(s, t)	((t) > (s) && place[t] == INDEXED && id[t] == id[s])
#define NEWER(s)	(BEHIND(s, 2) || BEHIND(s, 3) || BEHIND(s, 4) || BEHIND(s, 5) || \
			 BEHIND(s, 6) || BEHIND(s, 7) || BEHIND(s, 8))
#define PRUNE(s)	:: d_step { place[s] == INDEXED && UNNEEDED(s) -> place[s] = REUSED }

/* Whoever takes the space. */
proctype prune()
{
end:	do
	PRUNE(1)
	PRUNE(2)
	PRUNE(3)
	PRUNE(4)
	PRUNE(5)
	PRUNE(6)
	PRUNE(7)
	PRUNE(8)
	:: d_step { broken && !base_lost -> base_lost = true }
	od
}

inline undo()
{
	overlay = 0;
	bottom = 0;
	set_truth(BASE)
}

#ifdef RESET
proctype reset()
{
	byte n;

	atomic { !catalog_mutex && overlay -> catalog_mutex = true }
#ifdef RESET_VOLATILE
	d_step { n = overlay; undo() }
	d_step { append(GONE, n, 0, 0) }
	completed >= n;
#else
	d_step { ending = true; append(GONE, overlay, 0, 0) }
	d_step { completed >= n -> undo(); ending = false }
#endif
	d_step { catalog_mutex = false; n = 0 }
}
#endif

#ifdef CHECKPOINT
proctype checkpoint()
{
	byte n;

	lock();
	d_step { append(CATALOG, overlay, bottom, 0) }
	completed >= n;
	d_step { catalog_from = n; catalog_mutex = false; n = 0 }
}
#endif

#ifdef BREAK
proctype break_image()
{
	byte n;

	lock();
#ifdef BREAK_TWO
	d_step { ending = true; append(GONE, overlay, 0, 0) }
	completed >= n;
	d_step { append(BROKE, 0, 0, 0) }
#else
	d_step { ending = true; append(BROKEN, 0, 0, 0) }
#endif
	completed >= n;
#ifdef FREE_FIRST
	d_step { overlay = 0; bottom = 0 }
#endif
	d_step { broken = true; overlay = 0; bottom = 0; ending = false; catalog_mutex = false; n = 0 }
}
#endif

#ifdef DROP_EARLY
#define LOADED(s)	(id[s] == o)
#else
#define LOADED(s)	true
#endif
#ifdef FLOOR_OF_BATCH
#define LOW(s)		s
#else
#define LOW(s)		low[s]
#endif

inline replay_record(s)
{
	if
	:: kind[s] == OVERLAY || kind[s] == CATALOG -> o = id[s]; f = LOW(s)
	:: kind[s] == GONE && id[s] == o -> o = 0
	:: kind[s] == BROKEN || kind[s] == BROKE -> lost = true
	:: else
	fi
}

/* Newest chunk of each id, then what they are worth. */
inline replay()
{
	s = 1;
	do
	:: s > completed -> break
	:: s <= completed && kind[s] == CHUNK ->
		if
		:: place[s] != REUSED && LOADED(s) -> newest[id[s]] = s
		:: else
		fi;
		s++
	:: else ->
		if
		:: s >= catalog_from -> replay_record(s)
		:: else
		fi;
		s++
	od
}

#define CONTENT(o, f)	((o) && newest[o] && ABOVE(newest[o], f) -> data[newest[o]] : BASE)
#ifdef RESET
#define RESETS	ending
#else
#define RESETS	false
#endif
#define RIGHT(h)	(HALF(got, h) == HALF(truth, h) || \
			 (writing[h] && HALF(got, h) == writing[h]))

proctype crash()
{
	byte s, o, f, got, newest[4];
	bool lost;

end:	do
	:: d_step {
		replay();
		got = CONTENT(o, f);
		if
		:: lost -> assert(broken || ending)
		:: else ->
			assert(!broken);
			assert((RIGHT(0) && RIGHT(1)) || (RESETS && got == BASE))
		fi;
		/* the ids of this activation may be used again */
		assert(o || CONTENT(1, completed) == BASE);
		s = 0; o = 0; f = 0; got = 0; lost = false;
		newest[0] = 0; newest[1] = 0; newest[2] = 0; newest[3] = 0
	}
	od
}

init {
	atomic {
		kind[1] = CHUNK;
		id[1] = 1;
		data[1] = STALE;
		place[1] = INDEXED;
		run writer(0);
		run writer(1);
#ifdef NEIGHBOUR
		run neighbour();
#endif
		run reader();
		run log();
		run prune();
#ifdef RESET
		run reset();
#endif
#ifdef CHECKPOINT
		run checkpoint();
#endif
#ifdef BREAK
		run break_image();
#endif
		run crash()
	}
}
