"""Stands between hoshu and the sshd of a light fleet and cuts connections.

    cutter.py DIR COUNT TARGET_PORT: listens on 127.2.x.y for 127.1.x.y, one
    address a host, all on one port, which is written into DIR/port when it
    listens.

A file DIR/HOST ("to 1234 reset") says where the next connection to that host is
cut: behind that byte of what goes to the host, or comes from it. How: "close"
(both ends see an end), "reset" (both see a reset), "half" (only hoshu does; the
host hears nothing any more for two seconds, then its end is reset too). The
file is taken away by the connection it is meant for. DIR/HOST.was then says how
many bytes went each way: "to FROM cut" or "to FROM ended", a line a connection.
"""
import asyncio
import os
import socket
import struct
import sys

place, count, target = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
HOSTS = {f"127.2.{(n - 1) // 250}.{(n - 1) % 250 + 1}": f"light{n}" for n in range(1, count + 1)}


def reset(writer):
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Pair:
    def __init__(self, host, order, client, server):
        self.host, self.client, self.server = host, client, server
        self.way, self.at, self.how = order
        self.bytes = {"to": 0, "from": 0}
        self.cut = asyncio.Event()

    async def carry(self, way, reader, writer):
        try:
            while data := await reader.read(65536):
                if self.cut.is_set():
                    return
                if self.way == way and self.bytes[way] + len(data) >= self.at:
                    data = data[: self.at - self.bytes[way]]
                    self.bytes[way] += len(data)
                    writer.write(data)
                    await writer.drain()
                    self.cut.set()
                    return
                self.bytes[way] += len(data)
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except OSError:
            pass

    async def run(self):
        ends = [asyncio.create_task(self.carry("to", self.client[0], self.server[1])),
                asyncio.create_task(self.carry("from", self.server[0], self.client[1]))]
        over = asyncio.create_task(self.cut.wait())
        both = asyncio.gather(*ends, return_exceptions=True)
        await asyncio.wait([both, over], return_when=asyncio.FIRST_COMPLETED)
        word = "cut" if self.cut.is_set() else "ended"
        with open(f"{place}/{self.host}.was", "a") as f:
            f.write(f"{self.bytes['to']} {self.bytes['from']} {word}\n")
        over.cancel()
        if word == "ended" or self.how == "close":
            self.client[1].close()
            self.server[1].close()
        elif self.how == "reset":
            reset(self.client[1])
            reset(self.server[1])
        else:
            reset(self.client[1])
            await asyncio.sleep(2)
            reset(self.server[1])
        for end in ends:
            end.cancel()


async def serve(reader, writer):
    address = writer.get_extra_info("sockname")[0]
    host = HOSTS[address]
    order = ("", 0, "")
    try:
        with open(f"{place}/{host}") as f:
            way, at, how = f.read().split()
        os.unlink(f"{place}/{host}")
        order = (way, int(at), how)
    except FileNotFoundError:
        pass
    try:
        server = await asyncio.open_connection("127.1" + address[5:], target)
    except OSError:
        reset(writer)
        return
    await Pair(host, order, (reader, writer), server).run()


async def main():
    server = await asyncio.start_server(serve, "127.2.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    others = [await asyncio.start_server(serve, a, port) for a in HOSTS if a != "127.2.0.1"]
    with open(f"{place}/port.new", "w") as f:
        f.write(f"{port}\n")
    os.rename(f"{place}/port.new", f"{place}/port")
    async with server:
        await server.serve_forever()
    return others


asyncio.run(main())
