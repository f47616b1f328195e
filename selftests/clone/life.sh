#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A clone from its cut to the disk that it becomes: read and written meanwhile, through restarts, asked to rest.
# guest: disks=4 size=256M timeout=900 kernel=6.12,debug
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"
. "$(dirname "$0")/stage.sh"

K=1024
M=$((1 << 20))

t_clone_is_the_cut_and_its_targets_are_disks_in_the_end()
{
	raise_slow 2 16M
	put 1 $M1 0 16M
	put 2 $M2 0 16M
	wipe $M1 4M 2M
	clone_of Unsynchronized m1 m2
	put 3 $M1 0 8M
	put 3 $M2 8M 8M
	holds 1 $C1 0 4M
	zeroes $C1 4M 2M
	holds 1 $C1 6M 10M
	holds 2 $C2 0 16M
	whole
	same "$(percent_of)" 100
	same "$(show c SpaceConsumed)" 0 "space of a clone that is whole"
	has_cut m1 && fail "the cut is kept behind the copy"
	holds 1 $C1 6M 10M
	cohortctl detach c
	relationships | grep -qx c && fail "the clone is there"
	[[ ! -e $C1 ]] || fail "its device is there"
	holds 1 $T1 0 4M
	zeroes $T1 4M 2M
	holds 1 $T1 6M 10M
	holds 2 $T2 0 16M
	holds 3 $M1 0 8M
	holds 3 $M2 8M 8M
}

t_replicate_waits_until_the_clone_is_whole()
{
	raise_quick 1 16M
	put 1 $M1 0 16M
	clone_of Synchronized m1 | grep -q 'Synchronized, 1 clone' || fail "it says something else"
	is_in_state c Synchronized || fail "it is not Synchronized"
	dmsetup ls --target cohort-replica | grep -q . && fail "an image is there yet"
	cohortctl detach m1
	cmp /dev/mapper/slice1 $C1
	attach_again m1 /dev/mapper/slice1
	cmp $M1 $T1
	cohortctl dissolve c
	cmp $M1 $T1
}

t_what_is_written_to_a_clone_is_its_own()
{
	raise_slow 1 16M
	put 1 $M1 0 16M
	clone_of Unsynchronized m1
	put 5 $C1 1536 1K
	put 6 $C1 $((3 * M + 512)) 5M
	put 7 $C1 $((16 * M - 512)) 512
	holds 5 $C1 1536 1K
	holds 6 $C1 $((3 * M + 512)) 5M
	holds 1 $C1 0 1536
	holds 1 $M1 0 16M
	whole
	for dev in $C1 $T1; do
		holds 1 "$dev" 0 1536
		holds 5 "$dev" 1536 1K
		holds 1 "$dev" 2560 $((3 * M + 512 - 2560))
		holds 6 "$dev" $((3 * M + 512)) 5M
		holds 1 "$dev" $((8 * M + 512)) $((8 * M - 1024))
		holds 7 "$dev" $((16 * M - 512)) 512
	done
	put 8 $C1 1M 1M
	holds 8 $T1 1M 1M
}

t_discarded_chunks_show_nothing_of_what_the_target_held()
{
	local loop

	raise_stage 1 16M
	modprobe loop
	truncate -s 16M file
	loop=$(losetup -f --show file)
	defer losetup -d "$loop"
	put 9 "$loop" 0 16M
	put 1 $M1 0 16M
	copy_slowly
	cohortctl replicate --type clone --name c --target "$loop" --wait Unsynchronized m1
	defer drop_clone
	cohortctl suspend c
	# the image's: it is dropped
	blkdiscard -o 12M -l 1M $C1
	holds 1 $C1 12M 1M
	# the target's: zeroes
	put 3 $C1 13M 1M
	blkdiscard -o 13M -l 1M $C1
	zeroes $C1 13M 1M
	cohortctl resume c
	whole
	holds 1 $C1 0 13M
	zeroes $C1 13M 1M
	holds 1 $C1 14M 2M
}

t_copying_goes_on_behind_a_restart()
{
	raise_slow 1 32M
	put 1 $M1 0 32M
	clone_of Unsynchronized m1
	put 2 $M1 0 32M
	put 7 $C1 20M 64K
	put 7 $C1 $((25 * M + 512)) 3K
	sync $C1
	restart
	is_in_state c Unsynchronized || fail "it is $(state_of c)"
	[[ $(percent_of) -gt 0 ]] || fail "what had been copied is forgotten"
	holds 7 $C1 20M 64K
	holds 7 $C1 $((25 * M + 512)) 3K
	holds 1 $C1 0 20M
	whole
	restart
	is_in_state c Synchronized || fail "it is $(state_of c)"
	for dev in $C1 $T1; do
		holds 1 "$dev" 0 20M
		holds 7 "$dev" 20M 64K
		holds 1 "$dev" $((20 * M + 64 * K)) $((5 * M + 512 - 64 * K))
		holds 7 "$dev" $((25 * M + 512)) 3K
		holds 1 "$dev" 26M 6M
	done
	cohortctl detach c
	holds 2 $M1 0 32M
}

t_copying_rests_and_goes_on_when_asked()
{
	local before

	raise_slow 1 32M
	put 1 $M1 0 32M
	clone_of Unsynchronized m1
	cohortctl suspend c
	is_in_state c Suspended || fail "it is $(state_of c)"
	refuse -m 'Suspended' cohortctl suspend c
	before=$(show c BytesCopied)
	put 3 $C1 30M 1M
	holds 1 $C1 0 30M
	sleep 2
	same "$(show c BytesCopied)" $((before + M)) "what rests was copied"
	restart
	is_in_state c Suspended || fail "it is $(state_of c)"
	holds 3 $C1 30M 1M
	sleep 2
	same "$(show c BytesCopied)" $((before + M)) "what rests was copied"
	copy_quickly
	cohortctl resume c --wait Synchronized
	holds 1 $T1 0 30M
	holds 3 $T1 30M 1M
	holds 1 $T1 31M 1M
}

# The youngest job that copies.
copy_job()
{
	cohortctl job list --json | jq -r '[.jobs[] | select(.Name == "CopyReplica")] | last.InstanceID'
}

job_is() { [[ $(cohortctl job show "$JOB" --json | number JobState) == "$1" ]]; }

t_its_job_rests_goes_on_and_ends_when_it_is_asked()
{
	local before

	raise_slow 1 32M
	put 1 $M1 0 32M
	clone_of Unsynchronized m1
	JOB=$(copy_job)
	job_is Running || fail "the job does not run"
	cohortctl job pause "$JOB"
	wait_for 20 job_is Suspended
	before=$(show c BytesCopied)
	sleep 2
	same "$(show c BytesCopied)" "$before" "what rests was copied"
	is_in_state c Unsynchronized || fail "it is $(state_of c)"
	cohortctl job resume "$JOB"
	wait_for 20 eval "[[ \$(show c BytesCopied) -gt $before ]]"
	cohortctl job cancel "$JOB"
	wait_for 20 job_is Terminated
	is_in_state c Suspended || fail "it is $(state_of c)"
	holds 1 $C1 0 32M
	copy_quickly
	cohortctl resume c --wait Synchronized
	JOB=$(copy_job)
	job_is Completed || fail "the second job did not complete"
	holds 1 $T1 0 32M
}

t_size_that_is_a_multiple_of_nothing()
{
	local size=$((10243 * 512)) i

	for i in "odd1 $DISK2" "t1 $DISK3"; do
		dmsetup create "${i% *}" --uuid "ODD-${i% *}" --table "0 10243 linear ${i#* } 0"
		defer remove_dm "${i% *}"
	done
	put 901 $T1 0 $size
	make_pool
	attach m1 /dev/mapper/odd1
	put 1 $M1 0 $size
	clone_of Unsynchronized m1
	put 2 $C1 $((size - 1024)) 512
	put 3 $M1 0 $size
	whole
	holds 1 $T1 0 $((size - 1024))
	holds 2 $T1 $((size - 1024)) 512
	holds 1 $T1 $((size - 512)) 512
}

t_members_that_are_cut_one_by_one()
{
	raise_slow 3 8M
	put 1 $M1 0 8M
	put 2 $M2 0 8M
	put 3 /dev/mapper/m3 0 8M
	cohortctl replicate --type clone --name c --force --wait Unsynchronized --consistency none \
		--target $T1 --target $T2 --target /dev/mapper/t3 m1 m2 m3
	defer drop_clone
	put 4 $M1 0 8M
	put 4 $M2 0 8M
	put 4 /dev/mapper/m3 0 8M
	holds 1 $C1 0 8M
	holds 2 $C2 0 8M
	holds 3 /dev/mapper/c_3 0 8M
	restart
	holds 3 /dev/mapper/c_3 0 8M
	whole
	holds 1 $T1 0 8M
	holds 2 $T2 0 8M
	holds 3 /dev/mapper/t3 0 8M
}

t_prepared_clone_has_its_cut_when_it_is_activated()
{
	raise_quick 2 8M
	put 1 $M1 0 8M
	clone_of Inactive m1 m2
	is_in_state c Inactive || fail "it is $(state_of c)"
	[[ ! -e $C1 ]] || fail "there is a device before the cut"
	restart
	put 2 $M1 0 8M
	cohortctl activate c --wait Synchronized
	put 3 $M1 0 8M
	holds 2 $C1 0 8M
	cohortctl detach c
	holds 2 $T1 0 8M
}

t_copy_that_is_given_up_leaves_nothing_of_it_in_the_pool()
{
	# with checkpoints, behind which a segment can be free
	flush_often
	raise_slow 1 32M
	put 1 $M1 0 32M
	clone_of Unsynchronized m1
	put 2 $M1 0 4M
	refuse -m 'force' cohortctl detach c
	cohortctl abort c
	is_in_state c Aborted || fail "it is $(state_of c)"
	[[ ! -e $C1 ]] || fail "there is a device"
	has_cut m1 && fail "the cut is kept"
	restart
	is_in_state c Aborted || fail "it is $(state_of c)"
	[[ ! -e $C1 ]] || fail "there is a device"
	cohortctl detach c
	cohortctl detach m1
	cohortctl pool close p
	cohortctl pool check "$DISK1"
	cohortctl pool dump "$DISK1" >dumped
	grep 'blocks of copy maps' dumped && fail "a segment of a copy map is left"
	cohortctl pool open "$DISK1"
	attach_again m1 /dev/mapper/slice1
	clone_of Unsynchronized m1
	cohortctl detach c --force
	relationships | grep -qx c && fail "the clone is there"
	holds 2 $M1 0 4M
}

t_copying_never_stops_under_a_load()
{
	local load

	raise_quick 1 64M
	put 1 $M1 0 64M
	clone_of Unsynchronized m1
	fio --name=load --filename=$C1 --rw=randrw --bs=4k --direct=1 --ioengine=libaio \
		--iodepth=8 --time_based --runtime=300 --allow_file_create=0 >load.log &
	load=$!
	wait_for 240 is_in_state c Synchronized
	kill -0 $load || fail "the load had ended before: $(cat load.log)"
	kill $load
	wait $load || true
	cohortctl detach c
}

run_tests "$@"
