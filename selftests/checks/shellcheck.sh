#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: shell scripts pass shellcheck.

. "$(dirname "$0")/common.sh"

mapfile -t scripts < <(
	own_files | while read -r file; do
		[[ $file == *.sh ]] || head -n 1 "$file" | grep -qaE '^#!.*\b(ba)?sh\b' || continue
		echo "$file"
	done
)
[[ ${#scripts[@]} -gt 0 ]] || exit 1
# SC1091: what is sourced is found at run time; SC2153: DISK1 comes from the guest;
# SC2119: own_c takes arguments or none.
shellcheck -x -P SCRIPTDIR -e SC1091,SC2119,SC2153 "${scripts[@]}"
