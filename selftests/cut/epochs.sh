#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Epochs: one for all members of a cut, each above the one before, never used again.
# guest: disks=4 size=1G timeout=300
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

# The distinct epochs of a relationship's members, in their order.
member_epochs()
{
	cohortctl show "$1" --json | sed -n '/"Members"/,$ s/^ *"Epoch": \([0-9]*\).*/\1/p'
}

epoch() { show "$1" Epoch; }

# Members of one cut have one epoch, and the images say the same.
one_epoch()
{
	same "$(member_epochs "$1" | sort -u)" "$(epoch "$1")" "epochs of $1"
	same "$(status_field "$1_1" 2)" "$(epoch "$1")" "epoch of $1_1"
}

t_members_of_a_cut_share_an_epoch_above_the_last()
{
	local i last=0

	raise_stage 3 8M
	for ((i = 1; i <= 4; i++)); do
		cut_all_idle "e$i"
		one_epoch "e$i"
		(($(epoch "e$i") > last)) || fail "epoch $(epoch "e$i") after $last"
		last=$(epoch "e$i")
	done
}

cut_all_idle() { snapshot "$@" "${SOURCES[@]}"; }

t_members_cut_one_by_one_have_epochs_of_their_own()
{
	raise_stage 3 8M
	cut_all_idle n --consistency none
	same "$(member_epochs n | sort -u | wc -l)" 3 "distinct epochs"
	same "$(member_epochs n)" "$(member_epochs n | sort -n)" "order of epochs"
}

# A number taken twice would make old chunks pass for new ones.
t_epoch_of_a_deleted_cut_is_not_used_again()
{
	local first

	raise_stage 2 8M
	cut_all_idle a
	first=$(epoch a)
	drop a
	cut_all_idle a
	(($(epoch a) > first))
}

t_epoch_goes_on_after_the_pool_was_closed()
{
	local first

	raise_stage 2 8M
	cut_all_idle a
	first=$(epoch a)
	cohortctl detach m1
	cohortctl detach m2
	cohortctl pool close p
	rmmod dm_cohort
	modprobe dm_cohort
	cohortctl pool open "$DISK1"
	attach_again m1 "$SLICE1"
	attach_again m2 "$SLICE2"
	cut_all_idle b
	same "$(epoch a)" "$first" "epoch of the old cut"
	(($(epoch b) > first))
}

run_tests "$@"
