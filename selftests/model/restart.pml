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
 * With LOGS=2 there is a side log, which any preserve may go by instead. Each log
 * completes in its own order and ends at its own hole; none looks at the other.
 *
 * good: BATCHES=4 CUTS=3
 * good: BATCHES=5 CUTS=3 CRASHES=1
 * good: LOGS=2 BATCHES=3 CUTS=3 CRASHES=1
 * good: LOGS=2 BATCHES=3 CUTS=2 CRASHES=2
 * mutant: ANY_ORDER	a batch is acknowledged when it is durable itself
 * mutant: EPOCH_REUSED	a new life goes on from the newest cut in the catalog
 * mutant: HIGH_LATE	epochs are used before the high-water mark covers them
 * mutant: DROP_UNRESOLVED	replay drops entries of cuts that have no record
 * mutant: ANY_NONCE	replay takes a former life's batches behind the tail
 * mutant: SIDE_ANY_ORDER LOGS=2 BATCHES=3	the same as ANY_ORDER, of the side log alone
 * mutant: ACK_BY_MAIN LOGS=2 BATCHES=3	a side log's batch is acknowledged when the main log is complete
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
#ifndef LOGS
#define LOGS	1
#endif
#define CHUNKS	2
#define WRITES	3		/* per chunk */
#define DEPTH	2		/* batches in flight, in each log */
#define NONE	255

#define FREE	0
#define CUT	1		/* kind of a batch that is a cut's record */
#define PRESERVE(c)	(2 + (c))

#define SLOTS	(LOGS * BATCHES)
#define SLOT(l, i)	((l) * BATCHES + (i))
#define MAIN	0
#define SIDE	1

/* on stable media */
byte source[CHUNKS];
byte kind[SLOTS];		/* of a slot of a log */
byte key[SLOTS];
byte data[SLOTS];
byte nonce[SLOTS];
byte high;			/* epochs below it may have been used */

/* in memory */
byte life;
byte epoch;			/* the cut that would be taken now */
byte era_key;			/* the cut that old content is filed under */
byte head[LOGS], tail[LOGS];	/* batches in flight: [head, tail) */
byte closed[LOGS];		/* what the newest replay found is below */
bool durable[SLOTS];
bool done[SLOTS];
byte new_kind[SLOTS];		/* of a batch in flight */
byte new_key[SLOTS];
byte new_data[SLOTS];
byte index[CHUNKS * (CUTS + 1)];	/* by chunk and key */
bool live[CUTS + 1];		/* in the catalog, or not yet resolved */
bool waiting[CHUNKS];		/* a write is held */
byte wtag[CHUNKS];		/* and belongs before cuts from this one on */

/* what is right */
byte right[CHUNKS * (CUTS + 1)];
bool reported[CUTS + 1];

#define AT(c, e)	((c) * (CUTS + 1) + (e))

inline append(l, what, e, content)
{
	k = SLOT(l, tail[l]);
	new_kind[k] = what;
	new_key[k] = e;
	new_data[k] = content;
	durable[k] = false;
	done[k] = false;
	k = 0;
	tail[l]++
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

inline host_write(l, c)
{
	wtag[c] = epoch;
	waiting[c] = true;
	is_preserved(c);
	if
	:: found -> land(c)
	:: else -> append(l, PRESERVE(c), era_key, source[c])
	fi;
	e = 0;
	found = false
}

/* No write of an older era is held: the seal. */
inline record_cut()
{
	append(MAIN, CUT, pending, 0);
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

inline complete(l, i)
{
	b = SLOT(l, i);
	done[b] = true;
	if
	:: new_kind[b] == CUT -> reported[new_key[b]] = true
	:: else ->
		c = new_kind[b] - PRESERVE(0);
		index[AT(c, new_key[b])] = new_data[b];
		land(c)
	fi;
	b = 0;
	c = 0;
	e = 0
}

inline write_slot(l, i)
{
	b = SLOT(l, i);
	kind[b] = new_kind[b];
	key[b] = new_key[b];
	data[b] = new_data[b];
	nonce[b] = life;
	durable[b] = true;
	b = 0
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
#define GOOD(l, i)	(kind[SLOT(l, i)] != FREE)
#else
#define GOOD(l, i) \
	(kind[SLOT(l, i)] != FREE && (i < closed[l] || nonce[SLOT(l, i)] == life))
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

inline replay_log(l)
{
	tail[l] = 0;
	do
	:: tail[l] == BATCHES -> break
	:: tail[l] < BATCHES && GOOD(l, tail[l]) -> replay_one(SLOT(l, tail[l])); tail[l]++
	:: else -> break
	od;
	closed[l] = tail[l];
	head[l] = tail[l]
}

inline replay()
{
	forget();
#if LOGS > 1
	replay_log(SIDE);
#endif
	replay_log(MAIN);
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
#define IN_TURN(l, i)	true
#elif defined(SIDE_ANY_ORDER)
#define IN_TURN(l, i)	((l) == SIDE || (i) == head[l])
#else
#define IN_TURN(l, i)	((i) == head[l])
#endif
#ifdef ACK_BY_MAIN
#define WHOLE(l, i)	((l) == SIDE && head[MAIN] == tail[MAIN] || durable[SLOT(l, i)])
#else
#define WHOLE(l, i)	durable[SLOT(l, i)]
#endif

#ifdef HIGH_LATE
#define COVERED	true
#else
#define COVERED	(epoch < high)
#endif

#define IN_FLIGHT(l, i)	(head[l] <= (i) && (i) < tail[l])
#define MAY_COMPLETE(l, i) \
	(IN_FLIGHT(l, i) && WHOLE(l, i) && !done[SLOT(l, i)] && IN_TURN(l, i))
#define MAY_WRITE(l, i)	(IN_FLIGHT(l, i) && !durable[SLOT(l, i)])
#define ROOM(l)	(tail[l] < BATCHES && tail[l] - head[l] < DEPTH)
#define CAN_WRITE(l, c)	(ROOM(l) && !waiting[c] && source[c] < WRITES)

init {
	byte b, c, e, k, image, pending, crashes;
	bool found;

	d_step {
		kind[0] = CUT;
		key[0] = 1;
		nonce[0] = 1;
		closed[MAIN] = 1;
		reported[1] = true;
		high = 2;
		life = 1;
		replay()
	}
	do
	:: d_step { CAN_WRITE(MAIN, 0) -> host_write(MAIN, 0) }
	:: d_step { CAN_WRITE(MAIN, 1) -> host_write(MAIN, 1) }
	:: d_step { epoch <= CUTS && !pending && COVERED -> flip() }
	:: d_step { high <= epoch && epoch <= CUTS -> high = epoch + 1 }
	:: d_step { pending && ROOM(MAIN) && (!waiting[0] || wtag[0] == epoch) &&
		    (!waiting[1] || wtag[1] == epoch) -> record_cut() }
	:: d_step { MAY_WRITE(MAIN, head[MAIN]) -> write_slot(MAIN, head[MAIN]) }
	:: d_step { MAY_WRITE(MAIN, head[MAIN] + 1) -> write_slot(MAIN, head[MAIN] + 1) }
	:: d_step { MAY_COMPLETE(MAIN, head[MAIN]) -> complete(MAIN, head[MAIN]) }
	:: d_step { MAY_COMPLETE(MAIN, head[MAIN] + 1) -> complete(MAIN, head[MAIN] + 1) }
	:: d_step { IN_FLIGHT(MAIN, head[MAIN]) && done[SLOT(MAIN, head[MAIN])] -> head[MAIN]++ }
#if LOGS > 1
	:: d_step { CAN_WRITE(SIDE, 0) -> host_write(SIDE, 0) }
	:: d_step { CAN_WRITE(SIDE, 1) -> host_write(SIDE, 1) }
	:: d_step { MAY_WRITE(SIDE, head[SIDE]) -> write_slot(SIDE, head[SIDE]) }
	:: d_step { MAY_WRITE(SIDE, head[SIDE] + 1) -> write_slot(SIDE, head[SIDE] + 1) }
	:: d_step { MAY_COMPLETE(SIDE, head[SIDE]) -> complete(SIDE, head[SIDE]) }
	:: d_step { MAY_COMPLETE(SIDE, head[SIDE] + 1) -> complete(SIDE, head[SIDE] + 1) }
	:: d_step { IN_FLIGHT(SIDE, head[SIDE]) && done[SLOT(SIDE, head[SIDE])] -> head[SIDE]++ }
#endif
	:: d_step { crashes < CRASHES -> crashes++; replay(); check_images() }
	:: else -> break
	od
}
