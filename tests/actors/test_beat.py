"""Loops that look every so often do so in the same moments."""

import asyncio
from collections.abc import Callable

import pytest

from actors.beat import until_beat

AT = 100.0
"""A multiple of every interval here."""


@pytest.fixture
async def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the loop's time."""
    loop = asyncio.get_running_loop()
    return lambda now: monkeypatch.setattr(loop, "time", lambda: now, raising=False)


@pytest.mark.parametrize("seconds", [0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("worked", [0.0, 0.01, 0.12])
async def test_loops_meet_however_long_each_has_worked(at: Callable[[float], None], seconds: float, worked: float):
    at(AT + worked)
    assert until_beat(seconds) == pytest.approx(seconds - worked)


async def test_a_timer_that_was_early_does_not_make_a_loop_look_twice(at: Callable[[float], None]):
    at(AT - 0.001)
    assert until_beat(0.5) == pytest.approx(0.501)


async def test_one_that_has_worked_for_long_looks_in_time_all_the_same(at: Callable[[float], None]):
    at(AT + 0.44)
    assert until_beat(0.5) == pytest.approx(0.06)


async def test_one_that_has_worked_for_all_its_time_rests(at: Callable[[float], None]):
    at(AT + 0.46)
    assert until_beat(0.5) == pytest.approx(0.54)
