"""Boards as data: revisions of their rules, standing boards, frozen results of periods."""

from pathlib import Path

from tortoise.migrations.operations import RunSQL

from models.recording import Recorded


class Migration(Recorded):
    """Only adds: columns with constants, empty tables, three boards; the previous version runs beside it."""

    dependencies = [("models", "0005_proof")]  # noqa: RUF012 — Tortoise declares it so
    operations = [  # noqa: RUF012
        RunSQL(Path(__file__).with_suffix(".sql").read_text())
    ]
