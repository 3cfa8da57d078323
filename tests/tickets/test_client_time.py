"""A client's own time: near now, and not before the ticket, in the client's own steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.client_time import WINDOW_MS, ClientTime, client_time, judge_client_time

NOW = 1_790_000_000_777
ISSUED = NOW - 60_400
"""377 ms into its second."""


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1_790_000_000, ClientTime(1_790_000_000_000, 1_000)),
        (1_790_000_000_123, ClientTime(1_790_000_000_123, 1)),
        (10**11 - 1, ClientTime((10**11 - 1) * 1_000, 1_000)),
        (10**11, ClientTime(10**11, 1)),
        (0, ClientTime(0, 1_000)),
        (-5, ClientTime(-5_000, 1_000)),
    ],
)
def test_the_size_of_a_number_tells_seconds_from_milliseconds(number: int, expected: ClientTime):
    assert client_time(number) == expected


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        (ISSUED - 1, False),
        (ISSUED, True),
        (NOW, True),
        (NOW + WINDOW_MS, True),
        (NOW + WINDOW_MS + 1, False),
        (ISSUED // 1000 - 1, False),
        (ISSUED // 1000, True),  # the ticket's own second
        (NOW // 1000 + 300, True),
        (NOW // 1000 + 301, False),
    ],
)
def test_a_time_lies_between_the_ticket_and_five_minutes_from_now(number: int, fits: bool):
    refusal = judge_client_time(client_time(number), ISSUED, NOW)
    assert (refusal is None) == fits
    assert refusal is None or refusal.code == "conflict"


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        (NOW - WINDOW_MS, True),
        (NOW - WINDOW_MS - 1, False),
        (NOW // 1000 - 300, True),
        (NOW // 1000 - 301, False),
    ],
)
def test_without_a_ticket_the_window_alone_counts(number: int, fits: bool):
    assert (judge_client_time(client_time(number), None, NOW) is None) == fits


@given(now=st.integers(10**12, 2 * 10**12), held=st.integers(0, WINDOW_MS - 1_000))
def test_an_honest_clock_always_fits_in_either_unit(now: int, held: int):
    for number in (now, now // 1000):
        assert judge_client_time(client_time(number), now - held, now) is None
