"""The benchmark's own arithmetic, table and README section."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.bench import readme, report
from loadtests.bench.figures import Figure, percentile, ratios, rotated
from loadtests.bench.rows import latency

BEGIN, END = f"<!-- {readme.NUMBERS} -->", f"<!-- /{readme.NUMBERS} -->"
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@pytest.mark.parametrize(
    ("sense", "value", "verdict"),
    [
        ("at least", 6.0, "wanted"),
        ("at least", 4.0, "met"),
        ("at least", 3.99, "missed"),
        ("at most", 6.0, "met"),
        ("at most", 4.0, "wanted"),
        ("at most", 6.01, "missed"),
    ],
)
def test_a_verdict_is_the_strictest_limit_that_holds(sense, value, verdict):
    bound, wanted = (4.0, 6.0) if sense == "at least" else (6.0, 4.0)
    assert Figure("x", (value,), sense=sense, bound=bound, wanted=wanted).verdict == verdict


def test_a_stated_figure_has_no_verdict():
    assert Figure("x", (1.0,)).verdict == ""


def test_one_noisy_round_does_not_move_the_median():
    assert Figure("x", (5.0, 5.1, 0.1, 4.9, 5.0)).median == 5.0


def test_ratios_are_taken_round_by_round():
    assert ratios((2.0, 9.0), (1.0, 3.0)) == (2.0, 3.0)
    with pytest.raises(ValueError, match="shorter"):
        ratios((1.0, 2.0), (1.0,))


@given(VALUES, st.floats(0, 1))
def test_a_percentile_is_a_value_that_the_share_does_not_exceed(values, share):
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-4


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 50), (0.99, 99), (1, 100)])
def test_percentiles_of_a_hundred(share, expected):
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_everybody_is_first_in_turn():
    assert [rotated("abc", turn) for turn in range(4)] == [list("abc"), list("bca"), list("cab"), list("abc")]


@pytest.mark.parametrize(("value", "text"), [(0.123, "0.12"), (12.34, "12.3"), (123.4, "123.4"), (12345.6, "12,346")])
def test_numbers_are_shown_with_few_digits(value, text):
    assert report.shown(value) == text


def test_the_table_is_aligned_markdown_with_notes_below():
    text = report.table(
        [
            Figure("speed", (5.0, 4.0, 6.0), "×", "at least", 4, 6, "a note"),
            Figure("memory", (7.0,), "KiB", "at most", 3, 1.5),
            Figure("rate", (12_000.0,), "/s"),
        ]
    )
    table, notes = text.split("\n\n")
    lines = table.splitlines()
    assert len({len(line) for line in lines}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[2] == ["speed", "5.00 ×", "4.00–6.00", "≥ 4.00 ×", "≥ 6.00 ×", "met"]
    assert cells[3] == ["memory", "7.00 KiB", "7.00–7.00", "≤ 3.00 KiB", "≤ 1.50 KiB", "missed"]
    assert cells[4] == ["rate", "12,000 /s", "12,000–12,000", "", "", ""]
    assert notes == "- speed: a note"


def test_the_document_holds_every_round():
    found = report.document([Figure("x", (1.0, 3.0, 2.0), "ms", "at most", 2)], {"rounds": 3, "seconds": 4})
    assert found["figures"][0]["values"] == [1.0, 3.0, 2.0]
    assert found["figures"][0]["median"] == 2.0
    assert found["figures"][0]["verdict"] == "met"
    assert "3 rounds of 4 s" in report.headline(found)


def test_numbers_replace_only_what_stands_between_the_markers(tmp_path: Path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    readme.write(path, "new\n")
    once = path.read_text()
    assert once == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    readme.write(path, "new")
    assert path.read_text() == once


@pytest.mark.parametrize(
    "text",
    ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"],
)
def test_without_one_pair_of_markers_a_file_is_left_alone(tmp_path: Path, text: str):
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(readme.MarkersMissing):
        readme.write(path, "new")
    assert path.read_text() == text
    with pytest.raises(readme.MarkersMissing):
        readme.write(tmp_path / "none.md", "new")


def _frame(kind: str, *rows: tuple[str, int]) -> str:
    shown = ",".join(f'{{"userId":"{user}","score":{score}}}' for user, score in rows)
    key = "entries" if kind == "snapshot" else "updatedPositions"
    return f'{{"type":"leaderboard.{kind}","data":{{"{key}":[{shown}]}}}}'


def test_a_delay_is_counted_once_a_viewer_and_not_for_what_stood_there_before():
    commits = {("a", 10): 1.0, ("a", 20): 2.0, ("b", 10): 3.0}
    noted = [
        (1, 5.0, _frame("snapshot", ("a", 10))),
        (2, 5.0, _frame("snapshot")),
        (1, 5.5, _frame("update", ("a", 20), ("b", 10))),
        (1, 6.0, _frame("update", ("a", 20), ("unknown", 1))),
        (2, 6.5, _frame("update", ("a", 20))),
        (2, 7.0, '{"type":"pong"}'),
    ]
    assert sorted(latency._delays(noted, commits)) == [2.5, 3.5, 4.5]
