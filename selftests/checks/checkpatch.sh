#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: C passes the kernel's checkpatch --strict, with the tree's .checkpatch.conf.

. "$(dirname "$0")/common.inc"
top=$PWD

# Tracepoint macros are laid out as the kernel's own trace headers are.
expected='^kmod/trace\.h:[0-9]+: CHECK:(PARENTHESIS_ALIGNMENT|OPEN_ENDED_LINE|SPACING)'
# What checkpatch says of not being in a kernel tree.
noise='^Use of uninitialized value [$]root|^find: .*/include'

mapfile -t files < <(own_c | sed "s|^|$top/|")
[[ ${#files[@]} -gt 0 ]] || exit 1

# checkpatch leaves a cache file where it runs in a git tree: run it elsewhere.
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
cp "$top/.checkpatch.conf" .
found=$(printf '%s\0' "${files[@]}" |
	xargs -0 -n 8 -P 2 perl "$KERNEL_SOURCE/scripts/checkpatch.pl" --no-tree --strict \
		-q --terse --show-types --no-summary -f 2>&1 |
	sed "s|^$top/||" | grep -vE "^total:|$noise|$expected" || true)
[[ -z $found ]] || {
	echo "$found"
	exit 1
}
