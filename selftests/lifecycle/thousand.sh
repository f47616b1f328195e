#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A thousand snapshots of one group: taken, read, and deleted in any order, over a restart and a crash in the middle.
# guest: disks=2 size=1G timeout=600 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

COUNT=1000
# one in so many is read, and goes last
STRIDE=100
# every access to memory is looked at there: fewer of them
[[ $(uname -r) != *debug* ]] || COUNT=200 STRIDE=20
SEED=${COHORT_SEED:-$RANDOM}
MEMBERS=(/dev/mapper/m1 /dev/mapper/m2)
POOL=128M
# all of it is overwritten between two that are read: what is left fills no pool
SIZE=256K
CHUNKS=6

segments_used() { status_field p 1 | cut -d / -f 1; }
segments() { status_field p 1 | cut -d / -f 2; }
kib_written() { awk '{ print int($7 / 2) }' "/sys/block/${DISK1##*/}/stat"; }
preserved() { show p PreservedChunks; }
runs() { show p IndexRuns; }
has_runs() { (($(runs) >= 1)); }
free_space() { show p RemainingManagedSpace; }

# What deletion leaves: segments that are open or of records alone, for which a pool that is not full
# writes no checkpoint before they are one of sixteen.
at_most_used() { (($(segments_used) <= $1 + $(segments) / 16 + 4)); }

shuffled() { awk -v seed="$SEED" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' | sort -n | cut -f 2; }

raise()
{
	note "seed $SEED"
	flush_often 2
	make_slices 2 $SIZE "$DISK2"
	make_small_pool $POOL
	defer drop_all
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	cohortctl group create g m1 m2 >/dev/null
	defer cohortctl group delete g
	put 1 /dev/mapper/m1 0 $SIZE
	put 1 /dev/mapper/m2 0 $SIZE
}

drop_all() { relationships | cutmany drop >/dev/null; }

# lap WHAT: the time since the last one.
LAP=
lap()
{
	local now=${EPOCHREALTIME/./}

	[[ -z $LAP ]] || note "$1: $(((now - LAP) / 1000)) ms," \
		"$(segments_used) of $(segments) segments, $(runs) runs, $(preserved) chunks"
	LAP=${EPOCHREALTIME/./}
}

sums() { sha256sum "$@" | cut -d ' ' -f 1; }

# take FROM COUNT [CHUNKS]: snapshots sFROM..., each before some writes; what the first one has to show is noted.
take()
{
	sums "${MEMBERS[@]}" >"s$1.sums"
	seq -f 's%g' "$1" $(($1 + $2 - 1)) |
		cutmany take "${3:-$CHUNKS}" $((SEED + $1)) "${MEMBERS[@]}"
}

samples_are_right()
{
	local name

	cutmany images <samples
	while read -r name; do
		same "$(sums "/dev/mapper/${name}_1" "/dev/mapper/${name}_2")" "$(<"$name.sums")" \
			"images of $name"
	done <samples
}

# The library would make all images.
attach_without_images()
{
	local job

	job=$(cohortctl --no-wait --json attach --pool p "$1" "$2" | number Job)
	wait_for 20 is_done "$job"
	dmsetup create "$1" --table "0 $(sectors $SIZE) cohort-source /dev/mapper/p $1 $2"
}

is_done() { [[ $(cohortctl job show "$1" --json | number JobState) == Completed ]]; }

come_down()
{
	cohortctl detach m1 >/dev/null
	cohortctl detach m2 >/dev/null
	cohortctl pool close p >/dev/null
}

come_up()
{
	cohortctl pool open /dev/mapper/store >/dev/null
	attach_without_images m1 "$SLICE1"
	attach_without_images m2 "$SLICE2"
}

no_job_runs() { [[ $(cohortctl job list --json) != *'"Running"'* ]]; }
so_many_went() { (($(wc -l <"$1") >= $2)); }

# crash_while_deleting FILE: those of FILE are being deleted when the power goes. Who was told that one is
# gone is right; of the others, one at most was being deleted.
crash_while_deleting()
{
	local deleting length

	length=$(wc -l <"$1")
	cutmany drop <"$1" >told &
	deleting=$!
	wait_for 100 so_many_went told $((length / 2))
	cp told certain
	dmsetup suspend --noflush --nolockfs store
	dd if="$DISK1" of=store.frozen bs=1M count=${POOL%M} iflag=direct status=none
	head -n $(($(wc -l <told) + 1)) "$1" >possible
	dmsetup resume store
	kill $deleting
	wait $deleting || true
	wait_for 60 no_job_runs
	come_down
	thaw /dev/mapper/store
	come_up
	relationships | sort >there
	! grep -qxFf certain there || fail "came back: $(grep -xFf certain there)"
	grep -vxFf possible "$1" | sort >left
	comm -23 left there >missing
	same "$(<missing)" "" "missing"
	grep -xFf "$1" there | shuffled >left
	note "$(wc -l <certain) of $length were gone for certain, $((length - $(wc -l <left))) in fact"
}

# delete FILE: all of it, by name, and each is free when its call returns.
delete() { cutmany drop <"$1" >/dev/null; }

t_deleted_in_any_order()
{
	local i used most chunks

	raise
	used=$(segments_used)
	lap
	for ((i = 1; i <= COUNT; i += STRIDE)); do
		take $i $STRIDE
		echo "s$i" >>samples
	done
	lap "$COUNT taken"
	most=$(segments_used)
	chunks=$(preserved)
	wait_for 60 has_runs
	same "$(relationships | wc -l)" $COUNT "snapshots"
	lap "listed"
	samples_are_right
	lap "samples read"

	relationships | grep -vxFf samples | shuffled >order
	split -n l/3 order part.
	delete part.aa
	lap "$(wc -l <part.aa) deleted"
	samples_are_right
	come_down
	come_up
	lap "samples read, restarted"
	crash_while_deleting part.ab
	lap "deleted and crashed"
	samples_are_right
	delete left
	lap "$(wc -l <left) deleted"
	delete part.ac
	lap "$(wc -l <part.ac) deleted"
	same "$(relationships | sort)" "$(sort samples)" "what is left"
	(($(preserved) < chunks)) || fail "$(preserved) chunks are kept, $chunks at most"
	# What a few hundred keep is less than what at_most_used() lets go.
	((COUNT < 1000 || $(segments_used) < most * 3 / 4)) ||
		fail "$(segments_used) segments are used, $most at most"
	samples_are_right

	shuffled <samples >last
	delete last
	lap "$(wc -l <last) deleted"
	same "$(preserved)" 0 "chunks"
	same "$(runs)" 0 "runs"
	at_most_used "$used" || fail "$(segments_used) segments are used, $used at first"
}

# A tenth of them holds what was written behind its cuts and nothing older: with it go these segments.
t_oldest_go_first()
{
	local i used before back written

	raise
	used=$(segments_used)
	lap
	for ((i = 1; i <= 100; i += 10)); do
		take $i 10 32
	done
	lap "100 taken"
	echo s91 >samples
	for ((i = 1; i <= 90; i += 10)); do
		seq -f 's%g' $i $((i + 9)) >tenth
		before=$(segments_used)
		written=$(kib_written)
		delete tenth
		lap "10 deleted"
		back=$((before - $(segments_used)))
		written=$(($(kib_written) - written))
		note "$back segments came back, $written KiB were written"
		# 10 cuts, 2 members, 128 KiB each, and 5 segments
		((back >= 3 && written < 10 * 2 * 128 / 4)) || fail "nothing came back, or was copied"
	done
	samples_are_right
	seq -f 's%g' 91 100 >tenth
	delete tenth
	same "$(preserved)" 0 "chunks"
	at_most_used "$used" || fail "$(segments_used) segments are used, $used at first"
}

run_tests "$@"
