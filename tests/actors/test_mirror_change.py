"""A change on its way to Redis: absolute, and the newest of each player."""

from collections.abc import Iterator

import msgspec
import pytest

from actors.change import Change, Columns, apply_call
from actors.clock import Clock
from actors.epochs import Epochs
from actors.mirror import Mirror
from actors.ordering import Ordering
from models.board import Place
from models.entry import MAX_SCORE
from models.ids import UserId
from models.state import Standing

USER = UserId("11111111-1111-4111-8111-111111111111")
PLACE: Place = ("global/1", "all")


@pytest.fixture
async def mirror(redis_url: str) -> Iterator[Mirror]:
    ordering = Ordering(redis_url)
    yield Mirror(ordering, Epochs(), Clock())
    await ordering.close()


def held(mirror: Mirror) -> Change:
    return mirror._others.pending[PLACE][USER]


def change(version: int, score: int | None = 5, delta: int | None = None) -> Change:
    return Change.of(USER, version, None if score is None else Standing(score, 1_000), delta)


def columns(*changes: Change, answering: bool = True) -> list[object]:
    _, _, arguments = apply_call(PLACE, "e1", 4, 10, 77, Columns.of(changes, 70), answering=answering)
    return msgspec.msgpack.decode(arguments[5])


def test_changes_are_packed_as_the_script_takes_them():
    member = f"9999999998999:{USER}"
    marks = [f"3|{member}", f"4|{member}", "5|"]
    sent = [change(3, MAX_SCORE, -4), change(4, -5), change(5, None, 0)]
    packed = [[USER] * 3, [3, 4, 5], [member, member, ""], [MAX_SCORE, -5, 0], marks]
    assert columns(*sent) == [*packed, [-4, False, 0]]
    assert columns(*sent, answering=False) == [*packed, []]


def test_a_call_names_every_key_and_argument():
    name, keys, arguments = apply_call(PLACE, "e1", 4, 10, 77, Columns.of([change(1)], 70), answering=True)
    assert (name, len(keys), keys[0]) == ("apply", 5, "laurel:{global/1:all}:epoch")
    assert arguments[:4] == ["e1", 4, 10, 77]
    assert arguments[6:] == [1, 0, 70]


async def test_the_newer_of_two_changes_goes(mirror: Mirror):
    mirror.put(PLACE, change(2, 7))
    mirror.put(PLACE, change(1, 5))
    assert held(mirror) == change(2, 7)
    mirror.put(PLACE, change(3, None))
    assert held(mirror) == change(3, None)
    assert mirror.pending == 1


async def test_what_the_player_is_told_adds_up(mirror: Mirror):
    mirror.put(PLACE, change(1, 5, 5))
    mirror.put(PLACE, change(2, 8, 3))
    mirror.put(PLACE, change(3, 8))
    assert held(mirror) == change(3, 8, 8)


async def test_what_is_too_much_is_counted(mirror: Mirror, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("actors.lane.MAX_PENDING", 2)
    for number in range(4):
        mirror.put(PLACE, Change(UserId(f"u{number}"), 1))
    assert (mirror.pending, mirror.dropped) == (2, 2)
    mirror.put(PLACE, Change(UserId("u0"), 2))
    assert (mirror.pending, mirror.dropped) == (2, 2)
