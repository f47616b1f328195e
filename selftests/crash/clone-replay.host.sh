#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Clones that are written to while they are copied, recorded below, cut off at many points, each one judged.
# usage: clone-replay.host.sh 6.1|6.12|debug [POINTS [SEED [CLONES [OPTION...]]]]   runs on the host, prints KTAP
# OPTIONs are for selftests/vm/run

cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
kernel=$1
points=${2:-500}
seed=${3:-${COHORT_SEED:-$RANDOM}}
clones=${4:-3}
options=("${@:5}")
# So many of them by the kernel too.
recovered=$(((points + 249) / 250))
# The second member ends within a chunk; its target is larger.
disks=(pool:$((32 << 20)) marks:$((64 << 10)) m1:$((12 << 20)) m2:$(((5 << 20) + 1536))
	t1:$((12 << 20)) t2:$((6 << 20)))
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# report NUMBER NAME STATUS: with what was said.
report()
{
	tail -q -n 40 "$dir/said" "$dir/errors" | sed 's/^/# /'
	[[ $3 -eq 0 ]] || failed=1
	[[ $3 -eq 0 ]] || printf 'not '
	echo "ok $1 $2"
}

record()
{
	local guest disk

	guest="selftests/vm/run --kernel $kernel --out $dir/out --timeout 250 ${options[*]@Q}"
	for disk in "${disks[@]}"; do
		guest+=" --disk-nbd $dir/sock:${disk%:*}"
	done
	nbdkit -U "$dir/sock" build/lib/recorder.so log="$dir/recording" "${disks[@]/#/disk=}" \
		--run "$guest -- selftests/crash/clone-replay.guest $clones" \
		>"$dir/said" 2>"$dir/errors"
}

# A disk is known by its serial, which is its place.
recover()
{
	local given=() disk

	for disk in "${disks[@]}"; do
		truncate -s "${disk#*:}" "$dir/${disk%:*}"
		given+=(--disk-file "$dir/${disk%:*}")
	done
	selftests/vm/run --kernel "$kernel" --out "$dir/out" --timeout 250 "${options[@]}" \
		"${given[@]}" -- selftests/crash/clone-recover.guest >"$dir/said" 2>"$dir/errors"
}

echo "TAP version 13"
echo "1..3"
mkdir "$dir/out"
record
report 1 "$clones clones are recorded on $kernel" $?
[[ $failed -eq 0 ]] || exit 1
build/bin/crashlab "$dir/recording" "$dir/out" "$points" "$seed" "$recovered" >"$dir/said" 2>"$dir/errors"
report 2 "a power cut at $points points, seed $seed" $?
[[ $failed -eq 0 ]] || exit 1
echo "# figure: crash-points $points"
recover
report 3 "the kernel recovers $recovered of them" $?
exit $failed
