"""Killed pods, vanished clients, emptied and stopped servers: no acknowledged point is lost."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator

import aiohttp
import asyncpg
import psutil
import pytest
import redis.asyncio

from tests.contract.test_outages import stopped
from tests.e2e.invariants import assert_whole, entries_of, top_of
from tests.e2e.players import Told, redeem, send_all
from tests.e2e.viewer import watching
from tests.laurel_process import LaurelProcess

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def pods() -> Iterator[LaurelProcess]:
    """Three pods that the tests of this module mistreat one after the other."""
    with LaurelProcess() as process:
        yield process.start(pods=3)


async def until_true(look, seconds: float = 15):
    """Waits for a state."""
    async with asyncio.timeout(seconds):
        while not await look():
            await asyncio.sleep(0.05)


async def test_requests_cancelled_at_random_moments_lose_nothing(pods: LaurelProcess) -> None:
    pairs = pods.mint_tickets(2_000, 100)
    told = Told()
    queue = iter(pairs)

    async def send(session: aiohttp.ClientSession) -> None:
        for token, ticket in queue:
            task = asyncio.create_task(redeem(session, random.choice(pods.urls), token, ticket, told))
            await asyncio.wait([task], timeout=random.uniform(0, 0.02))
            task.cancel()
            await asyncio.wait([task])

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(send(session) for _ in range(32)))
    # Whatever became of them: sent again, every one has its result, and no pool is short of a connection.
    await send_all([(random.choice(pods.urls), *pair) for pair in pairs], told, retry=pods.urls)
    acknowledged = told.acknowledged()
    assert len(acknowledged) == len(pairs)
    await assert_whole(pods, acknowledged)
    assert await _connections(pods) <= 3 * 10


async def test_pods_killed_under_load_lose_no_acknowledged_point(pods: LaurelProcess) -> None:
    pairs = pods.mint_tickets(6_000, 150)
    told = Told()
    work = [(random.choice(pods.urls), *pair) for pair in pairs]
    sending = asyncio.create_task(send_all(work, told, connections=24, retry=pods.urls))
    for _ in range(10):
        before = len(told.answers)
        await until_true(lambda before=before: _answered(told, sending, before + 150), 60)
        running = [pid for pid in await asyncio.to_thread(pods.pods) if not await _gone(pid)]
        killed = random.choice(running)
        os.kill(killed, signal.SIGKILL)
        await until_true(lambda killed=killed: _gone(killed))
    await sending
    acknowledged = told.acknowledged()
    assert len(acknowledged) == len(pairs)
    await asyncio.to_thread(pods.await_ready)
    async with watching(pods.urls[1]) as viewer:
        await assert_whole(pods, acknowledged, [viewer])
    assert "hold together" in await asyncio.to_thread(pods.run, "audit", "verify")


async def _answered(told: Told, sending: asyncio.Task[None], count: int) -> bool:
    return sending.done() or len(told.answers) >= count


async def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_an_emptied_redis_is_whole_again_in_a_new_epoch(pods: LaurelProcess) -> None:
    pairs = pods.mint_tickets(600, 60)
    told = Told()
    before = (await top_of(pods.urls[0]))["epoch"]
    async with watching(pods.urls[0]) as viewer, redis.asyncio.from_url(pods.config()["redisUrl"]) as store:
        sending = asyncio.create_task(send_all([(pods.urls[i % 3], *p) for i, p in enumerate(pairs)], told, 8))
        await until_true(lambda: _answered(told, sending, 150))
        await store.flushall()
        await until_true(lambda: _new_epoch(pods, before), 5)
        await sending
        assert not told.others
        await assert_whole(pods, told.acknowledged(), [viewer])


async def test_half_of_a_board_missing_in_redis_is_noticed(pods: LaurelProcess) -> None:
    before = (await top_of(pods.urls[0]))["epoch"]
    async with redis.asyncio.from_url(pods.config()["redisUrl"], decode_responses=True) as store:
        ranks = [key async for key in store.scan_iter(match=f"*{before}:rank")]
        await store.zremrangebyrank(ranks[0], 0, 10)
    await until_true(lambda: _new_epoch(pods, before), 5)
    await assert_whole(pods, {})


async def test_an_old_copy_of_redis_is_not_taken_for_a_board(pods: LaurelProcess) -> None:
    """Keys of the present epoch, restored with what they held some changes ago."""
    pairs = pods.mint_tickets(200, 20)
    before = (await top_of(pods.urls[0]))["epoch"]
    async with redis.asyncio.from_url(pods.config()["redisUrl"]) as store:
        keys = [key async for key in store.scan_iter(match=f"*{before}:*")]
        copies = {key: await store.dump(key) for key in keys}
        told = Told()
        await send_all([(pods.urls[i % 3], *pair) for i, pair in enumerate(pairs)], told)
        async with store.pipeline(transaction=True) as pipeline:
            for key, copy in copies.items():
                pipeline.restore(key, 0, copy, replace=True)
            await pipeline.execute()
    await until_true(lambda: _new_epoch(pods, before), 5)
    await assert_whole(pods, told.acknowledged())


async def _new_epoch(pods: LaurelProcess, before: str) -> bool:
    boards = [await top_of(url) for url in pods.urls]
    epochs = {board["epoch"] for board in boards}
    return before not in epochs and len(epochs) == 1 and not any(board["degraded"] for board in boards)


async def test_without_redis_redemptions_go_on_and_reads_say_degraded(pods: LaurelProcess) -> None:
    pairs = pods.mint_tickets(300, 30)
    told = Told()
    process = pods.config()["redisPid"]
    os.kill(process, signal.SIGSTOP)
    try:
        work = [(pods.urls[i % 3], *pair) for i, pair in enumerate(pairs)]
        await send_all(work, told, connections=8)
        assert not told.others
        assert len(told.answers) == len(pairs)
        await until_true(lambda: _degraded_and_right(pods))
    finally:
        os.kill(process, signal.SIGCONT)
    await assert_whole(pods, told.acknowledged())


async def _degraded_and_right(pods: LaurelProcess) -> bool:
    connection = await asyncpg.connect(pods.config()["databaseUrl"])
    try:
        best = await connection.fetchval("SELECT max(score) FROM players")
    finally:
        await connection.close()
    boards = [await top_of(url) for url in pods.urls]
    return all(board["degraded"] and board["entries"][0]["score"] == best for board in boards)


async def test_a_restarted_redis_comes_back_whole(pods: LaurelProcess) -> None:
    pairs = pods.mint_tickets(300, 30)
    told = Told()
    sending = asyncio.create_task(send_all([(pods.urls[i % 3], *p) for i, p in enumerate(pairs)], told, 8))
    await until_true(lambda: _answered(told, sending, 100))
    before = (await top_of(pods.urls[0]))["epoch"]
    await asyncio.to_thread(pods.kill_redis)
    await sending
    assert not told.others
    await until_true(lambda: _new_epoch(pods, before))
    await assert_whole(pods, told.acknowledged())


async def test_a_database_that_is_away_is_said_so_and_loses_nothing(pods: LaurelProcess) -> None:
    pairs = pods.mint_tickets(200, 20)
    told = Told()
    await asyncio.to_thread(pods.kill_postgres)
    async with aiohttp.ClientSession() as session:
        statuses = [await redeem(session, url, *pairs[0], told) for url in pods.urls]
        assert set(statuses) <= {503, 200}
        assert set(told.others) <= {(503, "database_unavailable"), (503, "busy")}
        for url in pods.urls:
            assert (await top_of(url))["entries"], "boards stay readable"
    database_url = pods.config()["databaseUrl"]
    await until_true(lambda: _database_is_back(database_url), 30)
    async with asyncio.timeout(5):
        await send_all([(url, *pairs[0]) for url in pods.urls], told, retry=pods.urls)
    await send_all([(pods.urls[i % 3], *pair) for i, pair in enumerate(pairs)], told, retry=pods.urls)
    acknowledged = told.acknowledged()
    assert len(acknowledged) == len(pairs)
    await assert_whole(pods, acknowledged)
    entries = await entries_of(database_url)
    assert {answer["ticketId"] for answer in acknowledged.values()} <= set(entries)


async def _database_is_back(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=1)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    await connection.close()
    return True


async def test_a_database_that_hangs_is_answered_within_the_deadline(pods: LaurelProcess) -> None:
    pairs = pods.mint_tickets(30, 30)
    told = Told()
    process = pods.config()["databasePid"]
    connection = await asyncpg.connect(pods.config()["databaseUrl"])
    workers = [
        row["pid"] for row in await connection.fetch("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    ]
    await connection.close()
    with stopped([process, *workers]):
        async with asyncio.timeout(4):
            await send_all([(pods.urls[i % 3], *pair) for i, pair in enumerate(pairs)], told, connections=30)
    assert set(told.others) <= {(503, "busy"), (503, "database_unavailable")}
    await send_all([(pods.urls[i % 3], *pair) for i, pair in enumerate(pairs)], told, retry=pods.urls)
    await assert_whole(pods, told.acknowledged())


async def _connections(pods: LaurelProcess) -> int:
    connection = await asyncpg.connect(pods.config()["databaseUrl"])
    try:
        return await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'laurel'")
    finally:
        await connection.close()
