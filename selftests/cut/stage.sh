# shellcheck shell=bash disable=SC2120,SC2034 # used by the tests
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests of cuts share: pool p with members m1..., stamp writers, cuts with their bounds, verdicts.
#
# A case raises the stage (raise_stage) and everything is struck when it ends.
# Bounds and writers' state are files in the case's own directory.

SOURCES=()
STATE=state

module_parameters=/sys/module/dm_cohort/parameters

# number FIELD: the first field of that name in the JSON on stdin.
number() { sed -n "s/^ *\"$1\": *\"\\{0,1\\}\\([^\",]*\\).*/\\1/p" | head -n 1; }

module_counter() { cohortctl version --json | number "$1"; }
show() { cohortctl show "$1" --json | number "$2"; }

# status_field DEVICE N: the N-th word of the target's own status.
status_field() { dmsetup status "$1" | awk -v n="$2" '{ print $(n + 3) }'; }
open_eras() { status_field "$1" 2; }
newest_cut() { status_field "$1" 3; }
writes_inside() { status_field "$1" 5; }

has_cut() { [[ $(newest_cut "$1") != - ]]; }
has_writes_inside() { [[ $(writes_inside "$1") -ge 1 ]]; }

relationships() { cohortctl list --json | sed -n 's/^ *"RelationshipName": "\(.*\)".*/\1/p'; }

# Newest first, so that a member on top of another goes before it.
attached_sources()
{
	dmsetup ls --target cohort-source | sed -n 's/^\(\S*\)\s*(.*, \([0-9]*\))$/\2 \1/p' |
		sort -rn | cut -d ' ' -f 2
}

# ---------------------------------------------------------------- stage

# make_slow COUNT MS[:FLUSH_MS]...: slow1... on the slices, whose writes (and flushes)
# take so long; the times are used in turn. From 50 ms on: below, dm-delay of 6.12 watches the clock
# in a loop, and nothing else gets a CPU.
make_slow()
{
	local count=$1 i ms

	shift
	local times=("$@")
	modprobe dm-delay
	for ((i = 1; i <= count; i++)); do
		ms=${times[(i - 1) % ${#times[@]}]}
		dmsetup create "slow$i" --table "0 $(sectors_of "/dev/mapper/slice$i") delay \
			/dev/mapper/slice$i 0 0 /dev/mapper/slice$i 0 ${ms%:*} \
			/dev/mapper/slice$i 0 ${ms#*:}"
		defer remove_dm "slow$i"
	done
}

# flush_often [MIB]: pools opened from now on flush their index behind so much log.
flush_often()
{
	echo "${1:-1}" >$module_parameters/flush_log
	defer eval "echo 32 >$module_parameters/flush_log"
}

# clean_always: not only when little of a pool is free.
clean_always()
{
	echo 100 >$module_parameters/clean_free
	defer eval "echo 6 >$module_parameters/clean_free"
}

# many_heads COUNT: pools opened from now on write so many logs side by side, at each occasion.
many_heads()
{
	echo "$1" >$module_parameters/log_heads
	echo 1 >$module_parameters/log_fill
	defer eval "echo 0 >$module_parameters/log_heads; echo 32 >$module_parameters/log_fill"
}

# make_pool [DEVICE]: pool p, and the promise that all of it goes in the end.
make_pool()
{
	cohortctl pool create --force p "${1:-$DISK1}" >/dev/null
	defer strike_stage
}

# attach NAME DEVICE
attach()
{
	cohortctl attach --pool p "$1" "$2" >/dev/null
	SOURCES+=("$1")
}

# The disks of a stage have no serials by which they could be found.
attach_again() { cohortctl attach --pool p "$1" "$2" >/dev/null; }

# raise_stage COUNT SIZE [MS...]: members m1... over slices of $DISK2.
raise_stage()
{
	local count=$1 below=slice i

	make_slices "$count" "$2" "$DISK2"
	shift 2
	if [[ $# -gt 0 ]]; then
		below=slow
		make_slow "$count" "$@"
	fi
	make_pool
	for ((i = 1; i <= count; i++)); do
		attach "m$i" "/dev/mapper/$below$i"
	done
}

# make_small_pool SIZE: pool p on /dev/mapper/store, a part of $DISK1.
make_small_pool()
{
	dmsetup create store --table "0 $(sectors "$1") linear $DISK1 0"
	defer remove_dm store
	make_pool /dev/mapper/store
}

strike_stage()
{
	local name status=0

	for name in $(jobs -p); do
		kill "$name" 2>/dev/null
	done
	for name in $(relationships); do
		cohortctl delete "$name" >/dev/null || status=1
	done
	for name in $(attached_sources); do
		cohortctl detach "$name" >/dev/null || status=1
	done
	cohortctl pool remove p >/dev/null || status=1
	[[ $status -eq 0 ]] || strike_by_force
	return $status
}

# So that the next case does not suffer from this one.
strike_by_force()
{
	local target name

	for target in cohort-replica cohort-source cohort-pool; do
		for name in $(dmsetup ls --target $target | sed -n 's/\s.*(.*//p'); do
			dmsetup resume "$name"
			dmsetup remove --retry "$name"
		done
	done
}

# ---------------------------------------------------------------- restarts

# Of a stage on make_small_pool, with m1... on slice1...
close_pool()
{
	local source

	for source in "${SOURCES[@]}"; do
		cohortctl detach "$source" >/dev/null
	done
	cohortctl pool close p >/dev/null
}

open_pool()
{
	local i

	cohortctl pool open /dev/mapper/store >/dev/null
	for ((i = 1; i <= ${#SOURCES[@]}; i++)); do
		attach_again "m$i" "/dev/mapper/slice$i"
	done
}

restart()
{
	close_pool
	open_pool
}

# As the pool is now, without a word to it.
crash()
{
	freeze /dev/mapper/store
	close_pool
	thaw /dev/mapper/store
	open_pool
}

# ---------------------------------------------------------------- damage

# What is on the pool's disk, as a file.
dump_pool()
{
	dd if=/dev/mapper/store of=pool.img bs=1M iflag=direct status=none
	cohortctl pool dump pool.img
}

# address_of CHUNK: where the first entry of the chunk of the first source lies.
address_of()
{
	dump_pool | sed -n "s/^\t*source [0-9]*, chunk $1, epoch [0-9]*: byte \([0-9]*\).*/\1/p" | head -n 1
}

# flip BYTE: on the disk below, past the module.
flip()
{
	dd if=/dev/mapper/store of=sector bs=512 skip=$(($1 / 512)) count=1 iflag=direct status=none
	poolbyte=$(od -An -tu1 -j $(($1 % 512)) -N 1 sector)
	printf '%b' "\\x$(printf %x $((poolbyte ^ 4)))" |
		dd of=sector bs=1 seek=$(($1 % 512)) conv=notrunc status=none
	dd if=sector of=/dev/mapper/store bs=512 seek=$(($1 / 512)) count=1 oflag=direct status=none
}

damaged() { show p DamagedChunks; }
chunk() { dd if="$1" of=/dev/null bs=4K skip="$2" count=1 iflag=direct status=none; }

# ---------------------------------------------------------------- events

# The module's uevents, whose words are in no netlink event.
watch_uevents()
{
	udevadm monitor --kernel --property >uevents &
	defer kill $!
	wait_for 20 grep -q KERNEL uevents
	sleep 0.5
}

uevents() { grep -cx "COHORT_EVENT=$1" uevents || true; }
were_told() { (($(uevents "$1") >= $2)); }

# ---------------------------------------------------------------- writers

# start_writers CHAINS [OPTION...]: dependent writers over all sources.
start_writers()
{
	local chains=$1

	shift
	stamp write --state "$STATE" --chains "$chains" --slots 2 --size-mix 512..16K \
		--seconds 900 "$@" "${SOURCES[@]/#//dev/mapper/}" >"$STATE.out" 2>&1 &
	stamp wait "$STATE" 100 60 || fail "$(cat "$STATE.out")"
}

# They end with an error when one of their writes had one.
stop_writers() { stamp stop "$STATE" || fail "$(cat "$STATE.out")"; }

# ---------------------------------------------------------------- cuts

before() { stamp mark --acked "$STATE" >"$1.before"; }
after() { stamp mark --issued "$STATE" >"$1.after"; }

snapshot() { cohortctl replicate --type snapshot --name "$@" >/dev/null; }

# cut NAME [OPTION...]: all sources at one instant, between two bounds.
cut_all()
{
	before "$1"
	snapshot "$@" "${SOURCES[@]}"
	after "$1"
}

drop() { cohortctl delete "$1" >/dev/null; }

images()
{
	local i

	for ((i = 1; i <= ${2:-${#SOURCES[@]}}; i++)); do
		echo "/dev/mapper/$1_$i"
	done
}

# judge NAME [IMAGE...]: the checker's exit status; its words in NAME.verdict.
judge()
{
	local name=$1

	shift
	# shellcheck disable=SC2046
	[[ $# -gt 0 ]] || set -- $(images "$name")
	stamp verify --before "$name.before" --after "$name.after" "$@" >"$name.verdict" 2>&1
}

is_consistent() { judge "$@" || fail "$1: $(cat "$1.verdict")"; }

# is_caught NAME [IMAGE...]: a violation, and not just something it can not judge.
is_caught()
{
	local status=0

	judge "$@" || status=$?
	[[ $status -ne 2 ]] || fail "$1: $(cat "$1.verdict")"
	[[ $status -eq 1 ]]
}

# ---------------------------------------------------------------- power cuts

# freeze DEVICE...: what these hold at this instant, as if the power had gone.
freeze()
{
	local device

	for device in "$@"; do
		dd if="$device" of="${device##*/}.frozen" bs=1M iflag=direct status=none
	done
}

# thaw DEVICE...: that again, with nobody on them.
thaw()
{
	local device

	for device in "$@"; do
		dd if="${device##*/}.frozen" of="$device" bs=1M oflag=direct status=none
		rm "${device##*/}.frozen"
	done
}

# ---------------------------------------------------------------- patterns

# put SEED DEVICE OFFSET LENGTH; holds SEED DEVICE OFFSET LENGTH
put() { iocheck pattern-write --seed "$1" --offset "$3" --len "$4" "$2"; }
holds() { iocheck pattern-verify --seed "$1" --offset "$3" --len "$4" "$2"; }
