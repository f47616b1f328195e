#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Allocations fail behind every cut, in the module's workers: no write may notice, and no image.
# guest: disks=2 size=1G timeout=1500 kernel=debug
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

INJECTORS=(failslab fail_page_alloc)
# More than any case comes to; what is left of it tells how many have failed.
TIMES=10000000
CUTS=3

# text_of SYMBOLS...: "FIRST LAST" address of those lines of kallsyms.
text_of() { awk '$2 ~ /[tT]/ { print $1 }' | sort | sed -n '1p;$p'; }

fault_write()
{
	local injector

	for injector in "${INJECTORS[@]}"; do
		echo "$2" >"/sys/kernel/debug/$injector/$1"
	done
}

stop_faults() { fault_write probability 0; }

# start_faults PERCENT: of allocations that have the module on their stack, and no
# system call: those of work queues, completions and timers.
start_faults()
{
	local percent=$1 module call item

	mapfile -t module < <(grep '\[dm_cohort\]$' /proc/kallsyms | text_of)
	mapfile -t call < <(grep -A1 -w do_syscall_64 /proc/kallsyms | text_of)
	for item in stacktrace-depth=32 verbose=0 interval=1 ignore-gfp-wait=N "times=$TIMES" \
		"require-start=0x${module[0]}" "require-end=0x${module[1]}" \
		"reject-start=0x${call[0]}" "reject-end=0x${call[1]}"; do
		fault_write "${item%%=*}" "${item#*=}"
	done
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
	echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
	defer stop_faults
	fault_write probability "$percent"
}

# How many allocations have failed since the start.
failed()
{
	local injector sum=0

	for injector in "${INJECTORS[@]}"; do
		sum=$((sum + TIMES - $(<"/sys/kernel/debug/$injector/times")))
	done
	echo $sum
}

# Taken, judged and dropped, under traffic that may not see an error; for want of memory, asked again.
cuts()
{
	cutloop --retry "$STATE" $CUTS 2 c "${SOURCES[@]}" >verdicts || fail "$(tail -n 2 verdicts)"
	same "$(grep -c '^stamp: consistent' verdicts)" $((CUTS + 2)) "consistent cuts"
	stop_writers
}

# enough LEAST: that many were injected, else nothing has been shown.
enough()
{
	local count

	count=$(failed)
	stop_faults
	note "$count allocations have failed"
	((count >= $1)) || fail "too few to show anything"
}

t_while_cuts_are_taken()
{
	flush_often
	clean_always
	raise_stage 4 2M 60 80 50 70
	start_writers 8 --dsync 10
	start_faults 10
	cuts
	enough 200
}

# A pool that is read again finds the same, whatever could not be allocated meanwhile.
t_before_a_restart()
{
	flush_often
	clean_always
	raise_stage 2 4M
	start_writers 8
	start_faults 50
	before r
	until snapshot r "${SOURCES[@]}"; do
		:
	done
	after r
	sleep 2
	stop_writers
	enough 20
	is_consistent r
	cohortctl detach m1 >/dev/null
	cohortctl detach m2 >/dev/null
	cohortctl pool close p
	cohortctl pool open "$DISK1" >/dev/null
	attach_again m1 "$SLICE1"
	attach_again m2 "$SLICE2"
	is_consistent r
}

# Refused for want of memory, they are asked again; what they leave is as large as its device, and whole.
t_in_extensions_and_scrubs()
{
	local size

	flush_often
	make_slices 1 16M "$DISK2"
	make_small_pool 64M
	attach m1 "$SLICE1"
	put 1 /dev/mapper/m1 0 8M
	snapshot r m1
	put 2 /dev/mapper/m1 0 8M
	start_faults 20
	for size in 80 112 160; do
		dmsetup load store --table "0 $(sectors ${size}M) linear $DISK1 0"
		dmsetup resume store
		until cohortctl pool extend p >/dev/null 2>&1; do
			:
		done
		until cohortctl pool scrub p >/dev/null 2>&1; do
			:
		done
	done
	enough 5
	(($(show p TotalManagedSpace) > 150 << 20)) || fail "the pool has not grown"
	same "$(show p DamagedChunks)" 0 "damaged chunks"
	holds 1 /dev/mapper/r_1 0 8M
}

# What lacks memory is tried again.
t_while_an_image_is_written()
{
	flush_often
	clean_always
	make_slices 1 4M "$DISK2"
	make_small_pool 64M
	attach m1 /dev/mapper/slice1
	put 1 /dev/mapper/m1 0 4M
	snapshot a m1 --writable
	start_faults 10
	fio --name=w --ioengine=libaio --filename=/dev/mapper/a_1 --direct=1 --rw=randwrite \
		--bsrange=512-64k --iodepth=8 --size=4m --io_size=3m --verify=crc32c \
		--verify_fatal=1 --output=fio.log || fail "$(tail fio.log)"
	enough 20
	holds 1 /dev/mapper/m1 0 4M
}

run_tests "$@"
