"""Hears what every pod must know: the control table, polled."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from actors.beat import until_beat
from actors.supervisor import Supervisor
from models import control, players
from models.control import Notice, Topic
from models.database import Database
from models.errors import ModelError
from models.ids import UserId

log = logging.getLogger("laurel.notices")

INTERVAL_SECONDS = 0.5
DEAF_SECONDS = 3.0
REMEMBERED = 100_000
"""Notices remembered as seen; more than an overlap of polls can hold."""

Hear = Callable[[Notice], Awaitable[None]]


class Notices:
    """Polls the control table with an overlap and tells each notice once; keeps the list of bans beside it.

    Failure policy: without a database nothing is heard; the next poll that succeeds makes up for it, since everything
    told of is read anew after an outage longer than the overlap (`on_gap`).
    """

    def __init__(
        self, database: Database, hearers: Mapping[Topic, Hear], on_gap: Callable[[], Awaitable[None]]
    ) -> None:
        self._database = database
        self._hearers = hearers
        self._on_gap = on_gap
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._last = 0.0
        self.banned: dict[UserId, int] = {}

    def start(self, supervisor: Supervisor) -> None:
        """Starts polling."""
        supervisor.keep("notices", self._work)

    @property
    def deaf(self) -> bool:
        """Whether the database has not answered for some polls."""
        return asyncio.get_running_loop().time() - self._last > DEAF_SECONDS

    async def _work(self) -> None:
        while True:
            try:
                await self.poll()
            except ModelError as error:
                log.debug("notices wait: %s", error)
            await asyncio.sleep(until_beat(INTERVAL_SECONDS))

    async def poll(self) -> None:
        """Hears what is new; raises DatabaseUnavailable."""
        now = asyncio.get_running_loop().time()
        if now - self._last > control.OVERLAP_SECONDS / 2:
            await self._on_gap()
        for notice in await control.poll(self._database):
            if notice.notice_id not in self._seen:
                self._seen[notice.notice_id] = None
                if hear := self._hearers.get(notice.topic):
                    await hear(notice)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        self.banned = await players.banned(self._database)
        self._last = asyncio.get_running_loop().time()
