"""Looks whether Redis is there and its boards are whole."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from actors.beat import until_beat
from actors.clock import Clock
from actors.epochs import Epochs
from actors.keys import keys_of, pointer_of
from actors.mirror import Mirror
from actors.ordering import AWAY, Ordering, ScriptCall
from actors.rebuilder import Rebuilder
from actors.supervisor import Supervisor
from models.board import Place
from models.errors import ModelError
from models.ranking import Row, row_of

log = logging.getLogger("laurel.watch")

INTERVAL_SECONDS = 0.5
AFTER_TROUBLE_SECONDS = 0.5


class Watch:
    """Adopts epochs, has boards rebuilt that are missing or broken, and says when Redis is back.

    A restarted server (another run id), a missing pointer, a meta that does not fit its keys or a version behind the
    one already seen: none of these is taken for a board.
    """

    def __init__(self, ordering: Ordering, epochs: Epochs, clock: Clock, mirror: Mirror, rebuilder: Rebuilder) -> None:
        self._ordering = ordering
        self._epochs = epochs
        self._clock = clock
        self._mirror = mirror
        self._rebuilder = rebuilder
        self._asked = asyncio.Event()
        self._doubted: set[Place] = set()
        self.on_epoch: Callable[[Place, str, int, int, Sequence[Row]], Awaitable[None]] | None = None
        self.on_return: Callable[[], None] = lambda: None
        epochs.on_doubt = self._doubt

    def start(self, supervisor: Supervisor) -> None:
        """Starts looking."""
        supervisor.keep("watch", self._work)

    def _doubt(self, place: Place) -> None:
        self._doubted.add(place)
        self._asked.set()

    async def _work(self) -> None:
        while True:
            try:
                await self.look()
                pause = INTERVAL_SECONDS
            except AWAY as error:
                self._ordering.lost(error)
                pause = AFTER_TROUBLE_SECONDS
            except ModelError as error:
                log.warning("boards wait for the database: %s", error)
                pause = AFTER_TROUBLE_SECONDS
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(until_beat(seconds)):
                await self._asked.wait()
        except TimeoutError:
            return
        self._asked.clear()
        await asyncio.sleep(0.02)  # a doubt that comes again and again must not turn into a busy loop

    async def look(self) -> None:
        """One look at every present place; raises DatabaseUnavailable and as `AWAY` says."""
        run = await self._ordering.server_run_id()
        returned = self._ordering.found()
        await self._rebuilder.sweep()
        doubted, self._doubted = self._doubted, set()
        places = [place for _, place in self._epochs.present(self._clock.now_ms())]
        places += self._epochs.frozen
        places += [place for place in doubted if place not in places and self._epochs.board_of(place)]
        self._forget_all_but(places)
        if not places:
            return
        pointers = await self._ordering.redis.mget([pointer_of(place) for place in places])
        named = {place: str(pointer) for place, pointer in zip(places, pointers, strict=True) if pointer is not None}
        # Read before the look: what the mirror hears meanwhile may be younger than what the look finds.
        seen = {place: self._seen(place, pointer) for place, pointer in named.items()}
        found = dict(zip(named, await self._ordering.run([self._page(*one) for one in named.items()]), strict=True))
        for place in places:
            await self._judge(place, named.get(place), seen.get(place, 0), found.get(place, ["missing"]), run)
        if returned:
            self.on_return()

    def _forget_all_but(self, places: Sequence[Place]) -> None:
        for place in self._epochs.known():
            if place not in places:
                self._epochs.forget(place)

    def _seen(self, place: Place, pointer: str) -> int:
        known = self._epochs.get(place)
        return 0 if known is None or known.name != pointer else known.seen

    def _page(self, place: Place, pointer: str) -> ScriptCall:
        board = self._epochs.board_of(place)
        size = board.top_size if board else 10
        return "page", keys_of(place, pointer).reading(), [size, "", ""]

    async def _judge(self, place: Place, pointer: str | None, seen: int, found: Sequence[str], run: str) -> None:
        """Takes what was found for a board, or has it rebuilt."""
        if pointer is not None and found[0] == "ok":
            if found[1] != pointer:
                return  # switched meanwhile: the next look sees it
            if found[5] == run and int(found[2]) >= seen:
                known = self._epochs.get(place)
                if known is None or known.name != pointer:
                    await self._adopt(place, pointer, found)
                return
        self._epochs.forget(place)
        if await self._rebuilder.rebuild(place, pointer):
            self._asked.set()

    async def _adopt(self, place: Place, pointer: str, found: Sequence[str]) -> None:
        version = int(found[2])
        self._epochs.adopt(place, pointer, version)
        if self.on_epoch is not None:
            rows = [row_of(member, score) for member, score in zip(found[7::2], found[8::2], strict=True)]
            await self.on_epoch(place, pointer, version, int(found[3]), rows)
        self._mirror.wake()
