#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks that go away: a member's and the pool's pulled out under load, a pool's table, a disk that takes no write.
# guest: disks=4 size=1G timeout=600
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# One more SCSI disk of SIZE MiB, $SCSI.
make_scsi()
{
	modprobe sd_mod
	modprobe scsi_debug dev_size_mb="$1" per_host_store=1
	defer drop_scsi
	wait_for 20 compgen -G '/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*'
	SCSI=$(compgen -G '/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*')
	SCSI=/dev/${SCSI##*/}
	wait_for 20 test -b "$SCSI"
}

drop_scsi()
{
	local i

	for ((i = 0; i < 50; i++)); do
		rmmod scsi_debug 2>/dev/null && return
		sleep 0.2
	done
	rmmod scsi_debug
}

pull() { echo 1 >"/sys/block/${1#/dev/}/device/delete"; }

t_member_is_pulled()
{
	raise_stage 2 32M
	make_scsi 32
	attach m3 "$SCSI"
	put 1 /dev/mapper/m1 0 1M
	put 1 /dev/mapper/m3 0 1M
	snapshot r m1 m2 m3
	put 2 /dev/mapper/m3 0 512K
	timeout 100 iocheck rand-verify --seed 3 --seconds 10 --shadow shadow /dev/mapper/m2 &
	LOAD=$!
	timeout 100 iocheck rand-verify --seed 4 --seconds 10 --shadow gone /dev/mapper/m3 \
		>gone.out 2>&1 &
	sleep 1
	pull "$SCSI"
	refuse put 3 /dev/mapper/m3 8M 64K
	refuse -m 'm3' cohortctl replicate --type snapshot --name s m1 m2 m3
	same "$(relationships)" r "relationships"
	put 2 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/r_1 0 1M
	refuse holds 1 /dev/mapper/r_3 16M 64K
	snapshot t m1 m2
	put 3 /dev/mapper/m1 0 1M
	holds 2 /dev/mapper/t_1 0 1M
	wait "$LOAD"
	wait || true
	drop t
	drop r
	cohortctl detach m3
	SOURCES=(m1 m2)
}

# raise_on_scsi: the pool lies on the disk that will be pulled.
t_pool_is_pulled()
{
	local i

	make_slices 2 32M "$DISK2"
	make_scsi 256
	cohortctl pool create p "$SCSI"
	defer strike_without_pool
	attach m1 "$SLICE1"
	attach m2 "$SLICE2"
	put 1 /dev/mapper/m1 0 8M
	put 1 /dev/mapper/m2 0 8M
	snapshot r m1 m2
	snapshot s m1 m2
	timeout 100 iocheck rand-verify --seed 3 --seconds 10 --shadow shadow /dev/mapper/m2 &
	LOAD=$!
	sleep 1
	pull "$SCSI"
	timeout 60 iocheck pattern-write --seed 2 --offset 0 --len 8M /dev/mapper/m1 ||
		fail "the source did not go on"
	holds 2 /dev/mapper/m1 0 8M
	wait "$LOAD" || fail "the load saw an error"
	for i in r s; do
		same "$(show $i CopyState)" Broken "state of $i"
		same "$(cohortctl show $i --json | sed -n '/"Members"/,$ s/^ *"CopyState": "\(.*\)".*/\1/p' |
			sort -u)" Broken "members of $i"
		refuse holds 1 "/dev/mapper/${i}_1" 0 64K
		refuse holds 1 "/dev/mapper/${i}_2" 0 64K
	done
	same "$(cohortctl pool list --json | number State)" Failed "state of the pool"
	refuse -m 'p.*failed' cohortctl replicate --type snapshot --name t m1 m2
	# the disks are plain disks with all that was written
	put 4 /dev/mapper/m1 0 1M
	cohortctl detach m1 || note "detach: $?"
	cohortctl detach m2 || note "detach: $?"
	cohortctl pool close p
	holds 4 "$SLICE1" 0 1M
	iocheck compare --shadow shadow "$SLICE2"
}

# table_of DEVICE TABLE: takes the place of the one it has.
table_of()
{
	dmsetup load "$1" --table "$2"
	timeout 60 dmsetup resume "$1"
}

t_reads_that_wait_for_a_pool_end_when_its_table_goes()
{
	local reader status=0

	make_slices 1 32M "$DISK2"
	cohortctl pool create --force p "$DISK1"
	defer strike_without_pool
	attach m1 "$SLICE1"
	put 1 /dev/mapper/m1 0 1M
	snapshot r m1
	put 2 /dev/mapper/m1 0 1M
	dmsetup suspend p
	timeout 60 dd if=/dev/mapper/r_1 of=/dev/null bs=64K count=1 iflag=direct 2>dd.out &
	reader=$!
	sleep 1
	kill -0 $reader || fail "the read did not wait: $(cat dd.out)"
	table_of p "0 $(sectors_of "$DISK1") error"
	wait $reader || status=$?
	same "$status" 1 "exit status of the reader"
	put 3 /dev/mapper/m1 0 1M
	holds 3 /dev/mapper/m1 0 1M
	dmsetup remove r_1
	dmsetup remove m1
	dmsetup remove p
	holds 3 "$SLICE1" 0 1M
}

pool_has_failed() { [[ $(cohortctl pool list --json | number State) == Failed ]]; }

# Not even the mark that it failed can be written: its snapshots must not come back whole.
t_pool_that_takes_no_write_comes_up_broken()
{
	local n

	n=$(sectors 256M)
	make_slices 1 32M "$DISK2"
	dmsetup create below --table "0 $n linear $DISK1 0"
	defer remove_dm below
	cohortctl pool create --force p /dev/mapper/below
	defer strike_without_pool
	attach m1 "$SLICE1"
	put 1 /dev/mapper/m1 0 4M
	snapshot r m1
	table_of below "0 $n error"
	put 2 /dev/mapper/m1 0 4M
	wait_for 30 pool_has_failed
	# a deletion that can not be recorded takes the broken images, and leaves nothing busy
	refuse -m 'log.*could not be written' cohortctl delete r
	refuse -m 'log.*could not be written' cohortctl delete r
	table_of below "0 $n linear $DISK1 0"
	cohortctl detach m1 || note "detach: $?"
	cohortctl pool close p
	cohortctl pool open /dev/mapper/below
	attach_again m1 "$SLICE1"
	same "$(show r CopyState)" Broken "state of r"
	refuse holds 1 /dev/mapper/r_1 0 64K
	drop r
	snapshot s m1
	put 3 /dev/mapper/m1 0 1M
	holds 2 /dev/mapper/s_1 0 4M
	drop s
	cohortctl detach --forget m1
	cohortctl pool remove p
}

# What failed is known although one superblock is lost, whichever.
t_either_superblock_knows_that_the_log_failed()
{
	local at

	make_slices 1 32M "$DISK2"
	dmsetup create below --table "0 $(sectors 64M) linear $DISK1 0"
	defer remove_dm below
	cohortctl pool create --force p /dev/mapper/below
	defer strike_without_pool
	attach m1 "$SLICE1"
	put 1 /dev/mapper/m1 0 8M
	snapshot r m1
	# superblocks and segment table can be written, the log behind can not
	table_of below "0 $(sectors 4M) linear $DISK1 0
$(sectors 4M) $(sectors 60M) error"
	put 2 /dev/mapper/m1 0 8M
	wait_for 30 pool_has_failed
	table_of below "0 $(sectors 64M) linear $DISK1 0"
	cohortctl detach m1 || note "detach: $?"
	cohortctl pool close p
	dd if=/dev/mapper/below of=failed bs=1M iflag=direct status=none
	for at in 4096 $((1 << 20)); do
		dd if=failed of=/dev/mapper/below bs=1M oflag=direct status=none
		dd if=/dev/zero of=/dev/mapper/below bs=4K count=1 seek=$at \
			oflag=seek_bytes,direct status=none
		cohortctl pool open /dev/mapper/below
		same "$(show r CopyState)" Broken "state of r without the superblock at $at"
		cohortctl pool close p
	done
}

strike_without_pool()
{
	local left=0

	[[ -z $(attached_sources) ]] || left=1
	[[ ! -e /dev/mapper/p ]] || left=1
	[[ $left -eq 0 ]] || strike_by_force
	return $left
}

run_tests "$@"
