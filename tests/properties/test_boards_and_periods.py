"""Boards that come, change and go, periods that pass: whatever the history, each board is the fold of the ledger."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from actors.filler import LOOK_SECONDS, Filler
from actors.freezer import Freezer
from actors.messages import RedeemTicket
from actors.repair import SETTLE_GRACE_MS, Repair
from models import boards, catalogue, periods, standings
from models.board import Board, Fold, Place, Window
from models.entry import Entry
from models.ids import BoardId, UserId
from models.ranking import Row, sort_key
from models.state import Standing
from tests.pods import Pod, history_of, migrated, new_players, simple_catalogue
from tests.properties.test_histories import POINTS, REFUSALS, Step, command_of, naive
from tests.shifted_clock import ShiftedClock

PLAYERS = 3
SECOND, DAY = 1_000, 86_400_000
SETTLED_MS = 25 * SECOND
"""After so long everything stamped before is in the standings."""
ZONES = ["UTC", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe", "America/Havana"]
EMPTY = """
    TRUNCATE players, accounts, friends, sessions, refresh_tokens, ledger, standings, player_memos, idempotency_keys,
             results, result_revisions, result_rows, leases, marks, held_tickets
"""

Outcome = dict[UserId, Standing]


@dataclass
class World:
    """Two pods over one database whose clock the test drives."""

    runner: asyncio.Runner
    clock: ShiftedClock
    pods: list[Pod]
    fillers: list[Filler] = field(default_factory=list)
    freezers: list[Freezer] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)

    async def hear(self, *which: int) -> None:
        """Pods take the boards that there are."""
        defined = await boards.load(self.pods[0].database)
        for number in which:
            self.pods[number].epochs.define(defined)

    async def settle(self) -> None:
        """Lets everything happen that would by itself."""
        for pod in self.pods:
            await pod.settler.flush()
        for filler in self.fillers:  # whichever holds the lease fills
            filler._looked = -LOOK_SECONDS
            await filler.pass_once()
        for pod in self.pods:
            await pod.look()
        await self.clock.advance(SETTLE_GRACE_MS + SECOND, *self.pods)
        await self.repairs[0].pass_once()
        for pod in self.pods:
            await pod.look()


@pytest.fixture(scope="module")
def world(database_url: str, redis_url: str) -> Iterator[World]:
    with asyncio.Runner() as runner:

        async def build() -> World:
            await (await migrated(database_url, simple_catalogue(POINTS))).close()
            await ShiftedClock.install(database_url)
            database = await migrated(database_url)
            known, defined = await catalogue.load(database), await boards.load(database)
            url = f"{redis_url.rpartition('/')[0]}/7"
            pods = [Pod(database, url, defined, known) for _ in range(2)]
            await pods[0].ordering.redis.flushdb()
            for pod in pods:
                await pod.start()
            made = World(runner, ShiftedClock(database), pods)
            for number, pod in enumerate(pods):
                parts = (pod.database, pod.ordering, pod.epochs, pod.clock, pod.loader)
                made.fillers.append(Filler(*parts, pod.settler, pod.rebuilder, f"pod {number}", heard_seconds=0))
                made.freezers.append(Freezer(pod.database, pod.epochs, pod.clock, f"pod {number}"))
                made.repairs.append(Repair(*parts, pod.mirror, pod.settler, f"pod {number}"))
            return made

        made = runner.run(build())
        yield made

        async def end() -> None:
            for pod in made.pods:
                await pod.stop()
            await made.pods[0].database.close()

        runner.run(end())


STEP = st.builds(
    Step,
    st.sampled_from(["redeem", "redeem", "adjust", "award", "void", "void", "ban", "unban", "move", "forget"]),
    st.integers(0, PLAYERS - 1),
    st.integers(0, 11),
    st.integers(1, 3),
)
RULES = st.builds(
    Board,
    board_id=st.sampled_from([BoardId("one"), BoardId("two")]),
    revision=st.just(0),
    title=st.just("A board"),
    fold=st.sampled_from(Fold),
    window=st.sampled_from([Window.ALL, Window.DAY, Window.DAY, Window.WEEK, Window.MONTH]),
    time_zone=st.sampled_from(ZONES),
    actions=st.sampled_from([None, None, frozenset({"run", "swim"})]),
    region=st.sampled_from([None, None, "north"]),
    group=st.sampled_from([None, None, "red"]),
)
STEPS = st.lists(STEP, min_size=2, max_size=6)
TURN = st.one_of(
    STEPS,
    RULES,
    st.sampled_from([BoardId("one"), BoardId("two")]),
    st.sampled_from([3 * SECOND, DAY // 2, DAY, 7 * DAY, 31 * DAY]),
    st.sampled_from(["hear", "fill", "freeze"]),
)
Turn = list[Step] | Board | BoardId | int | str
HISTORY = st.builds(
    lambda first, steps, later, rest: [first, PLAY, steps, 8 * DAY, "freeze", later, "freeze", *rest],
    RULES.filter(lambda board: board.window in (Window.DAY, Window.WEEK)).map(
        lambda board: replace(board, region=None, group=None)
    ),
    STEPS,
    st.lists(
        st.builds(Step, st.sampled_from(["void", "void", "redeem"]), st.integers(0, 1), st.integers(0, 3), st.just(1)),
        min_size=1,
        max_size=3,
    ),
    st.lists(TURN, max_size=8),
)
"""A period that is over and has a result is in each of them."""
PLAY = [Step("redeem", 0, 0, 1), Step("redeem", 0, 1, 2), Step("redeem", 1, 0, 3), Step("award", 1, 9, 1)]


@settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(HISTORY)
def test_every_board_is_the_fold_of_the_ledger(world: World, history: list[Turn]):
    world.runner.run(check(world, history))


async def check(world: World, history: Sequence[Turn]) -> None:
    database, pods = world.pods[0].database, world.pods
    await database.rows(EMPTY)
    await database.rows("DELETE FROM boards WHERE board_id <> 'global'")
    await pods[0].ordering.redis.flushdb()
    await world.hear(0, 1)
    for pod in pods:
        await pod.look()
    users = await new_players(database, PLAYERS)
    frozen: dict[tuple[str, str], Outcome] = {}
    for turn in history:
        match turn:
            case Board():
                async for _ in changed(world, turn):
                    await play(pods, users, [Step("redeem", 0, 0, 3), Step("redeem", 1, 1, 2)])
            case int():
                await world.clock.advance(turn, *pods)
            case "hear":
                await world.hear(1)
            case "fill":
                await world.fillers[1].pass_once()
            case "freeze":
                await assert_freezes(world, users, frozen)
            case str():
                await boards.delete(database, turn)
                await world.hear(0)
                frozen = {place: outcome for place, outcome in frozen.items() if place[0] != turn}
            case _:
                await play(pods, users, turn)
    await world.hear(0, 1)
    await world.settle()
    await assert_folds(pods, users)
    await assert_freezes(world, users, frozen)


async def changed(world: World, board: Board):
    """Defines a board or gives it other rules, and yields while the pods do not all know."""
    database = world.pods[0].database
    known = {one.board_id: one for one in await boards.load(database)}
    if board.board_id in known:
        await boards.change(database, board)
    else:
        await boards.create(database, board)
    yield
    await world.hear(0)
    yield
    fill = asyncio.ensure_future(world.fillers[0].pass_once())
    yield
    await fill


async def play(pods: Sequence[Pod], users: Sequence[UserId], steps: Sequence[Step]) -> None:
    told = []
    for step in steps:
        chosen = [pod for number, pod in enumerate(pods) if step.pods >> number & 1]
        if step.kind == "forget":
            for pod in chosen:
                pod.forget_states()
            continue
        user = users[step.player]
        command = await command_of(pods[0], user, step, [])
        for pod in chosen:
            own = command if isinstance(command, RedeemTicket) else structs.replace(command, entry_id=pod.new_id())
            told.append(pod.tell(user, own))
    for outcome in await asyncio.gather(*told, return_exceptions=True):
        assert not isinstance(outcome, BaseException) or isinstance(outcome, REFUSALS), outcome


async def folded(pod: Pod, users: Sequence[UserId], board: Board) -> dict[Place, Outcome]:
    """What a board's definition says, place by place, of everybody, banned or not."""
    found: dict[Place, Outcome] = {}
    for user in users:
        entries: list[Entry] = await history_of(pod.database, user)
        for place, standing in naive(entries, [board]).items():
            found.setdefault(place, {})[user] = standing
    return found


async def banned(pod: Pod) -> set[str]:
    rows = await pod.database.rows("SELECT id::text FROM players WHERE banned_until IS NOT NULL")
    return {row["id"] for row in rows}


def ranked(outcome: Outcome) -> list[Row]:
    return sorted((Row(user, *standing) for user, standing in outcome.items()), key=sort_key, reverse=True)


async def assert_folds(pods: Sequence[Pod], users: Sequence[UserId]) -> None:
    """Every period in SQL and every present one in Redis."""
    database, hidden = pods[0].database, await banned(pods[0])
    for board in pods[0].epochs.boards:
        expected = {
            place: ranked({user: standing for user, standing in outcome.items() if user not in hidden})
            for place, outcome in (await folded(pods[0], users, board)).items()
        }
        for place, rows in expected.items():
            assert await standings.page(database, *place, 100) == rows, place
        await assert_in_redis(pods[0], board, expected)


async def assert_in_redis(pod: Pod, board: Board, expected: Mapping[Place, list[Row]]) -> None:
    """That Redis comes to show the present period, whichever that is by then."""
    deadline = time.monotonic() + 5
    while True:
        present = board.period_at(pod.clock.now_ms())
        assert present is not None
        place = (board.key, present.period_id)
        shown = await pod.rows_in_redis(place) if pod.epochs.get(place) else None
        if shown == expected.get(place, []):
            return
        assert time.monotonic() < deadline, (place, shown, expected.get(place))
        await pod.look()


async def assert_freezes(world: World, users: Sequence[UserId], frozen: dict[tuple[str, str], Outcome]) -> None:
    """Results are frozen once, as the ledger has them; a void makes a revision of them, and nothing else does."""
    pods, database = world.pods, world.pods[0].database
    await world.hear(0, 1)
    await world.settle()
    await world.clock.advance(SETTLED_MS, *pods)
    await world.repairs[0].pass_once()
    settled = pods[0].clock.now_ms() - SETTLED_MS
    hidden = await banned(pods[0])
    due = {
        (board.board_id, period.period_id)
        for board in pods[0].epochs.boards
        for period in await periods.due(database, board, settled)
    }
    for freezer in world.freezers:
        freezer._look_from.clear()
    await asyncio.gather(*(freezer.pass_once() for freezer in world.freezers))
    rules = {board.board_id: board for board in pods[0].epochs.boards}
    for board_id, period in due:
        board = rules[BoardId(board_id)]
        outcome = (await folded(pods[0], users, board)).get((board.key, period), {})
        frozen[board_id, period] = {user: standing for user, standing in outcome.items() if user not in hidden}
    listed = {
        (board_id, one.period.period_id): one
        for board_id in rules
        for one in await periods.results(database, board_id, 1_000)
    }
    assert listed.keys() == frozen.keys()
    for (board_id, period), first in frozen.items():
        original = await periods.result(database, board_id, period, 1)
        assert original is not None
        assert await periods.page(database, original, 100) == ranked(first)
        latest = listed[board_id, period]
        revision = await database.rows(
            "SELECT board_revision, rules::text FROM results r JOIN board_revisions b "
            "ON b.board_id = r.board_id AND b.revision = r.board_revision WHERE r.id = $1",
            latest.result_id,
        )
        made_by = periods.ruled(board_id, revision[0]["board_revision"], revision[0]["rules"])
        now = (await folded(pods[0], users, made_by)).get((made_by.key, period), {})
        expected = ranked({user: now[user] for user in first if user in now})
        assert await periods.page(database, latest, 100) == expected, (board_id, period)
        assert latest.players == len(expected)
        assert latest.revision > 1 or expected == ranked(first)
