"""What a pod left out when it died is found, whoever starts when."""

from collections.abc import AsyncIterator

import pytest

from actors.messages import RedeemTicket
from actors.repair import Repair
from models import boards, catalogue
from models.board import GLOBAL, Place
from models.database import Database
from models.ids import UserId
from models.ranking import Row
from tests.pods import Pod, migrated, new_players, simple_catalogue
from tests.shifted_clock import ShiftedClock

POINTS = 10
REDIS_NUMBER = 10
LONG_MS = 60_000
"""Longer than the marks stay behind."""
YOUNG_MS = 1_000
"""Less than is left to the pod itself."""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await (await migrated(database_url, simple_catalogue({"run": POINTS}))).close()
    await ShiftedClock.install(database_url)
    database = await migrated(database_url)
    yield database
    await database.close()


@pytest.fixture
async def pods(database: Database, redis_url: str) -> AsyncIterator[list[Pod]]:
    """One that will die, and one that starts later: it has not looked at Redis yet."""
    known, defined = await catalogue.load(database), await boards.load(database)
    url = f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}"
    dying, starting = (Pod(database, url, defined, known) for _ in range(2))
    await dying.ordering.redis.flushdb()
    await dying.start()
    for part in (starting.committer, starting.loader, starting.mirror):
        part.start(starting.supervisor)
    yield [dying, starting]
    for pod in (dying, starting):
        await pod.stop()


@pytest.fixture
async def user(database: Database) -> UserId:
    return (await new_players(database, 1))[0]


def repair(pod: Pod) -> Repair:
    return Repair(pod.database, pod.ordering, pod.epochs, pod.clock, pod.loader, pod.mirror, pod.settler, "pod")


def main(pod: Pod) -> Place:
    (place,) = [place for board, place in pod.present() if board.board_id == GLOBAL]
    return place


async def test_a_pass_before_the_first_look_passes_over_nothing(pods: list[Pod], user: UserId):
    """The mark once went on over boards that the repairing pod had not adopted yet: what was due there never came."""
    dying, starting = pods
    await repair(dying).pass_once()
    await dying.stop_mirror()
    outcome = await dying.tell(user, RedeemTicket(dying.ticket(user, "run")))
    await ShiftedClock(dying.database).advance(LONG_MS, *pods)
    starting.ordering.found()
    await repair(starting).pass_once()
    await starting.look()
    assert await starting.rows_in_redis(main(starting)) == []
    await repair(starting).pass_once()
    assert await starting.rows_in_redis(main(starting)) == [Row(user, POINTS, outcome.entry.at)]


async def test_a_pod_that_knows_no_boards_yet_moves_no_mark(pods: list[Pod], user: UserId):
    dying, starting = pods
    await dying.stop_mirror()
    await dying.tell(user, RedeemTicket(dying.ticket(user, "run")))
    await ShiftedClock(dying.database).advance(LONG_MS, *pods)
    defined = starting.epochs.boards
    starting.epochs.define(())
    await repair(starting).pass_once()
    starting.epochs.define(defined)
    rows = await dying.database.rows("SELECT count(*) AS n FROM standings WHERE user_id = $1", user)
    assert rows == [{"n": 0}]
    assert await repair(starting).pass_once() > 0
    (row,) = await dying.database.rows("SELECT score FROM standings WHERE user_id = $1 AND period = 'all'", user)
    assert row["score"] == POINTS


async def test_what_is_too_young_for_one_pass_is_left_to_the_next(pods: list[Pod], user: UserId):
    """The marks stay behind what a pass has looked at."""
    dying, _ = pods

    async def shown() -> list[Row]:
        return [row for row in await dying.rows_in_redis(main(dying)) if row.user_id == user]

    await dying.stop_mirror()
    outcome = await dying.tell(user, RedeemTicket(dying.ticket(user, "run")))
    await ShiftedClock(dying.database).advance(YOUNG_MS, *pods)
    assert await repair(dying).pass_once() == 0
    assert await shown() == []
    await ShiftedClock(dying.database).advance(LONG_MS, *pods)
    assert await repair(dying).pass_once() > 0
    assert await shown() == [Row(user, POINTS, outcome.entry.at)]
    (row,) = await dying.database.rows("SELECT score FROM standings WHERE user_id = $1 AND period = 'all'", user)
    assert row["score"] == POINTS
