"""What readers are shown when Redis cannot say."""

import asyncio
from collections.abc import Iterable

import pytest

from actors import settler
from actors.board_reader import BoardReader
from actors.messages import AdjustScore
from actors.reading import Reading
from models.board import GLOBAL, Place
from models.settling import Settlement
from tests.pods import Pod, new_players

FIRST = 2_000_000
"""More than anybody has."""


async def best(pod: Pod) -> int:
    """The highest score, read with nothing kept."""
    place: Place = next(place for board, place in pod.present() if board.board_id == GLOBAL)
    reader = BoardReader(pod.ordering, pod.epochs, pod.settler)
    page = await Reading(pod.database, reader, pod.clock, cache_seconds=0).top(place, 1)
    return page.rows[0].score


@pytest.mark.parametrize(("lost", "score"), [("away", FIRST), ("emptied", 2 * FIRST)])
async def test_who_reads_without_redis_sees_what_this_pod_wrote_a_moment_ago(pod: Pod, lost: str, score: int):
    users = await new_players(pod.database, 2)
    for number, user in enumerate(users):
        await pod.tell(user, AdjustScore(pod.new_id(), score + number, "r", "admin", None))
        if lost == "away":
            pod.ordering.there.clear()
        else:
            await pod.ordering.redis.flushdb()
        assert await best(pod) == score + number


async def test_what_is_much_waits_for_its_turn(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    (user,) = await new_players(pod.database, 1)
    monkeypatch.setattr(settler, "SLICE", 0)
    await pod.tell(user, AdjustScore(pod.new_id(), 3 * FIRST, "r", "admin", None))
    pod.ordering.there.clear()
    assert await best(pod) < 3 * FIRST
    monkeypatch.undo()
    await pod.settler.flush()
    assert await best(pod) == 3 * FIRST


async def test_a_reader_that_waits_no_longer_takes_nothing_away(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    users = await new_players(pod.database, 3)
    for user in users:
        await pod.tell(user, AdjustScore(pod.new_id(), 1, "r", "admin", None))
    monkeypatch.setattr(settler, "SLICE", 1)
    reached = asyncio.Event()

    async def hangs(settlements: Iterable[Settlement]) -> None:
        del settlements
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(pod.settler, "write", hangs)
        writing = asyncio.create_task(pod.settler.flush())
        await reached.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    await pod.settler.flush()
    statement = "SELECT count(*) AS n FROM player_memos WHERE user_id = ANY ($1::uuid[])"
    assert await pod.database.rows(statement, users) == [{"n": len(users)}]
