"""Sends again what a pod that died, or a Redis that was away, left out."""

import asyncio
import logging
from collections.abc import Container, Sequence

from actors.behind import behind
from actors.change import LARGEST_CALL, Change, Columns
from actors.clock import Clock
from actors.epochs import Epochs
from actors.keys import MIRROR_MARK, keys_of, pointer_of
from actors.loader import Loader
from actors.mirror import Mirror
from actors.ordering import AWAY, Ordering
from actors.rebuilder import SAFETY_MS, SETTLED_MARK
from actors.settler import Settler
from actors.supervisor import Supervisor
from models import marks, standings
from models.board import Place
from models.database import Database
from models.errors import ModelError
from models.ids import UserId
from models.settling import settlement_of
from models.snapshot import Question
from models.standings import Young
from models.state import PlayerState

log = logging.getLogger("laurel.repair")

INTERVAL_SECONDS = 5.0
LEASE_SECONDS = 30.0
GRACE_MS = 3_000
"""What is younger than this is left to the pod that mirrors it."""
SETTLE_GRACE_MS = 12_000
"""What is younger than this is left to the pod that settles it, which rests for seconds when there is much."""
STRETCH_MS = 3_600_000
"""How much of a long outage of Redis is looked through at once, because a question takes seconds where there were
millions; and how far to look back when Redis has lost the mark but not the boards."""


class Repair:
    """One pod at a time looks through entries since two high-water marks: one of the standings, one of Redis.

    A mark stays 20 s behind and advances only when a pass is done, so an outage of any length is caught up.
    Failure policy: a pass that fails is done again.
    """

    def __init__(
        self,
        database: Database,
        ordering: Ordering,
        epochs: Epochs,
        clock: Clock,
        loader: Loader,
        mirror: Mirror,
        settler: Settler,
        pod: str,
    ) -> None:
        self._database = database
        self._ordering = ordering
        self._epochs = epochs
        self._clock = clock
        self._loader = loader
        self._mirror = mirror
        self._settler = settler
        self._pod = pod
        self._now = asyncio.Event()
        self.settled_again = 0
        self.mirrored_again = 0
        self.found_behind = 0

    def start(self, supervisor: Supervisor) -> None:
        """Starts the passes."""
        supervisor.keep("repair", self._work)

    def hurry(self) -> None:
        """Makes the next pass come now, as when Redis is back."""
        self._now.set()

    @property
    def is_hurried(self) -> bool:
        """Whether the next pass comes now."""
        return self._now.is_set()

    async def _work(self) -> None:
        while True:
            try:
                if await marks.lease(self._database, "repair", self._pod, LEASE_SECONDS):
                    await self.pass_once()
            except (ModelError, *AWAY) as error:
                log.warning("repair waits: %s", error)
            try:
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await self._now.wait()
            except TimeoutError:
                continue
            self._now.clear()

    async def pass_once(self) -> int:
        """One pass over both marks; how many players had to be sent again."""
        if not self._epochs.boards:
            return 0  # not read yet: a mark would vouch for boards that nobody looked at
        began = self._clock.now_ms()
        settled_since = await marks.read(self._database, SETTLED_MARK)
        ends = (settled_since, began - GRACE_MS, began - SETTLE_GRACE_MS)
        young = await standings.young(self._database, *ends, self._epochs.boards)
        lagging = [one.user_id for one in young if one.settled < one.owed]
        for start in range(0, len(lagging), LARGEST_CALL):
            states = await self._read(lagging[start : start + LARGEST_CALL])
            await self._settler.write([settlement_of(state) for state in states])
        await marks.advance(self._database, SETTLED_MARK, began - SAFETY_MS)
        mirrored = 0 if self._ordering.away else await self._mirror_since(settled_since, young, began)
        self.settled_again += len(lagging)
        self.mirrored_again += mirrored
        self.found_behind = mirrored
        return len(lagging) + mirrored

    async def _mirror_since(self, settled_since: int, young: Sequence[Young], began: int) -> int:
        held = await self._ordering.redis.get(MIRROR_MARK)
        since = int(held) if held is not None else began - STRETCH_MS
        until = min(began, since + STRETCH_MS)
        if since < settled_since:
            young = await standings.young(self._database, since, until - GRACE_MS)
        count, known = 0, self._epochs.known()
        complete = not await self._unadopted(known)
        for place, epoch in known.items():
            board = self._epochs.board_of(place)
            if board is None or place in self._epochs.frozen:
                continue
            keys = keys_of(place, epoch.name)
            late = await behind(self._database, self._ordering.redis, board, place, keys, young)
            for start in range(0, len(late), LARGEST_CALL):
                states = await self._read(late[start : start + LARGEST_CALL])
                changes = [Change.of(s.user_id, s.version, s.visible(place)) for s in states if place in s.standings]
                count += len(changes)
                complete = await self._mirror.send({place: Columns.of(changes, began)}) and complete
        if complete and known.keys() <= self._epochs.known().keys():
            await self._ordering.redis.set(MIRROR_MARK, until - SAFETY_MS)
            if until < began:
                self.hurry()
        return count

    async def _unadopted(self, known: Container[Place]) -> bool:
        """Whether Redis has a board that this pod has not adopted yet; one that it lacks is rebuilt from everything."""
        places = [place for _, place in self._epochs.present(self._clock.now_ms()) if place not in known]
        pointers = await self._ordering.redis.mget([pointer_of(place) for place in places]) if places else ()
        return any(pointer is not None for pointer in pointers)

    async def _read(self, user_ids: Sequence[UserId]) -> list[PlayerState]:
        found = await self._loader.read([Question(user_id) for user_id in user_ids])
        return [one.state for one in found if one.state is not None]
