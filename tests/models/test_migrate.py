"""Migrations that are killed, and a database in the middle of a restore."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey

from models.errors import RestoreUnfinished
from models.migrate import ASIDE, is_new, migrate, missing, unknown


class Killed(BaseException):
    """Stands for SIGKILL: nobody catches it."""


@pytest.fixture
async def url(postgres_url: str) -> AsyncIterator[str]:
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f"CREATE DATABASE {name}")
    yield f"{postgres_url.rpartition('/')[0]}/{name}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_one_that_is_killed_when_a_migration_is_done_is_in_nobodys_way(url: str, monkeypatch: pytest.MonkeyPatch):
    """Once after each of them: committed, and Tortoise has not recorded it."""

    def killed(_: object, event: str, key: MigrationKey) -> None:
        if event == "apply_done":
            raise Killed

    everything = await missing(url)
    with monkeypatch.context() as patch:
        patch.setattr(MigrationExecutor, "_emit", staticmethod(killed))
        for done in range(len(everything)):
            assert await missing(url) == everything[done:]
            with pytest.raises(Killed):
                await migrate(url)
    assert await missing(url) == []
    assert await migrate(url) == []


@pytest.mark.parametrize("gate", [migrate, missing, is_new, unknown], ids=lambda gate: gate.__name__)
async def test_every_gate_is_shut_while_a_restore_is_unfinished(url: str, gate: Callable[[str], Awaitable[object]]):
    await migrate(url)
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE SCHEMA {ASIDE}")
    with pytest.raises(RestoreUnfinished, match="a restore was killed"):
        await gate(url)
    await connection.execute(f"DROP SCHEMA {ASIDE}")
    await gate(url)
    await connection.close()
