#!/bin/sh
# deps.sh: installs what building hoshu (with --test, testing it; with --fuzz, `make fuzz`) needs.
#
#   tests/deps.sh install [--test] [--fuzz]   install what is missing; under a second when nothing is
#   tests/deps.sh missing [--test] [--fuzz]   print what is missing, one package a line
#   tests/deps.sh list                        print the table: set, package, why
#
# Debian packages through apt-get; sudo where we are not root. On a machine whose package manager
# we do not know it names the packages and exits 2. Must not know: how hoshu is built.
set -eu

# The one table: set, package, why. README.md quotes it.
table() {
	cat <<'TABLE'
build gcc                  compiles hoshu, C11
build libc6-dev            the C library's headers
build make                 runs the build
build pkg-config           finds the libraries
build liblua5.4-dev        modules and expressions are Lua
build libyaml-dev          plans, inventories and hoshu.yml are YAML
build libpcre2-dev         regular expressions, with limits
build libsqlite3-dev       the journal's store
build libuv1-dev           event loop, timers, DNS, children
build libjansson-dev       reads JSON
build libcurl4-openssl-dev http checks
build libssl-dev           digests; libssh2's cryptography
build zlib1g-dev           libssh2's compression
build libcmocka-dev        unit tests
build gettext              messages in English and Japanese
build openssh-client       ssh -G, ssh-agent, ssh-keygen -Y: keys, settings, signatures
build ca-certificates      https checks of public names
test openssh-server        the fleets' hosts
test debootstrap           real fleet: the hosts' base
test systemd-container     real fleet: systemd-nspawn boots the hosts
test iproute2              real fleet: namespaces, veth, bridge
test nftables              real fleet: cut and mend
test procps                fleets: finds processes
test psmisc                fleets: finds what holds a mount
test util-linux            fleets: unshare, nsenter, setpriv, flock
test apt-utils             real fleet: apt-ftparchive makes the hosts' repository
test dpkg-dev              real fleet: reads .debs; libssh2's source package
test python3               fleets: small servers, the delaying proxy
test python3-paramiko     an SSH server that means harm
test curl                  asks the hosts' web servers
test openssl               throwaway CA; verify.sh
test sqlite3               looks into a journal from outside
test sudo                  become: sudo
test perl                  prove runs the TAP tests
test busybox-static        host.sh on a third shell
test xxd                   bytes in test tables
test cron                  the dead-man where there is no systemd
test lua5.4                module tests by themselves
test shellcheck            lint: every shell script
test lua-check             lint: every Lua file
test cppcheck              lint: the C code
test clang-format          lint: the C code's form
test mandoc                lint: the manual pages
test valgrind              memory errors in the unit tests
fuzz clang                 make fuzz: libFuzzer
fuzz libclang-rt-dev       libFuzzer and the sanitizers of clang
fuzz llvm                  names in what the sanitizers print
TABLE
	# Debian 12's libssh2 is too old: tests/libssh2.sh builds trixie's source package.
	if [ "$builds_libssh2" = yes ]; then
		cat <<'TABLE'
build dpkg-dev             unpacks libssh2's source package (Debian 12's own libssh2 is too old)
build patch                applies that source package's security fixes
build xz-utils             unpacks it
TABLE
	else
		printf 'build libssh2-1-dev        the SSH protocol\n'
	fi
}

say() { printf 'deps.sh: %s\n' "$*" >&2; }

usage() {
	say "usage: tests/deps.sh install [--test] [--fuzz] | missing [--test] [--fuzz] | list"
	exit 64
}

packages() { # the names of the sets asked for, each once
	table | awk -v sets="$sets" 'index(sets, " " $1 " ") { if (!seen[$2]++) print $2 }'
}

missing() { # what dpkg does not call installed
	packages >"$tmp/want"
	# shellcheck disable=SC2046  # one word a package is meant
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' $(cat "$tmp/want") 2>/dev/null |
		awk '$2 == "installed" { print $1 }' >"$tmp/have" || :
	grep -vxFf "$tmp/have" "$tmp/want" || :
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		say "these packages need root and there is no sudo here: run as root: apt-get install $(tr '\n' ' ' <"$tmp/missing")"
		exit 2
	fi
}

# Installs without starting any service: a test's openssh-server must not open this machine's port
# 22. policy-rc.d is Debian's door for that; an existing one is left as it is.
install_missing() {
	list=$(tr '\n' ' ' <"$tmp/missing")
	say "installing: $list"
	# A first update is needed even where lists exist: old lists name versions that are gone.
	as_root apt-get -q -o DPkg::Lock::Timeout=300 update >"$tmp/log" 2>&1 ||
		say "apt-get update failed (trying with the lists that are here): $(tail -n 1 "$tmp/log")"
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		printf '#!/bin/sh\nexit 101\n' >"$tmp/policy-rc.d"
		as_root install -m 755 "$tmp/policy-rc.d" /usr/sbin/policy-rc.d
		policy=ours
	fi
	# shellcheck disable=SC2086  # one word a package is meant
	if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		install --no-install-recommends $list >"$tmp/log" 2>&1; then
		tail -n 20 "$tmp/log" >&2
		say "apt-get could not install: $list- see its message above; put it right, then run this again"
		exit 1
	fi
	# Nor must it open that port at the next boot.
	if grep -qx openssh-server "$tmp/missing" && [ -d /run/systemd/system ]; then
		as_root systemctl disable --quiet ssh.service || :
		say "openssh-server is installed for the test fleets; its own service is left disabled (systemctl enable --now ssh starts it)"
	fi
	missing >"$tmp/still"
	if [ -s "$tmp/still" ]; then
		say "apt-get reported success, yet these are not installed: $(tr '\n' ' ' <"$tmp/still")"
		exit 1
	fi
}

clean_up() {
	[ "$policy" != ours ] || as_root rm -f /usr/sbin/policy-rc.d
	rm -rf "$tmp"
}

# ID and VERSION_ID of this system
system_id() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release 2>/dev/null; }

verb=${1-}
[ $# -gt 0 ] && shift
sets=' build '
for word; do
	case $word in
	--test) sets="$sets test " ;;
	--fuzz) sets="$sets fuzz " ;;
	*) usage ;;
	esac
done

builds_libssh2=no
id=$(system_id ID) version=$(system_id VERSION_ID)
if [ "$id" = debian ] && [ "${version:-99}" -le 12 ] 2>/dev/null; then builds_libssh2=yes; fi

case $verb in
list) table; exit ;;
install | missing) ;;
*) usage ;;
esac

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
	say "no apt-get on this machine (${id:-unknown system}): install what these Debian packages hold, by your own package manager, then run make again:"
	packages >&2
	exit 2
fi

policy=none
tmp=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
missing >"$tmp/missing"
if [ "$verb" = missing ]; then
	cat "$tmp/missing"
elif [ -s "$tmp/missing" ]; then
	install_missing
fi
