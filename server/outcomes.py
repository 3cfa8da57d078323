"""What follows an entry that is recorded."""

from collections.abc import Collection

from actors.messages import Outcome, Request
from actors.mirror import Mirror
from actors.settler import Settler
from models.board import Place
from models.entry import SCORING, Entry, Kind
from models.state import PlayerState
from server.tallies import Tallies

NOTIFIED = SCORING | {Kind.VOID}
"""Kinds of entries that a player's own sockets are told of."""


class Outcomes:
    """Tells standings and ranking of it; the answer goes out with the rank."""

    def __init__(self, tallies: Tallies, settler: Settler, mirror: Mirror) -> None:
        self._tallies = tallies
        self._settler = settler
        self._mirror = mirror

    def show(
        self, state: PlayerState, moved: Collection[Place], entry: Entry, request: Request, outcome: Outcome
    ) -> None:
        """Shows a new entry, or a replayed one's player as they are."""
        delta = None
        if outcome.replayed:
            self._tallies.replays += 1
        else:
            delta = entry.delta if entry.kind in NOTIFIED else None
        if not outcome.replayed or state.touched:
            self._settler.note(state)
        self._mirror.show(state, moved, delta, request, outcome)
