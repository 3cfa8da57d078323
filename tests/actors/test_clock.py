"""The database's time, whatever is done to this machine's clock."""

import time
from collections.abc import AsyncIterator

import pytest

from actors.clock import Clock
from models import marks
from models.database import Database
from tests.pods import migrated

HALF_AN_HOUR = 1_800


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url)
    yield database
    await database.close()


def stepped(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """This machine's clock is set."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)


@pytest.mark.parametrize("seconds", [HALF_AN_HOUR, -HALF_AN_HOUR])
async def test_a_clock_that_is_set_moves_no_time(database: Database, monkeypatch: pytest.MonkeyPatch, seconds: int):
    clock = Clock()
    assert clock.now_ms() == pytest.approx(time.time() * 1000, abs=50)
    await clock.measure(database)
    before = clock.now_ms()
    assert clock.ahead_ms == pytest.approx(0, abs=50)
    stepped(monkeypatch, seconds)
    assert clock.now_ms() == pytest.approx(before, abs=1_000)
    assert clock.ahead_ms == pytest.approx(-seconds * 1000, abs=1_000)
    await clock.measure(database)
    assert clock.now_ms() == pytest.approx(before, abs=1_000)


async def test_no_mark_goes_past_the_present(database: Database):
    (row,) = await database.rows("SELECT (extract(epoch FROM now()) * 1000)::bigint AS now")
    await marks.advance(database, "clock-test", row["now"] - 1_000)
    assert await marks.read(database, "clock-test") == row["now"] - 1_000
    await marks.advance(database, "clock-test", row["now"] + HALF_AN_HOUR * 1000)
    assert await marks.read(database, "clock-test") == pytest.approx(row["now"], abs=10_000)
