#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration, inside the guest: a pool, six members under load, twenty cuts and their proofs.
# usage: guest.sh   with seven disks: the pool's and six members'; the verdict goes to $COHORT_OUT

set -u
CUTS=20
TRIES=3
# below 50, dm-delay of 6.12 watches the clock in a loop, and nothing else gets a CPU
WRITE_MS=50
FILES=32
RAW=(m3 m4 m5 m6)
MEMBERS=(m1 m2 "${RAW[@]}")
good=0
bad=0
caught=0

work=/run/demo
mkdir -p $work/fs
export LANG=C
cd $work || exit 1

verdict()
{
	echo "demo: $*" >"$COHORT_OUT/verdict"
	[[ $1 == PASS ]]
	exit
}

give_up() { verdict FAIL "$*"; }

say() { printf '\n-- %s (%d s)\n' "$*" $SECONDS; }

# In milliseconds.
now() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# ---------------------------------------------------------------- the stage

# A disk of memory answers before the next write is sent: with a real one's time
# to think, there are writes in flight whenever a cut comes.
make_disk()
{
	dmsetup create "$1" --table \
		"0 $(blockdev --getsz "$2") delay $2 0 0 $2 0 $WRITE_MS" || give_up "no disk $1"
}

raise()
{
	local n=2 m disk

	modprobe dm-delay || give_up "no slow disks"
	cohortctl pool create pool "$DISK1" || give_up "no pool"
	for m in "${MEMBERS[@]}"; do
		disk=DISK$((n++))
		make_disk "disk_$m" "${!disk}"
		cohortctl attach --pool pool "$m" "/dev/mapper/disk_$m" || give_up "no member $m"
	done
	mke2fs -q -O journal_dev -b 4096 /dev/mapper/m2 >/dev/null || give_up "no journal"
	mke2fs -q -t ext4 -b 4096 -J device=/dev/mapper/m2 /dev/mapper/m1 >/dev/null ||
		give_up "no ext4"
	mount /dev/mapper/m1 fs || give_up "no file system"
	cohortctl group create app "${MEMBERS[@]}" || give_up "no group"
}

# ---------------------------------------------------------------- writers

# File n is new, holds n and is synced before file n + 1 is made: that it is there
# at all is known to the journal alone, which is on the other member.
write_files()
{
	local n

	for ((n = 1; ; n++)); do
		echo $n >>issued
		((n <= FILES)) || rm "fs/f$((n - FILES))"
		printf '%010d' $n | dd of="fs/f$n" conv=fsync status=none || return
		echo $n >>acked
	done
}

start_writers()
{
	write_files 2>files.out &
	files_writer=$!
	stamp write --state state --chains 12 --slots 2 --size-mix 512..16K --seconds 900 \
		--dsync 10 "${RAW[@]/#//dev/mapper/}" >stamp.out 2>&1 &
	stamp wait state 200 60 >/dev/null || give_up "the writers do not start: $(cat stamp.out)"
	until [[ -s acked ]]; do
		kill -0 $files_writer 2>/dev/null || give_up "no files: $(cat files.out)"
		sleep 0.1
	done
}

# Images are judged while the writers rest: two emulated processors are few.
# Before that they go on for a while, so that what images show had to be preserved.
rest()
{
	stamp wait state 60 60 >/dev/null || give_up "the writers are stuck: $(cat stamp.out)"
	stamp pause state || give_up "the writers do not rest"
	kill -STOP $files_writer
}

work_on()
{
	kill -CONT $files_writer || give_up "a write to a file failed: $(cat files.out)"
	stamp resume state || give_up "the writers do not go on"
	stamp wait state 60 60 >/dev/null || give_up "the writers are stuck: $(cat stamp.out)"
}

mark_before()
{
	stamp mark --acked state >before
	fs_before=$(tail -n 1 acked)
}

mark_after()
{
	stamp mark --issued state >after
	fs_after=$(tail -n 1 issued)
}

# ---------------------------------------------------------------- proofs

# The four raw images: no write is in whose predecessor, on whatever member, is not.
raw_holds() { stamp verify --before before --after after "${@/#//dev/mapper/}" >words 2>&1; }

# Every file before the newest is whole, as it was synced before the next was made.
numbers_agree()
{
	local name n v newest=0

	for name in "$1"/f*; do
		n=${name##*/f}
		[[ $n == [0-9]* ]] && ((n > newest)) && newest=$n
	done
	for ((n = newest; n > 0 && n > newest - FILES; n--)); do
		v=
		read -r v <"$1/f$n"
		[[ $((10#${v:-0})) -eq $n ]] && continue
		((n == newest && n > fs_before)) && [[ -z $v ]] && continue
		echo "file $n of $newest holds '$v'"
		return 1
	done
	fs_newest=$newest
	((newest >= fs_before && newest <= fs_after)) && return
	echo "the newest file is $newest, not one of $fs_before to $fs_after"
	return 1
}

# Sees files but no devices, as would another machine: by its UUID, e2fsck finds
# the journal on some image too, and wants to note the file system's move to there.
elsewhere()
{
	BLKID_FILE=$work/blkid.tab unshare -m sh -c \
		'mount -t tmpfs none /dev && mknod /dev/null c 1 3 && exec "$@"' elsewhere "$@"
}

# The ext4 pair: its journal, which is on the other image, replayed over a copy.
# The replay may repair nothing (e2fsck would end with 1), or it would prove nothing.
files_hold()
{
	rm -rf copy journal seen
	dd if="/dev/mapper/$1" of=copy bs=1M iflag=direct conv=sparse status=none &&
		dd if="/dev/mapper/$2" of=journal bs=1M iflag=direct conv=sparse status=none || return 1
	elsewhere e2fsck -y -j journal copy >fs.words 2>&1 &&
		grep -q "recovering journal" fs.words || return 1
	elsewhere e2fsck -fn -j journal copy >fs.words 2>&1 || return 1
	mkdir seen
	debugfs -R "rdump / seen" copy >fs.words 2>&1
	numbers_agree seen >fs.words 2>&1
}

prove()
{
	local name=$1 took=$2 raw=consistent files

	: >words
	: >fs.words
	raw_holds "${name}_3" "${name}_4" "${name}_5" "${name}_6" || raw="NOT consistent"
	if files_hold "${name}_1" "${name}_2"; then
		files="clean, files up to $fs_newest ($fs_before..$fs_after allowed)"
	else
		files="NOT good"
	fi
	printf '%-4s cut in %4d ms   raw: %s   ext4: %s\n' "$name" "$took" "$raw" "$files"
	if [[ "$raw$files" == *NOT* ]]; then
		cat words fs.words
		bad=$((bad + 1))
	else
		good=$((good + 1))
	fi
}

# ---------------------------------------------------------------- the acts

cut_the_group()
{
	local i start took

	for ((i = 1; i <= CUTS; i++)); do
		mark_before
		stamp window state cuts
		start=$(now)
		cohortctl replicate --type snapshot --name "s$i" --group app >/dev/null ||
			give_up "cut $i was refused"
		took=$(($(now) - start))
		mark_after
		rest
		stamp window state between
		prove "s$i" $took
		((i > CUTS - 2)) || cohortctl delete "s$i" >/dev/null || give_up "s$i stays"
		work_on
	done
	mixed=$(cohortctl version --json | sed -n 's/^ *"CutsMixed": "\{0,1\}\([0-9]*\).*/\1/p')
	flips=$(cohortctl version --json | sed -n 's/^ *"Cuts": "\{0,1\}\([0-9]*\).*/\1/p')
}

# Seen as the checker's violation, not as something it could not judge.
is_caught()
{
	raw_holds "$@"
	[[ $? -eq 1 ]]
}

# The last two cuts are there: an ext4 with the other one's journal must not pass.
swap_the_journal()
{
	: >fs.words
	files_hold "s${CUTS}_1" "s$((CUTS - 1))_2" && give_up "an ext4 passed with another cut's journal"
	echo "caught: $(grep -v '^e2fsck' fs.words | head -n 1)"
}

# Without groups: the same members under the same load, one snapshot after another.
cut_one_by_one()
{
	local i m

	for ((i = 1; i <= TRIES; i++)); do
		stamp window state single
		mark_before
		for m in "${MEMBERS[@]}"; do
			cohortctl replicate --type snapshot --name "o$i$m" "$m" >/dev/null ||
				give_up "no snapshot of $m"
		done
		mark_after
		rest
		stamp window state between
		if is_caught o${i}m{3,4,5,6}_1; then
			echo "try $i: caught: $(head -n 1 words)"
			caught=$((caught + 1))
		else
			echo "try $i: NOT caught: $(head -n 1 words)"
		fi
		for m in "${MEMBERS[@]}"; do
			cohortctl delete "o$i$m" >/dev/null || give_up "o$i$m stays"
		done
		work_on
	done
}

strike()
{
	local i m

	stamp stop state || give_up "a writer saw an error: $(cat stamp.out)"
	kill $files_writer || give_up "a write to a file failed: $(cat files.out)"
	wait $files_writer 2>/dev/null
	umount fs || give_up "fs stays mounted"
	for ((i = CUTS - 1; i <= CUTS; i++)); do
		cohortctl delete "s$i" >/dev/null || give_up "s$i stays"
	done
	cohortctl group delete app >/dev/null || give_up "the group stays"
	for m in "${MEMBERS[@]}"; do
		cohortctl detach "$m" >/dev/null || give_up "$m stays attached"
		dmsetup remove --retry "disk_$m" || give_up "disk_$m stays"
	done
	cohortctl pool remove pool || give_up "the pool stays"
}

say "a pool and six members: ext4 on m1 with its journal on m2, m3 to m6 raw, $WRITE_MS ms a write"
raise
say "writers on all of them"
start_writers
stamp window state alone
sleep 5
say "$CUTS cuts of the group while they write"
cut_the_group
say "what is there now"
cohortctl list
say "the ext4 of s$CUTS with the journal of s$((CUTS - 1))"
swap_the_journal
say "the same members under the same load, one snapshot after another"
cut_one_by_one
say "latency of the raw writers: without cuts, around cuts of the group, around single ones"
stamp latency state alone cuts single
stamp latency state alone cuts single | awk '{ max[$1] = $NF } END {
	printf "longest write: %d ms without cuts, %d ms around cuts\n", max["alone"], max["cuts"] }'
strike

say "$good of $CUTS cuts good; $mixed of $flips flips had writes in flight on two members or more"
[[ $bad -eq 0 && $good -eq $CUTS ]] || give_up "$bad of $CUTS cuts are not consistent"
[[ $caught -eq $TRIES ]] ||
	give_up "the checker caught $caught of $TRIES rounds of snapshots taken one by one"
verdict PASS "$good of $CUTS group snapshots consistent, $caught of $TRIES rounds taken one by one caught"
