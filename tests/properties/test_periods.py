"""Periods against the calendar: any zone, any moment, clock changes, leap days and ISO weeks included."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.board import Board, Fold, Period, Window
from models.ids import BoardId

ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
MOMENTS = st.integers(946_684_800_000, 4_102_444_800_000)
"""The years 2000 to 2100."""
DAY_MS = 86_400_000

ZONE = st.one_of(
    st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia"]),
    st.sampled_from(ZONES),
)
WINDOW = st.sampled_from([Window.DAY, Window.WEEK, Window.MONTH])


def board(window: Window, zone: str) -> Board:
    return Board(BoardId("b"), 1, "B", Fold.SUM, window, time_zone=zone)


def name_of(window: Window, day: date) -> str:
    """The id of a local day's period, by the calendar alone."""
    year, week, _ = day.isocalendar()
    return {Window.DAY: f"{day}", Window.WEEK: f"{year}-W{week:02}", Window.MONTH: f"{day}"[:7]}[window]


def local_day(at_ms: int, zone: str) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(ZoneInfo(zone)).date()


def ms(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(WINDOW, ZONE, MOMENTS)
@example(Window.DAY, "Pacific/Apia", ms("2011-12-31T00:00", "Pacific/Apia"))
@example(Window.DAY, "America/Sao_Paulo", ms("2018-11-04T01:00", "America/Sao_Paulo"))
@example(Window.WEEK, "UTC", ms("2027-01-03T23:59:59.999", "UTC"))
@example(Window.MONTH, "UTC", ms("2028-02-29T12:00", "UTC"))
def test_a_moment_lies_in_the_period_of_its_local_day(window: Window, zone: str, at: int):
    one = board(window, zone)
    period = one.period_at(at)
    assert period is not None
    assert period.holds(at)
    assert period.period_id == name_of(window, local_day(at, zone))
    assert one.period_named(period.period_id) == period
    assert_edges(one, period, zone)


def assert_edges(one: Board, period: Period, zone: str) -> None:
    """First and last moment belong to it, those beside it to its neighbours, without a gap."""
    start, end = period.start_ms, period.end_ms
    assert start is not None
    assert end is not None
    assert {name_of(one.window, local_day(at, zone)) for at in (start, end - 1)} == {period.period_id}
    before, after = one.period_at(start - 1), one.period_at(end)
    assert before is not None
    assert after is not None
    assert (before.end_ms, after.start_ms) == (start, end)
    assert before.period_id < period.period_id < after.period_id


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(WINDOW, ZONE, st.text("0123456789-W", max_size=11))
@example(Window.DAY, "UTC", "2026-02-29")
@example(Window.DAY, "UTC", "20260101")
@example(Window.DAY, "UTC", "2026-W01-1")
@example(Window.DAY, "Pacific/Apia", "2011-12-30")
@example(Window.WEEK, "UTC", "2025-W53")
@example(Window.WEEK, "UTC", "2026-W1")
@example(Window.MONTH, "UTC", "2026-13")
@example(Window.MONTH, "UTC", "0000-01")
@example(Window.DAY, "UTC", "9999-12-31")
def test_an_id_names_a_period_only_in_its_own_form(window: Window, zone: str, text: str):
    found = board(window, zone).period_named(text)
    assert found is None or (found.period_id == text and found.start_ms < found.end_ms)  # type: ignore[operator]


def test_seasons_and_all_time_are_named_too():
    season = Board(BoardId("s"), 1, "S", Fold.SUM, Window.SEASON, season="one", starts_ms=5, ends_ms=9)
    assert season.period_named("one") == Period("one", 5, 9)
    assert season.period_named("two") is None
    unset = Board(BoardId("s"), 1, "S", Fold.SUM, Window.SEASON)
    assert (unset.period_at(7), unset.place_at(7), unset.period_named("s")) == (None, None, None)
    always = Board(BoardId("a"), 1, "A", Fold.SUM, Window.ALL)
    assert (always.period_named("all"), always.period_named("2026")) == (always.period_at(0), None)
