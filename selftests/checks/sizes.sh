#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: no function over 100 lines, the median at most 12, 9 of 10 at most 50; no file over 900.

. "$(dirname "$0")/common.inc"

limit_function=100
limit_median=12
limit_p90=50
limit_file=900
status=0

mapfile -t sources < <(own_files | grep -E '\.(c|h|sh|py|pml)$|^(check|demo)$|/run$')
for file in "${sources[@]}"; do
	[[ $file =~ $GENERATED ]] && continue
	lines=$(wc -l <"$file")
	((lines <= limit_file)) || {
		echo "$file: $lines lines, $limit_file allowed"
		status=1
	}
done

# A function is what stands between "{" and "}" at the start of a line.  A line
# may end in "{" there too (struct x = {), which is no function.
mapfile -t code < <(own_c | grep '\.c$'; printf '%s\n' "${sources[@]}" | grep -E '\.sh$')
lengths=$(awk '
	FNR == 1 { start = 0 }
	/^\{$/ { start = FNR; name = before }
	/^\}/ && start { print FNR - start - 1, FILENAME ":" start ": " name; start = 0 }
	/^[^ \t{}#\/*]/ { before = $0 }' "${code[@]}" | sort -n)
[[ -n $lengths ]] || {
	echo "no function found"
	exit 1
}

long=$(awk -v limit="$limit_function" '$1 > limit' <<<"$lengths")
[[ -z $long ]] || {
	echo "functions over $limit_function lines:"
	echo "$long"
	status=1
}

# at PERCENT: the length that so many percent of the functions do not exceed.
at()
{
	awk -v part="$1" '{ n[NR] = $1 } END { print n[int((NR * part + 99) / 100)] }' <<<"$lengths"
}
median=$(at 50)
p90=$(at 90)
echo "$(wc -l <<<"$lengths") functions: median $median, p90 $p90 lines"
((median <= limit_median && p90 <= limit_p90)) || {
	echo "allowed: median $limit_median, p90 $limit_p90"
	status=1
}
exit $status
