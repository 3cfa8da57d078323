"""What moved on other boards: newest state of each player, bounded."""

import pytest

from actors.change import Change
from actors.moves import Moves
from models.board import Place
from models.ids import UserId
from models.state import PlayerState, Standing

SUM, LAST = ("sum/1", "all"), ("last/1", "all")


def state(user: str, version: int, **standings: int) -> PlayerState:
    """A state whose standings were reached at its version."""
    held: dict[Place, Standing | None] = {
        (f"{key}/1", "all"): Standing(score, version) for key, score in standings.items()
    }
    return PlayerState(UserId(user), version=version, standings=held)


def taken(moves: Moves) -> dict[Place, list[Change]]:
    return {place: list(columns.changes()) for place, columns in moves.take().items()}


def test_a_state_is_taken_as_it_is_then():
    moves, moving = Moves(), state("u", 1, sum=5, last=5)
    moves.note(moving, {SUM, LAST}, 70)
    moving.version, moving.standings[SUM] = 2, Standing(8, 2)
    moves.note(moving, {SUM}, 90)
    assert len(moves) == 2
    assert moves.take()[SUM].since_ms == 70
    assert len(moves) == 0
    moves.note(moving, {SUM, LAST}, 90)
    expected = {SUM: Standing(8, 2), LAST: Standing(5, 1)}
    assert taken(moves) == {place: [Change.of(UserId("u"), 2, standing)] for place, standing in expected.items()}
    assert taken(moves) == {}


def test_the_places_of_all_moves_are_taken():
    moves, moving = Moves(), state("u", 1, sum=5, last=5)
    moves.note(moving, {LAST}, 0)
    moves.note(moving, {SUM}, 0)
    assert taken(moves).keys() == {SUM, LAST}


def test_of_two_states_of_a_player_the_newer_counts():
    for states in ((state("u", 1, sum=1), state("u", 2, sum=2)), (state("u", 2, sum=2), state("u", 1, sum=1))):
        moves = Moves()
        for one in states:
            moves.note(one, {SUM}, 0)
        assert taken(moves) == {SUM: [Change.of(UserId("u"), 2, Standing(2, 2))]}


def test_who_is_hidden_or_has_no_standing_is_taken_off():
    moves, banned = Moves(), state("banned", 3, sum=5)
    banned.banned_until = 1
    moves.note(banned, {SUM}, 0)
    moves.note(state("voided", 4), {SUM}, 0)
    assert taken(moves) == {SUM: [Change.of(UserId("banned"), 3, None), Change.of(UserId("voided"), 4, None)]}


def test_a_call_takes_so_many_and_the_longest_waiting_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("actors.moves.LARGEST_CALL", 2)
    moves = Moves()
    for number in range(3):
        moves.note(state(f"u{number}", 1, sum=1), {SUM}, number)
    moves.note(state("u0", 2, sum=2), {SUM}, 9)
    assert [change.user_id for change in taken(moves)[SUM]] == ["u0", "u1"]
    assert [change.user_id for change in taken(moves)[SUM]] == ["u2"]


def test_what_is_too_much_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("actors.moves.MAX_PENDING", 1)
    moves = Moves()
    moves.note(state("u", 1, sum=1), {SUM}, 0)
    moves.note(state("v", 1, sum=1, last=1), {SUM, LAST}, 0)
    moves.note(state("u", 2, sum=2), {SUM}, 0)
    assert (len(moves), moves.dropped) == (1, 2)
    moves.clear()
    assert (len(moves), taken(moves)) == (0, {})
