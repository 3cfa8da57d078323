"""Sessions: refresh tokens, what was revoked before its time, players of outside issuers."""

from pathlib import Path

from tortoise.migrations.operations import RunSQL

from models.recording import Recorded


class Migration(Recorded):
    """Adds tables and one trigger; what was there stays as it is."""

    dependencies = [("models", "0003_deeds")]  # noqa: RUF012 — Tortoise declares it so
    operations = [  # noqa: RUF012 — Tortoise declares it so
        RunSQL(Path(__file__).with_suffix(".sql").read_text())
    ]
