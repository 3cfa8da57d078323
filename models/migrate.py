"""Migrations, one at a time under an advisory lock."""

import asyncio

import asyncpg
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor

from models.database import CONNECT_TIMEOUT_SECONDS, UNHURRIED, credentials, pooled, tortoise_config
from models.errors import RestoreUnfinished, typed

LOCK_ID = 0x6C617572656C
"""The advisory lock of Laurel's migrations: its name in hexadecimal."""
LOCK_POLL_SECONDS = 0.2

ASIDE = "laurel_before_restore"
"""The schema that holds what was there, until a restore is done."""
UNFINISHED = "SELECT to_regnamespace($1) IS NOT NULL"
ASK = "SELECT 1"
"""Tortoise takes a database that does not answer for one without migrations: asked before, it says so."""
TRY_LOCK = "SELECT pg_try_advisory_lock($1)"


async def migrate(database_url: str) -> list[str]:
    """Applies missing migrations and names them; whoever comes second waits for the first.

    Raises DatabaseUnavailable and RestoreUnfinished.
    """
    try:
        lock = await asyncpg.connect(
            timeout=CONNECT_TIMEOUT_SECONDS, server_settings=UNHURRIED, **credentials(database_url)
        )
        try:
            # Whoever waits inside a statement has a snapshot, for whose end an index that is made concurrently waits.
            while not await lock.fetchval(TRY_LOCK, LOCK_ID):  # noqa: ASYNC110 — another process has it
                await asyncio.sleep(LOCK_POLL_SECONDS)
            if await lock.fetchval(UNFINISHED, ASIDE):
                text = "a restore was killed half-way, and what was there stands aside: run laurel restore again"
                raise RestoreUnfinished(text)
            async with TortoiseContext() as context:
                executor, plan = await _plan(context, database_url)
                await executor.migrate()
            return plan
        finally:
            await lock.close()
    except RestoreUnfinished:
        raise
    except Exception as error:
        raise typed(error) from error


async def missing(database_url: str) -> list[str]:
    """The names of migrations not yet applied; raises DatabaseUnavailable."""
    try:
        async with TortoiseContext() as context:
            return (await _plan(context, database_url))[1]
    except Exception as error:
        raise typed(error) from error


async def is_new(database_url: str) -> bool:
    """Whether nothing was ever applied; raises DatabaseUnavailable."""
    try:
        async with TortoiseContext() as context:
            executor, _ = await _plan(context, database_url)
            return not await executor.recorder.applied_migrations()
    except Exception as error:
        raise typed(error) from error


async def unknown(database_url: str) -> list[str]:
    """The names of applied migrations that this version does not have; raises DatabaseUnavailable."""
    try:
        async with TortoiseContext() as context:
            executor, _ = await _plan(context, database_url)
            known = {key.name for key in executor.loader.graph.nodes}
            applied = await executor.recorder.applied_migrations()
            return sorted(key.name for key in applied if key.name not in known)
    except Exception as error:
        raise typed(error) from error


async def _plan(context: TortoiseContext, database_url: str) -> tuple[MigrationExecutor, list[str]]:
    config = tortoise_config(database_url)
    for connection in config["connections"].values():
        connection["credentials"]["command_timeout"] = None
        connection["credentials"]["server_settings"] = {} if pooled(database_url) else {**UNHURRIED}
    await context.init(config=config)
    await context.db("default").execute_query(ASK)
    executor = MigrationExecutor(context.db("default"), config["apps"])
    return executor, [step.migration.name for step in await executor.plan()]
