"""Changes that wait to be sent to Redis: of each player and place the newest."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from actors.change import LARGEST_CALL, Change
from actors.clock import Clock
from actors.epochs import Epochs
from models.board import Place
from models.ids import UserId

MAX_PENDING = 50_000
"""Changes kept of a place while its epoch is unknown; what is dropped beyond, the repair finds."""


class Lane:
    """Gathers changes of some places, the next batch filling up while the last one is under way.

    `arrived` is set when there is something to take; `dropped` counts what was too much.
    """

    def __init__(self, epochs: Epochs, clock: Clock) -> None:
        self.pending: dict[Place, dict[UserId, Change]] = {}
        self.arrived = asyncio.Event()
        self.dropped = 0
        self._since: dict[Place, int] = {}
        """When the oldest change that waits for a place was committed."""
        self._epochs = epochs
        self._clock = clock

    def __len__(self) -> int:
        return sum(map(len, self.pending.values()))

    def put(self, place: Place, change: Change) -> None:
        """Adds a change; of two of the same player the newer stays."""
        users = self.pending.get(place)
        if users is None:
            users = self.pending[place] = {}
            self._since.setdefault(place, self._clock.now_ms())
            self.arrived.set()
        held = users.get(change.user_id)
        if held is not None:
            if held.version > change.version:
                return
            if held.delta is not None:
                change = replace(change, delta=held.delta + (change.delta or 0))
        elif len(users) >= MAX_PENDING:
            self.dropped += 1
            return
        users[change.user_id] = change

    def put_back(self, place: Place, changes: Sequence[Change], since_ms: int) -> None:
        """Adds changes that were taken and not sent, where nothing newer has come meanwhile."""
        if changes:
            self._since[place] = min(since_ms, self._since.get(place, since_ms))
        for change in changes:
            if change.user_id not in self.pending.get(place, {}):
                self.put(place, change)

    def take(self) -> tuple[dict[Place, list[Change]], dict[Place, int]]:
        """The changes whose epoch is known, which leave, and since when each place's wait; the others stay."""
        taken: dict[Place, list[Change]] = {}
        since: dict[Place, int] = {}
        for place in list(self.pending):
            if self._epochs.board_of(place) is None:
                del self.pending[place], self._since[place]
            elif self._epochs.get(place) is None:
                self._epochs.doubt(place)
            elif changes := list(self.pending.pop(place).values()):
                taken[place], since[place] = changes[:LARGEST_CALL], self._since.pop(place)
                self.put_back(place, changes[LARGEST_CALL:], since[place])
        return taken, since

    def clear(self) -> None:
        """Leaves what is not sent to the repair."""
        self.pending.clear()
        self._since.clear()
