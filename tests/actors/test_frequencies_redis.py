"""Uses in the last minute of several pods in this process, over a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from actors import frequencies
from actors.frequencies import Frequencies
from actors.frequency import MINUTE_MS
from actors.keys import FREQUENCY_KEY
from actors.ordering import Ordering
from actors.supervisor import Supervisor
from tests.pods import awaited

START = 1_000 * MINUTE_MS
Made = Callable[[], Awaitable[Frequencies]]


@pytest.fixture
async def made(redis_url: str) -> AsyncIterator[Made]:
    async with AsyncExitStack() as stack:

        async def make() -> Frequencies:
            ordering, supervisor = Ordering(redis_url), Supervisor()
            stack.push_async_callback(ordering.close)
            stack.push_async_callback(supervisor.stop, 2)
            ordering.found()
            found = Frequencies(ordering)
            found.start(supervisor)
            await awaited(lambda: not found.alone)
            return found

        yield make


def somebody() -> str:
    return f"user:{uuid4()}"


async def test_each_pod_knows_of_all(made: Made):
    pods, who, other = [await made() for _ in range(3)], somebody(), somebody()
    for number in range(9):
        pods[number % 3].count(who, START)
        assert await pods[number % 3].rates([other, who], START) == [0, number + 1]
    for pod in pods:
        assert await pod.rates([who, other], START) == [9, 0]


async def test_of_many_at_once_each_is_another_one(made: Made):
    pods, who = [await made() for _ in range(2)], somebody()

    async def use(number: int) -> float:
        pods[number % 2].count(who, START)
        (rate,) = await pods[number % 2].rates([who], START)
        return rate

    found = await asyncio.gather(*(use(number) for number in range(20)))
    assert max(found) == 20
    # Both pods ask for ten at once: one of them hears of its own ten alone.
    assert sum(rate > 10 for rate in found) >= 10


async def test_what_nobody_asks_about_is_told_soon(made: Made):
    one, other, who = await made(), await made(), somebody()
    for _ in range(5):
        one.count(who, START)
    await awaited(lambda: not one._pending)
    async with asyncio.timeout(5):
        while await other.rates([who], START) != [5]:
            await asyncio.sleep(0.01)


async def test_minutes_slide_and_their_counters_expire(made: Made):
    one, other, who = await made(), await made(), somebody()
    one.count(who, START, 8)
    assert await one.rates([who], START) == [8]
    later = START + 3 * MINUTE_MS // 2
    assert [await pod.rates([who], later) for pod in (one, other)] == [[4], [4]]
    other.count(who, later)
    assert await other.rates([who], later) == [5]
    assert await one.rates([who], START + 2 * MINUTE_MS) == [1]
    for minute in (1_000, 1_001):
        assert 100 < await one._ordering.redis.ttl(f"{FREQUENCY_KEY}{who}:{minute}") <= 120


async def test_what_was_taken_back_is_gone_everywhere(made: Made):
    one, other, who = await made(), await made(), somebody()
    one.count(who, START, 3)
    assert await one.rates([who], START) == [3]
    one.count(who, START, -2)
    assert await one.rates([who], START) == [1]
    assert await other.rates([who], START) == [1]


async def test_without_redis_each_pod_counts_for_itself(made: Made):
    pods, who = [await made() for _ in range(2)], somebody()
    for pod in pods:
        pod._ordering.there.clear()
        pod.count(who, START, 4)
        assert await pod.rates([who], START) == [4]
        assert await pod.rates([who], START + MINUTE_MS) == [4]
    pods[0]._ordering.found()
    assert await pods[0].rates([who], START + MINUTE_MS) == [0]


async def test_a_pod_keeps_a_bounded_number(made: Made, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frequencies, "MAX_KNOWN", 100)
    pod = await made()
    for number in range(500):
        pod.count(f"user:{number}", START)
        assert len(pod._known) <= 100
    for number in range(100):
        pod.count(f"later:{number}", START + 2 * MINUTE_MS)
    assert all(who.startswith("later:") for who in pod._known)
