/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * era.pml - writes of an old era against preserves of a new one, in one chunk.
 *
 * Invariant: the image of each cut that lives is exactly the writes tagged
 * before it: none more, none less, whatever the order in which they run.
 *
 * Each writer writes a sector of its own in the chunk, so the content is the
 * set of those who wrote. Cut 1 is live from the start; cuts 2 and 3 are taken
 * meanwhile, and either may be aborted after its flip. Era i keys what it
 * preserves with cut i + 1 and protects the newest live cut up to that key. An
 * image is the entry with the smallest key that is not below the cut, or else
 * the source.
 *
 * good: W=3
 * mutant: NO_GRACE	new-era writes do not wait for the grace period of the flip
 * mutant: NO_OVERLAP	nor for old-era writes of their region
 * mutant: TABLE_PER_ERA	two eras can be at work on the chunk at a time
 * mutant: OWN_KEY	only an entry with the era's own key counts as preserved
 * mutant: ASK_ONCE	the index is asked before the chunk is held, not after
 */
#ifndef W
#define W 3
#endif
#define ERAS	3
#define KEY(e)	((e) + 1)
#define NONE	255

byte epoch;			/* era that a submission finds */
bool section[W];
byte inflight[ERAS];		/* in the region of the chunk */
bool grace[ERAS] = true;	/* the flip that began the era has had its grace period */
bool live[ERAS + 1];		/* by cut */
byte content;			/* of the source */
byte entry[ERAS + 1] = NONE;	/* of the index, by key */
bool known[ERAS];		/* bit of the era's preserved bitmap */
bool held[ERAS];		/* chunk table */
byte tagged[ERAS];		/* who writes in which era */

#ifdef TABLE_PER_ERA
#define SLOT(e)	(e)
#else
#define SLOT(e)	0
#endif

/* Newest live cut the era has to protect. */
inline protects()
{
	p = KEY(e);
	do
	:: live[p] -> break
	:: else -> p--
	od
}

/* Is there an entry that serves cut @p, and so every older one? */
inline ask()
{
	found = false;
#ifdef OWN_KEY
	found = entry[KEY(e)] != NONE;
#else
	k = p;
	do
	:: k > ERAS -> break
	:: else ->
		if
		:: entry[k] != NONE -> found = true
		:: else
		fi;
		k++
	od;
#endif
	k = 0
}

/*
 * Eras before cut @p must have no write left in the region. Eras that share
 * their protection need not wait for each other: the chunk table is enough.
 */
inline await_older()
{
	k = 0;
	do
	:: KEY(k) >= p -> break
	:: else ->
#ifndef NO_GRACE
		grace[k + 1];
#endif
#ifndef NO_OVERLAP
		inflight[k] == 0;
#endif
		k++
	od;
	k = 0
}

inline preserve()
{
	d_step { protects(); skip }
	await_older();
#ifdef ASK_ONCE
	d_step { ask() }
	atomic { !held[SLOT(e)] -> held[SLOT(e)] = true }
#else
	atomic { !held[SLOT(e)] -> held[SLOT(e)] = true }
	d_step { ask() }
#endif
	if
	:: found
	:: else ->
		old = content;		/* read */
		entry[KEY(e)] = old	/* log, then index */
	fi;
	known[e] = true;
	held[SLOT(e)] = false
}

proctype writer(byte w)
{
	byte e, p, k, old;
	bool found;

	section[w] = true;
	e = epoch;
	d_step {
		inflight[e]++;
		tagged[e] = tagged[e] | (1 << w);
		section[w] = false
	}
	if
	:: known[e]
	:: else -> preserve()
	fi;
	content = content | (1 << w);
	inflight[e]--
}

inline flip(e)
{
	d_step {
		grace[e] = false;
		live[KEY(e)] = true;
		epoch = e
	}
	w = 0;
	do
	:: w == W -> break
	:: else -> !section[w]; w++
	od;
	grace[e] = true;
	if
	:: live[KEY(e)] = false
	:: skip
	fi
}

proctype cutter()
{
	byte w;

	flip(1);
	flip(2)
}

inline judge(cut)
{
	k = cut;
	do
	:: k > ERAS -> image = content; break
	:: k <= ERAS && entry[k] != NONE -> image = entry[k]; break
	:: else -> k++
	od;
	assert(!live[cut] || image == expected)
}

init {
	byte i, k, image, expected;

	live[1] = true;
	atomic {
		do
		:: i == W -> break
		:: else -> run writer(i); i++
		od;
		run cutter()
	}
	_nr_pr == 1;
	d_step {
		judge(1);
		expected = tagged[0];
		judge(2);
		expected = tagged[0] | tagged[1];
		judge(3)
	}
}
