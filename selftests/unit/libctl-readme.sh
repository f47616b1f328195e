#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The example in the library's README builds, links, and says in words what it lacks.

top=$(cd "$(dirname "$0")/../.." && pwd)
library=${LIBCOHORT:-$top/build/lib/libcohort.so.0}
dir=$(mktemp -d)
failed=0
trap 'rm -rf "$dir"' EXIT

# result STATUS NUMBER NAME: one KTAP line, what was said behind it.
result()
{
	if [[ $1 -eq 0 ]]; then
		echo "ok $2 $3"
		return
	fi
	failed=1
	echo "not ok $2 $3"
	sed 's/^/# /' "$dir/said"
}

echo "TAP version 13"
echo "1..3"
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$top/libctl/README.md" >"$dir/example.c"
grep -q cohort_create_group_replica_from_elements "$dir/example.c" 2>"$dir/said"
result $? 1 "there is an example"
"${CC:-gcc}" -Wall -Wextra -Werror -I"$top/include" -I"$top/include/uapi" -o "$dir/example" \
	"$dir/example.c" "$library" -Wl,-rpath,"$(dirname "$library")" >"$dir/said" 2>&1
result $? 2 "it builds without a warning"
# no such sources, or no module: it must fail either way, and say so
! "$dir/example" >"$dir/said" 2>&1 && [[ $(wc -l <"$dir/said") -eq 1 && -s $dir/said ]]
result $? 3 "it fails in one line"
exit $failed
