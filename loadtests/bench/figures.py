"""What a row of the table says, and whether that is enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Sense = Literal["at least", "at most", "stated"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity, a value a round.

    `bound` must be met and `wanted` should be; None states the value alone.
    """

    what: str
    values: tuple[float, ...]
    unit: str = ""
    sense: Sense = "stated"
    bound: float | None = None
    wanted: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """The middle of the rounds, which one noisy round does not move."""
        return median(self.values)

    @property
    def verdict(self) -> str:
        """`wanted`, `met`, `missed`, or nothing for a stated value."""
        if self.bound is None:
            return ""
        if self.wanted is not None and _holds(self.sense, self.median, self.wanted):
            return "wanted"
        return "met" if _holds(self.sense, self.median, self.bound) else "missed"


def _holds(sense: Sense, value: float, limit: float) -> bool:
    return value >= limit if sense == "at least" else value <= limit


def ratios(over: Sequence[float], under: Sequence[float]) -> tuple[float, ...]:
    """Quotients of the same round, so that a slow machine slows both sides."""
    return tuple(a / b for a, b in zip(over, under, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share (0 to 1) does not exceed; raises ValueError when empty."""
    if not values:
        raise ValueError("a percentile of nothing")
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1_000_000) * len(ordered) // 1_000_000) - 1)]


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """The same names, another one first each round: who comes later finds a warmer machine."""
    start = turn % len(names)
    return [*names[start:], *names[:start]]
