"""Writes standings and memos, behind the redemption path."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from models.arrays import numbers
from models.board import Place
from models.database import Database, sql
from models.ids import UserId
from models.state import PlayerState, Standing

SETTLE = sql("settle")
# What is of the same version is written too: for standings that are found to be wrong.
CORRECT = SETTLE.replace("standings.version <", "standings.version <=").replace(
    "WHERE player_memos.version <", "WHERE player_memos.version <="
)

BATCH = 500
"""Players written in one statement."""
STANDING_COLUMNS, ROW_COLUMNS = 5, 8
ABSENT = Standing(0, 0)

_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Settlement:
    """A player's touched standings at a version, as plain values; `boards` are the keys it was folded for."""

    user_id: UserId
    version: int
    hidden: bool
    standings: tuple[tuple[Place, Standing | None], ...]
    actions: str
    boards: str


def settlement_of(state: PlayerState) -> Settlement:
    """What has to be written of a state; clears what it holds as touched."""
    standings = tuple((place, state.standings.get(place)) for place in state.touched)
    state.touched = set()  # an emptied one would keep its table of 700 bytes
    actions = _json.encode(state.actions).decode()
    boards = "{" + ",".join(board.key for board in state.boards) + "}"
    return Settlement(state.user_id, state.version, state.banned_until is not None, standings, actions, boards)


async def settle(database: Database, settlements: Sequence[Settlement], *, correct: bool = False) -> None:
    """Writes settlements, each player's standings and memo in one instant; `correct` also over their own version.

    Raises DatabaseUnavailable; writing again is harmless.
    """
    statement = CORRECT if correct else SETTLE
    ordered = sorted(settlements, key=lambda settlement: settlement.user_id)
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        await database.rows(statement, *_standings(batch), *_players(batch))


def _standings(batch: Sequence[Settlement]) -> tuple[object, ...]:
    """Places, and the standings by place and player: everybody locks rows in the same order."""
    by_place: dict[Place, list[tuple[int, Standing | None]]] = {}
    for number, settlement in enumerate(batch, start=1):
        for place, standing in settlement.standings:
            by_place.setdefault(place, []).append((number, standing))
    places = sorted(by_place)
    rows = [
        (place, number, *(standing or ABSENT), standing is not None)
        for place, key in enumerate(places, start=1)
        for number, standing in by_place[key]
    ]
    columns = zip(*rows, strict=True) if rows else [()] * STANDING_COLUMNS
    return [key for key, _ in places], [period for _, period in places], *map(numbers, columns)


def _players(batch: Sequence[Settlement]) -> tuple[object, ...]:
    return (
        [settlement.user_id for settlement in batch],
        [settlement.version for settlement in batch],
        [settlement.hidden for settlement in batch],
        [settlement.boards for settlement in batch],
        [settlement.actions for settlement in batch],
    )


def columns_of(settlements: Iterable[Settlement]) -> Iterable[Sequence[object]]:
    """The rows of standings as columns, sorted so that writers do not block one another in a circle."""
    rows = sorted(
        (place[0], place[1], s.user_id, *(standing or (0, 0)), s.version, standing is not None, s.hidden)
        for s in settlements
        for place, standing in s.standings
    )
    return zip(*rows, strict=True) if rows else [()] * ROW_COLUMNS
