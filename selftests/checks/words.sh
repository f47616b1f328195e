#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: no word of unfinished work, no trace of one machine or of who wrote it.

. "$(dirname "$0")/common.inc"

# In pieces, so that this file does not find itself.
words=(
	'TO''DO' 'FIX''ME' '\bXX''X\b' '\bHA''CK\b' 'for n''ow\b' 'not (yet )?imple''mented'
	'place''holder' '\bst''ub(s|bed)?\b' '/wo''rk/' '/tmp''/w/' '(?<![\w$"/])sha''red/'
	'(?<![\w$"/])refer''ence/' '\biss''ue #?[0-9]'
	'\bC''laude\b' '\bAn''thropic\b' '\bOpen''AI\b' '\bChat''GPT\b' '\bL''LM\b'
	'\bA''I (tool|agent|assistant|session|helper)' '\bp''ypi\.org' 'reg''istry\.npmjs'
	'crates\.i''o' 'deb\.deb''ian\.org' 'proxy\.gol''ang'
)

pattern=$(IFS='|' && echo "${words[*]}")
mapfile -t files < <(own_files | grep -v '^LICENSES/')
[[ ${#files[@]} -gt 0 ]] || exit 1
if grep -nPi -- "$pattern" "${files[@]}"; then
	exit 1
fi
