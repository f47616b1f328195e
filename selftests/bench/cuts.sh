# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# The cut case: how long writers wait while groups are cut, by number of members
# and by how slow these are. One line per window in $tmp/cuts:
#	PEER MEMBERS DELAY WINDOW p50 p99 p99.9 max (in ms)

cut_members="1 8 64"
cut_delays="0 10 100"
cut_count=3
slice_mib=8

# names PREFIX N: PREFIX0 to PREFIX(N-1)
names() { seq -f "$1%g" 0 $(($2 - 1)); }

# dm_many PREFIX N TABLE: N devices by one command; %D, %S in TABLE are the device's
# number and where its slice begins, %N is the length of a slice.
dm_many()
{
	local i n=$((slice_mib * 2048)) all="" table

	for ((i = 0; i < $2; i++)); do
		table=${3//%D/$i}
		table=${table//%S/$((i * n))}
		all+="${all:+;}$1$i,,,,${table//%N/$n}"
	done
	dmsetup create --concise "$all" || fail "cannot create $1*"
}

# dm_all VERB PREFIX N
dm_all()
{
	local devices

	mapfile -t devices < <(names "$2" "$3")
	dmsetup "$1" "${devices[@]}" || fail "cannot $1 $2*"
}

# The members: slices of one disk, each behind a dm-delay of its own.
members_up()
{
	null_make bmembers $((64 * slice_mib))
	fill /dev/bmembers
	dm_many bm 64 "0 %N delay /dev/bmembers %S 0 /dev/bmembers %S 0"
}

# set_delay MS: for writes to every member
set_delay()
{
	local i n=$((slice_mib * 2048))

	for ((i = 0; i < 64; i++)); do
		dmsetup load "bm$i" --table \
			"0 $n delay /dev/bmembers $((i * n)) 0 /dev/bmembers $((i * n)) $1"
	done
	dm_all resume bm 64
}

members_down()
{
	dm_all remove bm 64
	null_remove bmembers
}

# ---- cohort: one cut over the group ----

cut_cohort_up()
{
	local i n sources=()

	null_make bpool 1024
	ctl pool create bench /dev/bpool
	for ((i = 0; i < 64; i++)); do
		ctl attach --pool bench "bs$i" "/dev/mapper/bm$i"
		sources+=("bs$i")
	done
	for n in $cut_members; do
		ctl group create "bg$n" "${sources[@]:0:n}"
	done
}

cut_cohort_dev() { echo "/dev/mapper/bs$1"; }
cut_cohort_take() { ctl replicate --type snapshot --name "bcut$2" --group "bg$1"; }
cut_cohort_drop() { ctl delete "bcut$2"; }

cut_cohort_down()
{
	local i n

	for n in $cut_members; do
		ctl group delete "bg$n"
	done
	for ((i = 0; i < 64; i++)); do
		ctl detach "bs$i"
	done
	ctl pool remove bench
	null_remove bpool
}

# ---- what device-mapper offers for it: suspend all, snapshot all, resume all ----

cut_suspend_up()
{
	null_make bpool 1024
	dm_many bc 64 "0 %N linear /dev/bpool %S"
	dm_many bo 64 "0 %N snapshot-origin /dev/mapper/bm%D"
}

cut_suspend_dev() { echo "/dev/mapper/bo$1"; }

# One command for all members at each step: the best that can be done by hand.
cut_suspend_take()
{
	dm_all suspend bo "$1"
	dm_many bx "$1" "0 %N snapshot /dev/mapper/bm%D /dev/mapper/bc%D N 8"
	dm_all resume bo "$1"
}

cut_suspend_drop()
{
	dm_all suspend bo "$1"
	dm_all remove bx "$1"
	dm_all resume bo "$1"
}

cut_suspend_down()
{
	dm_all remove bo 64
	dm_all remove bc 64
	null_remove bpool
}

# ---- the measurement ----

# latency_of WINDOW: p50 p99 p99.9 max
latency_of()
{
	stamp latency "$tmp/state" "$1" | awk 'NR == 2 { print $3, $4, $5, $6 }'
}

# One window without cuts, then one in which every cut is taken; the deletion of
# each snapshot, and the rest between them, count for neither.
cut_windows()
{
	local peer=$1 members=$2 i

	stamp window "$tmp/state" quiet
	sleep "$seconds"
	for ((i = 1; i <= cut_count; i++)); do
		stamp window "$tmp/state" cuts
		"cut_${peer}_take" "$members" "$i"
		sleep 0.5
		stamp window "$tmp/state" base
		"cut_${peer}_drop" "$members" "$i"
		sleep 0.2
	done
}

# measure_cuts PEER MEMBERS DELAY
measure_cuts()
{
	local i devices=() window

	for ((i = 0; i < $2; i++)); do
		devices+=("$("cut_$1_dev" "$i")")
	done
	rm -f "$tmp/state"
	stamp write --state "$tmp/state" --slots 8 "${devices[@]}" >/dev/null &
	stamp wait "$tmp/state" 100 || fail "the writers do not start"
	sleep 1
	cut_windows "$1" "$2"
	stamp stop "$tmp/state" || fail "a writer failed"
	wait
	for window in quiet cuts; do
		echo "$1 $2 $3 $window $(latency_of $window)" >>"$tmp/cuts"
	done
}

run_cuts()
{
	local members delay

	members_up
	"cut_$1_up"
	for delay in $cut_delays; do
		set_delay "$delay"
		for members in $cut_members; do
			note "round $round: cuts, $1, $members members, $delay ms"
			measure_cuts "$1" "$members" "$delay"
		done
	done
	set_delay 0
	"cut_$1_down"
	members_down
}
