"""The verdict on load tests: passes what is whole, and names what was planted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from loadtests.load.course import MOST_POINTS, course
from loadtests.load.measured import BUDGETS as EVERYDAY
from loadtests.load.measured import OWN, Budgets, Measured, Row, exceeded
from loadtests.load.report import page, text
from loadtests.load.told import (
    ADJUST,
    Answer,
    Asked,
    Began,
    Cheat,
    Diary,
    Divergence,
    Ended,
    Refused,
    Seen,
    Told,
    Unknown,
    View,
    all_ended,
)
from loadtests.load.verdict import MOST_SHOWN, Continued, Entry, Stand, Stores, Top, judge, lags

BUDGETS = Budgets.read()
ROWS = [Row("POST", "start", 40, 0, 5, 9, 10, 12), Row("POST", "redeem", 40, 0, 5, 9, 10, 12)]
MEASURED = Measured(["http://pod-1"], 10, ROWS, [])
ADA, BOB = "ada", "bob"
SHOWN = [(ADA, 20), (BOB, 11)]
MOVE = Answer(Asked(BOB, 1, kind=ADJUST), "m1", 1, 11, 2, False, 100.0, 100.1)
Plant = Callable[[Told, Stores], None]


def answer(user: str, ticket: str, score: int, version: int, *, replayed: bool = False, points: int = 10) -> Answer:
    return Answer(Asked(user, points, ticket), ticket, 10, score, version, replayed, 100.0, 100.1)


def whole() -> tuple[Told, Stores]:
    """Two players, three redemptions, one replay, a move, two viewers: all as it should be."""
    told = Told(
        answers=[answer(ADA, "t1", 10, 1), answer(BOB, "t2", 10, 1), answer(ADA, "t3", 20, 2), MOVE],
        refused=[Refused(ADA, "t9", "ticket_too_early")],
        views=[View("v1", "e", 3, SHOWN, True), View("v2", "e", 3, SHOWN, True)],
        seen=[Seen("v1", ADA, 20, 100.2)],
        began=[Began(99.0)],
        ended=[Ended(1.0, 10.0, 20.0)],
    )
    told.add(answer(ADA, "t3", 20, 2, replayed=True))
    entries = [
        Entry("t1", "redeem", ADA, 10, 10, 1, 100.0),
        Entry("t2", "redeem", BOB, 10, 10, 1, 100.0),
        Entry("m1", "adjust", BOB, 1, 11, 2, 100.0),
        Entry("t3", "redeem", ADA, 10, 20, 2, 100.0),
    ]
    top = Top("http://pod-1", "e", 3, SHOWN)
    stores = Stores(
        entries=entries,
        stands={ADA: Stand(20, 2), BOB: Stand(11, 2)},
        redis={ADA: 20, BOB: 11},
        tops=[top, replace(top, where="http://pod-2")],
        continued=[Continued("v1", top)],
    )
    return told, stores


def publicly(stores: Stores) -> None:
    """What is left when only the API can be asked."""
    stores.entries = stores.redis = None
    stores.stands = {user_id: Stand(stand.score) for user_id, stand in stores.stands.items()}


def kinds(told: Told, stores: Stores, measured: Measured = MEASURED) -> set[str]:
    return {finding.kind for finding in judge(told, stores, measured, BUDGETS)}


def lose_entry(told: Told, stores: Stores) -> None:
    stores.entries = [entry for entry in stores.entries if entry.entry_id != "t2"]


def lose_version(told: Told, stores: Stores) -> None:
    stores.stands[ADA] = Stand(10, 1)


def lose_player(told: Told, stores: Stores) -> None:
    del stores.stands[BOB]


def overwrite(told: Told, stores: Stores) -> None:
    told.add(answer(ADA, "t4", 20, 2))


def change_entry(told: Told, stores: Stores) -> None:
    stores.entries[-1] = replace(stores.entries[-1], score_after=25)


def answer_for_another(told: Told, stores: Stores) -> None:
    told.answers[1] = msgspec.structs.replace(told.answers[1], asked=Asked(BOB, 10, "t4"))


def answer_an_instant_with_another(told: Told, stores: Stores) -> None:
    told.add(msgspec.structs.replace(told.answers[-1], asked=Asked(ADA, 10, key="k1")))


def give_less(told: Told, stores: Stores) -> None:
    told.answers[1] = answer(BOB, "t2", 10, 1, points=20)


def give_more(told: Told, stores: Stores) -> None:
    told.answers[1] = answer(BOB, "t2", 10, 1, points=5)


def double_answer(told: Told, stores: Stores) -> None:
    told.add(answer(ADA, "t3", 30, 3))


def double_new(told: Told, stores: Stores) -> None:
    told.add(answer(BOB, "t2", 10, 1))


def double_entry(told: Told, stores: Stores) -> None:
    stores.entries.append(Entry("t5", "redeem", ADA, 10, 30, 3, 101.0))


def lose_move(told: Told, stores: Stores) -> None:
    stores.entries = [entry for entry in stores.entries if entry.entry_id != "m1"]


def double_move(told: Told, stores: Stores) -> None:
    stores.entries.append(Entry("m2", "adjust", BOB, 1, 12, 3, 101.0))


def move_more(told: Told, stores: Stores) -> None:
    told.answers[3] = msgspec.structs.replace(MOVE, asked=Asked(BOB, 5, kind=ADJUST))


def move_otherwise(told: Told, stores: Stores) -> None:
    stores.entries[2] = replace(stores.entries[2], kind="award")


def award_whom_nobody_moved(told: Told, stores: Stores) -> None:
    stores.entries.append(Entry("m3", "award", ADA, 5, 25, 3, 101.0))


def move_whose_redemption_is_unknown(told: Told, stores: Stores) -> None:
    told.add(Unknown(Asked(ADA, 10)))
    stores.entries.append(Entry("m4", "adjust", ADA, 1, 21, 3, 101.0))


def double_score(told: Told, stores: Stores) -> None:
    stores.stands[ADA] = Stand(30, 2)


def break_ledger(told: Told, stores: Stores) -> None:
    stores.broken.append("ada: score 20, but entries sum to 10")


def count_refused(told: Told, stores: Stores) -> None:
    stores.entries.append(Entry("t9", "redeem", ADA, 10, 30, 3, 101.0))


def accept_cheat(told: Told, stores: Stores) -> None:
    told.add(Cheat("forged ticket", "was accepted"))


def forget_in_redis(told: Told, stores: Stores) -> None:
    del stores.redis[BOB]


def keep_in_redis(told: Told, stores: Stores) -> None:
    stores.redis["gone"] = 5


def old_in_redis(told: Told, stores: Stores) -> None:
    stores.redis[ADA] = 10


def show_otherwise(told: Told, stores: Stores) -> None:
    stores.tops[1] = replace(stores.tops[1], rows=[(ADA, 20)])


def show_wrongly(told: Told, stores: Stores) -> None:
    stores.tops[:] = [replace(top, rows=[(ADA, 30), (BOB, 11)]) for top in stores.tops]
    stores.continued.clear()


def show_out_of_order(told: Told, stores: Stores) -> None:
    stores.tops[:] = [replace(top, rows=SHOWN[::-1]) for top in stores.tops]
    stores.continued.clear()


def degrade(told: Told, stores: Stores) -> None:
    stores.tops[0] = replace(stores.tops[0], degraded=True)


def fold_otherwise(told: Told, stores: Stores) -> None:
    told.views[1] = View("v2", "e", 3, SHOWN[:1], True)


def fold_what_never_was(told: Told, stores: Stores) -> None:
    told.views.append(View("v3", "e", 2, [(ADA, 15)], False))


def fold_to_another_end(told: Told, stores: Stores) -> None:
    stores.continued.append(Continued("v2", Top("http://pod-1", "e", 3, SHOWN[::-1])))


def fold_to_nowhere(told: Told, stores: Stores) -> None:
    stores.continued.append(Continued("v2", None, "the hash is another one"))


def diverge(told: Told, stores: Stores) -> None:
    told.add(Divergence("v2", "a delta is missing"))


def lag(told: Told, stores: Stores) -> None:
    told.add(Seen("v1", BOB, 10, 109.0))


def lose_process(told: Told, stores: Stores) -> None:
    told.add(Began(99.5))


def test_what_is_whole_passes():
    assert judge(*whole(), MEASURED, BUDGETS) == []
    told, stores = whole()
    publicly(stores)
    assert judge(told, stores, MEASURED, BUDGETS) == []


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (lose_entry, "lost"),
        (lose_version, "lost"),
        (lose_player, "lost"),
        (overwrite, "lost"),
        (change_entry, "lost"),
        (answer_for_another, "lost"),
        (answer_an_instant_with_another, "lost"),
        (give_less, "lost"),
        (give_more, "doubled"),
        (double_answer, "doubled"),
        (double_new, "doubled"),
        (double_entry, "doubled"),
        (lose_move, "lost"),
        (double_move, "doubled"),
        (move_more, "lost"),
        (move_otherwise, "lost"),
        (award_whom_nobody_moved, "doubled"),
        (move_whose_redemption_is_unknown, "doubled"),
        (double_score, "doubled"),
        (break_ledger, "ledger"),
        (count_refused, "cheat"),
        (accept_cheat, "cheat"),
        (forget_in_redis, "redis"),
        (keep_in_redis, "redis"),
        (old_in_redis, "redis"),
        (show_otherwise, "board"),
        (show_wrongly, "board"),
        (show_out_of_order, "board"),
        (degrade, "board"),
        (fold_otherwise, "fold"),
        (fold_what_never_was, "fold"),
        (fold_to_another_end, "fold"),
        (fold_to_nowhere, "fold"),
        (diverge, "fold"),
        (lag, "budget"),
        (lose_process, "incomplete"),
    ],
)
def test_what_is_planted_is_found(plant: Plant, kind: str):
    told, stores = whole()
    plant(told, stores)
    assert kind in kinds(told, stores)


@pytest.mark.parametrize(("score", "kind"), [(10, "lost"), (30, "doubled")])
def test_a_wrong_score_is_found_over_the_api_alone(score: int, kind: str):
    told, stores = whole()
    publicly(stores)
    stores.stands[ADA] = Stand(score)
    stores.tops.clear()
    stores.continued.clear()
    assert kinds(told, stores) == {kind}


@pytest.mark.parametrize("asked", [Asked(ADA, 10, "t5"), Asked(ADA, 10), Asked(ADA, 10, kind=ADJUST)])
def test_what_nobody_was_told_may_have_moved_a_score(asked: Asked):
    told, stores = whole()
    told.add(Unknown(asked))
    stores.entries.append(Entry("t5", asked.kind, ADA, 10, 30, 3, 101.0))
    stores.stands[ADA], stores.redis[ADA] = Stand(30, 3), 30
    stores.tops.clear()
    stores.continued.clear()
    assert kinds(told, stores) == set()
    publicly(stores)
    assert kinds(told, stores) == set()


def test_entries_of_before_the_run_are_nobodys_concern():
    told, stores = whole()
    stores.entries.append(Entry("t0", "redeem", ADA, 10, 5, 1, 50.0))
    assert kinds(told, stores) == set()


def test_nothing_told_is_no_pass():
    assert "incomplete" in kinds(Told(), Stores())


def test_lag_is_from_the_ledgers_stamp():
    assert lags(*whole()) == [pytest.approx(200)]


def test_a_course_has_each_second_of_the_run():
    told, stores = whole()
    went = course(told, stores, 3)
    assert [instant.at for instant in went] == [0, 1, 2, 3]
    assert [(instant.redeemed, instant.replayed) for instant in went] == [(0, 0), (3, 1), (0, 0), (0, 0)]
    assert [instant.lag_p95 for instant in went] == [0, pytest.approx(200), 0, 0]
    assert "Commit → screen" in page(told, stores, MEASURED, [])
    assert len(course(told, stores, 100_000)) <= MOST_POINTS + 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (Row("POST", "redeem", 40, 0, 5, 900, 950, 960), "redeem: p95 900 ms"),
        (Row("POST", "redeem", 40, 0, 5, 9, 5000, 6000), "redeem: p99 5,000 ms"),
        (Row("POST", "redeem", 40, 1, 5, 9, 10, 12), "redeem: 1 of 40 failed"),
        (Row("POST", "redeem", 3, 0, 5, 9, 10, 12), "redeem: 3 counted"),
        (Row(OWN, "divergence: x", 1, 0, 0, 0, 0, 0), "divergence: 1 counted"),
        (Row("GET", "anything", 10, 5, 0, 0, 0, 0), "5 of 90 requests failed"),
    ],
)
def test_an_exceeded_budget_is_named(row: Row, said: str):
    rows = [one for one in ROWS if one.name != row.name] + [row]
    assert any(sentence.startswith(said) for sentence in exceeded(rows, BUDGETS))
    told, stores = whole()
    assert kinds(told, stores, msgspec.structs.replace(MEASURED, rows=rows)) == {"budget"}


def test_own_events_are_no_requests():
    rows = [*ROWS, Row("GET", "anything", 10, 1, 0, 0, 0, 0)]
    said = "1 of 90 requests failed, allowed are 0.1 %"
    assert said in exceeded([*rows, Row(OWN, "replayed answer", 100_000, 0, 0, 0, 0, 0)], BUDGETS)


@pytest.mark.parametrize("file", [EVERYDAY, EVERYDAY.with_name("outages.toml")])
def test_an_internal_error_is_a_fault_although_the_next_try_succeeds(file: Path):
    rows = [*ROWS, Row("POST", "tried again: 500 internal_error", 1, 0, 5, 9, 10, 12)]
    assert list(exceeded(rows, Budgets.read(file))) == ["tried again: 500: 1 counted, allowed are 0"]


def test_a_misspelt_budget_is_refused(tmp_path: Path):
    path = tmp_path / "budgets.toml"
    path.write_text('failures_percent = 1\nbudget = [{name = "redeem", p59_ms = 1}]\nlag = {p95_ms = 1, p99_ms = 1}\n')
    with pytest.raises(msgspec.ValidationError, match="p59_ms"):
        Budgets.read(path)


def test_lines_come_back_as_they_were_written(tmp_path: Path):
    told, _ = whole()
    told.add(Unknown(Asked(ADA, 10, "t8")))
    told.add(Cheat("replay", "twice"))
    told.add(Divergence("v1", "x"))
    diary = Diary(tmp_path)
    lists = [getattr(told, name) for name in Told.__slots__]
    for line in [line for lines in lists for line in lines]:
        diary.note(line)
    assert Told.read(tmp_path) == told
    assert all_ended(tmp_path)
    diary.note(Began(1.0))
    diary.close()
    assert not all_ended(tmp_path)
    with next(tmp_path.glob("*.jsonl")).open("ab") as file:
        file.write(b'{"is":"began"')  # killed in the middle of it
    assert len(Told.read(tmp_path).began) == 2


def test_the_report_says_what_broke_and_no_more_than_one_can_read():
    told, stores = whole()
    for number in range(50):
        told.add(Cheat("forged <ticket>", str(number)))
    found = judge(told, stores, MEASURED, BUDGETS)
    assert len(found) == MOST_SHOWN + 1
    assert "and 45 more" in text(told, stores, MEASURED, found)
    shown = page(told, stores, MEASURED, found)
    assert "FAILED" in shown
    assert "forged &lt;ticket&gt;" in shown
    assert "passed" in page(told, stores, MEASURED, [])
