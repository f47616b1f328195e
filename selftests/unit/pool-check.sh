#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cohortctl pool check and dump: the golden images, and what is said of each of many damages and left by its repair.
# shellcheck disable=SC2317 # cases are called by check
. "$(dirname "$0")/tool.inc"

golden=$top/selftests/golden
hurt=$top/build/bin/poolhurt
for image in "$golden"/*.img.xz; do
	xz -dc "$image" >"$dir/$(basename "$image" .xz)"
done

# state_of REL FILE
state_of()
{
	"$COHORTCTL" pool dump "$2" 2>/dev/null | awk -v rel="$1," '
		/^relationship / && $3 == rel { state = $4 }
		END { sub(",", "", state); print state ? state : "-" }'
}

# image_is_right POOL IMAGE MEMBER: what it was when it was taken; or an error, where damage is left.
image_is_right()
{
	local sum

	"$hurt" image "$1" "${2%_*}" $((${2#*_} - 1)) "$dir/v1-$3.img" >"$dir/image" 2>"$dir/err" || {
		[[ $verdict == damaged ]] && return
		cat "$dir/err"
		return 1
	}
	sum=$(sha256sum <"$dir/image")
	grep -q "^${sum%% *}  $2\$" "$golden/v1.sums" || {
		echo "image $2 is wrong"
		return 1
	}
}

images_are_right()
{
	local status=0

	if [[ $(state_of both "$1") == Synchronized ]]; then
		image_is_right "$1" both_1 a || status=1
		image_is_right "$1" both_2 b || status=1
	fi
	if [[ $(state_of one "$1") == Synchronized ]]; then
		image_is_right "$1" one_1 a || status=1
	fi
	return "$status"
}

is_golden()
{
	local verdict=whole

	tool 0 pool check "$dir/v1-$1.img" && grep -q ' is whole: ' "$dir/out" &&
		tool 0 pool dump "$dir/v1-$1.img" && diff "$golden/v1-$1.dump" "$dir/out" &&
		images_are_right "$dir/v1-$1.img"
}

# says VERDICT FILE [OPTION]
says()
{
	local code=4

	[[ $1 == whole || $1 == repaired ]] && code=0
	tool "$code" pool check "${@:3}" "$2" || return 1
	if [[ $1 == refused ]]; then
		[[ $(wc -l <"$dir/err") -eq 1 ]]
	else
		grep -q " is $1: " "$dir/out"
	fi && return
	echo "not $1:"
	cat "$dir/out" "$dir/err"
	return 1
}

# damage IMAGE WAY VERDICT BOTH ONE: the states are those after the repair.
damage()
{
	local file=$dir/hurt.img before after=$3 sum verdict=$3

	cp "$dir/v1-$1.img" "$file"
	"$hurt" "$2" "$file" || return 1
	sum=$(sha256sum <"$file")
	says "$3" "$file" || return 1
	[[ $sum == "$(sha256sum <"$file")" ]] || {
		echo "check has written"
		return 1
	}
	[[ $3 == repairable ]] && after=repaired
	says "$after" "$file" --repair || return 1
	[[ $3 != repairable ]] || says whole "$file" || return 1
	[[ $3 == repairable || $sum == "$(sha256sum <"$file")" ]] || {
		echo "repair has written where there is nothing to repair"
		return 1
	}
	before=$(state_of both "$file")/$(state_of one "$file")
	[[ $before == "$4/$5" ]] || {
		echo "both/one are $before after the repair, not $4/$5"
		return 1
	}
	images_are_right "$file"
}

# What is said of the whole is said once, what is written is written once.
repair_is_final()
{
	local sum

	cp "$dir/v1-closed.img" "$dir/hurt.img"
	"$hurt" batches_flip "$dir/hurt.img" && says repaired "$dir/hurt.img" --repair || return 1
	sum=$(sha256sum <"$dir/hurt.img")
	says whole "$dir/hurt.img" --repair && [[ $sum == "$(sha256sum <"$dir/hurt.img")" ]]
}


# A repair that is cut off leaves the damage, or a pool whose snapshots are not to be trusted.
repair_is_cut_off()
{
	local n file=$dir/hurt.img status

	for ((n = 1; n < 20; n++)); do
		cp "$dir/v1-closed.img" "$file"
		"$hurt" batch_preserve_flip "$file"
		status=0
		STOP_AT=$n LD_PRELOAD=$top/build/lib/stopwrite.so \
			"$COHORTCTL" pool check --repair "$file" >/dev/null 2>&1 || status=$?
		[[ $status -ne 0 ]] || break
		"$COHORTCTL" pool check "$file" >"$dir/out" 2>&1
		"$COHORTCTL" pool dump "$file" >"$dir/dump" 2>&1
		grep -qE ' is repairable: ' "$dir/out" || [[ $(state_of both "$file") == Broken ]] ||
			grep -q 'not to be trusted' "$dir/dump" || {
			echo "cut off at write $n:"
			cat "$dir/out"
			return 1
		}
		"$COHORTCTL" pool check --repair "$file" >/dev/null && says whole "$file" || return 1
		[[ $(state_of both "$file")/$(state_of one "$file") == Broken/Broken ]] || return 1
	done
	((n > 4)) || echo "the repair wrote $n blocks only"
	((n > 4 && n < 20))
}

json_is_good()
{
	cp "$dir/v1-closed.img" "$dir/hurt.img"
	"$hurt" chunk_flip "$dir/hurt.img"
	tool 4 pool check --json "$dir/hurt.img"
	python3 - "$dir/out" <<-EOF || return 1
		import json, sys
		out = json.load(open(sys.argv[1]))
		assert out["schema"] == 1 and out["verdict"] == "damaged" and out["pool"] == "golden", out
		assert [f["kind"] for f in out["findings"]] == ["damage"], out
		assert out["PreservedChunks"] >= out["NeededChunks"] > 0, out
	EOF
	tool 0 pool dump --json "$dir/v1-closed.img"
	python3 -c 'import json, sys; [json.loads(l) for l in open(sys.argv[1])]' "$dir/out"
}

no_pool_there()
{
	truncate -s 8M "$dir/zero"
	says refused "$dir/zero" && says refused /dev/null && says refused "$dir/nothing" &&
		tool 4 pool dump "$dir/zero" && grep -q 'no cohort pool' "$dir/err"
}

file_is_in_use()
{
	flock -s "$dir/v1-closed.img" "$COHORTCTL" pool check --repair "$dir/v1-closed.img" \
		>"$dir/out" 2>"$dir/err"
	[[ $? -eq 5 ]] && grep -q 'in use' "$dir/err"
}

check "golden image, closed" is_golden closed
check "golden image, crashed" is_golden crashed
check "a repair is final" repair_is_final
check "a repair that is cut off" repair_is_cut_off
check "JSON" json_is_good
check "no pool there" no_pool_there
check "a file in use" file_is_in_use

while read -r way closed crashed both one; do
	check "damage $way, closed" damage closed "$way" "$closed" "${both%%,*}" "${one%%,*}"
	check "damage $way, crashed" damage crashed "$way" "$crashed" "${both##*,}" "${one##*,}"
done < <(grep -v '^#' "$(dirname "$0")/pool-check.table")
ways=$("$hurt" list | sort)
check "each way to damage a pool has its verdict" \
	diff <(grep -v '^#' "$(dirname "$0")/pool-check.table" | cut -d ' ' -f 1 | sort) - <<<"$ways"
finish
