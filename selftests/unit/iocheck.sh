#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The I/O helper judged: iocheck must pass right content and see wrong content.
#
# Runs in user space on plain files, as any user. IOCHECK names the program.

top=$(cd "$(dirname "$0")/../.." && pwd)
IOCHECK=${IOCHECK:-$top/build/bin/iocheck}
dir=$(mktemp -d)
file=$dir/file
number=0
failed=0
trap 'rm -rf "$dir"' EXIT

# result STATUS NAME: one KTAP line.
result()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number $2"
	else
		failed=$((failed + 1))
		echo "not ok $number $2"
		return 1
	fi
}

# expect CODE WORDS NAME -- COMMAND
expect()
{
	local code=$1 words=$2 name=$3 got
	shift 4
	"$IOCHECK" "$@" >"$dir/out" 2>&1
	got=$?
	[ "$got" -eq "$code" ] && { [ -z "$words" ] || grep -q -- "$words" "$dir/out"; }
	result $? "$name" || {
		echo "# exit $got, wanted $code and '$words'"
		sed 's/^/# /' "$dir/out"
	}
}

# flip_byte FILE OFFSET
flip_byte()
{
	local old
	old=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "\\x$(printf %02x $((old ^ 0x55)))" |
		dd of="$1" bs=1 seek="$2" count=1 conv=notrunc status=none
}

fresh()
{
	rm -f "$file"
	truncate -s "$1" "$file"
}

test_pattern()
{
	fresh 4M
	"$IOCHECK" pattern-write --seed 7 "$file"
	expect 0 "" "a pattern is read back" -- pattern-verify --seed 7 "$file"
	expect 1 "sector 0 should be of seed 8, but is sector 0 of seed 7" \
		"another seed is told apart" -- pattern-verify --seed 8 "$file"
	"$IOCHECK" pattern-write --seed 9 --offset 1M --len 64K "$file"
	expect 0 "" "a part with a seed of its own" -- \
		pattern-verify --seed 9 --offset 1M --len 64K "$file"
	expect 1 "sector 2048 should be of seed 7" "and the rest has the other" -- \
		pattern-verify --seed 7 "$file"
	dd if="$file" of="$file" bs=4096 skip=5 seek=9 count=1 conv=notrunc status=none
	expect 1 "sector 72 should be of seed 7, but is sector 40" "a moved block is explained" -- \
		pattern-verify --seed 7 "$file"
}

test_hash()
{
	local one

	fresh 4M
	"$IOCHECK" pattern-write "$file"
	one=$("$IOCHECK" hash "$file")
	expect 0 "$one" "the hash is the content's" -- hash "$file"
	flip_byte "$file" 3000000
	[ "$("$IOCHECK" hash "$file")" != "$one" ]
	result $? "one byte changes the hash"
}

test_rand()
{
	fresh 8M
	expect 0 "discards" "random I/O against a shadow" -- \
		rand-verify --seed 3 --count 300 --jobs 2 --size 1M --shadow "$dir/shadow" "$file"
	expect 0 "" "the shadow compares" -- compare --shadow "$dir/shadow" "$file"
	expect 0 "discards" "random I/O goes on from its shadow" -- \
		rand-verify --seed 4 --count 300 --size 64K --shadow "$dir/shadow" "$file"
	"$IOCHECK" pattern-write --seed 5 --offset 2M --len 64K "$file"
	expect 1 "is not what was written" "a change behind its back is seen" -- \
		compare --shadow "$dir/shadow" "$file"
	expect 1 "is not what was written" "also by the random reads" -- \
		rand-verify --count 300 --size 4K --shadow "$dir/shadow" "$file"
}

test_nowait()
{
	fresh 8M
	expect 0 "^ok [0-9]* again [0-9]* error 0" "writes that must not wait" -- \
		nowait --seed 2 --count 500 --retry "$file"
	expect 2 "too small" "a device too small for the depth" -- nowait --len 64K "$file"
}

test_mmap()
{
	local after

	fresh 16M
	expect 0 "pages changed" "mapped pages changed under writeback" -- \
		mmap-write --state "$dir/state" --seconds 1 --jobs 2 "$file"
	after=$("$IOCHECK" bounds "$dir/state")
	expect 0 "pages hold a value" "no page is newer than the bound" -- \
		mmap-check --after "$after" "$file"
	expect 1 "stored after the return" "a newer page is seen" -- \
		mmap-check --after $((after / 2)) "$file"
	flip_byte "$file" 2050
	expect 1 "changed while\|stored after" "a page of three values is seen" -- \
		mmap-check --after "$after" "$file"
	fresh 16M
	expect 2 "never written" "an empty image is refused" -- mmap-check --after 1 "$file"
}

test_words()
{
	expect 2 "takes no --shadow" "an option of another command is refused" -- \
		hash --shadow x "$file"
	expect 2 "needs --after" "a missing option is named" -- mmap-check "$file"
	expect 2 "not a size" "a bad size is refused" -- hash --len 3Q "$file"
	expect 2 "cannot open" "a missing device is named" -- hash "$dir/none"
}

echo "TAP version 13"
test_pattern
test_hash
test_rand
test_nowait
test_mmap
test_words
echo "1..$number"
echo "# $((number - failed)) passed, $failed failed"
[ $failed -eq 0 ]
