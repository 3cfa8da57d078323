"""How a run went by the second: what its own metrics were when; pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.bench.figures import percentile
from loadtests.load.told import Told
from loadtests.load.verdict import Stores, sights

MOST_POINTS = 120


@dataclass(frozen=True, slots=True)
class Instant:
    """One point of the charts: seconds since the start, events a second, ms."""

    at: float
    redeemed: float
    replayed: float
    lag_p50: float
    lag_p95: float


def course(told: Told, stores: Stores, seconds: float) -> Sequence[Instant]:
    """The run in equal steps; nothing happened is nought."""
    step = max(1.0, seconds / MOST_POINTS)
    new: defaultdict[int, int] = defaultdict(int)
    again: defaultdict[int, int] = defaultdict(int)
    lags: defaultdict[int, list[float]] = defaultdict(list)
    for answer in told.redemptions:
        (again if answer.replayed else new)[int((answer.at - told.since) // step)] += 1
    for at, lag_ms in sights(told, stores):
        lags[int((at - told.since) // step)].append(lag_ms)
    return [
        Instant(
            number * step,
            new[number] / step,
            again[number] / step,
            percentile(lags[number], 0.5) if lags[number] else 0.0,
            percentile(lags[number], 0.95) if lags[number] else 0.0,
        )
        for number in range(int(seconds // step) + 1)
    ]
