"""Finishes what requests began: erasures, groups that were closed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from actors.beat import until_beat
from actors.errors import ActorError
from actors.supervisor import Supervisor
from models import groups, marks, players
from models.database import Database
from models.errors import ModelError
from models.ids import UserId

log = logging.getLogger("laurel.leftovers")

INTERVAL_SECONDS = 2.0
LEASE_SECONDS = 10.0
STANDBY_SECONDS = LEASE_SECONDS / 2
"""How often a pod looks whether the one that does it is gone."""
MEMBERS_AT_ONCE = 500

Leave = Callable[[UserId, str], Awaitable[object]]
"""Moves a player out of a group."""


class Leftovers:
    """One pod at a time takes away the accounts of erased players and empties closed groups.

    Failure policy: what fails is tried again at the next turn.
    """

    def __init__(self, database: Database, pod: str, leave: Leave) -> None:
        self._database = database
        self._pod = pod
        self._leave = leave

    def start(self, supervisor: Supervisor) -> None:
        """Starts the loop."""
        supervisor.keep("leftovers", self._work)

    async def _work(self) -> None:
        while True:
            pause = INTERVAL_SECONDS
            try:
                if await marks.lease(self._database, "leftovers", self._pod, LEASE_SECONDS):
                    await self.turn()
                else:
                    pause = STANDBY_SECONDS
            except ModelError as error:
                log.debug("leftovers wait: %s", error)
            await asyncio.sleep(until_beat(pause))

    async def turn(self) -> None:
        """Does what is there to do; raises ModelError."""
        for user_id in await players.half_erased(self._database):
            await players.erase(self._database, user_id)
        for group_id in await groups.closed(self._database):
            members = await groups.members(self._database, group_id, MEMBERS_AT_ONCE)
            for user_id in members:
                with suppress(ActorError):  # gone already, erased, or busy: the next turn sees
                    await self._leave(user_id, group_id)
            if not members:
                await groups.remove(self._database, group_id)
