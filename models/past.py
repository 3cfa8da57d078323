"""A period's frozen result, read as a board is: one player's place, the rows around, some of them."""

from collections.abc import Sequence

from models.database import Database, sql
from models.ids import UserId
from models.periods import FROM_RESULT, FROM_STANDINGS, Result, page
from models.ranking import Row
from models.standings import BETTER, NEIGHBOUR, OF_USER, Place, row_from
from models.subsets import SUBSET


def _of_result(statement: str) -> str:
    """A statement about a place, asked of a result in a revision."""
    made = statement.replace(FROM_STANDINGS, FROM_RESULT)
    assert made != statement
    return made


BETTER_IN_RESULT = _of_result(BETTER)
NEIGHBOUR_IN_RESULT = _of_result(NEIGHBOUR)
OF_USER_IN_RESULT = _of_result(OF_USER)
SUBSET_OF_RESULT = _of_result(SUBSET)
AROUND = sql("result_around")


async def place(database: Database, found: Result, user_id: UserId, top_size: int) -> Place | None:
    """A player's place in a result, None when not in it."""
    own = await database.rows(OF_USER_IN_RESULT, found.result_id, found.revision, user_id)
    if not own:
        return None
    row = Row(user_id, own[0]["score"], own[0]["reached_at"])
    key = (found.result_id, found.revision, row.score, row.reached_at, row.user_id)
    next_score = (await database.rows(NEIGHBOUR_IN_RESULT, *key))[0]["score"]
    top = await page(database, found, top_size)
    edge = top[-1].score if len(top) == top_size else None
    return Place(row, await rank_of(database, found, row), found.players, next_score, edge)


async def rank_of(database: Database, found: Result, row: Row) -> int:
    """One more than those who stand before a row."""
    rows = await database.rows(
        BETTER_IN_RESULT, found.result_id, found.revision, row.score, row.reached_at, row.user_id
    )
    better: int = rows[0]["n"]
    return better + 1


async def around(database: Database, found: Result, user_id: UserId, radius: int) -> tuple[int, list[Row]] | None:
    """The first rank and the rows around a player, cut at the result's edges; None when not in it."""
    rows = [row_from(row) for row in await database.rows(AROUND, found.result_id, found.revision, user_id, radius)]
    own = next((number for number, row in enumerate(rows) if row.user_id == user_id), None)
    if own is None:
        return None
    return await rank_of(database, found, rows[own]) - own, rows


async def ranked(database: Database, found: Result, user_ids: Sequence[UserId]) -> list[tuple[Row, int]]:
    """The rows of those who are in a result, with their ranks, best first."""
    rows = await database.rows(SUBSET_OF_RESULT, found.result_id, found.revision, user_ids)
    return sorted(((row_from(row), row["rank"]) for row in rows), key=lambda one: one[1])
