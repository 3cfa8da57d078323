"""A ledger that looks as if it had been in use for weeks."""

from pathlib import Path

from loadtests.bench.stage import Stage

FUNCTION = Path(__file__).with_name("fill.sql")


def fill(stage: Stage, database: str, rows: int) -> None:
    """Adds so many redemptions, and what derives from them."""
    prepare(stage, database)
    stage.rows(database, "SELECT bench_fill($1)", rows)
    stage.rows("postgres", "CHECKPOINT")


def prepare(stage: Stage, database: str) -> None:
    """Defines what fills a database."""
    stage.script(database, "DROP FUNCTION IF EXISTS bench_fill;" + FUNCTION.read_text())
