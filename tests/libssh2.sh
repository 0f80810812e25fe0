#!/bin/sh
# libssh2.sh OUTDIR: finds or builds a libssh2 that is fit to meet hostile servers, and writes
# OUTDIR/libssh2.mk for the Makefile:
#
#   LIBSSH2_CFLAGS, LIBSSH2_LIBS   for the compiler and the linker
#   LIBSSH2_ORIGIN                 what hoshu --version says is linked
#   LIBSSH2_FIXED                  1: carries the fixes of 2025 and 2026; 0: the build warns
#
# A system libssh2 >= 1.11 with the fixes is used as it is. Otherwise (Debian 12 has 1.10: no
# rsa-sha2, no AES-GCM) Debian's trixie *source package* is fetched through apt, which checks its
# signatures, and linked statically. Upstream's 1.11.1 will not do: it lacks the fixes.
# The machine's own package lists and sources stay as they are. What was built is shared by all
# checkouts: ${HOSHU_CACHE:-${XDG_CACHE_HOME:-~/.cache}/hoshu}/libssh2-VERSION-ARCH.
set -eu

fixed_version='1.11.1-1+deb13u2' # the first with the fixes for CVE-2026-55200, CVE-2026-55199 and others
release=trixie

say() { printf 'libssh2.sh: %s\n' "$*" >&2; }
die() {
	say "$*"
	exit 1
}

[ $# = 1 ] || {
	say "usage: tests/libssh2.sh OUTDIR"
	exit 64
}
out=$1
mkdir -p "$out" || die "cannot make $out: choose a directory that you may write to"

write_mk() { # cflags libs origin fixed
	{
		printf '# written by tests/libssh2.sh\n'
		printf 'LIBSSH2_CFLAGS := %s\n' "$1"
		printf 'LIBSSH2_LIBS := %s\n' "$2"
		printf 'LIBSSH2_ORIGIN := %s\n' "$3"
		printf 'LIBSSH2_FIXED := %s\n' "$4"
	} >"$out/libssh2.mk.new"
	mv "$out/libssh2.mk.new" "$out/libssh2.mk"
}

at_least() { # $1 >= $2 in Debian's order
	dpkg --compare-versions "$1" ge "$2"
}

os_release() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release 2>/dev/null; }

# --- the system's own ---------------------------------------------------------------------------

use_system() { # fixed origin
	write_mk "$(pkg-config --cflags-only-I libssh2 | sed 's/-I */-isystem /g')" \
		"$(pkg-config --libs libssh2)" "$2" "$1"
}

has_system=no
if pkg-config --atleast-version=1.11 libssh2 2>/dev/null; then
	has_system=yes
	system_version=$(pkg-config --modversion libssh2)
	if [ "$(os_release ID)" = debian ]; then
		package_version=$(dpkg-query -W -f '${Version}' libssh2-1-dev 2>/dev/null || :)
		if [ -n "$package_version" ] && at_least "$package_version" "$fixed_version"; then
			use_system 1 "$system_version (Debian $package_version, shared)"
			exit
		fi
	else
		say "warning: using this system's libssh2 $system_version; whether it carries the fixes for CVE-2026-55200 and CVE-2026-55199 is not known here: ask its vendor"
		use_system 0 "$system_version (system, shared)"
		exit
	fi
fi

# --- Debian's source package --------------------------------------------------------------------

give_up() { # why, and what to do
	if [ "$has_system" = yes ]; then
		say "warning: $1; linking the system's libssh2 $system_version, which lacks the fixes for CVE-2026-55200 and others; $2"
		use_system 0 "$system_version (system, shared, without the security fixes)"
		exit 0
	fi
	die "no libssh2 >= 1.11 on this system, and $1; $2"
}

for tool in apt-get apt-cache dpkg dpkg-source patch make gcc flock; do
	command -v "$tool" >/dev/null 2>&1 ||
		give_up "building Debian's needs $tool" "run tests/deps.sh install, or install libssh2 1.11 or newer with its headers"
done

cache=${HOSHU_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or HOSHU_CACHE}/.cache}/hoshu}
mkdir -p "$cache" || die "cannot make the cache directory $cache: set HOSHU_CACHE to one that you may write to"
cache=$(cd "$cache" && pwd)
arch=$(dpkg --print-architecture)

newest_cached() { # the newest build in the cache that has the fixes
	best=
	for dir in "$cache"/libssh2-*-"$arch"; do
		[ -f "$dir/lib/libssh2.a" ] || continue
		v=${dir##*/libssh2-} v=${v%-"$arch"}
		at_least "$v" "$fixed_version" || continue
		if [ -z "$best" ] || at_least "$v" "$best"; then best=$v; fi
	done
	printf '%s' "$best"
}

use_cached() { # version: copied, so that the checkout lives on when the cache is emptied
	rm -rf "$out/libssh2"
	cp -R "$cache/libssh2-$1-$arch" "$out/libssh2"
	write_mk "-isystem $out/libssh2/include" "$out/libssh2/lib/libssh2.a -lcrypto -lz" \
		"${1%%-*} (Debian $1, static)" 1
}

# One builder at a time; the others wait here and then find the result.
exec 9>"$cache/libssh2.lock"
flock 9

version=$(newest_cached)
if [ -n "$version" ]; then
	use_cached "$version"
	exit
fi

tmp=$(mktemp -d "$cache/libssh2-build.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The mirrors are those that this machine's apt already uses, whatever they are.
mirror() { # release: the archive that serves it here
	# shellcheck disable=SC2016  # $(...) is apt's, not the shell's
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Identifier: Packages' 2>/dev/null |
		awk -v want="$1" '$1 == want { print $2; exit }'
}

own=$(os_release VERSION_CODENAME)
main=$(mirror "$own")
security=$(mirror "$own-security")
{ [ "$(os_release ID)" = debian ] && [ -n "$main" ]; } ||
	give_up "apt here names no Debian archive to take $release's source package from" \
		"add your Debian mirror to apt's sources, or install libssh2 1.11 or newer with its headers"

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
option=
[ -r "$keyring" ] && option="[signed-by=$keyring] "
{
	printf 'deb-src %s%s %s main\n' "$option" "$main" "$release"
	[ -z "$security" ] || printf 'deb-src %s%s %s-security main\n' "$option" "$security" "$release"
} >"$tmp/sources.list"

private_apt() { # tool arguments...: apt with lists, cache and sources of its own
	tool=$1
	shift
	"$tool" -q -o Dir::Etc::sourcelist="$tmp/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 "$@"
}

mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial" "$tmp/root"
say "getting libssh2's source package from $release (this machine's own lists stay as they are)"
private_apt apt-get update >"$tmp/log" 2>&1 || {
	# A mirror without trixie-security is still good for trixie.
	sed -i "/ $release-security /d" "$tmp/sources.list"
	private_apt apt-get update >"$tmp/log" 2>&1
} || {
	tail -n 5 "$tmp/log" >&2
	give_up "apt could not read $release's package lists (its message is above)" "check the network and apt's mirror, then run this again"
}

for v in $(private_apt apt-cache showsrc --only-source libssh2 | sed -n 's/^Version: //p'); do
	if [ -z "$version" ] || at_least "$v" "$version"; then version=$v; fi
done
{ [ -n "$version" ] && at_least "$version" "$fixed_version"; } ||
	give_up "$release has only version ${version:-none} of its source, older than $fixed_version" "wait for your mirror to catch up, or name another in apt's sources"

(cd "$tmp" && private_apt apt-get --download-only source "libssh2=$version" >"$tmp/log" 2>&1) || {
	tail -n 5 "$tmp/log" >&2
	give_up "apt could not fetch the source of libssh2 $version (its message is above)" "check the network and apt's mirror, then run this again"
}
# apt has checked the files against the signed lists, so dpkg-source need not look for keys.
dpkg-source --no-check -x "$tmp"/libssh2_*.dsc "$tmp/src" >"$tmp/log" 2>&1 || {
	tail -n 20 "$tmp/log" >&2
	die "dpkg-source could not unpack libssh2 $version (its message is above): is patch installed? run tests/deps.sh install"
}

say "building libssh2 $version"
# The tarball's own configure is used; patched inputs must not look newer than its outputs.
build() {
	cd "$tmp/src" &&
		find . -name aclocal.m4 -exec touch {} + &&
		find . \( -name Makefile.in -o -name configure -o -name '*config.h.in' \) -exec touch {} + &&
		./configure --disable-dependency-tracking --disable-shared --enable-static --with-pic \
			--with-crypto=openssl --with-libz --disable-examples-build --disable-tests --prefix=/ \
			CFLAGS='-O2 -g -fstack-protector-strong' CPPFLAGS='-D_FORTIFY_SOURCE=2' &&
		make -C src -j"$(nproc)" AUTOCONF=: AUTOMAKE=: ACLOCAL=: AUTOHEADER=: &&
		mkdir -p "$tmp/root/include" "$tmp/root/lib" &&
		cp include/*.h "$tmp/root/include/" &&
		cp src/.libs/libssh2.a "$tmp/root/lib/" &&
		cp COPYING "$tmp/root/"
}
(build) >"$tmp/log" 2>&1 9>&- || {
	tail -n 30 "$tmp/log" >&2
	die "libssh2 $version did not build (the end of its log is above): are libssl-dev and zlib1g-dev installed? run tests/deps.sh install"
}
mv "$tmp/root" "$cache/libssh2-$version-$arch"
use_cached "$version"
