#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the parsers of cohortctl with the sanitizers and judges them by tables.

set -e
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -g -fsanitize=address,undefined \
	-fno-sanitize-recover=all -o "$dir/tool-parse" \
	"$top/selftests/unit/tool-parse.c" "$top/tools/parse.c"
"$dir/tool-parse"
