#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A pool that takes its time: what it was not yet asked to keep, or has not kept, is not overwritten.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# slow_down MS: from now on each write to the pool's disk takes so long.
slow_down()
{
	modprobe dm-delay
	dmsetup load store --table "0 $(sectors 48M) delay $DISK1 0 0 $DISK1 0 $1"
	dmsetup suspend --noflush --nolockfs store
	dmsetup resume store
}

raise()
{
	make_slices 1 64M "$DISK2"
	make_small_pool 48M
	attach m1 "$SLICE1"
	put 1 /dev/mapper/m1 0 64M
}

t_image_of_a_chunk_that_is_on_its_way()
{
	local writer

	raise
	snapshot r m1
	slow_down 10000
	put 2 /dev/mapper/m1 0 64K &
	writer=$!
	wait_for 30 has_writes_inside m1
	sleep 1
	holds 1 /dev/mapper/r_1 0 64K
	kill -0 $writer || fail "the overwrite did not wait for the pool"
	wait $writer
	holds 1 /dev/mapper/r_1 0 64K
	holds 2 /dev/mapper/m1 0 64K
}

free_segments() { status_field p 1 | awk -F / '{ print $2 - $1 }'; }

# The pool is too small for it: a restart must know that before a write relies on it.
t_broken_on_the_disk_before_a_write_relies_on_it()
{
	local at=34

	raise
	snapshot r m1
	put 2 /dev/mapper/m1 0 ${at}M
	while (($(free_segments) > 8)); do
		put 2 /dev/mapper/m1 $((at++))M 1M
	done
	same "$(show r CopyState)" Synchronized "state before the pool is full"
	slow_down 2000
	# large writes, for each waits for the pool
	dd if=/dev/zero of=/dev/mapper/m1 bs=4M seek=$((at / 4 + 1)) count=1 oflag=direct status=none
	freeze /dev/mapper/store
	same "$(show r CopyState)" Broken "state when it is"
	slow_down 0
	drop r
	cohortctl detach m1
	cohortctl pool close p
	thaw /dev/mapper/store
	cohortctl pool open /dev/mapper/store
	same "$(show r CopyState)" Broken "state after the restart"
}

run_tests "$@"
