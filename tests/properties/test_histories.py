"""Any history, made by two pods at once, folds to the same boards everywhere."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from actors.errors import EntryUnknown, KeyConflict, PlayerUnknown, ScoreExists, ScoreOutOfRange, Unchanged
from actors.messages import (
    AdjustScore,
    Award,
    BanPlayer,
    Command,
    ErasePlayer,
    Expected,
    JoinGroup,
    LeaveGroup,
    MoveRegion,
    RedeemTicket,
    SetScore,
    UnbanPlayer,
    VoidEntry,
)
from models import catalogue
from models.board import GLOBAL, Board, Fold, Place, Window
from models.entry import FOREVER_MS, MAX_SCORE, SCORING, Entry, Kind
from models.ids import BoardId, UserId
from models.proposal import IdempotencyKey
from models.ranking import Row, sort_key
from models.state import PlayerState, Standing, fold_history
from tests.pods import CHAIN, Pod, awaited, history_of, migrated, new_players, simple_catalogue
from tickets.errors import TicketError

PLAYERS = 3
POINTS = {"run": 10, "swim": 3, "rest": 0, "climb": 1_000_000_000}
REFUSALS = (TicketError, EntryUnknown, KeyConflict, PlayerUnknown, ScoreExists, ScoreOutOfRange, Unchanged)
"""What a command may be answered with; never Busy: the deadline is far away."""
RUN_ID = int(time.time()) % 1_000_000_000

BOARDS = [
    Board(GLOBAL, RUN_ID, "All", Fold.SUM, Window.ALL),
    Board(BoardId("weekly"), RUN_ID, "Week", Fold.SUM, Window.WEEK, time_zone="Pacific/Auckland"),
    Board(BoardId("best"), RUN_ID, "Best", Fold.BEST, Window.MONTH),
    Board(BoardId("last"), RUN_ID, "Last", Fold.LAST, Window.DAY, time_zone="America/New_York"),
    Board(BoardId("runs"), RUN_ID, "Runs", Fold.SUM, Window.ALL, actions=frozenset({"run", "rest"})),
    Board(BoardId("north"), RUN_ID, "North", Fold.SUM, Window.ALL, region="north"),
    Board(BoardId("null"), RUN_ID, "Group", Fold.BEST, Window.ALL, group="null"),
]


@dataclass(frozen=True)
class Step:
    """One command, `pods` says who is told: both at once, or one."""

    kind: str
    player: int
    value: int
    pods: int


@dataclass
class World:
    """Two pods over one database, and the loop they run on."""

    runner: asyncio.Runner
    pods: list[Pod]


@pytest.fixture(scope="module")
def world(database_url: str, redis_url: str) -> Iterator[World]:
    with asyncio.Runner() as runner:

        async def build() -> list[Pod]:
            database = await migrated(database_url, simple_catalogue(POINTS))
            known = await catalogue.load(database)
            return [await Pod(database, redis_url, BOARDS, known).start() for _ in range(2)]

        pods = runner.run(build())
        yield World(runner, pods)

        async def end() -> None:
            for pod in pods:
                await pod.stop()
            await pods[0].database.close()

        runner.run(end())


STEP = st.builds(
    Step,
    st.sampled_from(
        [
            "redeem",
            "redeem",
            "redeem",
            "adjust",
            "set",
            "award",
            "void",
            "void",
            "ban",
            "unban",
            "move",
            "again",
            "forget",
            "erase",
        ]
    ),
    st.integers(0, PLAYERS - 1),
    st.integers(0, 11),
    st.integers(1, 3),
)
HISTORY = st.lists(st.lists(STEP, min_size=1, max_size=5), min_size=1, max_size=7)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(HISTORY)
def test_any_history_folds_to_the_same_boards_everywhere(world: World, history: list[list[Step]]):
    world.runner.run(check(world.pods, history))


async def check(pods: Sequence[Pod], history: list[list[Step]]) -> None:
    users = await new_players(pods[0].database, PLAYERS)
    spent: list[Command] = []
    for burst in history:
        calls = [call async for call in commands(pods, users, burst, spent)]
        told = (pod.tell(user, command) for pod, user, command in calls)
        for outcome in await asyncio.gather(*told, return_exceptions=True):
            assert not isinstance(outcome, BaseException) or isinstance(outcome, REFUSALS), outcome
    await assert_everything_agrees(pods, users)


async def commands(pods: Sequence[Pod], users: Sequence[UserId], burst: Sequence[Step], spent: list[Command]):
    """The calls of one burst; they are made all at once."""
    for step in burst:
        user = users[step.player]
        told = [pod for number, pod in enumerate(pods) if step.pods >> number & 1]
        if step.kind == "forget":
            for pod in told:
                pod.forget_states()
            continue
        command = await command_of(pods[0], user, step, spent)
        if isinstance(command, RedeemTicket):
            spent.append(command)
        for pod in told:
            # As the routes do: each request has an entry id of its own, only tickets and keys are shared.
            own = command if isinstance(command, RedeemTicket) else structs.replace(command, entry_id=pod.new_id())
            yield pod, user, own


async def command_of(pod: Pod, user: UserId, step: Step, spent: list[Command]) -> Command:
    new = pod.new_id()
    match step.kind:
        case "adjust":
            delta = (1, -1, 0, 17, -40, MAX_SCORE, -MAX_SCORE, 5, -5, 2, -2, 3)[step.value]
            return AdjustScore(new, delta, "because", "test", key("adjust", new))
        case "set":
            score = (0, 1, 250, -3)[step.value % 4]
            expected = list(Expected)[step.value // 4]
            return SetScore(new, score, expected, "because", "test", key("set", new))
        case "erase" if step.value == 11:
            return ErasePlayer(new, "test")
        case "award":
            revised = pod.revised(list(POINTS)[step.value % len(POINTS)])
            return Award(new, revised, step.value - 3, "because", "test", key("award", new))
        case "void":
            entries = [entry for entry in await history_of(pod.database, user) if entry.kind in SCORING]
            if entries:
                return VoidEntry(new, entries[step.value % len(entries)], "because", "test")
        case "ban":
            return BanPlayer(new, FOREVER_MS, "because", "test")
        case "unban":
            return UnbanPlayer(new, "test")
        case "move":
            region = (None, "north", "south")[step.value % 3]
            group = ("null", "red")[step.value // 3 % 2]
            changes = (MoveRegion(new, region, "test"), JoinGroup(new, group, "test"), LeaveGroup(new, group, "test"))
            return changes[step.value // 4]
        case "again" if spent:
            command = spent[step.value % len(spent)]
            if isinstance(command, RedeemTicket) and command.ticket.user_id == user:
                return command
    return RedeemTicket(pod.ticket(user, list(POINTS)[step.value % len(POINTS)]))


def key(scope: str, name: str) -> IdempotencyKey:
    return IdempotencyKey(scope, name, b"same")


async def assert_everything_agrees(pods: Sequence[Pod], users: Sequence[UserId]) -> None:
    database = pods[0].database
    folded: dict[UserId, PlayerState] = {}
    for user in users:
        entries = await history_of(database, user)
        await assert_sound(pods[0], user, entries)
        folded[user] = fold_history(user, entries, BOARDS)
        assert present(folded[user]) == naive(entries), entries
        for pod in pods:
            held = pod.state_of(user)
            if held is not None:
                prefix = fold_history(user, entries[: held.version], BOARDS)
                assert present(held) == present(prefix)
                assert (held.score, held.banned_until) == (prefix.score, prefix.banned_until)
                assert held.actions == prefix.actions
    for pod in pods:
        await pod.settler.flush()
    for place in {place for _, place in pods[0].present()}:
        expected = [Row(user, *standing) for user in users if (standing := folded[user].visible(place)) is not None]
        expected.sort(key=sort_key, reverse=True)
        assert await rows_in_sql(pods[0], place, users) == expected
        await assert_redis(pods, place, users, expected)


async def assert_sound(pod: Pod, user: UserId, entries: Sequence[Entry]) -> None:
    """Versions without gaps, sums, the chain, and the player's own row."""
    rows = await pod.database.rows("SELECT version, score, last_hash FROM players WHERE id = $1", user)
    seals = await pod.database.rows("SELECT hash, audit_key FROM ledger WHERE user_id = $1 ORDER BY user_version", user)
    assert [entry.user_version for entry in entries] == list(range(1, len(entries) + 1))
    sums = list(itertools.accumulate(entry.delta for entry in entries))
    assert [entry.score_after for entry in entries] == sums
    assert rows[0]["version"] == len(entries)
    assert rows[0]["score"] == (sums[-1] if sums else 0)
    previous = None
    for entry, seal in zip(entries, seals, strict=True):
        assert CHAIN.holds(previous, entry, seal["audit_key"], seal["hash"])
        previous = seal["hash"]
    assert rows[0]["last_hash"] == previous


def present(state: PlayerState) -> dict[Place, Standing]:
    return {place: standing for place, standing in state.standings.items() if standing is not None}


def naive(entries: Sequence[Entry], boards: Sequence[Board] = BOARDS) -> dict[Place, Standing]:
    """The boards' definition, word for word, entry by entry."""
    voided = {entry.target_id for entry in entries if entry.kind == "void"}
    found: dict[Place, Standing] = {}
    for board in boards:
        counting: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.kind not in ("redeem", "award", "adjust") or entry.entry_id in voided:
                continue
            if entry.kind == "adjust" and (board.fold != "sum" or board.actions is not None):
                continue
            if board.actions is not None and entry.action_id not in board.actions:
                continue
            if board.region not in (None, entry.region) or (board.group and board.group not in entry.groups):
                continue
            if period := board.period_at(entry.effective_at):
                counting.setdefault(period.period_id, []).append(entry)
        for period, counted in counting.items():
            found[(board.key, period)] = _score(board, counted)
    return found


def _score(board: Board, counted: Sequence[Entry]) -> Standing:
    match board.fold:
        case "sum":
            contributing = [counted[0], *(entry for entry in counted if entry.delta)]
            return Standing(sum(entry.delta for entry in counted), contributing[-1].effective_at)
        case "best":
            best = max(entry.delta for entry in counted)
            return Standing(best, next(entry.effective_at for entry in counted if entry.delta == best))
        case _:
            return Standing(counted[-1].delta, counted[-1].effective_at)


async def rows_in_sql(pod: Pod, place: Place, users: Sequence[UserId]) -> list[Row]:
    found = await pod.database.rows(
        """
        SELECT user_id::text, score, reached_at FROM standings
        WHERE board_key = $1 AND period = $2 AND user_id = ANY($3::uuid[]) AND present AND NOT hidden
        ORDER BY score DESC, reached_at, user_id DESC
        """,
        *place,
        list(users),
    )
    return [Row(UserId(row["user_id"]), row["score"], row["reached_at"]) for row in found]


async def assert_redis(pods: Sequence[Pod], place: Place, users: Sequence[UserId], expected: list[Row]) -> None:
    await awaited(lambda: not any(pod.mirror.pending for pod in pods))
    deadline = time.monotonic() + 5
    while True:
        found = [row for row in await pods[0].rows_in_redis(place) if row.user_id in users]
        if found == expected:
            return
        assert time.monotonic() < deadline, (place, found, expected)
        await asyncio.sleep(0.01)


def test_the_same_ticket_on_both_pods_counts_once(world: World):
    async def race() -> None:
        (user,) = await new_players(world.pods[0].database, 1)
        tickets = [world.pods[0].ticket(user, "run") for _ in range(20)]
        told = [pod.tell(user, RedeemTicket(ticket)) for ticket in tickets for pod in world.pods]
        outcomes = await asyncio.gather(*told)
        assert sum(not outcome.replayed for outcome in outcomes) == 20
        entries = await history_of(world.pods[0].database, user)
        assert {entry.entry_id for entry in entries} == {ticket.ticket_id for ticket in tickets}
        assert entries[-1].score_after == 200
        assert all(entry.kind is Kind.REDEEM for entry in entries)
        await assert_everything_agrees(world.pods, [user])

    world.runner.run(race())


def test_standings_and_memo_are_written_in_one_instant(world: World):
    """Between the two a reader would count the entries after the memo twice."""

    async def settle() -> None:
        pod = world.pods[0]
        (user,) = await new_players(pod.database, 1)
        await pod.tell(user, RedeemTicket(pod.ticket(user, "run")))
        await pod.settler.flush()
        rows = await pod.database.rows(
            "SELECT xmin::text AS written FROM standings WHERE user_id = $1 "
            "UNION SELECT xmin::text FROM player_memos WHERE user_id = $1",
            user,
        )
        assert len(rows) == 1, "standings and memo of one settlement come from different transactions"

    world.runner.run(settle())
