"""JSON in which a name stands twice: parsers let the last one win, so two readers may see two things."""

import json
from typing import Any


def refuse_doubles(text: bytes | str) -> None:
    """Raises ValueError where a name stands twice in one object, or the text is no JSON."""
    json.loads(text, object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name stands twice")
