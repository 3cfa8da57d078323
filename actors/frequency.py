"""How often somebody did something in the last minute: pure, the time is passed in.

The minute slides: it is interpolated from this fixed one and the one before.
"""

MINUTE_MS = 60_000


class Frequency:
    """What one pod knows of somebody's uses over all pods; without Redis, of its own.

    What a pod has not told when a minute ends the others never hear of: the uses of its last 100 ms.
    """

    __slots__ = ("_before", "_now", "_telling", "_untold", "minute")

    def __init__(self, now_ms: int) -> None:
        self.minute = now_ms // MINUTE_MS
        self._before = 0
        self._forget()

    def _forget(self) -> None:
        self._now = 0  # over all pods, when last heard of
        self._untold = 0
        self._telling = 0

    def turn(self, now_ms: int) -> None:
        """Begins another minute if it is time to; a clock set back by a little changes nothing."""
        minute = now_ms // MINUTE_MS
        if minute > self.minute:
            self._before = self._uses if minute == self.minute + 1 else 0
            self.minute = minute
            self._forget()

    @property
    def _uses(self) -> int:
        return self._now + self._untold + self._telling

    def add(self, uses: int) -> None:
        """Counts uses, or takes back what never came to be."""
        self._untold += uses

    def tell(self) -> int:
        """The uses that Redis is now told of."""
        told, self._untold = self._untold, 0
        self._telling += told
        return told

    def heard(self, minute: int, now: int, before: int) -> None:
        """Takes Redis' answer, unless another minute has begun since it was asked."""
        if minute == self.minute:
            self._now, self._before, self._telling = now, before, 0

    def unheard(self) -> None:
        """Redis did not answer: what it was told will be told again."""
        self._untold += self._telling
        self._telling = 0

    def rate(self, now_ms: int) -> float:
        """Uses in the last minute."""
        return self._uses + self._before * (1 - now_ms % MINUTE_MS / MINUTE_MS)

    def is_over(self, now_ms: int) -> bool:
        """Whether nothing of it counts any more."""
        return now_ms // MINUTE_MS > self.minute + 1
