"""Fills a board in Redis from PostgreSQL, under a new epoch."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable

from redis.asyncio.lock import Lock
from redis.exceptions import LockError
from redis.typing import EncodableT, FieldT

from actors.change import LARGEST_CALL, TOP, Change, Columns, apply_call
from actors.clock import Clock
from actors.epochs import Epochs
from actors.keys import MIRROR_MARK, TTL_MS, keys_of, lock_of, new_epoch, pointer_of
from actors.loader import Loader
from actors.loading import Loading
from actors.ordering import Ordering
from models import boards, marks, standings
from models.board import Place
from models.database import Database
from models.ids import UserId
from models.snapshot import Question

log = logging.getLogger("laurel.rebuilder")

LOCK_SECONDS = 15.0
OLD_EPOCH_SECONDS = 60.0
"""How long a former epoch's keys stay for pods that still read them."""
ABANDONED_MS = 600_000
"""When they expire if whoever would have removed them is gone; that may hold up Redis for as long as it frees them."""
SETTLED_MARK = "standings"
"""All entries stamped before this mark are in the standings."""
SAFETY_MS = 20_000
"""Longer than a stamp may be old and its statement run: what is stamped before that is in the ledger, or never."""


class Rebuilder:
    """Builds a place anew: standings, then what is younger, then the switch, then what came meanwhile.

    Version guards make all of it idempotent, so two rebuilders are harmless; a lock spares the work.
    """

    def __init__(self, database: Database, ordering: Ordering, epochs: Epochs, clock: Clock, loader: Loader) -> None:
        self._database = database
        self._ordering = ordering
        self._epochs = epochs
        self._clock = clock
        self._loader = loader
        self._time = asyncio.get_running_loop().time
        self._former: list[tuple[float, list[str]]] = []
        self.rebuilt = 0

    async def rebuild(self, place: Place, former: str | None) -> str | None:
        """The new epoch of a place; None when another pod is at it or has done it since `former`, or it is not filled.

        Raises DatabaseUnavailable, and what `ordering.AWAY` says.
        """
        if not await boards.is_filled(self._database, place[0]):
            return None
        lock = self._ordering.redis.lock(lock_of(place), timeout=LOCK_SECONDS, blocking=False)
        if not await lock.acquire():
            return None
        try:
            if await self._ordering.redis.get(pointer_of(place)) != former:
                return None
            return await self._fill(place, former, lock)
        finally:
            await _release(lock)

    async def sweep(self) -> None:
        """Removes what former epochs left, when nobody reads it any more; raises as `ordering.AWAY` says."""
        while self._former and self._former[0][0] <= self._time():
            await self._ordering.redis.unlink(*self._former[0][1])
            del self._former[0]

    async def _fill(self, place: Place, former: str | None, lock: Lock) -> str:
        epoch = new_epoch(self._clock.now_ms())
        keys = keys_of(place, epoch)
        run = await self._ordering.server_run_id()
        meta: dict[FieldT, EncodableT] = {
            "version": 0,
            "top": "",
            "at": self._clock.now_ms(),
            "players": 0,
            "known": 0,
            "run": run,
        }
        pipeline = self._ordering.redis.pipeline(transaction=True)
        pipeline.hset(keys.meta, mapping=meta)
        pipeline.pexpire(keys.meta, TTL_MS)
        await pipeline.execute()
        since = await marks.read(self._database, SETTLED_MARK)
        loading = Loading(self._ordering, self._clock, lock, place, epoch, self._size(place))
        await standings.everybody(self._database, *place, loading.take)
        await loading.finish()
        began = self._clock.now_ms()
        if place not in self._epochs.frozen:
            await self._catch_up(place, epoch, since, lock, filling=True)
        pipeline = self._ordering.redis.pipeline(transaction=True)
        pipeline.set(keys.pointer, epoch, px=TTL_MS)
        pipeline.set(MIRROR_MARK, began - SAFETY_MS, nx=True)
        if former is not None:
            for key in keys_of(place, former).all()[1:]:
                pipeline.pexpire(key, ABANDONED_MS)
            self._former.append((self._time() + OLD_EPOCH_SECONDS, keys_of(place, former).all()[1:]))
        await pipeline.execute()
        if place not in self._epochs.frozen:
            await self._catch_up(place, epoch, began - SAFETY_MS, lock, filling=False)
        self.rebuilt += 1
        log.info("board rebuilt", extra={"board": place[0], "period": place[1], "epoch": epoch})
        return epoch

    async def _catch_up(self, place: Place, epoch: str, since_ms: int, lock: Lock, *, filling: bool) -> None:
        """Brings everybody with entries since a time; numbered, unless nobody reads the epoch yet."""
        young = await standings.young(self._database, since_ms, self._clock.now_ms() + SAFETY_MS)
        async for changes in self.changes_of([one.user_id for one in young], place):
            await self._apply(place, epoch, changes, filling=filling)
            await lock.reacquire()

    async def changes_of(self, user_ids: Iterable[UserId], place: Place) -> AsyncIterator[list[Change]]:
        """The absolute standings of players at a place, read from PostgreSQL, in pages."""
        ids = list(user_ids)
        for start in range(0, len(ids), LARGEST_CALL):
            questions = [Question(user_id) for user_id in ids[start : start + LARGEST_CALL]]
            states = [found.state for found in await self._loader.read(questions)]
            yield [
                Change.of(state.user_id, state.version, state.visible(place))
                for state in states
                if state is not None and place in state.standings
            ]

    def _size(self, place: Place) -> int:
        board = self._epochs.board_of(place)
        return board.top_size if board else TOP

    async def _apply(self, place: Place, epoch: str, changes: list[Change], *, filling: bool) -> None:
        size, now = self._size(place), self._clock.now_ms()
        pages = [changes[start : start + LARGEST_CALL] for start in range(0, len(changes), LARGEST_CALL)]
        calls = [apply_call(place, epoch, 0, size, now, Columns.of(page, now), filling=filling) for page in pages]
        if any(answer[0] == "broken" for answer in await self._ordering.run(calls)):
            raise ConnectionError("Redis lost a board while it was rebuilt")


async def _release(lock: Lock) -> None:
    try:
        await lock.release()
    except LockError:
        log.warning("a rebuild took longer than its lock")
