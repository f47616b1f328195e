# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# The middle one of the rounds, side by side.

print_machine()
{
	echo "kernel $(uname -r), $(nproc) CPUs, $(awk '/^model name/ { sub(/.*: /, ""); print; exit }' /proc/cpuinfo)"
	echo "$rounds rounds of $seconds s, sources of $mib MiB on null_blk; the middle round is shown"
	[[ $devices != slow ]] ||
		echo "each request takes $latency us, and each disk has a volatile cache of $cache MiB"
	echo
}

# median: of the numbers on stdin; nothing without any
median()
{
	sort -g | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

# The columns of a table: what was measured beside each peer, and the peers.
columns()
{
	beside=$1
	shift
	columns=("$@")
}

# value PEER METRIC: of what stands beside, beside all peers
value()
{
	awk -v p="$1" -v m="$2" -v b="$beside" '
		$1 == p && $2 == m || p == b && $2 == m "-" b { print $4 }' \
		"$results" | median
}

# ratio PEER METRIC BASE: turn by turn
ratio()
{
	awk -v p="$1" -v m="$2" -v n="$3" '
		$1 == p && $2 == m { a[$3] = $4 }
		$1 == p && $2 == n { b[$3] = $4 }
		END { for (r in a) if (b[r] > 0) printf "%.3f\n", a[r] / b[r] }' "$results" | median
}

# row LABEL METRIC [FORMAT]
row()
{
	local peer cell

	printf '%-34s' "$1"
	for peer in "$beside" "${columns[@]}"; do
		cell=$(value "$peer" "$2")
		[ -z "$cell" ] || cell=$(awk -v v="$cell" -v f="${3:-%.0f}" \
			'BEGIN { printf f, f ~ /KiB/ ? v / 1024 : v }')
		printf '%12s' "${cell:--}"
	done
	echo
}

# ratio_row LABEL METRIC BASE-METRIC
ratio_row()
{
	local peer cell

	printf '%-34s' "$1"
	printf '%12s' ""
	for peer in "${columns[@]}"; do
		cell=$(ratio "$peer" "$2" "$3")
		printf '%12s' "${cell:--}"
	done
	echo
}

print_load()
{
	columns linear "${peers[@]}"
	printf '%-34s' "write IOPS, 4 KiB"
	printf '%12s' dm-linear "${peers[@]}"
	echo
	if wanted idle; then
		row "no snapshot, QD32" idle
		ratio_row "  to dm-linear" idle idle-linear
	fi
	if wanted preserved; then
		row "one snapshot, all preserved, QD32" preserved
		ratio_row "  to dm-linear" preserved preserved-linear
	fi
	if wanted first; then
		row "first overwrite, scattered, QD32" first32
		row "  pool bytes each" first32-bytes '%.2f KiB'
		row "first overwrite, scattered, QD1" first1
		row "  pool bytes each" first1-bytes '%.2f KiB'
	fi
	wanted dense && row "first overwrite, in order, QD32" dense
	if wanted cpus; then
		row "first overwrite, a writer per CPU" cpus-first
		row "  waits for a lock in 1,000" cpus-first-waits '%.1f'
		row "later overwrite, a writer per CPU" cpus-later
		row "  waits for a lock in 1,000" cpus-later-waits '%.1f'
	fi
	if wanted many; then
		row "first overwrite, 1 snapshot, QD32" many1
		row "first overwrite, 64 snapshots" many64
		ratio_row "  64 to 1" many64 many1
		row "  pool bytes each" many64-bytes '%.2f KiB'
	fi
	echo
}

# cut_value PEER MEMBERS DELAY WINDOW COLUMN
cut_value()
{
	awk -v p="$1" -v n="$2" -v d="$3" -v w="$4" -v c="$5" \
		'$1 == p && $2 == n && $3 == d && $4 == w { print $c }' "$tmp/cuts" | median
}

print_cuts()
{
	local peer members delay window column

	echo "waits of 8 chains of dependent writers, ms; $cut_count cuts in each round"
	printf '%-8s %7s %8s | %8s %8s %8s %8s | %8s %8s %8s %8s\n' peer members "delay ms" \
		"quiet:p50" p99 p99.9 max "cuts:p50" p99 p99.9 max
	for peer in "${cutters[@]}"; do
		for members in $cut_members; do
			for delay in $cut_delays; do
				printf '%-8s %7s %8s' "$peer" "$members" "$delay"
				for window in quiet cuts; do
					printf ' |'
					for column in 5 6 7 8; do
						printf ' %8s' "$(cut_value "$peer" "$members" \
							"$delay" "$window" "$column")"
					done
				done
				echo
			done
		done
	done
	echo
}

# clone_row LABEL METRIC: of cohort, to each dm-clone
clone_row()
{
	local peer cohort cell

	cohort=$(value cohort "$2")
	printf '%-34s%12s' "$1" ""
	for peer in "${columns[@]}"; do
		cell=
		[[ $peer != clone* || -z $cohort ]] || cell=$(awk -v v="$(value "$peer" "$2")" \
			-v c="$cohort" 'BEGIN { if (v > 0) printf "%.3f", c / v; else print "-" }')
		printf '%12s' "$cell"
	done
	echo
}

print_hydrate()
{
	local depth

	columns dd "${hydrators[@]}"
	printf '%-34s' "copied, MiB/s"
	printf '%12s' dd "${hydrators[@]}"
	echo
	row "idle" copy '%.1f'
	ratio_row "  to dd" copy copy-dd
	[[ " ${hydrators[*]} " != *" cohort "* ]] || clone_row "  cohort to it" copy
	for depth in $hyd_depths; do
		row "under random writes, QD$depth" "copy$depth" '%.1f'
		ratio_row "  to idle" "copy$depth" copy
		row "  their p99 meanwhile, ms" "copying$depth-p99" '%.3f'
		row "  and once all is copied" "copied$depth-p99" '%.3f'
		ratio_row "  one to the other" "copying$depth-p99" "copied$depth-p99"
		row "  their IOPS meanwhile" "copying$depth-iops"
		row "  and once all is copied" "copied$depth-iops"
	done
	echo
}
