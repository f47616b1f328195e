# shellcheck shell=bash disable=SC2034,SC2154 # used by the tests
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests of clones share: targets that are found again, clones of them, copied slowly or quickly.

T1=/dev/mapper/t1
T2=/dev/mapper/t2
C1=/dev/mapper/c_1
C2=/dev/mapper/c_2
M1=/dev/mapper/m1
M2=/dev/mapper/m2

bytes_of() { blockdev --getsize64 "$1"; }

# make_targets COUNT SIZE [DISK]: t1... of $DISK3, which have an identity, and hold what is no source's.
make_targets()
{
	local i disk=${3:-$DISK3} length

	length=$(sectors "$2")
	for ((i = 1; i <= $1; i++)); do
		dmsetup create "t$i" --uuid "TARGET-$i" \
			--table "0 $length linear $disk $(((i - 1) * length))"
		defer remove_dm "t$i"
		put $((900 + i)) "/dev/mapper/t$i" 0 "$2"
	done
}

SPEED=$module_parameters/copy_speed

# copy_slowly: a MiB a second, so that there is time before the copy is whole.
copy_slowly()
{
	echo 1 >"$SPEED"
	defer copy_quickly
}

copy_quickly() { echo 0 >"$SPEED"; }

# raise_slow COUNT SIZE: pool p, members m1..., and targets to which they are copied slowly.
raise_slow()
{
	make_targets "$1" "$2"
	raise_stage "$1" "$2"
	copy_slowly
}

# raise_quick COUNT SIZE [SIZE_OF_TARGETS]: the same without the wait.
raise_quick()
{
	make_targets "$1" "${3:-$2}"
	raise_stage "$1" "$2"
}

# clone_of WAIT SOURCE...: relationship c, to t1...
clone_of()
{
	local wait=$1 i to=()

	shift
	for ((i = 1; i <= $#; i++)); do
		to+=(--target "/dev/mapper/t$i")
	done
	cohortctl replicate --type clone --name c --force --wait "$wait" "${to[@]}" "$@"
	defer drop_clone
}

drop_clone()
{
	relationships | grep -qx c || return 0
	cohortctl detach c --force >/dev/null
}

state_of() { show "$1" CopyState; }
is_in_state() { [[ $(state_of "$1") == "$2" ]]; }
percent_of() { show c PercentSynced; }

# whole: it is copied without further ado.
whole()
{
	copy_quickly
	# those that rest see it when they are asked to go on, unless it is too late for that
	if cohortctl suspend c >/dev/null; then
		cohortctl resume c --wait Synchronized >/dev/null
	fi
	is_in_state c Synchronized || fail "it is $(state_of c)"
}

# zeroes DEVICE OFFSET LEN
zeroes()
{
	cmp <(head -c "$(numfmt --from=iec "$3")" /dev/zero) \
		<(dd if="$1" bs=64K iflag=skip_bytes,count_bytes skip="$(numfmt --from=iec "$2")" \
			count="$(numfmt --from=iec "$3")" status=none) ||
		fail "$1 is not all zeroes from $2 on"
}

# wipe DEVICE OFFSET LEN
wipe()
{
	dd if=/dev/zero of="$1" bs=64K oflag=direct,seek_bytes iflag=fullblock conv=nocreat \
		seek="$(numfmt --from=iec "$2")" count=$(($(numfmt --from=iec "$3") / 65536)) status=none
}

# restart [DEVICE]: the pool goes and comes back with all it knows; members are on slice1...
restart()
{
	local i

	for i in "${!SOURCES[@]}"; do
		cohortctl detach "${SOURCES[i]}" >/dev/null
	done
	cohortctl pool close p
	cohortctl pool open "${1:-$DISK1}" >/dev/null
	for i in "${!SOURCES[@]}"; do
		attach_again "${SOURCES[i]}" "/dev/mapper/slice$((i + 1))"
	done
}
