#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What breaks cuts elsewhere: NOWAIT, reclaim, stacked members, lost slots, discards, CPUs that go, restless pages.
# guest: disks=4 size=1G timeout=900 long parallel
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

# A write that would have to wait says so, and is not lost or let through.
t_nowait_writes_among_cuts()
{
	local writer i

	raise_stage 1 32M
	put 1 /dev/mapper/m1 0 32M
	snapshot r0 m1
	timeout 120 iocheck nowait --retry --seed 7 --count 4000 --depth 8 /dev/mapper/m1 >out &
	writer=$!
	for i in 1 2 3; do
		snapshot "r$i" m1
	done
	wait $writer || fail "$(cat out)"
	note "$(cat out)"
	(($(awk '{ print $4 }' out) > 0)) || fail "no write was told to wait"
	holds 1 /dev/mapper/r0_1 0 32M
}

# Pages go to a source and come back while it is cut; none may be lost, nothing may stop.
t_swap_on_a_member_under_memory_pressure()
{
	local group=/sys/fs/cgroup/pressed eater i

	raise_stage 2 192M
	mkswap -q /dev/mapper/m1
	defer wipefs -qa /dev/mapper/m1
	swapon /dev/mapper/m1
	defer swapoff /dev/mapper/m1
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir $group
	defer rmdir $group
	echo 48M >$group/memory.max
	cat >eat.py <<-'END'
		import random, sys
		size, page = 120 << 20, 4096
		memory = bytearray(size)
		for round in range(3):
		    for at in range(0, size, page):
		        memory[at:at + 8] = (at ^ round).to_bytes(8, "little")
		    for at in range(0, size, page):
		        if memory[at:at + 8] != (at ^ round).to_bytes(8, "little"):
		            sys.exit("page %d is wrong in round %d" % (at // page, round))
	END
	bash -c "echo \$\$ >$group/cgroup.procs; exec python3 eat.py" &
	eater=$!
	for ((i = 1; i <= 6; i++)); do
		timeout 60 cohortctl replicate --type snapshot --name "r$i" m1 m2 >/dev/null
		((i < 3)) || drop "r$((i - 2))"
	done
	wait $eater
	(($(awk '$1 == "/dev/mapper/m1" || $1 ~ /dm-/ { print $4 }' /proc/swaps) >= 0))
	(($(awk '$1 == "pswpout" { print $2 }' /proc/vmstat) > 1000)) || fail "nothing was swapped"
}

# A member on top of a member: a write is counted twice, at two instants.
t_member_on_a_member()
{
	local i

	raise_stage 2 8M 60 90
	attach top /dev/mapper/m1
	SOURCES=(top m2)
	start_writers 8
	for ((i = 1; i <= 4; i++)); do
		before "r$i"
		snapshot "r$i" top m1 m2
		after "r$i"
		is_consistent "r$i" "/dev/mapper/r${i}_1" "/dev/mapper/r${i}_3"
		is_consistent "r$i" "/dev/mapper/r${i}_2" "/dev/mapper/r${i}_3"
	done
	is_consistent r1 /dev/mapper/r1_1 /dev/mapper/r1_3
	stop_writers
}

# Writes that end with an error are uncounted too: no era waits for them for ever.
t_failed_writes_leave_no_open_era()
{
	local i n

	raise_stage 2 8M
	n=$(sectors 8M)
	put 1 /dev/mapper/m1 0 1M
	for ((i = 1; i <= 6; i++)); do
		dmsetup load slice1 --table "0 $n error"
		dmsetup resume slice1
		refuse put 2 /dev/mapper/m1 4M 256K
		dmsetup load slice1 --table "0 $n linear $DISK2 0"
		dmsetup resume slice1
		snapshot "r$i" m1 m2
	done
	same "$(open_eras m1)" 1 "open eras"
	same "$(writes_inside m1)" 0 "writes counted"
	put 3 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/r1_1 0 1M
	holds 1 /dev/mapper/r6_1 0 1M
}

# A discard takes content away like a write does.
t_discards_among_cuts()
{
	local i

	raise_stage 2 32M
	put 1 /dev/mapper/m1 0 32M
	snapshot r0 m1 m2
	blkdiscard -o 4M -l 8M /dev/mapper/m1
	holds 1 /dev/mapper/r0_1 0 32M
	blkdiscard -z -o 12M -l 8M /dev/mapper/m1
	holds 1 /dev/mapper/r0_1 0 32M
	cmp -n 8M -i 12M:0 /dev/mapper/m1 /dev/zero
	timeout 120 iocheck rand-verify --seed 5 --seconds 8 --shadow shadow /dev/mapper/m1 &
	for i in 1 2 3 4; do
		snapshot "r$i" m1 m2
	done
	wait $!
	holds 1 /dev/mapper/r0_1 0 32M
}

# Counts of a CPU that is gone still count.
t_cpus_come_and_go_during_cuts()
{
	local cpu=/sys/devices/system/cpu/cpu1/online i toggler

	[[ -e $cpu ]] || skip "no CPU to take away"
	raise_stage 4 8M 60 90
	start_writers 16
	defer eval "echo 1 >$cpu"
	while [[ ! -e quiet ]]; do
		echo 0 >$cpu
		sleep 0.3
		echo 1 >$cpu
		sleep 0.3
	done &
	toggler=$!
	for ((i = 1; i <= 8; i++)); do
		cut_all "h$i"
		is_consistent "h$i"
		((i < 3)) || drop "h$((i - 2))"
	done
	touch quiet
	wait $toggler
	stop_writers
}

# Pages that change between two reads of them would put later data before the cut.
t_pages_modified_in_flight()
{
	local writer cut i newest before=0

	# what is written back reaches the disk long after the flip of a cut it was counted before
	raise_stage 1 8M 3000:0
	iocheck mmap-write --state values --seconds 18 --jobs 2 --len 2M /dev/mapper/m1 &
	writer=$!
	wait_for 20 test -s values
	for i in 1 2 3; do
		sleep 1.2
		snapshot "r$i" m1 &
		cut=$!
		wait_for 20 has_cut_above "$before"
		newest=$(iocheck bounds values)
		wait $cut
		iocheck mmap-check --after "$newest" --len 2M "/dev/mapper/r${i}_1"
		before=$(newest_cut m1)
	done
	wait $writer
	iocheck mmap-check --after "$newest" --len 2M /dev/mapper/r3_1
}

has_cut_above() { has_cut m1 && (($(newest_cut m1) > $1)); }

run_tests "$@"
