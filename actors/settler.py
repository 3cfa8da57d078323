"""Writes standings behind the redemption path, about once a second."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from actors.supervisor import Supervisor
from models.database import Database
from models.errors import ModelError
from models.ids import UserId
from models.settling import Settlement, settle, settlement_of
from models.state import PlayerState

log = logging.getLogger("laurel.settler")

INTERVAL_SECONDS = 1.0
SLICE = 100
"""Players written at once: more would hold up the loop for milliseconds."""
REST_FACTOR = 20
"""It rests so many times as long as it wrote: behind a busy path it takes a twentieth of one connection."""
LONGEST_REST_SECONDS = 5.0
SOON_SECONDS = 0.5
"""How long a reader waits for what is noted to be written."""


class Settler:
    """Remembers touched states and writes them down together, the newest of each player only.

    Failure policy: what could not be written waits for the next time; a lost pod's share is found by the repair.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._touched: dict[UserId, PlayerState] = {}
        self._unwritten: dict[UserId, Settlement] = {}
        self._writing = asyncio.Lock()

    def start(self, supervisor: Supervisor) -> None:
        """Starts the writer."""
        supervisor.keep("settler", self._work)

    def note(self, state: PlayerState) -> None:
        """Remembers a state that changed; what it says when written counts."""
        self._touched[state.user_id] = state

    def forget(self) -> None:
        """Leaves what is not written down to the repair."""
        self._touched.clear()
        self._unwritten.clear()

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        rest = INTERVAL_SECONDS
        while True:
            await asyncio.sleep(rest)
            began = clock()
            try:
                await self.flush()
            except ModelError as error:
                log.warning("standings wait: %s", error)
            rest = min(max(INTERVAL_SECONDS, REST_FACTOR * (clock() - began)), LONGEST_REST_SECONDS)

    async def flush(self) -> None:
        """Writes everything noted so far; raises DatabaseUnavailable and keeps it then."""
        async with self._writing:
            await self._flush()

    async def flush_few(self) -> None:
        """Likewise if it is little, for who is about to read it; what is much waits for its turn."""
        if len(self._touched) + len(self._unwritten) <= SLICE:
            with suppress(ModelError, TimeoutError):
                async with asyncio.timeout(SOON_SECONDS):
                    await self.flush()

    async def _flush(self) -> None:
        touched, self._touched = list(self._touched.values()), {}
        while touched or self._unwritten:
            for state in touched[:SLICE]:
                settlement = settlement_of(state)
                self._unwritten[state.user_id] = _merged(self._unwritten.get(state.user_id), settlement)
            del touched[:SLICE]
            try:
                await self.write(self._unwritten.values())
            except BaseException:  # also a reader that waits no longer
                self._touched = {state.user_id: state for state in touched} | self._touched
                raise
            self._unwritten.clear()

    async def write(self, settlements: Iterable[Settlement]) -> None:
        """Writes settlements now; raises DatabaseUnavailable."""
        await settle(self._database, list(settlements))


def _merged(older: Settlement | None, newer: Settlement) -> Settlement:
    """One settlement for two of a player: the newer version, and the places of both."""
    if older is None:
        return newer
    if older.version > newer.version:
        older, newer = newer, older
    standings = dict(older.standings) | dict(newer.standings)
    return replace(newer, standings=tuple(standings.items()))
