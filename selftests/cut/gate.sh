#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A gate holds the writes of a group while a command takes images below it, and nothing is held for ever.
# guest: disks=4 size=1G timeout=900 long sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

# The longest there is: an emulated guest is slow, and shares its CPUs.
LEASE=2000
LOST=124
# A lease that was over is nobody's fault here, and is tried again so often.
TRIES=20

raise()
{
	raise_stage "$@"
	cohortctl group create g "${SOURCES[@]}" >/dev/null
}

gates() { cohortctl version --json | number Gates; }
gates_lost() { cohortctl version --json | number GatesLost; }
more_gates_than() { (($(gates) > $1)); }

# gated COMMAND...: under the gate of g; false when the lease was over before it had ended.
gated()
{
	local status=0

	cohortctl barrier --lease $LEASE g -- "$@" >said 2>&1 || status=$?
	[[ $status -ne $LOST ]] || return 1
	[[ $status -eq 0 ]] || fail "$* ended with $status: $(cat said)"
	note "$* took $(tail -n 1 said | grep -o '[0-9.]* ms$')"
}

# Out of tries: a kernel that looks at every access needs longer to start a program or two.
too_slow()
{
	[[ $(uname -r) != *-debug ]] || skip "this kernel is too slow for a lease of $LEASE ms"
	fail "no lease of $LEASE ms lasted: $(cat said)"
}

# held_all_the_time COMMAND...
held_all_the_time()
{
	local i

	for ((i = 0; i < TRIES; i++)); do
		! gated "$@" || return 0
	done
	too_slow
}

goes_on() { put 9 "/dev/mapper/$1" 0 4K; }

# ---------------------------------------------------------------- images by others

# What a command does that knows of no gate: one copy after the other. A write under way may be half in it.
copies_script()
{
	cat >copies <<-END
		#!/bin/bash
		for i in 1 2 3; do
			sleep $1
			dd if=/dev/mapper/slice\$i of=/dev/mapper/slice\$((i + 3)) bs=1M iflag=direct oflag=direct \
				status=none || exit
		done
	END
	chmod +x copies
}

# Three members, and room for as many copies.
raise_with_room()
{
	make_slices 6 2M "$DISK2"
	make_pool
	for i in 1 2 3; do
		attach "m$i" "/dev/mapper/slice$i"
	done
	cohortctl group create g "${SOURCES[@]}" >/dev/null
}

copies=(--allow-torn /dev/mapper/slice{4,5,6})

t_copies_by_a_command_are_one_instant()
{
	local round try

	raise_with_room
	copies_script 0
	start_writers 12
	for round in 1 2 3; do
		for ((try = 0; ; try++)); do
			((try < TRIES)) || too_slow
			before "c$round"
			! gated ./copies || break
		done
		after "c$round"
		is_consistent "c$round" "${copies[@]}"
	done
	stop_writers
}

# The control: the same command, and nothing held.
t_without_a_gate_they_are_not()
{
	local round caught=0

	raise_with_room
	copies_script 0.1
	start_writers 12
	for round in 1 2 3 4 5; do
		before "c$round"
		./copies
		after "c$round"
		! is_caught "c$round" "${copies[@]}" || caught=$((caught + 1))
	done
	stop_writers
	note "$caught of 5 caught"
	((caught >= 3))
}

lvm_config='backup { backup=0 archive=0 } activation { udev_sync=0 udev_rules=0 verify_udev_operations=1 }
	devices { use_devicesfile=0 obtain_device_list_from_udev=0 } global { event_activation=0 }'
lvm() { command lvm "$1" --config "$lvm_config" -y "${@:2}" >/dev/null 2>>lvm.words; }

strike_volumes()
{
	lvm lvremove g
	lvm vgremove g
	lvm pvremove "$DISK2"
}

t_lvm_snapshots_are_one_instant()
{
	local i try

	lvm pvcreate "$DISK2" || fail "$(cat lvm.words)"
	lvm vgcreate g "$DISK2"
	defer strike_volumes
	make_pool
	for i in 1 2; do
		lvm lvcreate -Wn -Zn -L 4M -n "m$i" g
		attach "m$i" "/dev/mapper/g-m$i"
	done
	cohortctl group create g "${SOURCES[@]}" >/dev/null
	# one program for both, which reads its commands: it starts slowly
	for i in 1 2; do
		echo "lvcreate --config '${lvm_config//$'\n'/ }' -y -s -L 8M -n s$i g/m$i"
	done >commands
	printf '#!/bin/bash\n/sbin/lvm <commands\n' >snapshots
	chmod +x snapshots
	start_writers 8
	for ((try = 0; ; try++)); do
		((try < TRIES)) || skip "two snapshots by LVM take more than $LEASE ms on this machine"
		before c
		gated ./snapshots && [[ -b /dev/mapper/g-s2 ]] && break
		lvm lvremove g/s1 g/s2 || true
	done
	after c
	is_consistent c /dev/mapper/g-s1 /dev/mapper/g-s2
	stop_writers
	lvm lvremove g/s1 g/s2
}

# ---------------------------------------------------------------- what is held

# The members' disks, below them, twice: what is under way when a gate is closed lands soon.
stands_still_script()
{
	cat >stands-still <<-END
		#!/bin/bash
		sums() { for d in /dev/mapper/slice[12]; do dd if=\$d bs=1M iflag=direct status=none; done | sha1sum; }
		sleep 0.3
		first=\$(sums)
		sleep 0.1
		[[ \$first == "\$(sums)" ]]
	END
	chmod +x stands-still
}

# Each member has writers of its own, who would not wait for those of the other.
t_nothing_changes_below()
{
	local i

	raise 2 1M
	stands_still_script
	for i in 1 2; do
		stamp write --state "of$i" --chains 8 --slots 2 --seconds 900 "/dev/mapper/m$i" >"of$i.out" 2>&1 &
		stamp wait "of$i" 100 60 || fail "$(cat "of$i.out")"
	done
	held_all_the_time ./stands-still
	for i in 1 2; do
		stamp stop "of$i" || fail "$(cat "of$i.out")"
	done
}

# A discard is answered, and not done; a write that must not wait is refused.
t_discards_and_writes_that_must_not_wait()
{
	raise 1 4M
	put 1 /dev/mapper/m1 0 4M
	cat >inside <<-END
		#!/bin/bash
		set -e
		blkdiscard /dev/mapper/m1
		iocheck pattern-verify --seed 1 --offset 0 --len 4M /dev/mapper/m1
		iocheck nowait --len 1M --count 8 --depth 1 /dev/mapper/m1 | grep -q '^ok 0 again 8 error 0'
	END
	chmod +x inside
	held_all_the_time ./inside
	holds 1 /dev/mapper/m1 0 4M
	blkdiscard /dev/mapper/m1
}

t_cut_inside_a_gate()
{
	raise 3 4M
	start_writers 12
	before r
	held_all_the_time bash -c 'cohortctl replicate --type snapshot --name r --group g || cohortctl show r'
	after r
	is_consistent r
	stop_writers
}

t_other_group_inside()
{
	local try status

	raise 2 4M
	cohortctl group create one m1 >/dev/null
	cohortctl group create two m2 >/dev/null
	for ((try = 0; try < TRIES; try++)); do
		status=0
		cohortctl barrier --lease $LEASE g -- cohortctl barrier g -- true >said 2>&1 || status=$?
		[[ $status -eq $LOST ]] || break
	done
	((try < TRIES)) || too_slow
	same $status 5 "exit code"
	grep -q 'm1 is gated already' said || fail "$(cat said)"
	goes_on m1
	cohortctl barrier --lease $LEASE one -- cohortctl barrier --lease $LEASE two -- true >/dev/null ||
		same $? $LOST "exit code"
	goes_on m2
}

# ---------------------------------------------------------------- how it ends

t_lease_is_over()
{
	local lost status=0

	raise 2 4M
	lost=$(gates_lost)
	cohortctl barrier --lease 30 g -- sleep 1 >said 2>&1 || status=$?
	same $status $LOST "exit code"
	grep -q 'group g: not consistent: the lease of 30 ms was over' said || fail "$(cat said)"
	same "$(gates_lost)" $((lost + 1)) "gates lost"
	goes_on m1
}

t_exit_code_is_that_of_the_command()
{
	local status=0

	raise 1 4M
	cohortctl barrier --lease $LEASE g -- bash -c 'exit 42' || status=$?
	[[ $status -eq 42 || $status -eq $LOST ]]
	status=0
	cohortctl barrier --lease $LEASE g -- ./no-such-program 2>said || status=$?
	[[ $status -eq 127 || $status -eq $LOST ]]
	refuse -m 'no group "none"' cohortctl barrier none -- touch it-ran
	refuse -m "1 to 2000 milliseconds" cohortctl barrier --lease 2001 g -- touch it-ran
	[[ ! -e it-ran ]]
	goes_on m1
}

# kill_the_owner SIGNAL: of a barrier with a lease of two seconds.
signal_the_owner()
{
	local before

	before=$(gates)
	cohortctl barrier --lease $LEASE g -- sleep 300 >said 2>&1 &
	owner=$!
	wait_for 30 more_gates_than "$before"
	kill "-$1" "$owner"
}

t_owner_is_killed()
{
	local try owner lost

	raise 2 4M
	for ((try = 0; try < TRIES; try++)); do
		lost=$(gates_lost)
		signal_the_owner KILL
		wait "$owner" || true
		goes_on m1
		goes_on m2
		(($(gates_lost) > lost)) || break
	done
	((try < TRIES)) || too_slow
	pkill -x sleep || true
}

t_owner_is_stopped()
{
	local owner status=0 lost

	raise 2 4M
	lost=$(gates_lost)
	signal_the_owner STOP
	goes_on m1
	goes_on m2
	same "$(gates_lost)" $((lost + 1)) "gates lost"
	pkill -x sleep || true
	kill -CONT "$owner"
	wait "$owner" || status=$?
	same $status $LOST "exit code"
}

# It waits for no disk: what hangs is under way, and nobody was told of it.
t_member_hangs()
{
	local writer

	raise 2 4M
	dmsetup suspend slice1
	put 1 /dev/mapper/m1 0 4K &
	writer=$!
	wait_for 30 has_writes_inside m1
	held_all_the_time true
	goes_on m2
	dmsetup resume slice1
	wait $writer
}

t_suspended_member_loses_it()
{
	local status=0

	raise 2 4M
	cohortctl barrier --lease $LEASE g -- dmsetup suspend m1 >said 2>&1 || same $? $LOST "exit code"
	grep -q "not consistent: \(source m1 was suspended\|the lease\)" said || fail "$(cat said)"
	dmsetup resume m1
	goes_on m1
	# with writes at the gate, which it must not wait for
	start_writers 8
	cohortctl barrier --lease $LEASE g -- dmsetup suspend --noflush m1 >said 2>&1 || status=$?
	same $status $LOST "exit code"
	dmsetup resume m1
	stop_writers
}

t_suspended_member_is_in_no_gate()
{
	raise 2 4M
	dmsetup suspend m2
	refuse -m 'source m2 is suspended' cohortctl barrier g -- touch it-ran
	[[ ! -e it-ran ]]
	dmsetup resume m2
	cohortctl barrier --lease $LEASE g -- true >/dev/null || same $? $LOST "exit code"
}

# A gate whose owner never asks again, and whose lease may not be over yet.
t_module_goes_with_a_gate_that_is_left()
{
	local owner before

	cohortctl pool create --force q "$DISK1" >/dev/null
	cohortctl attach --pool q only "$DISK2" >/dev/null
	cohortctl group create g only >/dev/null
	before=$(gates)
	cohortctl barrier --lease $LEASE g -- sleep 300 >said 2>&1 &
	owner=$!
	wait_for 30 more_gates_than "$before"
	remove_dm only
	remove_dm q
	rmmod dm_cohort
	sleep 2
	pkill -x sleep || true
	! wait $owner || fail "a gate of a module that is gone was opened"
	modprobe dm_cohort
}

# ---------------------------------------------------------------- years of it

t_file_system_and_swap()
{
	local i writer

	raise_stage 2 64M
	cohortctl group create g "${SOURCES[@]}" >/dev/null
	mkfs.ext4 -q /dev/mapper/m1
	mkswap -q /dev/mapper/m2
	mkdir mnt
	mount /dev/mapper/m1 mnt
	defer eval '! mountpoint -q mnt || umount mnt'
	swapon /dev/mapper/m2
	defer swapoff /dev/mapper/m2
	(while :; do dd if=/dev/urandom of=mnt/f bs=64K count=64 conv=fsync status=none; done) &
	writer=$!
	for ((i = 0; i < 20; i++)); do
		cohortctl barrier --lease 50 g -- true >/dev/null 2>&1 || same $? $LOST "exit code"
		sync mnt/f 2>/dev/null || true
	done
	kill $writer
	wait $writer || true
	# its last program may live a little longer
	wait_for 60 umount mnt
	e2fsck -fn /dev/mapper/m1 >/dev/null 2>&1
}

# In every way there is, with a disk that fails: nothing is held in the end, or for longer than was said.
t_a_thousand_gates()
{
	local overrun lost=0 writer

	raise 3 4M
	dmsetup suspend slice3
	dmsetup load slice3 --table "0 $(sectors 4M) flakey $DISK2 $((2 * $(sectors 4M))) 1 1 1 error_writes"
	dmsetup resume slice3
	SOURCES=(m1 m2)
	start_writers 8
	(while :; do put 3 /dev/mapper/m3 0 64K || true; done) >/dev/null 2>&1 &
	writer=$!
	gateloop g 1000 "${COHORT_SEED:-1}" >gates || fail "$(cat gates)"
	sed 's/^/# /' gates
	# a fifth is opened when the lease is over
	awk '/lost/ { n = $1 } END { exit(n < 100) }' gates
	kill $writer
	stop_writers
	goes_on m1
	goes_on m2
	overrun=$(cohortctl version --json | number GateOverrun)
	note "the longest a write was held beyond a lease: $((overrun / 1000)) us"
	# 100 ms, for a guest that is thirty times as slow as what it emulates
	((overrun < 3000000000))
}

run_tests "$@"
