"""How often users and addresses do something, over all pods."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from actors.asking import Asking
from actors.frequency import Frequency
from actors.keys import FREQUENCY_KEY
from actors.ordering import Ordering

MAX_KNOWN = 50_000
"""Users and addresses that a pod keeps in memory; the oldest leave first."""

_pack = msgspec.msgpack.Encoder().encode


class Frequencies(Asking[Frequency]):
    """A counter in Redis for each minute; without Redis each pod counts for itself."""

    name, script = "frequencies", "frequency"

    def __init__(self, ordering: Ordering) -> None:
        super().__init__(ordering)
        self._known: dict[str, Frequency] = {}
        self._minutes: list[int] = []  # for each key of the call under way: the minute it is about

    def count(self, who: str, now_ms: int, uses: int = 1) -> None:
        """Counts uses; a negative number takes back what never came to be."""
        found = self._of(who, now_ms)
        found.add(uses)
        if not self.alone:
            self.note(FREQUENCY_KEY + who, found)

    async def rates(self, many: Sequence[str], now_ms: int) -> list[float]:
        """Each one's uses in the last minute, in one question to Redis."""
        found = [self._of(who, now_ms) for who in many]
        if not self.alone:
            for who, frequency in zip(many, found, strict=True):
                self.note(FREQUENCY_KEY + who, frequency)
            # Told in order and in one call, so when the last is answered all are.
            await self.ask(FREQUENCY_KEY + many[-1], found[-1])
        return [frequency.rate(now_ms) for frequency in found]

    def _of(self, who: str, now_ms: int) -> Frequency:
        found = self._known.get(who)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                self._make_room(now_ms)
            found = self._known[who] = Frequency(now_ms)
        else:
            found.turn(now_ms)
        return found

    def _make_room(self, now_ms: int) -> None:
        self._known = {who: known for who, known in self._known.items() if not known.is_over(now_ms)}
        for oldest in list(islice(self._known, max(0, len(self._known) - MAX_KNOWN * 9 // 10))):
            del self._known[oldest]

    def _arguments(self, part: Sequence[tuple[str, Frequency]], asked: Sequence[int]) -> list[str | int | bytes]:
        del asked
        values: list[str | int] = []
        self._minutes = []
        for key, frequency in part:
            self._minutes.append(frequency.minute)
            values += key, frequency.minute, frequency.tell()
        return [_pack(values)]

    def _hear(
        self, part: Sequence[tuple[str, Frequency]], asked: Sequence[int], answers: Sequence[int]
    ) -> Sequence[int]:
        for (_, frequency), minute, found in zip(
            part, self._minutes, zip(answers[::2], answers[1::2], strict=True), strict=True
        ):
            frequency.heard(minute, *found)
        return asked

    def _decide(self, part: Sequence[tuple[str, Frequency]], asked: Sequence[int]) -> Sequence[int]:
        for _, frequency in part:
            frequency.unheard()
        return asked
