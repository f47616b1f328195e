# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# The hydrate case: how fast an idle clone is filled, and what it and random writes do to each other.
#
# The peers, each by seven functions:
#	hyd_PEER_up      makes what lives as long as the peer is measured
#	hyd_PEER_make    makes a clone of /dev/bsrc on /dev/btarget, and names it in $dev
#	hyd_PEER_begin   has it copied from then on, where it is not so already
#	hyd_PEER_copied  tells whether all of it is
#	hyd_PEER_hurry   has it copied as fast as can be
#	hyd_PEER_drop    takes it down, copied or not
#	hyd_PEER_down
# What was copied is what was read from the source's disk. It is the same for all peers, and
# writes that a clone takes without a copy do not count.

hyd_depths=${BENCH_DEPTHS:-32 1}

# ---- cohort ----

hyd_cohort_up()
{
	null_make bpool $((mib * 2 + 256))
	ctl pool create bench /dev/bpool
	ctl attach --pool bench bsource /dev/bsrc
}

hyd_cohort_make()
{
	ctl replicate --type clone --name bclone --target /dev/btarget --wait Unsynchronized bsource
	dev=/dev/mapper/bclone_1
}

hyd_cohort_begin() { :; }

hyd_cohort_copied()
{
	cohortctl show bclone --json | jq -e '.relationship.CopyState == "Synchronized"' >/dev/null
}

hyd_cohort_hurry() { :; }
hyd_cohort_drop() { ctl detach --force bclone; }

hyd_cohort_down()
{
	ctl detach bsource
	ctl pool remove bench
	null_remove bpool
}

# ---- dm-clone: regions of 4 and 64 KiB, as it comes and (t) tuned ----

load_dm_clone()
{
	local ko

	modprobe -q dm-clone && return
	modprobe dm-persistent-data || fail "no dm-persistent-data"
	ko=$("$here/build-dm-clone") || fail "no dm-clone"
	insmod "$ko" || fail "$ko does not load"
}

hyd_clone_up() { null_make bmeta 64; }

clone_say() { dmsetup message bdmclone 0 "$1" || fail "dm-clone does not take: $1"; }

# What was best of some: four copies at a time, of 1 MiB, or of 512 KiB with regions of 64 KiB.
clone_tune()
{
	local copy=$((clone_region == 8 ? 2048 : 1024))

	clone_say "hydration_batch_size $((copy / clone_region))"
	clone_say "hydration_threshold $((copy * 4 / clone_region))"
}

# hyd_clone_make SECTORS [tuned]
hyd_clone_make()
{
	clone_region=$1
	dd if=/dev/zero of=/dev/bmeta bs=64k count=1 oflag=direct status=none
	dm_make bdmclone "0 $(sectors_of /dev/bsrc) clone /dev/bmeta /dev/btarget /dev/bsrc $1 1 no_hydration"
	[[ ${2-} != tuned ]] || clone_tune
	dev=/dev/mapper/bdmclone
}

hyd_clone_begin() { clone_say enable_hydration; }

# 0 524288 clone 8 29/16384 8 1024/65536 1 ...; without --noflush it commits each time.
hyd_clone_copied()
{
	local status

	read -ra status < <(dmsetup status --noflush bdmclone)
	[[ ${status[6]%/*} == "${status[6]#*/}" && ${status[7]} == 0 ]]
}

hyd_clone_hurry() { clone_tune; }
hyd_clone_drop() { dm_remove bdmclone; }
hyd_clone_down() { null_remove bmeta; }

hyd_clone4_make() { hyd_clone_make 8; }
hyd_clone4t_make() { hyd_clone_make 8 tuned; }
hyd_clone64_make() { hyd_clone_make 128; }
hyd_clone64t_make() { hyd_clone_make 128 tuned; }

# hyd VERB PEER: the kinds of dm-clone differ in how they are made
hyd()
{
	if declare -F "hyd_$2_$1" >/dev/null; then
		"hyd_$2_$1"
	else
		"hyd_clone_$1"
	fi
}

# ---- copying, watched ----

# Without a process for it: here one costs as much as some hundred writes.
nap() { read -rt "$1" -u "$nap_fd" _; }

# source_bytes: in $bytes what was read so far
source_bytes()
{
	local stat

	read -ra stat </sys/block/bsrc/stat
	bytes=$((stat[2] * 512))
}

# watch_copy PEER LIMIT NAP: waits until all is copied, LIMIT seconds at most; tells when it
# began and ended in $t0 and $t1 (microseconds), and in $rate what was copied, in MiB/s. The
# peer is asked when nothing was read for a while, and less often from time to time.
watch_copy()
{
	local first last done=1 pause=50000 ask=0 before

	source_bytes
	t0=${EPOCHREALTIME/./}
	first=$bytes
	last=$bytes
	while nap "$3"; [[ $done != 0 && ${EPOCHREALTIME/./} -lt $((t0 + $2 * 1000000)) ]]; do
		source_bytes
		before=${EPOCHREALTIME/./}
		if [[ $bytes == "$last" && $before -ge $ask ]]; then
			hyd copied "$1"
			done=$?
			ask=$((before + pause))
			pause=$((pause < 500000 ? pause * 2 : 500000))
		fi
		t1=$before
		last=$bytes
	done
	rate=$(awk -v b=$((last - first)) -v t=$((t1 - t0)) 'BEGIN { printf "%.2f", b / 1.048576 / t }')
	return "$done"
}

# dd_rate: source to target by dd, in MiB/s as it says itself
dd_rate()
{
	dd if=/dev/bsrc of=/dev/btarget bs=1M iflag=direct oflag=direct 2>"$tmp/dd" ||
		fail "dd: $(cat "$tmp/dd")"
	awk '/ copied, / { b = $1; sub(/.* copied, /, ""); print b / 1048576 / $1 }' "$tmp/dd"
}

# ---- the load: fio, through a dm-linear device that is there before the clone ----

# It writes to nothing, slowly, until load_onto gives it the clone: so it is under way when the
# copying begins, which may last for less time than fio needs to start.
load_begin()
{
	local n name

	n=$(sectors_of /dev/bsrc)
	dm_make bzero "0 $n zero"
	dm_make bwrites "0 $n delay /dev/mapper/bzero 0 100"
	fio --name=load --filename=/dev/mapper/bwrites --direct=1 --ioengine=libaio --rw=randwrite \
		--bs=4k --iodepth="$1" --norandommap --time_based --runtime=900 \
		--write_lat_log="$tmp/load" --log_unix_epoch=1 --log_entries=1048576 \
		--disable_clat=1 --disable_slat=1 --output="$tmp/fio" &
	load_pid=$!
	name=$(dmsetup info -c --noheadings -o blkdevname bzero)
	until awk '$5 > 0 { found = 1 } END { exit !found }' "/sys/block/$name/stat"; do
		kill -0 "$load_pid" 2>/dev/null || fail "fio: $(cat "$tmp/fio")"
		sleep 0.1
	done
}

# load_onto DEVICE
load_onto()
{
	dmsetup load bwrites --table "0 $(sectors_of /dev/bsrc) linear $1 0"
	dmsetup resume bwrites || fail "no load on $1"
}

# load_end: what fio says when it is told to end is no failure
load_end()
{
	kill -TERM "$load_pid"
	wait "$load_pid"
	[[ -s $tmp/load_lat.1.log ]] || fail "fio: $(cat "$tmp/fio")"
	dm_remove bwrites
	dm_remove bzero
}

# load_record PEER METRIC: the writes that were begun between $t0 and $t1
load_record()
{
	awk -F', ' -v t0="$t0" -v t1="$t1" '{
		begin = $1 * 1000 - $2 / 1000
		if (begin >= t0 && begin < t1) print $2 }' "$tmp/load_lat.1.log" |
		sort -n >"$tmp/latencies"
	record "$1" "$2-p99" "$(awk -v n="$(wc -l <"$tmp/latencies")" \
		'NR >= n * 0.99 { printf "%.3f", $1 / 1000000; exit }' "$tmp/latencies")"
	record "$1" "$2-iops" "$(awk -v t=$((t1 - t0)) \
		'END { printf "%.0f", NR * 1000000 / t }' "$tmp/latencies")"
}

# ---- the measurement ----

# An idle clone, with dd before it; three times.
hydrate_idle()
{
	local turn

	for turn in 1 2 3; do
		record "$1" copy-dd "$(dd_rate)" $turn
		hyd make "$1"
		hyd begin "$1"
		watch_copy "$1" $((seconds * 2)) 0.01
		hyd drop "$1"
		record "$1" copy "$rate" $turn
	done
}

# hydrate_loaded PEER DEPTH: while it is copied, and once it is. The rate stands beside that
# of the last idle turn.
hydrate_loaded()
{
	local before

	load_begin "$2"
	source_bytes
	before=$bytes
	hyd make "$1"
	load_onto "$dev"
	source_bytes
	((bytes - before < mib * 262144)) ||
		note "$1 had copied $(((bytes - before) / 1048576)) MiB before a write came: BENCH_MIB is small"
	hyd begin "$1"
	watch_copy "$1" $((seconds * 3)) 0.05
	load_end
	record "$1" "copy$2" "$rate" 3
	load_record "$1" "copying$2"

	hyd hurry "$1"
	watch_copy "$1" 120 0.05 || fail "$1 is not copied after two minutes"
	load_begin "$2"
	load_onto "$dev"
	sleep 0.5
	t0=${EPOCHREALTIME/./}
	sleep "$seconds"
	t1=${EPOCHREALTIME/./}
	load_end
	load_record "$1" "copied$2"
	hyd drop "$1"
}

run_hydrate()
{
	local depth

	note "round $round: hydrate, $1"
	null_make bsrc "$mib"
	null_make btarget "$mib"
	fill /dev/bsrc
	fill /dev/btarget
	hyd up "$1"
	hydrate_idle "$1"
	for depth in $hyd_depths; do
		hydrate_loaded "$1" "$depth"
	done
	hyd down "$1"
	null_remove btarget
	null_remove bsrc
}

hydrate_prepare()
{
	modprobe dm-zero || fail "no dm-zero"
	[[ ${hydrators[*]} != *clone* ]] || load_dm_clone
	mkfifo "$tmp/never"
	exec {nap_fd}<>"$tmp/never"
}
