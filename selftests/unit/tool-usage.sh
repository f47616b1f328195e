#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cohortctl refuses wrong command lines: exit code 1, one line that says why, nothing on stdout.
# shellcheck disable=SC2317 # cases are called by check()

. "$(dirname "$0")/tool.inc"

# refused WORDS ARG...
refused()
{
	local words=$1

	shift
	tool 1 "$@" || return
	[[ ! -s $dir/out ]] || { echo "stdout: $(<"$dir/out")"; return 1; }
	[[ $(wc -l <"$dir/err") -eq 1 ]] || { echo "not one line: $(<"$dir/err")"; return 1; }
	grep -qE "^cohortctl.*: .*$words" "$dir/err" || { cat "$dir/err"; return 1; }
}

# NAME | WORDS | ARGUMENTS
while IFS='|' read -r name words args; do
	# shellcheck disable=SC2086 # arguments without blanks
	check "$name" refused "$words" $args
done <<'TABLE'
no verb|a verb is missing|
unknown verb|unknown verb 'frobnicate'|frobnicate
noun without verb|'pool' needs a verb|pool
unknown verb of a noun|unknown verb 'pool frobnicate'|pool frobnicate
unknown long option|unknown option --frob|list --frob
unknown short option|unknown option -x|list -x
option without its value|--pool needs a value|attach --pool
flag with a value|--json takes no value|list --json=yes
option of another verb|--chunk is not for this verb|list --chunk 4K
option of another verb before the verb|--force is not for this verb|--force list
argument missing|arguments are missing: .*NAME DEVICE|pool create p
argument too many|too many arguments, at 'q'|pool close p q
attach without pool|--pool POOL is missing|attach app /dev/null
chunk size of no number|--chunk 'big' is not a size|pool create --chunk big p /dev/null
chunk size of unclear unit|--chunk '4KB' is not a size|pool create --chunk 4KB p /dev/null
chunk size out of range|--chunk '99999999999999999999' is not a size|pool create --chunk 99999999999999999999 p /dev/null
timeout of no number|--timeout 'soon' is not a number of seconds|delete --timeout soon r
timeout below zero|--timeout '-1' is not a number of seconds|delete --timeout -1 r
unknown unit|--units 'x' is none of|list --units x
replicate without type|--type .* is missing|replicate a
replicate without anything|neither --group NAME nor a SOURCE|replicate --type snapshot
unknown type|--type 'photo' is not snapshot, clone or mirror|replicate --type photo a
unknown mode|--mode 'later' is not sync or async|replicate --type snapshot --mode later a
unknown consistency|--consistency 'maybe' is not sequential or none|replicate --type snapshot --consistency maybe a
unknown copy state|--wait 'Done' is not a copy state|replicate --type snapshot --wait Done a
setting without a value|--set 'ReadOnly' is not Property=VALUE|replicate --type snapshot --set ReadOnly a
unknown setting|Colour|replicate --type snapshot --set Colour=red a
target setting without a value|--target-setting 'ReadOnly' is not K=V|replicate --type snapshot --target-setting ReadOnly a
unknown target setting|Colour|replicate --type snapshot --target-setting Colour=red a
target group with members|a target group starts empty: 'a' is too much|group create --target g a
job that is no number|'first' is not the number of a job|job show first
job zero|'0' is not the number of a job|job wait 0
job word|'x' is not the number of a job|job cancel x
a clone without targets|a clone needs TargetElements|replicate --type clone a
a clone with too few targets|1 TargetElements for 2 SourceElements|replicate --type clone --target /dev/null a b
a target twice|/dev/null is named twice|replicate --type clone --target /dev/null --target /dev/null a b
a snapshot with a target|TargetElements are for a clone only|replicate --type snapshot --target /dev/null a
a snapshot by force|Force has no meaning without targets|replicate --type snapshot --force a
a clone that is read-only|ReadOnly has no meaning for a clone|replicate --type clone --target /dev/null --target-setting ReadOnly=yes a
a clone of limited time|TimeBeforeRemoval is not supported for a clone|replicate --type clone --target /dev/null --set TimeBeforeRemoval=1d a
a volume group and targets|TargetElements must not be given|replicate --type clone --target-pool vg:v --target /dev/null a
a volume group without a name|'vg:' is not vg: and the name|replicate --type clone --target-pool vg: a
a volume group of no name|'vg:a/b' is not vg: and the name|replicate --type clone --target-pool vg:a/b a
a snapshot in a volume group|for a clone only|replicate --type snapshot --target-pool vg:v a
a volume group without its name|--target-pool needs a value|replicate --type clone a --target-pool
target without its device|--target needs a value|replicate --type clone a --target
target of a group with a value|--target takes no value|group create --target=x g
detach of no clone|--type 'mirror' is not clone|detach --type mirror r
suspend of nothing|arguments are missing: REL|suspend
dissolve of too much|too many arguments, at 'b'|dissolve a b
force of a relationship that needs none|--force is not for this verb|abort --force r
events count of no number|--count 'few' is not a number|events --count few
forget without waiting|--forget has to wait|detach --forget --no-wait app
TABLE

wrong_device()
{
	tool 4 udev-probe /dev/null && grep -q '/dev/null: not a block device' "$dir/err"
}
check "a character device is the wrong device: 4" wrong_device

absent_file()
{
	tool 1 udev-probe "$dir/nothing" && grep -q 'No such file' "$dir/err"
}
check "a file that is not there" absent_file

# The dashes end the options: what follows is a name, whatever it looks like.
dashes()
{
	refused "too many arguments, at '--json'" pool close -- p --json
}
check "options end at --" dashes

newline()
{
	refused "unknown verb 'a.b'" $'a\nb'
}
check "an argument with a newline is still one line" newline

finish
