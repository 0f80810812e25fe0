#!/bin/sh
# mux.sh CONFIG STEPS HOST: the lines of STEPS on HOST, one ssh a line, over one
# connection that the first of them opens (ControlMaster).
set -eu
socket=$(mktemp -u "${TMPDIR-/tmp}/hoshu-bench.XXXXXX")
while IFS= read -r line; do
	ssh -F "$1" -o ControlMaster=auto -o ControlPersist=yes \
		-o ControlPath="$socket" "$3" "$line" </dev/null >/dev/null
done <"$2"
ssh -F "$1" -o ControlPath="$socket" -O exit "$3" 2>/dev/null
