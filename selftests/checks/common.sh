# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the lints share: the tree's own files, and where the kernel's source is.

set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
export KERNEL_SOURCE=${COHORT_CACHE:-/var/cache/cohort}/linux-source

# Files of the tree that are written by hand or committed; a new file counts
# before it is added.  Without git (an unpacked tarball), all but build/.
own_files()
{
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . -path ./build -prune -o -type f -printf '%P\n'
	fi | grep -vE '^build/' | sort | while read -r file; do
		[[ ! -f $file || -L $file ]] || echo "$file"
	done
}

# own_c [DIRECTORY...]: hand-written C, below these directories.
own_c()
{
	own_files | grep -E '\.[ch]$' | grep -vE "$GENERATED" |
		grep -E "^($(IFS='|' && echo "${*:-.*}"))/" || true
}

# Generated and committed; the generator's style is its own.
export GENERATED='^(include/uapi/linux/cohort\.h|kmod/netlink-gen\.[ch])$'
