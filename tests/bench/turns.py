"""Counts round trips: python3 turns.py TO-ADDRESS TO-PORT OUT MS

A relay for one host, on a port of its own that it prints first. Bytes are held
MS milliseconds each way, so that what belongs together arrives together. A
turn is client bytes that follow server bytes: something waited for an answer.
OUT gets the number of turns of each connection, one a line, once it ends.
Ends when its stdin does. Must not know: SSH, hoshu.
"""
import asyncio
import socket
import sys


async def pump(reader, writer, hold, said, mine, turns):
    """One way. said[0] is the side whose bytes were forwarded last."""
    while data := await reader.read(65536):
        await asyncio.sleep(hold)
        while True:  # whatever else has come meanwhile
            try:
                more = await asyncio.wait_for(reader.read(65536), 0.001)
            except asyncio.TimeoutError:
                break
            if not more:
                break
            data += more
        if said[0] != mine and mine == "client":
            turns[0] += 1
        said[0] = mine
        writer.write(data)
        await writer.drain()
    try:
        writer.write_eof()
    except OSError:
        pass


async def main():
    address, port, out, hold = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]) / 1000

    async def connected(reader, writer):
        said, turns = [None], [0]
        to_reader, to_writer = await asyncio.open_connection(address, port)
        for w in (writer, to_writer):
            w.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(
            pump(reader, to_writer, hold, said, "client", turns),
            pump(to_reader, writer, hold, said, "server", turns),
            return_exceptions=True)
        with open(out, "a") as f:
            f.write(f"{turns[0]}\n")
        writer.close()
        to_writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
