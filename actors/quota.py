"""How often somebody may do something: pure, the time is passed in.

A window is fixed and begins with the first use. Redis counts it over all pods; a pod spends first and tells then, as
long as that is a small share of what was left when it last heard. Near the limit it asks first, for every use.
"""

from dataclasses import dataclass

import msgspec

UNASKED = 60
"""One use in so many of what is left may be spent before it is told: 3 pods overshoot by 2 of 60 at most, 3.3 %."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many uses in a window, for each user, address or account."""

    name: str
    quota: int
    window_seconds: int


class Verdict(msgspec.Struct, frozen=True):
    """Whether a use is within its limit, what is left then, and in how many seconds the window ends."""

    limit: Limit
    allowed: bool
    left: int
    seconds: float


class Tally:
    """What one pod knows of one user's or address' window."""

    __slots__ = ("_ends", "_left", "_limit", "_telling", "_untold", "_used")

    def __init__(self, limit: Limit, now: float) -> None:
        self._limit = limit
        self._telling = 0
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._used = 0  # on this pod
        self._untold = 0  # of these, what Redis has not been sent
        self._left = self._limit.quota  # over all pods, when last heard of
        self._ends = now + self._limit.window_seconds

    @property
    def limit(self) -> Limit:
        """The limit it belongs to."""
        return self._limit

    def is_over(self, now: float) -> bool:
        """Whether the window has ended, so that nothing is lost with this tally."""
        return now >= self._ends

    def spend(self, now: float, *, alone: bool) -> bool | None:
        """Counts a use if it is allowed; None means that Redis has to be asked. `alone` is without Redis."""
        if now >= self._ends:
            self._begin(now)
        if self._left <= 0 or (alone and self._used >= self._limit.quota):
            return False
        if not alone and self._untold + self._telling >= self._left // UNASKED:
            return None
        self._used += 1
        self._untold += 1
        return True

    def tell(self) -> int:
        """The uses that Redis is now told of."""
        told, self._untold = self._untold, 0
        self._telling += told
        return told

    def heard(self, granted: int, used: int, seconds: float, now: float) -> None:
        """Takes Redis' answer: uses granted of those asked for, uses over all pods, seconds to the window's end."""
        self._telling = 0
        self._used += granted
        self._left = max(0, self._limit.quota - used)
        self._ends = now + seconds

    def unheard(self) -> None:
        """Redis did not answer: what it was told will be told again."""
        self._untold += self._telling
        self._telling = 0

    def verdict(self, allowed: bool, now: float, *, alone: bool) -> Verdict:
        """The verdict on a use that was counted or refused."""
        left, seconds = 0, self._ends - now
        if allowed:
            left = self._limit.quota - self._used if alone else self._left - self._untold - self._telling
        return Verdict(self._limit, allowed, left if left > 0 else 0, seconds if seconds > 0 else 0.0)
