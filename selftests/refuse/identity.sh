#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A source is known again: swapped disks and disks written elsewhere are refused, --force breaks what is older.
# guest: disks=4 size=64M timeout=500
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

raise()
{
	make_pool
	attach a "$DISK2"
	attach b "$DISK3"
	put 1 /dev/mapper/a 0 1M
	put 2 /dev/mapper/b 0 1M
	snapshot r a b
	put 3 /dev/mapper/a 0 64K
	cohortctl detach a >/dev/null
	cohortctl detach b >/dev/null
}

t_clean_detach_keeps_everything()
{
	raise
	attach_again a "$DISK2"
	attach_again b "$DISK3"
	holds 1 /dev/mapper/r_1 0 1M
	holds 2 /dev/mapper/r_2 0 1M
	holds 3 /dev/mapper/a 0 64K
}

t_swapped_disks()
{
	raise
	refuse -m 'a' cohortctl attach --pool p a "$DISK3"
	note "$REFUSED_OUTPUT"
	refuse -m 'b' cohortctl attach --pool p b "$DISK2"
	attach_again a "$DISK2"
	attach_again b "$DISK3"
	holds 1 /dev/mapper/r_1 0 1M
}

t_disk_written_while_detached()
{
	raise
	put 9 "$DISK2" 0 4K
	refuse -m 'a.*written' cohortctl attach --pool p a "$DISK2"
	attach_again b "$DISK3"
	cohortctl attach --force --pool p a "$DISK2" >/dev/null
	same "$(show r CopyState)" Mixed "state of the relationship"
	holds 2 /dev/mapper/r_2 0 1M
	[[ ! -b /dev/mapper/r_1 ]] || refuse holds 1 /dev/mapper/r_1 0 64K
	holds 9 /dev/mapper/a 0 4K
	drop r
	snapshot s a b
	put 5 /dev/mapper/a 0 4K
	holds 9 /dev/mapper/s_1 0 4K
}

# After a crash there is no fingerprint to compare: documented, and allowed.
t_unclean_source_is_taken_back()
{
	raise
	attach_again a "$DISK2"
	attach_again b "$DISK3"
	dmsetup remove r_1
	dmsetup remove r_2
	dmsetup remove a
	attach_again a "$DISK2"
	holds 1 /dev/mapper/r_1 0 1M
}

run_tests
