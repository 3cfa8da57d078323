"""Interleavings that break designs like this one, each with its steps forced."""

import asyncio
from typing import Any

import pytest

from actors.errors import Busy, KeyConflict, MailboxFull
from actors.keys import MIRROR_MARK, keys_of
from actors.messages import AdjustScore, BanPlayer, RedeemTicket, UnbanPlayer, VoidEntry
from actors.rebuilder import SAFETY_MS, SETTLED_MARK
from actors.repair import SETTLE_GRACE_MS, Repair
from models import marks, standings
from models.board import Board
from models.database import Database
from models.entry import FOREVER_MS, Kind
from models.ids import UserId
from models.proposal import IdempotencyKey
from tests.actors.scene import POINTS, assert_same_everywhere, gated, place_of, redeem, score_in_redis
from tests.pods import Pod, awaited, history_of, new_players
from tickets.errors import PlayerBanned

FIRST = 1_000_000
"""More than anybody has."""


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
