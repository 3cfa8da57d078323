"""How far a long command is, on a terminal."""

import sys
import time
from types import TracebackType
from typing import Self

QUIET_SECONDS = 1.0
PAUSE_SECONDS = 0.2
CLEAR = "\r\x1b[K"


class Progress:
    """One line on stderr, written over again; nothing unless somebody watches, nor for what is done at once."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._due = time.monotonic() + QUIET_SECONDS
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            print(CLEAR, end="", file=sys.stderr, flush=True)

    def show(self, text: str) -> None:
        """Says how far it is, a few times a second at most."""
        now = time.monotonic()
        if self._watched and now >= self._due:
            print(f"{CLEAR}{text}", end="", file=sys.stderr, flush=True)
            self._due = now + PAUSE_SECONDS
            self._shown = True
