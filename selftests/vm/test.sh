#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# selftests/vm/run judged from outside: status, streams, every kind of death, disks, refusals.
#
# Runs on the host, boots a guest per case, without the module.
# shellcheck disable=SC2016,SC2317 # guest scripts are quoted; cases are called by check

cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
number=0
failed=0

# run STATUS ARG...: the runner must exit with STATUS; leaves $dir/out and $dir/err.
run()
{
	local wanted=$1 status=0

	shift
	selftests/vm/run --no-module --timeout 120 "$@" >"$dir/out" 2>"$dir/err" || status=$?
	[[ $status -eq $wanted ]] && return
	echo "# exit status $status, not $wanted: $*"
	tail -n 30 "$dir/err" | sed 's/^/# /'
	return 1
}

# What COMMAND wrote to its second stream, without the runner's words of a boot that was none.
errors() { grep -av '^selftests/vm/run: .*booting again: ' "$dir/err"; }

# same FILE COMMAND...: COMMAND's output is that file, byte by byte.
same()
{
	"${@:2}" | cmp -s - "$1" && return
	echo "# $1 is not what was wanted:"
	head -c 1000 "$1" | cat -A | sed 's/^/# /'
	echo "# words:"
	head -n 20 "$dir/err" | sed 's/^/# /'
	return 1
}

says() { grep -qE -- "$2" "$dir/$1" || { echo "# no '$2' in $1"; return 1; }; }

check()
{
	number=$((number + 1))
	if "$@"; then
		echo "ok $number ${*//_/ }"
	else
		failed=$((failed + 1))
		echo "not ok $number ${*//_/ }"
	fi
}

status_and_streams_on()
{
	run 7 --kernel "$1" --disk 32M --disk 64M,logical_block_size=4096,physical_block_size=4096 \
		--env COLOUR='light blue' --log "$dir/log" -- bash -c '
		uname -r; echo "$COLOUR"; echo to-stderr >&2; cat
		blockdev --getsize64 $DISK1; blockdev --getss $DISK2; echo "udev $DM_DISABLE_UDEV"
		pwd; exit 7' || return
	same "$dir/out" printf '%s\n' "$(selftests/harness/release "$1")" 'light blue' 33554432 \
		4096 'udev 1' "$PWD" || return
	errors | head -n 1 >"$dir/first"
	same "$dir/first" echo to-stderr && grep -q 'Linux version' "$dir/log"
}

output_is_complete_and_binary_safe()
{
	head -c 3M /dev/urandom >"$dir/data"
	run 0 -- cat "$dir/data" && same "$dir/out" cat "$dir/data" || return
	errors >"$dir/errors"
	same "$dir/errors" true
}

cpus_that_take_turns_are_two()
{
	run 0 --turns -- nproc && says out '^2$' && run 0 --icount -- nproc && says out '^2$'
}

# No event index, and each disk is read from each CPU although nobody wants anything of it.
what_stands_still_goes_on()
{
	run 0 --turns --disk 16M -- bash -ec '
		[[ $(cut -c 30 /sys/bus/virtio/devices/*/features) != *1* ]]
		read -r before _ <"/sys/block/${DISK1##*/}/stat"
		sleep 4
		read -r after _ <"/sys/block/${DISK1##*/}/stat"
		((after >= before + 3))'
}

a_panic_fails_the_run()
{
	run 125 --log "$dir/log" -- bash -c 'echo c >/proc/sysrq-trigger; sleep 60' &&
		says err 'kernel is in trouble: .*Kernel panic.*sysrq' && says log 'Call Trace'
}

a_warning_fails_the_run_of_a_good_command()
{
	run 125 -- bash -c 'echo "WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg; echo done' &&
		says out '^done$' && says err 'kernel is in trouble: .*at nowhere'
}

# Nothing of ours has run yet: tried again, told, and not for ever.
a_kernel_that_never_comes_up_fails_the_run()
{
	run 125 --append 'rdinit=/nowhere root=/dev/nowhere' -- true &&
		says err 'booting again: .*Kernel panic' && says err 'kernel is in trouble: .*Kernel panic'
}

# The command goes on for minutes, but its guest does not.
a_killed_guest_is_no_success()
{
	run 125 -- bash -c 'echo o >/proc/sysrq-trigger; sleep 60' &&
		says err 'guest died before COMMAND ended'
}

time_is_limited()
{
	run 124 --timeout 4 -- bash -c 'echo begun; sleep 1000' &&
		says out '^begun$' && says err 'timeout: COMMAND did not end within 4 s'
}

# One that ends by itself, but too late, and with no case that failed.
a_file_that_takes_too_long_fails_and_says_where()
{
	printf '#!/bin/bash\nsleep 12\necho end\n' >"$dir/slow"
	chmod +x "$dir/slow"
	echo "0 3 $dir/slow" >"$dir/list"
	rm -rf "$dir/kept"
	run 0 --out "$dir/kept" -- selftests/vm/batch "$dir/list" &&
		[[ $(<"$dir/kept/0.status") == 124 ]] && grep -q '^# .* sleep S ' "$dir/kept/0.out"
}

udev_makes_links()
{
	run 0 --udev --disk 16M -- bash -ec '
		dmsetup create linked --table "0 8 linear $DISK1 0"
		[[ -L /dev/mapper/linked && -L /dev/disk/by-id/dm-name-linked && ! -v DM_DISABLE_UDEV ]]
		dmsetup remove linked
		[[ ! -e /dev/mapper/linked ]]'
}

a_power_cut_keeps_the_disk_and_the_out_directory()
{
	truncate -s 16M "$dir/disk"
	run 137 --disk-file "$dir/disk" --out "$dir/kept" --kill-after 0.2 -- bash -ec '
		printf kept | dd of=$DISK1 conv=notrunc,fsync status=none
		echo outside >"$COHORT_OUT/file"
		echo READY-FOR-KILL; sleep 1000' &&
		[[ $(head -c 4 "$dir/disk") == kept && $(<"$dir/kept/file") == outside ]]
}

refused()
{
	local words=$1

	shift
	run 125 "$@" && says err "^selftests/vm/run: .*$words" && [[ $(wc -l <"$dir/err") -eq 1 ]]
}

what_cannot_be_is_refused()
{
	refused '--kernel 5.10: must be' --kernel 5.10 -- true &&
		refused '--disk big: not a size' --disk big -- true &&
		refused 'nowhere: does not exist' --disk-file /nowhere -- true &&
		refused '--env 1=2: not NAME=VALUE' --env 1=2 -- true
}

echo "TAP version 13"
echo "1..14"
check status_and_streams_on 6.1
check status_and_streams_on 6.12
check output_is_complete_and_binary_safe
check cpus_that_take_turns_are_two
check what_stands_still_goes_on
check a_panic_fails_the_run
check a_warning_fails_the_run_of_a_good_command
check a_kernel_that_never_comes_up_fails_the_run
check a_killed_guest_is_no_success
check time_is_limited
check a_file_that_takes_too_long_fails_and_says_where
check udev_makes_links
check a_power_cut_keeps_the_disk_and_the_out_directory
check what_cannot_be_is_refused
[[ $failed -eq 0 ]]
