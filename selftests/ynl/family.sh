#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The netlink family, driven from its spec alone by the Python client of the kernel source.
# guest: disks=4 size=64M timeout=400
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"

ynl() { "${WITH[@]}" python3 "$COHORT_TREE/selftests/ynl/client.py" "$@"; }
WITH=()

# make_sources COUNT [SIZE [SUFFIX]]: pool p on the first disk, and sources s1SUFFIX...
# over slices of the second one.
make_sources()
{
	local i name

	cohortctl pool create p "$DISK1"
	defer cohortctl pool remove p
	make_slices "$1" "${2:-4M}" "$DISK2"
	SOURCES=()
	for ((i = 1; i <= $1; i++)); do
		name=s$i${3-}
		cohortctl attach --pool p "$name" "/dev/mapper/slice$i"
		defer cohortctl detach "$name"
		SOURCES+=("$name")
	done
}

t_kernel_has_the_operations_and_policies_of_the_spec() { ynl kernel_has_the_spec; }

t_module_tells_its_version()
{
	ynl module "$(</sys/module/dm_cohort/version)"
}

t_group_is_made_awaited_listed_changed_and_deleted()
{
	make_sources 3
	ynl life_of_a_group "${SOURCES[@]}"
}

t_snapshot_is_made_awaited_listed_and_deleted()
{
	make_sources 2
	ynl snapshot "${SOURCES[@]}"
}

t_refusals_have_words_and_name_the_attribute()
{
	make_sources 1
	ynl refusals s1
}

t_lists_longer_than_a_buffer_are_whole()
{
	make_sources 1
	ynl long_lists s1
}

t_group_larger_than_a_buffer_is_whole()
{
	# 40 names of more than 100 bytes; the first buffer of a dump has less than 4 KiB
	make_sources 40 1M "-$(printf 'x%.0s' {1..100})"
	ynl wide_group "${SOURCES[@]}"
}

t_caller_without_cap_sys_admin_is_refused()
{
	WITH=(setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin)
	ynl not_permitted
}

t_cap_net_admin_is_not_enough()
{
	WITH=(setpriv --reuid=65534 --clear-groups --inh-caps=+net_admin --ambient-caps=+net_admin)
	ynl not_permitted
}

t_root_of_a_user_namespace_is_refused()
{
	WITH=(unshare --user --map-root-user)
	ynl not_permitted
}

t_family_is_not_seen_in_another_network_namespace()
{
	WITH=(unshare --net)
	ynl not_there
}

run_tests "$@"
