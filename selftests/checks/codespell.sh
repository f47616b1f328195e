#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: no common misspelling.

. "$(dirname "$0")/common.inc"

mapfile -t files < <(own_files | grep -v '^LICENSES/')
[[ ${#files[@]} -gt 0 ]] || exit 1
codespell --quiet-level 3 --ignore-words-list "$(tr '\n' , <<-'END'
	ot
	te
	inflight
	cas
END
)" "${files[@]}"
