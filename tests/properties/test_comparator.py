"""One order everywhere: in memory, in Redis, in SQL, against a naive sort."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actors.change import Change, Columns, apply_call
from actors.keys import keys_of
from actors.ordering import Ordering
from models import standings
from models.board import Place
from models.database import Database
from models.entry import MAX_SCORE
from models.ids import UserId
from models.ranking import INVERSION_MS, Row, member_of, row_of, sort_key
from models.state import Standing
from tests.pods import migrated

USERS = [UserId(str(UUID(int=number * 0x1111_1111_1111_1111_1111_1111_1111_1111))) for number in range(16)]
SCORES = st.one_of(
    st.sampled_from([-MAX_SCORE, -MAX_SCORE + 1, -1, 0, 1, MAX_SCORE - 1, MAX_SCORE]), st.integers(-3, 3), st.integers()
).filter(lambda score: abs(score) <= MAX_SCORE)
TIMES = st.one_of(
    st.sampled_from([0, 1, INVERSION_MS - 9, INVERSION_MS]), st.integers(1_790_000_000_000, 1_790_000_000_003)
)
ROWS = st.lists(st.builds(Row, st.sampled_from(USERS), SCORES, TIMES), max_size=16, unique_by=lambda row: row.user_id)


@dataclass
class Servers:
    """Both servers and the loop that their connections belong to."""

    runner: asyncio.Runner
    database: Database
    ordering: Ordering


@pytest.fixture(scope="module")
def servers(database_url: str, redis_url: str) -> Iterator[Servers]:
    with asyncio.Runner() as runner:
        database = runner.run(migrated(database_url))

        async def connect() -> Ordering:
            return Ordering(redis_url)

        ordering = runner.run(connect())
        yield Servers(runner, database, ordering)
        runner.run(ordering.close())
        runner.run(database.close())


def naive(rows: Sequence[Row]) -> list[Row]:
    """Score descending, then who reached it first, then user id descending: one criterion after the other."""
    ordered = sorted(rows, key=lambda row: row.user_id, reverse=True)
    ordered.sort(key=lambda row: row.reached_at)
    ordered.sort(key=lambda row: -row.score)
    return ordered


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(ROWS)
def test_memory_agrees_with_a_naive_sort(rows: list[Row]):
    assert sorted(rows, key=sort_key, reverse=True) == naive(rows)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.builds(Row, st.sampled_from(USERS), SCORES, TIMES))
def test_a_row_survives_its_member(row: Row):
    member = member_of(row.user_id, row.reached_at)
    assert row_of(member, f"{float(row.score):.17g}") == row
    assert row_of(member, str(row.score)) == row


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(ROWS)
@example([Row(user, 0, 1_790_000_000_000) for user in USERS])
@example([Row(user, MAX_SCORE - number, 0) for number, user in enumerate(USERS)])
@example([Row(user, number - MAX_SCORE, 0) for number, user in enumerate(USERS)])
def test_redis_and_sql_agree_with_memory(servers: Servers, rows: list[Row]):
    servers.runner.run(check(servers, rows))


async def check(servers: Servers, rows: list[Row]) -> None:
    expected = sorted(rows, key=sort_key, reverse=True)
    place: Place = (f"board-{uuid4().hex}/1", "all")
    await write(servers, place, rows)
    for limit in (3, 100):
        assert await pages_in_redis(servers, place, limit) == expected
        assert await pages_in_sql(servers, place, limit) == expected
    for number, row in enumerate(expected):
        above = expected[number - 1].score if number else None
        edge = expected[9].score if len(expected) >= 10 else None
        found = await standings.place(servers.database, *place, row.user_id, 10)
        assert found is not None
        assert (found.row, found.rank, found.total) == (row, number + 1, len(rows))
        assert (found.next_score, found.edge_score) == (above, edge)
        (told,) = await servers.ordering.run([("place", keys_of(place, "e").reading(), [row.user_id, 10])])
        assert told[0] == "ok"
        assert (row_of(told[2], told[3]), told[4], told[5]) == (row, number + 1, len(rows))
        assert [int(float(text)) if text else None for text in told[6:]] == [above, edge]
        for radius in (1, 4):
            first = max(0, number - radius)
            near = expected[first : number + radius + 1]
            assert await standings.around(servers.database, *place, row.user_id, radius) == (first + 1, near)
            (told,) = await servers.ordering.run([("around", keys_of(place, "e").reading(), [row.user_id, radius])])
            assert (told[0], told[6]) == ("ok", first)
            assert [row_of(member, score) for member, score in zip(told[7::2], told[8::2], strict=True)] == near
    assert await standings.around(servers.database, *place, UserId(str(uuid4())), 3) is None


async def write(servers: Servers, place: Place, rows: list[Row]) -> None:
    redis = servers.ordering.redis
    keys = keys_of(place, "e")
    await redis.set(keys.pointer, "e")
    await redis.hset(keys.meta, mapping={"version": 0, "top": "", "at": 0, "players": 0, "known": 0, "run": ""})
    changes = [Change.of(row.user_id, 1, Standing(row.score, row.reached_at)) for row in rows]
    (answer,) = await servers.ordering.run([apply_call(place, "e", 0, 10, 0, Columns.of(changes, 0), answering=True)])
    assert answer[0] == "ok"
    ranks = {row.user_id: rank for rank, row in enumerate(naive(rows), start=1)}
    assert answer[4:] == [ranks[row.user_id] for row in rows]
    if rows:
        await servers.database.rows(
            """
            INSERT INTO standings (board_key, period, user_id, score, reached_at, version, present, hidden)
            SELECT $1, $2, u, s, r, 1, true, false FROM unnest($3::uuid[], $4::bigint[], $5::bigint[]) AS n (u, s, r)
            """,
            *place,
            *(list(column) for column in zip(*rows, strict=True)),
        )


async def pages_in_redis(servers: Servers, place: Place, limit: int) -> list[Row]:
    found: list[Row] = []
    cursor = ("", "")
    while True:
        (told,) = await servers.ordering.run([("page", keys_of(place, "e").reading(), [limit, *cursor])])
        assert told[0] == "ok"
        assert told[6] == len(found)
        rows = [row_of(member, score) for member, score in zip(told[7::2], told[8::2], strict=True)]
        found += rows
        if not rows:
            return found
        cursor = (str(rows[-1].score), member_of(rows[-1].user_id, rows[-1].reached_at))


async def pages_in_sql(servers: Servers, place: Place, limit: int) -> list[Row]:
    found: list[Row] = []
    while True:
        rows = await standings.page(servers.database, *place, limit, found[-1] if found else None)
        for row in rows[:1]:
            assert await standings.rank_of(servers.database, *place, row) == len(found) + 1
        found += rows
        if not rows:
            return found
