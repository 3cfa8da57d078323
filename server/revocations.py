"""What every pod must refuse before its time: ended sessions and erased players, polled."""

import asyncio
import logging
import time
from collections.abc import Callable

from actors.beat import until_beat
from actors.supervisor import Supervisor
from models import control, sessions
from models.database import Database
from models.errors import ModelError
from models.sessions import Revocation, RevokedKind
from server.auth import Revoked

log = logging.getLogger("laurel.revocations")

INTERVAL_SECONDS = 0.5
TIDY_SECONDS = 600.0


class Revocations:
    """Keeps `revoked` as the database has it, half a second behind.

    Failure policy: without a database nothing is heard; after an outage longer than half the overlap, and at the start,
    everything that still counts is read.
    """

    def __init__(self, database: Database, revoked: Revoked, on_new: Callable[[], None]) -> None:
        self._database = database
        self._revoked = revoked
        self._on_new = on_new
        self._last: float | None = None
        self._tidied = 0.0

    def start(self, supervisor: Supervisor) -> None:
        """Starts polling."""
        supervisor.keep("revocations", self._work)

    @property
    def loaded(self) -> bool:
        """Whether what had been revoked before this pod started is known."""
        return self._last is not None

    async def _work(self) -> None:
        self._tidied = asyncio.get_running_loop().time()
        while True:
            try:
                await self.poll()
                await self._tidy()
            except ModelError as error:
                log.debug("revocations wait: %s", error)
            await asyncio.sleep(until_beat(INTERVAL_SECONDS))

    async def poll(self) -> None:
        """Hears what is new; raises DatabaseUnavailable."""
        began = asyncio.get_running_loop().time()
        everything = self._last is None or began - self._last > control.OVERLAP_SECONDS / 2
        found = await sessions.revoked(self._database, everything=everything)
        self._last = began
        self.take(found)

    def take(self, revocations: list[Revocation]) -> None:
        """Refuses these from now on."""
        new = False
        for revocation in revocations:
            known = self._revoked.sessions if revocation.kind is RevokedKind.SESSION else self._revoked.players
            if known.get(revocation.subject, 0.0) < revocation.until:
                new = new or revocation.subject not in known
                known[revocation.subject] = revocation.until
        if new:
            self._on_new()

    async def _tidy(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._tidied < TIDY_SECONDS:
            return
        self._tidied = now
        for known in (self._revoked.sessions, self._revoked.players):
            for subject in [subject for subject, until in known.items() if until < time.time()]:
                del known[subject]
        await sessions.tidy(self._database)
