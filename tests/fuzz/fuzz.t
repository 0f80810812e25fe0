#!/bin/sh
# Every fuzz target over its seeds and a few thousand mutations of them, the same ones each time.
# FUZZ_FROM: the folder of programs (build/release/fuzz; under the sanitizers by `make asan`).
# The long search for new paths is `make fuzz`. covers: P11
set -u
cd "$(dirname "$0")/../.." || exit 1
from=${FUZZ_FROM:-build/release/fuzz}
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
count=0
echo "1..$(ls tests/fuzz/fuzz_*.c | wc -l)"
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	count=$((count + 1))
	# shellcheck disable=SC2046  # folders without blanks
	if said=$(TMPDIR=$t timeout 120 "$from/$name" $(sh tests/fuzz/seeds.sh "${name#fuzz_}") 2>&1); then
		printf '%s\n' "$said" | sed -n "s/^ok 1 /ok $count /p"
	else
		echo "not ok $count - $name"
		printf '%s\n' "$said" | head -n 40 | sed 's/^/# /'
		[ ! -e "$t/fuzz-crash-$name" ] || {
			echo "# the input, by base64 -d:"
			base64 "$t/fuzz-crash-$name" | head -n 60 | sed 's/^/# /'
		}
	fi
done
