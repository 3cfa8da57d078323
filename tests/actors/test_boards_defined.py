"""Boards defined while players play: each interleaving forced."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from actors.epochs import Epochs
from actors.filler import Filler
from actors.freezer import KEPT_MS, Freezer
from actors.messages import RedeemTicket
from models import boards, catalogue, filling
from models.board import GLOBAL, Board, Fold, Window
from models.database import Database
from models.ids import BoardId, UserId
from models.ranking import Row
from models.snapshot import Question
from tests.actors.scene import gated
from tests.pods import Pod, awaited, migrated, new_players, running, simple_catalogue

POINTS = 10
NEW = Board(BoardId("new"), 0, "New", Fold.SUM, Window.ALL)
REDIS_NUMBER = 9


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url, simple_catalogue({"run": POINTS}))
    yield database
    await database.close()


@pytest.fixture
async def pods(database: Database, redis_url: str) -> AsyncIterator[list[Pod]]:
    """Two pods, of which no test lets the second hear of new boards too soon."""
    known = await catalogue.load(database)
    await database.rows("DELETE FROM boards WHERE board_id = 'new'")
    defined = await boards.load(database)
    made = [Pod(database, f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}", defined, known) for _ in range(2)]
    async with running(made):
        yield made


@pytest.fixture
async def user(database: Database) -> UserId:
    return (await new_players(database, 1))[0]


async def redeem(pod: Pod, user: UserId) -> None:
    await pod.tell(user, RedeemTicket(pod.ticket(user, "run")))


async def define(pod: Pod) -> Board:
    board = await boards.create(pod.database, NEW)
    pod.epochs.define(await boards.load(pod.database))
    return board


def filler(pod: Pod, name: str = "pod") -> Filler:
    parts = (pod.database, pod.ordering, pod.epochs, pod.clock, pod.loader, pod.settler, pod.rebuilder)
    return Filler(*parts, name, heard_seconds=0)


async def vouched(pod: Pod, user: UserId) -> tuple[int, set[str]]:
    rows = await pod.database.rows("SELECT version, boards FROM player_memos WHERE user_id = $1", user)
    return rows[0]["version"], {key.partition("/")[0] for key in rows[0]["boards"]}


async def test_a_fill_that_is_overtaken_vouches_for_nothing(pods: list[Pod], user: UserId):
    first, late = pods
    await redeem(late, user)
    await late.settler.flush()
    await define(first)
    pages = [page async for page in filling.lacking(first.database, first.epochs.boards)]
    found = [one for page in pages for one in page if one.user_id == user]
    assert [one.version for one in found] == [1]
    await redeem(late, user)  # the second pod has not heard, and settles for the old boards
    await late.settler.flush()
    await filling.fill(first.database, found, first.epochs.boards)
    version, keys = await vouched(first, user)
    assert (version, "new" in keys) == (2, False)
    await filler(first).pass_once()
    version, keys = await vouched(first, user)
    assert (version, "new" in keys) == (2, True)
    await redeem(first, user)
    state = first.state_of(user)
    assert state is not None
    assert {place[0].partition("/")[0]: standing.score for place, standing in state.standings.items() if standing}[
        "new"
    ] == 3 * POINTS


async def test_a_memo_of_equal_version_learns_of_boards_and_forgets_none(pods: list[Pod], user: UserId):
    first, late = pods
    await redeem(late, user)
    await define(first)
    await redeem(first, user)
    await first.settler.flush()
    assert "new" in (await vouched(first, user))[1]
    state = late.state_of(user)
    assert state is not None
    (found,) = await late.loader.read([Question(user)])
    assert found.state is not None
    late.settler.note(found.state)
    await late.settler.flush()
    version, keys = await vouched(first, user)
    assert (version, {"new", GLOBAL} <= keys) == (2, True)


async def test_a_redemption_under_way_counts_on_a_board_defined_meanwhile(pods: list[Pod], user: UserId):
    pod = pods[0]
    await redeem(pod, user)
    gate = gated(pod, before=True)
    under_way = asyncio.create_task(redeem(pod, user))
    await gate.arrived.wait()
    board = await define(pod)
    await filler(pod).pass_once()
    await pod.look()
    gate.before.set()
    await under_way
    place = (board.key, "all")
    await awaited(lambda: not pod.mirror.pending)
    state = pod.state_of(user)
    assert state is not None
    assert state.standings[place].score == 2 * POINTS  # type: ignore[union-attr]
    rows = [row for row in await pod.rows_in_redis(place) if row.user_id == user]
    assert rows == [Row(user, *state.standings[place])]  # type: ignore[misc]


async def test_other_rules_are_another_key_and_old_rows_are_swept(pods: list[Pod], user: UserId):
    pod = pods[0]
    await redeem(pod, user)
    await pod.settler.flush()
    before = await define(pod)
    await filler(pod).pass_once()
    after = await boards.change(pod.database, replace(before, fold=Fold.BEST))
    assert after is not None
    assert after.revision == before.revision + 1
    pod.epochs.define(await boards.load(pod.database))
    await filler(pod).pass_once()
    freezer = Freezer(pod.database, pod.epochs, pod.clock, "pod")
    deaf = Epochs()
    deaf.define([board for board in pod.epochs.boards if board.board_id != after.board_id])
    unheard = Freezer(pod.database, deaf, pod.clock, "pod")
    statement = "SELECT DISTINCT board_key FROM standings WHERE board_key LIKE 'new/%'"
    now = pod.clock.now_ms()
    for moment, expected in ((now, {before.key, after.key}), (now + KEPT_MS, {after.key})):
        await freezer.sweep(moment)
        await unheard.sweep(moment)
        found = {row["board_key"] for row in await pod.database.rows(statement)}
        assert found & {before.key, after.key} == expected


async def test_who_has_not_heard_of_a_board_keeps_nobody_from_filling_it(pods: list[Pod], user: UserId):
    one, other = pods
    for pod in pods:
        await filler(pod).pass_once()  # whoever looked holds the lease for a while
    await one.database.rows("DELETE FROM leases")
    await redeem(one, user)
    board = await define(one)
    deaf = filler(other)
    deaf._looked = asyncio.get_running_loop().time()
    assert board.key not in {known.key for known in other.epochs.boards}
    await deaf.pass_once()
    await filler(one, "one").pass_once()
    assert await boards.is_filled(one.database, board.key)
