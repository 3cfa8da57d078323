"""One pod, or three, over the same servers, with Redis empty; tests that need other ones make their own."""

from collections.abc import AsyncIterator

import pytest

from models import boards, catalogue
from models.database import Database
from models.ids import UserId
from tests.actors.scene import POINTS
from tests.pods import Pod, migrated, new_players, running, simple_catalogue


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url, simple_catalogue({"run": POINTS, "jump": 3}))
    yield database
    await database.close()


@pytest.fixture
async def pods(database: Database, redis_url: str) -> AsyncIterator[list[Pod]]:
    known, defined = await catalogue.load(database), await boards.load(database)
    made = [Pod(database, redis_url, defined, known) for _ in range(3)]
    async with running(made):
        yield made


@pytest.fixture
async def pod(database: Database, redis_url: str) -> AsyncIterator[Pod]:
    pod = Pod(database, redis_url, await boards.load(database), await catalogue.load(database))
    async with running([pod]):
        yield pod


@pytest.fixture
async def user(database: Database) -> UserId:
    return (await new_players(database, 1))[0]
