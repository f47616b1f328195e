#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The golden images, whole and damaged and repaired, as the module takes them; a pool that is checked on its disk.
# guest: disks=2 size=16M timeout=300 sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

GOLDEN=$COHORT_TREE/selftests/golden

unpack() { xz -dc "$GOLDEN/v1-$1.img.xz"; }

# lay IMAGE [WAY]: the pool on $DISK1, the members on the slices of $DISK2; damaged and repaired.
lay()
{
	unpack "$1" >pool.img
	if [[ -n ${2:-} ]]; then
		poolhurt "$2" pool.img
		cohortctl pool check --repair pool.img >said || [[ $2 == chunk_flip ]]
	fi
	make_slices 2 256K "$DISK2"
	dmsetup create low --table "0 $(sectors 10M) linear $DISK1 0"
	defer remove_dm low
	dd if=pool.img of=/dev/mapper/low bs=1M conv=fsync status=none
	unpack a | dd of="$SLICE1" bs=64K iflag=fullblock conv=fsync status=none
	unpack b | dd of="$SLICE2" bs=64K iflag=fullblock conv=fsync status=none
}

raise()
{
	cohortctl pool open /dev/mapper/low >/dev/null
	defer cohortctl pool close golden
	attach_golden a "$SLICE1"
	attach_golden b "$SLICE2"
}

attach_golden()
{
	cohortctl attach --pool golden "$1" "$2" >/dev/null
	defer cohortctl detach "$1"
}

# The images of REL... are what they were when they were taken.
images_are_right()
{
	local rel

	for rel in "$@"; do
		grep " ${rel}_" "$GOLDEN/v1.sums" | sed 's,  ,  /dev/mapper/,' | sha256sum -c --quiet
	done
}

t_check_reads_the_disk_and_not_what_somebody_read_before()
{
	exec 8<"$DISK1"
	dd if="$DISK1" of=/dev/null bs=1M count=8 status=none
	cohortctl pool create --force p "$DISK1"
	cohortctl pool close p
	cohortctl pool check "$DISK1" | grep -q 'pool p is whole'
	exec 8<&-
	cohortctl pool open "$DISK1"
	cohortctl pool remove p
}

t_closed_pool()
{
	lay closed
	raise
	images_are_right both one
	same "$(show one HoldTime)" 30
	same "$(cohortctl group list | grep -cE '^(empty|replicas) ')" 2 "groups"
	# and it goes on
	cohortctl replicate --type snapshot --name more a b >/dev/null
	dd if=/dev/zero of=/dev/mapper/a bs=64K count=4 oflag=direct status=none
	images_are_right both one
	cohortctl delete more >/dev/null
}

t_crashed_pool()
{
	lay crashed
	raise
	images_are_right both one
}

t_pool_with_runs()
{
	lay runs
	raise
	same "$(show golden IndexRuns)" 2
	images_are_right both one
}

# What was written to its images is there; and they are written again.
t_pool_with_overlays()
{
	lay overlays
	raise
	sed 's,  ,  /dev/mapper/,' "$GOLDEN/v1-overlays.sums" | sha256sum -c --quiet
	same "$(show both CopyState)" Skewed
	cohortctl reset both >/dev/null
	cohortctl reset one >/dev/null
	images_are_right both one
}

# Where what was moved is now; a copy that is older than what a run says does not count.
t_chunks_that_were_moved()
{
	local way

	for way in overlay_moved overlay_moved_old; do
		(
			set -eu
			DEFERRED=()
			lay overlays "$way"
			raise
			sed 's,  ,  /dev/mapper/,' "$GOLDEN/v1-overlays.sums" | sha256sum -c --quiet
			cohortctl reset both >/dev/null
			cohortctl reset one >/dev/null
			images_are_right both one
			undo_deferred
		)
	done
}

t_runs_that_were_repaired()
{
	lay runs run_leaf_flip
	raise
	same "$(show golden IndexRuns)" 0
	images_are_right both one
}

t_repaired_without_loss()
{
	local way

	for way in super_newer_flip super_older_zero table_block_zero table_length_short group_stranger; do
		(
			set -eu
			DEFERRED=()
			lay crashed "$way"
			raise
			images_are_right both one
			undo_deferred
		)
	done
}

t_repaired_with_loss()
{
	local way

	for way in batches_flip batch_last_torn; do
		(
			set -eu
			DEFERRED=()
			lay closed "$way"
			raise
			same "$(show both CopyState)/$(show one CopyState)" Broken/Broken "$way"
			refuse dd if=/dev/mapper/both_1 of=/dev/null bs=4K iflag=direct
			cohortctl replicate --type snapshot --name more a b >/dev/null
			dd if=/dev/zero of=/dev/mapper/a bs=64K count=4 oflag=direct status=none
			unpack a | cmp - /dev/mapper/more_1
			cohortctl delete more >/dev/null
			undo_deferred
		)
	done
}

t_what_stays_is_an_error()
{
	local bad=() i

	lay closed chunk_flip
	raise
	refuse dd if=/dev/mapper/both_1 of=/dev/null bs=4K iflag=direct
	# the chunk is one of sixty-four
	for i in {0..63}; do
		dd if=/dev/mapper/both_1 of=/dev/null bs=4K skip="$i" count=1 iflag=direct \
			status=none 2>/dev/null || bad+=("$i")
	done
	same "${bad[*]}" 1 "chunks in error"
	images_are_right one
}

# What the module refuses, the tool repairs.
t_refused_then_repaired()
{
	lay closed
	unpack closed >pool.img
	poolhurt batch_preserve_flip pool.img
	dd if=pool.img of=/dev/mapper/low bs=1M conv=fsync status=none
	refuse -m 'is damaged: .cohortctl pool check /dev/mapper/low. says where' \
		cohortctl pool open /dev/mapper/low
	refuse -m 'is repairable' cohortctl pool check /dev/mapper/low
	cohortctl pool check --repair /dev/mapper/low
	raise
	same "$(show both CopyState)/$(show one CopyState)" Broken/Broken
}

t_checked_on_its_disk()
{
	lay closed
	raise
	refuse -m 'in use' cohortctl pool check /dev/mapper/low
	same "$REFUSED_STATUS" 5
	refuse -m 'in use' cohortctl pool dump /dev/mapper/low
	undo_deferred
	lay crashed
	cohortctl pool check /dev/mapper/low | grep -q ' is whole: '
	cohortctl pool dump /dev/mapper/low | diff "$GOLDEN/v1-crashed.dump" -
}

run_tests "$@"
