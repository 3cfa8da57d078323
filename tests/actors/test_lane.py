"""What waits for epochs is bounded."""

import pytest

from actors import lane
from actors.change import Change
from actors.clock import Clock
from actors.epochs import Epochs
from actors.lane import Lane
from models import boards
from models.ids import UserId
from models.state import Standing
from tests.pods import migrated


async def test_so_many_changes_wait_over_all_places(database_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lane, "MAX_CHANGES", 5)
    database = await migrated(database_url)
    epochs = Epochs()
    epochs.define(await boards.load(database))
    await database.close()
    held = Lane(epochs, Clock())
    places = [place for _, place in epochs.present(Clock().now_ms())]
    assert len(places) > 2

    def put(number: int, version: int = 1) -> None:
        for place in places:
            held.put(place, Change.of(UserId(f"user-{number}"), version, Standing(number, 1)))

    put(1)
    assert (len(held), held.dropped) == (len(places), 0)
    put(2)
    put(1, version=2)  # whoever is in it is brought up to date
    assert (len(held), held.dropped) == (5, 2 * len(places) - 5)
    epochs.adopt(places[0], "e", 0)
    assert len(held.take()[places[0]]) == 2
    assert len(held) == 3
    put(3)
    assert len(held) == 5
    held.clear()
    assert len(held) == 0
