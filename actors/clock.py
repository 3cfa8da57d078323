"""The database's time, as this pod knows it: this machine's own clock may be set meanwhile."""

import time

from models.database import Database

SAMPLES = 3
TICKING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""What nobody sets, and what goes on while a machine sleeps, where there is such a clock."""
READ = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now"


class Clock:
    """Unix milliseconds of the database's clock; before the first measurement, of this machine's."""

    def __init__(self) -> None:
        self.offset_ms = (time.time() - _seconds()) * 1000

    def now_ms(self) -> int:
        """The database's time now, as far as last measured."""
        return int(_seconds() * 1000 + self.offset_ms)

    @property
    def ahead_ms(self) -> float:
        """How much the database's clock is ahead of this machine's."""
        return self.offset_ms + (_seconds() - time.time()) * 1000

    async def measure(self, database: Database) -> None:
        """Measures the offset by the shortest of a few round trips; raises DatabaseUnavailable."""
        best: tuple[float, float] | None = None
        for _ in range(SAMPLES):
            before = _seconds()
            rows = await database.rows(READ)
            after = _seconds()
            offset = rows[0]["now"] / 1000 - (before + after) * 500
            best = min(best or (after - before, offset), (after - before, offset))
        if best is not None:
            self.offset_ms = best[1]


def _seconds() -> float:
    return time.clock_gettime(TICKING)
