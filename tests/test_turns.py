"""Workers take turns: who is alone is, and comes in though the others never all leave at once."""

import threading
import time
from pathlib import Path

import pytest

from tests import turns
from tests.laurel_process import until
from tests.turns import turn

SECONDS = 10


@pytest.fixture(autouse=True)
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apart from the workers' own, one of which this test is in."""
    for name in ("DOOR", "ROOM"):
        monkeypatch.setattr(turns, name, tmp_path / name)
        (tmp_path / name).touch()


def test_who_is_alone_is_and_does_not_wait_for_ever():
    inside: set[str] = set()
    met: list[set[str]] = []
    turns_taken = {"one": 0, "other": 0}
    was_alone = threading.Event()

    def come_and_go(name: str) -> None:
        while not was_alone.is_set():
            with turn(alone=False):
                inside.add(name)
                turns_taken[name] += 1
                time.sleep(0.003)  # so long that one is nearly always inside
                inside.discard(name)

    def come_alone() -> None:
        for _ in range(5):
            with turn(alone=True):
                met.append(set(inside))
                time.sleep(0.003)
                met.append(set(inside))
        was_alone.set()

    others = [threading.Thread(target=come_and_go, args=(name,), daemon=True) for name in turns_taken]
    for thread in others:
        thread.start()
    until(lambda: min(turns_taken.values()) > 3 and len(inside) == 2, SECONDS)
    threading.Thread(target=come_alone, daemon=True).start()
    assert was_alone.wait(SECONDS)
    for thread in others:
        thread.join(SECONDS)
    assert met == [set()] * 10
