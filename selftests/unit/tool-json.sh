#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# With --json every error is an object on stdout, beside the line on stderr, and the exit code is in it.
# shellcheck disable=SC2317 # cases are called by check()

. "$(dirname "$0")/tool.inc"

command -v jq >/dev/null || {
	echo "1..0 # SKIP jq is not installed"
	exit 0
}

# holds FILTER: true of what is on stdout, which is one JSON value.
holds()
{
	jq -es "length == 1 and (.[0] | $1)" "$dir/out" >/dev/null && return
	echo "not so: $1"
	cat "$dir/out" "$dir/err"
	return 1
}

usage_error()
{
	tool 1 "$@" || return
	[[ $(wc -l <"$dir/err") -eq 1 ]] || { cat "$dir/err"; return 1; }
	holds '.schema == 1 and .error.code == 1 and .error.ReturnValue == 5
	       and .error.errno == "EINVAL" and (.error.message | length > 0)
	       and (.error | has("attribute"))'
}
check "unknown verb" usage_error frobnicate --json
check "unknown option" usage_error list --json --frob
check "missing argument" usage_error pool create --json
check "--json in front of the verb" usage_error --json attach
check "--json behind the error" usage_error --frob list --json

same_words()
{
	tool 1 list --json --frob || return
	grep -qF "$(jq -r .error.message "$dir/out")" "$dir/err"
}
check "stderr says what the object says" same_words

# JSON is UTF-8, arguments need not be.
foreign_bytes()
{
	tool 1 --json $'fr\xffob' && holds '.error.message == "unknown verb \u0027fr?ob\u0027"'
}
check "an argument that is not UTF-8" foreign_bytes

device_error()
{
	tool 4 udev-probe --json /dev/null || return
	holds '.error.code == 4 and .error.errno == "ENOTBLK"'
}
check "wrong device is code 4" device_error

library_error()
{
	tool 1 replicate --json --type snapshot --set Colour=red a || return
	holds '.error.ReturnValue == 5 and .error.attribute != null
	       and (.error.message | test("Colour"))'
}
check "the library names the attribute" library_error

version()
{
	tool 0 version --json || return
	holds '.schema == 1 and (.cohortctl | type == "string") and (.libcohort | type == "string")
	       and (.ABI | type == "number") and has("module")'
}
check "version" version

# Without the module nothing but usage can be answered; then it is said.
no_module()
{
	local code

	"$COHORTCTL" "$@" --json >"$dir/out" 2>"$dir/err"
	code=$?
	[[ $code -ne 0 ]] || { echo "exit 0"; return 1; }
	holds ".schema == 1 and .error.code == $code and (.error.message | length > 0)"
}

[[ -e /sys/module/dm_cohort ]] && finish
for words in "pool list" "group list" "list" "stats" "job list" "show x" "job show 7" "job wait 7" \
	"delete r" "activate r" "detach s" "pool close p" "pool remove p" "group delete g" \
	"group add g a" "group remove g a" "group create g a" "events --count 0" \
	"replicate --type snapshot --name r a b" "attach --pool p s /dev/null" \
	"pool open /dev/null" "pool create p /dev/null"; do
	# shellcheck disable=SC2086 # verb and arguments
	check "no module: $words" no_module $words
done

finish
