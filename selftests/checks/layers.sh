#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: a file of the module includes headers of its own layer and of those below, as Kbuild lists them.

. "$(dirname "$0")/common.inc"
[[ -e Kbuild ]] || exit 4

# Headers without an object are words: layer 0.
words='compat defs format plant portable user-index'

# "NOUN LAYER" lines from Kbuild's comments "# N name" and the objects below each.
layers=$(
	awk '/^# [0-9] / { layer = $2 }
	     /kmod\/[a-z-]+\.o/ && layer != "" {
		gsub(/.*kmod\/|\.o.*/, "")
		print $0, layer
	     }' Kbuild
	for word in $words; do
		echo "$word 0"
	done
)

{
	echo "$layers"
	echo --
	grep -HE '^#include "' kmod/*.[ch]
} | awk '
	BEGIN { bad = 0; seen = 0 }
	/^--$/ { rules = 1; next }
	!rules { layer[$1] = $2; next }
	{
		split($0, part, ":")
		file = part[1]
		noun = file
		gsub(/.*\/|\.[ch]$/, "", noun)
		header = $0
		gsub(/.*#include "|".*/, "", header)
		used = header
		gsub(/.*\/|\.h$/, "", used)
		seen++
		if (!(noun in layer)) {
			print file ": has no layer in Kbuild"
			bad = 1
		} else if (!(used in layer)) {
			print file ": includes " header ", which has no layer"
			bad = 1
		} else if (layer[used] > layer[noun]) {
			print file " (layer " layer[noun] ") includes " header " (layer " layer[used] ")"
			bad = 1
		}
	}
	END { exit bad || !seen }'
