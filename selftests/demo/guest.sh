#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration, inside the guest: a pool, six members under load, twenty cuts and their proofs.
# usage: guest.sh   with seven disks: the pool's and six members'; the verdict goes to $COHORT_OUT

set -u
CUTS=20
FILES=32
RAW=(m3 m4 m5 m6)
MEMBERS=(m1 m2 "${RAW[@]}")
good=0
bad=0
caught=0

work=/run/demo
mkdir -p $work/fs
cd $work || exit 1

verdict()
{
	echo "demo: $*" >"$COHORT_OUT/verdict"
	[[ $1 == PASS ]]
	exit
}

give_up() { verdict FAIL "$*"; }

now() { date +%s.%N; }

# ---------------------------------------------------------------- the stage

raise()
{
	local n=2 m

	cohortctl pool create pool "$DISK1" || give_up "no pool"
	for m in "${MEMBERS[@]}"; do
		eval "disk=\$DISK$((n++))"
		# shellcheck disable=SC2154 # set by eval
		cohortctl attach --pool pool "$m" "$disk" || give_up "no member $m"
	done
	mke2fs -q -O journal_dev -b 4096 /dev/mapper/m2 || give_up "no journal"
	mke2fs -q -t ext4 -b 4096 -J device=/dev/mapper/m2 /dev/mapper/m1 || give_up "no ext4"
	mount /dev/mapper/m1 fs || give_up "no file system"
	cohortctl group create app "${MEMBERS[@]}" || give_up "no group"
}

# ---------------------------------------------------------------- writers

# File n % FILES gets number n, in place, and is synced before number n + 1.
write_files()
{
	local n

	for ((n = 0; n < FILES; n++)); do
		printf '%010d' $n >"fs/f$n"
	done
	sync -f fs
	for (( ; ; n++)); do
		echo $n >issued.new && mv issued.new fs.issued
		printf '%010d' $n | dd of="fs/f$((n % FILES))" conv=notrunc,fsync status=none || return
		echo $n >acked.new && mv acked.new fs.acked
	done
}

start_writers()
{
	(renice -n 19 -p $BASHPID >/dev/null; write_files) &
	files_writer=$!
	nice -n 19 stamp write --state state --chains 12 --slots 2 --size-mix 512..16K --seconds 320 \
		--dsync 10 "${RAW[@]/#//dev/mapper/}" >stamp.out 2>&1 &
	stamp wait state 200 60 >/dev/null || give_up "the writers do not start: $(cat stamp.out)"
	until [[ -s fs.acked ]]; do sleep 0.1; done
}

mark_before()
{
	stamp mark --acked state >before
	fs_before=$(<fs.acked)
}

mark_after()
{
	stamp mark --issued state >after
	fs_after=$(<fs.issued)
}

# ---------------------------------------------------------------- proofs

# The four raw images: no write is in whose predecessor, on whatever member, is not.
raw_holds() { stamp verify --before before --after after "${@/#//dev/mapper/}" >words 2>&1; }

# The newest number in a file, and every file as that number demands it.
numbers_agree()
{
	local n v newest=0 k

	for ((k = 0; k < FILES; k++)); do
		v=$(cat "$1/f$k" 2>/dev/null) || return 1
		[[ $v =~ ^[0-9]{10}$ ]] || return 1
		n=$((10#$v))
		((n % FILES == k)) || return 1
		((n <= newest)) || newest=$n
	done
	for ((k = 0; k < FILES; k++)); do
		n=$((10#$(<"$1/f$k")))
		((n > newest - FILES)) || return 1
	done
	((newest >= fs_before && newest <= fs_after)) || return 1
	fs_newest=$newest
}

# The ext4 pair: its journal, which is on the other image, replayed over a copy.
files_hold()
{
	rm -rf copy journal seen
	dd if="/dev/mapper/$1" of=copy bs=1M iflag=direct conv=sparse status=none &&
		dd if="/dev/mapper/$2" of=journal bs=1M iflag=direct conv=sparse status=none || return 1
	e2fsck -y -j journal copy >words 2>&1
	[[ $? -le 1 ]] || return 1
	e2fsck -fn -j journal copy >words 2>&1 || return 1
	mkdir seen
	debugfs -R "rdump / seen" copy >words 2>&1
	numbers_agree seen
}

prove()
{
	local name=$1 took=$2 raw=consistent files words=words

	raw_holds "${name}_3" "${name}_4" "${name}_5" "${name}_6" || raw="NOT consistent"
	if files_hold "${name}_1" "${name}_2"; then
		files="clean, files agree up to $fs_newest (between $fs_before and $fs_after)"
	else
		files="NOT good"
	fi
	printf '%-4s cut in %5.0f ms   raw: %s   ext4: %s\n' "$name" "$took" "$raw" "$files"
	if [[ "$raw$files" == *NOT* ]]; then
		cat $words
		bad=$((bad + 1))
	else
		good=$((good + 1))
	fi
}

# ---------------------------------------------------------------- the acts

cut_the_group()
{
	local i start

	stamp window state cuts
	for ((i = 1; i <= CUTS; i++)); do
		mark_before
		start=$(now)
		cohortctl replicate --type snapshot --name "s$i" --group app >/dev/null ||
			give_up "cut $i was refused"
		start=$(bc <<<"($(now) - $start) * 1000")
		mark_after
		stamp window state quiet
		prove "s$i" "$start"
		((i > CUTS - 2)) || cohortctl delete "s$i" >/dev/null || give_up "s$i stays"
		stamp window state cuts
	done
	stamp window state quiet
	mixed=$(cohortctl version --json | sed -n 's/^ *"CutsMixed": "\{0,1\}\([0-9]*\).*/\1/p')
}

# What everybody does today: the same members, one snapshot after another.
cut_one_by_one()
{
	local i m names

	for ((i = 1; i <= 5; i++)); do
		names=()
		mark_before
		for m in "${RAW[@]}"; do
			cohortctl replicate --type snapshot --name "o$i$m" "$m" >/dev/null ||
				give_up "no snapshot of $m"
			names+=("o$i${m}_1")
		done
		mark_after
		if raw_holds "${names[@]}"; then
			echo "try $i: not caught"
		else
			echo "try $i: caught: $(head -n 1 words)"
			caught=$((caught + 1))
		fi
		for m in "${RAW[@]}"; do
			cohortctl delete "o$i$m" >/dev/null || give_up "o$i$m stays"
		done
	done
}

strike()
{
	local i m

	stamp stop state || give_up "a writer saw an error: $(cat stamp.out)"
	kill $files_writer
	wait $files_writer 2>/dev/null
	umount fs || give_up "fs stays mounted"
	for ((i = CUTS - 1; i <= CUTS; i++)); do
		cohortctl delete "s$i" >/dev/null || give_up "s$i stays"
	done
	cohortctl group delete --force app >/dev/null 2>&1 || cohortctl group delete app >/dev/null
	for m in "${MEMBERS[@]}"; do
		cohortctl detach "$m" >/dev/null || give_up "$m stays attached"
	done
	cohortctl pool remove pool || give_up "the pool stays"
}

echo "-- a pool and six members: ext4 on m1 with its journal on m2, and four raw ones"
raise
echo "-- writers on all of them"
start_writers
stamp window state alone
sleep 5
echo "-- $CUTS cuts of the group while they write"
cut_the_group
echo "-- what is there now"
cohortctl list
echo "-- the raw members once more, one snapshot after another"
cut_one_by_one
echo "-- latencies of the writers, in milliseconds: without cuts, around cuts, while images were checked"
stamp latency state alone cuts quiet
strike

echo "-- $good of $CUTS cuts good; $mixed of them fell between writes in flight on two members or more"
[[ $bad -eq 0 && $good -eq $CUTS ]] || give_up "$bad of $CUTS cuts are not consistent"
[[ $caught -gt 0 ]] || give_up "the checker did not catch snapshots taken one by one"
verdict PASS "$good of $CUTS group snapshots consistent, one by one caught $caught of 5 times"
