"""Notices that PostgreSQL is no longer the one it was, and lets go of what came from there."""

import asyncio
import logging

from actors.beat import until_beat
from actors.keys import LINEAGE_KEY
from actors.loader import Loader
from actors.mirror import Mirror
from actors.ordering import AWAY, Ordering
from actors.settler import Settler
from actors.supervisor import Supervisor
from actors.users import Users
from models import filling, lineage, marks, standings
from models.database import Database
from models.errors import ModelError
from models.ids import UserId
from models.lineage import Lineage
from models.settling import settlement_of
from models.snapshot import Question

log = logging.getLogger("laurel.history")

INTERVAL_SECONDS = 1.0
LEASE_SECONDS = 30.0
LOUD_AFTER = 60
"""Looks that failed in a row."""
FOLDED = 100
"""Players folded anew at once."""
OTHERS_SECONDS = 2.5
"""Until the other pods have looked too, and write down nothing that is gone."""


class HistoryWatch:
    """Looks each second whether PostgreSQL goes on from where it was: 0.4 ms of a pod, 0.2 ms of it.

    After a recovery to a point in time, a restore by other means or a failover, commits that pods and Redis know of may
    be gone. Then each pod forgets its players' states and what it has not written down, and one of them removes
    standings that are ahead of their players, and all boards, which are built anew under new epochs. A failover that
    lost nothing costs a rebuild too: nobody can tell.
    Failure policy: with either server away it looks again; what Redis holds is compared when it is back.
    """

    def __init__(
        self,
        database: Database,
        ordering: Ordering,
        loader: Loader,
        mirror: Mirror,
        settler: Settler,
        users: Users,
        pod: str,
    ) -> None:
        self._database = database
        self._ordering = ordering
        self._loader = loader
        self._mirror = mirror
        self._settler = settler
        self._users = users
        self._pod = pod
        self._former: Lineage | None = None
        self._busy: set[UserId] = set()
        self.breaks = 0

    def start(self, supervisor: Supervisor) -> None:
        """Starts looking."""
        supervisor.keep("history", self._work)

    async def _work(self) -> None:
        failed = 0
        while True:
            try:
                await self.look()
                failed = 0
            except (ModelError, *AWAY) as error:
                failed += 1
                if failed == LOUD_AFTER:  # an outage, or a role that may not ask
                    log.warning("whether PostgreSQL lost commits is not looked at: %s", error)
            await asyncio.sleep(until_beat(INTERVAL_SECONDS))

    async def look(self) -> None:
        """Compares with the last look of this pod, and with that of any pod; raises ModelError and as `AWAY` says."""
        # Redis is read first: whatever it has was read from PostgreSQL before.
        there = not self._ordering.away
        known: str | None = await self._ordering.ask("GET", LINEAGE_KEY) if there else None
        present = await lineage.read(self._database)
        if self._former is not None and not present.continues(self._former):
            self.breaks += 1
            log.error("PostgreSQL has another history: all states are read anew", extra=_facts(self._former, present))
            self._settler.forget()
            self._mirror.forget()
            self._busy = set(self._users.known())
        self._former = present
        if self._busy:
            self._busy = {user_id for user_id in self._users.known() if user_id in self._busy}
            self._busy = {user_id for user_id in self._busy if not self._users.forget(user_id)}
        if not there or self._ordering.away:
            return  # one that came back meanwhile was not asked what it has boards of
        if known is not None and not present.continues(former := Lineage.parse(known)):
            if not await marks.lease(self._database, "history", self._pod, LEASE_SECONDS):
                return
            log.error("Redis has boards of another history: they are built anew", extra=_facts(former, present))
            await asyncio.sleep(OTHERS_SECONDS)
            await standings.forget_ahead(self._database)
            await self._fold_lacking()
            await self._ordering.forget_boards()
        if known != str(present):
            await self._ordering.ask("SET", LINEAGE_KEY, str(present))

    async def _fold_lacking(self) -> None:
        """Settles whoever has entries and no memo: also those whom a pod forgot that died before it came to this."""
        async for page in filling.lacking(self._database, ()):
            for start in range(0, len(page), FOLDED):
                found = await self._loader.read([Question(one.user_id) for one in page[start : start + FOLDED]])
                await self._settler.write([settlement_of(one.state) for one in found if one.state is not None])


def _facts(former: Lineage, present: Lineage) -> dict[str, str]:
    return {"former": str(former), "present": str(present)}
