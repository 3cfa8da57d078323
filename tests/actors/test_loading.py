"""A board streamed from PostgreSQL to Redis: the same rows, in whatever pieces they come."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from actors import loading, rebuilder
from actors.clock import Clock
from actors.errors import Busy
from actors.finals import Finals
from actors.keys import keys_of, pointer_of
from actors.loading import Loading
from models import boards, catalogue, standings
from models.board import GLOBAL, Place
from models.database import Database
from models.entry import MAX_SCORE
from models.errors import DatabaseUnavailable
from models.ids import UserId
from models.ranking import Row, member_of, sort_key
from tests.pods import Pod, awaited, migrated, new_players, simple_catalogue

PLACE: Place = ("global/1", "all")
REDIS_NUMBER = 10
FILL = """
    INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
    SELECT $1, $2, u, s, r, v, p, h
    FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bool[], $8::bool[]) AS t (u, s, r, v, p, h)
"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url, simple_catalogue({"run": 10}))
    await database.rows("DELETE FROM standings")
    yield database
    await database.close()


@pytest.fixture
async def pod(database: Database, redis_url: str) -> AsyncIterator[Pod]:
    defined = [board for board in await boards.load(database) if board.board_id == GLOBAL]
    pod = Pod(database, f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}", defined, await catalogue.load(database))
    await pod.ordering.redis.flushdb()
    yield pod
    await pod.stop()


async def fill(database: Database, rows: list[Row], *, shown: bool = True) -> None:
    users, scores, times = zip(*rows, strict=True)
    versions = [number + 1 for number in range(len(rows))]
    await database.rows(FILL, *PLACE, users, scores, times, versions, [shown] * len(rows), [not shown] * len(rows))


def some(count: int) -> list[Row]:
    chance = random.Random(count)
    extremes = [MAX_SCORE, -MAX_SCORE, 0, -1]
    scores = [extremes[n] if n < len(extremes) else chance.randint(-9, 9) for n in range(count)]
    return [Row(UserId(str(uuid4())), score, chance.choice([0, 1, 1_790_000_000_000])) for score in scores]


async def test_a_rebuilt_board_is_what_the_standings_say(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loading, "SLICE_BYTES", 1_000)
    rows = some(500)
    await fill(pod.database, rows)
    await fill(pod.database, some(20), shown=False)
    epoch = await pod.rebuilder.rebuild(PLACE, None)
    assert epoch is not None
    pod.epochs.adopt(PLACE, epoch)
    expected = sorted(rows, key=sort_key, reverse=True)
    assert await pod.rows_in_redis(PLACE) == expected
    keys = keys_of(PLACE, epoch)
    held = await pod.ordering.redis.hgetall(keys.users)
    assert held == {
        row.user_id: f"{version}|{member_of(row.user_id, row.reached_at)}" for version, row in enumerate(rows, start=1)
    }
    meta = await pod.ordering.redis.hgetall(keys.meta)
    assert meta["top"] == " ".join(f"{member_of(row.user_id, row.reached_at)} {row.score}" for row in expected[:10])
    assert (meta["players"], meta["known"], meta["version"]) == ("500", "500", "0")
    for key in (keys.rank, keys.users, keys.meta):
        assert await pod.ordering.redis.pttl(key) > 0


async def test_lines_may_come_in_any_pieces_and_twice(pod: Pod):
    rows = some(40)
    lines = "".join(f"3|{member_of(row.user_id, row.reached_at)} {row.score}\n" for row in rows).encode()
    expected = sorted(rows, key=sort_key, reverse=True)
    for length in (1, 7, 60, 61, len(lines)):
        epoch = f"e{length}"
        keys = keys_of(PLACE, epoch)
        await pod.ordering.redis.hset(keys.meta, mapping={"players": 0, "known": 0})
        async with pod.ordering.redis.lock(f"lock-{length}", timeout=5) as lock:
            for _ in range(2):
                load = Loading(pod.ordering, Clock(), lock, PLACE, epoch, 10)
                for start in range(0, len(lines), length):
                    await load.take(lines[start : start + length])
                await load.finish()
        pod.epochs.adopt(PLACE, epoch)
        assert await pod.rows_in_redis(PLACE) == expected


async def test_a_board_that_redis_loses_meanwhile_is_not_taken_for_one(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loading, "SLICE_BYTES", 1_000)
    await fill(pod.database, some(200))
    sent = Loading._send

    async def losing(self: Loading, lines: bytes) -> None:
        await sent(self, lines)
        await pod.ordering.redis.flushdb()

    monkeypatch.setattr(Loading, "_send", losing)
    with pytest.raises(ConnectionError, match="lost a board"):
        await pod.rebuilder.rebuild(PLACE, None)
    assert await pod.ordering.redis.get(pointer_of(PLACE)) is None
    monkeypatch.undo()
    assert await pod.rebuilder.rebuild(PLACE, None)  # the lock was in Redis too, and the connection is gone


async def test_a_stream_ends_with_what_its_taker_raises(database: Database):
    await fill(database, some(30))

    async def refusing(lines: bytes) -> None:
        raise KeyError("no")

    with pytest.raises(KeyError):
        await standings.everybody(database, *PLACE, refusing)
    assert await standings.count(database, *PLACE) == 30


async def test_a_stream_that_falls_silent_ends(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("models.database.SILENT_SECONDS", 0.3)
    taken: list[bytes] = []

    async def take(lines: bytes) -> None:
        await asyncio.sleep(0.4)  # whose own time counts for nothing
        taken.append(lines)

    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        await database.stream("SELECT repeat('x', 100000) UNION ALL SELECT pg_sleep(20)::text", take=take)
    assert taken
    assert time.monotonic() - began < 5


async def test_nothing_of_an_empty_board_stays_for_ever(pod: Pod):
    epoch = await pod.rebuilder.rebuild(PLACE, None)
    assert epoch is not None
    keys = keys_of(PLACE, epoch)
    assert [await pod.ordering.redis.pttl(key) > 0 for key in (keys.pointer, keys.meta)] == [True, True]


async def test_former_epochs_are_removed_when_nobody_reads_them(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rebuilder, "OLD_EPOCH_SECONDS", 0.0)
    await fill(pod.database, some(5))
    first = await pod.rebuilder.rebuild(PLACE, None)
    second = await pod.rebuilder.rebuild(PLACE, first)
    assert first is not None
    assert second is not None
    assert 0 < await pod.ordering.redis.pttl(keys_of(PLACE, first).rank) <= rebuilder.ABANDONED_MS
    await pod.rebuilder.sweep()
    assert not await pod.ordering.redis.exists(*keys_of(PLACE, first).all()[1:])
    assert await pod.ordering.redis.zcard(keys_of(PLACE, second).rank) == 5


async def test_who_freezes_a_board_meanwhile_waits_for_the_same_copy(pod: Pod):
    await new_players(pod.database, 1)
    await fill(pod.database, some(5))
    finals = Finals(pod.database, pod.epochs, pod.clock, pod.loader)
    board = pod.epochs.boards[0]
    assert await asyncio.gather(finals.freeze(board), finals.freeze(board)) == [True, True]
    copies = await pod.database.rows("SELECT DISTINCT board_key FROM standings WHERE board_key LIKE '%@%'")
    assert len(copies) == 1
    assert await finals.release(board)


async def test_a_copy_that_is_released_meanwhile_is_not_shown(pod: Pod):
    await fill(pod.database, some(5))
    finals = Finals(pod.database, pod.epochs, pod.clock, pod.loader)
    board = pod.epochs.boards[0]
    async with pod.database.transaction() as transaction:
        await transaction.hot("LOCK TABLE standings IN SHARE MODE")
        copying = asyncio.create_task(finals.freeze(board))
        await awaited(lambda: board.board_id in finals._under_way)
        assert not await finals.release(board)
    with pytest.raises(Busy):
        await copying
    assert await pod.database.rows("SELECT 1 FROM boards WHERE frozen_key IS NOT NULL") == []
    assert await finals.freeze(board)
    assert await finals.release(board)
