#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The checker judged: stamp must accept one instant and refuse everything else.
#
# Runs in user space on plain files, as any user. STAMP names the program.

top=$(cd "$(dirname "$0")/../.." && pwd)
STAMP=${STAMP:-$top/build/bin/stamp}
dir=$(mktemp -d)
members=4
state=$dir/state
number=0
failed=0

finish()
{
	[ -e "$state" ] && "$STAMP" stop "$state" 2>/dev/null
	wait
	rm -rf "$dir"
}
trap finish EXIT

# result STATUS NAME: one KTAP line.
result()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number $2"
	else
		failed=$((failed + 1))
		echo "not ok $number $2"
	fi
}

live()
{
	local i
	for ((i = 0; i < members; i++)); do
		echo "$dir/live$i"
	done
}

images()
{
	local i
	for ((i = 0; i < members; i++)); do
		echo "$dir/$1.$i"
	done
}

# start_writers [OPTION...]
start_writers()
{
	local i
	for ((i = 0; i < members; i++)); do
		truncate -s 16M "$dir/live$i"
	done
	rm -f "$state"
	# shellcheck disable=SC2046
	"$STAMP" write --state "$state" "$@" $(live) >"$dir/writers.out" 2>"$dir/writers.err" &
	"$STAMP" wait "$state" 2000 60
}

before() { "$STAMP" mark --acked "$state" >"$dir/$1.before"; }
after() { "$STAMP" mark --issued "$state" >"$dir/$1.after"; }

copy_one()
{
	cp --sparse=always "$dir/live$2" "$dir/$1.$2"
}

# A true cut: nothing is in flight while the files are copied.
cut_paused()
{
	local i
	before "$1"
	"$STAMP" pause "$state" || return
	for ((i = 0; i < members; i++)); do
		copy_one "$1" "$i"
	done
	after "$1"
	"$STAMP" resume "$state"
}

# What everybody does: one member after the other, under load. Each member is
# copied whole while the writers stand, so nothing but the order is wrong.
cut_one_by_one()
{
	local i
	before "$1"
	for ((i = 0; i < members; i++)); do
		"$STAMP" pause "$state" || return
		copy_one "$1" "$i"
		"$STAMP" resume "$state"
		"$STAMP" wait "$state" "${2:-20}" 60
	done
	after "$1"
}

# verify CUT [IMAGE...]: the cut's own images unless others are given.
verify()
{
	local cut=$1
	shift
	# shellcheck disable=SC2046
	[ $# -gt 0 ] || set -- $(images "$cut")
	"$STAMP" verify --before "$dir/$cut.before" --after "$dir/$cut.after" "$@" \
		>"$dir/verdict" 2>"$dir/verdict.err"
}

# expect CODE WORDS NAME -- ARGUMENTS OF verify
expect()
{
	local code=$1 words=$2 name=$3 got
	shift 4
	verify "$@"
	got=$?
	if [ "$got" -eq "$code" ] && cat "$dir/verdict" "$dir/verdict.err" | grep -q -- "$words"; then
		result 0 "$name"
	else
		echo "# exit $got, wanted $code and '$words'"
		sed 's/^/# /' "$dir/verdict" "$dir/verdict.err"
		result 1 "$name"
	fi
}

# First sector in which two files differ.
differing_sector()
{
	cmp -l "$1" "$2" 2>/dev/null | awk '{ print int(($1 - 1) / 512); exit }'
}

# put_sector FROM TO SECTOR [BYTES]
put_sector()
{
	dd if="$1" of="$2" bs="${4:-512}" skip=$(($3 * 512 / ${4:-512})) \
		seek=$(($3 * 512 / ${4:-512})) count=1 conv=notrunc status=none
}

# flip_byte FILE OFFSET
flip_byte()
{
	local old
	old=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "\\x$(printf %02x $((old ^ 0x55)))" |
		dd of="$1" bs=1 seek="$2" count=1 conv=notrunc status=none
}

# twin CUT NAME: a second set of images to be damaged.
twin()
{
	local i
	for ((i = 0; i < members; i++)); do
		cp --sparse=always "$dir/$1.$i" "$dir/$2.$i"
	done
	cp "$dir/$1.before" "$dir/$2.before"
	cp "$dir/$1.after" "$dir/$2.after"
}

test_accepts()
{
	local n good=0

	for n in 1 2 3 4 5; do
		cut_paused "a$n"
		verify "a$n" && good=$((good + 1))
		sed 's/^/# /' "$dir/verdict"
		"$STAMP" wait "$state" 300 60
	done
	[ $good -eq 5 ]
	result $? "five true cuts are consistent"
}

test_control()
{
	local n caught=0

	for n in 1 2 3 4 5; do
		cut_one_by_one "c$n"
		verify "c$n"
		[ $? -eq 1 ] && grep -q "violation (order)" "$dir/verdict" && caught=$((caught + 1))
		sed 's/^/# /' "$dir/verdict"
	done
	[ $caught -eq 5 ]
	result $? "members copied one by one are caught, 5 times in 5"
}

# The shortest gap there is: a single write between two members' copies.
test_control_tight()
{
	local n caught=0

	for n in $(seq 20); do
		cut_one_by_one t 1
		verify t
		[ $? -eq 1 ] && caught=$((caught + 1))
	done
	echo "# $caught of 20 caught"
	[ $caught -ge 10 ]
	result $? "one by one with hardly a write in between is caught in most cuts"
}

test_plain_copy()
{
	local i

	before p
	for ((i = 0; i < members; i++)); do
		copy_one p "$i"
	done
	after p
	verify p
	[ $? -eq 1 ]
	result $? "files copied one after another while written to are caught"
	sed 's/^/# /' "$dir/verdict"
}

test_live()
{
	cut_paused l
	"$STAMP" wait "$state" 300 60
	"$STAMP" pause "$state"
	# shellcheck disable=SC2046
	expect 1 "newer than the cut" "the live source is refused" -- l $(live)
	"$STAMP" resume "$state"
}

test_last_cut()
{
	cut_paused old
	"$STAMP" wait "$state" 300 60
	cut_paused new
	# shellcheck disable=SC2046
	expect 1 "older than the cut" "the last cut's images are refused" -- new $(images old)
	# shellcheck disable=SC2046
	expect 1 "newer than the cut" "the next cut's images are refused" -- old $(images new)
	# shellcheck disable=SC2046
	expect 1 "violation" "one member from the last cut is refused" -- \
		new "$dir/new.0" "$dir/old.1" "$dir/new.2" "$dir/new.3"
}

test_empty()
{
	local i

	cut_paused e
	for ((i = 0; i < members; i++)); do
		truncate -s 16M "$dir/none.$i"
	done
	# shellcheck disable=SC2046
	expect 2 "empty image" "empty images are refused" -- e $(images none)
	expect 2 "empty image" "one empty image is refused" -- \
		e "$dir/e.0" "$dir/e.1" "$dir/none.2" "$dir/e.3"
	truncate -s 4096 "$dir/none.2"
	expect 2 "bytes" "an image that is too small is refused" -- \
		e "$dir/e.0" "$dir/e.1" "$dir/none.2" "$dir/e.3"
	expect 2 "images wanted" "a missing image is refused" -- e "$dir/e.0" "$dir/e.1"
}

test_swapped()
{
	cut_paused s
	expect 1 "swapped member" "two swapped members are refused" -- \
		s "$dir/s.0" "$dir/s.2" "$dir/s.1" "$dir/s.3"
	expect 1 "swapped member" "one member given twice is refused" -- \
		s "$dir/s.0" "$dir/s.1" "$dir/s.1" "$dir/s.3"
}

test_other_side()
{
	local sector

	cut_paused x
	"$STAMP" wait "$state" 2000 60
	cut_paused y
	sector=$(differing_sector "$dir/x.1" "$dir/y.1")
	twin x x1
	put_sector "$dir/y.1" "$dir/x1.1" "$sector"
	expect 1 "violation" "one sector from after the cut is refused" -- x1
	twin y y1
	put_sector "$dir/x.1" "$dir/y1.1" "$sector"
	expect 1 "violation" "one sector from before the cut is refused" -- y1
	verify y
	result $? "the same images undamaged are consistent"
}

test_torn()
{
	local sector

	cut_paused o
	"$STAMP" wait "$state" 2000 60
	cut_paused n
	sector=$(differing_sector "$dir/o.2" "$dir/n.2")
	twin n n1
	put_sector "$dir/o.2" "$dir/n1.2" "$sector" 256
	expect 1 "torn sector" "a torn sector is refused" -- n1
	twin n n2
	flip_byte "$dir/n2.2" $((sector * 512 + 300))
	expect 1 "torn sector" "one wrong byte is refused" -- n2
	dd if=/dev/zero of="$dir/n2.2" bs=512 seek="$sector" count=1 conv=notrunc status=none
	expect 1 "violation" "a sector of zeroes is refused" -- n2
	twin n n3
	dd if="$dir/n.2" of="$dir/n3.2" bs=512 skip="$sector" seek=$((sector + 7)) count=1 \
		conv=notrunc status=none
	expect 1 "misplaced sector" "a sector at the wrong address is refused" -- n3
}

# newest_writes IMAGE: each chain's newest write on it, as "SEQ CHAIN SECTOR COUNT".
newest_writes()
{
	python3 - "$1" <<'END'
import struct, sys
newest = {}
data = open(sys.argv[1], "rb").read()
for off in range(0, len(data), 512):
    magic, = struct.unpack_from("<Q", data, off)
    if magic != 0x31706d6174536f63:
        continue
    chain, = struct.unpack_from("<H", data, off + 24)
    seq, count = struct.unpack_from("<QI", data, off + 32)
    lba, index = struct.unpack_from("<QI", data, off + 496)
    newest[chain] = max(newest.get(chain, (0, 0, 0)), (seq, lba - index, count))
for chain, (seq, lba, count) in newest.items():
    print(seq, chain, lba, count)
END
}

# The newest write of a chain, cut in half: its sectors are whole, it is not.
test_torn_write()
{
	local n m seq chain sector count

	for n in $(seq 20); do
		cut_paused h
		for ((m = 0; m < members; m++)); do
			newest_writes "$dir/h.$m" | sed "s/^/$m /"
		done | sort -k3,3n -k2,2nr | sort -k3,3n -s -u >"$dir/newest"
		read -r m seq chain sector count < <(awk '$5 > 1' "$dir/newest") && break
	done
	echo "# chain $chain write $seq: $count sectors"
	dd if=/dev/zero of="$dir/h.$m" bs=512 seek=$((sector + count - 1)) count=1 conv=notrunc \
		status=none
	expect 1 "torn write" "half of a write is refused" -- h
}

# One chain taken from an older instant: each chain by itself is in order, and
# only what the other chains had seen of it tells.
test_vectors()
{
	local m slot

	cut_paused f
	"$STAMP" wait "$state" 3000 60
	cut_paused g
	for ((m = 0; m < members; m++)); do
		for slot in 0 1 2 3 4 5 6 7; do
			dd if="$dir/f.$m" of="$dir/g.$m" bs=64K skip=$((slot * 8 + 5)) \
				seek=$((slot * 8 + 5)) count=1 conv=notrunc status=none
		done
	done
	cp "$dir/f.before" "$dir/g.before"
	expect 1 "(order).*but chain 5 write" "one chain from an earlier instant is refused" -- g
}

test_bounds()
{
	cut_paused b
	cp "$dir/b.before" "$dir/b.keep"
	sed -i 's/^seq 3 \(.*\)/seq 3 1\1/' "$dir/b.before"
	expect 2 "damaged" "a damaged bounds file is refused" -- b
	cp "$dir/b.after" "$dir/b.before"
	expect 2 "wants a mark" "two upper bounds are refused" -- b
	cp "$dir/b.keep" "$dir/b.before"
	verify b
	result $? "the same with its bounds restored is consistent"
}

test_json()
{
	cut_paused j
	# shellcheck disable=SC2046
	"$STAMP" verify --json --before "$dir/j.before" --after "$dir/j.after" $(images j) |
		python3 -c 'import json,sys; v = json.load(sys.stdin); sys.exit(v["verdict"] != "consistent" or v["writes"] < 1)'
	result $? "--json: a consistent verdict"
	cut_one_by_one k
	# shellcheck disable=SC2046
	"$STAMP" verify --json --before "$dir/k.before" --after "$dir/k.after" $(images k) |
		python3 -c '
import json, sys
v = json.load(sys.stdin)
a, b = v["missing"], v["dependent"]
sys.exit(v["verdict"] != "violation" or a["member"] == b["member"] and a["chain"] != b["chain"])'
	result $? "--json: a violation names the pair"
}

test_latency()
{
	"$STAMP" window "$state" slow
	"$STAMP" pause "$state"
	"$STAMP" resume "$state"
	"$STAMP" wait "$state" 200 60
	"$STAMP" window "$state" base
	"$STAMP" latency --json "$state" slow | python3 -c '
import json, sys
v = json.load(sys.stdin)
order = [v["p50_ns"], v["p99_ns"], v["p999_ns"], v["max_ns"]]
sys.exit(v["writes"] < 200 or order != sorted(order) or not order[0])'
	result $? "latency windows: percentiles in order"
}

test_stop()
{
	"$STAMP" stop "$state"
	wait
	grep -q "writes by 8 chains over 4 devices" "$dir/writers.out"
	result $? "the writers end when told and say what they wrote"
	cat "$dir/writers.err" >&2
}

test_wrong_run()
{
	cut_paused w
	"$STAMP" stop "$state"
	wait
	start_writers --seconds 60
	cut_paused v
	# shellcheck disable=SC2046
	expect 2 "wrong run" "images of another run are refused" -- v $(images w)
	verify v
	result $? "a run over the remains of another is judged by its own stamps"
	"$STAMP" stop "$state"
	wait
}

# Slots much smaller than a copy unit, shifted by one sector: neighbours share blocks.
test_small_slots()
{
	start_writers --seconds 60 --size-mix 512..2K --base 512 --chains 16 --dsync 10
	cut_paused q
	verify q
	result $? "16 chains, small shifted slots: a true cut is consistent"
	cut_one_by_one r
	expect 1 "violation (order)" "16 chains, small shifted slots: one by one is caught" -- r
	"$STAMP" stop "$state"
	wait
}

test_killed()
{
	start_writers --seconds 60
	before z
	kill -9 $!
	wait $! 2>/dev/null
	after z
	! "$STAMP" pause "$state" 2>/dev/null
	result $? "dead writers are noticed"
	# shellcheck disable=SC2046
	"$STAMP" verify --allow-torn --before "$dir/z.before" --after "$dir/z.after" $(live) \
		>"$dir/verdict"
	result $? "what killed writers left is consistent"
	sed 's/^/# /' "$dir/verdict"
}

echo "TAP version 13"
start_writers --seconds 300 || exit 1
test_accepts
test_control
test_control_tight
test_plain_copy
test_live
test_last_cut
test_empty
test_swapped
test_other_side
test_torn
test_torn_write
test_vectors
test_bounds
test_json
test_latency
test_wrong_run
start_writers --seconds 60
test_stop
test_small_slots
test_killed
echo "1..$number"
echo "# $((number - failed)) passed, $failed failed"
[ $failed -eq 0 ]
