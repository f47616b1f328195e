#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cohortctl pool check and dump: clones and their copy maps, and damages of those.
# shellcheck disable=SC2317 # cases are called by check
. "$(dirname "$0")/pool-check.inc"

rels=(copy rest)
pool=$dir/v1-clones.img

# Maps of 35 blocks, of which six second copies are in a second segment. All old chunks are written over.
truncate -s 16M "$pool"
"$top/build/bin/poolgen" "$pool" 125 125 1100000 50

generated_pool()
{
	says whole "$pool" &&
		grep -q ', 250 of them needed, 3 clones with 50 of 2200000 chunks copied$' "$dir/out"
}

clones_are_dumped()
{
	tool 0 pool dump "$pool" || return 1
	grep -c '^superblock .*, may have clones' "$dir/out"
	grep '^clone: \|50 chunks copied$\|copy maps$' "$dir/out"
	grep -c ' writes 1 and 1, 0 chunks copied$' "$dir/out"
}

dump_is_right()
{
	local map=6d617020-6f66-2061-2063-6c6f6e6500 target='target of 4505600000 bytes, dm -'

	diff - <(clones_are_dumped) <<-EOF
		2
		segment 6: use 7, nonce 1, 262144 bytes, blocks of copy maps
		segment 7: use 8, nonce 1, 262144 bytes, blocks of copy maps
		segment 8: use 9, nonce 1, 262144 bytes, blocks of copy maps
		segment 9: use 10, nonce 1, 262144 bytes, blocks of copy maps
		clone: member 0 of relationship 8, $target, wwn copy, partuuid -, map ${map}08 in 2 segments
		$(printf '\t')block 0: writes 1 and 1, 50 chunks copied
		clone: member 0 of relationship 10, $target, wwn rest, partuuid -, map ${map}0a in 2 segments
		clone: member 0 of relationship 12, $target, wwn done, partuuid -, no map
		69
	EOF
}

# The older copy of a block does not count, and neither does one that is not whole.
copies_are_dumped()
{
	cp "$pool" "$dir/hurt.img"
	"$hurt" clone_copy_older "$dir/hurt.img" && "$hurt" clone_copy_zero "$dir/hurt.img" &&
		"$hurt" clone_copies_foreign "$dir/hurt.img" && tool 0 pool dump "$dir/hurt.img" || return 1
	grep $'^\tblock' "$dir/out" | head -4 | diff - <(printf '\tblock %s\n' \
		"0: writes 2 and 1, 50 chunks copied" \
		"1: writes 0 and 0, 0 chunks copied, neither copy is good" \
		"2: writes 1 and 1, 0 chunks copied" \
		"3: writes 1 and 0, 0 chunks copied, one good copy alone")
}

clones_in_json()
{
	tool 0 pool dump --json "$pool"
	python3 - "$dir/out" <<-EOF || return 1
		import json, sys
		lines = [json.loads(l) for l in open(sys.argv[1])]
		of = lambda key: [l[key] for l in lines if key in l]
		assert [s["clones"] for s in of("superblock")] == [True, True]
		assert [s["number"] for s in of("segment") if s["kind"] == "map"] == [6, 7, 8, 9]
		assert [(c["relationship"], c["member"], c["segments"], c["wwn"], c["chunks"])
			for c in of("clone")] == [(8, 0, [6, 7], "copy", 1100000),
						  (10, 0, [8, 9], "rest", 1100000),
						  (12, 0, [], "done", 1100000)]
		blocks = of("map_block")
		assert len(blocks) == 70 and all(b["seq"] == [1, 1] for b in blocks)
		assert sum(b["copied"] for b in blocks if b["relationship"] == 8) == 50
	EOF
	tool 0 pool check --json "$pool"
	[[ $(jq -c '[.Clones, .ChunksToCopy, .CopiedChunks]' "$dir/out") == "[3,2200000,50]" ]]
}

# says_of WAY [LINE...]: these findings and no others.
says_of()
{
	cp "$pool" "$dir/hurt.img"
	"$hurt" "$1" "$dir/hurt.img"
	"$COHORTCTL" pool check "$dir/hurt.img" | grep -v "^$dir" >"$dir/out"
	printf '%s\n' "${@:2}" | diff - "$dir/out"
}

# What a clone has copied is nothing that the log could have lost.
end_is_no_loss()
{
	says_of clone_log_flip \
		"repairable: segment 11, byte 0: a batch is damaged, what it held is lost" \
		"repairable: segment 10: the log was closed behind what can be read of it" \
		"repairable: relationship old becomes Broken: its images may miss what was lost" \
		"repairable: relationship copy becomes Broken: its images may miss what was lost" \
		"repairable: relationship rest becomes Broken: its images may miss what was lost" &&
		says repaired "$dir/hurt.img" --repair &&
		[[ $(state_of "done" "$dir/hurt.img") == Synchronized ]]
}

# A block that is written again from its other copy says what that one says.
copy_is_made_again()
{
	cp "$pool" "$dir/hurt.img"
	"$hurt" clone_copy_flip "$dir/hurt.img" && says repaired "$dir/hurt.img" --repair &&
		cmp "$pool" "$dir/hurt.img"
}

# given_up WAY TARGET WORDS REL: a target, and its relationship with it.
given_up()
{
	check "$1 is named" says_of "clone_$1" \
		"repairable: target of member $2 $3: it is given up" \
		"repairable: relationship $4 has a member without a target: it is given up"
}

# broken WAY REL WORDS
broken()
{
	check "$1 is named" says_of "clone_$1" \
		"repairable: clone $2_1 has $3: it is Broken, without a map"
}

# wrong WAY REL WORDS
wrong()
{
	check "$1 is named" says_of "clone_$1" \
		"repairable: relationship $2 has a member $3: it is given up"
}

lost="1 of 35 blocks of its copy map are lost: which chunks are on its target is not known"
single="1 of 35 blocks of its copy map have one good copy alone"
unneeded="has a copy map that it does not need: it is taken off"

check "a pool that was generated" generated_pool
check "clones in a dump" dump_is_right
check "copies of blocks in a dump" copies_are_dumped
check "clones in JSON" clones_in_json
check "a copy that is made again" copy_is_made_again
check "the end of a clone is no loss" end_is_no_loss
given_up no_rel "0 of relationship 4711" "is of a relationship that is not in the catalog" "done"
given_up of_snapshot "0 of relationship 4" "is of a relationship that is no clone" "done"
given_up member "7 of relationship 8" "is of a member that there is not" copy
given_up small "0 of relationship 8" "is smaller than its source" copy
given_up size "0 of relationship 12" "has an impossible size" "done"
given_up identity "0 of relationship 10" "has an impossible identity" rest
broken count copy "a copy map of a wrong size"
broken no_uuid copy "a copy map without a UUID"
broken no_map "done" "no copy map"
broken segment_outside copy "a copy map outside of the pool"
broken segment_twice copy "a copy map with a segment twice"
broken segment_later rest "a copy map in a segment of another one"
broken segment_earlier copy "a copy map that is not in its segments"
broken segment_index copy "a copy map in a segment of another kind"
broken segment_written copy "a copy map that is not in its segments"
wrong state copy "in a state that clones do not know"
wrong no_cut copy "without a cut"
wrong cut "done" "with a cut that it does not need"
check "uuid is named" says_of clone_uuid "repairable: clone done_1 $unneeded"
check "map is named" says_of clone_map "repairable: clone copy_1 $unneeded"
check "no_feature is named" says_of clone_no_feature \
	"repairable: the pool has clones its superblock does not tell of"
check "segment_free is named" says_of clone_segment_free \
	"repairable: clone copy_1 has its copy map in segments that the table has for free"
check "copy_flip is named" says_of clone_copy_flip "repairable: clone copy_1: $single"
check "copies_flip is named" says_of clone_copies_flip "damage: clone copy_1: $lost"
check "copies_foreign is named" says_of clone_copies_foreign "damage: clone copy_1: $lost"
check "copies_tail is named" says_of clone_copies_tail "damage: clone copy_1: $lost"
# a chunk that is on a target, or was written over, is needed by who has not copied it
check "chunk_copied_flip is named" says_of clone_chunk_copied_flip \
	"damage: image 1 of rest can not be read at byte 4096: its chunk is damaged"
damage_each clones "clones\\?_"
finish
