"""Limits and connections of several pods in this process, over a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from actors import asking, limits, seats
from actors.keys import LIMIT_KEY, SEATS_KEY
from actors.limits import Limits
from actors.ordering import Ordering
from actors.quota import Limit
from actors.seats import Seats
from actors.supervisor import Supervisor
from tests.pods import awaited

Made = Callable[..., Awaitable["Counting"]]


class Counting:
    """What a pod counts with."""

    def __init__(self, url: str) -> None:
        self.ordering = Ordering(url)
        self.supervisor = Supervisor()
        self.limits = Limits(self.ordering)
        self.seats = Seats(self.ordering, "pod")

    async def start(self) -> "Counting":
        self.ordering.found()
        self.limits.start(self.supervisor)
        self.seats.start(self.supervisor)
        await awaited(lambda: not self.limits.alone and not self.seats.alone)
        return self

    async def stop(self) -> None:
        await self.supervisor.stop(2)
        await self.ordering.close()


@pytest.fixture
async def made(redis_url: str) -> AsyncIterator[Made]:
    async with AsyncExitStack() as stack:

        async def make(url: str = redis_url) -> Counting:
            counting = await Counting(url).start()
            stack.push_async_callback(counting.stop)
            return counting

        yield make


def somebody() -> str:
    return str(uuid4())


async def test_three_pods_share_one_quota(made: Made):
    pods = [await made() for _ in range(3)]
    for limit, most in ((Limit("redeem", 120, 60), 124), (Limit("small", 10, 60), 10)):
        who = somebody()
        verdicts = await asyncio.gather(*(pods[number % 3].limits.spend(limit, who) for number in range(600)))
        assert limit.quota <= sum(verdict.allowed for verdict in verdicts) <= most
        assert not (await pods[0].limits.spend(limit, who)).allowed


async def test_one_at_a_time_is_exact(made: Made):
    pods = [await made() for _ in range(3)]
    limit, who = Limit("tickets", 60, 60), somebody()
    lefts = [(await pods[number % 3].limits.spend(limit, who)).left for number in range(60)]
    assert lefts[-1] == 0
    assert [(await pod.limits.spend(limit, who)).allowed for pod in pods] == [False] * 3


async def test_counters_expire_and_windows_begin_anew(made: Made):
    pod = await made()
    limit, who = Limit("brief", 3, 2), somebody()
    assert [(await pod.limits.spend(limit, who)).allowed for _ in range(4)] == [True] * 3 + [False]
    left = await pod.ordering.redis.pttl(f"{LIMIT_KEY}brief:{who}")
    assert 0 < left <= 2000
    while not (await pod.limits.spend(limit, who)).allowed:
        await asyncio.sleep(0.01)
    assert (await pod.limits.spend(limit, who)).left == 1


async def test_an_emptied_redis_begins_anew(made: Made):
    pods = [await made() for _ in range(2)]
    limit, who = Limit("small", 10, 60), somebody()
    for _ in range(5):
        assert (await pods[0].limits.spend(limit, who)).allowed
    await pods[0].ordering.redis.delete(f"{LIMIT_KEY}small:{who}")
    assert (await pods[1].limits.spend(limit, who)).left == 9


async def test_without_redis_each_pod_counts_for_itself(made: Made):
    pods = [await made() for _ in range(2)]
    limit = Limit("small", 10, 60)
    who = somebody()
    for pod in pods:
        pod.ordering.there.clear()
        allowed = [(await pod.limits.spend(limit, who)).allowed for _ in range(15)]
        assert allowed == [True] * 10 + [False] * 5
        assert all([await pod.seats.take(f"user:{who}", 5) for _ in range(5)])
        assert not await pod.seats.take(f"user:{who}", 5)


async def test_a_redis_that_does_not_answer_holds_nobody_up(made: Made):
    gone: list[asyncio.StreamWriter] = []

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        writer.close()
        await writer.wait_closed()
        gone.append(writer)

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        pod = await made(f"redis://127.0.0.1:{port}")
        limit, who = Limit("small", 10, 60), somebody()
        async with asyncio.timeout(6 * asking.PATIENCE_SECONDS):
            verdicts = [await pod.limits.spend(limit, who) for _ in range(12)]
            assert await pod.seats.take(f"user:{who}", 5)
        assert [verdict.allowed for verdict in verdicts] == [True] * 10 + [False] * 2
        await pod.supervisor.stop(2)
        await pod.ordering.close()
        await awaited(lambda: gone)


async def test_nobody_is_left_waiting_when_a_pod_stops(made: Made):
    pod = await made()
    limit = Limit("small", 10, 60)
    waiting = [asyncio.ensure_future(pod.limits.spend(limit, somebody())) for _ in range(5)]
    await asyncio.sleep(0)
    await pod.supervisor.stop(2)
    assert all([(await one).allowed for one in waiting])
    assert (await pod.limits.spend(limit, somebody())).allowed


async def test_a_pod_keeps_a_bounded_number_of_windows(made: Made, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MAX_TALLIES", 100)
    pod = await made()
    limit = Limit("redeem", 120, 60)
    for _ in range(1_000):
        assert (await pod.limits.spend(limit, somebody())).allowed
        assert len(pod.limits._tallies) <= 100


async def test_connections_are_counted_over_all_pods(made: Made):
    first, second = await made(), await made()
    who = f"user:{somebody()}"
    assert [await first.seats.take(who, 5) for _ in range(3)] == [True] * 3
    assert [await second.seats.take(who, 5) for _ in range(3)] == [True, True, False]
    first.seats.give_back(who)
    await awaited(lambda: not first.seats._pending)
    async with asyncio.timeout(5):
        while not await second.seats.take(who, 5):
            await asyncio.sleep(0.01)
    assert not await first.seats.take(who, 5)


async def test_of_many_at_once_exactly_so_many_get_in(made: Made):
    pods = [await made() for _ in range(3)]
    who = f"address:{somebody()}"
    taken = await asyncio.gather(*(pods[number % 3].seats.take(who, 20) for number in range(90)))
    assert sum(taken) == 20


async def test_the_connections_of_a_dead_pod_stop_counting(made: Made, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seats, "LEASE_SECONDS", 2.0)
    monkeypatch.setattr(seats, "RENEW_SECONDS", 0.2)
    dying, living = await made(), await made()
    who, other = f"user:{somebody()}", f"user:{somebody()}"
    assert await living.seats.take(who, 5)  # so that what is counted of them does not expire as a whole
    assert all([await dying.seats.take(who, 5) for _ in range(4)])
    assert all([await living.seats.take(other, 5) for _ in range(5)])
    assert not await living.seats.take(who, 5)
    await dying.supervisor.stop(2)
    async with asyncio.timeout(5):
        while not await living.seats.take(who, 5):
            await asyncio.sleep(0.02)
    assert not await living.seats.take(other, 5)
    assert await living.ordering.redis.hlen(SEATS_KEY + other) == 1


async def test_who_gives_up_while_asking_takes_no_seat(made: Made):
    pod = await made()
    who = f"user:{somebody()}"
    impatient = [asyncio.ensure_future(pod.seats.take(who, 5)) for _ in range(5)]
    await asyncio.sleep(0)
    for one in impatient:
        one.cancel()
    await asyncio.gather(*impatient, return_exceptions=True)
    assert await asyncio.gather(*(pod.seats.take(who, 5) for _ in range(6))) == [True] * 5 + [False]
