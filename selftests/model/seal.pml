/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seal.pml - from the flip to a durable cut, with a power cut at any point.
 *
 * Invariant: at any instant, if the disk holds the record of the cut, every
 * write that was tagged before the cut is on stable media; and a cut that was
 * reported has its record.
 *
 * Each of W writes goes to one of two members, is counted on one of two CPUs
 * and may be uncounted on the other one. A member has a volatile cache. The
 * sealer may give up at any time, as it does at its deadline.
 *
 * good: W=2
 * good: W=3
 * mutant: NO_GRACE	the counters are summed without a grace period before
 * mutant: NO_SEAL	members are flushed while old writes are in flight
 * mutant: RECORD_FIRST	the record is written before the members are flushed
 * mutant: FLUSH_ONE	only one member is flushed
 * mutant: REPORT_FIRST	the cut is reported before its record is durable
 */
#ifndef W
#define W 2
#endif
#define CPUS	2
#define D	2

byte epoch;
bool section[W];
short count[D * CPUS];		/* of the era before the cut; one of them alone may be negative */
byte captured;			/* writes tagged before the cut */
byte cache[D];			/* writes a member has completed */
byte stable;			/* writes that survive a power cut */
bool recorded;
bool reported;

proctype writer(byte w)
{
	byte d, cpu, tag;

	if :: d = 0 :: d = 1 fi;
	if :: cpu = 0 :: cpu = 1 fi;
	section[w] = true;
	tag = epoch;
	if
	:: tag == 0 ->
		d_step {
			count[d * CPUS + cpu]++;
			captured = captured | (1 << w);
			section[w] = false
		};
		cache[d] = cache[d] | (1 << w);
		if :: cpu = 0 :: cpu = 1 fi;
		count[d * CPUS + cpu]--
	:: else -> section[w] = false	/* behind the cut: not our concern */
	fi
}

inline grace_period()
{
	i = 0;
	do
	:: i == W -> break
	:: else -> !section[i]; i++
	od
}

/* One pass over the CPUs, not atomic. */
inline sum_up(d)
{
	sum = 0;
	cpu = 0;
	do
	:: cpu == CPUS -> break
	:: else -> sum = sum + count[d * CPUS + cpu]; cpu++
	od
}

inline seal(d)
{
	do
	:: true ->
		sum_up(d);
		if
		:: sum == 0 -> break
		:: else
		fi
	:: true -> goto abort		/* deadline */
	od
}

#define FLUSH(d)	stable = stable | cache[d]

proctype cutter()
{
	byte i, cpu;
	short sum;

	epoch = 1;
#ifndef NO_GRACE
	grace_period();
#endif
#ifndef NO_SEAL
	seal(0);
	seal(1);
#endif
#ifdef RECORD_FIRST
	recorded = true;
#endif
	FLUSH(0);
#ifndef FLUSH_ONE
	FLUSH(1);
#endif
#ifdef REPORT_FIRST
	reported = true;
#endif
	recorded = true;
	reported = true;
abort:
	skip
}

/* Caches lose what they like; the worst they can do is to lose it all. */
proctype power_cut()
{
	atomic {
		assert(!recorded || (captured & ~stable) == 0);
		assert(!reported || recorded)
	}
}

init {
	byte i;

	atomic {
		do
		:: i == W -> break
		:: else -> run writer(i); i++
		od;
		run cutter();
		run power_cut()
	}
}
