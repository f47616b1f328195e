#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes, flushes, cuts and deletions recorded below pool and members, cut off at many points, each one judged.
# usage: log-replay.host.sh 6.1|6.12|debug [POINTS [SEED [CUTS [OPTION...]]]]   runs on the host, prints KTAP
# OPTIONs are for selftests/vm/run

cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
kernel=$1
points=${2:-1000}
seed=${3:-${COHORT_SEED:-$RANDOM}}
cuts=${4:-18}
options=("${@:5}")
# So many of them by the kernel too.
recovered=$(((points + 39) / 40))
POOL=48M MARKS=64K MEMBER=1M
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# report NUMBER NAME STATUS: with what was said.
report()
{
	grep -hv '^stamp: consistent' "$dir/said" "$dir/errors" | tail -n 40 | sed 's/^/# /'
	[[ $3 -eq 0 ]] || failed=1
	[[ $3 -eq 0 ]] || printf 'not '
	echo "ok $1 $2"
}

record()
{
	local disks=("disk=pool:$(numfmt --from=iec $POOL)" "disk=marks:$(numfmt --from=iec $MARKS)")
	local guest m

	guest="selftests/vm/run --kernel $kernel --out $dir/out --timeout 400 ${options[*]@Q}"
	guest+=" --disk-nbd $dir/sock:pool --disk-nbd $dir/sock:marks"
	for m in m1 m2 m3 m4; do
		disks+=("disk=$m:$(numfmt --from=iec $MEMBER)")
		guest+=" --disk-nbd $dir/sock:$m"
	done
	nbdkit -U "$dir/sock" build/lib/recorder.so log="$dir/recording" "${disks[@]}" \
		--run "$guest -- selftests/crash/log-replay.guest $cuts" \
		>"$dir/said" 2>"$dir/errors"
}

# Some of the points in the kernel: a recovery that is cut off, a whole one, and another one.
recover()
{
	# a member is known by its disk's serial, which is its place
	local disks=(--disk "$POOL" --disk "$MARKS") m

	for m in m1 m2 m3 m4; do
		disks+=(--disk "$MEMBER")
	done
	selftests/vm/run --kernel "$kernel" --turns --out "$dir/out" --timeout 600 "${options[@]}" \
		"${disks[@]}" -- selftests/crash/recover.guest "$seed" >"$dir/said" 2>"$dir/errors"
}

echo "TAP version 13"
echo "1..3"
mkdir "$dir/out"
record
report 1 "$cuts cuts are recorded on $kernel" $?
[[ $failed -eq 0 ]] || exit 1
build/bin/crashlab "$dir/recording" "$dir/out" "$points" "$seed" "$recovered" >"$dir/said" 2>"$dir/errors" &&
	! grep -q ' 0 of them with index runs' "$dir/said"
report 2 "a power cut at $points points, seed $seed" $?
[[ $failed -eq 0 ]] || exit 1
echo "# figure: crash-points $points"
recover
report 3 "the kernel recovers $recovered of them" $?
exit $failed
