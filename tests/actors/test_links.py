"""Connections to Redis that are kept: answers belong to those who asked, whatever became of the ones before."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as AnsweredNothing

from actors.links import Links

COUNT = 2
SECONDS = 0.5


@pytest.fixture
async def links(redis_url: str) -> AsyncIterator[Links]:
    links = Links(redis_url, COUNT, SECONDS)
    yield links
    await links.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        yield redis


async def echo(links: Links, number: int) -> int:
    before, text = await links.exchange([("ECHO", number), ("ECHO", "ä" * number)])
    assert text == "ä" * number
    return int(before)


async def identity(links: Links) -> int:
    (found,) = await links.exchange([("CLIENT", "ID")])
    return int(found)


async def test_everybody_gets_their_own_answers(links: Links) -> None:
    assert await asyncio.gather(*(echo(links, number) for number in range(50))) == list(range(50))
    assert links.used == 0


async def test_a_connection_is_used_again(links: Links) -> None:
    assert await identity(links) == await identity(links)


async def test_no_more_connections_than_said(links: Links) -> None:
    slow = [links.exchange([("BLPOP", f"nothing-{number}", 0.2), ("CLIENT", "ID")]) for number in range(3 * COUNT)]
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in slow]
    assert len({task.result()[1] for task in tasks if not task.cancelled() and not task.exception()}) == COUNT
    assert caught.value.subgroup(AnsweredNothing) is not None
    assert links.used == 0


async def test_an_error_is_raised_and_the_next_answers_are_right(links: Links) -> None:
    with pytest.raises(ResponseError):
        await links.exchange([("ECHO", 1), ("NO-SUCH-COMMAND",), ("ECHO", 2)])
    assert await echo(links, 3) == 3


async def test_connections_closed_while_idle_are_made_anew(links: Links, redis: Redis) -> None:
    for number in await asyncio.gather(identity(links), identity(links)):
        await redis.client_kill_filter(_id=number)
    await asyncio.sleep(0.05)
    assert await echo(links, 4) == 4


async def test_who_gives_up_leaves_no_answer_to_the_next(links: Links) -> None:
    await identity(links)
    task = asyncio.create_task(links.exchange([("BLPOP", "nothing", 0.2), ("ECHO", "late")]))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.3)
    assert await echo(links, 5) == 5
    assert links.used == 0


async def test_what_is_in_use_while_all_is_closed_is_closed_after_it(links: Links, redis: Redis) -> None:
    number = await identity(links)
    task = asyncio.create_task(links.exchange([("BLPOP", "nothing", 0.1), ("ECHO", "late")]))
    await asyncio.sleep(0)
    await links.close()
    assert await task == [None, "late"]
    late = await identity(links)
    deadline = asyncio.get_running_loop().time() + 5
    while {one["id"] for one in await redis.client_list()} & {str(number), str(late)}:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def test_no_answer_in_time_is_an_error_of_redis_and_says_so(links: Links) -> None:
    with pytest.raises(AnsweredNothing, match=r"0\.5 s"):
        await links.exchange([("BLPOP", "nothing", 2)])
    assert await echo(links, 6) == 6


async def test_when_one_is_silent_the_others_are_made_anew(links: Links) -> None:
    known = set(await asyncio.gather(identity(links), identity(links)))
    assert len(known) == COUNT
    with pytest.raises(AnsweredNothing):
        await links.exchange([("BLPOP", "nothing", 2)])
    assert await identity(links) not in known


async def test_nobody_there() -> None:
    links = Links("redis://127.0.0.1:1/0", COUNT, SECONDS)
    with pytest.raises((RedisError, OSError)):
        await identity(links)
