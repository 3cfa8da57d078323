"""Standings written twice, late, or for one board more: the newest version holds."""

from collections.abc import AsyncIterator

import pytest

from models.board import Board, Fold, Place, Window
from models.database import Database
from models.ids import BoardId, UserId
from models.settling import settle, settlement_of
from models.state import PlayerState, Standing
from tests.pods import migrated, new_players

BOARD, OTHER = (Board(BoardId(name), 7, "A board", Fold.SUM, Window.ALL) for name in ("one", "other"))
PLACE: Place = (BOARD.key, "all")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = await migrated(database_url)
    yield found
    await found.close()


@pytest.fixture
async def user(database: Database) -> UserId:
    return (await new_players(database, 1))[0]


async def write(
    database: Database, user: UserId, version: int, score: int, board: Board = BOARD, *, correct: bool = False
) -> None:
    place = (board.key, "all")
    state = PlayerState(user, (board,), version, score, standings={place: Standing(score, version)}, touched={place})
    await settle(database, [settlement_of(state)], correct=correct)


async def written(database: Database, user: UserId) -> tuple[int, int, int, list[str]]:
    """Version and score of the standing, version and boards of the memo."""
    (row,) = await database.rows(
        """SELECT s.version, s.score, m.version AS memo, m.boards FROM standings s JOIN player_memos m USING (user_id)
           WHERE user_id = $1 AND board_key = $2""",
        user,
        BOARD.key,
    )
    return row["version"], row["score"], row["memo"], sorted(row["boards"])


async def test_what_comes_late_changes_nothing(database: Database, user: UserId):
    await write(database, user, 5, 50)
    await write(database, user, 4, 40)
    await write(database, user, 5, 51)
    assert await written(database, user) == (5, 50, 5, [BOARD.key])
    await write(database, user, 6, 60)
    assert await written(database, user) == (6, 60, 6, [BOARD.key])


async def test_a_correction_holds_against_its_own_version_only(database: Database, user: UserId):
    await write(database, user, 5, 50)
    await write(database, user, 5, 55, correct=True)
    assert (await written(database, user))[:2] == (5, 55)
    await write(database, user, 4, 44, correct=True)
    assert (await written(database, user))[:2] == (5, 55)


async def test_memos_of_one_version_vouch_together_and_a_newer_one_alone(database: Database, user: UserId):
    await write(database, user, 5, 50)
    await write(database, user, 5, 50, OTHER)
    assert (await written(database, user))[2:] == (5, [BOARD.key, OTHER.key])
    await write(database, user, 4, 40, OTHER)
    assert (await written(database, user))[2:] == (5, [BOARD.key, OTHER.key])
    await write(database, user, 6, 60)
    assert (await written(database, user))[2:] == (6, [BOARD.key])
