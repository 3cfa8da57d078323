"""Frames go out twenty times a second, with what was newest then, and to nobody always last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from uuid import uuid4

import pytest

from actors.audience import Audience, Viewer
from actors.change import Change
from actors.clock import Clock
from actors.epochs import Epochs
from actors.keys import keys_of
from actors.leaderboard import FRAME_SECONDS, Leaderboard
from actors.mirror import Mirror
from actors.ordering import Ordering
from actors.profiles import Profiles
from actors.shown import Form, Wire
from actors.stream import Stream
from actors.supervisor import Supervisor
from models.board import Board, Fold, Window
from models.database import Database
from models.ids import BoardId, UserId
from models.state import Standing
from tests.pods import awaited, migrated

A = UserId("00000000-0000-4000-8000-000000000000")
FORM = Form(Wire.SOCKET, whole=False)
BUSY_SECONDS = 1.5
CHANGE_SECONDS = 0.004
"""So often a busy board's top changes: many times in each frame."""


pytestmark = pytest.mark.alone


class Outlet:
    """A connection that takes everything; `order` is shared by all and says who was written to."""

    def __init__(self, name: str, order: list[str]) -> None:
        self._name = name
        self._order = order

    def write(self, data: bytes) -> None:
        assert data
        self._order.append(self._name)

    def get_write_buffer_size(self) -> int:
        return 0


class Busy:
    """A board from its changes to its viewers, on real Redis."""

    def __init__(self, redis_url: str, database: Database) -> None:
        board = Board(BoardId(f"board-{uuid4().hex}"), 1, "Board", Fold.SUM, Window.ALL)
        self.place = (board.key, "all")
        self.clock = Clock()
        self.ordering = Ordering(redis_url)
        epochs = Epochs()
        epochs.define([board])
        self.mirror = Mirror(self.ordering, epochs, self.clock)
        self.order: list[str] = []
        self.supervisor = Supervisor()
        profiles = Profiles(database, self.supervisor)
        audience = Audience(65_536, 10)
        for name in ("first", "second", "third"):
            audience.join(Viewer(Outlet(name, self.order), lambda: None, FORM))
        self.leaderboard = Leaderboard(board, profiles, audience)
        self.stream = Stream(self.ordering, epochs, profiles, {board.board_id: self.leaderboard})
        self.epochs = epochs
        self.shown: list[tuple[float, int]] = []
        """When each frame went out, and how many milliseconds old what it shows was."""
        self.leaderboard.on_shown = lambda since_ms, seconds: self._note()

    def _note(self) -> None:
        newest = self.leaderboard.newest
        assert newest is not None
        self.shown.append((asyncio.get_running_loop().time(), self.clock.now_ms() - newest.at))

    async def start(self) -> None:
        keys = keys_of(self.place, "e")
        await self.ordering.redis.set(keys.pointer, "e")
        meta = {"version": 0, "top": "", "at": 0, "players": 0, "known": 0, "run": "r"}
        await self.ordering.redis.hset(keys.meta, mapping=meta)
        self.epochs.adopt(self.place, "e")
        await self.stream.adopt(self.place, "e", 0, 0, [])
        self.mirror.start(self.supervisor)
        self.stream.start(self.supervisor)
        self.ordering.found()

    def change(self, version: int) -> None:
        self.mirror.put(self.place, Change.of(A, version, Standing(version, self.clock.now_ms())))


@asynccontextmanager
async def started(database_url: str, redis_url: str) -> AsyncIterator[Busy]:
    database = await migrated(database_url)
    busy = Busy(redis_url, database)
    try:
        await busy.start()
        yield busy
    finally:
        await busy.supervisor.stop(5)
        await busy.ordering.close()
        await database.close()


@pytest.fixture
async def busy(database_url: str, redis_url: str) -> AsyncIterator[Busy]:
    async with started(database_url, redis_url) as busy:
        yield busy


@pytest.mark.parametrize("protocol", [2, 3])
async def test_the_stream_is_read_in_either_version_of_the_protocol(database_url: str, redis_url: str, protocol: int):
    async with started(database_url, f"{redis_url}?protocol={protocol}") as busy:
        busy.change(1)
        await awaited(lambda: len(busy.shown) == 1)
        busy.change(2)
        await awaited(lambda: len(busy.shown) == 2)


async def test_a_busy_board_shows_what_is_newest_twenty_times_a_second(busy: Busy):
    """Once a timer was ahead of the read for the same frame: every frame showed what the last one should have."""
    loop = asyncio.get_running_loop()
    version, end = 0, loop.time() + BUSY_SECONDS
    while loop.time() < end:
        version += 1
        busy.change(version)
        await asyncio.sleep(CHANGE_SECONDS)
    frames = [at for at, _ in busy.shown]
    assert BUSY_SECONDS / FRAME_SECONDS / 2 < len(frames) <= BUSY_SECONDS / FRAME_SECONDS + 2
    assert median(age for _, age in busy.shown) < FRAME_SECONDS * 1_000 / 2
    await awaited(lambda: busy.leaderboard.shown is not None and busy.leaderboard.shown.rows[0].score == version)


async def test_a_lone_change_is_shown_at_once(busy: Busy):
    ages = []
    for version in range(1, 6):
        await asyncio.sleep(2 * FRAME_SECONDS)
        began = asyncio.get_running_loop().time()
        busy.change(version)
        await awaited(lambda version=version: len(busy.shown) == version)
        ages.append(busy.shown[-1][0] - began)
    assert median(ages) < FRAME_SECONDS / 2


async def test_who_came_last_is_not_always_last(busy: Busy):
    for version in (1, 2):
        busy.change(version)
        await awaited(lambda version=version: len(busy.order) == 3 * version)
    assert busy.order[:3] == ["first", "second", "third"]
    assert busy.order[3:] == ["third", "second", "first"]


async def test_what_was_read_is_shown_though_no_read_follows(busy: Busy):
    busy.change(1)
    await awaited(lambda: len(busy.shown) == 1)
    busy.change(2)
    await awaited(lambda: busy.leaderboard.newest is not None and busy.leaderboard.newest.version == 2)
    if len(busy.shown) == 1:  # read right behind the first, and waiting for its frame
        await busy.supervisor.stop_loop("stream")
    await awaited(lambda: len(busy.shown) == 2)
