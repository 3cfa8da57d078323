"""Connections cut, Redis emptied, pods restarted, again and again: every viewer ends with the database's top.

With `--full` five hundred cuts and twenty restarts of Redis, else a fifth of that.
"""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import aiohttp
import asyncpg
import psutil
import pytest
import redis.asyncio

from tests.e2e.invariants import assert_whole
from tests.e2e.players import Told, send_all
from tests.laurel_process import LaurelProcess, is_ready, until

PODS = 3
VIEWERS = 24
REDIS_RESTARTS, CUTS = 20, 500
SHARE = 5
SETTLE_SECONDS = 5
PLAYERS = 60

pytestmark = [pytest.mark.alone, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def pods() -> Iterator[LaurelProcess]:
    with LaurelProcess() as process:
        yield process.start(pods=PODS)


class Returning:
    """A viewer that reconnects to any pod and resumes; folds as `server/web/laurel/fold.js` does."""

    def __init__(self, urls: list[str], wire: str) -> None:
        self._urls = urls
        self._wire = wire
        self._session: aiohttp.ClientSession | None = None
        self._response: Any = None
        self.position: tuple[str, int] | None = None
        self.rows: dict[str, dict[str, Any]] = {}
        self.wrong: list[str] = []
        self.connections = self.snapshots = self.updates = self.gaps = 0

    @property
    def top(self) -> list[tuple[str, int]]:
        return [(row["userId"], row["score"]) for row in sorted(self.rows.values(), key=lambda row: row["rank"])]

    async def run(self) -> None:
        async with aiohttp.ClientSession() as self._session:
            while True:
                with suppress(aiohttp.ClientError, OSError, TimeoutError, asyncio.IncompleteReadError):
                    await (self._socket() if self._wire == "websocket" else self._events())
                await asyncio.sleep(random.uniform(0.02, 0.2))

    def _address(self, path: str) -> str:
        query = ""
        if self.position is not None:
            query = f"?epoch={self.position[0]}&version={self.position[1]}"
        return random.choice(self._urls) + path + query

    async def _socket(self) -> None:
        assert self._session is not None
        async with self._session.ws_connect(self._address("/api/v1/live")) as socket:
            self._response = socket._response
            self.connections += 1
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT and not self._take(message.json()):
                    epoch, version = self.position or ("", 0)
                    await socket.send_json({"type": "resume", "board": "global", "epoch": epoch, "version": version})

    async def _events(self) -> None:
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(self._address("/api/v1/live/events"), timeout=timeout) as response:
            self._response = response
            self.connections += response.status == 200
            async for line in response.content:
                if line.startswith(b"data: ") and not self._take(json.loads(line[6:])):
                    return

    def cut(self) -> None:
        """Ends the connection from below, without a word."""
        connection = None if self._response is None else self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()

    def _take(self, frame: dict[str, Any]) -> bool:
        """Whether it follows; if not it is to be asked for."""
        epoch, version = frame["epoch"], frame["version"]
        is_known = self.position is not None and self.position[0] == epoch
        if is_known and version < self.position[1] and frame["type"] == "leaderboard.snapshot":
            return True  # from a pod that has not read as far yet: left aside
        if frame["type"] == "leaderboard.snapshot":
            self.snapshots += 1
            rows = {row["userId"]: row for row in frame["data"]["entries"]}
            if is_known and version == self.position[1] and self.rows != rows:
                self.wrong.append(f"two tops at {epoch}:{version}")
            self.rows = rows
        elif is_known and version <= self.position[1]:
            return True
        elif self.position != (epoch, frame["previous"]):
            self.gaps += 1
            return False
        else:
            self.updates += 1
            for user_id in frame["data"]["removed"]:
                self.rows.pop(user_id, None)
            self.rows |= {row["userId"]: row for row in frame["data"]["updatedPositions"]}
        self.position = (epoch, version)
        return True


async def score(pods: LaurelProcess, pairs: list[tuple[str, str]], told: Told, stop: asyncio.Event) -> int:
    """Redeems at a pace that lasts, each ticket until it is answered; how many."""
    sent = 0
    while not stop.is_set() and sent < len(pairs):
        some = pairs[sent : sent + 20]
        await send_all([(random.choice(pods.urls), *pair) for pair in some], told, connections=4, retry=pods.urls)
        sent += len(some)
        await asyncio.sleep(0.05)
    return sent


async def cut_subscribers(redis_url: str, viewers: list[Returning]) -> int:
    """Viewers' connections, and the pods' own to Redis."""
    for viewer in random.sample(viewers, 4):
        viewer.cut()
    client = redis.asyncio.Redis.from_url(redis_url)
    try:
        killed = 0
        for kind in ("normal", "pubsub"):
            killed += await client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        return 4 + killed
    except (redis.RedisError, OSError):
        return 4
    finally:
        await client.aclose()


def _kill_redis(pods: LaurelProcess) -> bool:
    """Whether there was one to kill."""
    try:
        pods.kill_redis()
    except (ProcessLookupError, TypeError):
        return False
    return True


async def top_in_database(url: str) -> list[tuple[str, int]]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT p.id::text, p.score FROM players p JOIN ledger l ON l.user_id = p.id GROUP BY p.id"
            " ORDER BY p.score DESC, max(l.effective_at), p.id DESC LIMIT 10"
        )
        return [(row["id"], row["score"]) for row in rows]
    finally:
        await connection.close()


async def test_viewers_end_with_the_databases_top(pods: LaurelProcess, full: bool) -> None:
    restarts, most = (REDIS_RESTARTS, CUTS) if full else (REDIS_RESTARTS // SHARE, CUTS // SHARE)
    config = await asyncio.to_thread(pods.config)
    pairs = await asyncio.to_thread(pods.mint_tickets, 40_000 if full else 8_000, PLAYERS)
    viewers = [Returning(pods.urls, "events" if number % 3 == 0 else "websocket") for number in range(VIEWERS)]
    tasks = [asyncio.create_task(viewer.run()) for viewer in viewers]
    told, stop, started = Told(), asyncio.Event(), time.monotonic()
    scoring = asyncio.create_task(score(pods, pairs, told, stop))
    try:
        cuts = 0
        for number in range(restarts):
            while cuts < most * (number + 1) / restarts:
                cuts += await cut_subscribers(config["redisUrl"], viewers)
                await asyncio.sleep(0.1)
            await asyncio.to_thread(until, lambda: _kill_redis(pods))
        for pod in await asyncio.to_thread(pods.pods):
            os.kill(pod, signal.SIGTERM if pod % 2 else signal.SIGKILL)
            async with asyncio.timeout(30):
                while psutil.pid_exists(pod) or not all([await asyncio.to_thread(is_ready, url) for url in pods.urls]):
                    await asyncio.sleep(0.1)
        last_fault = time.monotonic()
        stop.set()
        sent = await scoring
        newest = await top_in_database(config["databaseUrl"])
        while any(viewer.top != newest for viewer in viewers):
            late = [(viewer.position, viewer.top) for viewer in viewers if viewer.top != newest]
            assert time.monotonic() < last_fault + SETTLE_SECONDS, f"{len(late)} viewers are late: {late[0]}, {newest}"
            await asyncio.sleep(0.05)
        settled = time.monotonic() - last_fault
        print(
            f"{cuts} cuts, {restarts} Redis and {PODS} pod restarts in {last_fault - started:.1f} s, "
            f"{sent} points; all agree {settled:.2f} s after; connections {sum(v.connections for v in viewers)}, "
            f"snapshots {sum(v.snapshots for v in viewers)}, updates {sum(v.updates for v in viewers)}, "
            f"gaps {sum(v.gaps for v in viewers)}"
        )
        assert [wrong for viewer in viewers for wrong in viewer.wrong] == []
        assert not any(task.done() for task in tasks), [task for task in tasks if task.done()]
        assert sum(viewer.updates for viewer in viewers) > sum(viewer.snapshots for viewer in viewers)
        assert set(told.others) <= {(503, "busy"), (503, "database_unavailable")}
        await assert_whole(pods, told.acknowledged())
    finally:
        stop.set()
        for task in (*tasks, scoring):
            task.cancel()
        await asyncio.wait([*tasks, scoring])
