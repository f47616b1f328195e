#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cohortctl pool check and dump: the golden images, and what is said of each of many damages and left by its repair.
# shellcheck disable=SC2317 # cases are called by check
. "$(dirname "$0")/pool-check.inc"

# What two runs say is what the log said, and no batch of that is read any more.
runs_say_the_same()
{
	local verdict=whole was now

	says whole "$dir/v1-runs.img" && tool 0 pool dump "$dir/v1-runs.img" || return 1
	was=$(grep -c $'^\t\tsource ' "$golden/v1-crashed.dump")
	now=$(grep -c $'^\t\tsource ' "$dir/out")
	[[ $was -eq $now && $(grep -c '^run ' "$dir/out") -eq 2 ]] ||
		{ echo "$was chunks of the log are $now of runs"; return 1; }
	[[ $(grep -c $'^\tbatch ' "$dir/out") -eq 1 ]] && images_are_right "$dir/v1-runs.img"
}

# The golden image with runs is the crashed one, flushed by today's code as by that of then.
runs_are_made_as_ever()
{
	cp "$dir/v1-crashed.img" "$dir/hurt.img"
	"$hurt" flush "$dir/hurt.img" && cmp "$dir/v1-runs.img" "$dir/hurt.img"
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

# Its batches say by themselves that they are of a side log, and of which.
side_log_is_made_again()
{
	cp "$dir/v1-crashed.img" "$dir/hurt.img"
	"$hurt" side_table_zero "$dir/hurt.img" && says repaired "$dir/hurt.img" --repair &&
		tool 0 pool dump "$dir/hurt.img" || return 1
	[[ $(grep -c 'chunks by a side log' "$dir/out") -eq 3 ]] || {
		cat "$dir/out"
		return 1
	}
}

check "golden image, closed" is_golden closed
check "golden image, crashed" is_golden crashed
check "golden image, with runs" is_golden runs
check "golden image, flushed" runs_are_made_as_ever
check "runs say what the log says" runs_say_the_same
check "a repair is final" repair_is_final
check "a repair that is cut off" repair_is_cut_off
check "the table of a side log" side_log_is_made_again
check "JSON" json_is_good
check "no pool there" no_pool_there
check "a file in use" file_is_in_use

while read -r way closed crashed both one; do
	check "damage $way, closed" damage closed "$way" "$closed" "${both%%,*}" "${one%%,*}"
	check "damage $way, crashed" damage crashed "$way" "$crashed" "${both##*,}" "${one##*,}"
done < <(grep -v '^#\|^runs\?_\|^overlays\?_\|^side_\|^clones\?_' "$(dirname "$0")/pool-check.table")
damage_each runs "runs\\?_"
damage_each crashed side_
ways=$("$hurt" list | sort)
check "each way to damage a pool has its verdict" \
	diff <(grep -v '^#\|^runs_\|^overlays_\|^clones_' "$(dirname "$0")/pool-check.table" | cut -d ' ' -f 1 | sort) - <<<"$ways"
finish
