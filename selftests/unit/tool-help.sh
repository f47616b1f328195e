#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every verb has a --help of at most 24 lines, and manual page and completion know all verbs and options.
# shellcheck disable=SC2317 # cases are called by check()

. "$(dirname "$0")/tool.inc"

man=$top/docs/man/cohortctl.8.scd
all_verbs >"$dir/verbs"

# fits VERB...: its words begin the usage, and 24 lines of 80 columns hold it.
fits()
{
	tool 0 "$@" --help || return
	[[ ! -s $dir/err ]] || { cat "$dir/err"; return 1; }
	head -1 "$dir/out" | grep -q "^Usage: cohortctl $*" || { head -1 "$dir/out"; return 1; }
	[[ $(wc -l <"$dir/out") -le 24 ]] || { echo "$(wc -l <"$dir/out") lines"; return 1; }
	awk 'length > 80 { print; bad = 1 } END { exit bad }' "$dir/out"
}

# Arguments must not be asked for, nor the module, when help is wanted.
while read -r -a words; do
	check "help of ${words[*]}" fits "${words[@]}"
done <"$dir/verbs"

lists_all()
{
	tool 0 --help || return
	while read -r -a words; do
		grep -q "^  ${words[*]}  " "$dir/out" || { echo "not there: ${words[*]}"; return 1; }
	done <"$dir/verbs"
}
check "the list of verbs is whole" lists_all

counted() { [[ $(wc -l <"$dir/verbs") -eq 38 ]] || { cat "$dir/verbs"; return 1; }; }
check "the verbs are the ones promised" counted

in_manual()
{
	while read -r -a words; do
		grep -q "\*${words[*]}\*" "$man" || { echo "not there: ${words[*]}"; return 1; }
	done <"$dir/verbs"
}
check "the manual page has every verb" in_manual

# Options of all verbs, from the tables.
while read -r -a words; do
	"$COHORTCTL" --completion-words "${words[@]}"
done <"$dir/verbs" | grep '^--' | sort -u >"$dir/options"

options_in_manual()
{
	[[ $(wc -l <"$dir/options") -ge 19 ]] || { cat "$dir/options"; return 1; }
	while read -r option; do
		grep -q "^\*$option\*" "$man" || { echo "not there: $option"; return 1; }
	done <"$dir/options"
}
check "the manual page has every option" options_in_manual

manual_options_exist()
{
	grep -o '^\*--[a-z-]*' "$man" | tr -d '*' | sort -u | diff - "$dir/options"
}
check "the manual page has no option that is not" manual_options_exist

# completes WORDS WANTED: the last of WORDS is being typed.
completes()
{
	(
		# shellcheck source=/dev/null
		. "$top/completions/cohortctl.bash"
		read -r -a COMP_WORDS <<<"$1"
		COMP_WORDS[0]=$COHORTCTL
		[[ $1 == *' ' ]] && COMP_WORDS+=('')
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		compopt() { :; }
		_cohortctl
		[[ "${COMPREPLY[*]}" == "$2" ]] || { echo "'${COMPREPLY[*]}', wanted '$2'"; exit 1; }
	)
}
check "completion of a verb" completes "cohortctl repl" "replicate"
check "completion of a noun's verb" completes "cohortctl pool c" "create close check"
check "completion of a verb's option" completes "cohortctl replicate --ty" "--type"
check "completion of an option's value" completes "cohortctl replicate --type m" "mirror"
check "completion of the targets of a clone" completes "cohortctl replicate --target " ""
check "completion of a volume group" completes "cohortctl replicate --target-pool " "vg:"
check "completion behind a flag of the same name" completes "cohortctl group create --target --po" "--pool"
check "completion knows whose an option is" completes "cohortctl list --ch" ""
check "completion skips options and their values" completes "cohortctl --units b job sh" "show"

finish
