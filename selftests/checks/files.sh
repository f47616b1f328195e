#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: text files end in one newline without blanks before it; what begins with "#!" is executable.

. "$(dirname "$0")/common.inc"

own_files | grep -v '^LICENSES/' | perl -ne '
	sub complain { print "$file: @_\n"; $bad = 1 }
	chomp($file = $_);
	next if -B $file;
	open my $handle, "<", $file or next;
	@lines = <$handle>;
	next unless @lines;
	complain("no newline at its end") unless $lines[-1] =~ /\n\z/;
	complain("empty lines at its end") if $lines[-1] =~ /^\n?\z/;
	complain("begins with #! but is not executable") if $lines[0] =~ /^#!/ && !-x $file;
	for my $n (0 .. $#lines) {
		complain("blanks at the end of line " . ($n + 1)) if $lines[$n] =~ /[ \t]+$/;
	}
	END { $? = !$. || $bad }'
