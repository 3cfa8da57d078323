"""Batches: what waits is taken together, and what may not wait is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors.gathering import Gathering

PATIENCE_SECONDS = 0.1


class Work:
    """Workers that note the batches they begin and end them when told."""

    def __init__(self, gathering: Gathering[int], workers: int) -> None:
        self.begun: list[list[int]] = []
        self.go_on: asyncio.Queue[Exception | None] = asyncio.Queue()
        self._gathering = gathering
        self._tasks = [asyncio.create_task(self._work()) for _ in range(workers)]

    async def _work(self) -> None:
        while True:
            try:
                async with self._gathering.batch() as batch:
                    self.begun.append(batch)
                    if error := await self.go_on.get():
                        raise error
            except ValueError:
                continue

    async def settled(self) -> list[list[int]]:
        for _ in range(10):
            await asyncio.sleep(0)
        return self.begun

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)


@asynccontextmanager
async def working(gathering: Gathering[int], *, put: int, workers: int = 2) -> AsyncIterator[Work]:
    """With as many items put in one after the other."""
    work = Work(gathering, workers)
    for item in range(put):
        gathering.put(item)
        await work.settled()
    yield work
    await work.stop()


async def test_a_lone_item_goes_at_once_and_the_rest_gathers() -> None:
    gathering: Gathering[int] = Gathering(2)
    async with working(gathering, put=4, workers=1) as work:
        assert work.begun == [[0]]
        work.go_on.put_nowait(None)
        assert await work.settled() == [[0], [1, 2]]
        assert len(gathering) == 1


async def test_beside_another_only_a_batch_that_is_worth_it_goes() -> None:
    gathering: Gathering[int] = Gathering(10, beside=3, patience=10)
    async with working(gathering, put=3) as work:
        assert work.begun == [[0]]
        gathering.put(3)
        assert await work.settled() == [[0], [1, 2, 3]]


@pytest.mark.parametrize("end", [None, ValueError()], ids=["done", "failed"])
async def test_fewer_go_when_nothing_is_under_way_any_more(end: Exception | None) -> None:
    gathering: Gathering[int] = Gathering(10, beside=3, patience=10)
    async with working(gathering, put=3) as work:
        work.go_on.put_nowait(end)
        assert await work.settled() == [[0], [1, 2]]


async def test_the_last_of_two_to_end_lets_fewer_go() -> None:
    gathering: Gathering[int] = Gathering(10, beside=2, patience=10)
    async with working(gathering, put=4) as work:
        assert work.begun == [[0], [1, 2]]
        work.go_on.put_nowait(None)
        assert await work.settled() == [[0], [1, 2]]
        work.go_on.put_nowait(None)
        assert await work.settled() == [[0], [1, 2], [3]]


async def test_one_that_hangs_holds_nobody_up_for_long() -> None:
    gathering: Gathering[int] = Gathering(10, beside=3, patience=PATIENCE_SECONDS)
    async with working(gathering, put=2) as work:
        assert work.begun == [[0]]
        await asyncio.sleep(2 * PATIENCE_SECONDS)
        assert work.begun == [[0], [1]]


async def test_what_comes_after_patience_has_ended_goes_at_once() -> None:
    gathering: Gathering[int] = Gathering(10, beside=3, patience=PATIENCE_SECONDS)
    async with working(gathering, put=1) as work:
        await asyncio.sleep(2 * PATIENCE_SECONDS)
        gathering.put(1)
        assert await work.settled() == [[0], [1]]
