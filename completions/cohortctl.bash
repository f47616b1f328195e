# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for cohortctl: the candidates come from the tool's own tables.

_cohortctl()
{
	local current=${COMP_WORDS[COMP_CWORD]}
	local before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")

	COMPREPLY=()
	# File names where a device may stand; names of objects come from the tool.
	case "${COMP_WORDS[*]:1:2}" in
	"pool create"* | "pool open"* | "attach "* | "replicate "*)
		[[ $current == /* ]] && mapfile -t COMPREPLY < <(compgen -f -- "$current")
		;;
	esac
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(
		compgen -W "$("${COMP_WORDS[0]}" --completion-words "${before[@]}" 2>/dev/null)" -- "$current"
	)
	# Property= is not the end of a word.
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}

complete -F _cohortctl cohortctl
