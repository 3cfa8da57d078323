"""Names of players, also while the database hangs."""

import asyncio
import time

import asyncpg
import pytest

from actors.profiles import SOON_SECONDS, Profiles, unknown
from actors.supervisor import Supervisor
from tests.pods import awaited, migrated, new_players


@pytest.mark.alone
async def test_a_database_that_hangs_holds_up_a_read_for_a_moment_only(database_url: str):
    database, supervisor = await migrated(database_url), Supervisor()
    profiles = Profiles(database, supervisor)
    (user_id,) = await new_players(database, 1)
    add = "INSERT INTO accounts (user_id, username, username_key, display_name) VALUES ($1, 'ada', 'ada', 'Ada')"
    await database.rows(add, str(user_id))
    blocker = await asyncpg.connect(database_url)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            await asyncio.wait_for(profiles.load_soon([user_id]), 2 * SOON_SECONDS)
            assert time.monotonic() - began >= SOON_SECONDS * 0.9
            began = time.monotonic()
            for _ in range(300):  # more than jobs may be under way at once
                await profiles.load_soon([user_id])
            assert time.monotonic() - began < SOON_SECONDS / 2
            assert profiles.get(user_id) == unknown(user_id)
        await awaited(lambda: profiles.get(user_id).username == "ada")
        await profiles.load_soon([user_id])
        assert profiles.get(user_id).display_name == "Ada"
    finally:
        await blocker.close()
        await supervisor.stop(5)
        await database.close()
