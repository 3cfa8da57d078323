"""Indexes: for what is rare in the ledger, for tickets of a player, for names by their beginning."""

from typing import Any

from tortoise.migrations.operations import RunPython

from models.recording import Recorded

COLUMNS = "(at DESC, entry_id DESC) WHERE kind NOT IN ('redeem', 'award')"

# Partitions whose part of the index is not there yet.
LACKING = """
    SELECT p.inhrelid::regclass::text AS partition FROM pg_inherits p
    WHERE p.inhparent = 'ledger'::regclass AND NOT EXISTS (
        SELECT FROM pg_index i JOIN pg_inherits child ON child.inhrelid = i.indexrelid
        WHERE i.indrelid = p.inhrelid AND child.inhparent = 'ledger_deeds'::regclass)
"""


# An erased player's tickets go too; names are found whatever the database's own collation is.
PLAIN = {"held_tickets_user": "held_tickets (user_id)", "accounts_names": 'accounts (username_key COLLATE "C")'}


async def _index(apps: Any, editor: Any) -> None:
    """Makes the index without a lock that writers wait for; may be stopped anywhere and run again.

    Redemptions and awards are not in the index, so they cost nothing. A partition made meanwhile has its part already.
    """
    del apps
    for name, what in PLAIN.items():
        await editor.client.execute_script(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        await editor.client.execute_script(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
    await editor.client.execute_script(f"CREATE INDEX IF NOT EXISTS ledger_deeds ON ONLY ledger {COLUMNS}")
    for row in await editor.client.execute_query_dict(LACKING):
        partition = row["partition"]
        part = f"{partition}_deeds"
        await editor.client.execute_script(f"DROP INDEX CONCURRENTLY IF EXISTS {part}")
        await editor.client.execute_script(f"CREATE INDEX CONCURRENTLY {part} ON {partition} {COLUMNS}")
        await editor.client.execute_script(f"ALTER INDEX ledger_deeds ATTACH PARTITION {part}")


class Migration(Recorded):
    """Not in one transaction: PostgreSQL makes indexes concurrently only outside of any."""

    atomic = False
    dependencies = [("models", "0002_people")]  # noqa: RUF012 — Tortoise declares it so
    operations = [RunPython(_index)]  # noqa: RUF012
