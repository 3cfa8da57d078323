"""The channels of players, over a real Redis."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors.epochs import Epochs
from actors.keys import USER_CHANNEL
from actors.ordering import Ordering
from actors.personal import Personal
from actors.supervisor import Supervisor
from models.ids import UserId
from tests.pods import awaited

PLAYERS, SOCKETS, TURNS = 5, 20, 15


@pytest.fixture
async def ordering(redis_url: str) -> AsyncIterator[Ordering]:
    ordering = Ordering(redis_url)
    ordering.found()
    yield ordering
    await ordering.close()


@asynccontextmanager
async def listening(ordering: Ordering) -> AsyncIterator[Personal]:
    personal, supervisor = Personal(ordering, Epochs()), Supervisor()
    personal.start(supervisor)
    try:
        yield personal
    finally:
        await supervisor.stop(2)


async def tell(ordering: Ordering, player: str, version: int) -> None:
    await ordering.redis.publish(USER_CHANNEL + player, f"{version} 5 1 5 0")


async def heard_by(ordering: Ordering, player: str) -> int:
    ((_, count),) = await ordering.redis.pubsub_numsub(USER_CHANNEL + player)
    return int(count)


class Receiver:
    """A socket's end."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def take(self, kind: str, payload: bytes) -> None:
        assert kind == "user.scoreUpdate"
        self.messages.append(payload)


async def test_who_stays_after_much_coming_and_going_is_told(ordering: Ordering):
    receivers = [Receiver() for _ in range(SOCKETS)]

    async def come_and_go(personal: Personal, number: int) -> None:
        player, take = UserId(f"churn-{number % PLAYERS}"), receivers[number].take
        for _ in range(TURNS):
            await personal.join(player, take)
            await asyncio.sleep(random.random() / 100)
            personal.leave(player, take)
            await asyncio.sleep(random.random() / 100)
        await personal.join(player, take)

    async with listening(ordering) as personal:
        await asyncio.gather(*(come_and_go(personal, number) for number in range(SOCKETS)))
        for number in range(PLAYERS):
            await tell(ordering, f"churn-{number}", 1)
        await awaited(lambda: all(len(receiver.messages) == 1 for receiver in receivers))


async def test_who_has_joined_misses_nothing_from_then_on(ordering: Ordering):
    async with listening(ordering) as personal:
        for number in range(SOCKETS):
            player, receiver = UserId(f"alone-{number}"), Receiver()
            await personal.join(player, receiver.take)
            await tell(ordering, player, 1)
            await awaited(lambda receiver=receiver: receiver.messages)
            personal.leave(player, receiver.take)
            if number % 2:
                async with asyncio.timeout(5):
                    while await heard_by(ordering, player):
                        await asyncio.sleep(0.001)
            await personal.join(player, receiver.take)
            await tell(ordering, player, 2)
            await awaited(lambda receiver=receiver: len(receiver.messages) == 2)


async def test_what_comes_again_or_late_is_not_told(ordering: Ordering):
    receiver = Receiver()
    async with listening(ordering) as personal:
        await personal.join(UserId("twice"), receiver.take)
        for version in (3, 3, 2, 4):
            await tell(ordering, "twice", version)
        await awaited(lambda: receiver.messages and b'"userVersion":4' in receiver.messages[-1])
        assert [json.loads(message)["data"]["userVersion"] for message in receiver.messages] == [3, 4]


async def test_a_cut_connection_is_subscribed_anew(ordering: Ordering):
    receiver = Receiver()
    async with listening(ordering) as personal:
        await personal.join(UserId("cut"), receiver.take)
        await ordering.redis.client_kill_filter(_type="pubsub")

        versions = iter(range(1, 1_000))

        async def told() -> bool:
            await tell(ordering, "cut", next(versions))
            return bool(receiver.messages)

        async with asyncio.timeout(10):
            while not await told():
                await asyncio.sleep(0.05)
