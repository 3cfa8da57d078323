"""What PostgreSQL answered is kept, and asked for once."""

import asyncio

import pytest

from actors import kept
from actors.kept import Kept
from models.errors import DatabaseUnavailable


class Source:
    """Answers with numbers from one on, when it is let go on, or not at all."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def ask(self) -> int:
        self.asked += 1
        answer = self.asked
        await self.go_on.wait()
        if self.away:
            raise DatabaseUnavailable("away")
        return answer


async def crowd(answers: Kept[str, int], source: Source, count: int = 50) -> list[asyncio.Task[int]]:
    """So many who ask for the same while the answer is under way."""
    source.go_on.clear()
    asking = [asyncio.create_task(answers.get("a", source.ask)) for _ in range(count)]
    while not source.asked:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return asking


async def test_many_who_ask_at_once_ask_once():
    source, answers = Source(), Kept[str, int](60)
    asking = await crowd(answers, source)
    source.go_on.set()
    assert await asyncio.gather(*asking) == [1] * 50
    assert (await answers.get("a", source.ask), source.asked) == (1, 1)
    assert await answers.get("b", source.ask) == 2


async def test_also_when_nothing_is_kept():
    source, answers = Source(), Kept[str, int](0)
    asking = await crowd(answers, source)
    source.go_on.set()
    assert await asyncio.gather(*asking) == [1] * 50
    assert [await answers.get("a", source.ask) for _ in range(2)] == [2, 3]


async def test_who_asks_for_all_may_go_away():
    source, answers = Source(), Kept[str, int](60)
    first, *others = await crowd(answers, source)
    first.cancel()
    await asyncio.wait([first])
    source.go_on.set()
    assert await asyncio.gather(*others) == [2] * 49
    assert source.asked == 2


async def test_who_waits_may_go_away_alone():
    source, answers = Source(), Kept[str, int](60)
    first, second, *others = await crowd(answers, source)
    second.cancel()
    await asyncio.wait([second])
    source.go_on.set()
    assert await asyncio.gather(first, *others) == [1] * 49


async def test_what_was_kept_is_better_than_nothing():
    source, answers = Source(), Kept[str, int](0)
    assert await answers.get("a", source.ask) == 1
    source.away = True
    assert await answers.get("a", source.ask) == 1
    with pytest.raises(DatabaseUnavailable):
        await answers.get("b", source.ask)
    source.away = False
    assert await answers.get("a", source.ask) == 4


async def test_a_failure_is_everybodys_and_not_kept():
    source, answers = Source(), Kept[str, int](60)
    source.away = True
    asking = await crowd(answers, source)
    source.go_on.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in found] == [DatabaseUnavailable] * 50
    assert source.asked == 1
    source.away = False
    assert await answers.get("a", source.ask) == 2


async def test_a_bounded_number_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept, "MOST", 10)
    source, answers = Source(), Kept[int, int](60)
    for number in range(100):
        await answers.get(number, source.ask)
        assert len(answers._answers) <= 10
