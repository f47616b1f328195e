/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate.pml - images that somebody else takes while a gate holds the writes of a group.
 *
 * Invariant: if the owner of the gate is told that it held to the end, what its
 * images hold is closed under order: with a write in them is every write that had
 * completed before that one was issued.
 *
 * A member's gate is closed or open; nothing ties the members to each other. A
 * write that finds it open goes to its disk at any later time, and is in the image
 * or not: what is under way needs no wait. One that finds it closed waits. The lease
 * may end at any time, and a member may be suspended at any time: both open the
 * gate of every member.
 *
 * Each of W writers issues two writes one after the other, to any member.
 *
 * good: W=1
 * good: W=2
 * mutant: IMAGE_AT_ONCE	a member's image is taken when that one is held, not all
 * mutant: LEASE_IGNORED	the owner does not ask whether the lease lasted
 * mutant: ASK_EARLY		it asks before the last image
 * mutant: SILENT_SUSPEND	a suspend opens the gate, and the owner is not told
 * mutant: ONE_CLASS_PASSES	one kind of request is not held
 */
#ifndef W
#define W 1
#endif
#define D	2
#define NR	(2 * W)

bool gate[D];
bool lost;
byte done[NR];			/* writes that had completed when it was issued, a bit each */
byte completed;
byte landed[D];
byte image[D];

inline submit(nr, d)
{
	done[nr] = completed;
#ifdef ONE_CLASS_PASSES
	if
	:: nr != 1 -> !gate[d]
	:: else
	fi;
#else
	!gate[d];
#endif
	/* on its way to the disk, for as long as it takes */
	landed[d] = landed[d] | (1 << nr);
	completed = completed | (1 << nr)
}

proctype writer(byte first)
{
	byte d;

	if :: d = 0 :: d = 1 fi;
	submit(first, d);
	if :: d = 0 :: d = 1 fi;
	submit(first + 1, d)
}

inline open_all()
{
	gate[0] = false;
	gate[1] = false
}

/* The end of the lease, or a suspend: it is decided before anything opens. */
proctype loss()
{
	if
	:: lost = true
#ifdef SILENT_SUSPEND
	:: true
#endif
	fi;
	open_all()
}

/* What is in an image, and what each of them demands. */
inline check()
{
	byte all = image[0] | image[1];

	i = 0;
	do
	:: i == NR -> break
	:: else ->
		assert(!(all & (1 << i)) || (done[i] & ~all) == 0);
		i++
	od
}

proctype owner()
{
	byte i;
	bool held;

	gate[0] = true;
#ifdef IMAGE_AT_ONCE
	image[0] = landed[0];
	gate[1] = true;
#else
	gate[1] = true;
	image[0] = landed[0];
#endif
#ifdef ASK_EARLY
	held = !lost;
#endif
	image[1] = landed[1];
#ifndef ASK_EARLY
	held = !lost;
#endif
#ifdef LEASE_IGNORED
	held = true;
#endif
	open_all();
	if
	:: held -> check()
	:: else
	fi
}

init {
	byte w;

	atomic {
		do
		:: w == W -> break
		:: else -> run writer(2 * w); w++
		od;
		run owner();
		run loss()
	}
}
