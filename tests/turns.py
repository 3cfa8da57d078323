"""Workers side by side: a test that measures, or takes the whole machine, runs while no other does."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOM = Path(__file__)
"""Shared by the tests that run, or had by one that is alone; locks leave nothing behind on a file."""
DOOR = ROOM.with_name("conftest.py")
"""Had by whoever waits to be alone, so that the others leave the room and do not come back before."""


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Waits for one's turn among the workers of a working tree."""
    how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    with ExitStack() as stay:
        with _locked(DOOR, how):
            stay.enter_context(_locked(ROOM, how))
        yield


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with path.open("rb") as file:
        fcntl.flock(file, how)
        try:
            yield
        finally:  # not left to the closing: a child that was forked meanwhile keeps the file open
            fcntl.flock(file, fcntl.LOCK_UN)
