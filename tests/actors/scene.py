"""Pods that tests set against one another: doors in their way, and what must hold in the end."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from actors.messages import RedeemTicket
from models import ledger
from models.board import Place
from models.database import Database
from models.errors import DatabaseUnavailable
from models.ids import UserId
from models.state import Standing, fold_history
from tests.pods import Pod, awaited, history_of

POINTS = 10
"""Of the action `run`; `jump` has 3."""


@dataclass
class Gate:
    """The database, with a door before and after the one statement."""

    database: Database
    before: asyncio.Event = field(default_factory=asyncio.Event)
    after: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    lose_reply: bool = False

    async def hot(self, statement: str, *values: Any) -> Any:
        if statement is not ledger.COMMIT:
            return await self.database.hot(statement, *values)
        self.arrived.set()
        await self.before.wait()
        rows = await self.database.hot(statement, *values)
        self.committed.set()
        await self.after.wait()
        if self.lose_reply:
            self.lose_reply = False
            raise DatabaseUnavailable("the reply was lost")
        return rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)


def gated(pod: Pod, *, before: bool = False, after: bool = False) -> Gate:
    """Puts doors around a pod's statement, closed where said."""
    gate = Gate(pod.database)
    for door, closed in ((gate.before, before), (gate.after, after)):
        if not closed:
            door.set()
    pod.committer._database = gate  # type: ignore[assignment]
    return gate


async def redeem(pod: Pod, user: UserId, action: str = "run"):
    return await pod.tell(user, RedeemTicket(pod.ticket(user, action)))


def place_of(pod: Pod, board_id: str) -> Place:
    return next(place for board, place in pod.present() if board.board_id == board_id)


async def score_in_redis(pod: Pod, place: Place, user: UserId) -> int:
    return next(row.score for row in await pod.rows_in_redis(place) if row.user_id == user)


async def assert_same_everywhere(pod: Pod, user: UserId) -> None:
    """The ledger's fold, the actor and Redis agree about a player on every board."""
    history = await history_of(pod.database, user)
    folded = fold_history(user, history, pod.epochs.boards)
    assert [entry.user_version for entry in history] == list(range(1, len(history) + 1))
    state = pod.state_of(user)
    for _, place in pod.present():
        expected = folded.visible(place)
        # An actor may be behind until its next change; what it holds is true of its version.
        assert state is None or state.version < len(history) or state.visible(place) == expected
        await awaited(lambda: pod.mirror.pending == 0)
        assert await _standing_in_redis(pod, place, user, expected) == expected, place


async def _standing_in_redis(pod: Pod, place: Place, user: UserId, expected: Standing | None) -> Standing | None:
    """What Redis has of a player, once nothing is on its way there any more, of this pod or another."""
    found = None
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            while True:
                rows = {row.user_id: Standing(row.score, row.reached_at) for row in await pod.rows_in_redis(place)}
                found = rows.get(user)
                if found == expected:
                    break
                await asyncio.sleep(0.01)
    return found
