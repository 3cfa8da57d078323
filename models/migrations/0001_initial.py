"""Players, their ledger, the catalogue, boards and what is derived from them."""

from pathlib import Path

from tortoise.migrations.operations import RunSQL

from models.recording import Recorded


class Migration(Recorded):
    """The first schema; the ledger is partitioned, which no model can say, so it stands as SQL."""

    initial = True
    operations = [  # noqa: RUF012 — Tortoise declares it so
        RunSQL(Path(__file__).with_suffix(".sql").read_text())
    ]
