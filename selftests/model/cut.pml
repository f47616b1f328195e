/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cut.pml - one instant over D members, made by one store to one epoch.
 *
 * Invariant, for each cut over its members:
 *	closed	no write is in that was submitted after a write that is out
 *		was acknowledged;
 *	timely	what was acknowledged before the call is in, what was submitted
 *		after the flip is out;
 *	sealed	once the eras before it count no write, none of its writes is
 *		still to come.
 *
 * Writers submit for ever, each to a member of its choice, one write after the
 * other. A write is in the newest published era of its member whose first
 * epoch the epoch has reached. Cut 0 takes all members, cut 1 member 0 alone.
 * Memory is sequentially consistent here; what acquire and release add is in
 * docs/models.md.
 *
 * good: D=2 W=2 CUTS=1
 * good: D=3 W=3 CUTS=1
 * good: D=2 W=2 CUTS=2
 * mutant: PER_MEMBER	the newest era counts, whether or not the epoch has reached it
 * mutant: EPOCH_FIRST	the epoch is stored before every member has its new era
 * mutant: TWO_STEPS	nothing keeps the grace period out between tag and count
 * mutant: NO_MUTEX CUTS=2	two cuts prepare at the same time
 */
#ifndef D
#define D 2
#endif
#ifndef W
#define W 2
#endif
#ifndef CUTS
#define CUTS 1
#endif
#define EPOCHS	(CUTS + 1)
#define MEMBER(c, d)	((c) == 0 || (d) == 0)

byte epoch;			/* the one word */
byte eras[D] = 1;		/* bit f: the era that begins with epoch f is published */
byte inflight[D * EPOCHS];
bool section[W];		/* inside map(), preemption off */
bool mutex;

byte first[CUTS];		/* first epoch after the cut, 0 before it has one */
bool flipped[CUTS];
bool sealed[CUTS];
byte top[CUTS];			/* newest tag acknowledged on its members */

/* What a submission has seen of the world, bit c for cut c. */
inline look()
{
	c = 0;
	do
	:: c == CUTS -> break
	:: else ->
		if
		:: flipped[c] || (first[c] && top[c] >= first[c]) -> out = out | (1 << c)
		:: else
		fi;
		c++
	od;
	c = 0
}

inline find_era()
{
#ifdef PER_MEMBER
	t = CUTS;
#endif
	do
	:: (eras[d] >> t) & 1 -> break
	:: else -> t--
	od
}

/* Having seen that a cut is over, a write must be out of it. */
inline check_tag()
{
	c = 0;
	do
	:: c == CUTS -> break
	:: else ->
		assert(!((out >> c) & 1) || !MEMBER(c, d) || t >= first[c]);
		c++
	od;
	c = 0
}

inline check_not_sealed()
{
	c = 0;
	do
	:: c == CUTS -> break
	:: else ->
		assert(!sealed[c] || !MEMBER(c, d) || t >= first[c]);
		c++
	od;
	c = 0
}

inline acknowledge()
{
	c = 0;
	do
	:: c == CUTS -> break
	:: else ->
		if
		:: MEMBER(c, d) && t > top[c] -> top[c] = t
		:: else
		fi;
		c++
	od;
	c = 0
}

proctype writer(byte w)
{
	byte d, t, c, out;

	do
	::
		if
		:: d = 0
		:: d = 1
#if D > 2
		:: d = 2
#endif
		fi;
		d_step {
			look();
#ifndef TWO_STEPS
			section[w] = true
#endif
		}
		t = epoch;
		d_step { find_era(); skip }
		d_step {
			inflight[d * EPOCHS + t]++;
			section[w] = false;
			check_tag();
			out = 0
		}
		/* the disk has it */
		d_step { check_not_sealed() }
		/* end_io; later acknowledgements only know less */
		d_step {
			inflight[d * EPOCHS + t]--;
			acknowledge();
			d = 0;
			t = 0
		}
	od
}

inline publish()
{
	d = 0;
	do
	:: d == D -> break
	:: else ->
		if
		:: MEMBER(me, d) -> eras[d] = eras[d] | (1 << first[me])
		:: else
		fi;
		d++
	od;
	d = 0
}

inline grace_period()
{
	d = 0;
	do
	:: d == W -> break
	:: else -> !section[d]; d++
	od
}

inline seal()
{
	d = 0;
	do
	:: d == D -> break
	:: else ->
		f = 0;
		do
		:: !MEMBER(me, d) || f == first[me] -> break
		:: else -> inflight[d * EPOCHS + f] == 0; f++
		od;
		d++
	od;
	sealed[me] = true
}

proctype cutter(byte me)
{
	byte d, f, before;

#ifndef NO_MUTEX
	atomic { !mutex -> mutex = true }
#endif
	before = top[me];		/* the call */
	first[me] = epoch + 1;
	d_step { assert(before < first[me]); before = 0 }
#ifdef EPOCH_FIRST
	epoch = first[me];
#endif
	publish();
	d_step { epoch = first[me]; flipped[me] = true }
	mutex = false;
	grace_period();
	seal()
}

init {
	byte i;

	atomic {
		do
		:: i == W -> break
		:: else -> run writer(i); i++
		od;
		run cutter(0);
#if CUTS > 1
		run cutter(1)
#endif
	}
}
