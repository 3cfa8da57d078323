"""What waits for epochs is bounded."""

import pytest

from actors import lane
from actors.change import Change
from actors.clock import Clock
from actors.epochs import Epochs
from actors.lane import Lane
from models import boards
from models.board import Place
from models.ids import UserId
from models.state import Standing
from tests.pods import migrated


@pytest.fixture
async def epochs(database_url: str) -> Epochs:
    database = await migrated(database_url)
    epochs = Epochs()
    epochs.define(await boards.load(database))
    await database.close()
    return epochs


def places_of(epochs: Epochs) -> list[Place]:
    return [place for _, place in epochs.present(Clock().now_ms())]


def put(held: Lane, epochs: Epochs, number: int, version: int = 1) -> None:
    """A change of a player at every place."""
    for place in places_of(epochs):
        held.put(place, Change.of(UserId(f"user-{number}"), version, Standing(number, 1)))


async def test_so_many_changes_wait_over_all_places(epochs: Epochs, monkeypatch: pytest.MonkeyPatch):
    places = places_of(epochs)
    most = len(places) + 2
    monkeypatch.setattr(lane, "MAX_CHANGES", most)
    held = Lane(epochs, Clock())
    put(held, epochs, 1)
    assert (len(held), held.dropped) == (len(places), 0)
    put(held, epochs, 2)
    put(held, epochs, 1, version=2)  # whoever is in it is brought up to date
    assert (len(held), held.dropped) == (most, len(places) - 2)
    epochs.adopt(places[0], "e", 0)
    assert len(held.take()[places[0]]) == 2
    assert len(held) == most - 2
    put(held, epochs, 3)
    assert len(held) == most
    held.clear()
    assert len(held) == 0


async def test_a_place_whose_first_change_was_too_much_leaves_nothing_behind(
    epochs: Epochs, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lane, "MAX_CHANGES", 2)
    held, places = Lane(epochs, Clock()), places_of(epochs)
    put(held, epochs, 1)
    for place in places:
        epochs.adopt(place, "e", 0)
    assert [len(columns) for columns in held.take().values()] == [1, 1]
    assert (held.pending, held._since, len(held), held.dropped) == ({}, {}, 0, len(places) - 2)
