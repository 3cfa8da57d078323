"""Rates and numbers of connections, as the settings name them."""

from dataclasses import dataclass
from typing import Self

SECONDS = {"second": 1, "minute": 60, "hour": 3600}
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in a unit of time: `60/minute`."""

    count: int
    unit: str

    @property
    def seconds(self) -> int:
        """The length of the unit."""
        return SECONDS[self.unit]

    def __str__(self) -> str:
        return f"{self.count}/{self.unit}"

    @classmethod
    def parse(cls, value: str) -> Self:
        """Raises ValueError for what is not of the form N/second, N/minute or N/hour."""
        count, slash, unit = value.strip().partition("/")
        if not slash or unit not in SECONDS or not _is_count(count):
            raise ValueError(f"must be of the form N/second, N/minute or N/hour, N from 1 to {MOST}")
        return cls(int(count), unit)


def parse_two_rates(value: str) -> tuple[Rate, Rate]:
    """`10/minute,30/minute`; one alone stands for both. Raises ValueError."""
    first, comma, second = value.partition(",")
    return Rate.parse(first), Rate.parse(second if comma else first)


def parse_two_counts(value: str) -> tuple[int, int]:
    """`5,20`; one alone stands for both. Raises ValueError."""
    first, comma, second = value.partition(",")
    counts = [text.strip() for text in (first, second if comma else first)]
    if not all(_is_count(count) for count in counts):
        raise ValueError(f"must be one or two numbers from 1 to {MOST}, separated by a comma")
    return int(counts[0]), int(counts[1])


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(MOST)) and 1 <= int(text) <= MOST
