"""A standing that an entry does not move is neither sent nor written again, and is found when it was lost."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from actors.behind import behind
from actors.keys import keys_of, pointer_of
from actors.messages import RedeemTicket
from actors.ordering import ScriptCall
from actors.repair import Repair
from models import boards, catalogue, standings
from models.board import Board, Fold, Place, Window
from models.database import Database
from models.ids import BoardId, UserId
from models.ranking import Row
from tests.pods import Pod, awaited, migrated, new_players, simple_catalogue
from tests.shifted_clock import ShiftedClock

LITTLE, MUCH = 10, 50
REDIS_NUMBER = 11
LONG_MS = 60_000
"""Longer than the marks stay behind."""
BEST = Board(BoardId("best"), 1, "Best", Fold.BEST, Window.ALL)
PLACE: Place = (BEST.key, "all")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await (await migrated(database_url, simple_catalogue({"little": LITTLE, "much": MUCH}))).close()
    await ShiftedClock.install(database_url)
    database = await migrated(database_url)
    yield database
    await database.close()


@pytest.fixture
async def pod(database: Database, redis_url: str) -> AsyncIterator[Pod]:
    known, defined = await catalogue.load(database), await boards.load(database)
    pod = Pod(database, f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}", (*defined, BEST), known)
    await pod.ordering.redis.flushdb()
    await pod.start()
    yield pod
    await pod.stop()


@pytest.fixture
async def user(database: Database) -> UserId:
    return (await new_players(database, 1))[0]


async def redeem(pod: Pod, user: UserId, action: str) -> Row:
    """A redemption, and the row it makes if it is the best."""
    outcome = await pod.tell(user, RedeemTicket(pod.ticket(user, action)))
    await awaited(lambda: not pod.mirror.pending)
    return Row(user, outcome.entry.delta, outcome.entry.at)


async def version_in_redis(pod: Pod, place: Place, user: UserId) -> int:
    epoch = pod.epochs.get(place)
    assert epoch is not None
    mark = await pod.ordering.redis.hget(keys_of(place, epoch.name).users, user)
    return int(str(mark).partition("|")[0])


async def version_in_postgres(pod: Pod, user: UserId) -> int:
    statement = "SELECT version FROM standings WHERE user_id = $1 AND board_key = $2"
    return int((await pod.database.rows(statement, user, BEST.key))[0]["version"])


async def best_of(pod: Pod, user: UserId) -> list[Row]:
    return [row for row in await pod.rows_in_redis(PLACE) if row.user_id == user]


async def is_behind(pod: Pod, user: UserId) -> bool:
    """Whether the repair would send this player again."""
    epoch = pod.epochs.get(PLACE)
    assert epoch is not None
    keys = keys_of(PLACE, epoch.name)
    young = await standings.young(pod.database, 0, pod.clock.now_ms() + LONG_MS)
    return user in await behind(pod.database, pod.ordering.redis, BEST, PLACE, keys, young)


async def repair(pod: Pod) -> None:
    parts = (pod.database, pod.ordering, pod.epochs, pod.clock, pod.loader, pod.mirror, pod.settler)
    await Repair(*parts, "pod").pass_once()


async def test_only_what_moved_is_sent_and_written(pod: Pod, user: UserId):
    first = await redeem(pod, user, "much")
    await pod.settler.flush()
    for _ in range(2):
        await redeem(pod, user, "little")
        await pod.settler.flush()
    assert await version_in_redis(pod, PLACE, user) == 1
    assert await version_in_postgres(pod, user) == 1
    ((place, _),) = [(place, board) for board, place in pod.present() if board.board_id == "global"]
    assert await version_in_redis(pod, place, user) == 3
    assert await best_of(pod, user) == [first]
    pod.users.forget(user)
    better = await redeem(pod, user, "much")
    assert better.reached_at >= first.reached_at
    assert await best_of(pod, user) == [first], "as much again is reached later, which is no better"


async def test_a_best_that_stays_is_not_taken_for_lost(pod: Pod, user: UserId):
    """Written down at a later version than it was sent with, it is the same all the same."""
    await redeem(pod, user, "little")
    await redeem(pod, user, "little")
    await pod.settler.flush()
    assert (await version_in_redis(pod, PLACE, user), await version_in_postgres(pod, user)) == (1, 2)
    assert not await is_behind(pod, user)


@pytest.mark.parametrize("settled", [True, False])
async def test_a_best_that_was_not_sent_is_found(pod: Pod, user: UserId, settled: bool):
    old = await redeem(pod, user, "little")
    await pod.settler.flush()
    await repair(pod)  # leaves a mark to go on from
    await pod.stop_mirror()
    new = Row(user, MUCH, (await pod.tell(user, RedeemTicket(pod.ticket(user, "much")))).entry.at)
    await pod.tell(user, RedeemTicket(pod.ticket(user, "little")))
    if settled:
        await pod.settler.flush()
        assert await is_behind(pod, user)
    assert await best_of(pod, user) == [old]
    await ShiftedClock(pod.database).advance(LONG_MS, pod)
    await repair(pod)
    assert await best_of(pod, user) == [new]
    assert not await is_behind(pod, user)


async def test_answers_do_not_wait_for_other_boards(pod: Pod, user: UserId, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("actors.mirror.REST_A_CALL_SECONDS", 60)
    monkeypatch.setattr("actors.mirror.LONGEST_REST_SECONDS", 60)
    await redeem(pod, user, "little")
    outcome = await pod.tell(user, RedeemTicket(pod.ticket(user, "much")))
    assert outcome.position is not None
    assert pod.mirror.pending > 0
    assert [row.score for row in await best_of(pod, user)] == [LITTLE]


async def test_a_lone_redemption_is_sent_to_all_boards_together(
    pod: Pod, user: UserId, monkeypatch: pytest.MonkeyPatch
):
    """Else who reads the streams of all at once would find it on some boards, and on the others a frame later."""
    sent: list[set[str]] = []
    run = pod.ordering.run

    async def noted(calls: Sequence[ScriptCall]) -> list[list[Any]]:
        sent.append({keys[0] for _, keys, _ in calls})
        return await run(calls)

    monkeypatch.setattr(pod.ordering, "run", noted)
    await redeem(pod, user, "little")
    assert sent == [{pointer_of(place) for _, place in pod.present()}]
