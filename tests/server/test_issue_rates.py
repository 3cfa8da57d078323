"""What counts as unusual."""

from models.ids import UserId
from server import issue_rates
from server.issue_rates import WINDOW_MS, PodIssueRates

START = 1_000 * WINDOW_MS
ANN, BEN = UserId("ann"), UserId("ben")


def rates(*, lifted: bool = False) -> PodIssueRates:
    return PodIssueRates(per_user=3, per_address=5, lifted=lifted)


def test_a_player_is_unusual_from_the_limit_on_and_others_are_not():
    found = rates()
    for number in range(3):
        assert not found.is_unusual(ANN, "a", START + number)
        found.note(ANN, "a", START + number)
    assert found.is_unusual(ANN, "b", START + 3)
    assert not found.is_unusual(BEN, "a", START + 3)


def test_an_address_is_unusual_whoever_asks():
    found = rates()
    for number in range(5):
        found.note(UserId(f"user {number}"), "a", START)
    assert found.is_unusual(ANN, "a", START)
    assert not found.is_unusual(ANN, "b", START)


def test_a_player_and_an_address_of_one_name_are_two():
    found = rates()
    for _ in range(3):
        found.note(UserId("same"), "other", START)
    assert not found.is_unusual(ANN, "same", START)


def test_the_minute_slides():
    found = rates()
    for _ in range(4):
        found.note(ANN, "a", START)
    assert found.is_unusual(ANN, "a", START + WINDOW_MS)
    assert found.is_unusual(ANN, "a", START + WINDOW_MS * 5 // 4)
    assert not found.is_unusual(ANN, "a", START + WINDOW_MS * 5 // 4 + 1_000)
    found.note(ANN, "a", START + WINDOW_MS * 5 // 4 + 1_000)
    assert found.is_unusual(ANN, "a", START + WINDOW_MS * 5 // 4 + 1_000)


def test_after_a_pause_everything_is_forgotten():
    found = rates()
    for _ in range(9):
        found.note(ANN, "a", START)
    assert not found.is_unusual(ANN, "a", START + 2 * WINDOW_MS)


def test_load_tests_find_nothing_unusual():
    found = rates(lifted=True)
    for _ in range(9):
        found.note(ANN, "a", START)
    assert not found.is_unusual(ANN, "a", START)


def test_what_is_counted_is_bounded(monkeypatch):
    monkeypatch.setattr(issue_rates, "MOST_COUNTED", 4)
    found = rates()
    for number in range(9):
        found.note(UserId(str(number)), str(number), START)
    assert len(found._now) == 4
    found.note(UserId("0"), "0", START)
    assert found._now[(0, "0")] == 2
