"""Kinds of arguments that several commands take."""

import argparse
from collections.abc import Callable


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def username(text: str) -> str:
    """A name that could also be registered."""
    import msgspec

    from server.wire.fields import Username

    try:
        return msgspec.convert(text, Username)
    except msgspec.ValidationError as error:
        raise argparse.ArgumentTypeError("a name has 1 to 64 of A-Z a-z 0-9 _ . @ + -") from error


def user_id(text: str) -> str:
    """A player's id."""
    from models.ids import is_uuid

    if not is_uuid(text.lower()):
        raise argparse.ArgumentTypeError("a player's id is a UUID")
    return text.lower()


def add_data(parser: argparse.ArgumentParser) -> None:
    """`--data` also behind the second word of a command."""
    text = "data folder (also LAUREL_DATA; default .laurel)"
    parser.add_argument("--data", metavar="DIR", default=argparse.SUPPRESS, help=text)
