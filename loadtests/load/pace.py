"""When an account may do what again: who keeps to it is never refused; pure."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

UNANSWERED_SECONDS = 600.0
"""After an action whose outcome is not known: it may still be under way."""
DAY_SECONDS = 86_400.0
LEEWAY_SECONDS = 0.5
"""Clocks of pods differ by less."""


class Pace:
    """Cooldowns and daily limits, as the catalogue states them; `now` is monotonic."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}
        self._times: Counter[str] = Counter()

    def allows(self, action: Mapping[str, Any], now: float) -> bool:
        return self._free_at.get(action["actionId"], now) <= now

    def begin(self, action: Mapping[str, Any], now: float) -> None:
        """Before it is sent. A day after the last one of a day's, the days differ."""
        name, limit = action["actionId"], action["dailyLimit"]
        self._times[name] += 1
        spent = limit is not None and self._times[name] % limit == 0
        self._free_at[name] = now + (DAY_SECONDS if spent else UNANSWERED_SECONDS)

    def done(self, action: Mapping[str, Any], now: float) -> None:
        """It counted."""
        name, limit = action["actionId"], action["dailyLimit"]
        if limit is None or self._times[name] % limit:
            self._free_at[name] = now + action["cooldownSeconds"] + LEEWAY_SECONDS
