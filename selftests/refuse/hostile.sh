#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Messages that no sane program sends, by root and by those who may not: each is answered, and nothing breaks.
# guest: disks=2 size=1G timeout=900 kernel=debug
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# send CALLER COUNT: afterwards the stage is as it was, and works.
send()
{
	raise_stage 2 16M
	put 1 /dev/mapper/m1 0 1M
	snapshot kept m1 m2
	put 2 /dev/mapper/m1 0 1M
	hostile "$1" "$2" "${COHORT_SEED:-$RANDOM}"
	same "$(relationships)" kept "relationships"
	holds 1 /dev/mapper/kept_1 0 1M
	snapshot after m1 m2
	put 3 /dev/mapper/m1 0 1M
	holds 2 /dev/mapper/after_1 0 1M
}

t_by_root() { send root 14000; }
t_by_a_user() { send user 2000; }
t_by_root_of_a_user_namespace() { send userns 2000; }
t_by_root_of_another_network_namespace() { send netns 2000; }
t_with_cap_net_admin_alone() { send netadmin 2000; }

run_tests "$@"
