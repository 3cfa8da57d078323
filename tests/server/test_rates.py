"""Rates as the settings name them."""

import pytest

from server.rates import Rate, parse_two_counts, parse_two_rates
from server.settings import Settings, SettingsError


@pytest.mark.parametrize("text", ["1/second", "60/minute", "1000000/hour"])
def test_a_rate_is_read_and_shown(text: str):
    assert str(Rate.parse(text)) == text


def test_a_rate_has_a_length():
    assert [Rate.parse(f"7/{unit}").seconds for unit in ("second", "minute", "hour")] == [1, 60, 3600]


@pytest.mark.parametrize(
    "text",
    [
        *("60", "/minute", "60/", "0/minute", "-1/minute", "1.5/minute", "60/day", "60/Minute", "1e3/hour"),
        *("1000001/hour", "60/minute/2", "60/minute,", "60/minute;10/second", "٦/minute", "60 /minute"),
        "9" * 5_000 + "/hour",
    ],
)
def test_anything_else_is_refused(text: str):
    with pytest.raises(ValueError, match="must be of the form N/second, N/minute or N/hour"):
        Rate.parse(text)
    with pytest.raises(SettingsError, match="LAUREL_RATE_LIMIT_REDEEM"):
        Settings.from_mapping({"LAUREL_RATE_LIMIT_REDEEM": text})


def test_one_rate_stands_for_both():
    assert parse_two_rates("5/minute") == (Rate(5, "minute"), Rate(5, "minute"))
    assert parse_two_rates("10/minute, 30/hour") == (Rate(10, "minute"), Rate(30, "hour"))


@pytest.mark.parametrize(("text", "counts"), [("5", (5, 5)), ("5,20", (5, 20)), (" 5 , 20 ", (5, 20))])
def test_numbers_of_connections(text: str, counts: tuple[int, int]):
    assert parse_two_counts(text) == counts


@pytest.mark.parametrize("text", ["", ",", "5,", ",5", "0", "5,0", "5,20,30", "5/minute", "-5", "1000001"])
def test_other_numbers_of_connections_are_refused(text: str):
    with pytest.raises(ValueError, match="must be one or two numbers"):
        parse_two_counts(text)


def test_the_settings_show_rates_as_they_are_written():
    shown = Settings.from_mapping({"LAUREL_RATE_LIMIT_LOGIN": "5/minute,50/hour"}).redacted()
    assert shown["LAUREL_RATE_LIMIT_LOGIN"] == ["5/minute", "50/hour"]
    assert shown["LAUREL_RATE_LIMIT_REDEEM"] == "120/minute"
    assert shown["LAUREL_RATE_LIMIT_SOCKETS"] == [5, 20]
