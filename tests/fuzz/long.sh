#!/bin/sh
# long.sh FOLDER: what `make fuzz` runs: each libFuzzer program of FOLDER for FUZZ_SECONDS (60), from
# its seeds and from what earlier runs found in build/fuzz/grown. T=name: only these. Prints a line
# a target and ends with 1 when one of them found something; what it was is in build/fuzz/found.
set -u
cd "$(dirname "$0")/../.." || exit 1
from=$1 seconds=${FUZZ_SECONDS:-60} found=0
mkdir -p build/fuzz/found
for program in "$from"/fuzz_*; do
	name=$(basename "$program")
	case $name in *.d) continue ;; esac
	case $name in *"${T-}"*) ;; *) continue ;; esac
	target=${name#fuzz_}
	grown=build/fuzz/grown/$target log=build/fuzz/$name.log
	mkdir -p "$grown" build/fuzz/seeds/"$target"
	for seed in $(sh tests/fuzz/seeds.sh "$target"); do
		if [ -d "$seed" ]; then cp "$seed"/* build/fuzz/seeds/"$target" 2>/dev/null; else cp "$seed" build/fuzz/seeds/"$target"; fi
	done
	set --
	[ ! -e "tests/fuzz/$target.dict" ] || set -- "-dict=tests/fuzz/$target.dict"
	"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/found/$target-" "$@" "$grown" build/fuzz/seeds/"$target" >"$log" 2>&1
	status=$?
	ran=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	if [ "$status" = 0 ]; then
		echo "$target: ${ran:-?} executions in $seconds s, $cover edges, 0 findings"
	else
		found=1
		echo "$target: a finding after ${ran:-?} executions: see $log and"
		sed -n 's/.*Test unit written to /  /p' "$log"
	fi
done
exit $found
