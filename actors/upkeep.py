"""What has to be done now and then: the clock, partitions, their summaries, bans that end, sessions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from actors.clock import Clock
from actors.errors import ActorError
from actors.supervisor import Supervisor
from models import marks, partitions, players, sessions
from models.database import Database
from models.errors import ModelError
from models.ids import UserId

log = logging.getLogger("laurel.upkeep")

CLOCK_SECONDS = 60.0
ENDED_BANS_SECONDS = 2.0
SESSIONS_SECONDS = 600.0
PARTITIONS_SECONDS = 3_600.0
PARTITIONS_AHEAD = 3
"""Months of the ledger that are ready beforehand."""
SUMMARIES_SECONDS = 5.0
"""At 1,000 redemptions a second 5,000 entries are without a summary: a millisecond of every search by time."""
MOST_SUMMARIES = 2_000
"""Ranges at once, of about 430 entries each: less than a second."""
FIRST_TRY_SECONDS = 0.5
PARTITIONS_TRY_SECONDS = 15.0
"""Seldom: a try that has to wait for a lock lets others wait behind it."""


class Upkeep:
    """Five loops that hardly ever have anything to do.

    Failure policy: what fails is tried again at its next turn.
    """

    def __init__(
        self, database: Database, clock: Clock, pod: str, unban: Callable[[UserId], Awaitable[object]]
    ) -> None:
        self._database = database
        self._clock = clock
        self._pod = pod
        self._unban = unban

    def start(self, supervisor: Supervisor) -> None:
        """Starts the loops."""
        supervisor.keep("clock", lambda: self._every(CLOCK_SECONDS, self._measure))
        supervisor.keep("partitions", lambda: self._every(PARTITIONS_SECONDS, self._partitions, PARTITIONS_TRY_SECONDS))
        supervisor.keep("summaries", lambda: self._every(SUMMARIES_SECONDS, self._summaries, SUMMARIES_SECONDS))
        supervisor.keep("ended-bans", lambda: self._every(ENDED_BANS_SECONDS, self._ended_bans))
        supervisor.keep("sessions", lambda: self._every(SESSIONS_SECONDS, self._sessions))

    async def _every(
        self, seconds: float, work: Callable[[], Awaitable[object]], retry: float = FIRST_TRY_SECONDS
    ) -> None:
        while True:
            try:
                await work()
                pause = seconds
            except ModelError as error:
                log.debug("upkeep waits: %s", error)
                pause = min(seconds, retry)
            await asyncio.sleep(pause)

    async def _measure(self) -> None:
        await self._clock.measure(self._database)

    async def _partitions(self) -> None:
        if await marks.lease(self._database, "partitions", self._pod, 60):
            await partitions.provide(self._database, self._clock.now_ms(), PARTITIONS_AHEAD)

    async def _summaries(self) -> None:
        if await marks.lease(self._database, "summaries", self._pod, 10):
            await partitions.summarize(self._database, MOST_SUMMARIES)

    async def _ended_bans(self) -> None:
        if await marks.lease(self._database, "ended-bans", self._pod, 10):
            for user_id in await players.ended_bans(self._database):
                with suppress(ActorError):  # banned anew meanwhile, erased, or busy: the next turn sees
                    await self._unban(user_id)

    async def _sessions(self) -> None:
        await sessions.tidy(self._database)
