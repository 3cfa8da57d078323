"""A period ends while three pods are under load: nobody's points fall between, and its result is frozen once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from actors.filler import Filler
from actors.freezer import Freezer
from actors.messages import RedeemTicket
from actors.repair import Repair
from models import boards, catalogue, periods, standings
from models.board import Board, Fold, Period, Window
from models.database import Database
from models.ids import BoardId, UserId
from models.ranking import Row, sort_key
from models.state import Standing
from tests.pods import Pod, awaited, history_of, migrated, new_players, simple_catalogue
from tests.properties.test_histories import naive
from tests.shifted_clock import ShiftedClock

PODS, PLAYERS, CALLERS = 3, 24, 6
BEFORE_MS = 1_200
"""The load begins so long before midnight, and goes on as long after it."""
REDIS_NUMBER = 8
ZONE, SUNDAY, HOUR_MS = ZoneInfo("Europe/Berlin"), 6, 3_600_000


@dataclass
class World:
    """Three pods over one database whose clock the test drives."""

    database: Database
    clock: ShiftedClock
    pods: list[Pod]


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    await (await migrated(database_url, simple_catalogue({"run": 10, "swim": 3}))).close()
    await ShiftedClock.install(database_url)
    database = await migrated(database_url)
    known, defined = await catalogue.load(database), await boards.load(database)
    url = f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}"
    pods = [Pod(database, url, defined, known) for _ in range(PODS)]
    await pods[0].ordering.redis.flushdb()
    for pod in pods:
        await pod.start()
        pod.settler.start(pod.supervisor)
        pod.watch.start(pod.supervisor)
    yield World(database, ShiftedClock(database), pods)
    for pod in pods:
        await pod.stop()
    await database.close()


async def test_periods_of_every_kind_that_end_under_load(world: World):
    """Day, week, month and season end at once, at the end of a day of 25 hours; the day in UTC an hour later."""
    pods, database = world.pods, world.database
    users = await new_players(database, PLAYERS)
    end = next_edge(pods[0].clock.now_ms())
    await define(world, end)
    await world.clock.advance(end - BEFORE_MS - pods[0].clock.now_ms(), *pods)
    periods_then = {board: board.period_at(pods[0].clock.now_ms()) for board in pods[0].epochs.boards}
    ending = {board: period for board, period in periods_then.items() if period and period.end_ms == end}
    names = [period.period_id for period in ending.values()]
    year = datetime.fromtimestamp(end / 1000, ZONE).year
    assert sorted(names) == sorted([f"{year}-10-31", f"{year}-W43", f"{year}-10", "autumn"])
    (day,) = [period for board, period in ending.items() if board.board_id == "a-day"]
    assert end - (day.start_ms or 0) == 25 * HOUR_MS
    answered = await asyncio.gather(
        *(play(pods[number % PODS], users[number::CALLERS] + users[:2], end) for number in range(CALLERS * 2))
    )
    for _ in range(5):
        await world.clock.advance(5_000, *pods)
    await freeze_everywhere(world)
    for board, period in ending.items():
        await assert_rolled_over(world, users, board, period, sum(answered))
    await freeze_everywhere(world)
    for board in periods_then:
        assert len(await periods.results(database, board.board_id, 100)) == (board in ending)


def next_edge(now_ms: int) -> int:
    """The end of the next 31st of October that is a Sunday: of day, week and month, and of summer time's last day."""
    year = datetime.fromtimestamp(now_ms / 1000, ZONE).year
    while date(year, 10, 31).weekday() != SUNDAY or date(year, 10, 31) <= datetime.fromtimestamp(now_ms / 1000).date():
        year += 1
    return int(datetime(year, 11, 1, tzinfo=ZONE).timestamp() * 1000)


async def define(world: World, end_ms: int) -> None:
    """A board of each kind, filled, which every pod knows."""
    first = world.pods[0]
    for fold, window in (
        (Fold.SUM, Window.DAY),
        (Fold.BEST, Window.WEEK),
        (Fold.LAST, Window.MONTH),
        (Fold.SUM, Window.SEASON),
    ):
        board = Board(BoardId(f"a-{window}"), 0, "A board", fold, window, time_zone=str(ZONE))
        if window is Window.SEASON:
            board = replace(board, season="autumn", starts_ms=end_ms - 90 * 24 * HOUR_MS, ends_ms=end_ms)
        await boards.create(world.database, board)
    defined = await boards.load(world.database)
    for pod in world.pods:
        pod.epochs.define(defined)
    parts = (first.database, first.ordering, first.epochs, first.clock, first.loader, first.settler, first.rebuilder)
    await Filler(*parts, "pod", heard_seconds=0).pass_once()


async def assert_rolled_over(world: World, users: list[UserId], board: Board, ended: Period, answered: int) -> None:
    """That the result is the ledger's, the next period has the rest, and no points are in neither."""
    pods, database = world.pods, world.database
    before, after = await folded(world, users, board, ended.period_id)
    assert before
    result = await periods.result(database, board.board_id, ended.period_id)
    assert result is not None
    assert (result.revision, result.players) == (1, len(before))
    assert await periods.page(database, result, 100) == before
    following = board.period_at(pods[0].clock.now_ms())
    if following is None:
        assert (board.window, after) == (Window.SEASON, [])
        return
    assert after
    place = (board.key, following.period_id)
    assert await standings.page(database, *place, 100) == after
    for pod in pods:
        await awaited(lambda pod=pod: pod.epochs.get(place) and not pod.mirror.pending)
        assert await pod.rows_in_redis(place) == after
    if board.fold is Fold.SUM:
        assert sum(row.score for row in (*before, *after)) == answered


async def play(pod: Pod, users: list[UserId], midnight: int) -> int:
    """Redeems until well after midnight; the points that were acknowledged."""
    points = 0
    while pod.clock.now_ms() < midnight + BEFORE_MS:
        for user in users:
            outcome = await pod.tell(user, RedeemTicket(pod.ticket(user, "run" if points % 20 else "swim")))
            points += outcome.entry.delta
    return points


async def freeze_everywhere(world: World) -> None:
    """All that is committed is written down, then every pod freezes at once."""
    for pod in world.pods:
        await pod.settler.flush()
    first = world.pods[0]
    parts = (first.database, first.ordering, first.epochs, first.clock, first.loader)
    await Repair(*parts, first.mirror, first.settler, "pod").pass_once()
    freezers = [Freezer(pod.database, pod.epochs, pod.clock, f"pod {n}") for n, pod in enumerate(world.pods)]
    await asyncio.gather(*(freezer.pass_once() for freezer in freezers))


async def folded(world: World, users: list[UserId], board: Board, period: str) -> tuple[list[Row], list[Row]]:
    """The naive fold over the ledger: of the period, and of all others."""
    found: tuple[dict[UserId, Standing], dict[UserId, Standing]] = ({}, {})
    for user in users:
        for place, standing in naive(await history_of(world.database, user), [board]).items():
            found[place[1] != period][user] = standing
    ranked = [sorted((Row(u, *s) for u, s in part.items()), key=sort_key, reverse=True) for part in found]
    return ranked[0], ranked[1]


async def test_a_dead_pods_share_is_waited_for(world: World):
    """A pod commits and dies before it settles: the result waits for the repair, and has it."""
    pods, database = world.pods, world.database
    (user,) = await new_players(database, 1)
    dying = pods[2]
    daily = next(board for board in dying.epochs.boards if board.board_id == BoardId("daily"))
    ending = daily.period_at(dying.clock.now_ms())
    assert ending is not None
    assert ending.end_ms is not None
    await world.clock.advance(ending.end_ms - 60_000 - dying.clock.now_ms(), *pods)
    await dying.tell(user, RedeemTicket(dying.ticket(user, "run")))
    await dying.supervisor.stop_loop("settler")
    await dying.settler.flush()
    await dying.tell(user, RedeemTicket(dying.ticket(user, "run")))
    await world.clock.advance(100_000, *pods)
    freezer = Freezer(database, pods[0].epochs, pods[0].clock, "pod 0")
    await freezer.pass_once()
    assert await periods.result(database, "daily", ending.period_id) is None
    world.pods = pods[:2]
    await freeze_everywhere(world)
    result = await periods.result(database, "daily", ending.period_id)
    assert result is not None
    rows = {row.user_id: row.score for row in await periods.page(database, result, 100)}
    assert rows[user] == 20
