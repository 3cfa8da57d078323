"""Boards sorted by what becomes of an entry: folding them together is folding each of them."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from models.board import GLOBAL, Board, Fold, Window
from models.entry import Entry, Kind
from models.ids import ActionId, BoardId, EntryId, UserId
from models.places import places_at
from models.state import DAY_MS, PlayerState, apply_entry, fold_standing

DAY = 20_000 * DAY_MS
FILTERS = ({}, {"actions": frozenset({"run"})}, {"region": "eu"}, {"group": "red"})
SEASON = {"starts_ms": DAY, "ends_ms": DAY + 3 * DAY_MS, "season": "spring"}
BOARDS = tuple(
    Board(BoardId(f"board-{number}"), 1, "B", fold, window, **rules, **(SEASON if window is Window.SEASON else {}))
    for number, (fold, window, rules) in enumerate(product(Fold, Window, FILTERS))
)

entries = st.lists(
    st.builds(
        lambda kind, delta, at, action, region, groups: Entry(
            entry_id=EntryId("e"),
            kind=kind,
            user_id=UserId("u"),
            user_version=1,
            action_id=None if kind is Kind.ADJUST else ActionId(action),
            action_revision=1,
            delta=delta,
            score_after=0,
            at=DAY + at,
            effective_at=DAY + at,
            target_id=None,
            region=region,
            groups=groups,
            caller=None,
            meta={},
        ),
        st.sampled_from([Kind.REDEEM, Kind.AWARD, Kind.ADJUST]),
        st.integers(-3, 3),
        st.integers(0, 5 * DAY_MS),
        st.sampled_from(["run", "jump"]),
        st.sampled_from([None, "eu", "us"]),
        st.sampled_from([(), ("red",), ("red", "blue")]),
    ),
    max_size=12,
)


@given(entries)
def test_all_boards_together_are_each_of_them_alone(history: list[Entry]):
    state, naive = PlayerState(UserId("u"), BOARDS), {}
    for entry in history:
        moved = apply_entry(state, entry)
        expected = set()
        for board in BOARDS:
            place = board.place_at(entry.effective_at)
            if place is not None and board.counts(entry):
                before = naive.get(place)
                naive[place] = fold_standing(before, entry, board.fold)
                if naive[place] != before:
                    expected.add(place)
        assert state.standings == naive
        assert moved >= expected
        assert state.touched >= moved


def test_places_hold_for_as_long_as_no_period_begins_or_ends():
    first = places_at(BOARDS, DAY + 1)
    assert places_at(BOARDS, DAY + DAY_MS - 1) is first
    following = places_at(BOARDS, DAY + DAY_MS)
    assert following is not first
    assert (following.stretch.start_ms, following.stretch.end_ms) == (DAY + DAY_MS, DAY + 2 * DAY_MS)
    assert not any(board.window is Window.SEASON for board, _ in places_at(BOARDS, DAY + 3 * DAY_MS).all)


def test_answers_are_told_of_one_place_only():
    first = Board(GLOBAL, 1, "Global", Fold.SUM, Window.ALL)
    places = places_at((*BOARDS, first), DAY)
    assert places.answering == (first.key, "all")
    assert places.beside == {place for _, place in places.all} - {places.answering}
    assert places_at(BOARDS, DAY).answering is None
