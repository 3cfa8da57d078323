"""The README's Numbers, written between their markers."""

from pathlib import Path

BEGIN = "<!-- numbers -->"
END = "<!-- /numbers -->"


class MarkersMissing(Exception):
    """The text has no place for the numbers."""


def with_numbers(text: str, numbers: str) -> str:
    """The text with new numbers between the markers; raises MarkersMissing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise MarkersMissing(f"put {BEGIN} and {END} once, in this order, where the numbers belong")
    return f"{before}{BEGIN}\n{numbers.strip()}\n{END}{after}"


def write(path: Path, numbers: str) -> None:
    """Replaces the numbers of a file; raises MarkersMissing and leaves it alone then."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MarkersMissing(f"there is no {path}") from error
    path.write_text(with_numbers(text, numbers), encoding="utf-8")
