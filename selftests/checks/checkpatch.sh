#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: C passes the kernel's checkpatch --strict.

. "$(dirname "$0")/common.sh"
top=$PWD

mapfile -t files < <(own_c | sed "s|^|$top/|")
[[ ${#files[@]} -gt 0 ]] || exit 1

# checkpatch leaves a cache file where it runs in a git tree: run it elsewhere,
# with the tree's own settings.
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
cp "$top/.checkpatch.conf" .
found=$(printf '%s\0' "${files[@]}" |
	xargs -0 -n 8 -P 2 perl "$KERNEL_SOURCE/scripts/checkpatch.pl" --no-tree --strict \
		-q --terse --show-types --no-summary -f 2>&1 |
	sed "s|^$top/||" | grep -v '^total:' || true)
[[ -z $found ]] || {
	echo "$found"
	exit 1
}
