# shellcheck shell=sh
# Takes a blob from standard input into the spool: sh -c THIS hoshu ROOT_SPOOL SHA256 SIZE NONCE.
# Its name is its digest, and it has that name only when it is whole.

store() { # SHA256 SIZE
	t=$S/blob/$1.$$
	cat >"$t" && [ "$(wc -c <"$t")" -eq "$2" ] && s=$(sha256sum <"$t") && [ "${s%% *}" = "$1" ] &&
		mv -f "$t" "$S/blob/$1" && return
	rm -f "$t"
	return 1
}

LC_ALL=C
export LC_ALL
umask 077
place "$1"
if store "$2" "$3"; then
	printf '\n%s stored\n' "$4"
	find "$S/blob" -type f -mtime +7 -exec rm -f {} + >/dev/null 2>&1
fi
