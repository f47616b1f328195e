#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Five power cuts at random instants while snapshots are taken and deleted under load; each restart judges all.
# usage: power-cut.host.sh 6.1|6.12 [CUTS]   runs on the host, prints KTAP
#
# QEMU is killed, so what it had written stays: the instant is random, but no
# write that reached the disk is lost again.

cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
kernel=$1
cuts=${2:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# Another instant each time; said, so that a failure can be repeated.
random_delay() { awk -v r=$RANDOM 'BEGIN { printf "%.2f", 0.2 + r / 32768 * 8 }'; }

guest()
{
	local boot=$1 disks=() i

	shift
	for i in 1 2 3 4 5; do
		disks+=(--disk-file "$dir/disk$i")
	done
	selftests/vm/run --kernel "$kernel" "${disks[@]}" --out "$dir/out" --timeout 240 "$@" \
		-- selftests/crash/power-cut.guest "$boot" $((cuts + 1)) \
		>"$dir/said" 2>"$dir/errors"
}

# report STATUS-WANTED STATUS-GOT NUMBER NAME
report()
{
	sed 's/^/# /' "$dir/said"
	if [[ $1 -eq $2 ]]; then
		echo "ok $3 $4"
		return
	fi
	echo "# exit status $2, not $1"
	tail -n 60 "$dir/errors" | sed 's/^/# /'
	echo "not ok $3 $4"
	failed=1
}

echo "TAP version 13"
echo "1..$((cuts + 1))"
truncate -s 512M "$dir/disk1"
truncate -s 32M "$dir"/disk{2..5}
for ((boot = 1; boot <= cuts; boot++)); do
	delay=$(random_delay)
	guest "$boot" --kill-after "$delay"
	report 137 $? "$boot" "power cut $boot, $delay s after its first snapshot, on $kernel"
done
guest "$boot"
report 0 $? "$boot" "after $cuts power cuts everything is there and can be taken down on $kernel"
((failed)) || echo "# figure: power-cuts $cuts"
exit $failed
