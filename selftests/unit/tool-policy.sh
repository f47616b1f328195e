#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The example policy: hooks get event and object, one that fails is told and keeps no other from running.
# shellcheck disable=SC2016,SC2317 # cases are called by check(), hooks expand when they run

. "$(dirname "$0")/tool.inc"

policy=$top/systemd/cohort-policy
export COHORT_POLICY_DIR=$dir/hooks
mkdir "$COHORT_POLICY_DIR"

hook()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$COHORT_POLICY_DIR/$1"
	chmod +x "$COHORT_POLICY_DIR/$1"
}

no_hooks() { "$policy" pool-low:p | grep -qx 'event pool-low of p'; }
check "an event without hooks is logged" no_hooks

hook 1-bad 'exit 3'
hook 2-good "echo \"\$1 \$2\" >$dir/seen"
echo 'touch "$0.run"' >"$COHORT_POLICY_DIR/3-not-executable"

runs_all()
{
	"$policy" relationship-synchronized:a:b >"$dir/out" 2>"$dir/err"
	[[ $? -eq 1 ]] || return
	grep -q '1-bad relationship-synchronized a:b failed' "$dir/err" || return
	[[ $(<"$dir/seen") == "relationship-synchronized a:b" ]] || return
	[[ ! -e $COHORT_POLICY_DIR/3-not-executable.run ]]
}
check "a failing hook is told, the next one runs" runs_all

rm "$COHORT_POLICY_DIR/1-bad"
good() { "$policy" pool-low:p; }
check "good hooks are a success" good

expired()
{
	COHORTCTL='echo' "$policy" relationship-expired:a:b | grep -qx 'delete a:b' || return
	! COHORTCTL='echo' "$policy" relationship-broken:a:b | grep -q delete
}
check "an expired relationship is deleted, no other one" expired

usage() { ! "$policy" pool-low 2>"$dir/err" && grep -q usage "$dir/err"; }
check "an instance without an object is refused" usage

unit()
{
	command -v systemd-analyze >/dev/null || return 0
	cp "$top/systemd/cohort-policy@.service" "$dir/cohort-policy@x:y.service"
	sed -i "s|/usr/libexec/cohort|$top/systemd|" "$dir/cohort-policy@x:y.service"
	! systemd-analyze verify --man=no "$dir/cohort-policy@x:y.service" 2>&1 |
		grep -F "$dir/cohort-policy"
}
check "the unit is well formed" unit

finish
