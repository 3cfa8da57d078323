"""Questions to Redis, gathered while the last ones are answered."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Generic, TypeAlias, TypeVar

from actors.ordering import AWAY, Ordering
from actors.supervisor import Supervisor

log = logging.getLogger("laurel.asking")

GATHER_SECONDS = 0.1
"""How long what nobody waits for may wait for more of its kind."""
GAP_SECONDS = 0.01
"""Between calls: on a busy pod those who wait share one, elsewhere nobody waits for this."""
PATIENCE_SECONDS = 0.5
"""An answer later than this is none: no request waits for it."""
ALONE_SECONDS = 1.0
"""After Redis has not answered nobody asks it for so long."""
LARGEST_CALL = 500
"""Keys in one script call: a millisecond of Redis."""

T = TypeVar("T")
Waiting: TypeAlias = dict[str, list[asyncio.Future[bool]]]
"""Who waits to hear whether one more use of a key is allowed."""


class Asking(ABC, Generic[T]):
    """Tells Redis what has changed under some keys, and asks it for one more use of others.

    One script call is under way at a time, so Redis hears everything in order. Failure policy: what Redis does not
    answer in time the pod decides alone. Nobody waits longer than twice `PATIENCE_SECONDS`, and nobody at all while
    Redis is known to be away.
    """

    name: str
    script: str

    def __init__(self, ordering: Ordering) -> None:
        self._ordering = ordering
        self._pending: dict[str, T] = {}
        self._waiting: Waiting = {}
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._alone_until = 0.0
        self._called_at = 0.0
        self._works = False

    def start(self, supervisor: Supervisor) -> None:
        """Starts asking."""
        self._clock = asyncio.get_running_loop().time
        supervisor.keep(self.name, self._work)

    @property
    def alone(self) -> bool:
        """Whether this pod decides by itself."""
        return not self._works or self._ordering.away or self._clock() < self._alone_until

    def note(self, key: str, about: T) -> None:
        """Has a key told soon."""
        if key not in self._pending:
            self._pending[key] = about
            self._wake.set()

    async def ask(self, key: str, about: T) -> bool:
        """Whether one more use of a key is allowed."""
        self._pending[key] = about
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(answer)
        self._wake.set()
        self._urgent.set()
        return await answer

    async def _work(self) -> None:
        self._works = True
        try:
            while True:
                await self._wake.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(GATHER_SECONDS):
                        await self._urgent.wait()
                await asyncio.sleep(self._called_at + GAP_SECONDS - self._clock())
                self._called_at = self._clock()
                self._wake.clear()
                self._urgent.clear()
                await self._settle(*self._take())
        finally:
            self._works = False
            self._settle_alone(*self._take())

    def _take(self) -> tuple[list[tuple[str, T]], Waiting]:
        pending, waiting = list(self._pending.items()), self._waiting
        self._pending, self._waiting = {}, {}
        return pending, waiting

    async def _settle(self, pending: Sequence[tuple[str, T]], waiting: Waiting) -> None:
        for start in range(0, len(pending), LARGEST_CALL):
            part = pending[start : start + LARGEST_CALL]
            if self.alone:
                self._settle_alone(part, waiting)
                continue
            asked = _asked(part, waiting)
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    (answers,) = await self._ordering.run([(self.script, (), self._arguments(part, asked))])
                _grant(part, self._hear(part, asked, answers), waiting)
            except AWAY as error:
                self._alone_until = self._clock() + ALONE_SECONDS
                log.warning("%s are this pod's alone: %s", self.name, error or type(error).__name__)
                self._settle_alone(part, waiting)
            except BaseException:
                self._settle_alone(pending[start:], waiting)
                raise

    def _settle_alone(self, part: Sequence[tuple[str, T]], waiting: Waiting) -> None:
        _grant(part, self._decide(part, _asked(part, waiting)), waiting)

    @abstractmethod
    def _arguments(self, part: Sequence[tuple[str, T]], asked: Sequence[int]) -> list[str | int | bytes]:
        """What the script is to know of some keys, of each of which so many uses are asked for."""

    @abstractmethod
    def _hear(self, part: Sequence[tuple[str, T]], asked: Sequence[int], answers: Sequence[int]) -> Sequence[int]:
        """Takes the script's answer; how many uses of each key are allowed."""

    @abstractmethod
    def _decide(self, part: Sequence[tuple[str, T]], asked: Sequence[int]) -> Sequence[int]:
        """Decides without Redis; how many uses of each key are allowed."""


def _asked(part: Sequence[tuple[str, object]], waiting: Waiting) -> list[int]:
    if not waiting:
        return [0] * len(part)
    return [sum(not answer.done() for answer in waiting.get(key, ())) for key, _ in part]


def _grant(part: Sequence[tuple[str, object]], granted: Sequence[int], waiting: Waiting) -> None:
    """Says yes to the first so many of those who still wait for a key, no to the others."""
    if not waiting:
        return
    for (key, _), count in zip(part, granted, strict=True):
        for answer in waiting.pop(key, ()):
            if not answer.done():
                answer.set_result(count > 0)
                count -= 1  # noqa: PLW2901
