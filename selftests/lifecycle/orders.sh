#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Suspend, load, clear, resume and remove, of every target, in every order that ends with a working device.
# guest: disks=4 size=1G timeout=420
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

# s suspend, n suspend without flush, l load the same table, c clear it, r resume
SEQUENCES=(sr nr lr slr nlr lsr lnr ssr nnr lc slcr nlcr scr srsr nrnr llr lrlr r sllr)

is_read_only() { [[ $(dmsetup info -c --noheadings -o attr "$1") == *r* ]]; }

load_again()
{
	local options=()

	is_read_only "$1" && options=(--readonly)
	dmsetup load "${options[@]}" "$1" --table "$(dmsetup table "$1")"
}

one_step()
{
	case $2 in
	s) dmsetup suspend "$1" ;;
	n) dmsetup suspend --noflush "$1" ;;
	l) load_again "$1" ;;
	c) dmsetup clear "$1" ;;
	r) dmsetup resume "$1" ;;
	esac
}

# all_orders DEVICE: each sequence; a device that hangs fails the case.
all_orders()
{
	local sequence i

	for sequence in "${SEQUENCES[@]}"; do
		for ((i = 0; i < ${#sequence}; i++)); do
			timeout 60 bash -c "$(declare -f is_read_only load_again one_step)
				one_step $1 ${sequence:i:1}" || fail "$1: ${sequence:0:i+1}"
		done
		[[ $(dmsetup info -c --noheadings -o attr "$1") == *[^s]* ]]
		timeout 30 dd if="/dev/mapper/$1" of=/dev/null bs=4K count=1 iflag=direct \
			status=none || fail "$1 does not read after $sequence"
	done
}

# A source with an old cut, and content that is checked while things happen.
busy_stage()
{
	raise_stage 2 32M
	put 1 /dev/mapper/m1 0 32M
	put 1 /dev/mapper/m2 0 32M
	snapshot old m1 m2
	timeout 400 iocheck rand-verify --seed 3 --seconds 380 --shadow shadow \
		/dev/mapper/m1 >load.out 2>&1 &
	LOAD=$!
	sleep 1
}

# The load was right all the time, and is ended between two of its requests.
end_of_load()
{
	kill -TERM "$LOAD" || fail "the load ended: $(cat load.out)"
	wait "$LOAD" || fail "$(cat load.out)"
	holds 1 /dev/mapper/old_1 0 32M
	holds 1 /dev/mapper/old_2 0 32M
	snapshot new m1 m2
	put 2 /dev/mapper/m2 0 32M
	holds 1 /dev/mapper/new_2 0 32M
}

t_source_in_every_order_under_load()
{
	busy_stage
	all_orders m1
	end_of_load
}

t_pool_in_every_order_under_load()
{
	busy_stage
	all_orders p
	end_of_load
}

t_image_in_every_order_under_load()
{
	busy_stage
	all_orders old_1
	end_of_load
}

# three_orders OPTION...: all orders of suspending three devices, each with two of resuming.
three_orders()
{
	local order device

	for order in "p m1 old_1" "p old_1 m1" "m1 p old_1" "m1 old_1 p" "old_1 p m1" "old_1 m1 p"; do
		for device in $order; do
			timeout 60 dmsetup suspend "$@" "$device" || fail "suspend $device of $order"
		done
		for device in $order; do
			timeout 60 dmsetup resume "$device" || fail "resume $device of $order"
		done
		for device in $order; do
			timeout 60 dmsetup suspend "$@" "$device" || fail "suspend $device of $order"
		done
		for device in $(tac -s ' ' <<<"$order "); do
			timeout 60 dmsetup resume "$device" || fail "resume $device of $order"
		done
	done
}

t_pool_source_and_image_suspended_together()
{
	raise_stage 2 32M
	put 1 /dev/mapper/m1 0 32M
	snapshot old m1 m2
	three_orders
	put 2 /dev/mapper/m1 0 32M
	holds 1 /dev/mapper/old_1 0 32M
}

# Without flush, because a write that is held waits for the pool.
t_pool_source_and_image_suspended_together_under_load()
{
	busy_stage
	three_orders --noflush
	end_of_load
}

remove_in_order()
{
	local device

	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 1M
	snapshot r m1
	for device in "$@"; do
		refuse -m 'busy' dmsetup remove p
		dmsetup remove "$device"
	done
	dmsetup remove p
	cohortctl pool open "$DISK1"
	attach_again m1 "$SLICE1"
	put 2 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/r_1 0 1M
}

t_removed_image_first() { remove_in_order r_1 m1; }
t_removed_source_first() { remove_in_order m1 r_1; }

remove_prepared()
{
	local device

	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 1M
	snapshot r m1
	for device in r_1 m1 p; do
		[[ $1 != *l* ]] || load_again "$device"
		[[ $1 != *s* ]] || dmsetup suspend "$device"
		[[ $1 != *n* ]] || dmsetup suspend --noflush "$device"
		timeout 60 dmsetup remove "$device" || fail "remove $device after $1"
	done
	cohortctl pool open "$DISK1"
	attach_again m1 "$SLICE1"
	put 2 /dev/mapper/m1 0 1M
	holds 1 /dev/mapper/r_1 0 1M
}

t_removed_with_a_table_loaded() { remove_prepared l; }
t_removed_while_suspended() { remove_prepared s; }
t_removed_while_suspended_without_flush() { remove_prepared n; }
t_removed_while_suspended_with_a_table_loaded() { remove_prepared ls; }

run_tests "$@"
