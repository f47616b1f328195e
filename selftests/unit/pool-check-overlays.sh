#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cohortctl pool check and dump: images that were written, and damages of what was.
# shellcheck disable=SC2317 # cases are called by check
. "$(dirname "$0")/pool-check.inc"

# The golden image with overlays is the crashed one, written, flushed, and written again.
overlays_are_made_as_ever()
{
	local step

	cp "$dir/v1-crashed.img" "$dir/hurt.img"
	for step in write flush rewrite; do
		"$hurt" "$step" "$dir/hurt.img" && says whole "$dir/hurt.img" || return 1
	done
	cmp "$dir/v1-overlays.img" "$dir/hurt.img"
}

# written FILE FIRST LAST WORD: what poolhurt writes over these chunks.
written()
{
	local chunk

	for ((chunk = $2; chunk <= $3; chunk++)); do
		yes "$4" | head -c 4096 |
			dd of="$1" bs=4096 seek="$chunk" conv=notrunc iflag=fullblock status=none
	done
}

# An image with an overlay is the image without, and over it what was written last.
overlays_show_what_was_written()
{
	local image

	for image in both_1:a both_2:b one_1:a; do
		"$hurt" image "$dir/v1-crashed.img" "${image%_*}" "$((${image:${#image}-3:1} - 1))" \
			"$dir/v1-${image#*:}.img" >"$dir/${image%:*}"
	done
	written "$dir/both_1" 1 4 early
	written "$dir/both_1" 2 2 middle
	written "$dir/both_1" 3 3 late
	written "$dir/both_1" 10 11 late
	written "$dir/both_2" 1 1 again
	written "$dir/one_1" 60 63 middle
	written "$dir/one_1" 5 5 later
	(cd "$dir" && sha256sum both_1 both_2 one_1) | diff "$golden/v1-overlays.sums" - &&
		verdict=whole images_are_right "$dir/v1-overlays.img"
}

# says_of WAY WORDS: what is damaged is named.
says_of()
{
	cp "$dir/v1-overlays.img" "$dir/hurt-overlays.img"
	"$hurt" "$1" "$dir/hurt-overlays.img"
	"$COHORTCTL" pool check "$dir/hurt-overlays.img" >"$dir/out"
	grep -qxF "$2" "$dir/out" || {
		cat "$dir/out"
		return 1
	}
}

needed_of() { "$COHORTCTL" pool check --json "$1" | jq .NeededChunks; }

# Of each overlay the newest of each chunk, and nothing of a former life.
needed_are_counted()
{
	[[ $(needed_of "$dir/v1-overlays.img") -eq $(($(needed_of "$dir/v1-crashed.img") + 6 + 1 + 5)) ]]
}

overlays_in_json()
{
	tool 0 pool dump --json "$dir/v1-overlays.img"
	python3 - "$dir/out" <<-EOF
		import json, sys
		lines = [json.loads(l) for l in open(sys.argv[1])]
		of = lambda key: [l[key] for l in lines if key in l]
		assert [s["overlays"] for s in of("superblock")] == [True, True]
		assert [o["id"] & ~(1 << 31) for o in of("overlay")] == [20, 22, 21]
		assert all(o["live"] and o["id"] >> 31 for o in of("overlay"))
		assert {(w["overlay"] & ~(1 << 31), w["chunk"], w["batch"]) for w in of("written")} >= {
			(20, 3, 109), (20, 3, 118), (21, 1, 121), (22, 5, 123)}
	EOF
}

# Of chunks that were written twice the later counts, in the log as in a run.
generated_pool()
{
	rm -f "$dir/generated"
	truncate -s 8G "$dir/generated"
	"$top/build/bin/poolgen" "$dir/generated" 1000 250 && says whole "$dir/generated" &&
		grep -q ', 1500 chunks preserved, 1250 of them needed' "$dir/out"
}

check "golden image, with overlays" is_golden overlays
check "golden image, written" overlays_are_made_as_ever
check "images show what was written" overlays_show_what_was_written
check "overlays in JSON" overlays_in_json
check "needed chunks are counted" needed_are_counted
check "a pool that was generated" generated_pool
check "a damaged chunk that was written is named" says_of overlay_chunk_flip \
	"damage: image both_1 can not be read at byte 4096: chunk 1, which was written to it, is damaged"
check "overlays without their feature are named" says_of overlay_no_feature \
	"repairable: the pool has overlays its superblock does not tell of"
check "moves without their feature are named" says_of overlay_moved_no_feature \
	"repairable: the pool has moved chunks its superblock does not tell of"
check "an image that lost its overlay is named" says_of overlay_member \
	"repairable: image both_2 becomes Broken: it may miss what was written to it"
damage_each overlays "overlays\\?_"
finish
