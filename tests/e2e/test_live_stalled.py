"""One viewer in five stops reading: the others are served as before, the stalled get the newest state or go.

With `--full` two hundred of a thousand, else forty of two hundred.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from tests.e2e.players import Told, redeem
from tests.e2e.test_slow_viewers import connections, stalled_viewer
from tests.laurel_process import LaurelProcess, until

READERS, STALLED = 160, 40
FULL = 5
CHANGES = 16
FILLING = 100
"""Changes within which every stalled viewer's buffers are full; a quarter of them is usual."""
PLAYERS = 10
"""As many as the top has rows: each change is one of it."""
ROUNDS = 3
"""Alone and beside in turn: what else the machine does now and then meets both, and spares one round of each."""
PACE_SECONDS = 0.06
SPARE_SECONDS = 0.05
USUAL, LONGEST = 0.9, 0.99
"""Of so many, one of sixteen changes is left out, and none: falling behind happens in one or two."""
MOST_BYTES_EACH = 256 * 1024
STALL_SECONDS = 5

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

Pairs = Iterator[tuple[str, str]]


@pytest.fixture(scope="module")
def pod() -> Iterator[LaurelProcess]:
    with LaurelProcess() as process:
        env = {"LAUREL_VIEWER_STALL_SECONDS": str(STALL_SECONDS), "LAUREL_VIEWER_BUFFER_BYTES": "4096"}
        yield process.start(env=env)


class Crowd:
    """Viewers that read, and a player whose every redemption all of them have to see."""

    def __init__(self, url: str, pairs: Pairs, session: aiohttp.ClientSession, count: int) -> None:
        self._url = url
        self._pairs = pairs
        self._session = session
        self._arrivals: list[float] = []
        self.count = count

    async def read(self, opened: asyncio.Semaphore) -> None:
        async with self._session.ws_connect(f"{self._url.replace('http', 'ws', 1)}/api/v1/live") as connection:
            await connection.receive()
            opened.release()
            async for _ in connection:
                self._arrivals.append(time.monotonic())

    async def number(self, name: str) -> float:
        """One of the pod's numbers about the board they watch."""
        async with self._session.get(f"{self._url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f'{name}{{board="global"}}'))

    async def top(self) -> list[tuple[str, int]]:
        async with self._session.get(f"{self._url}/api/v1/boards/global/top") as answer:
            return [(row["userId"], row["score"]) for row in (await answer.json())["entries"]]

    async def seconds(self, share: float, changes: int, left_out: float | None = None) -> float:
        """Time for a redemption's answer and its frame at a viewer, of so many; ends when so many were left out.

        Both, because frames go out before the answer does: who waits for the stalled may be either.
        """
        delays: list[float] = []
        for pair in islice(self._pairs, changes):
            self._arrivals.clear()
            started = time.monotonic()
            assert await redeem(self._session, self._url, *pair, Told()) == 200
            answered = time.monotonic()
            async with asyncio.timeout(5):
                while len(self._arrivals) < self.count:
                    await asyncio.sleep(0.002)
            delays += [max(at, answered) - started for at in self._arrivals]
            if left_out is not None and await self.number("laurel_conflations_total") >= left_out:
                break
            await asyncio.sleep(PACE_SECONDS)
        return sorted(delays)[int(len(delays) * share)]


@asynccontextmanager
async def crowd(url: str, pairs: Pairs, count: int) -> AsyncIterator[Crowd]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        found, opened = Crowd(url, pairs, session, count), asyncio.Semaphore(0)
        tasks = [asyncio.create_task(found.read(opened)) for _ in range(count)]
        for _ in tasks:
            await opened.acquire()
        yield found
        assert not any(task.done() for task in tasks), "a reader was cut off"
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def frames(connection: socket.socket) -> Iterator[dict[str, Any]]:
    """What a viewer finds that begins to read."""
    connection.settimeout(5)
    with connection.makefile("rb") as stream:
        while stream.readline() != b"\r\n":
            pass
        while head := stream.read(2):
            size = head[1] if head[1] < 126 else int.from_bytes(stream.read(2), "big")
            yield json.loads(stream.read(size))


def read_up_to(connection: socket.socket, top: list[tuple[str, int]]) -> None:
    """Fails when the newest state never comes, nothing else moving the board."""
    for frame in frames(connection):
        if [(row["userId"], row["score"]) for row in frame["data"]["topScores"]] == top:
            return
    raise AssertionError("the newest state never came")


async def test_stalled_viewers_do_not_delay_the_others(pod: LaurelProcess, full: bool) -> None:
    readers, stalling = (READERS * FULL, STALLED * FULL) if full else (READERS, STALLED)
    url, pid = pod.urls[0], pod.pods()[0]
    port = urlsplit(url).port or 0
    pairs = iter(pod.mint_tickets(CHANGES + ROUNDS * (2 * CHANGES + FILLING), PLAYERS))
    alone, falling, beside = [], [], []
    async with crowd(url, pairs, readers) as viewers:
        await viewers.seconds(USUAL, CHANGES)
        for _ in range(ROUNDS):
            alone.append(await viewers.seconds(USUAL, CHANGES))
            rss, before = psutil.Process(pid).memory_info().rss, await viewers.number("laurel_conflations_total")
            stalled = [stalled_viewer(url, "?format=full", 1) for _ in range(stalling)]
            try:
                falling.append(await viewers.seconds(LONGEST, FILLING, before + stalling))
                beside.append(await viewers.seconds(USUAL, CHANGES))
                left_out = await viewers.number("laurel_conflations_total") - before
                assert left_out > stalling * CHANGES // 2, "they were not stalled"
                assert psutil.Process(pid).memory_info().rss - rss < stalling * MOST_BYTES_EACH
                await asyncio.to_thread(read_up_to, stalled[0], await viewers.top())
                if len(beside) == ROUNDS:  # nobody closes them but the pod
                    await asyncio.to_thread(until, lambda: connections(pid, port) <= readers + 2)
                    assert await viewers.number("laurel_viewers_cut_total") >= stalling - 1
            finally:
                for one in stalled:
                    one.close()
    found = [f"{min(each) * 1000:.1f} ms" for each in (alone, falling, beside)]
    print(
        f"{readers} viewers, the best of {ROUNDS}: {found[0]} alone, {found[1]} falling, {found[2]} beside {stalling}"
    )
    assert max(min(falling), min(beside)) < 2 * min(alone) + SPARE_SECONDS
