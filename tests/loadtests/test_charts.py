"""The charts of the dashboard's picture: legends that fit, marks at their places, SVG that is whole."""

import math
import re
from xml.etree import ElementTree

import pytest

from loadtests.charts import HEIGHT, LEGEND_ROWS, Line, Mark, Stretch, key, panel

STRETCH = Stretch(1_800_000_000.0, 1_800_000_240.0)


def texts(lines: list[Line], marks: tuple[Mark, ...] = ()) -> list[tuple[float, float, str]]:
    """Every text of a panel with its place; fails unless it is XML."""
    drawn = ElementTree.fromstring(f"<g>{panel('p95 < 1 & so on', 's', lines, STRETCH, marks)}</g>")
    return [(float(one.attrib["x"]), float(one.attrib["y"]), one.text or "") for one in drawn.iter("text")]


def test_a_legend_names_the_highest_values_and_counts_what_is_nought():
    found = [
        text for *_, text in texts([Line("p99", [(0, 0.2), (0.5, 2.5), (1, math.nan)]), Line("x", [(0, 0), (1, 0)])])
    ]
    assert "p99 2.5 s" in found
    assert "1 more at 0" in found


@pytest.mark.parametrize("lines", [[], [Line("x", [(0, 0.0)])], [Line("gone", [(0, math.nan)])]])
def test_a_panel_without_values_says_so(lines: list[Line]):
    assert {"all at 0", "nothing to show"} & {text for *_, text in texts(lines)}


def test_a_long_legend_stays_within_its_card():
    found = texts([Line(f"a rather long name {number}", [(0, 1.0), (1, 2.0)]) for number in range(12)])
    rows = {y for _, y, text in found if re.search("long name|more", text)}
    assert 0 < len(rows) <= LEGEND_ROWS
    assert max(y for _, y, _ in found) < HEIGHT
    shown = sum("long name" in text for *_, text in found)
    assert f"and {12 - shown} more" in {text for *_, text in found}


def test_marks_stand_where_it_happened_and_are_explained():
    mark = Mark.read("08:01:00+60 Redis hangs")
    begins, ends = mark.place(STRETCH)
    assert (round(begins, 3), round(ends, 3)) == (0.25, 0.5)
    assert "1" in {text for *_, text in texts([], (mark,))}
    assert re.search(">Redis hangs<", key([mark]))
    with pytest.raises(ValueError):
        Mark.read("at noon")
