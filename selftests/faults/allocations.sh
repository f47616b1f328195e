#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each allocation that an operation makes fails once: the operation is done or not, nothing between, nothing leaks.
# guest: disks=4 size=1G timeout=1500 kernel=debug
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"
. "$(dirname "$0")/../clone/stage.sh"

raise()
{
	raise_stage 2 16M
	put 1 /dev/mapper/m1 0 1M
	export FAULT_POOL=$DISK3 FAULT_DISK=$DISK4
}

# faults OPERATION...: and what is left is a stage on which all works.
faults()
{
	raise
	faultnth "${COHORT_STRIDE:-60}" "${COHORT_SEED:-$RANDOM}" "$@"
	snapshot after m1 m2
	put 2 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/after_1 0 1M
	same "$(open_eras m1)" 1 "open eras"
}

t_in_operations_on_pools() { faults pool-create pool-open pool-close pool-extend scrub cancel; }
t_in_operations_on_sources() { faults attach attach-known detach source-remove; }
t_in_operations_on_groups() { faults group-create group-delete group-add group-remove; }
t_in_cuts_and_deletions() { faults replicate replicate-group prepare activate give-back reset gate; }
t_in_operations_on_clones()
{
	make_targets 2 16M "$DISK4"
	copy_slowly
	export FAULT_T1=$T1 FAULT_T2=$T2
	faults clone suspend resume abort detach-clone
}

t_in_looking() { faults list get diff; }

run_tests "$@"
