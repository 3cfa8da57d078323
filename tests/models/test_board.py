"""Windows to periods, and which entries count."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from models.board import ALL_TIME, Board, Fold, Period, Window
from models.entry import Entry, Kind
from models.ids import ActionId, BoardId, EntryId, UserId

HOUR = 3_600_000


def board(window: Window = Window.ALL, zone: str = "UTC", fold: Fold = Fold.SUM, **rules: object) -> Board:
    return Board(BoardId("b"), 3, "B", fold, window, time_zone=zone, **rules)


def ms(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def period(window: Window, at: str, zone: str = "UTC") -> Period:
    found = board(window, zone).period_at(ms(at, zone))
    assert found is not None
    return found


def test_all_time_has_no_ends():
    assert board().period_at(0) is ALL_TIME
    assert ALL_TIME.holds(-1)
    assert ALL_TIME.holds(2**52)
    assert board().key == "b/3"


@pytest.mark.parametrize(
    ("window", "at", "name", "start", "end"),
    [
        (Window.DAY, "2026-10-31T12:00", "2026-10-31", "2026-10-31", "2026-11-01"),
        (Window.DAY, "2024-02-29T23:59:59.999", "2024-02-29", "2024-02-29", "2024-03-01"),
        (Window.DAY, "2026-12-31T00:00", "2026-12-31", "2026-12-31", "2027-01-01"),
        (Window.WEEK, "2026-10-31T12:00", "2026-W44", "2026-10-26", "2026-11-02"),
        (Window.WEEK, "2026-12-31T12:00", "2026-W53", "2026-12-28", "2027-01-04"),
        (Window.WEEK, "2027-01-03T23:59:59.999", "2026-W53", "2026-12-28", "2027-01-04"),
        (Window.WEEK, "2027-01-04T00:00", "2027-W01", "2027-01-04", "2027-01-11"),
        (Window.WEEK, "2024-12-30T00:00", "2025-W01", "2024-12-30", "2025-01-06"),
        (Window.WEEK, "2021-01-01T00:00", "2020-W53", "2020-12-28", "2021-01-04"),
        (Window.MONTH, "2026-10-31T12:00", "2026-10", "2026-10-01", "2026-11-01"),
        (Window.MONTH, "2024-02-29T12:00", "2024-02", "2024-02-01", "2024-03-01"),
        (Window.MONTH, "2026-12-01T00:00", "2026-12", "2026-12-01", "2027-01-01"),
        (Window.MONTH, "2026-01-31T23:59", "2026-01", "2026-01-01", "2026-02-01"),
    ],
)
def test_calendar_periods(window: Window, at: str, name: str, start: str, end: str):
    for zone in ("UTC", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu"):
        assert period(window, at, zone) == Period(name, ms(start, zone), ms(end, zone))


def test_a_moment_belongs_to_different_days_in_different_zones():
    at = ms("2026-10-31T23:30")
    days = {zone: board(Window.DAY, zone).period_at(at) for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles")}
    assert [found.period_id for found in days.values() if found] == ["2026-10-31", "2026-11-01", "2026-10-31"]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Sao_Paulo", "2018-02-17", 25),
        ("America/Havana", "2025-11-02", 25),
    ],
)
def test_days_on_which_clocks_change(zone: str, day: str, hours: float):
    found = period(Window.DAY, f"{day}T12:00", zone)
    assert (found.period_id, found.end_ms - found.start_ms) == (day, hours * HOUR)


def test_the_week_in_which_clocks_change_is_an_hour_longer():
    found = period(Window.WEEK, "2026-10-25T12:00", "Europe/Berlin")
    assert found.end_ms - found.start_ms == 7 * 24 * HOUR + HOUR


@pytest.mark.parametrize("window", [Window.DAY, Window.WEEK, Window.MONTH])
@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Pacific/Apia", "Europe/London", "America/Havana"])
def test_periods_follow_one_another_without_gaps(window: Window, zone: str):
    at = ms("2011-11-01T00:00")
    previous = board(window, zone).period_at(at)
    for _ in range(120):
        assert previous.holds(previous.start_ms)
        assert previous.holds(previous.end_ms - 1)
        assert not previous.holds(previous.end_ms)
        assert not previous.holds(previous.start_ms - 1)
        assert board(window, zone).period_at(previous.end_ms - 1) == previous
        following = board(window, zone).period_at(previous.end_ms)
        assert following.start_ms == previous.end_ms
        assert following.period_id > previous.period_id
        previous = following


def test_asking_back_and_forth_gives_the_same():
    zoned = board(Window.DAY, "Europe/Berlin")
    moments = [ms("2026-10-24T12:00") + hours * HOUR for hours in range(72)]
    first = [zoned.period_at(at) for at in moments]
    assert [zoned.period_at(at) for at in reversed(moments)] == first[::-1]


def test_a_season_has_both_its_ends():
    season = board(Window.SEASON, starts_ms=1_000, ends_ms=2_000, season="summer")
    assert [season.period_at(at) for at in (999, 2_000)] == [None, None]
    assert season.period_at(1_000) == season.period_at(1_999) == Period("summer", 1_000, 2_000)


def entry(kind: Kind = Kind.REDEEM, action: str | None = "run", region: str | None = None, groups: Iterable[str] = ()):
    return Entry(
        entry_id=EntryId("e"),
        kind=kind,
        user_id=UserId("u"),
        user_version=1,
        action_id=ActionId(action) if action else None,
        action_revision=1,
        delta=5,
        score_after=5,
        at=0,
        effective_at=0,
        target_id=None,
        region=region,
        groups=tuple(groups),
        caller=None,
        meta={},
    )


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("fold", list(Fold))
@pytest.mark.parametrize("filtered", [False, True])
def test_which_kinds_count(kind: Kind, fold: Fold, filtered: bool):
    rules = {"actions": frozenset({"run"})} if filtered else {}
    action = None if kind is Kind.ADJUST else "run"
    expected = kind in ("redeem", "award") or (kind == "adjust" and fold == "sum" and not filtered)
    assert board(fold=fold, **rules).counts(entry(kind, action)) is expected


def test_filters_look_at_what_the_entry_recorded():
    runs = board(actions=frozenset({"run"}))
    assert runs.counts(entry())
    assert not runs.counts(entry(action="swim"))
    assert not board(actions=frozenset()).counts(entry())
    north = board(region="north")
    assert [north.counts(entry(region=region)) for region in ("north", "south", None)] == [True, False, False]
    red = board(group="red")
    assert [red.counts(entry(groups=groups)) for groups in (["red"], ["blue", "red"], ["blue"], [])] == [
        True,
        True,
        False,
        False,
    ]
    both = board(region="north", group="red", actions=frozenset({"run"}))
    assert both.counts(entry(region="north", groups=["red"]))
    assert not both.counts(entry(region="north"))
    assert board().counts(entry(region="north", groups=["red"]))
