"""What boards that are gone leave behind, removed a bounded number of rows at a time."""

from models.database import Database, sql

KEYS = sql("standings_keys")
STANDINGS = sql("sweep_standings")
RESULTS = sql("sweep_results")

ROWS = 5_000
ROUNDS = 20
"""At most 100,000 rows in one go; the rest waits for the next."""


async def keys(database: Database) -> list[str]:
    """The board keys that standings have."""
    return [row["board_key"] for row in await database.rows(KEYS)]


async def standings(database: Database, key: str) -> int:
    """Removes rows of a key; how many."""
    return await _in_rounds(database, STANDINGS, key)


async def results(database: Database) -> int:
    """Removes rows of results whose board was deleted; how many."""
    return await _in_rounds(database, RESULTS)


async def _in_rounds(database: Database, statement: str, *values: object) -> int:
    total = 0
    for _ in range(ROUNDS):
        gone = len(await database.rows(statement, *values, ROWS))
        total += gone
        if gone < ROWS:
            break
    return total
