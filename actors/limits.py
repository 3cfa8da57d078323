"""Rate limits of users, addresses and accounts, over all pods."""

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec

from actors.asking import Asking, Question
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

    def _arguments(self, part: Mapping[str, Question[Tally]]) -> list[str | int | bytes]:
        values: list[str | int] = []
        for key, question in part.items():
            limit = question.about.limit
            values += key, limit.quota, limit.window_seconds * 1000, question.about.tell(), len(question.waiting)
        return [_pack(values)]

    def _hear(self, part: Mapping[str, Question[Tally]], answers: Sequence[int]) -> None:
        now = self._clock()
        for number, question in enumerate(part.values()):
            granted, used, left_ms = answers[3 * number : 3 * number + 3]
            question.about.heard(granted, used, left_ms / 1000, now)
            question.grant(granted)

    def _decide(self, part: Mapping[str, Question[Tally]]) -> None:
        now = self._clock()
        for question in part.values():
            question.about.unheard()
            question.grant(sum(bool(question.about.spend(now, alone=True)) for _ in question.waiting))
