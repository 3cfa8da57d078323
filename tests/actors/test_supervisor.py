"""Loops are restarted while they are wanted, and end when they are not."""

import asyncio

import pytest

from actors import supervisor as supervising
from actors.supervisor import MAX_RESTARTS, Supervisor
from tests.pods import awaited


async def loses_one_cancellation() -> None:
    """As `asyncio.wait_for` of Python 3.11 does when a result comes at the same moment."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(60)


@pytest.mark.parametrize(
    "stop", [lambda supervisor: supervisor.stop_loop("loop"), lambda supervisor: supervisor.stop(5)]
)
async def test_a_loop_that_lost_its_cancellation_ends_all_the_same(stop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("actors.supervisor.CANCEL_AGAIN_SECONDS", 0.01)
    supervisor = Supervisor()
    supervisor.keep("loop", loses_one_cancellation)
    (task,) = supervisor._loops.values()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await stop(supervisor)
    assert task.cancelled()


async def test_a_loop_that_raises_is_started_again():
    supervisor, runs = Supervisor(), []

    async def fails() -> None:
        runs.append(1)
        raise ValueError("on purpose")

    supervisor.keep("loop", fails)
    await awaited(lambda: len(runs) == 3)
    assert supervisor.restarts["loop"] >= 2
    await supervisor.stop(5)


async def test_a_loop_that_keeps_failing_is_said_so_until_it_has_run_for_a_while(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervising, "LONGEST_DELAY_SECONDS", 0.01)
    supervisor, said, mended = Supervisor(), [], asyncio.Event()

    async def fails() -> None:
        said.append("loop" in supervisor.failing)
        if len(said) <= MAX_RESTARTS + 5:
            raise ValueError("on purpose")
        await mended.wait()  # from now on it runs, and does not end to say so

    monkeypatch.setattr(supervising, "HEALTHY_AFTER_SECONDS", 0.2)
    supervisor.keep("loop", fails)
    await awaited(lambda: len(said) > MAX_RESTARTS + 5)
    assert said == [False] * (MAX_RESTARTS + 1) + [True] * 5
    assert "loop" in supervisor.failing
    await awaited(lambda: not supervisor.failing, 2)
    await supervisor.stop(5)
