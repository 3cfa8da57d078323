"""Histograms count as a list of all values would."""

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from actors.tally import SECONDS, Histogram


@given(st.lists(st.floats(0, 10)))
def test_cumulative_counts_are_those_of_the_values(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    bounds = (*SECONDS, float("inf"))
    assert histogram.cumulative() == [(bound, sum(value <= bound for value in values)) for bound in bounds]
    assert histogram.total == approx(sum(values))  # Python 3.12 and later add up with less rounding


def test_a_shared_value_counts_for_each() -> None:
    shared, single = Histogram((1, 2)), Histogram((1, 2))
    shared.observe_many(2, 3)
    for _ in range(3):
        single.observe(2)
    assert (shared.counts, shared.total) == (single.counts, single.total) == ([0, 3, 0], 6)
