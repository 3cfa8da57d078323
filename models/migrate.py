"""Migrations, one at a time under an advisory lock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pkgutil import iter_modules

import asyncpg
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor

from models import migrations
from models.database import CONNECT_TIMEOUT_SECONDS, UNHURRIED, credentials, pooled, tortoise_config
from models.errors import ModelError, RestoreUnfinished, typed
from models.recording import Recorder

LOCK_ID = 0x6C617572656C
"""The advisory lock of Laurel's migrations: its name in hexadecimal."""
LOCK_POLL_SECONDS = 0.2

ASIDE = "laurel_before_restore"
"""The schema that holds what was there, until a restore is done."""
UNFINISHED = "SELECT to_regnamespace($1) IS NOT NULL AS so"
TRY_LOCK = "SELECT pg_try_advisory_lock($1)"


def of_this_version() -> frozenset[str]:
    """The names of the migrations there are."""
    return frozenset(module.name for module in iter_modules(migrations.__path__))


async def migrate(database_url: str, *, restoring: bool = False) -> list[str]:
    """Applies missing migrations and names them; whoever comes second waits for the first.

    `restoring`: what was there stands aside, as it should. Raises DatabaseUnavailable and RestoreUnfinished.
    """
    try:
        lock = await asyncpg.connect(
            timeout=CONNECT_TIMEOUT_SECONDS, server_settings=UNHURRIED, **credentials(database_url)
        )
        try:
            # Whoever waits inside a statement has a snapshot, for whose end an index that is made concurrently waits.
            while not await lock.fetchval(TRY_LOCK, LOCK_ID):  # noqa: ASYNC110 — another process has it
                await asyncio.sleep(LOCK_POLL_SECONDS)
            async with _planned(database_url, restoring=restoring) as (executor, plan):
                await executor.migrate()
            return plan
        finally:
            await lock.close()
    except ModelError:
        raise
    except Exception as error:
        raise typed(error) from error


async def missing(database_url: str) -> list[str]:
    """The names of migrations not yet applied; raises as `migrate`."""
    async with _planned(database_url) as (_, plan):
        return plan


async def is_new(database_url: str) -> bool:
    """Whether nothing was ever applied; raises as `migrate`."""
    async with _planned(database_url) as (executor, _):
        return not await executor.recorder.applied_migrations()


async def unknown(database_url: str) -> list[str]:
    """The names of applied migrations that this version does not have; raises as `migrate`."""
    async with _planned(database_url) as (executor, _):
        applied = await executor.recorder.applied_migrations()
        return sorted({key.name for key in applied} - of_this_version())


@asynccontextmanager
async def _planned(database_url: str, *, restoring: bool = False) -> AsyncIterator[tuple[MigrationExecutor, list[str]]]:
    """What is to be applied, by whom; raises as `migrate`, also for what happens inside."""
    config = tortoise_config(database_url)
    for connection in config["connections"].values():
        connection["credentials"]["command_timeout"] = None
        connection["credentials"]["server_settings"] = {} if pooled(database_url) else {**UNHURRIED}
    try:
        async with TortoiseContext() as context:
            await context.init(config=config)
            database = context.db("default")
            # Asked first: Tortoise takes a database that does not answer for one without migrations.
            if not restoring and (await database.execute_query_dict(UNFINISHED, [ASIDE]))[0]["so"]:
                text = "a restore was killed half-way, and what was there stands aside: run laurel restore again"
                raise RestoreUnfinished(text)
            executor = MigrationExecutor(database, config["apps"])
            executor.recorder = Recorder(database)
            yield executor, [step.migration.name for step in await executor.plan()]
    except ModelError:
        raise
    except Exception as error:
        raise typed(error) from error
