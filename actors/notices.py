"""Hears what every pod must know: notices, revocations and bans, polled."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import inf

from actors.beat import until_beat
from actors.supervisor import Supervisor
from models import news
from models.control import OVERLAP_SECONDS, Notice, Topic
from models.database import Database
from models.errors import ModelError
from models.ids import UserId
from models.sessions import Revocation

log = logging.getLogger("laurel.notices")

INTERVAL_SECONDS = 0.5
DEAF_SECONDS = 3.0
REMEMBERED = 100_000
"""Notices remembered as seen; more than an overlap of polls can hold."""

Hear = Callable[[Notice], Awaitable[None]]


class Notices:
    """Polls with an overlap; tells each notice once, what is revoked each time, and keeps the list of bans.

    Failure policy: without a database nothing is heard; the next poll that succeeds makes up for it, since everything
    told of is read anew after an outage longer than half the overlap (`on_gap`), as at the start.
    """

    def __init__(
        self,
        database: Database,
        hearers: Mapping[Topic, Hear],
        on_revoked: Callable[[Sequence[Revocation]], None],
        on_gap: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._hearers = hearers
        self._on_revoked = on_revoked
        self._on_gap = on_gap
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._last = -inf
        self.banned: dict[UserId, int] = {}

    def start(self, supervisor: Supervisor) -> None:
        """Starts polling."""
        supervisor.keep("notices", self._work)

    @property
    def deaf(self) -> bool:
        """Whether the database has not answered for some polls."""
        return asyncio.get_running_loop().time() - self._last > DEAF_SECONDS

    @property
    def loaded(self) -> bool:
        """Whether what had been told before this pod started is known."""
        return self._last > -inf

    async def _work(self) -> None:
        while True:
            try:
                await self.poll()
            except ModelError as error:
                log.debug("notices wait: %s", error)
            await asyncio.sleep(until_beat(INTERVAL_SECONDS))

    async def poll(self) -> None:
        """Hears what is new; raises DatabaseUnavailable."""
        began = asyncio.get_running_loop().time()
        is_gap = began - self._last > OVERLAP_SECONDS / 2
        if is_gap:
            await self._on_gap()
        found = await news.read(self._database, everything=is_gap)
        self.banned = found.banned
        self._on_revoked(found.revocations)
        for notice in found.notices:
            if notice.notice_id not in self._seen:
                await self._tell(notice)
                self._seen[notice.notice_id] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        self._last = began

    async def _tell(self, notice: Notice) -> None:
        """What the database keeps from being heard is told again; what this version does not understand is not."""
        try:
            if hear := self._hearers.get(notice.topic):
                await hear(notice)
        except ModelError:
            raise
        except Exception:
            log.exception("a notice was not understood", extra={"topic": notice.topic, "subject": notice.subject})
