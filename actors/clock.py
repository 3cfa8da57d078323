"""The database's time, as this pod knows it."""

import time

from models.database import Database

SAMPLES = 3
READ = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now"


class Clock:
    """Unix milliseconds corrected to the database's clock."""

    def __init__(self) -> None:
        self.offset_ms = 0.0

    def now_ms(self) -> int:
        """The database's time now, as far as last measured."""
        return int(time.time() * 1000 + self.offset_ms)

    async def measure(self, database: Database) -> None:
        """Measures the offset by the shortest of a few round trips; raises DatabaseUnavailable."""
        best: tuple[float, float] | None = None
        for _ in range(SAMPLES):
            before = time.time()
            rows = await database.rows(READ)
            after = time.time()
            offset = rows[0]["now"] / 1000 - (before + after) * 500
            best = min(best or (after - before, offset), (after - before, offset))
        if best is not None:
            self.offset_ms = best[1]
