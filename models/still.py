"""Copies of boards that nothing changes, for what viewers see while a board is frozen."""

from collections.abc import Sequence

from models.board import Place
from models.database import Database, sql
from models.state import PlayerState

COPY = sql("frozen_copy")
CORRECT = sql("frozen_correct")


async def copy(database: Database, source: Place, key: str) -> None:
    """Copies what the standings have of a place to another key, in one instant."""
    await database.alone(COPY, *source, key)


async def correct(database: Database, source: Place, key: str, states: Sequence[PlayerState]) -> None:
    """Brings players in a copy to their present state; a newer version wins."""
    rows = [
        (state.user_id, *(shown or (0, 0)), state.version, shown is not None)
        for state in states
        for shown in [state.visible(source)]
        if source in state.standings
    ]
    if rows:
        await database.rows(CORRECT, key, source[1], *(list(column) for column in zip(*sorted(rows), strict=True)))
