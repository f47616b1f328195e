#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The header, the version script and the library name the same symbols.

top=$(cd "$(dirname "$0")/../.." && pwd)
library=${LIBCOHORT:-$top/build/lib/libcohort.so.0}
headers=("$top/include/cohort/"{cohort,objects,changes,gates}.h)
dir=$(mktemp -d)
number=0
failed=0
trap 'rm -rf "$dir"' EXIT

# same NAME FILE FILE
same()
{
	number=$((number + 1))
	if diff "$2" "$3" >"$dir/diff"; then
		echo "ok $number $1"
	else
		failed=1
		echo "not ok $number $1"
		sed 's/^/# /' "$dir/diff"
	fi
}

sed -n 's/^\t\(cohort_[a-z_]*\);$/\1/p' "$top/libctl/libcohort.sym" >"$dir/script"
sort -u "$dir/script" >"$dir/sorted"
# comments out, then what is called like a function
sed -e 's|/\*.*\*/||' -e '/\/\*/,/\*\//d' "${headers[@]}" |
	grep -oE '\bcohort_[a-z_]+\(' | tr -d '(' | grep -vx cohort_foreach | sort -u >"$dir/header"
nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' |
	sort -u >"$dir/exported"
nm -D --defined-only "$library" | awk '$2 != "T" && $2 != "A" { print $3 }' >"$dir/other"
: >"$dir/empty"

echo "TAP version 13"
echo "1..6"
same "the version script is sorted and names nothing twice" "$dir/script" "$dir/sorted"
same "every function of the header is exported by the script" "$dir/header" "$dir/script"
same "the library exports what the script names" "$dir/script" "$dir/exported"
same "the library exports nothing but functions" "$dir/other" "$dir/empty"
nm -D --with-symbol-versions --defined-only "$library" | awk '$2 == "T"' |
	grep -v '@@LIBCOHORT_0$' >"$dir/unversioned"
same "every symbol has its version" "$dir/unversioned" "$dir/empty"
readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' >"$dir/soname"
echo libcohort.so.0 >"$dir/wanted"
same "the soname" "$dir/soname" "$dir/wanted"
exit $failed
