# shellcheck shell=bash disable=SC2154 # used by the tests
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests of the log share: m1 is written all over, its images are told by their sums, the pool comes up again.
#
# The pool is that of make_small_pool, m1 and m2 are on slices.

M1=/dev/mapper/m1

# What the pool says on its disk, to ./said.
dump_pool()
{
	dd if=/dev/mapper/store of=pool.img bs=1M iflag=direct status=none
	cohortctl pool dump pool.img >said
	rm pool.img
}

# overwrite SEED [OPTION...]: all of m1 in chunks, in any order.
overwrite()
{
	fio --name=w --filename=$M1 --direct=1 --rw=randwrite --bs=4k --iodepth=16 \
		--ioengine=libaio --output=/dev/null --randseed="$1" --norandommap=0 "${@:2}"
}

sum_of() { sha256sum <"$1"; }
# note_sum NAME: what the source shows, which is what image NAME has to show from its cut on.
note_sum() { sum_of $M1 >"$1.sum"; }
image_is_right() { same "$(sum_of "/dev/mapper/$1_1")" "$(<"$1.sum")" "image $1"; }

images_are_right()
{
	local name

	for name in "$@"; do
		image_is_right "$name"
	done
}

# take NAME [OPTION...]
take() { note_sum "$1"; snapshot "$@" m1; }

restart()
{
	close_pool
	open_pool
}

# As the pool is now, without a word to it.
crash()
{
	freeze /dev/mapper/store
	close_pool
	thaw /dev/mapper/store
	open_pool
}
