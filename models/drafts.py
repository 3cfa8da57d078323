"""Files that are written whole before they get their name."""

import secrets
import time
from contextlib import suppress
from glob import escape
from pathlib import Path

LEFT_SECONDS = 3_600.0
"""A draft that nobody has written to for so long is of a process that was killed."""


def draft_of(path: Path) -> Path:
    """Where a file is written until it is whole: hidden, beside it, nobody else's, also where all have one pid."""
    return path.with_name(f".{path.name}.{secrets.randbits(64)}")


def sweep(path: Path, stem: str | None = None) -> None:
    """Removes drafts of a file that were left behind, with `stem` of all files whose names begin so; raises OSError."""
    names = escape(path.name) if stem is None else f"{escape(stem)}*"
    for draft in path.parent.glob(f".{names}.*"):
        if not draft.suffix[1:].isdecimal():
            continue
        with suppress(FileNotFoundError):  # somebody else sweeps too
            if time.time() - draft.stat().st_mtime > LEFT_SECONDS:
                draft.unlink()
