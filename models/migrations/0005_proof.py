"""API keys and spent proofs of work."""

from pathlib import Path

from tortoise.migrations.operations import RunSQL

from models.recording import Recorded


class Migration(Recorded):
    """Two new tables; a server that does not know them is not disturbed."""

    dependencies = [("models", "0004_sessions")]  # noqa: RUF012 — Tortoise declares it so
    operations = [  # noqa: RUF012
        RunSQL(Path(__file__).with_suffix(".sql").read_text())
    ]
