# shellcheck shell=sh
# Ways to change a host, or to reach somebody who would do it for us. Each one is tried; a line says
# whether it got through. Run as root it gets through everywhere (that shows that they are worth trying);
# in a probe of a preview nowhere. Kept to what a throwaway host survives.

try() { # NAME COMMAND
	if timeout 3 sh -c "$2" </dev/null >/dev/null 2>&1; then echo "$1: through"; else echo "$1: refused"; fi
}
nginx=$(systemctl show -p MainPID --value nginx)
bus='busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager'

try 'write below /etc' 'echo x >/etc/attempt'
try 'write below /var' 'echo x >/var/tmp/attempt'
try 'write below /tmp' 'echo x >/tmp/attempt'
try 'write below /run' 'echo x >/run/attempt'
try 'write below /run/lock' 'echo x >/run/lock/attempt'
try 'write into the home of root' 'echo x >/root/attempt'
try 'append to a file' 'echo x >>/etc/hosts'
try 'remove a file' 'rm -f /etc/debian_version'
try 'rename a file' 'mv /etc/issue /etc/issue.attempt'
try 'change a mode' 'chmod 600 /etc/passwd && chmod 644 /etc/passwd'
try 'change an owner' 'chown ops /etc/fstab'
try 'change a time' 'touch /etc/passwd'
try 'make a link' 'ln -s x /etc/attempt.link'
try 'make a device' 'mknod /dev/attempt c 1 3'
try 'write to the console' 'echo x >/dev/console'
try 'signal a service' "kill -USR1 $nginx"
try 'look into a process' "ls -l /proc/$nginx/fd/0"
try 'ask systemd by systemctl' 'systemctl stop nginx'
try 'ask systemd over the bus' "$bus StartUnit ss nginx.service replace"
try 'set the environment of systemd' "$bus SetEnvironment as 1 ATTEMPT=1"
try 'start a unit of our own' 'systemd-run --quiet touch /var/tmp/attempt.run'
try 'talk to the private socket of systemd' 'curl -s -m 1 --unix-socket /run/systemd/private http://x/; test $? != 7'
try 'write to the log' 'logger -u /run/systemd/journal/dev-log --socket-errors=on attempt'
try 'become root' 'sudo -n true'
try 'become another user' 'setpriv --reuid=1 --clear-groups true'
try 'be root in a namespace that may write' 'unshare -Urm sh -c "mount -o remount,bind,rw / && echo x >/etc/attempt.ns"'
try 'make the mounts writable' 'mount -o remount,rw /'
try 'mount something' 'd=${TMPDIR:-/tmp}/attempt.d; mkdir -p "$d" && mount -t tmpfs attempt "$d" && umount "$d"'
try 'reach a port of the host' 'curl -s -m 2 http://127.0.0.1/healthz'
try 'reach another host' 'curl -s -m 2 http://real2/healthz'
try 'give the host an address' 'ip addr add 192.0.2.1/32 dev eth0'
try 'drop packets of the host' 'nft add table inet attempt'
try 'change the name of the host' 'hostname attempt && hostname real2'
try 'change a package' 'apt-get -y -q remove curl && apt-get -y -q install curl'
try 'mark a package' 'apt-mark auto curl'
try 'add a user' 'useradd attempt'
try 'install a crontab' 'mkdir -p /var/spool/cron && echo "* * * * * true" >/var/spool/cron/attempt'
# what outlives its connection
setsid sleep 86399 </dev/null >/dev/null 2>&1 &
