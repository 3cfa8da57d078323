"""Archives of the ledger's old months; partitions made without holding anybody up."""

from pathlib import Path

from tortoise.migrations.operations import RunSQL

from models.recording import Recorded


class Migration(Recorded):
    """Only adds: two empty tables, and a limit to how long a function waits; the previous version runs beside it."""

    dependencies = [("models", "0006_boards")]  # noqa: RUF012 — Tortoise declares it so
    operations = [  # noqa: RUF012
        RunSQL(Path(__file__).with_suffix(".sql").read_text())
    ]
