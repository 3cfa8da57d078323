"""Players whose standings moved on boards that no answer waits for, until these are sent to Redis."""

from collections.abc import Set

import msgspec

from actors.change import LARGEST_CALL, Columns, mark_of
from actors.lane import MAX_PENDING
from models.board import Place
from models.ids import UserId
from models.ranking import member_of
from models.state import PlayerState


class Move(msgspec.Struct, frozen=True):
    """A player's state, the places where it moved, and since when the first of these waits."""

    state: PlayerState
    places: Set[Place]
    since_ms: int


class Moves:
    """Remembers states, not changes: what a player has when it is sent counts, on all boards at once.

    With 40 boards a redemption moves some 26 standings; made a `Change` each, they took more than twice as long.
    `len` counts standings; `dropped` those that were too much, which are left to the repair.
    """

    def __init__(self) -> None:
        self._moves: dict[UserId, Move] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return sum(len(move.places) for move in self._moves.values())

    def __bool__(self) -> bool:
        return bool(self._moves)

    def note(self, state: PlayerState, places: Set[Place], now_ms: int) -> None:
        """Remembers where a state moved; of two of a player the newer counts."""
        held = self._moves.get(state.user_id)
        if held is not None:
            newer = state if state.version >= held.state.version else held.state
            self._moves[state.user_id] = Move(newer, held.places | places, held.since_ms)
        elif len(self._moves) < MAX_PENDING:
            self._moves[state.user_id] = Move(state, places, now_ms)
        else:
            self.dropped += len(places)

    def clear(self) -> None:
        """Leaves what is not sent to the repair."""
        self._moves.clear()

    def take(self) -> dict[Place, Columns]:
        """What the players have who wait longest; they leave."""
        leaving = list(self._moves.values())[:LARGEST_CALL]
        taken: dict[Place, Columns] = {}
        for move in leaving:
            del self._moves[move.state.user_id]
            _add(taken, move)
        return taken


def _add(taken: dict[Place, Columns], move: Move) -> None:
    state, reached_at, member, mark = move.state, -1, "", ""
    user_id, version = state.user_id, state.version
    standings = state.standings if state.banned_until is None else {}
    for place in move.places:
        columns = taken.get(place)
        if columns is None:
            columns = taken[place] = Columns(move.since_ms)
        standing = standings.get(place)
        if standing is None:
            columns.add(user_id, version, "", 0, mark_of(version, ""))
            continue
        if standing.reached_at != reached_at:  # one for all boards that the same entry brought up to date
            reached_at = standing.reached_at
            member = member_of(user_id, reached_at)
            mark = mark_of(version, member)
        columns.add(user_id, version, member, standing.score, mark)
