"""Live connections of users and addresses, counted over all pods."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Sequence

import msgspec

from actors.asking import Asking
from actors.keys import SEATS_KEY
from actors.ordering import Ordering
from actors.supervisor import Supervisor

LEASE_SECONDS = 15
"""How long the connections of a dead pod still count."""
RENEW_SECONDS = 5

_pack = msgspec.msgpack.Encoder().encode


class Seats(Asking[int]):
    """Each pod's count is a field with a lease in Redis; without Redis each pod counts for itself.

    Counts are told whole and again and again, so an emptied Redis knows them soon.
    """

    name, script = "seats", "seats"

    def __init__(self, ordering: Ordering, pod: str) -> None:
        super().__init__(ordering)
        self._pod = (
            f"{pod}:{secrets.token_hex(4)}"  # another one after every start: what an earlier process had is gone
        )
        self._counts: Counter[str] = Counter()
        self._before: list[int] = []  # for each key of the call under way: connections that are not new

    def start(self, supervisor: Supervisor) -> None:
        """Starts asking, and renewing."""
        super().start(supervisor)
        supervisor.keep("seats-renewed", self._renew)

    async def take(self, who: str, most: int) -> bool:
        """Counts one more of somebody, if they have less than `most` on all pods."""
        if self._counts[who] >= most:
            return False
        self._counts[who] += 1
        taken = False
        try:
            taken = self.alone or await self.ask(SEATS_KEY + who, most)
        finally:
            if not taken:
                self.give_back(who)
        return taken

    def give_back(self, who: str) -> None:
        """Counts one less."""
        self._counts[who] -= 1
        if self._counts[who] <= 0:
            del self._counts[who]
        self.note(SEATS_KEY + who, 0)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for who in self._counts:
                self.note(SEATS_KEY + who, 0)

    def _arguments(self, part: Sequence[tuple[str, int]], asked: Sequence[int]) -> list[str | int | bytes]:
        values: list[str | int] = []
        self._before = []
        for (key, most), new in zip(part, asked, strict=True):
            count = self._counts[key.removeprefix(SEATS_KEY)]
            self._before.append(count - new)
            values += key, count, new, most
        return [self._pod, LEASE_SECONDS * 1000, _pack(values)]

    def _hear(self, part: Sequence[tuple[str, int]], asked: Sequence[int], answers: Sequence[int]) -> Sequence[int]:
        del part, asked
        return [kept - before for before, kept in zip(self._before, answers, strict=True)]

    def _decide(self, part: Sequence[tuple[str, int]], asked: Sequence[int]) -> Sequence[int]:
        del part
        return asked
