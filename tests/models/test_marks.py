"""Marks, whatever is done to this machine's clock."""

from collections.abc import AsyncIterator

import pytest

from models import marks
from models.database import Database
from tests.pods import migrated

HALF_AN_HOUR = 1_800


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url)
    yield database
    await database.close()


async def test_no_mark_goes_past_the_present(database: Database):
    (row,) = await database.rows("SELECT (extract(epoch FROM now()) * 1000)::bigint AS now")
    await marks.advance(database, "clock-test", row["now"] - 1_000)
    assert await marks.read(database, "clock-test") == row["now"] - 1_000
    await marks.advance(database, "clock-test", row["now"] + HALF_AN_HOUR * 1000)
    assert await marks.read(database, "clock-test") == pytest.approx(row["now"], abs=10_000)
