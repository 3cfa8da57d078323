"""The README's Numbers, written between their markers."""

from pathlib import Path

NUMBERS = "numbers"
MILLION = "million"
"""Names of the places."""


class MarkersMissing(Exception):
    """The text has no place for the numbers."""


def with_numbers(text: str, numbers: str, place: str = NUMBERS) -> str:
    """The text with new numbers between the markers of a place; raises MarkersMissing."""
    opening, closing = f"<!-- {place} -->", f"<!-- /{place} -->"
    before, begin, rest = text.partition(opening)
    _, end, after = rest.partition(closing)
    if not begin or not end or opening in after or closing in after:
        raise MarkersMissing(f"put {opening} and {closing} once, in this order, where the numbers belong")
    return f"{before}{opening}\n{numbers.strip()}\n{closing}{after}"


def write(path: Path, numbers: str, place: str = NUMBERS) -> None:
    """Replaces the numbers of a file; raises MarkersMissing and leaves it alone then."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MarkersMissing(f"there is no {path}") from error
    path.write_text(with_numbers(text, numbers, place), encoding="utf-8")
