"""Questions to Redis, gathered while the last ones are answered."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

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


@dataclass(slots=True)
class Question(Generic[T]):
    """What a key is about, and who waits to hear whether one more use of it is allowed."""

    about: T
    waiting: list[asyncio.Future[bool]] = field(default_factory=list)

    def grant(self, count: int) -> None:
        """Says yes to the first so many of those who still wait, no to the others."""
        for answer in self.waiting:
            if not answer.done():
                answer.set_result(count > 0)
                count -= 1


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
        self._pending: dict[str, Question[T]] = {}
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
            self._pending[key] = Question(about)
            self._wake.set()

    async def ask(self, key: str, about: T) -> bool:
        """Whether one more use of a key is allowed."""
        question = self._pending.get(key)
        if question is None:
            question = self._pending[key] = Question(about)
        question.about = about
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        question.waiting.append(answer)
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
                pending, self._pending = self._pending, {}
                await self._settle(pending)
        finally:
            self._works = False
            pending, self._pending = self._pending, {}
            self._decide(pending)

    async def _settle(self, pending: dict[str, Question[T]]) -> None:
        while pending:
            part = dict(islice(pending.items(), LARGEST_CALL))
            for key in part:
                del pending[key]
            if self.alone:
                self._decide(part)
                continue
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    (answers,) = await self._ordering.run([(self.script, (), self._arguments(part))])
                self._hear(part, answers)
            except AWAY as error:
                self._alone_until = self._clock() + ALONE_SECONDS
                log.warning("%s are this pod's alone: %s", self.name, error or type(error).__name__)
                self._decide(part)
            except BaseException:
                self._decide(part | pending)
                raise

    @abstractmethod
    def _arguments(self, part: Mapping[str, Question[T]]) -> list[str | int | bytes]:
        """What the script is to know of some keys."""

    @abstractmethod
    def _hear(self, part: Mapping[str, Question[T]], answers: Sequence[int]) -> None:
        """Takes the script's answer, and answers those who wait."""

    @abstractmethod
    def _decide(self, part: Mapping[str, Question[T]]) -> None:
        """Answers those who wait, without Redis."""
