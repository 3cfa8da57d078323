"""Rate limits of users, addresses and accounts, over all pods."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from actors.asking import Asking
from actors.keys import LIMIT_KEY
from actors.ordering import Ordering
from actors.quota import Limit, Tally, Verdict

MAX_TALLIES = 50_000
"""Windows that a pod keeps in memory, 400 bytes each; the oldest leave first."""

_pack = msgspec.msgpack.Encoder().encode


class Limits(Asking[Tally]):
    """Counts in Redis, where counters expire with their window; without Redis each pod counts for itself.

    An emptied Redis begins all windows anew. With a pod that dies, the uses of its last 100 ms are forgotten.
    """

    name, script = "limits", "spend"

    def __init__(self, ordering: Ordering) -> None:
        super().__init__(ordering)
        self._tallies: dict[str, Tally] = {}

    async def spend(self, limit: Limit, who: str) -> Verdict:
        """Counts one use, if it is allowed."""
        key = f"{LIMIT_KEY}{limit.name}:{who}"
        now = self._clock()
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._open(key, limit, now)
        alone = self.alone
        allowed = tally.spend(now, alone=alone)
        if allowed is None:
            allowed = await self.ask(key, tally)
            now = self._clock()
        elif allowed and not alone:
            self.note(key, tally)
        return tally.verdict(allowed, now, alone=alone)

    def _open(self, key: str, limit: Limit, now: float) -> Tally:
        if len(self._tallies) >= MAX_TALLIES:
            self._tallies = {known: tally for known, tally in self._tallies.items() if not tally.is_over(now)}
            for oldest in list(islice(self._tallies, max(0, len(self._tallies) - MAX_TALLIES * 9 // 10))):
                del self._tallies[oldest]
        tally = self._tallies[key] = Tally(limit, now)
        return tally

    def _arguments(self, part: Sequence[tuple[str, Tally]], asked: Sequence[int]) -> list[str | int | bytes]:
        values: list[str | int] = []
        for (key, tally), uses in zip(part, asked, strict=True):
            limit = tally.limit
            values += key, limit.quota, limit.window_seconds * 1000, tally.tell(), uses
        return [_pack(values)]

    def _hear(self, part: Sequence[tuple[str, Tally]], asked: Sequence[int], answers: Sequence[int]) -> Sequence[int]:
        del asked
        now = self._clock()
        granted = answers[::3]
        for (_, tally), grants, used, left_ms in zip(part, granted, answers[1::3], answers[2::3], strict=True):
            tally.heard(grants, used, left_ms / 1000, now)
        return granted

    def _decide(self, part: Sequence[tuple[str, Tally]], asked: Sequence[int]) -> Sequence[int]:
        now = self._clock()
        granted = []
        for (_, tally), uses in zip(part, asked, strict=True):
            tally.unheard()
            granted.append(sum(bool(tally.spend(now, alone=True)) for _ in range(uses)))
        return granted
