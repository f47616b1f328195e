#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guest is what selftests/vm/run promises, and lib.sh judges what happens in it.
# guest: disks=4 size=64M timeout=90
. "$(dirname "$0")/../lib.sh"

# a case runs in a directory of its own
HERE=$(cd "$(dirname "$0")" && pwd)

t_disks_are_named_in_order()
{
	same "$(<"/sys/block/${DISK1#/dev/}/serial")" cohort-disk1
	same "$(<"/sys/block/${DISK2#/dev/}/serial")" cohort-disk2
	same "$(sectors_of "$DISK2")" "$(sectors 64M)"
	[[ ! -v DISK5 ]]
}

t_files_of_the_host_are_seen_and_not_changed()
{
	[[ $COHORT_TREE/selftests/lib.sh -ef $HERE/../lib.sh ]]
	echo scratch >"$COHORT_TREE/.written-by-guest"
	same "$(<"$COHORT_TREE/.written-by-guest")" scratch
	same "$(findmnt -n -o FSTYPE /)" overlay
}

t_filesystems_a_test_expects_are_mounted()
{
	local path

	for path in /proc /sys /dev /run /dev/shm /dev/pts /sys/fs/cgroup \
		/sys/kernel/debug /sys/kernel/tracing /sys/kernel/config; do
		mountpoint -q "$path"
	done
	ping -c 1 -W 5 127.0.0.1 || ip -br link show lo | grep -w UNKNOWN
}

t_slices_are_devices_of_their_own()
{
	make_slices 8 4M
	printf 'eight' | dd of="$SLICE8" conv=notrunc,fsync status=none
	same "$(dd if="$DISK1" bs=5 count=1 skip=28M iflag=skip_bytes status=none)" eight
}

t_null_devices_keep_their_data()
{
	make_null 2 16 blocksize=4096
	same "$(blockdev --getss "$NULL2")" 4096
	head -c 1M /dev/urandom >data
	dd if=data of="$NULL1" bs=1M oflag=direct conv=fsync status=none
	dd if="$NULL1" bs=1M count=1 iflag=direct status=none | cmp - data
}

# lib.sh must fail what deserves it: a file of bad cases, each of which must be
# reported as failed.
t_bad_cases_are_reported()
{
	cat >bad.sh <<-'END'
		. "$COHORT_TREE/selftests/lib.sh"
		t_a_command_fails() { false; true; }
		t_not_refused() { refuse true; }
		t_refused_with_other_words() { refuse -m 'no such' dmsetup remove nothing; }
		t_teardown_fails() { defer false; }
		t_unset_variable() { echo "$nowhere"; }
		t_good() { defer true; refuse -m 'Device nothing not found|No such' dmsetup remove nothing; }
		t_skipped() { skip "for a reason"; }
		t_leaves_a_device() { dmsetup create left --table "0 8 zero"; }
		run_tests
	END
	COHORT_KO='' bash bad.sh >out && fail "bad.sh passed"
	cat out
	defer remove_dm left
	grep '^not ok 1 a_command_fails' out
	grep '^not ok 2 not_refused' out
	grep '^not ok 3 refused_with_other_words' out
	grep '^not ok 4 teardown_fails' out
	grep '^not ok 5 unset_variable' out
	grep '^ok 6 good' out
	grep '^ok 7 skipped: for a reason # SKIP' out
	grep '^ok 8 leaves_a_device' out
	grep '^not ok 9 the machine is clean' out
}

t_deferred_is_undone_last_to_first()
{
	cat >order.sh <<-'END'
		. "$COHORT_TREE/selftests/lib.sh"
		t_order() { defer echo first; defer echo second; false; }
		run_tests
	END
	COHORT_KO='' bash order.sh >out || true
	same "$(grep -E '^# (first|second)$' out | tr -d '\n')" "# second# first"
}

run_tests "$@"
