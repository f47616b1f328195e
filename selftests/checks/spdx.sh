#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: each file names its licence, the one its directory has.

. "$(dirname "$0")/common.inc"

own_files | perl -ne '
	BEGIN {
		my $uapi = "((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)";
		# The first match decides; no licence means that the file cannot carry one.
		@rules = (
			["LICENSES/.*|COPYING|.*\\.(md|conf|json)|selftests/golden/v1.*"],
			["\\.(gitignore|gitattributes|clang-format|checkpatch\\.conf)"],
			["kmod/netlink-gen\\.[ch]|include/uapi/.*|include/spec/.*\\.yaml", $uapi],
			# Pure files of the module that the library builds too.
			["kmod/.*", "GPL-2.0-only", "GPL-2.0-only OR LGPL-2.1-or-later"],
			["Kbuild", "GPL-2.0-only"],
			["include/cohort/.*|libctl/.*", "LGPL-2.1-or-later"],
			["docs/targets/.*", "GPL-2.0-only", "GPL-2.0-or-later"],
			[".*", "GPL-2.0-or-later"],
		);
	}
	chomp(my $file = $_);
	my ($pattern, @allowed);
	for my $rule (@rules) {
		($pattern, @allowed) = @$rule;
		last if $file =~ /^(?:$pattern)$/;
	}
	next unless @allowed;
	open my $handle, "<", $file or next;
	my $found = "";
	while (<$handle>) {
		$found = $1 if !$found && m{SPDX-License-Identifier: (.*?)\s*(?:\*/|-->)?\s*$};
		last if $. > 5;
	}
	close $handle;
	next if grep { $_ eq $found } @allowed;
	print "$file: is under \"$found\", its place under \"@allowed\"\n";
	$bad = 1;
	END { exit $bad }'
