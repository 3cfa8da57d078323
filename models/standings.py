"""Boards as PostgreSQL has them: pages, places and what lags."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from models.board import Board
from models.database import Database, Sink, sql
from models.database import Row as DatabaseRow
from models.ids import UserId
from models.ranking import Row
from models.state import Standing

PAGE = sql("standings_page")

COUNT = sql("standings_count")

BETTER = sql("standings_better")

NEIGHBOUR = sql("standings_above")

AROUND = sql("standings_around")

OF_USER = sql("standings_of")

# Who has entries younger than a mark, how far those are that had time to be written down, and how far they are.
YOUNG = sql("young")
MOVED = sql("standings_moved")
ALL = sql("standings_all")
AHEAD = sql("standings_ahead")


@dataclass(frozen=True, slots=True)
class Place:
    """A player's place on a board: ranks count from 1, points from the present score.

    `next_score` is the score of the one above (None at rank 1); `edge_score` that of the last row of the top 10,
    None while the top 10 is not full.
    """

    row: Row
    rank: int
    total: int
    next_score: int | None
    edge_score: int | None


def row_from(row: DatabaseRow) -> Row:
    """A board's row out of the database's."""
    return Row(UserId(row["user_id"]), row["score"], row["reached_at"])


async def page(database: Database, board_key: str, period: str, limit: int, after: Row | None = None) -> list[Row]:
    """Rows in rank order, behind a given one."""
    last = (None, None, None) if after is None else (after.score, after.reached_at, after.user_id)
    rows = await database.rows(PAGE, board_key, period, *last, limit)
    return [row_from(row) for row in rows]


async def count(database: Database, board_key: str, period: str) -> int:
    """How many players are on a board."""
    total: int = (await database.rows(COUNT, board_key, period))[0]["n"]
    return total


async def rank_of(database: Database, board_key: str, period: str, row: Row) -> int:
    """The rank, from 1, that a row has."""
    rows = await database.rows(BETTER, board_key, period, row.score, row.reached_at, row.user_id)
    better: int = rows[0]["n"]
    return better + 1


async def everybody(database: Database, board_key: str, period: str, take: Sink) -> None:
    """Streams all rows of a board, from one snapshot: lines of version, bar, member of the sorted set, space, score."""
    await database.stream(ALL, board_key, period, take=take)


async def place(database: Database, board_key: str, period: str, user_id: UserId, top_size: int) -> Place | None:
    """A player's place, or None when not on the board."""
    own = await database.rows(OF_USER, board_key, period, user_id)
    if not own:
        return None
    row = Row(user_id, own[0]["score"], own[0]["reached_at"])
    key = (board_key, period, row.score, row.reached_at, row.user_id)
    rank = await rank_of(database, board_key, period, row)
    next_score = (await database.rows(NEIGHBOUR, *key))[0]["score"]
    top = await page(database, board_key, period, top_size)
    edge = top[-1].score if len(top) == top_size else None
    return Place(row, rank, await count(database, board_key, period), next_score, edge)


async def around(
    database: Database, board_key: str, period: str, user_id: UserId, radius: int
) -> tuple[int, list[Row]] | None:
    """The first rank and the rows around a player, cut at the board's edges; None when not on the board."""
    rows = [row_from(row) for row in await database.rows(AROUND, board_key, period, user_id, radius)]
    own = next((number for number, row in enumerate(rows) if row.user_id == user_id), None)
    if own is None:
        return None
    return await rank_of(database, board_key, period, rows[own]) - own, rows


@dataclass(frozen=True, slots=True)
class Young:
    """A player with recent entries: their first and last version, the last that should be settled, the one that is."""

    user_id: UserId
    first: int
    due: int
    owed: int
    settled: int


async def young(
    database: Database,
    since_ms: int,
    before_ms: int,
    owed_before_ms: int | None = None,
    boards: Iterable[Board] = (),
) -> list[Young]:
    """Players with entries stamped within a stretch of time; who lacks one of the boards is not settled at all."""
    ends = (since_ms, before_ms, before_ms if owed_before_ms is None else owed_before_ms)
    stamps = [datetime.fromtimestamp(ms / 1000, UTC) for ms in ends]
    rows = await database.rows(YOUNG, *stamps, [board.key for board in boards])
    return [Young(UserId(row["user_id"]), row["first"], row["due"], row["owed"], row["settled"]) for row in rows]


async def moved(
    database: Database, board_key: str, period: str, young: Sequence[Young]
) -> dict[UserId, tuple[int, Standing | None]]:
    """Standings in a place that recent entries moved, with their versions; None is one that boards do not show."""
    users, firsts = [one.user_id for one in young], [one.first for one in young]
    rows = await database.rows(MOVED, board_key, period, users, firsts)
    return {
        UserId(row["user_id"]): (row["version"], Standing(row["score"], row["reached_at"]) if row["shown"] else None)
        for row in rows
    }


async def forget_ahead(database: Database) -> None:
    """Removes what is of versions that its players have no more; raises DatabaseUnavailable."""
    await database.alone(AHEAD)
