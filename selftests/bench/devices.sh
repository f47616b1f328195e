# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# The devices under the peers: memory-backed null_blk, and slices of one. Fast ones complete
# at once; slow ones take their time for all they do, and hold writes in a cache until a flush.

# note TEXT: progress, apart from the tables.
note() { echo "# $*" >&2; }

fail()
{
	echo "bench: $*" >&2
	exit 2
}

nullb=/sys/kernel/config/nullb

# null_make NAME MIB: /dev/NAME
null_make()
{
	local dir=$nullb/$1

	mkdir "$dir" || fail "no null_blk device $1"
	echo "$2" >"$dir/size"
	echo 512 >"$dir/blocksize"
	echo 1 >"$dir/memory_backed"
	if [[ $devices == slow ]]; then
		echo 2 >"$dir/irqmode"
		echo $((latency * 1000)) >"$dir/completion_nsec"
		echo "$cache" >"$dir/cache_size"
	else
		echo 0 >"$dir/irqmode"
	fi
	nproc >"$dir/submit_queues"
	echo 1 >"$dir/power" || fail "null_blk device $1 does not start"
}

null_remove()
{
	echo 0 >"$nullb/$1/power"
	rmdir "$nullb/$1"
}

sectors_of() { blockdev --getsz "$1"; }

# written_bytes NAME...: bytes written so far to these disks
written_bytes()
{
	local name sum=0 stat

	for name in "$@"; do
		read -ra stat <"/sys/block/$name/stat"
		sum=$((sum + stat[6] * 512))
	done
	echo $sum
}

dm_make() { dmsetup create "$1" --table "$2" || fail "cannot create $1: $2"; }
dm_remove() { dmsetup remove --retry "$1" || fail "cannot remove $1"; }

# Random content: an empty null_blk block is read for nothing, a real one is not.
fill()
{
	fio --name=fill --filename="$1" --rw=write --bs=1M --direct=1 --ioengine=libaio --iodepth=4 \
		--refill_buffers --output="$tmp/fill" || fail "cannot fill $1: $(cat "$tmp/fill")"
}
