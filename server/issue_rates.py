"""How often tickets are issued to a player and to an address: the measure of what is unusual."""

from collections import Counter
from typing import Protocol

from models.ids import UserId

WINDOW_MS = 60_000
MOST_COUNTED = 200_000
"""Players and addresses counted in one minute; beyond that new ones pass as usual."""


class IssueRates(Protocol):
    """What adaptive proof of work has to know; a measure shared by all pods fits here too."""

    def note(self, user_id: UserId, address: str, now_ms: int) -> None:
        """Counts an issued ticket."""
        ...

    def is_unusual(self, user_id: UserId, address: str, now_ms: int) -> bool:
        """Whether this player or address has had more than is usual in the last minute."""
        ...


class PodIssueRates:
    """The rates of one pod over a sliding minute, interpolated from two fixed ones; `lifted` finds nothing unusual."""

    def __init__(self, *, per_user: int, per_address: int, lifted: bool) -> None:
        self._most = (per_user, per_address)
        self._lifted = lifted
        self._minute = 0
        self._now: Counter[tuple[int, str]] = Counter()
        self._before: Counter[tuple[int, str]] = Counter()

    def note(self, user_id: UserId, address: str, now_ms: int) -> None:
        """Counts an issued ticket."""
        self._turn(now_ms)
        for who in enumerate((user_id, address)):
            if who in self._now or len(self._now) < MOST_COUNTED:
                self._now[who] += 1

    def is_unusual(self, user_id: UserId, address: str, now_ms: int) -> bool:
        """Whether this player or address has had as many as is usual in the last minute."""
        if self._lifted:
            return False
        self._turn(now_ms)
        still = 1 - now_ms % WINDOW_MS / WINDOW_MS
        return any(
            self._now[who] + self._before[who] * still >= self._most[who[0]] for who in enumerate((user_id, address))
        )

    def _turn(self, now_ms: int) -> None:
        minute = now_ms // WINDOW_MS
        if minute != self._minute:
            self._before = self._now if minute == self._minute + 1 else Counter()
            self._now = Counter()
            self._minute = minute
