"""A board's lag is counted from the oldest commit that a frame shows, whatever was in the way."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from actors.audience import Audience, Viewer
from actors.change import Change
from actors.clock import Clock
from actors.epochs import Epochs
from actors.keys import keys_of
from actors.leaderboard import Leaderboard, Record
from actors.mirror import Mirror
from actors.ordering import Ordering
from actors.profiles import Profiles
from actors.shown import Form, Wire
from actors.stream import Stream
from actors.supervisor import Supervisor
from models.board import Board, Fold, Window
from models.database import Database
from models.ids import BoardId, UserId
from models.ranking import Row, text_of
from models.state import Standing
from tests.pods import awaited, migrated

A, B = (UserId(f"{number:08}-0000-4000-8000-000000000000") for number in range(2))


class StoppedClock(Clock):
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000

    def now_ms(self) -> int:
        return self.now


class Outlet:
    def write(self, data: bytes) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


class Shown:
    """A pod's way of one board, from a commit to its viewers."""

    def __init__(self, database: Database, redis_url: str) -> None:
        self.board = Board(BoardId(f"board-{uuid4().hex}"), 1, "Board", Fold.SUM, Window.ALL)
        self.place = (self.board.key, "all")
        self.clock = StoppedClock()
        self.ordering = Ordering(redis_url)
        self.epochs = Epochs()
        self.epochs.define([self.board])
        self.mirror = Mirror(self.ordering, self.epochs, self.clock)
        audience = Audience(65_536, 10)
        audience.join(Viewer(Outlet(), lambda: None, Form(Wire.SOCKET, whole=False)))
        self.supervisor = Supervisor()
        profiles = Profiles(database, self.supervisor)
        self.leaderboard = Leaderboard(self.board, profiles, audience)
        self.stream = Stream(self.ordering, self.epochs, profiles, {self.board.board_id: self.leaderboard})
        self.since: list[int] = []
        self.leaderboard.on_shown = lambda since_ms, seconds: self.since.append(since_ms)

    async def prepare(self) -> "Shown":
        keys = keys_of(self.place, "e")
        await self.ordering.redis.set(keys.pointer, "e")
        meta = {"version": 0, "top": "", "at": 0, "players": 0, "known": 0, "run": "r"}
        await self.ordering.redis.hset(keys.meta, mapping=meta)
        return self

    async def adopt(self) -> None:
        self.epochs.adopt(self.place, "e")
        await self.stream.adopt(self.place, "e", 0, 0, [])

    def commit(self, user_id: UserId, version: int, score: int, at: int) -> None:
        self.clock.now = at
        self.mirror.put(self.place, Change.of(user_id, version, Standing(score, at)))

    def start(self) -> None:
        self.mirror.start(self.supervisor)
        self.stream.start(self.supervisor)
        self.ordering.found()


@pytest.fixture
async def shown(database_url: str, redis_url: str) -> AsyncIterator[Shown]:
    database = await migrated(database_url)
    shown = await Shown(database, redis_url).prepare()
    yield shown
    await shown.supervisor.stop(5)
    await shown.ordering.close()
    await database.close()


async def test_a_frame_dates_from_the_oldest_commit_that_waited(shown: Shown):
    shown.commit(A, 1, 5, at=2_000)
    shown.commit(B, 1, 7, at=2_300)
    await shown.adopt()
    shown.clock.now = 9_000
    shown.start()
    await awaited(lambda: shown.since)
    assert shown.since == [2_000]
    shown.commit(A, 2, 9, at=9_500)
    await awaited(lambda: len(shown.since) == 2)
    assert shown.since[1] == 9_500


async def test_what_redis_did_not_take_keeps_its_time(shown: Shown):
    shown.commit(A, 1, 5, at=2_000)
    await shown.adopt()
    await shown.ordering.redis.set(keys_of(shown.place, "e").pointer, "another")
    shown.clock.now = 5_000
    shown.start()
    await awaited(lambda: shown.epochs.get(shown.place) is None)
    assert shown.mirror.pending == 1
    await shown.ordering.redis.set(keys_of(shown.place, "e").pointer, "e")
    shown.clock.now = 8_000
    await shown.adopt()
    shown.mirror.wake()
    await awaited(lambda: shown.since)
    assert shown.since == [2_000]


async def test_merged_versions_date_from_the_first(shown: Shown):
    await shown.adopt()
    records = [Record("e", number, number, text_of([Row(A, number, 1_000)]), 100 + number) for number in (1, 2, 3)]
    shown.leaderboard.advance([(records[0], None)])
    assert shown.since == [101]
    for record in records[1:]:
        shown.leaderboard.advance([(record, None)])
    assert shown.since == [101], "at most twenty frames a second"
    await awaited(lambda: len(shown.since) == 2)
    assert shown.since[1] == 102
