"""Viewers that all lose their connection and come back at once, each with its position.

`python -m loadtests.bench.returning COUNT PORT[,PORT…] PATH`; `cut` and `return` on stdin are answered with one line of
JSON each.
"""

import asyncio
import sys
import time
from typing import cast

import msgspec
import uvloop

from loadtests.bench.viewers import AT_ONCE, CLOSE, HANDSHAKE, PING, Counted, Viewer
from server.embedded.ports import LOOPBACK

RETURN_SECONDS = 60


class Position(msgspec.Struct):
    """Where a frame leads to."""

    epoch: str
    version: int


class Returned(msgspec.Struct):
    """What was answered: viewers there, and the seconds until half and all of them had caught up."""

    viewers: int
    half: float = 0.0
    all: float = 0.0


class Returning(Viewer):
    """A connection that remembers its last frame and when the first one came."""

    def __init__(self, number: int, counted: Counted, upgraded: asyncio.Future[None], first: asyncio.Future[float]):
        super().__init__(number, counted, False, upgraded)
        self._first = first
        self.last = b""

    def _take(self, opcode: int, payload: bytes, now: float) -> None:
        super()._take(opcode, payload, now)
        if opcode not in (PING, CLOSE):
            self.last = payload
            if not self._first.done():
                self._first.set_result(time.monotonic())

    def cut(self) -> None:
        """Ends the connection without a word."""
        self._transport.abort()


class Storm:
    """All the viewers of this process."""

    def __init__(self, count: int, ports: list[int], path: str) -> None:
        self._paths = [path] * count
        self._ports = ports
        self._viewers: list[Returning] = []

    async def come(self, at_once: int) -> Returned:
        """Connects everybody; returns when each has got its first frame."""
        loop = asyncio.get_running_loop()
        gate, counted, began = asyncio.Semaphore(at_once), Counted(), time.monotonic()

        async def one(number: int, path: str) -> tuple[Returning, float]:
            port = self._ports[number % len(self._ports)]
            upgraded, first = loop.create_future(), loop.create_future()
            async with gate:
                transport, viewer = await loop.create_connection(
                    lambda: Returning(number, counted, upgraded, first), LOOPBACK, port
                )
                cast(asyncio.Transport, transport).write(HANDSHAKE.format(path=path, host=LOOPBACK, port=port).encode())
                await upgraded
            return viewer, await first - began

        async with asyncio.timeout(RETURN_SECONDS):
            there = await asyncio.gather(*(one(number, path) for number, path in enumerate(self._paths)))
        self._viewers = [viewer for viewer, _ in there]
        waits = sorted(wait for _, wait in there)
        return Returned(len(waits), waits[len(waits) // 2], waits[-1])

    def cut(self) -> Returned:
        """Ends every connection; each comes back with its position."""
        for number, viewer in enumerate(self._viewers):
            position = msgspec.json.decode(viewer.last, type=Position)
            bare = self._paths[number].partition("?")[0]
            self._paths[number] = f"{bare}?epoch={position.epoch}&version={position.version}"
            viewer.cut()
        return Returned(len(self._viewers))


async def serve(count: int, ports: list[int], path: str) -> None:
    """Connects, then does what stdin says until that ends."""
    storm = Storm(count, ports, path)
    _answer(await storm.come(AT_ONCE))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        _answer(storm.cut() if line.strip() == b"cut" else await storm.come(count))


def _answer(returned: Returned) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(returned) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), list(map(int, sys.argv[2].split(","))), sys.argv[3]))
