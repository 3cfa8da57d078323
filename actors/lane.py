"""Changes that wait to be sent to Redis: of each player and place the newest."""

import asyncio

from msgspec.structs import replace

from actors.change import LARGEST_CALL, Change, Columns
from actors.clock import Clock
from actors.epochs import Epochs
from models.board import Place
from models.ids import UserId

MAX_PENDING = 50_000
"""Players kept of a place while its epoch is unknown; what is dropped beyond, the repair finds."""
MAX_CHANGES = 200_000
"""Changes kept of all places, some 50 MB."""


class Lane:
    """Gathers changes of some places, the next batch filling up while the last one is under way.

    `arrived` is set when there is something to take; `dropped` counts what was too much.
    """

    def __init__(self, epochs: Epochs, clock: Clock) -> None:
        self.pending: dict[Place, dict[UserId, Change]] = {}
        self.arrived = asyncio.Event()
        self.dropped = 0
        self._count = 0
        self._since: dict[Place, int] = {}
        """When the oldest change that waits for a place was committed."""
        self._epochs = epochs
        self._clock = clock

    def __len__(self) -> int:
        return self._count

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
        elif len(users) >= MAX_PENDING or self._count >= MAX_CHANGES:
            self.dropped += 1
            return
        else:
            self._count += 1
        users[change.user_id] = change

    def put_back(self, place: Place, columns: Columns) -> None:
        """Adds changes that were taken and not sent; of two of the same player the newer stays."""
        if columns:
            self._since[place] = min(columns.since_ms, self._since.get(place, columns.since_ms))
        for change in columns.changes():
            self.put(place, change)

    def take(self) -> dict[Place, Columns]:
        """The changes whose epoch is known, which leave; the others stay."""
        taken: dict[Place, Columns] = {}
        for place in list(self.pending):
            if self._epochs.board_of(place) is None:
                self._count -= len(self.pending.pop(place))
                del self._since[place]
            elif self._epochs.get(place) is None:
                self._epochs.doubt(place)
            else:
                changes, since_ms = list(self.pending.pop(place).values()), self._since.pop(place)
                self._count -= len(changes)
                if changes:  # none, where the first of a place was too much
                    taken[place] = Columns.of(changes[:LARGEST_CALL], since_ms)
                    self.put_back(place, Columns.of(changes[LARGEST_CALL:], since_ms))
        return taken

    def clear(self) -> None:
        """Leaves what is not sent to the repair."""
        self.pending.clear()
        self._since.clear()
        self._count = 0
