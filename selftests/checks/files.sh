#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: text files end in one newline without blanks before it; scripts with "#!" are executable.

. "$(dirname "$0")/common.sh"

status=0
complain()
{
	echo "$*"
	status=1
}

while read -r file; do
	[[ $file != LICENSES/* && -s $file ]] || continue
	[[ -z $(tail -c 1 "$file") ]] || complain "$file: no newline at its end"
	[[ -n $(tail -c 2 "$file" | tr -d '\n') ]] || complain "$file: empty lines at its end"
	grep -nE '[ 	]+$' "$file" /dev/null && complain "$file: blanks at the end of a line"
	if [[ $(head -c 2 "$file" | tr -d '\0') == '#!' && ! -x $file &&
		$file != */lib.sh ]]; then
		complain "$file: begins with #! but is not executable"
	fi
done < <(own_files)
exit $status
