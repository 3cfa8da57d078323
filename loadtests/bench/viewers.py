"""Many viewers in one process: read every frame, count it, and note the time of it if asked to.

`python -m loadtests.bench.viewers COUNT NOTED PORT[,PORT…] PATH`; answers each line on stdin with one line of JSON.
"""

import asyncio
import sys
import time
from typing import cast

import msgspec
import uvloop

from server.embedded.ports import LOOPBACK

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGF1cmVsIGJlbmNobWFyaw==\r\n\r\n"
)
AT_ONCE = 50
"""Handshakes under way: fewer than any backlog."""
CONNECT_SECONDS = 30
PING, CLOSE = 0x9, 0x8
SHORT, MEDIUM = 126, 127
MASK = b"\0\0\0\0"


class Counted(msgspec.Struct):
    """What was read so far; `noted` holds (viewer, Unix time, payload)."""

    connected: int = 0
    frames: int = 0
    payload_bytes: int = 0
    lost: int = 0
    noted: list[tuple[int, float, str]] = []


class Viewer(asyncio.Protocol):
    """One connection."""

    def __init__(self, number: int, counted: Counted, noting: bool, upgraded: asyncio.Future[None]) -> None:
        self._number = number
        self._counted = counted
        self._noting = noting
        self._upgraded = upgraded
        self._buffer = b""
        self._open = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own are of another class

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._counted.lost += 1
        if not self._upgraded.done():
            self._upgraded.set_exception(ConnectionError("refused"))

    def data_received(self, data: bytes) -> None:
        now = time.time()
        buffer = self._buffer + data if self._buffer else data
        if not self._open:
            head, end, buffer = buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            self._open = True
            if head.startswith(b"HTTP/1.1 101"):
                self._upgraded.set_result(None)
            else:
                self._upgraded.set_exception(ConnectionError(head.partition(b"\r\n")[0].decode()))
        self._buffer = self._frames(buffer, now)

    def _frames(self, buffer: bytes, now: float) -> bytes:
        """Takes every whole frame; what is left over."""
        start = 0
        while len(buffer) - start >= 2:
            length, head = buffer[start + 1], 2
            if length == SHORT:
                length, head = int.from_bytes(buffer[start + 2 : start + 4], "big"), 4
            elif length == MEDIUM:
                length, head = int.from_bytes(buffer[start + 2 : start + 10], "big"), 10
            end = start + head + length
            if len(buffer) < end:
                break
            self._take(buffer[start] & 0x0F, buffer[start + head : end], now)
            start = end
        return buffer[start:]

    def _take(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == PING:
            self._transport.write(bytes((0x8A, 0x80 | len(payload))) + MASK + payload)
        elif opcode != CLOSE:
            self._counted.frames += 1
            self._counted.payload_bytes += len(payload)
            if self._noting:
                self._counted.noted.append((self._number, now, payload.decode()))


async def watch(count: int, noting: bool, ports: list[int], path: str) -> None:
    """Connects, then answers what is asked on stdin until that ends."""
    loop = asyncio.get_running_loop()
    counted = Counted()
    gate = asyncio.Semaphore(AT_ONCE)

    async def connect(number: int) -> None:
        port = ports[number % len(ports)]
        async with gate, asyncio.timeout(CONNECT_SECONDS):
            upgraded: asyncio.Future[None] = loop.create_future()
            transport, _ = await loop.create_connection(
                lambda: Viewer(number, counted, noting, upgraded), LOOPBACK, port
            )
            transport.write(HANDSHAKE.format(path=path, host=LOOPBACK, port=port).encode())
            await upgraded
            counted.connected += 1

    await asyncio.gather(*map(connect, range(count)))
    _answer(counted)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        _answer(counted)


def _answer(counted: Counted) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(counted) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(watch(int(sys.argv[1]), sys.argv[2] == "noted", list(map(int, sys.argv[3].split(","))), sys.argv[4]))
