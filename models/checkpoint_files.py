"""Checkpoints as files: the newest kept, each held against the one before, and that kept for good if they differ."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from models.audit import Fault, Mark
from models.chain import Chain
from models.checkpoint import Checkpoint
from models.drafts import draft_of, sweep
from models.errors import CheckpointInvalid

KEPT = 12
"""Files that stay: of the last two hours, for whoever copies them elsewhere."""
STAMP = "%Y%m%dT%H%M%SZ"
EVIDENCE = ".evidence"
"""Goes before the suffix of a checkpoint that a later one contradicts: no newer one pushes it out."""


class CheckpointFiles:
    """A name such as `laurel.checkpoint`, to which each file adds its time: `laurel-20261031T120000Z.checkpoint`."""

    def __init__(self, name: Path) -> None:
        self._name = name

    def present(self) -> list[Path]:
        """The files there are, oldest first."""
        return sorted(self._name.parent.glob(f"{self._name.stem}-*Z{self._name.suffix}"))

    def latest(self, chain: Chain) -> Checkpoint | None:
        """The newest that is one of ours; others are passed over."""
        for path in reversed(self.present()):
            try:
                return Checkpoint.open(path, chain)
            except (CheckpointInvalid, OSError):
                continue
        return None

    async def write(self, lines: AsyncIterator[str], before: Checkpoint | None, now_ms: int) -> Fault | None:
        """Writes a file and removes those too old; the first player who has less than the file before says.

        The file before is the last to know what was lost, and stays as evidence then. Raises OSError.
        """
        self._name.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime(STAMP)
        path = self._name.with_name(f"{self._name.stem}-{stamp}{self._name.suffix}")
        draft = draft_of(path)
        sweep(path, f"{self._name.stem}-")
        comparison = Comparison(iter(()) if before is None else before.marks())
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
                async for line in lines:
                    file.write(line)
                    comparison.see(line)
                await asyncio.to_thread(_await_disk, file)
            fault = comparison.end()
            if fault is not None and before is not None:
                with suppress(FileNotFoundError):  # somebody keeps it elsewhere
                    before.path.replace(evidence_of(before.path))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        for old in self.present()[:-KEPT]:
            old.unlink(missing_ok=True)
        return fault


def evidence_of(path: Path) -> Path:
    """The name under which a contradicted checkpoint stays."""
    return path.with_suffix(EVIDENCE + path.suffix)


def _await_disk(file: TextIO) -> None:
    """A hundred megabytes take a disk a second: nothing for an event loop."""
    file.flush()
    os.fsync(file.fileno())


class Comparison:
    """Holds a checkpoint's lines, as they come, against an older one's marks; both are in the order of players."""

    def __init__(self, marks: Iterator[Mark]) -> None:
        self._marks = marks
        self._mark = next(marks, None)
        self._fault: Fault | None = None

    def see(self, line: str) -> None:
        """Takes the next line; header and signature are none of a player."""
        user_id, _, rest = line.partition(" ")
        if self._mark is None or self._fault is not None or len(user_id) != len(self._mark.user_id):
            return
        if user_id > self._mark.user_id:
            self.end()
            return
        if user_id == self._mark.user_id:
            version, _, seal = rest.strip().partition(" ")
            if int(version) < self._mark.version:
                self._say(f"rolled back to version {version}")
            elif int(version) == self._mark.version and seal != self._mark.seal.hex():
                self._say("another entry has this version now")
            self._mark = next(self._marks, None)

    def end(self) -> Fault | None:
        """The first fault; a player whose mark is left over is gone."""
        if self._fault is None and self._mark is not None:
            self._say("the player is gone")
        return self._fault

    def _say(self, text: str) -> None:
        if self._mark is not None:
            self._fault = Fault(self._mark.user_id, self._mark.version, None, text)
