#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: Python compiles without a warning and keeps its lines short.

. "$(dirname "$0")/common.inc"

mapfile -t files < <(
	own_files | xargs -d '\n' awk '
		FNR == 1 && (FILENAME ~ /\.py$/ || /^#!.*python/) { print FILENAME }
		FNR == 1 { nextfile }'
)
[[ ${#files[@]} -gt 0 ]] || exit 1
status=0
python3 -W error -W ignore::ResourceWarning -c '
import sys
for name in sys.argv[1:]:
    compile(open(name, "rb").read(), name, "exec")' "${files[@]}" || status=1
awk 'length > 100 { print FILENAME ":" FNR ": " length " columns"; bad = 1 } END { exit bad }' \
	"${files[@]}" || status=1
exit $status
