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
        self._shown: set[Place] = set()
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
            except AWAY as error:
                self._ordering.lost(error)
            except ModelError as error:
                log.warning("boards wait for the database: %s", error)
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(until_beat(INTERVAL_SECONDS)):
                await self._asked.wait()
        except TimeoutError:
            return
        self._asked.clear()
        await asyncio.sleep(0.02)  # a doubt that comes again and again must not turn into a busy loop

    async def look(self) -> None:
        """One look at every present place; raises DatabaseUnavailable and as `AWAY` says.

        Boards are asked for in the epochs they were in: one round trip, unless some are in another one by now.
        """
        doubted = set(self._doubted)
        places = [place for _, place in self._epochs.present(self._clock.now_ms())]
        places += self._epochs.frozen
        self._shown = set(places)
        places += [place for place in doubted if place not in places and self._epochs.board_of(place)]
        self._forget_all_but(places)
        # Read before the look: what the mirror hears meanwhile may be younger than what the look finds.
        known = {place: (epoch.name, epoch.seen) for place, epoch in self._epochs.known().items()}
        pages = [self._page(place, name) for place, (name, _) in known.items()]
        survey = await self._ordering.survey([pointer_of(place) for place in places], pages)
        self._doubted -= doubted
        returned = self._ordering.found()
        await self._rebuilder.sweep()
        pointers = dict(zip(places, survey.values, strict=True))
        found = dict(zip(known, survey.answers, strict=True))
        moved = {
            place: name
            for place, name in pointers.items()
            if name is not None and (place not in known or known[place][0] != name)
        }
        if moved:
            found |= zip(moved, await self._ordering.run([self._page(*one) for one in moved.items()]), strict=True)
        for place, pointer in pointers.items():
            seen = known[place][1] if place in known and place not in moved else 0
            await self._judge(place, pointer, seen, found.get(place, ["missing"]), survey.run)
        if returned and places:
            self.on_return()

    def _forget_all_but(self, places: Sequence[Place]) -> None:
        for place in self._epochs.known():
            if place not in places:
                self._epochs.forget(place)

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
        # A period that is over is adopted for what comes to it late; its board shows the present one.
        if self.on_epoch is not None and place in self._shown:
            rows = [row_of(member, score) for member, score in zip(found[7::2], found[8::2], strict=True)]
            await self.on_epoch(place, pointer, version, int(found[3]), rows)
        self._mirror.wake()
