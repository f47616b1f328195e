/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restart.pml - the log, several batches in flight, and replay after crashes.
 *
 * Invariant, after every replay: a cut that was reported is live, and the
 * image of every live cut is the content at that cut.
 *
 * One source of two chunks, one log whose batches reach the disk in any order.
 * Host writes, cuts, completions and crashes interleave freely. A chunk's
 * content is the number of writes it has had; a write is held until its
 * preserve is acknowledged. A batch is a PRESERVE of one chunk or the CUT
 * record. Cut 1 is there from the start, in the first slot.
 *
 * good: BATCHES=4 CUTS=3
 * good: BATCHES=5 CUTS=3 CRASHES=1
 * mutant: ANY_ORDER	a batch is acknowledged when it is durable itself
 * mutant: EPOCH_REUSED	a new life goes on from the newest cut in the catalog
 * mutant: HIGH_LATE	epochs are used before the high-water mark covers them
 * mutant: DROP_UNRESOLVED	replay drops entries of cuts that have no record
 * mutant: ANY_NONCE	replay takes a former life's batches behind the tail
 */
#ifndef BATCHES
#define BATCHES 4
#endif
#ifndef CUTS
#define CUTS 3
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#define CHUNKS	2
#define WRITES	3		/* per chunk */
#define DEPTH	2		/* batches in flight */
#define NONE	255

#define FREE	0
#define CUT	1		/* kind of a batch that is a cut's record */
#define PRESERVE(c)	(2 + (c))

/* on stable media */
byte source[CHUNKS];
byte kind[BATCHES];		/* of a slot of the log */
byte key[BATCHES];
byte data[BATCHES];
byte nonce[BATCHES];
byte high;			/* epochs below it may have been used */

/* in memory */
byte life;
byte epoch;			/* the cut that would be taken now */
byte era_key;			/* the cut that old content is filed under */
byte head, tail;		/* batches in flight: [head, tail) */
bool durable[BATCHES];
bool done[BATCHES];
byte new_kind[BATCHES];		/* of a batch in flight */
byte new_key[BATCHES];
byte new_data[BATCHES];
byte index[CHUNKS * (CUTS + 1)];	/* by chunk and key */
bool live[CUTS + 1];		/* in the catalog, or not yet resolved */
bool waiting[CHUNKS];		/* a write is held */
byte wtag[CHUNKS];		/* and belongs before cuts from this one on */

/* what is right */
byte right[CHUNKS * (CUTS + 1)];
bool reported[CUTS + 1];

#define AT(c, e)	((c) * (CUTS + 1) + (e))

inline append(what, e, content)
{
	new_kind[tail] = what;
	new_key[tail] = e;
	new_data[tail] = content;
	durable[tail] = false;
	done[tail] = false;
	tail++
}

/* The write reaches the disk: it is in all cuts that were flipped after its tag. */
inline land(c)
{
	source[c]++;
	e = wtag[c];
	do
	:: e >= epoch -> break
	:: else -> right[AT(c, e)] = source[c]; e++
	od;
	waiting[c] = false
}

inline newest_live()
{
	e = epoch - 1;
	do
	:: live[e] -> break
	:: else -> e--
	od
}

inline is_preserved(c)
{
	newest_live();
	found = false;
	do
	:: e > CUTS -> break
	:: else -> found = found || index[AT(c, e)] != NONE; e++
	od
}

inline host_write(c)
{
	wtag[c] = epoch;
	waiting[c] = true;
	is_preserved(c);
	if
	:: found -> land(c)
	:: else -> append(PRESERVE(c), era_key, source[c])
	fi
}

/* No write of an older era is held: the seal. */
inline record_cut()
{
	append(CUT, pending, 0);
	pending = 0
}

inline flip()
{
	live[epoch] = true;
	right[AT(0, epoch)] = source[0];
	right[AT(1, epoch)] = source[1];
	pending = epoch;
	era_key = epoch;
	epoch++
}

inline complete(b)
{
	done[b] = true;
	if
	:: new_kind[b] == CUT -> reported[new_key[b]] = true
	:: else ->
		c = new_kind[b] - PRESERVE(0);
		index[AT(c, new_key[b])] = new_data[b];
		land(c)
	fi
}

inline write_slot(b)
{
	kind[b] = new_kind[b];
	key[b] = new_key[b];
	data[b] = new_data[b];
	nonce[b] = life;
	durable[b] = true
}

inline forget()
{
	c = 0;
	do
	:: c == CHUNKS -> break
	:: else ->
		waiting[c] = false;
		e = 0;
		do
		:: e > CUTS -> break
		:: else -> index[AT(c, e)] = NONE; e++
		od;
		c++
	od;
	e = 0;
	do
	:: e > CUTS -> break
	:: else -> live[e] = false; e++
	od;
	pending = 0
}

inline replay_one(b)
{
	if
	:: kind[b] == CUT -> live[key[b]] = true
	:: else -> index[AT(kind[b] - PRESERVE(0), key[b])] = data[b]
	fi
}

/* A life is closed where its replay ended; what is behind must be of this life. */
#ifdef ANY_NONCE
#define GOOD(b)	(kind[b] != FREE)
#else
#define GOOD(b)	(kind[b] != FREE && (b < closed || nonce[b] == life))
#endif

inline drop_unresolved()
{
	e = 0;
	do
	:: e > CUTS -> break
	:: else ->
		if
		:: !live[e] -> index[AT(0, e)] = NONE; index[AT(1, e)] = NONE
		:: else
		fi;
		e++
	od
}

inline replay()
{
	forget();
	tail = 0;
	do
	:: tail == BATCHES -> break
	:: tail < BATCHES && GOOD(tail) -> replay_one(tail); tail++
	:: else -> break
	od;
	closed = tail;
	head = tail;
#ifdef DROP_UNRESOLVED
	drop_unresolved();
#endif
#ifdef EPOCH_REUSED
	epoch = CUTS;
	do
	:: live[epoch] -> break
	:: else -> epoch--
	od;
	epoch++;
#else
	epoch = high;
#endif
	life++;
	newest_live();
	era_key = e;
	e = 0
}

inline check_images()
{
	e = 1;
	do
	:: e > CUTS -> break
	:: else ->
		assert(live[e] || !reported[e]);
		c = 0;
		do
		:: c == CHUNKS || !live[e] -> break
		:: else ->
			k = e;
			do
			:: k > CUTS -> image = source[c]; break
			:: k <= CUTS && index[AT(c, k)] != NONE -> image = index[AT(c, k)]; break
			:: else -> k++
			od;
			assert(image == right[AT(c, e)]);
			c++
		od;
		e++
	od;
	c = 0;
	k = 0;
	e = 0;
	image = 0
}

#ifdef ANY_ORDER
#define MAY_COMPLETE(b)	(durable[b] && !done[b])
#else
#define MAY_COMPLETE(b)	(durable[b] && !done[b] && b == head)
#endif

#ifdef HIGH_LATE
#define COVERED	true
#else
#define COVERED	(epoch < high)
#endif

#define IN_FLIGHT(b)	(head <= (b) && (b) < tail)
#define ROOM	(tail < BATCHES && tail - head < DEPTH)

init {
	byte c, e, k, image, pending, crashes, closed;
	bool found;

	d_step {
		kind[0] = CUT;
		key[0] = 1;
		nonce[0] = 1;
		closed = 1;
		reported[1] = true;
		high = 2;
		life = 1;
		replay()
	}
	do
	:: d_step { ROOM && !waiting[0] && source[0] < WRITES -> host_write(0); e = 0; found = false }
	:: d_step { ROOM && !waiting[1] && source[1] < WRITES -> host_write(1); e = 0; found = false }
	:: d_step { epoch <= CUTS && !pending && COVERED -> flip() }
	:: d_step { high <= epoch && epoch <= CUTS -> high = epoch + 1 }
	:: d_step { pending && ROOM && (!waiting[0] || wtag[0] == epoch) &&
		    (!waiting[1] || wtag[1] == epoch) -> record_cut() }
	:: d_step { IN_FLIGHT(head) && !durable[head] -> write_slot(head) }
	:: d_step { IN_FLIGHT(head + 1) && !durable[head + 1] -> write_slot(head + 1) }
	:: d_step { IN_FLIGHT(head) && MAY_COMPLETE(head) -> complete(head); c = 0; e = 0 }
	:: d_step { IN_FLIGHT(head + 1) && MAY_COMPLETE(head + 1) -> complete(head + 1); c = 0; e = 0 }
	:: d_step { IN_FLIGHT(head) && done[head] -> head++ }
	:: d_step { crashes < CRASHES -> crashes++; replay(); check_images() }
	:: else -> break
	od
}
