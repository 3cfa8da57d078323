"""Moves on other boards wait for an epoch, what Redis did not take is sent again, and who is hidden is told too."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from actors.keys import USER_CHANNEL, pointer_of
from actors.messages import AdjustScore, BanPlayer, RedeemTicket
from actors.ordering import ScriptCall
from models import boards, catalogue
from models.board import Board, Fold, Place, Window
from models.entry import FOREVER_MS
from models.ids import BoardId, UserId
from tests.pods import Pod, awaited, migrated, new_players, simple_catalogue

POINTS = 10
REDIS_NUMBER = 12
DAY_MS = 86_400_000
LAST = Board(BoardId("last"), 1, "Last", Fold.LAST, Window.ALL)
DAILY = Board(BoardId("day"), 1, "Day", Fold.SUM, Window.DAY)
PLACE: Place = (LAST.key, "all")


@pytest.fixture
async def pod(database_url: str, redis_url: str) -> AsyncIterator[Pod]:
    database = await migrated(database_url, simple_catalogue({"run": POINTS}))
    known, defined = await catalogue.load(database), await boards.load(database)
    pod = Pod(database, f"{redis_url.rpartition('/')[0]}/{REDIS_NUMBER}", (*defined, LAST, DAILY), known)
    await pod.ordering.redis.flushdb()
    await pod.start()
    yield pod
    await pod.stop()
    await database.close()


@pytest.fixture
async def user(pod: Pod) -> UserId:
    return (await new_players(pod.database, 1))[0]


async def redeem(pod: Pod, user: UserId) -> int:
    """When it was reached."""
    return (await pod.tell(user, RedeemTicket(pod.ticket(user, "run")))).entry.at


async def is_sent(pod: Pod, user: UserId, reached_at: int) -> None:
    """Waits until Redis has the player's standing on the other board as it was reached at a time, and nothing else."""
    await pod.look()
    pod.mirror.wake()
    async with asyncio.timeout(5):
        while [row.reached_at for row in await pod.rows_in_redis(PLACE) if row.user_id == user] != [reached_at]:
            await asyncio.sleep(0.01)
    assert not pod.mirror.pending


async def test_what_moves_without_an_epoch_waits_for_it(pod: Pod, user: UserId):
    pod.epochs.forget(PLACE)
    await redeem(pod, user)
    last = await redeem(pod, user)
    await awaited(lambda: len(pod.mirror._others) == 1)
    await is_sent(pod, user, last)


async def test_what_redis_refused_is_sent_again(pod: Pod, user: UserId):
    pointer = pointer_of(PLACE)
    epoch = await pod.ordering.redis.get(pointer)
    await pod.ordering.redis.set(pointer, "another")
    await redeem(pod, user)
    await awaited(lambda: pod.epochs.get(PLACE) is None)
    last = await redeem(pod, user)
    await pod.ordering.redis.set(pointer, epoch)
    await is_sent(pod, user, last)


async def test_what_was_under_way_when_redis_went_is_sent_again(
    pod: Pod, user: UserId, monkeypatch: pytest.MonkeyPatch
):
    tried: list[Sequence[ScriptCall]] = []

    async def away(calls: Sequence[ScriptCall]) -> list[list[Any]]:
        tried.append(calls)
        raise ConnectionError

    monkeypatch.setattr(pod.ordering, "run", away)
    last = await redeem(pod, user)
    await awaited(lambda: pod.ordering.away)
    monkeypatch.undo()
    pod.ordering.found()
    await is_sent(pod, user, last)
    assert tried


async def test_the_last_moment_of_a_period_is_sent_after_its_end(pod: Pod, user: UserId):
    place = DAILY.place_at(pod.clock.now_ms())
    assert place is not None
    await pod.supervisor.stop_loop("mirror-others")
    pod.mirror._rested = math.inf  # nothing goes along with `global` either
    await redeem(pod, user)
    pod.clock.offset_ms += DAY_MS
    assert place not in pod.epochs.places(pod.clock.now_ms()).beside
    await pod.mirror.send(pod.mirror._take_others())
    assert [row.score for row in await pod.rows_in_redis(place) if row.user_id == user] == [POINTS]


async def test_a_board_that_is_gone_is_sent_nothing(pod: Pod, user: UserId):
    await pod.supervisor.stop_loop("mirror-others")
    pod.mirror._rested = math.inf
    await redeem(pod, user)
    pod.epochs.define([board for board in pod.epochs.boards if board != LAST])
    assert PLACE not in pod.mirror._take_others()
    assert pod.mirror.pending == 0


async def test_a_hidden_player_is_told_their_score_all_the_same(pod: Pod, user: UserId) -> None:
    await redeem(pod, user)
    await pod.tell(user, BanPlayer(pod.new_id(), FOREVER_MS, "r", "admin", None))
    async with pod.ordering.redis.pubsub() as heard:
        await heard.subscribe(USER_CHANNEL + user)
        await heard.get_message(timeout=1)
        await pod.tell(user, AdjustScore(pod.new_id(), 5, "r", "admin", None))
        message = await heard.get_message(timeout=2)
    assert message is not None
    assert message["data"].split(" ")[:4] == ["3", str(POINTS + 5), "0", "5"]
