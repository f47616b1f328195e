#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: Python compiles without a warning and keeps its lines short.

. "$(dirname "$0")/common.sh"

mapfile -t files < <(
	own_files | while read -r file; do
		[[ $file == *.py ]] || head -n 1 "$file" | grep -qa '^#!.*python' || continue
		echo "$file"
	done
)
[[ ${#files[@]} -gt 0 ]] || exit 1
status=0
for file in "${files[@]}"; do
	python3 -W error -W ignore::ResourceWarning -c 'import sys; compile(open(sys.argv[1], "rb").read(), sys.argv[1], "exec")' \
		"$file" || status=1
done
awk 'length > 100 { print FILENAME ":" FNR ": " length " columns"; bad = 1 } END { exit bad }' \
	"${files[@]}" || status=1
exit $status
