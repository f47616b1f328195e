#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: shell scripts pass shellcheck.

. "$(dirname "$0")/common.inc"

mapfile -t scripts < <(
	own_files | xargs -d '\n' awk '
		FNR == 1 && (FILENAME ~ /\.(sh|inc)$/ || /^#!.*[\/ ](ba)?sh( |$)/) { print FILENAME }
		FNR == 1 { nextfile }'
)
[[ ${#scripts[@]} -gt 0 ]] || exit 1
# SC1091: what is sourced is found at run time; SC2153: DISK1 comes from the guest;
# SC2119: own_c takes arguments or none.
shellcheck -x -P SCRIPTDIR -e SC1091,SC2119,SC2153 "${scripts[@]}"
