#!/usr/bin/python3
"""An SSH server that lets everybody in and then means harm, for hostile-peer.t.

    hostile_sshd.py HOSTKEY MIB SEED MODE...

Listens on loopback, a port a mode, and prints the ports in a line. A host key
and a login as they should be; what comes behind the login is the mode's. MIB
is how much a flood is. It ends when its standard input does.
"""
import logging
import os
import random
import socket
import struct
import sys
import threading
import time

import paramiko
from paramiko.common import (MSG_CHANNEL_DATA, MSG_CHANNEL_EXTENDED_DATA, MSG_CHANNEL_OPEN,
                             MSG_CHANNEL_WINDOW_ADJUST, MSG_DEBUG, MSG_DISCONNECT,
                             MSG_GLOBAL_REQUEST, MSG_IGNORE, MSG_KEXINIT)

STEER = b"\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\xe2\x80\xae\r\n\x08\x7f"
PIECE = 32000


class Door(paramiko.ServerInterface):
    def __init__(self, steer):
        self.steer = steer

    def get_allowed_auths(self, username):
        return "publickey"

    def get_banner(self):
        return (STEER.decode("latin1") if self.steer else None, "en")

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        return True

    def check_channel_shell_request(self, channel):
        return True


def packet(kind, *parts):
    m = paramiko.Message()
    m.add_byte(bytes([kind]))
    for part in parts:
        if isinstance(part, bool):
            m.add_boolean(part)
        elif isinstance(part, int):
            m.add_int(part)
        else:
            m.add_string(part)
    return m


class Harm:
    def __init__(self, transport, channel, sock, mib, rng):
        self.transport, self.channel, self.sock = transport, channel, sock
        self.bytes, self.rng = mib << 20, rng

    def send(self, message):
        self.transport._send_message(message)

    def flood(self, make):
        message = make()
        for _ in range(self.bytes // PIECE):
            self.send(message)

    # what follows the login, by mode

    def garbage(self):  # for the shell's reader
        while True:
            self.channel.sendall(self.rng.randbytes(PIECE))
            self.channel.sendall_stderr(self.rng.randbytes(PIECE))

    def packets(self):  # whole, under the right key, of any kind
        while True:
            kind = self.rng.choice([i for i in range(1, 256) if i not in (20, 21, 30, 31)])
            self.send(packet(kind, self.rng.randbytes(self.rng.randrange(4, 300))))

    def raw(self):  # under no key
        self.sock.sendall(self.rng.randbytes(1 << 20))

    def flood_out(self):  # as the window allows
        for _ in range(self.bytes // PIECE):
            self.channel.sendall(b"x" * PIECE)

    def flood_err(self):
        for _ in range(self.bytes // PIECE):
            self.channel.sendall_stderr(b"\n" * PIECE)

    def flood_window(self):  # whatever the window allows
        self.flood(lambda: packet(MSG_CHANNEL_DATA, self.channel.remote_chanid, b"x" * PIECE))

    def flood_nowhere(self):  # for a channel that there is not
        self.flood(lambda: packet(MSG_CHANNEL_DATA, 4711, b"x" * PIECE))

    def flood_extended(self):
        self.flood(lambda: packet(MSG_CHANNEL_EXTENDED_DATA, self.channel.remote_chanid, 7, b"x" * PIECE))

    def flood_ignore(self):
        self.flood(lambda: packet(MSG_IGNORE, b"x" * PIECE))

    def flood_debug(self):
        self.flood(lambda: packet(MSG_DEBUG, True, STEER * 500, b"en"))

    def flood_requests(self):  # each of which wants an answer
        self.flood(lambda: packet(MSG_GLOBAL_REQUEST, b"x" * 30000, True))

    def flood_channels(self):
        while True:
            self.send(packet(MSG_CHANNEL_OPEN, b"x11", self.rng.randrange(1 << 30), 1 << 20, 1 << 15, b"a", 1))

    def windows(self):
        while True:
            self.send(packet(MSG_CHANNEL_WINDOW_ADJUST, self.channel.remote_chanid, 0xffffffff))

    def rekey(self):
        while True:
            self.send(packet(MSG_KEXINIT, self.rng.randbytes(200)))

    def closes(self):  # at a random moment
        time.sleep(self.rng.random() * 0.05)
        self.sock.shutdown(socket.SHUT_RDWR)

    def resets(self):
        time.sleep(self.rng.random() * 0.05)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.active = False
        self.sock.close()

    def closes_channel(self):
        self.channel.close()
        time.sleep(60)

    def steers(self):  # says farewell with what moves a terminal
        self.channel.sendall_stderr(STEER * 100)
        self.channel.sendall(STEER * 100)
        self.send(packet(MSG_DISCONNECT, 2, STEER, b"en"))
        time.sleep(1)

    def says_nothing(self):
        time.sleep(60)


def serve(sock, mode, key, mib, seed):
    transport = paramiko.Transport(sock)
    transport.add_server_key(key)
    try:
        transport.start_server(server=Door(mode == "steers"))
        channel = transport.accept(20)
        if channel is None:
            return
        channel.settimeout(None)
        if mode not in ("closes", "resets"):
            channel.recv(1)  # its first request is here
        getattr(Harm(transport, channel, sock, mib, random.Random(seed)), mode)()
    except (OSError, EOFError, paramiko.SSHException):
        pass
    finally:
        transport.close()


def listen(mode, key, mib, seed):
    door = socket.create_server(("127.0.0.1", 0))

    def accept():
        turn = 0
        while True:
            sock, _ = door.accept()
            turn += 1
            threading.Thread(target=serve, args=(sock, mode, key, mib, seed + turn), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return door.getsockname()[1]


def main():
    logging.disable(logging.CRITICAL)
    key = paramiko.Ed25519Key(filename=sys.argv[1])
    print(*[listen(mode, key, int(sys.argv[2]), int(sys.argv[3])) for mode in sys.argv[4:]], flush=True)
    sys.stdin.read()
    os._exit(0)


main()
