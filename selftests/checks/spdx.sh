#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: each file names its licence, the one its directory has.

. "$(dirname "$0")/common.sh"

# First match decides; "-" means that the file cannot carry one.
rules='
LICENSES/.*|COPYING             -
.*\.(md|conf)                   -
\.(gitignore|clang-format|checkpatch\.conf)  -
kmod/netlink-gen\.[ch]          ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
kmod/.*|Kbuild                  GPL-2.0-only|GPL-2.0-only OR LGPL-2.1-or-later
include/uapi/.*|include/spec/.*\.yaml  ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
include/cohort/.*|libctl/.*     LGPL-2.1-or-later
docs/targets/.*                 GPL-2.0-only|GPL-2.0-or-later
.*                              GPL-2.0-or-later
'

status=0
while read -r file; do
	while read -r pattern licence; do
		[[ -n $pattern && $file =~ ^($pattern)$ ]] || continue
		break
	done <<<"$rules"
	[[ $licence != - ]] || continue
	found=$(head -n 5 "$file" | grep -aoE 'SPDX-License-Identifier: .*' | head -n 1 |
		sed -E 's/^SPDX-License-Identifier: //; s/ *(\*\/|-->)? *$//') || true
	if [[ -z $found ]]; then
		echo "$file: no SPDX-License-Identifier in its first lines"
		status=1
	elif [[ "|$licence|" != *"|$found|"* ]]; then
		echo "$file: is under '$found', its place under '$licence'"
		status=1
	fi
done < <(own_files)
exit $status
