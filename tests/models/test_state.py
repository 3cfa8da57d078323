"""Folding: a player's history to scores, and only what counts."""

import random

import pytest

from models.board import Board, Fold, Window
from models.entry import FOREVER_MS, Entry, Kind
from models.ids import ActionId, BoardId, EntryId, UserId
from models.state import (
    DAY_MS,
    ActionMemory,
    HistoryFold,
    PlayerState,
    Standing,
    apply_entry,
    fold_history,
    fold_standing,
    remember,
)

USER = UserId("u")
DAY = 20_000 * DAY_MS


class Ledger:
    """Builds a history, one entry after the other."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, kind: str, delta: int = 0, at: int = 0, **more: object) -> Entry:
        number = len(self.entries) + 1
        score = sum(entry.delta for entry in self.entries) + delta
        fields = {
            "action_id": ActionId("run"),
            "action_revision": 1,
            "effective_at": DAY + at,
            "target_id": None,
            "region": None,
            "groups": (),
            "caller": None,
            "meta": {},
        }
        entry = Entry(
            entry_id=EntryId(f"e{number}"),
            kind=Kind(kind),
            user_id=USER,
            user_version=number,
            delta=delta,
            score_after=score,
            at=DAY + at,
            **fields | more,
        )
        self.entries.append(entry)
        return entry

    def void(self, target: Entry, at: int = 0) -> Entry:
        return self.add(
            "void", -target.delta, at, target_id=target.entry_id, effective_at=target.effective_at, region=target.region
        )


def board(fold: Fold = Fold.SUM, window: Window = Window.ALL, **rules: object) -> Board:
    return Board(BoardId(f"{fold}-{window}"), 1, "B", fold, window, **rules)


ALL = board()
PLACE = (ALL.key, "all")


def only(entries: list[Entry], of: Board) -> dict[str, Standing | None]:
    """Period to standing of one board."""
    return {place[1]: standing for place, standing in fold_history(USER, entries, [of]).standings.items()}


@pytest.mark.parametrize(
    ("fold", "standing", "delta", "expected"),
    [
        (Fold.SUM, None, 0, Standing(0, 9)),
        (Fold.SUM, None, -3, Standing(-3, 9)),
        (Fold.SUM, Standing(5, 1), 0, Standing(5, 1)),
        (Fold.SUM, Standing(5, 1), 2, Standing(7, 9)),
        (Fold.SUM, Standing(5, 1), -7, Standing(-2, 9)),
        (Fold.BEST, None, -3, Standing(-3, 9)),
        (Fold.BEST, Standing(5, 1), 5, Standing(5, 1)),
        (Fold.BEST, Standing(5, 1), 4, Standing(5, 1)),
        (Fold.BEST, Standing(5, 1), 6, Standing(6, 9)),
        (Fold.LAST, None, 1, Standing(1, 9)),
        (Fold.LAST, Standing(5, 1), 0, Standing(0, 9)),
        (Fold.LAST, Standing(5, 1), 5, Standing(5, 9)),
    ],
)
def test_one_more_entry(fold: Fold, standing: Standing | None, delta: int, expected: Standing):
    assert fold_standing(standing, Ledger().add("redeem", delta, effective_at=9), fold) == expected


def test_an_empty_history_is_on_no_board():
    state = fold_history(USER, [], [ALL])
    assert (state.version, state.score, state.standings, state.touched) == (0, 0, {}, set())


def test_a_void_takes_back_its_target_in_the_targets_period():
    ledger, daily = Ledger(), board(window=Window.DAY)
    first = ledger.add("redeem", 10, at=1)
    ledger.add("redeem", 5, at=DAY_MS + 1)
    ledger.void(first, at=DAY_MS + 2)
    state = fold_history(USER, ledger.entries, [ALL, daily])
    assert (state.score, state.version) == (5, 3)
    assert state.standings[PLACE] == Standing(5, DAY + DAY_MS + 1)
    day, following = (daily.period_at(DAY + offset).period_id for offset in (0, DAY_MS))
    assert state.standings[(daily.key, day)] is None
    assert state.standings[(daily.key, following)] == Standing(5, DAY + DAY_MS + 1)
    assert (daily.key, day) in state.touched


def test_a_void_gives_best_and_last_back_what_was_before():
    for fold, delta in ((Fold.BEST, 9), (Fold.LAST, 2)):
        ledger = Ledger()
        ledger.add("redeem", 4, at=1)
        ledger.void(ledger.add("redeem", delta, at=2), at=3)
        assert only(ledger.entries, board(fold)) == {"all": Standing(4, DAY + 1)}


def test_a_void_moves_the_time_of_a_sum_back():
    ledger = Ledger()
    ledger.add("redeem", 4, at=1)
    ledger.void(ledger.add("redeem", 4, at=2), at=3)
    assert only(ledger.entries, ALL) == {"all": Standing(4, DAY + 1)}


def test_a_voided_redemption_still_counts_for_the_pace():
    ledger = Ledger()
    ledger.void(ledger.add("redeem", 4, at=5), at=6)
    state = fold_history(USER, ledger.entries, [ALL])
    assert state.actions == {ActionId("run"): ActionMemory(DAY + 5, DAY // DAY_MS, 1)}


def test_awards_count_but_not_for_the_pace():
    ledger = Ledger()
    ledger.add("award", 4)
    ledger.add("adjust", -9, action_id=None)
    state = fold_history(USER, ledger.entries, [ALL, board(Fold.BEST)])
    assert state.actions == {}
    assert state.standings == {PLACE: Standing(-5, DAY), (board(Fold.BEST).key, "all"): Standing(4, DAY)}


def test_a_ban_hides_and_leaves_the_standing():
    ledger = Ledger()
    ledger.add("redeem", 4)
    ledger.add("ban", meta={"until": DAY + 100, "reason": "x"})
    state = fold_history(USER, ledger.entries, [ALL])
    assert (state.standings[PLACE], state.visible(PLACE)) == (Standing(4, DAY), None)
    assert [state.is_banned(DAY + at) for at in (99, 100)] == [True, False]
    ledger.add("unban")
    state = fold_history(USER, ledger.entries, [ALL])
    assert (state.visible(PLACE), state.is_banned(DAY)) == (Standing(4, DAY), False)


def test_a_ban_without_an_end_is_for_ever():
    ledger = Ledger()
    ledger.add("ban")
    assert fold_history(USER, ledger.entries, []).banned_until == FOREVER_MS


def test_one_entry_more_touches_its_places_only():
    state = PlayerState(USER, (ALL, board(Fold.BEST)))
    ledger = Ledger()
    apply_entry(state, ledger.add("redeem", 4))
    assert state.touched == {PLACE, (board(Fold.BEST).key, "all")}
    state.touched.clear()
    apply_entry(state, ledger.add("adjust", 4, action_id=None))
    assert state.touched == {PLACE}
    state.touched.clear()
    apply_entry(state, ledger.add("redeem", 4), counts=False)
    assert (state.touched, state.score, state.version) == (set(), 12, 3)
    assert state.standings[PLACE] == Standing(8, DAY)


def test_a_move_changes_what_later_entries_record_and_no_board():
    ledger = Ledger()
    ledger.add("redeem", 4, region="north", groups=("red",))
    ledger.add("move", region="south", groups=("blue", "green"))
    ledger.add("redeem", 5, region="south", groups=("blue", "green"))
    filters: list[dict[str, str]] = [{"region": "north"}, {"region": "south"}, {"group": "red"}, {"group": "green"}]
    named = [Board(BoardId(f"b{n}"), 1, "", Fold.SUM, Window.ALL, **rules) for n, rules in enumerate(filters)]
    state = fold_history(USER, ledger.entries, named)
    assert (state.region, state.groups) == ("south", ("blue", "green"))
    assert [state.standings[(f"b{n}/1", "all")].score for n in range(4)] == [4, 5, 4, 5]


def test_the_day_of_the_memory_is_utc():
    memory = remember(None, DAY + DAY_MS - 1)
    assert memory == ActionMemory(DAY + DAY_MS - 1, DAY // DAY_MS, 1)
    assert remember(memory, DAY + DAY_MS - 1)[2] == 2
    assert remember(memory, DAY + DAY_MS) == ActionMemory(DAY + DAY_MS, DAY // DAY_MS + 1, 1)


def test_pages_of_a_history_fold_like_the_whole():
    chance, ledger = random.Random(1), Ledger()
    voidable: list[Entry] = []
    for step in range(400):
        kind = chance.choice(["redeem", "redeem", "award", "adjust", "void", "ban", "unban", "move"])
        if kind == "void" and voidable:
            ledger.void(voidable.pop(chance.randrange(len(voidable))), step)
        elif kind in ("redeem", "award", "adjust"):
            region = chance.choice([None, "north"])
            voidable.append(ledger.add(kind, chance.randint(-5, 9), step * 3_600_000, region=region))
        elif kind != "void":
            ledger.add(kind, at=step)
    boards = [board(fold, window) for fold in Fold for window in (Window.ALL, Window.DAY, Window.WEEK, Window.MONTH)]
    boards.append(Board(BoardId("north"), 1, "", Fold.SUM, Window.ALL, region="north"))
    voided = frozenset(entry.target_id for entry in ledger.entries if entry.kind is Kind.VOID and entry.target_id)
    fold = HistoryFold(USER, boards, voided)
    for start in range(0, len(ledger.entries), 7):
        for entry in ledger.entries[start : start + 7]:
            fold.add(entry)
    assert fold.state == fold_history(USER, ledger.entries, boards)
    for one in boards:
        for place, standing in fold.state.standings.items():
            if place[0] == one.key:
                counted = [
                    entry
                    for entry in ledger.entries
                    if entry.entry_id not in voided
                    and one.counts(entry)
                    and one.period_at(entry.effective_at).period_id == place[1]
                ]
                scores = [entry.delta for entry in counted]
                naive = {"sum": sum, "best": lambda s: max(s, default=None), "last": lambda s: s[-1] if s else None}
                expected = naive[one.fold](scores) if scores else None
                assert (None if standing is None else standing.score) == expected
