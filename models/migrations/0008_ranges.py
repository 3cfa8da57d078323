"""Which actions and kinds a stretch of the ledger has, and a function that keeps such summaries up."""

from pathlib import Path
from typing import Any

from tortoise.migrations.operations import RunPython, RunSQL

from models.recording import Recorded

COLUMNS = """
    USING brin (action_id text_bloom_ops (n_distinct_per_range = 32), kind text_bloom_ops (n_distinct_per_range = 16))
    WITH (pages_per_range = 16, autosummarize = on)
"""

# Partitions whose part of the index is not there yet.
LACKING = """
    SELECT p.inhrelid::regclass::text AS partition FROM pg_inherits p
    WHERE p.inhparent = 'ledger'::regclass AND NOT EXISTS (
        SELECT FROM pg_index i JOIN pg_inherits child ON child.inhrelid = i.indexrelid
        WHERE i.indrelid = p.inhrelid AND child.inhparent = 'ledger_words'::regclass)
"""


async def _index(apps: Any, editor: Any) -> None:
    """Makes the index without a lock that writers wait for; may be stopped anywhere and run again."""
    del apps
    await editor.client.execute_script(f"CREATE INDEX IF NOT EXISTS ledger_words ON ONLY ledger {COLUMNS}")
    for row in await editor.client.execute_query_dict(LACKING):
        partition = row["partition"]
        part = f"{partition}_words"
        await editor.client.execute_script(f"DROP INDEX CONCURRENTLY IF EXISTS {part}")
        await editor.client.execute_script(f"CREATE INDEX CONCURRENTLY {part} ON {partition} {COLUMNS}")
        await editor.client.execute_script(f"ALTER INDEX ledger_words ATTACH PARTITION {part}")


class Migration(Recorded):
    """Not in one transaction: PostgreSQL makes indexes concurrently only outside of any."""

    atomic = False
    dependencies = [("models", "0007_archive")]  # noqa: RUF012 — Tortoise declares it so
    operations = [  # noqa: RUF012
        RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        RunPython(_index),
    ]
