"""Interleavings that break designs like this one, each with its steps forced."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from actors.errors import Busy, KeyConflict, MailboxFull
from actors.keys import MIRROR_MARK, USER_CHANNEL, keys_of
from actors.messages import AdjustScore, Award, BanPlayer, RedeemTicket, UnbanPlayer, VoidEntry
from actors.rebuilder import SAFETY_MS, SETTLED_MARK
from actors.repair import SETTLE_GRACE_MS, Repair
from models import boards, catalogue, ledger, marks, standings
from models.board import Board, Place
from models.database import Database, Transaction
from models.entry import FOREVER_MS, Kind
from models.errors import DatabaseUnavailable, ModelError
from models.ids import UserId
from models.proposal import IdempotencyKey
from models.snapshot import Question, Snapshot
from models.state import Standing, fold_history
from tests.pods import AWAIT_SECONDS, Pod, awaited, history_of, migrated, new_players, simple_catalogue
from tickets.errors import PlayerBanned

POINTS = 10
FIRST = 1_000_000
"""More than anybody has."""
STALE_MS = 11_000
"""A second more than a stamp may be old."""


@dataclass
class Gate:
    """The database, with a door before and after the one statement."""

    database: Database
    before: asyncio.Event = field(default_factory=asyncio.Event)
    after: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    lose_reply: bool = False

    async def hot(self, statement: str, *values: Any) -> Any:
        if statement is not ledger.COMMIT:
            return await self.database.hot(statement, *values)
        self.arrived.set()
        await self.before.wait()
        rows = await self.database.hot(statement, *values)
        self.committed.set()
        await self.after.wait()
        if self.lose_reply:
            self.lose_reply = False
            raise DatabaseUnavailable("the reply was lost")
        return rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)


def gated(pod: Pod, *, before: bool = False, after: bool = False) -> Gate:
    """Puts doors around a pod's statement, closed where said."""
    gate = Gate(pod.database)
    for door, closed in ((gate.before, before), (gate.after, after)):
        if not closed:
            door.set()
    pod.committer._database = gate  # type: ignore[assignment]
    return gate


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url, simple_catalogue({"run": POINTS, "jump": 3}))
    yield database
    await database.close()


@pytest.fixture
async def pods(database: Database, redis_url: str) -> AsyncIterator[list[Pod]]:
    """Three pods over the same servers, Redis empty."""
    known, defined = await catalogue.load(database), await boards.load(database)
    made = [Pod(database, redis_url, defined, known) for _ in range(3)]
    await made[0].ordering.redis.flushdb()
    for pod in made:
        await pod.start()
    yield made
    for pod in made:
        await pod.stop()


@pytest.fixture
async def user(database: Database) -> UserId:
    return (await new_players(database, 1))[0]


async def redeem(pod: Pod, user: UserId, action: str = "run"):
    return await pod.tell(user, RedeemTicket(pod.ticket(user, action)))


def place_of(pod: Pod, board_id: str) -> Place:
    return next(place for board, place in pod.present() if board.board_id == board_id)


async def score_in_redis(pod: Pod, place: Place, user: UserId) -> int:
    return next(row.score for row in await pod.rows_in_redis(place) if row.user_id == user)


async def assert_same_everywhere(pod: Pod, user: UserId) -> None:
    """The ledger's fold, the actor and Redis agree about a player on every board."""
    history = await history_of(pod.database, user)
    folded = fold_history(user, history, pod.epochs.boards)
    assert [entry.user_version for entry in history] == list(range(1, len(history) + 1))
    state = pod.state_of(user)
    for _, place in pod.present():
        expected = folded.visible(place)
        # An actor may be behind until its next change; what it holds is true of its version.
        assert state is None or state.version < len(history) or state.visible(place) == expected
        await awaited(lambda: pod.mirror.pending == 0)
        assert await _standing_in_redis(pod, place, user, expected) == expected, place


async def _standing_in_redis(pod: Pod, place: Place, user: UserId, expected: Standing | None) -> Standing | None:
    """What Redis has of a player, once nothing is on its way there any more, of this pod or another."""
    found = None
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            while True:
                rows = {row.user_id: Standing(row.score, row.reached_at) for row in await pod.rows_in_redis(place)}
                found = rows.get(user)
                if found == expected:
                    break
                await asyncio.sleep(0.01)
    return found


async def test_a_reload_after_a_loss_takes_the_other_pods_totals_along(pods: list[Pod], user: UserId) -> None:
    first, second, _ = pods
    await redeem(first, user)
    for _ in range(3):
        await redeem(second, user)
    outcome = await redeem(first, user)
    assert first.users.conflicts == 1
    assert (outcome.entry.score_after, outcome.entry.user_version) == (5 * POINTS, 5)
    state = first.state_of(user)
    assert state is not None
    for board_id in ("global", "weekly"):
        assert state.standings[place_of(first, board_id)].score == 5 * POINTS  # type: ignore[union-attr]
    await assert_same_everywhere(first, user)


async def test_a_ban_committed_first_beats_a_redemption_under_way(pods: list[Pod], user: UserId) -> None:
    first, second, _ = pods
    await redeem(first, user)
    gate = gated(first, before=True)
    under_way = asyncio.create_task(redeem(first, user))
    await gate.arrived.wait()
    await second.tell(user, BanPlayer(second.new_id(), FOREVER_MS, "cheated", "an admin"))
    gate.before.set()
    with pytest.raises(PlayerBanned):
        await under_way
    assert [entry.kind for entry in await history_of(first.database, user)] == [Kind.REDEEM, Kind.BAN]
    await assert_same_everywhere(first, user)


async def test_an_unban_elsewhere_is_noticed(pods: list[Pod], user: UserId) -> None:
    first, second, _ = pods
    await redeem(first, user)
    await first.tell(user, BanPlayer(first.new_id(), FOREVER_MS, "cheated", "an admin"))
    with pytest.raises(PlayerBanned):
        await redeem(first, user)
    await second.tell(user, UnbanPlayer(second.new_id(), "an admin"))
    outcome = await redeem(first, user)
    assert outcome.entry.score_after == 2 * POINTS
    await assert_same_everywhere(first, user)


async def test_a_banned_player_still_gets_what_is_recorded(pods: list[Pod], user: UserId) -> None:
    first, second, _ = pods
    ticket = first.ticket(user, "run")
    before = await first.tell(user, RedeemTicket(ticket))
    await second.tell(user, BanPlayer(second.new_id(), FOREVER_MS, "cheated", "an admin"))
    for pod in pods:
        again = await pod.tell(user, RedeemTicket(ticket))
        assert (again.replayed, again.entry) == (True, before.entry)


async def test_repair_finds_what_was_committed_without_mirror(pods: list[Pod], user: UserId) -> None:
    dying, living, _ = pods
    await redeem(living, user)
    await dying.stop_mirror()  # dies between commit and mirror, and never settles
    outcome = await redeem(dying, user)
    assert outcome.position is None
    place = place_of(living, "global")
    assert await score_in_redis(living, place, user) == POINTS
    repair = Repair(
        living.database,
        living.ordering,
        living.epochs,
        living.clock,
        living.loader,
        living.mirror,
        living.settler,
        "living",
    )
    living.clock.offset_ms += SETTLE_GRACE_MS + 1_000
    await repair.pass_once()
    assert await score_in_redis(living, place, user) == 2 * POINTS
    for board_key, period in (place, place_of(living, "weekly")):
        rows = await standings.page(living.database, board_key, period, 100)
        assert [row.score for row in rows if row.user_id == user] == [2 * POINTS]
    assert await living.ordering.redis.get(MIRROR_MARK) is not None
    assert await repair.pass_once() == 0


async def test_repair_catches_up_after_redis_was_away_for_ten_minutes(
    pods: list[Pod], user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.repair.STRETCH_MS", 600_000)
    pod = pods[0]
    await redeem(pod, user)
    await pod.stop_mirror()
    await redeem(pod, user)
    await pod.settler.flush()
    ago = "UPDATE ledger SET at = at - interval '10 minutes' WHERE user_id = $1"
    await pod.database.rows(ago, user)
    now = pod.clock.now_ms()
    await marks.advance(pod.database, SETTLED_MARK, now - 30_000)  # the standings were kept up all the while
    await pod.ordering.redis.set(MIRROR_MARK, now - 630_000)
    repair = Repair(pod.database, pod.ordering, pod.epochs, pod.clock, pod.loader, pod.mirror, pod.settler, "a pod")
    await repair.pass_once()
    for board_id in ("global", "weekly"):
        assert await score_in_redis(pod, place_of(pod, board_id), user) == 2 * POINTS
    # So long an outage is looked through in stretches, and the next one follows at once.
    assert int(await pod.ordering.redis.get(MIRROR_MARK)) == now - 30_000 - SAFETY_MS
    assert repair.is_hurried
    await repair.pass_once()
    assert int(await pod.ordering.redis.get(MIRROR_MARK)) > now - 30_000


async def test_a_rebuild_during_live_changes_loses_none(pods: list[Pod], database: Database) -> None:
    players = await new_players(database, 8)
    first, second, third = pods
    place = place_of(first, "global")
    done = asyncio.Event()

    async def play(pod: Pod, mine: list[UserId]) -> int:
        count = 0
        while not done.is_set():
            for user in mine:
                await redeem(pod, user)
                count += 1
        return count

    playing = [asyncio.create_task(play(pod, players[i::2])) for i, pod in enumerate((first, second))]
    epochs = set()
    for _ in range(6):
        pointer = third.epochs.get(place)
        assert pointer is not None
        epochs.add(await third.rebuilder.rebuild(place, pointer.name))
        for pod in (third, first, second):
            await pod.watch.look()
    done.set()
    played = sum(await asyncio.gather(*playing))
    assert len(epochs) == 6
    await awaited(lambda: not any(pod.mirror.pending for pod in pods))
    rows = {row.user_id: row.score for row in await third.rows_in_redis(place)}
    assert sum(rows[user] for user in players) == played * POINTS
    for user in players:
        await assert_same_everywhere(third, user)


async def test_what_comes_after_the_switch_of_a_rebuild_is_numbered(
    pods: list[Pod], user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a pod that has adopted the new epoch would hold other rows under the same number."""
    one, other = pods[:2]
    place = place_of(one, "global")
    catch_up = one.rebuilder._catch_up

    async def interrupted(*given: Any, filling: bool) -> None:
        if not filling:
            await other.watch.look()
            await other.stop_mirror()
            await other.tell(user, AdjustScore(other.new_id(), FIRST, "r", "admin", None))
        await catch_up(*given, filling=filling)

    monkeypatch.setattr(one.rebuilder, "_catch_up", interrupted)
    epoch = await one.rebuilder.rebuild(place, one.epochs.get(place).name)
    assert other.epochs.get(place).name == epoch
    assert await score_in_redis(other, place, user) == FIRST
    assert await one.ordering.redis.hget(keys_of(place, epoch).meta, "version") == "1"
    assert await one.ordering.redis.pttl(keys_of(place, epoch).stream) > 0


async def test_a_hidden_player_is_told_their_score_all_the_same(pods: list[Pod], user: UserId) -> None:
    pod = pods[0]
    await redeem(pod, user)
    await pod.tell(user, BanPlayer(pod.new_id(), FOREVER_MS, "r", "admin", None))
    async with pod.ordering.redis.pubsub() as heard:
        await heard.subscribe(USER_CHANNEL + user)
        await heard.get_message(timeout=1)
        await pod.tell(user, AdjustScore(pod.new_id(), 5, "r", "admin", None))
        message = await heard.get_message(timeout=2)
    assert message is not None
    assert message["data"].split(" ")[:4] == ["3", str(POINTS + 5), "0", "5"]


async def test_an_answer_that_was_given_before_its_transaction_failed_is_given_once(
    pods: list[Pod], user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Refused:
        """Decides on its locked state that nothing has to be written, and is at its next request then."""

        since = 0.0

        def question(self) -> Question:
            return Question(user)

        def decide_locked(self, found: Snapshot) -> None:
            told.append("answered")

        def lost(self) -> None:
            told.append("lost")

        def failed(self, error: ModelError) -> None:
            told.append("failed")

    committer, real = pods[0].committer, pods[0].database.transaction

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Transaction]:
        async with real() as found:
            yield found
        raise DatabaseUnavailable("the reply of the COMMIT was lost")

    monkeypatch.setattr(pods[0].database, "transaction", transaction)
    await committer._write_locked(Refused())
    assert told == ["answered"]


async def test_a_handler_cancelled_while_its_change_commits(pods: list[Pod], user: UserId) -> None:
    pod, other, _ = pods
    gate = gated(pod, after=True)
    ticket = pod.ticket(user, "run")
    reply = pod.users.tell(user, RedeemTicket(ticket))
    await gate.committed.wait()
    reply.cancel()
    gate.after.set()
    outcome = await redeem(pod, user)  # the actor went on, knowing what was committed
    assert (outcome.entry.score_after, pod.users.conflicts) == (2 * POINTS, 0)
    again = await other.tell(user, RedeemTicket(ticket))
    assert (again.replayed, again.entry.score_after) == (True, POINTS)


async def test_a_lost_reply_is_unknown_and_the_retry_gets_the_result(pods: list[Pod], user: UserId) -> None:
    pod, _, _ = pods
    gate = gated(pod)
    gate.lose_reply = True
    ticket = pod.ticket(user, "run")
    with pytest.raises(DatabaseUnavailable):
        await pod.tell(user, RedeemTicket(ticket))
    again = await pod.tell(user, RedeemTicket(ticket))
    assert (again.replayed, again.entry.score_after) == (True, POINTS)
    assert len(await history_of(pod.database, user)) == 1


async def test_a_stamp_that_grew_old_on_its_way_is_put_anew(pods: list[Pod], user: UserId) -> None:
    pod = pods[0]
    gate = gated(pod, before=True)
    pod.clock.offset_ms -= STALE_MS
    ticket = pod.ticket(user, "run")
    under_way = pod.users.tell(user, RedeemTicket(ticket))
    await gate.arrived.wait()
    pod.clock.offset_ms += STALE_MS  # as if it had waited for so long
    now = pod.clock.now_ms()
    gate.before.set()
    outcome = await under_way
    assert (outcome.replayed, outcome.entry.score_after, pod.users.conflicts) == (False, POINTS, 1)
    assert outcome.entry.at >= now
    assert [entry.at for entry in await history_of(pod.database, user)] == [outcome.entry.at]


@asynccontextmanager
async def deadlocked(database: Database, url: str, user: UserId, key: IdempotencyKey) -> AsyncIterator[None]:
    """Somebody else has a key and wants the player's row, which whoever wants the key has; that one is cut off."""
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    other = await asyncpg.connect(url)
    try:
        await other.execute("BEGIN; SET LOCAL deadlock_timeout = '1min'")  # it is never the one that is cut off
        claim = "INSERT INTO idempotency_keys (scope, key, entry_id, request_hash) VALUES ($1, $2, $3, $4)"
        await other.execute(claim, key.scope, key.key, uuid4(), key.request_hash)
        yield
        async with asyncio.timeout(AWAIT_SECONDS):
            while not await database.rows(waits):
                await asyncio.sleep(0.002)
        await other.execute(ledger.LOCK, user)
    finally:
        await other.close()


@pytest.mark.parametrize("locking", [False, True])
async def test_what_the_database_cuts_off_in_a_deadlock_is_tried_again_and_counts_once(
    pods: list[Pod], database_url: str, user: UserId, monkeypatch: pytest.MonkeyPatch, locking: bool
) -> None:
    pod, other, _ = pods
    key = IdempotencyKey("award:a game", f"match-{user}", b"x" * 32)
    await redeem(pod, user)
    if locking:
        monkeypatch.setattr("actors.user.LOSSES_BEFORE_LOCKING", 1)
        await redeem(other, user)
    before = len(await history_of(pod.database, user))
    async with deadlocked(pod.database, database_url, user, key):
        under_way = pod.users.tell(user, Award(pod.new_id(), pod.revised("jump"), 5, "won", "a game", key))
    outcome = await under_way
    assert (outcome.replayed, outcome.entry.user_version) == (False, before + 1)
    assert pod.users.conflicts == 1 + locking
    assert len(await history_of(pod.database, user)) == before + 1
    await assert_same_everywhere(pod, user)


async def test_the_same_award_key_for_two_users_in_one_batch(pods: list[Pod], database: Database) -> None:
    pod = pods[0]
    one, two, bystander = await new_players(database, 3)
    for user in (one, two, bystander):
        await redeem(pod, user)  # loaded, so that all three propose at once
    key = IdempotencyKey("award:a game", "match-7", b"x" * 32)
    batches: list[int] = []
    pod.committer.observe = batches.append
    replies = [
        pod.users.tell(user, Award(pod.new_id(), pod.revised("jump"), 5, "won", "a game", key)) for user in (one, two)
    ]
    replies.append(pod.users.tell(bystander, RedeemTicket(pod.ticket(bystander, "run"))))
    outcomes = await asyncio.gather(*replies, return_exceptions=True)
    assert 3 in batches, "they have to meet in one statement"
    assert [type(outcome) for outcome in outcomes[:2]].count(KeyConflict) == 1
    assert outcomes[2].entry.score_after == 2 * POINTS  # type: ignore[union-attr]
    winner = one if not isinstance(outcomes[0], Exception) else two
    again = await pods[1].tell(winner, Award(pod.new_id(), pod.revised("jump"), 5, "won", "a game", key))
    assert again.replayed
    with pytest.raises(KeyConflict):
        other = IdempotencyKey(key.scope, key.key, b"y" * 32)
        await pods[1].tell(winner, Award(pod.new_id(), pod.revised("jump"), 6, "won", "a game", other))


async def test_a_void_while_its_period_is_being_read(pods: list[Pod], user: UserId) -> None:
    first, second, _ = pods
    doomed = (await redeem(first, user, "jump")).entry
    await redeem(first, user)
    gate = gated(first, after=True)
    void = first.users.tell(user, VoidEntry(first.new_id(), doomed, "a mistake", "an admin"))
    await gate.committed.wait()
    await redeem(second, user)  # reads and folds around the void before the first pod has heard of its own
    gate.after.set()
    outcome = await void
    assert (outcome.replayed, outcome.entry.delta) == (False, -3)
    await redeem(first, user)
    for pod in (first, second):
        await assert_same_everywhere(pod, user)
    again = await second.tell(user, VoidEntry(second.new_id(), doomed, "a mistake", "an admin"))
    assert (again.replayed, again.entry) == (True, outcome.entry)
    replayed = await second.tell(user, RedeemTicket(first.ticket(user, "jump")))
    assert not replayed.replayed


async def test_a_void_takes_effect_in_the_voided_entrys_period(pods: list[Pod], user: UserId) -> None:
    first, second, _ = pods
    old = (await redeem(first, user)).entry
    await redeem(first, user)
    week = 7 * 86_400_000
    moved = """
        UPDATE ledger SET at = at - interval '7 days', effective_at = effective_at - interval '7 days'
        WHERE entry_id = $1
    """
    await first.database.rows(moved, old.entry_id)
    (target,) = [e for e in await history_of(first.database, user) if e.entry_id == old.entry_id]
    weekly: Board = next(board for board in second.epochs.boards if board.board_id == "weekly")
    period = weekly.period_at(old.at - week)
    assert period is not None
    await second.tell(user, VoidEntry(second.new_id(), target, "a mistake", "an admin"))
    await second.settler.flush()
    state = second.state_of(user)
    assert state is not None
    assert state.standings[weekly.key, period.period_id] is None
    assert state.standings[place_of(second, "weekly")].score == POINTS  # type: ignore[union-attr]
    assert await standings.page(second.database, weekly.key, period.period_id, 1) == []


async def test_one_hot_player_on_three_pods_gets_every_point(pods: list[Pod], user: UserId) -> None:
    async def play(pod: Pod) -> list[int]:
        return [(await redeem(pod, user)).entry.user_version for _ in range(60)]

    versions = [version for played in await asyncio.gather(*map(play, pods)) for version in played]
    assert sorted(versions) == list(range(1, 181))
    await assert_same_everywhere(pods[1], user)


async def test_a_full_mailbox_is_an_answer_and_loses_nothing(pods: list[Pod], user: UserId) -> None:
    pod = pods[0]
    gate = gated(pod, before=True)
    tickets = [pod.ticket(user, "run") for _ in range(pod.users.mailbox_size + 1)]
    replies = [pod.users.tell(user, RedeemTicket(ticket)) for ticket in tickets]
    with pytest.raises(MailboxFull):
        pod.users.tell(user, RedeemTicket(pod.ticket(user, "run")))
    gate.before.set()
    outcomes = await asyncio.gather(*replies)
    assert outcomes[-1].entry.score_after == len(tickets) * POINTS


async def test_what_waits_past_its_deadline_is_told_busy(pods: list[Pod], user: UserId) -> None:
    pod = pods[0]
    gate = gated(pod, before=True)
    replies = [pod.users.tell(user, RedeemTicket(pod.ticket(user, "run"))) for _ in range(3)]
    await gate.arrived.wait()
    for actor in pod.users.active:
        actor.expire(pod.users.monotonic() + 10)
    for reply in replies:
        with pytest.raises(Busy):
            await reply
    gate.before.set()
    outcome = await redeem(pod, user)  # what was under way was done; what only waited was not
    assert outcome.entry.score_after == 2 * POINTS


async def test_one_bad_row_does_not_abort_the_batch(pods: list[Pod], database: Database) -> None:
    pod = pods[0]
    players = await new_players(database, 5)
    for user in players:
        await redeem(pod, user)
    bad = AdjustScore(pod.new_id(), 1, "a\x00b", "an admin")  # jsonb takes no NUL; the edge refuses it long before
    replies = [pod.users.tell(players[0], bad)]
    replies += [pod.users.tell(user, RedeemTicket(pod.ticket(user, "run"))) for user in players[1:]]
    outcomes = await asyncio.gather(*replies, return_exceptions=True)
    assert isinstance(outcomes[0], Exception)
    assert all(outcome.entry.score_after == 2 * POINTS for outcome in outcomes[1:])  # type: ignore[union-attr]
    assert (await redeem(pod, players[0])).entry.score_after == 2 * POINTS


async def test_a_key_whose_entry_is_archived_is_refused_and_counts_once(pods: list[Pod], user: UserId):
    """The key outlives the entry: what the entry said is no longer here, so the answer cannot be repeated."""
    pod = pods[0]
    key = IdempotencyKey("adjust", f"archived-{user}", b"1")
    first = await pod.tell(user, AdjustScore(pod.new_id(), 5, "gift", "admin", key))
    await pod.database.rows("DELETE FROM ledger WHERE entry_id = $1", first.entry.entry_id)
    for each in pods:
        with pytest.raises(KeyConflict, match="archive"):
            await each.tell(user, AdjustScore(each.new_id(), 5, "gift", "admin", key))
    rows = await pod.database.rows("SELECT version, score FROM players WHERE id = $1", user)
    assert rows == [{"version": 1, "score": 5}]
