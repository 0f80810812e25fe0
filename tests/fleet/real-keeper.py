#!/usr/bin/env python3
"""real-keeper.py: keeps a real fleet's hosts alive. Started and asked by tests/fleet/real only.

  real-keeper.py run FLEET    run in the background: boot the hosts of ./fleet.json, start again what
                              reboots, serve the apt repository, cut and slow; exits 0 in the
                              foreground once every host has booted
  real-keeper.py ask WORDS    send one command over ./keeper.sock and print the answer

One process holds everything that would otherwise be left over. It ends its hosts before it ends;
where it is killed, tests/fleet/real finds them by their network namespaces. Every wait is for an event: systemd's own READY, a child's
end, a reply. Must not know: hoshu, or what the hosts are for.
"""
import asyncio
import functools
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading

MARK = 0x686F  # on the proxy's own connections, so that they are not sent back to it
LOCK_FD = 8  # given to us by tests/fleet/real
SLOW_PORT = 20000  # + the host's number, on the bridge's address
BOOTING_AT_ONCE = 8
BOOT_LIMIT_S = 90


def cgroups(fleet):
    """Where the fleet's own cgroups go, in each hierarchy that systemd uses. Without one of its own
    for each host, all hosts' systemds would work in the same cgroups and kill each other's services."""
    ours = {}
    with open("/proc/self/cgroup") as file:
        for line in file:
            number, controllers, path = line.rstrip("\n").split(":", 2)
            ours["cgroup2" if number == "0" else controllers] = path
    found = []
    with open("/proc/self/mountinfo") as file:
        for line in file:
            before, _, after = line.partition(" - ")
            kind, _, options = after.split()[:3]
            for key in ours:
                if key == "cgroup2" and kind == "cgroup2" or key == "name=systemd" and key in options.split(","):
                    found.append(f"{before.split()[4]}{ours[key].rstrip('/')}/hoshu-{fleet}")
    return found


def remove_cgroups(path):
    for directory, _, _ in os.walk(path, topdown=False):
        try:
            os.rmdir(directory)
        except OSError:
            pass


class Host:
    def __init__(self, number, spec):
        self.number = number
        self.name = spec["name"]
        self.address = spec["address"]
        self.port_device = spec["device"]  # the bridge's end of its cable
        self.netns = spec["netns"]
        self.boots = 0  # how often it reached READY
        self.leader = 0  # the pid of its init, seen from here
        self.process = None
        self.wanted = True
        self.state = "off"
        self.changed = asyncio.Condition()
        self.switched_on = asyncio.Event()
        self.cut = False
        self.slow_ms = 0
        self.proxy = None


class Keeper:
    def __init__(self, fleet, spec):
        self.fleet = fleet
        self.spec = spec
        self.hosts = {h["name"]: Host(i + 1, h) for i, h in enumerate(spec["hosts"])}
        self.cgroups = [] if os.path.isdir("/run/systemd/system") else cgroups(fleet)
        self.boot_slots = asyncio.Semaphore(BOOTING_AT_ONCE)
        self.stopping = asyncio.Event()
        self.failed = None

    # --- booting ---------------------------------------------------------------------------------

    async def set_state(self, host, state):
        async with host.changed:
            host.state = state
            host.changed.notify_all()

    async def keep(self, host):
        """Boots a host again and again, as a machine with power does."""
        while not self.stopping.is_set():
            if not host.wanted:
                await self.set_state(host, "off")
                host.switched_on.clear()
                await host.switched_on.wait()
            async with self.boot_slots:
                ready = await self.boot(host)
            if not ready:
                await self.set_state(host, "broken")
                return
            status = await host.process.wait()
            log(f"{host.name}: nspawn ended with {status}")
            host.leader = 0
            await self.set_state(host, "down")

    async def boot(self, host):
        await self.set_state(host, "booting")
        address = f"\0hoshu-{self.fleet}-{host.name}-{os.getpid()}"
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(address)
        notify.setblocking(False)
        env = dict(os.environ, NOTIFY_SOCKET="@" + address[1:], SYSTEMD_LOG_LEVEL="warning")
        command = ["systemd-nspawn", "-q", "-D", f"hosts/{host.name}/root", "-b",
                   f"--network-namespace-path=/run/netns/{host.netns}",
                   f"--machine={self.fleet}-{host.name}", f"--hostname={host.name}",
                   # its network is its own: it may cut itself off
                   "--capability=CAP_NET_ADMIN",
                   "--register=no", "--notify-ready=yes", "--settings=no", "--link-journal=no",
                   "--resolv-conf=off", "--timezone=off", "--console=read-only"]
        if not os.path.isdir("/run/systemd/system"):
            command.append("--keep-unit")  # no systemd here that could give it a scope
        groups = [f"{c}/{host.name}" for c in self.cgroups]
        for group in groups:
            remove_cgroups(group)
            os.makedirs(group, exist_ok=True)

        def before_exec():
            for group in groups:
                with open(f"{group}/cgroup.procs", "w") as procs:
                    procs.write("0")

        with open(f"hosts/{host.name}/console.log", "ab") as console:
            host.process = await asyncio.create_subprocess_exec(
                *command, env=env, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                preexec_fn=before_exec)
        ended = asyncio.ensure_future(host.process.wait())
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BOOT_LIMIT_S
        ready = False
        try:
            while not ready:
                heard = asyncio.ensure_future(loop.sock_recv(notify, 4096))
                await asyncio.wait({heard, ended}, timeout=max(0, deadline - loop.time()),
                                   return_when=asyncio.FIRST_COMPLETED)
                if not heard.done():
                    heard.cancel()
                    break
                for line in heard.result().decode(errors="replace").splitlines():
                    key, _, value = line.partition("=")
                    if key == "X_NSPAWN_LEADER_PID":
                        host.leader = int(value)
                    ready = ready or line == "READY=1"
        finally:
            notify.close()
        if not ready:
            why = "ended before it had booted" if ended.done() else f"did not boot in {BOOT_LIMIT_S} s"
            log(f"{host.name}: {why}")
            if not ended.done():
                host.process.kill()
                await ended
            if self.stopping.is_set() or not host.wanted:
                return True
            self.failed = f"{host.name} {why}; its console: {os.getcwd()}/hosts/{host.name}/console.log"
            return False
        host.boots += 1
        log(f"{host.name}: up, boot {host.boots}, init {host.leader}")
        await self.set_state(host, "up")
        return True

    async def wait_up(self, host, boots):
        async with host.changed:
            await host.changed.wait_for(
                lambda: host.state == "broken" or host.state == "up" and host.boots > boots)
        if host.state == "broken":
            raise Refused(self.failed)

    # --- the network between -----------------------------------------------------------------------

    def write_tables(self):
        """The fleet's own nftables, written whole from what we hold; gone when nothing is in them."""
        cut = [h.port_device for h in self.hosts.values() if h.cut]
        slow = [h for h in self.hosts.values() if h.slow_ms]
        text = ""
        for family in ("bridge", "ip"):
            text += f"table {family} {self.fleet}\ndelete table {family} {self.fleet}\n"
        if cut:
            names = ", ".join(f'"{d}"' for d in cut)
            text += f"table bridge {self.fleet} {{\n"
            for hook in ("input", "forward", "output"):
                text += f" chain {hook} {{\n  type filter hook {hook} priority 0;\n"
                for side in ("iifname", "oifname"):
                    if (hook, side) not in (("input", "oifname"), ("output", "iifname")):
                        text += f"  ether type {{ ip, ip6 }} {side} {{ {names} }} drop;\n"
                text += " }\n"
            text += "}\n"
        if slow:
            text += f"table ip {self.fleet} {{\n chain output {{\n  type nat hook output priority -100;\n"
            for h in slow:
                text += (f"  meta mark != {MARK} ip daddr {h.address} tcp dport 22 "
                         f"dnat to {self.spec['bridge_address']}:{SLOW_PORT + h.number};\n")
            text += " }\n}\n"
        done = subprocess.run(["nft", "-f", "-"], input=text.encode(), capture_output=True)
        if done.returncode:
            raise Refused("nft refused: " + done.stderr.decode(errors="replace").strip())

    async def slow(self, host, ms):
        """A delaying proxy before the host's port 22: ms more for each way there and back."""
        host.slow_ms = ms
        if ms and not host.proxy:
            host.proxy = await asyncio.start_server(
                lambda r, w: self.proxy_one(host, r, w),
                self.spec["bridge_address"], SLOW_PORT + host.number)
        self.write_tables()
        if not ms and host.proxy:
            host.proxy.close()  # connections that it carries live on
            host.proxy = None

    async def proxy_one(self, host, client_reader, client_writer):
        upstream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        upstream.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upstream.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(upstream, (host.address, 22))
            reader, writer = await asyncio.open_connection(sock=upstream)
        except OSError:
            upstream.close()
            client_writer.transport.abort()
            return
        await asyncio.gather(self.carry(host, client_reader, writer),
                             self.carry(host, reader, client_writer))

    async def carry(self, host, reader, writer):
        """One direction: each piece leaves half of slow_ms after it came; order and pace are kept."""
        loop = asyncio.get_running_loop()
        queue = asyncio.Queue(maxsize=1024)

        async def send():
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0, due - loop.time()))  # the delay is what this is for
                if not data:
                    break
                writer.write(data)
                await writer.drain()

        sender = asyncio.ensure_future(send())
        try:
            while not sender.done():
                data = await reader.read(65536)
                await queue.put((loop.time() + host.slow_ms / 2000, data))
                if not data:
                    break
            await sender
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            sender.cancel()
            writer.transport.abort()

    # --- commands -------------------------------------------------------------------------------------

    def host(self, name):
        if name not in self.hosts:
            raise Refused(f"no host {name} in this fleet: it has real1 to real{len(self.hosts)}")
        return self.hosts[name]

    async def command(self, verb, args):
        if verb == "status":
            lines = []
            for h in self.hosts.values():
                extra = (" cut" if h.cut else "") + (f" slow {h.slow_ms} ms" if h.slow_ms else "")
                lines.append(f"{h.name} {h.address} {h.state} boots {h.boots}{extra}")
            return "\n".join(lines)
        if verb == "down":
            self.stopping.set()
            return ""
        host = self.host(args[0])
        if verb == "leader":
            if not host.leader:
                raise Refused(f"{host.name} is {host.state}: tests/fleet/real status")
            return str(host.leader)
        if verb == "boots":
            return str(host.boots)
        if verb == "wait":
            await self.wait_up(host, int(args[1]))
        elif verb == "cut" or verb == "mend":
            host.cut = verb == "cut"
            self.write_tables()
        elif verb == "slow":
            await self.slow(host, int(args[1]))
        elif verb == "off" or verb == "crash":
            host.wanted = verb == "crash"
            boots = host.boots
            if host.leader:
                os.kill(host.leader, signal.SIGKILL)
                await host.process.wait()
            if verb == "crash":
                await self.wait_up(host, boots)
            else:
                async with host.changed:
                    await host.changed.wait_for(lambda: host.state in ("off", "broken"))
        elif verb == "on":
            if not host.wanted:
                host.wanted = True
                host.switched_on.set()
                await self.wait_up(host, host.boots)
        else:
            raise Refused(f"the keeper knows no {verb}")
        return ""

    async def serve(self, reader, writer):
        try:
            words = (await reader.readline()).decode().split()
            try:
                answer = "ok\n" + await self.command(words[0], words[1:])
            except Refused as why:
                answer = f"no\n{why}"
            writer.write(answer.encode())
            await writer.drain()
        except (OSError, IndexError):
            pass
        finally:
            writer.close()

    async def run(self, tell):
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        repo = http.server.ThreadingHTTPServer(
            (self.spec["bridge_address"], 80), functools.partial(Files, directory="repo"))
        threading.Thread(target=repo.serve_forever, daemon=True).start()
        if os.path.exists("keeper.sock"):
            os.unlink("keeper.sock")
        await asyncio.start_unix_server(self.serve, "keeper.sock")
        keepers = [asyncio.ensure_future(self.keep(h)) for h in self.hosts.values()]
        booted = asyncio.gather(*(self.wait_up(h, 0) for h in self.hosts.values()))
        stop = asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait({booted, stop}, return_when=asyncio.FIRST_COMPLETED)
        if booted.done() and not booted.exception():
            tell("up\n")
            await stop
        else:
            tell(f"{self.failed or 'stopped while it was starting'}\n")
        self.stopping.set()
        for keeper in keepers:
            keeper.cancel()
        for h in self.hosts.values():
            if h.process and h.process.returncode is None:
                if h.leader:
                    try:
                        os.kill(h.leader, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                else:
                    h.process.kill()
        for h in self.hosts.values():
            if h.process:
                await h.process.wait()
            h.cut, h.slow_ms = False, 0
        self.write_tables()
        for group in self.cgroups:
            remove_cgroups(group)


class Refused(Exception):
    pass


class Files(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass


def log(text):
    print(text, file=sys.stderr, flush=True)


def run(fleet):
    """Forks: the parent waits for the word of the child, so that who started us needs no polling."""
    with open("fleet.json") as file:
        spec = json.load(file)
    os.fstat(LOCK_FD)  # held, by being open, for as long as we live: who waits for our end waits for it
    os.set_inheritable(LOCK_FD, False)
    told, tell = os.pipe()
    child = os.fork()
    if child:
        os.close(tell)
        word = os.fdopen(told).read().strip()
        if word != "up":
            sys.exit("real: " + (word or f"the keeper ended; its log: {os.getcwd()}/keeper.log"))
        return
    os.setsid()
    os.close(told)
    with open("keeper.log", "ab", buffering=0) as out, open(os.devnull) as null:
        os.dup2(null.fileno(), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    with open(f"/run/hoshu-fleet/{fleet}/pid", "w") as file:
        file.write(f"{os.getpid()}\n")

    def say(text):
        os.write(tell, text.encode())
        os.close(tell)

    async def main():
        await Keeper(fleet, spec).run(say)

    asyncio.run(main())


def ask(words):
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.connect("keeper.sock")
        except OSError:
            sys.exit(f"real: no fleet runs in {os.getcwd()}: tests/fleet/real up N")
        sock.sendall((" ".join(words) + "\n").encode())
        answer = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
    verdict, _, text = answer.partition("\n")
    if verdict != "ok":
        sys.exit("real: " + (text or "the keeper ended before it answered"))
    if text:
        print(text)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "run":
        run(sys.argv[2])
    elif len(sys.argv) > 2 and sys.argv[1] == "ask":
        ask(sys.argv[2:])
    else:
        sys.exit(__doc__)
