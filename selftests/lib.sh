# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What every shell test of the guest shares: cases, teardown by scope, KTAP, the clean machine.
#
# A test file is executable and ends up in a guest (selftests/vm/run):
#
#	#!/bin/bash
#	# SPDX-License-Identifier: GPL-2.0-or-later
#	# One line: what is tested.
#	# guest: disks=4 size=64M timeout=120
#	. "$(dirname "$0")/../lib.sh"
#
#	t_write_reaches_the_disk()
#	{
#		make_slices 2 16M
#		dmsetup create d --table "0 8 linear $SLICE1 0"
#		defer dmsetup remove d
#		...
#	}
#
#	run_tests "$@"
#
# Each t_ function is one case, in the order of the file; "FILE t_NAME..." runs
# just those.  A case runs in a subshell under errexit: any command that fails
# fails it, and what was deferred is undone last to first, whatever happened.
# After the cases comes one more: the machine is as clean as before.
#
# The head line "guest:" (see selftests/harness/guest.py) asks for more than the
# usual guest: disks=N size=SIZE mem=SIZE cpus=N timeout=S udev alone.

COHORT_TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
COHORT_CACHE=${COHORT_CACHE:-/var/cache/cohort}
COHORT_TROUBLE=$COHORT_TREE/selftests/vm/trouble
export COHORT_TREE COHORT_CACHE

# shellcheck source=/dev/null
. "$COHORT_CACHE/linux-source/tools/testing/selftests/kselftest/ktap_helpers.sh" || {
	echo "Bail out! selftests/setup has not been run"
	exit 1
}

# ---------------------------------------------------------------- inside a case

note() { echo "# $*"; }

fail()
{
	note "FAIL: $*"
	exit 1
}

skip()
{
	echo "$*" >"$TEST_DIR/skip"
	exit "$KSFT_SKIP"
}

# defer COMMAND [ARG...]: run it when the case ends, the last deferred first.
defer() { DEFERRED+=("$(printf '%q ' "$@")"); }

# Only for the end of a case; a teardown that fails is a failure of the case.
undo_deferred()
{
	local status=0 i

	for ((i = ${#DEFERRED[@]} - 1; i >= 0; i--)); do
		eval "${DEFERRED[i]}" && continue
		note "teardown failed: ${DEFERRED[i]}"
		status=1
	done
	DEFERRED=()
	return $status
}

# refuse [-m WORDS] COMMAND [ARG...]: the command must fail, with WORDS (an
# extended regular expression) on its stderr or stdout, in one line.
refuse()
{
	local words='' output status=0

	if [[ $1 == -m ]]; then
		words=$2
		shift 2
	fi
	output=$("$@" 2>&1) || status=$?
	# For a case that wants to know more than that it was refused.
	export REFUSED_STATUS=$status REFUSED_OUTPUT=$output
	[[ $status -ne 0 ]] || fail "was not refused: $*"
	[[ $status -lt 124 ]] || fail "died with $status instead of refusing: $*: $output"
	[[ -z $words ]] || grep -qE -- "$words" <<<"$output" ||
		fail "refused $* without saying '$words': $output"
}

# wait_for SECONDS COMMAND [ARG...]: until it succeeds.
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || fail "waited in vain for: $*"
		sleep 0.1
	done
}

same() { [[ $1 == "$2" ]] || fail "${3:-values differ}: '$1' is not '$2'"; }

sectors_of() { blockdev --getsz "$1"; }

# Number of 512-byte sectors in a size like 16M.
sectors() { echo $(($(numfmt --from=iec "$1") / 512)); }

remove_dm() { dmsetup remove --retry "$1"; }

# make_slices COUNT SIZE [DISK]: dm-linear devices over one disk, $SLICE1..., so
# that a test has more members than QEMU has slots.
make_slices()
{
	local count=$1 length disk=${3:-$DISK1} i

	length=$(sectors "$2")
	((count * length <= $(sectors_of "$disk"))) ||
		fail "$disk is too small for $count slices of $2"
	for ((i = 1; i <= count; i++)); do
		dmsetup create "slice$i" --table \
			"0 $length linear $disk $(((i - 1) * length))"
		defer remove_dm "slice$i"
		export "SLICE$i=/dev/mapper/slice$i"
	done
}

# make_null COUNT SIZE_MB [ATTRIBUTE=VALUE...]: memory-backed null_blk devices,
# /dev/cnull1...; named after their configfs directory.
make_null()
{
	local count=$1 size=$2 i dir item

	shift 2
	modprobe null_blk nr_devices=0
	for ((i = 1; i <= count; i++)); do
		dir=/sys/kernel/config/nullb/cnull$i
		mkdir "$dir"
		defer rmdir "$dir"
		echo "$size" >"$dir/size"
		echo 1 >"$dir/memory_backed"
		for item in "$@"; do
			echo "${item#*=}" >"$dir/${item%%=*}"
		done
		echo 1 >"$dir/power"
		wait_for 10 test -b "/dev/cnull$i"
		export "NULL$i=/dev/cnull$i"
	done
}

# ---------------------------------------------------------------- around a case

kernel_log_mark() { echo "cohort-test: $*" >/dev/kmsg; }

# The bad lines of the kernel log since the newest mark.
kernel_trouble()
{
	dmesg | awk -v trouble="$(paste -s -d '|' "$COHORT_TROUBLE")" '
		/cohort-test: / { bad = ""; next }
		$0 ~ trouble { bad = bad $0 "\n" }
		END { printf "%s", bad; exit bad == "" }'
}

end_of_case()
{
	local status=$?

	trap - EXIT ERR
	set +eE
	[[ -e $TEST_DIR/skip ]] && status=$KSFT_SKIP
	undo_deferred || status=1
	exit "$status"
}

run_case()
{
	trap end_of_case EXIT
	trap 'note "failed at ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR
	set -eEu -o pipefail
	DEFERRED=()
	cd "$TEST_DIR"
	"$1"
}

# Runs one case and prints its KTAP line.
judge_case()
{
	local name=${1#t_} status bad

	TEST_DIR=$TESTS_DIR/$name
	mkdir "$TEST_DIR"
	kernel_log_mark "begin $name"
	(run_case "$1") 2>&1 | sed -u '/^#/!s/^/# /'
	status=${PIPESTATUS[0]}
	bad=$(kernel_trouble) && {
		note "kernel log: $bad"
		status=1
	}
	if [[ $status -eq $KSFT_SKIP && -e $TEST_DIR/skip ]]; then
		ktap_test_skip "$name: $(<"$TEST_DIR/skip")"
	elif [[ $status -eq 0 ]]; then
		ktap_test_pass "$name"
	else
		ktap_test_fail "$name"
	fi
}

dm_devices() { dmsetup ls | grep -v '^No devices found'; }
udev_cookies() { dmsetup udevcookies | grep -v '^Cookie'; }

# No dm device, no udev cookie, and nobody holds the module.
machine_is_clean()
{
	local left status=0

	left=$(dm_devices) && {
		note "dm devices left:" "$left"
		status=1
	}
	left=$(udev_cookies) && {
		note "udev cookies left:" "$left"
		status=1
	}
	if [[ -n $COHORT_KO ]]; then
		rmmod dm_cohort && modprobe dm_cohort || status=1
	fi
	left=$(kernel_trouble) && {
		note "kernel log: $left"
		status=1
	}
	return $status
}

cases_of_file()
{
	grep -oE '^t_[a-zA-Z0-9_]+ *\(\)' "$0" | sed 's/ *()//'
}

run_tests()
{
	local cases name

	if [[ $# -gt 0 ]]; then
		cases=("$@")
	else
		mapfile -t cases < <(cases_of_file)
	fi
	TESTS_DIR=$(mktemp -d)
	ktap_print_header
	ktap_set_plan $((${#cases[@]} + 1))
	for name in "${cases[@]}"; do
		judge_case "$name"
	done
	kernel_log_mark "end of $0"
	rm -rf "$TESTS_DIR"
	if machine_is_clean 2>&1; then
		ktap_test_pass "the machine is clean"
	else
		ktap_test_fail "the machine is clean"
	fi
	ktap_finished
}
