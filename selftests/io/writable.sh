#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Images that are written: what was written is there, the cut, the source and other images stay as they are.
# guest: disks=4 size=1G timeout=600 parallel sampled
# shellcheck disable=SC2317 # cases are called by run_tests
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cut/stage.sh"

M1=/dev/mapper/m1
A1=/dev/mapper/a_1

# raise COUNT SIZE POOL: members m1... and a pool that flushes its index behind each MiB of log.
raise()
{
	local i

	flush_often
	make_slices "$1" "$2" "$DISK2"
	make_small_pool "$3"
	for ((i = 1; i <= $1; i++)); do
		attach "m$i" "/dev/mapper/slice$i"
		put 1 "/dev/mapper/m$i" 0 "$2"
	done
}

writable() { snapshot "$@" --writable; }
state() { show "$1" CopyState; }
was_flushed() { (($(show p IndexRuns) >= 1)); }

t_writes_change_the_image_alone()
{
	raise 2 8M 64M
	writable a m1 m2
	snapshot b m1
	same "$(blockdev --getro $A1)" 0 "read-only flag"
	same "$(state a)" Synchronized
	put 2 $A1 0 1M
	same "$(state a)" Skewed
	holds 2 $A1 0 1M
	holds 1 $A1 1M 7M
	holds 1 /dev/mapper/a_2 0 8M
	holds 1 $M1 0 8M
	holds 1 /dev/mapper/b_1 0 8M
	refuse dd if=/dev/zero of=/dev/mapper/b_1 bs=4096 count=1 oflag=direct
	# over what is written, what is preserved and what is not
	put 3 $M1 0 4M
	put 4 $A1 512K 2M
	put 5 $M1 4M 4M
	holds 2 $A1 0 512K
	holds 4 $A1 512K 2M
	holds 1 $A1 $((2560 * 1024)) 5M
	holds 1 /dev/mapper/b_1 0 8M
	holds 3 $M1 0 4M
}

# Less than a chunk, at odd places, over the borders of chunks, and at the very end.
t_parts_of_chunks()
{
	local at

	raise 1 $((8 * 1024 * 1024 + 1536)) 64M
	writable a m1
	for at in 512 4608 12800 65024 $((8 * 1024 * 1024 - 512)) $((8 * 1024 * 1024 + 1024)); do
		put "$at" $A1 "$at" 512
	done
	put 9 $M1 0 1M
	put 7 $A1 101888 9728
	for at in 512 4608 12800 65024 $((8 * 1024 * 1024 - 512)) $((8 * 1024 * 1024 + 1024)); do
		holds "$at" $A1 "$at" 512
	done
	holds 7 $A1 101888 9728
	holds 1 $A1 1024 3584
	holds 1 $A1 111616 $((8 * 1024 * 1024 - 512 - 111616))
	holds 1 $A1 $((8 * 1024 * 1024)) 1024
}

# Jobs that share every chunk but no sector: none may undo what another has written.
t_writers_of_one_chunk_take_turns()
{
	local i

	raise 1 8M 64M
	writable a m1
	fio --ioengine=libaio --filename=$A1 --direct=1 --iodepth=8 --size=64k --bs=512 \
		--rw=write --zonemode=strided --zonesize=512 --zonerange=4096 \
		--verify=pattern --verify_fatal=1 --output=fio.log \
		--name=a --offset=0 --verify_pattern=0x11 --name=b --offset=512 --verify_pattern=0x22 \
		--name=c --offset=1024 --verify_pattern=0x33 \
		--name=d --offset=3584 --verify_pattern=0x44 || fail "$(tail fio.log)"
	for ((i = 0; i < 64; i++)); do
		holds 1 $A1 $((i * 4096 + 1536)) 2K
	done
	holds 1 $A1 1M 7M
}

seed_of() { dd if=$A1 bs=4096 count=1 iflag=direct status=none | od -An -v -t u8 -j 8 -N 8 | tr -d ' '; }

rewrite_until_quiet()
{
	local seed=2

	until [[ -e quiet ]]; do
		put $seed $A1 0 16K
		echo $((seed++)) >acked.new
		mv acked.new acked
	done
}

# No read finds less than what had been written when it began, whatever is preserved meanwhile.
t_reads_race_writes()
{
	local i writer acked seed

	raise 1 8M 64M
	writable a m1
	put 2 $A1 0 16K
	echo 1 >acked
	rewrite_until_quiet &
	writer=$!
	for ((i = 0; i < 100; i++)); do
		acked=$(<acked)
		seed=$(seed_of)
		((seed >= acked)) || fail "write $acked had ended, and $seed is read"
		((i % 10)) || put $((i + 1000)) $M1 $((i * 65536)) 16K
	done
	touch quiet
	wait "$writer"
}

t_load_on_image_and_source()
{
	raise 1 16M 96M
	writable a m1
	snapshot b m1
	fio --ioengine=libaio --direct=1 --output=fio.log \
		--name=image --filename=$A1 --bsrange=512-128k --rw=randwrite --iodepth=16 \
		--io_size=12m --verify=crc32c --verify_fatal=1 \
		--name=source --filename=$M1 --bsrange=4k-64k --rw=randwrite --iodepth=8 \
		--io_size=12m || fail "$(tail fio.log)"
	holds 1 /dev/mapper/b_1 0 16M
	sha256sum <$A1 >before
	restart
	sha256sum <$A1 | cmp - before
	same "$(state a)" Skewed "behind a restart"
	wait_for 30 was_flushed
}

t_acknowledged_writes_survive_a_crash()
{
	raise 1 8M 64M
	writable a m1
	put 2 $A1 0 4M
	put 3 $A1 1M 512K
	put 4 $A1 $((1024 * 1024 + 512)) 1024
	crash
	same "$(state a)" Skewed
	holds 2 $A1 0 1M
	holds 4 $A1 $((1024 * 1024 + 512)) 1024
	holds 3 $A1 $((1024 * 1024 + 1536)) 510K
	holds 2 $A1 1536K $((4 * 1024 - 1536))K
	holds 1 $A1 4M 4M
	put 5 $A1 0 8M
	crash
	holds 5 $A1 0 8M
	holds 1 $M1 0 8M
}

t_reset_shows_the_cut_again()
{
	local used

	raise 2 8M 64M
	writable a m1 m2
	put 9 $M1 0 1M
	used=$(show p RemainingManagedSpace)
	put 2 $A1 0 8M
	put 3 /dev/mapper/a_2 0 8M
	exec 9<$A1
	refuse -m 'is in use' cohortctl reset a
	exec 9<&-
	holds 2 $A1 0 8M
	cohortctl reset a >/dev/null
	same "$(state a)" Synchronized
	holds 1 $A1 0 8M
	holds 1 /dev/mapper/a_2 0 8M
	wait_for 20 eval "((\$(show p RemainingManagedSpace) >= $used - 2 * 1024 * 1024))"
	crash
	same "$(state a)" Synchronized "behind a crash"
	holds 1 $A1 0 8M
	# what is written now is not mistaken for what was
	put 4 $A1 0 4K
	holds 4 $A1 0 4K
	holds 1 $A1 4K 8188K
	restart
	holds 4 $A1 0 4K
	holds 1 $A1 4K 8188K
	# one that was not written is reset as well
	snapshot c m1
	cohortctl reset c >/dev/null
}

# Over and over: the index and the pool do not grow by it.
t_rewrites_take_no_space()
{
	raise 1 8M 16M
	writable a m1
	snapshot b m1
	put 9 $M1 0 2M
	fio --name=w --ioengine=libaio --filename=$A1 --direct=1 --rw=randwrite --bs=4k --iodepth=8 \
		--size=1m --io_size=20m --norandommap --output=fio.log || fail "$(tail fio.log)"
	same "$(state a)" Skewed
	same "$(state b)" Synchronized "the other one"
	holds 1 /dev/mapper/b_1 0 8M
	(($(show p PreservedChunks) < 3000)) || fail "$(show p PreservedChunks) chunks"
}

# A full pool: the write fails, no snapshot breaks, the source goes on.
t_full_pool_is_an_error_of_the_write()
{
	raise 2 16M 16M
	snapshot b m2
	writable a m1
	refuse -m 'No space left' fio --name=w --ioengine=libaio --filename=$A1 --direct=1 --rw=write \
		--bs=16k --iodepth=64 --size=16m --numjobs=2 --offset_increment=64k
	same "$(state a)" Skewed
	same "$(state b)" Synchronized "the other one"
	holds 1 /dev/mapper/b_1 0 16M
	# what was written twice may have made some room, but not for all of it
	refuse -m 'No space left' dd if=/dev/urandom of=$A1 bs=64K count=256 oflag=direct
	cohortctl reset a >/dev/null
	holds 1 $A1 0 16M
	put 2 $A1 0 1M
	holds 2 $A1 0 1M
	# a source comes first: it takes the place of the oldest
	put 3 /dev/mapper/m2 0 16M
	holds 3 /dev/mapper/m2 0 16M
}

t_broken_image_refuses_writes()
{
	raise 1 16M 16M
	writable a m1
	put 2 $A1 0 1M
	writable b m1
	put 3 /dev/mapper/b_1 0 1M
	put 4 $M1 0 16M
	put 5 $M1 0 16M
	same "$(state a)" Broken
	refuse dd if=/dev/zero of=$A1 bs=4K count=1 oflag=direct
	refuse dd if=$A1 of=/dev/null bs=4K count=1 iflag=direct
	refuse cohortctl reset a
	drop a
}

t_flipped_bit_is_an_error_until_it_is_written()
{
	raise 1 8M 64M
	writable a m1
	put 2 $A1 0 64K
	dd if=/dev/mapper/store of=pool.img bs=1M iflag=direct status=none
	perl -e 'open(my $disk, "+<", $ARGV[0]) or die;
		for (my $at = 1 << 20; $at < 8 << 20; $at += 4096) {
			sysseek($disk, $at + 2049, 0) && syswrite($disk, "X") == 1 or die;
		}' /dev/mapper/store
	blockdev --flushbufs /dev/mapper/store
	refuse dd if=$A1 of=/dev/null bs=4K count=1 iflag=direct
	# part of it can not be written without the rest
	refuse dd if=/dev/zero of=$A1 bs=512 count=1 oflag=direct
	put 3 $A1 0 4K
	holds 3 $A1 0 4K
	holds 1 $A1 64K 1M
}

t_file_system_on_an_image()
{
	raise 1 32M 64M
	mkfs.ext4 -q $M1
	mount $M1 /mnt
	for ((i = 0; i < 50; i++)); do
		head -c 20000 /dev/urandom >"/mnt/$i"
	done
	sync
	writable a m1
	touch /mnt/after
	umount /mnt
	mount $A1 /mnt
	rm /mnt/[0-9]
	[[ ! -e /mnt/after ]]
	head -c 1000000 /dev/urandom >/mnt/image
	sha256sum </mnt/image >sum
	umount /mnt
	restart
	e2fsck -fn $A1 >/dev/null || fail "the image's file system is damaged"
	mount $A1 /mnt
	sha256sum </mnt/image | cmp - sum
	umount /mnt
	e2fsck -fn $M1 >/dev/null || fail "the source's file system is damaged"
}

run_tests "$@"
