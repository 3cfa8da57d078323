"""What becomes of proposals in one statement: together, cut off, too old, or without a reply."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from actors.errors import KeyConflict
from actors.messages import AdjustScore, Award, RedeemTicket
from models import ledger
from models.database import Database, Transaction
from models.errors import DatabaseUnavailable, ModelError
from models.ids import UserId
from models.proposal import IdempotencyKey
from models.snapshot import Question, Snapshot
from tests.actors.scene import POINTS, assert_same_everywhere, gated, redeem
from tests.pods import AWAIT_SECONDS, Pod, history_of, new_players

STALE_MS = 11_000
"""A second more than a stamp may be old."""


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
    monkeypatch.setattr("actors.users.DEADLINE_SECONDS", AWAIT_SECONDS)  # a deadlock is looked for after a second
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


async def test_a_statement_that_waits_for_a_lock_does_not_hold_up_the_others(
    pod: Pod, database: Database, database_url: str
) -> None:
    locked, *others = await new_players(database, 4)
    holder = await asyncpg.connect(database_url)
    try:
        await holder.execute("BEGIN")
        await holder.execute(ledger.LOCK, locked)
        waiting = pod.users.tell(locked, RedeemTicket(pod.ticket(locked, "run")))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(1):
            await asyncio.gather(*(redeem(pod, other) for other in others))
        assert not waiting.done()
    finally:
        await holder.close()
    assert (await waiting).entry.score_after == POINTS
