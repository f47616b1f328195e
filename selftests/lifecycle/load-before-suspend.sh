#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tables loaded long before they are used: what happened in between is not lost.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# The cut is taken through the old table, the overwrite goes through the new one.
t_source_table_loaded_before_a_cut_and_used_after_it()
{
	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 2M
	dmsetup load m1 --table "$(dmsetup table m1)"
	snapshot r m1
	put 2 /dev/mapper/m1 0 1M
	dmsetup suspend m1
	dmsetup resume m1
	put 3 /dev/mapper/m1 0 2M
	holds 1 /dev/mapper/r_1 0 2M
	holds 3 /dev/mapper/m1 0 2M
}

t_source_table_loaded_before_a_delete_and_used_after_it()
{
	local preserved

	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 2M
	snapshot r m1
	dmsetup load m1 --table "$(dmsetup table m1)"
	drop r
	dmsetup resume m1
	preserved=$(status_field m1 6)
	put 2 /dev/mapper/m1 0 2M
	same "$(status_field m1 6)" "$preserved" "chunks preserved for nobody"
}

t_pool_table_loaded_before_a_cut_and_used_after_it()
{
	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 2M
	dmsetup load p --table "$(dmsetup table p)"
	snapshot r m1
	put 2 /dev/mapper/m1 0 1M
	dmsetup suspend p
	dmsetup resume p
	put 3 /dev/mapper/m1 0 2M
	holds 1 /dev/mapper/r_1 0 2M
	snapshot s m1
	put 4 /dev/mapper/m1 0 2M
	holds 3 /dev/mapper/s_1 0 2M
}

t_image_table_loaded_before_overwrites_and_used_after_them()
{
	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 2M
	snapshot r m1
	dmsetup load --readonly r_1 --table "$(dmsetup table r_1)"
	put 2 /dev/mapper/m1 0 2M
	dmsetup resume r_1
	holds 1 /dev/mapper/r_1 0 2M
}

# A device without a live table is resumed into one, as at boot.
t_source_made_without_a_table_first()
{
	local table

	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 1M
	snapshot r m1
	table=$(dmsetup table m1)
	cohortctl detach m1
	refuse -m 'm1.*Invalid argument' dmsetup create m1 --table "$table"
	dmesg | tail -n 20 | grep -q 'source "m1" was not attached' || fail "no words in the kernel log"
	# only "attach" has looked at the disk, and takes up its images
	attach_again m1 "$SLICE1"
	put 2 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/r_1 0 1M
}

run_tests "$@"
