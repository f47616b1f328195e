# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# The load cases: idle, preserved, first, dense, many, cpus. One line per number in $results:
#	PEER METRIC ROUND VALUE

# record PEER METRIC VALUE [TURN]
record()
{
	echo "$1 $2 $round.${4:-0} $3" >>"$results"
}

# fio_iops ARGUMENT...: runs fio and prints its write IOPS
fio_iops()
{
	fio --name=bench --direct=1 --ioengine=libaio --minimal --terse-version=3 \
		--output="$tmp/fio" "$@" || fail "fio: $(cat "$tmp/fio")"
	awk -F';' '/^3;/ { print $49 }' "$tmp/fio"
}

random_writes()
{
	fio_iops --filename="$1" --rw=randwrite --bs=4k --iodepth=32 --norandommap \
		--runtime="$seconds" --time_based
}

# beside_linear PEER METRIC: both in turn, so that a ratio compares neighbours in time
beside_linear()
{
	local turn

	for turn in 1 2 3; do
		record "$1" "$2-linear" "$(random_writes /dev/mapper/blinear)" $turn
		record "$1" "$2" "$(random_writes "$dev")" $turn
	done
}

# scatter_log COUNT: 4 KiB writes, one to a 64 KiB block, in an order of its own
scatter_log()
{
	local blocks=$((mib * 16)) count

	count=$(($1 < blocks ? $1 : blocks))
	{
		printf 'fio version 2 iolog\n/dev/x add\n/dev/x open\n'
		shuf -i 0-$((blocks - 1)) -n "$count" --random-source=<(yes) |
			awk '{ printf "/dev/x write %d 4096\n", $1 * 65536 }'
		echo '/dev/x close'
	} >"$tmp/scatter"
}

# scattered DEPTH COUNT
scattered()
{
	scatter_log "$2"
	fio_iops --read_iolog="$tmp/scatter" --replay_redirect="$dev" --replay_no_stall=1 \
		--iodepth="$1"
}

# Pool bytes of what was written meanwhile, once everything lazy is out.
settle()
{
	sync
	sleep 2
}

# first_overwrites PEER METRIC DEPTH COUNT
first_overwrites()
{
	local peer=$1 disks before after iops count=$4

	read -ra disks < <("${peer}_pool")
	[ "$count" -lt $((mib * 16)) ] || count=$((mib * 16))
	before=$(written_bytes "${disks[@]}")
	iops=$(scattered "$3" "$count")
	settle
	after=$(written_bytes "${disks[@]}")
	record "$peer" "$2" "$iops"
	record "$peer" "$2-bytes" "$(((after - before) / count))"
}

case_idle()
{
	beside_linear "$1" idle
}

case_preserved()
{
	"$1_take" 1
	fio_iops --filename="$dev" --rw=write --bs=64k --iodepth=8 >/dev/null
	settle
	beside_linear "$1" preserved
	"$1_drop" 1
}

case_first()
{
	"$1_take" 1
	first_overwrites "$1" first32 32 1000000
	"$1_drop" 1
	"$1_take" 1
	first_overwrites "$1" first1 1 2048
	"$1_drop" 1
}

# Every chunk of a part, in order: what was written to the pool for it is one stream, too.
case_dense()
{
	"$1_take" 1
	record "$1" dense "$(fio_iops --filename="$dev" --rw=write --bs=4k --iodepth=32 --size=64m)"
	settle
	"$1_drop" 1
}

# lock_waits: how often a CPU has begun to wait for a lock since lock_waits_begin
lock_waits_begin()
{
	local hist=$tracing/events/lock/contention_begin

	echo '!hist:keys=flags' >"$hist/trigger" 2>/dev/null
	echo 'hist:keys=flags' >"$hist/trigger" || fail "the kernel does not count waits for locks"
}

lock_waits()
{
	awk '/hitcount:/ { sum += $NF } END { print sum + 0 }' \
		"$tracing/events/lock/contention_begin/hist"
	echo '!hist:keys=flags' >"$tracing/events/lock/contention_begin/trigger"
}

# on_each_cpu COUNT OPTION...: a writer on each CPU, COUNT scattered writes of 4 KiB in all
on_each_cpu()
{
	local jobs each

	jobs=$(nproc)
	each=$(($1 / jobs))
	shift
	fio_iops --filename="$dev" --rw=write --bs=4k --zonemode=strided --zonesize=4k \
		--zonerange=64k --iodepth=32 --numjobs="$jobs" --group_reporting --thread \
		--offset_increment="$((each * 64))k" --size="$((each * 64))k" \
		--io_size="$((each * 4))k" "$@"
}

# First overwrites and later ones, all CPUs at once.
case_cpus()
{
	local which count=$((mib * 16 < 8192 ? mib * 16 : 8192))

	"$1_take" 1
	for which in first later; do
		lock_waits_begin
		record "$1" "cpus-$which" "$(on_each_cpu $count)"
		record "$1" "cpus-$which-waits" "$(awk -v n="$(lock_waits)" -v w=$count \
			'BEGIN { printf "%.1f", n * 1000 / w }')"
		settle
	done
	"$1_drop" 1
}

# Chunks of 16 and 64 KiB copied into 64 stores would be more than the guest's memory.
case_many()
{
	[[ $1 != snapshot?* ]] || return 0
	"$1_take" 1
	first_overwrites "$1" many1 32 4096
	"$1_drop" 1
	"$1_take" 64
	first_overwrites "$1" many64 32 4096
	"$1_drop" 64
}

run_load()
{
	local name

	note "round $round: $1"
	linear_up
	"$1_up"
	for name in idle preserved first dense many cpus; do
		wanted "$name" && "case_$name" "$1"
	done
	"$1_down"
	linear_down
}
