"""The ledger's months: which there are, and those ahead of time."""

from datetime import UTC, datetime

from models.database import Database

ADD = "SELECT ledger_partitions($1, $2) AS made"
SUMMARIZE = "SELECT ledger_summarize($1) AS made"


async def provide(database: Database, now_ms: int, months: int) -> int:
    """Makes the months from a moment's on that are missing; how many.

    Raises DatabaseUnavailable, also when somebody reads the ledger for so long that it would have to wait.
    """
    rows = await database.rows(ADD, datetime.fromtimestamp(now_ms / 1000, UTC), months)
    made: int = rows[0]["made"]
    return made


async def summarize(database: Database, most: int) -> int:
    """Sums up what has come to the ledger, so that searches by time leave it out; how many ranges of blocks."""
    rows = await database.rows(SUMMARIZE, most)
    made: int = rows[0]["made"]
    return made
