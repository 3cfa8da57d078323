"""Writes standings and memos, behind the redemption path."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from models.board import Place
from models.database import Database, sql
from models.ids import UserId
from models.state import PlayerState, Standing

SETTLE = sql("settle")

BATCH = 500
"""Players written in one statement."""
STANDING_COLUMNS = 8

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
    state.touched.clear()
    actions = _json.encode(state.actions).decode()
    boards = "{" + ",".join(board.key for board in state.boards) + "}"
    return Settlement(state.user_id, state.version, state.banned_until is not None, standings, actions, boards)


async def settle(database: Database, settlements: Sequence[Settlement]) -> None:
    """Writes settlements, each player's standings and memo in one instant.

    Raises DatabaseUnavailable; writing again is harmless.
    """
    ordered = sorted(settlements, key=lambda settlement: settlement.user_id)
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        memos = [(s.user_id, s.version, s.boards, s.actions) for s in batch]
        await database.rows(SETTLE, *columns_of(batch), *zip(*memos, strict=True))


def columns_of(settlements: Iterable[Settlement]) -> Iterable[Sequence[object]]:
    """The rows of standings as columns, sorted so that writers do not block one another in a circle."""
    rows = sorted(
        (place[0], place[1], s.user_id, *(standing or (0, 0)), s.version, standing is not None, s.hidden)
        for s in settlements
        for place, standing in s.standings
    )
    return zip(*rows, strict=True) if rows else [()] * STANDING_COLUMNS
