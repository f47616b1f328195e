#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Image reads: while the source is overwritten, of damaged pools, through file systems.
# guest: disks=4 size=1G timeout=600 parallel
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

overwrite_until_quiet()
{
	local seed=2

	until [[ -e quiet ]]; do
		put $((seed++)) /dev/mapper/m1 0 2M
		snapshot "x$seed" m1
		drop "x$seed"
	done
}

# What an image answers never depends on what is written meanwhile.
t_reads_race_overwrites()
{
	local i writer

	raise_stage 1 2M
	put 1 /dev/mapper/m1 0 2M
	snapshot r m1
	overwrite_until_quiet &
	writer=$!
	for ((i = 0; i < 4; i++)); do
		holds 1 /dev/mapper/r_1 0 2M || fail "round $i"
		holds 1 /dev/mapper/r_1 $((i * 4096 + 512)) 1M || fail "round $i, odd start"
	done
	touch quiet
	wait "$writer"
	holds 1 /dev/mapper/r_1 0 2M
}

t_fresh_images_race_first_overwrites()
{
	local i

	raise_stage 1 2M
	put 1 /dev/mapper/m1 0 2M
	for i in 1 2 3 4; do
		snapshot "r$i" m1
		put $((i + 1)) /dev/mapper/m1 0 2M &
		holds "$i" "/dev/mapper/r${i}_1" 0 2M || fail "image $i has newer data"
		wait $!
		holds "$i" "/dev/mapper/r${i}_1" 0 2M
	done
}

# A flipped bit in each block of the pool's data: EIO, never other data.
t_damaged_chunk_is_an_error()
{
	local status=0 output

	raise_stage 1 8M
	put 1 /dev/mapper/m1 0 8M
	snapshot r m1
	put 2 /dev/mapper/m1 0 1M
	perl -e 'open(my $disk, "+<", $ARGV[0]) or die;
		for (my $at = 1 << 20; $at < 8 << 20; $at += 4096) {
			sysseek($disk, $at + 2049, 0) && syswrite($disk, "X") == 1 or die;
		}' "$DISK1"
	blockdev --flushbufs "$DISK1"
	output=$(dd if=/dev/mapper/r_1 of=/dev/null bs=4096 count=256 iflag=direct 2>&1) || status=$?
	[[ $status -ne 0 && $output == *"Input/output error"* ]] || fail "damage was not noticed: $output"
	holds 1 /dev/mapper/r_1 2M 6M
	holds 2 /dev/mapper/m1 0 1M
}

t_images_refuse_writes()
{
	raise_stage 1 8M
	snapshot r m1
	same "$(blockdev --getro /dev/mapper/r_1)" 1 "read-only flag"
	refuse dd if=/dev/zero of=/dev/mapper/r_1 bs=4096 count=1 oflag=direct
}

t_file_system_on_an_image()
{
	raise_stage 1 64M
	mkfs.ext4 -q /dev/mapper/m1
	mkdir live image
	mount /dev/mapper/m1 live
	defer umount -l live
	echo before >live/file
	sync
	snapshot r m1
	echo after >live/file
	rmdir live/lost+found
	sync
	mount -o ro,noload /dev/mapper/r_1 image
	same "$(<image/file)" before "the file in the image"
	umount image
	dd if=/dev/mapper/r_1 of=copy bs=1M iflag=direct status=none
	e2fsck -fy copy >/dev/null || [[ $? -le 1 ]]
	e2fsck -fn copy >/dev/null || fail "the replayed copy is not clean"
}

# The tool must not need what it cuts: its own files come from a member.
t_tool_runs_with_root_on_members()
{
	raise_stage 2 64M
	mkfs.ext4 -q /dev/mapper/m1
	mkdir disk root
	mount /dev/mapper/m1 disk
	defer umount -l disk
	mkdir disk/upper disk/work
	mount -t overlay overlay -o lowerdir=/,upperdir=disk/upper,workdir=disk/work root
	defer umount -l root
	mount --rbind /dev root/dev
	defer umount -l root/dev
	mount -t proc proc root/proc
	mount -t sysfs sys root/sys
	mount -t tmpfs run root/run
	put 1 /dev/mapper/m2 0 1M
	chroot root env PATH="$PATH" DM_DISABLE_UDEV=1 "$(command -v cohortctl)" replicate \
		--type snapshot --name r m1 m2 >/dev/null
	put 2 /dev/mapper/m2 0 1M
	holds 1 /dev/mapper/r_2 0 1M
	umount root/run root/sys root/proc
}

run_tests "$@"
