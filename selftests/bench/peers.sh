# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# The peers of the load cases, each by five functions:
#	PEER_up         makes the device, full of data, and names it in $dev
#	PEER_take N     takes N snapshots of it
#	PEER_drop N     deletes them
#	PEER_pool       prints the disks that snapshots write to
#	PEER_down
# Persistent everywhere; dm-snapshot with three sizes of chunk, dm-thin with its smallest.

peers=()
cutters=()
hydrators=()

find_peers()
{
	local name

	peers=()
	cutters=()
	hydrators=()
	for name in ${BENCH_PEERS:-cohort snapshot snapshot16 snapshot64 thin suspend \
		clone4 clone4t clone64 clone64t}; do
		case $name in
		cohort)
			peers+=(cohort)
			cutters+=(cohort)
			hydrators+=(cohort)
			modprobe dm_cohort || fail "dm_cohort does not load"
			;;
		snapshot | snapshot16 | snapshot64 | thin) peers+=("$name") ;;
		suspend) cutters+=(suspend) ;;
		clone4 | clone4t | clone64 | clone64t) hydrators+=("$name") ;;
		*) fail "no peer $name" ;;
		esac
	done
}

# ---- dm-linear: no snapshots, the speed of device-mapper itself ----

# It stands beside every peer, and they are measured in turn.
linear_up()
{
	null_make bref "$mib"
	dm_make blinear "0 $(sectors_of /dev/bref) linear /dev/bref 0"
	fill /dev/mapper/blinear
}

linear_down()
{
	dm_remove blinear
	null_remove bref
}

# ---- cohort ----

ctl()
{
	cohortctl "$@" >"$tmp/ctl" 2>&1 || fail "cohortctl $*: $(cat "$tmp/ctl")"
}

cohort_up()
{
	null_make bsrc "$mib"
	null_make bpool $((mib * 2 + 256))
	fill /dev/bsrc
	ctl pool create bench /dev/bpool
	ctl attach --pool bench bsource /dev/bsrc
	dev=/dev/mapper/bsource
}

cohort_take()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		ctl replicate --type snapshot --name "bench$i" bsource
	done
}

cohort_drop()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		ctl delete "bench$i"
	done
}

cohort_pool() { echo bpool; }

cohort_down()
{
	ctl detach bsource
	ctl pool remove bench
	null_remove bpool
	null_remove bsrc
}

# ---- dm-snapshot: persistent, one store per snapshot ----

snapshot_up()
{
	snapshot_chunk=${1:-8}
	null_make bsrc "$mib"
	dm_make borigin "0 $(sectors_of /dev/bsrc) snapshot-origin /dev/bsrc"
	dev=/dev/mapper/borigin
	fill $dev
}

snapshot_take()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		null_make "bcow$i" $((mib + mib / 8 + 64))
	done
	dmsetup suspend borigin
	for ((i = 1; i <= $1; i++)); do
		dm_make "bsnap$i" "0 $(sectors_of /dev/bsrc) snapshot /dev/bsrc /dev/bcow$i P $snapshot_chunk"
	done
	dmsetup resume borigin
}

snapshot_drop()
{
	local i

	dmsetup suspend borigin
	for ((i = 1; i <= $1; i++)); do
		dm_remove "bsnap$i"
	done
	dmsetup resume borigin
	for ((i = 1; i <= $1; i++)); do
		null_remove "bcow$i"
	done
}

snapshot_pool() { (cd /sys/block && echo bcow*); }

snapshot_down()
{
	dm_remove borigin
	null_remove bsrc
}

snapshot16_up() { snapshot_up 32; }
snapshot16_take() { snapshot_take "$1"; }
snapshot16_drop() { snapshot_drop "$1"; }
snapshot16_pool() { snapshot_pool; }
snapshot16_down() { snapshot_down; }

snapshot64_up() { snapshot_up 128; }
snapshot64_take() { snapshot_take "$1"; }
snapshot64_drop() { snapshot_drop "$1"; }
snapshot64_pool() { snapshot_pool; }
snapshot64_down() { snapshot_down; }

# ---- dm-thin: 64 KiB blocks, the smallest there are ----

thin_up()
{
	null_make bmeta 128
	null_make bdata $((mib * 2 + 64))
	dm_make bpool "0 $(sectors_of /dev/bdata) thin-pool /dev/bmeta /dev/bdata 128 0 1 skip_block_zeroing"
	dmsetup message bpool 0 "create_thin 0" || fail "no thin device"
	dm_make bthin "0 $((mib * 2048)) thin /dev/mapper/bpool 0"
	dev=/dev/mapper/bthin
	fill $dev
}

thin_take()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		dmsetup suspend bthin
		dmsetup message bpool 0 "create_snap $i 0" || fail "no thin snapshot"
		dmsetup resume bthin
	done
}

thin_drop()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		dmsetup message bpool 0 "delete $i" || fail "thin snapshot stays"
	done
}

thin_pool() { echo bdata bmeta; }

thin_down()
{
	dm_remove bthin
	dm_remove bpool
	null_remove bdata
	null_remove bmeta
}
