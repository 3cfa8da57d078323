"""An outage of Redis: said in the log, and waited for by nobody."""

import asyncio
import time

import pytest

from actors.ordering import AWAY, TIMEOUT_SECONDS, Ordering

PAUSE_SECONDS = 2 * TIMEOUT_SECONDS


async def test_an_outage_is_said_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture):
    ordering = Ordering("redis://127.0.0.1:1/0")
    caplog.set_level("INFO", "laurel.ordering")
    ordering.found()
    assert not ordering.away
    for _ in range(3):
        ordering.lost(ConnectionError("refused"))
    assert ordering.away
    assert ordering.found()
    assert not ordering.found()
    assert caplog.messages == ["redis is away: refused", "redis answers again"]


async def test_a_redis_that_hangs_holds_up_no_reader(redis_url: str):
    ordering, other = Ordering(redis_url), Ordering(redis_url)
    links = ordering.links(1)
    await other.redis.execute_command("CLIENT", "PAUSE", round(PAUSE_SECONDS * 1000))
    began = time.monotonic()
    try:
        with pytest.raises(AWAY):
            await links.exchange([("XREAD", "BLOCK", 200, "STREAMS", "nothing", "0-0")])
        assert time.monotonic() - began < PAUSE_SECONDS - 0.5
    finally:
        await asyncio.sleep(began + PAUSE_SECONDS - time.monotonic())  # nobody can end it
        await links.close()
        await ordering.close()
        await other.close()
