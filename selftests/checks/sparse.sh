#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: the module passes sparse, with both kernels' headers.

. "$(dirname "$0")/common.inc"
[[ -e Kbuild ]] || exit 4

status=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for series in 6.1 6.12; do
	release=$(selftests/harness/release "$series")
	make modules KDIR="/lib/modules/$release/build" C=2 >"$log" 2>&1 || {
		cat "$log"
		status=1
	}
	grep -q '  CHECK ' "$log" || {
		echo "$series: sparse checked nothing"
		status=1
	}
	# What sparse says of the kernel's own headers is not ours.
	if grep -E '(^|/)kmod/[^:]*:[0-9]+:.*(warning|error):' "$log"; then
		status=1
	fi
done
exit $status
