#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A pool with ten million preserved chunks: opened without reading its log, within bounded memory, and emptied.
# guest: disks=2 size=48G timeout=400 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

CHUNKS=10000000
# every access to memory is looked at there: less of it
[[ $(uname -r) != *debug* ]] || CHUNKS=1000000
# What a restart may read, and the index have of memory, whatever the pool holds.
READ_MIB=64
INDEX_MIB=16

sectors_read() { awk '{ print $3 }' "/sys/block/${DISK1##*/}/stat"; }
cache_bytes() { cat /sys/module/dm_bufio/parameters/current_allocated_bytes; }
slab_kb() { awk '/^SUnreclaim:/ { print $2 }' /proc/meminfo; }
vmalloc_bytes() { awk '/dm_cohort/ { n += $2 } END { print n + 0 }' /proc/vmallocinfo; }

raise()
{
	poolgen "$DISK1" $CHUNKS
	echo 3 >/proc/sys/vm/drop_caches
	echo $INDEX_MIB >$module_parameters/index_memory
	defer eval "echo 64 >$module_parameters/index_memory"
	dmsetup create disk --table "0 $((CHUNKS * 8)) linear $DISK2 0"
	defer remove_dm disk
	defer strike_stage
}

# read_image COUNT: that many chunks of it, wherever they are; all of them are zeroes.
read_image()
{
	fio --name=r --filename=/dev/mapper/old_1 --direct=1 --rw=randread --bs=4k --iodepth=16 \
		--ioengine=libaio --number_ios="$1" --norandommap --output=/dev/null
}

t_opens_at_once_and_keeps_within_its_memory()
{
	local before started slab vmalloc

	raise
	slab=$(slab_kb)
	vmalloc=$(vmalloc_bytes)
	before=$(sectors_read)
	started=${EPOCHREALTIME/./}
	cohortctl pool open "$DISK1" >/dev/null
	note "opened in $(((${EPOCHREALTIME/./} - started) / 1000)) ms," \
		"$((($(sectors_read) - before) / 2)) KiB were read"
	((($(sectors_read) - before) / 2048 <= READ_MIB)) || fail "a restart has read the log"
	same "$(show p PreservedChunks)" $CHUNKS
	cohortctl attach --pool p m1 /dev/mapper/disk >/dev/null
	before=$(sectors_read)
	cmp -n 4096 /dev/mapper/old_1 /dev/zero
	note "the first read of the image took $((($(sectors_read) - before) / 2)) KiB"
	read_image 20000
	same "$(show p IndexRuns)" 1 "runs"
	(($(show p IndexMemory) <= $(show p IndexMemoryLimit))) ||
		fail "$(show p IndexMemory) bytes of index"
	note "cache $(($(cache_bytes) >> 10)) KiB, vmalloc $((($(vmalloc_bytes) - vmalloc) >> 10)) KiB," \
		"slab $(($(slab_kb) - slab)) KiB more"
	(($(cache_bytes) + $(vmalloc_bytes) - vmalloc < INDEX_MIB << 20)) ||
		fail "the index takes more memory than it may"
}

nothing_preserved() { [[ $(show p PreservedChunks) == 0 ]]; }

t_writes_know_what_is_there_and_deletion_frees_it()
{
	local free

	raise
	cohortctl pool open "$DISK1" >/dev/null
	cohortctl attach --pool p m1 /dev/mapper/disk >/dev/null
	free=$(show p RemainingManagedSpace)
	fio --name=w --filename=/dev/mapper/m1 --direct=1 --rw=randwrite --bs=4k --iodepth=16 \
		--ioengine=libaio --number_ios=2000 --norandommap --output=/dev/null
	same "$(show p PreservedChunks)" $CHUNKS "chunks"
	drop old
	wait_for 60 nothing_preserved
	(($(show p RemainingManagedSpace) - free > (CHUNKS << 12) * 9 / 10)) ||
		fail "the space did not come back: $free then, $(show p RemainingManagedSpace) now"
}

run_tests "$@"
