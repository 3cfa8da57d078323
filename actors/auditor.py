"""Compares memory, Redis and PostgreSQL, a few players at a time, and mends what differs."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from actors.change import Change, Columns
from actors.clock import Clock
from actors.epochs import Epochs
from actors.keys import keys_of, pointer_of
from actors.mirror import Mirror
from actors.ordering import AWAY, Ordering
from actors.ranked import Ranked, ranked
from actors.rebuilder import Rebuilder
from actors.supervisor import Supervisor
from actors.users import Users
from models import marks
from models.board import Place
from models.boards import is_filled
from models.compared import Compared, compare, sample, seals
from models.database import Database
from models.errors import ModelError
from models.ids import UserId
from models.ranking import member_of, row_of
from models.settling import settle, settlement_of

log = logging.getLogger("laurel.auditor")

INTERVAL_SECONDS = 10.0
LEASE_SECONDS = 45.0
STORES = ("ledger", "standings", "redis", "memory")
"""Where divergence is looked for."""
BY_CHANCE = 16
"""Players of a pass found by chance; beside them those that are shown."""
SHOWN = 10
IN_MEMORY = 16
"""States of this pod compared in a pass."""
GRACE_MS = 30_000
"""Whoever did something since is left alone: the repair has not had its turn yet."""
REBUILD_REST_MS = 60_000
"""At most so often a place is built anew."""


class Auditor:
    """Compares players by chance and those shown: ledger, standings and Redis on one pod at a time, memory on each.

    What differs is counted in `diverged` by where it was found. Unless `mend` is off it is mended: standings and boards
    from the ledger, memory by forgetting. A row that the ledger contradicts is only counted and logged: no program
    should decide which is true. Redis or memory ahead of PostgreSQL mean that it lost commits or was restored behind
    the pods' backs: the board gets a new epoch.
    A pass over 36 players and five boards takes 25 ms of CPU, a quarter of a percent of a core.
    Failure policy: a pass that fails is done again.
    """

    def __init__(
        self,
        database: Database,
        ordering: Ordering,
        epochs: Epochs,
        clock: Clock,
        mirror: Mirror,
        rebuilder: Rebuilder,
        users: Users | None,
        pod: str,
        *,
        mend: bool = True,
    ) -> None:
        self._database = database
        self._ordering = ordering
        self._epochs = epochs
        self._clock = clock
        self._mirror = mirror
        self._rebuilder = rebuilder
        self._users = users
        self._pod = pod
        self._mend = mend
        self._rebuilt: dict[Place, int] = {}
        self.passes = 0
        self.compared: Counter[str] = Counter()
        self.diverged: Counter[str] = Counter()
        self.mended: Counter[str] = Counter()

    def start(self, supervisor: Supervisor) -> None:
        """Starts the passes."""
        supervisor.keep("auditor", self._work)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                await self.pass_once()
            except (ModelError, *AWAY) as error:
                log.debug("the auditor waits: %s", error)

    async def pass_once(self) -> None:
        """Looks at this pod's memory, and at everything else when it is this pod's turn; raises as `look_at_stores`."""
        await self.look_at_memory()
        if await marks.lease(self._database, "auditor", self._pod, LEASE_SECONDS):
            await self.look_at_stores()

    async def look_at_memory(self) -> None:
        """Compares states that this pod holds with the ledger; raises DatabaseUnavailable."""
        users = self._users
        held = {} if users is None else {one.user_id: (one.version, one.last_hash) for one in users.sample(IN_MEMORY)}
        if users is None or not held:
            return
        found = await seals(self._database, [(user_id, version) for user_id, (version, _) in held.items()])
        self.compared["memory"] += len(held)
        for user_id, (version, seal) in held.items():
            now, written = found.get(user_id, (0, None))
            if now < version or (written is not None and written != seal):
                self._found("memory", user_id, f"version {version} in memory is not in the ledger")
                self.mended["memory"] += users.forget(user_id)

    async def look_at_stores(self) -> None:
        """One pass over Redis, standings and ledger; raises DatabaseUnavailable and as `AWAY` says."""
        shown = [place for _, place in self._epochs.present(self._clock.now_ms())]
        # What is still being filled has standings of some players only.
        present = [place for place in shown if await is_filled(self._database, place[0])]
        users = dict.fromkeys(await sample(self._database, BY_CHANCE))
        epochs = {place: epoch.name for place in present if (epoch := self._epochs.get(place))}
        if self._ordering.away:
            epochs = {}
        for place, name in epochs.items():
            users |= dict.fromkeys(await self._shown(place, name))
        # Redis is read first: whatever it has is in a PostgreSQL read later.
        held = {place: await self._held(place, name, list(users)) for place, name in epochs.items()}
        found = await compare(self._database, list(users), self._epochs.boards, present)
        for one in found:
            await self._judge_derived(one)
        known = {one.user_id: one for one in found}
        for place, rows in held.items():
            await self._judge_place(place, epochs[place], rows, known)
        self.passes += 1

    async def _judge_derived(self, one: Compared) -> None:
        self.compared["ledger"] += 1
        self.compared["standings"] += one.fold is not None
        if one.broken:
            self._found("ledger", one.user_id, "the player's row is not what the entries say: run laurel audit verify")
        elif one.derived and one.fold is not None:
            self._found("standings", one.user_id, f"standings are not what entries up to {one.version} fold to")
            if self._mend:
                await settle(self._database, [settlement_of(one.fold)], correct=True)
                self.mended["standings"] += 1

    async def _judge_place(
        self, place: Place, epoch: str, rows: dict[UserId, Ranked], known: dict[UserId, Compared]
    ) -> None:
        """Sends again who is behind; builds anew what holds anything that PostgreSQL contradicts."""
        behind: list[Change] = []
        wrong: str | None = None
        for user_id, (version, member, score) in rows.items():
            one = known.get(user_id)
            if one is None or one.version < version:
                self.compared["redis"] += 1
                wrong = f"{user_id} has version {version} in Redis, {one.version if one else 0} in PostgreSQL"
                continue
            if one.fold is None or one.broken or one.last_at > self._clock.now_ms() - GRACE_MS:
                continue
            self.compared["redis"] += 1
            standing = one.fold.visible(place)
            should = ("", None) if standing is None else (member_of(user_id, standing.reached_at), standing.score)
            if (member, score) == should or (version < 0 and standing is None):
                continue
            if version < one.version:
                self._found("redis", user_id, f"behind on {place[0]}: version {version} of {one.version}")
                behind.append(Change.of(user_id, one.version, standing))
            else:
                wrong = f"{user_id} has {score} as {member!r} in Redis, {should[1]} as {should[0]!r} in the ledger"
        if behind and self._mend and await self._mirror.send({place: Columns.of(behind, self._clock.now_ms())}):
            self.mended["redis"] += len(behind)
        if wrong is not None:
            self._found("redis", wrong.partition(" ")[0], f"{place[0]}: {wrong}")
            if self._mend:
                await self._rebuild(place, epoch)

    async def _rebuild(self, place: Place, epoch: str) -> None:
        now = self._clock.now_ms()
        if now - self._rebuilt.get(place, 0) < REBUILD_REST_MS:
            return
        self._rebuilt = {former: at for former, at in self._rebuilt.items() if now - at < REBUILD_REST_MS} | {
            place: now
        }
        if await self._rebuilder.rebuild(place, epoch):
            self.mended["redis"] += 1

    def _found(self, where: str, user_id: str, text: str) -> None:
        self.diverged[where] += 1
        log.error("divergence in %s: %s", where, text, extra={"user": user_id})

    async def _shown(self, place: Place, epoch: str) -> list[UserId]:
        members = await self._ordering.redis.zrevrange(keys_of(place, epoch).rank, 0, SHOWN - 1)
        return [row_of(str(member), "0").user_id for member in members]

    async def _held(self, place: Place, epoch: str, users: Sequence[UserId]) -> dict[UserId, Ranked]:
        """What Redis has; empty when the epoch is over."""
        if await self._ordering.redis.get(pointer_of(place)) != epoch:
            return {}
        return await ranked(self._ordering.redis, keys_of(place, epoch), users)
