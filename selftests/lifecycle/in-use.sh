#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is in use is not taken away: pool under load, open source, open image, disk below.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

t_pool_is_not_closed_under_load()
{
	raise_stage 3 8M 60 90
	start_writers 8
	cut_all r
	refuse -m 'pool p is in use.*m[123]' cohortctl pool close p
	refuse -m 'pool p is in use' cohortctl pool remove p
	refuse -m 'busy' dmsetup remove p
	cut_all s
	is_consistent r
	is_consistent s
	stop_writers
}

t_open_source_is_not_detached()
{
	raise_stage 2 8M
	snapshot r m1 m2
	exec 9</dev/mapper/m1
	refuse -m 'm1.*(in use|open)' cohortctl detach m1
	refuse -m 'busy' dmsetup remove m1
	[[ -e /dev/mapper/r_1 ]] || fail "its image went although the source stayed"
	exec 9<&-
	put 1 /dev/mapper/m1 0 1M
}

t_open_image_is_not_deleted()
{
	raise_stage 2 8M
	put 1 /dev/mapper/m2 0 1M
	snapshot r m1 m2
	exec 9</dev/mapper/r_2
	refuse -m 'r.*(in use|open)' cohortctl delete r
	refuse -m '(in use|open)' cohortctl detach m2
	put 2 /dev/mapper/m2 0 1M
	holds 1 /dev/mapper/r_2 0 1M
	[[ -e /dev/mapper/r_1 ]] || fail "an image went although the relationship stayed"
	exec 9<&-
}

t_disk_below_can_not_be_taken_by_others()
{
	raise_stage 1 8M
	refuse -m 'use|busy|used' cohortctl pool create other "$SLICE1"
	refuse -m 'use|busy|used' cohortctl attach --pool p again "$SLICE1"
	refuse -m 'use|busy|used' mkfs.ext4 -q "$DISK1"
	same "$(attached_sources)" m1
}

t_module_is_not_unloaded()
{
	raise_stage 1 8M
	refuse -m 'in use' rmmod dm_cohort
	put 1 /dev/mapper/m1 0 1M
}

run_tests "$@"
